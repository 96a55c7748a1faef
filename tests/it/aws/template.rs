//! The template: what its own linters say, and what they do not know of.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use adapters::config::CLOUD_VARIABLES;
use adapters::inbound::backoffice::Route;
use adapters::inbound::log::{Metric, NAMESPACE};
use pipeline::sweep;
use serde_json::Value;
use tests::python::python_of;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// What a program says of the template, when it ends well.
fn run(command: &mut Command) -> String {
    let ended = command.arg(root().join("infra/template.yaml")).output().unwrap();
    let told = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{told}{}", String::from_utf8_lossy(&ended.stderr));
    told
}

fn linter() -> PathBuf {
    python_of("cfn-lint", "emulator/lint-requirements.txt")
}

static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator/template.py");
    serde_json::from_str(&run(Command::new(linter()).arg(script))).unwrap()
});

fn resources(kind: &str) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let all = TEMPLATE["Resources"].as_object().unwrap();
    let found = all.iter().filter(move |(_, resource)| resource["Type"] == kind);
    found.map(|(name, resource)| (name.as_str(), &resource["Properties"]))
}

pub(super) fn resource(name: &str) -> &'static Value {
    &TEMPLATE["Resources"][name]["Properties"]
}

/// The name of the resource that a value refers to.
fn referred(value: &Value) -> String {
    let name = value["Ref"].as_str().or_else(|| value["Fn::GetAtt"][0].as_str());
    name.or_else(|| value["Fn::GetAtt"].as_str())
        .unwrap_or_else(|| panic!("{value}"))
        .split('.')
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn linters_find_nothing_in_the_template() {
    run(Command::new(linter().with_file_name("cfn-lint")).args(["--non-zero-exit-code", "informational"]));
    let checkov = python_of("checkov", "emulator/checkov-requirements.txt");
    let program = checkov.with_file_name("checkov");
    let told = run(Command::new(checkov).arg(program).args([
        "--skip-download",
        "--framework",
        "cloudformation",
        "-o",
        "json",
        "-f",
    ]));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["summary"]["failed"], 0);
    assert!(told["summary"]["passed"].as_u64().unwrap() >= 90, "{}", told["summary"]);
    for skipped in told["results"]["skipped_checks"].as_array().unwrap() {
        let comment = skipped["check_result"]["suppress_comment"].as_str().unwrap();
        let (date, reason) = comment.trim().split_once(": ").unwrap();
        assert!(date.parse::<jiff::civil::Date>().is_ok() && reason.len() > 20, "{comment}");
    }
}

/// T19: messages are invisible for six times the function's time, what failed is kept longer, and batches fail in parts.
#[test]
fn queues_give_functions_their_time_and_keep_what_failed() {
    let timeout = TEMPLATE["Globals"]["Function"]["Timeout"].as_u64().unwrap();
    let functions: Vec<_> = resources("AWS::Serverless::Function")
        .filter(|(_, function)| !function["Events"]["Messages"].is_null())
        .collect();
    assert_eq!(functions.len(), 3);
    for (name, function) in functions {
        let event = &function["Events"]["Messages"]["Properties"];
        assert_eq!(event["FunctionResponseTypes"], serde_json::json!(["ReportBatchItemFailures"]), "{name}");
        assert_eq!(event["BatchSize"], 1, "{name}");
        let queue = resource(&referred(&event["Queue"]));
        let seconds = |queue: &Value, name: &str| queue[name].as_u64().unwrap();
        let own = function["Timeout"].as_u64().unwrap_or(timeout);
        assert!(seconds(queue, "VisibilityTimeout") >= 6 * own, "{name}");
        assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"], 5);
        let failed = resource(&referred(&queue["RedrivePolicy"]["deadLetterTargetArn"]));
        assert!(seconds(failed, "MessageRetentionPeriod") > seconds(queue, "MessageRetentionPeriod"), "{name}");
    }
}

/// T13: the sweep is called every quarter of an hour, ends before it is called again, and a call that fails is kept and seen.
#[test]
fn the_sweep_is_called_every_quarter_of_an_hour_one_at_a_time() {
    let (schedule, function) = (resource("SweepSchedule"), resource("SweepFunction"));
    assert_eq!(schedule["ScheduleExpression"], format!("rate({} minutes)", sweep::EVERY.as_mins()));
    assert!(schedule["FlexibleTimeWindow"]["Mode"] == "OFF" && schedule.get("State").is_none());
    assert!(function["Timeout"].as_i64().unwrap() < sweep::EVERY.as_secs());
    assert_eq!(function["ReservedConcurrentExecutions"], 1);
    let target = &schedule["Target"];
    assert_eq!(
        (referred(&target["Arn"]), referred(&target["RoleArn"])),
        ("SweepFunction".into(), "SweepScheduleRole".into())
    );
    for failed in [&target["DeadLetterConfig"]["Arn"], &function["DeadLetterQueue"]["TargetArn"]] {
        assert_eq!(referred(failed), "SweepFailed");
    }
    // Half an hour without one is told, and so is whatever it finds that is older than it may be.
    let alarm = |name: &str| {
        let alarm = resource(name);
        let number = |field: &str| alarm[field].as_i64().unwrap();
        (
            number("Threshold"),
            number("Period") * number("EvaluationPeriods"),
            alarm["TreatMissingData"].as_str().unwrap(),
        )
    };
    assert_eq!(alarm("SweepsAlarm"), (1, 1_800, "breaching"));
    assert_eq!(alarm("OldestUnprocessedObjectAgeAlarm"), (1_800, 900, "notBreaching"));
    assert_eq!(alarm("OldestCommittedUnpostedAgeAlarm"), (7_200, 900, "notBreaching"));
}

/// What is there for good is kept when the stack goes, and no bucket that a notification fires for is written to.
#[test]
fn what_is_kept_is_kept() {
    for kind in ["AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SecretsManager::Secret"] {
        for (name, _) in resources(kind) {
            for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
                assert_eq!(TEMPLATE["Resources"][name][policy], "Retain", "{name}");
            }
        }
    }
    let buckets: Vec<_> = resources("AWS::S3::Bucket").collect();
    assert_eq!(buckets.len(), 7);
    for (name, bucket) in &buckets {
        assert_eq!(bucket["VersioningConfiguration"]["Status"], "Enabled", "{name}");
        assert_eq!(bucket.get("NotificationConfiguration").is_some(), *name == "LandingBucket", "{name}");
    }
    let retention = &resource("ArchiveBucket")["ObjectLockConfiguration"]["Rule"]["DefaultRetention"];
    assert_eq!(retention["Mode"], "COMPLIANCE");
    assert!(TEMPLATE["Parameters"]["RetentionYears"]["Default"].as_u64() >= Some(6));
    let table = resource("Table");
    assert_eq!(table["DeletionProtectionEnabled"], true);
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert!(table.get("TimeToLiveSpecification").is_none(), "what is known of a report never expires");
}

/// T66: alarms ask for numbers that the functions write, by name and dimension; what shows a fault has an alarm.
#[test]
fn alarms_ask_for_numbers_that_are_written() {
    let known: Vec<String> = Metric::ALL.iter().map(Metric::to_string).collect();
    let mut alarmed = Vec::new();
    for (name, alarm) in resources("AWS::CloudWatch::Alarm") {
        assert!(alarm["AlarmActions"][0]["Ref"] == "AlarmTopic" && alarm["AlarmDescription"].is_string(), "{name}");
        if alarm["Namespace"] == NAMESPACE {
            let metric = alarm["MetricName"].as_str().unwrap().to_owned();
            assert!(known.contains(&metric), "{name}");
            let dimensions = alarm["Dimensions"].as_array().unwrap();
            assert_eq!((dimensions.len(), &dimensions[0]["Name"]), (1, &Value::from("fn")), "{name}");
            let function = dimensions[0]["Value"].as_str().unwrap();
            assert!(root().join("functions").join(function).is_dir(), "{name}");
            alarmed.push(metric);
        }
    }
    let harmless = [
        "AcceptedReports",
        "DuplicateReports",
        "FailedMessages",
        "PostedEvents",
        "SummarisedMonths",
        "MailSent",
        "TakenUp",
    ];
    for metric in known.iter().filter(|metric| !harmless.contains(&metric.as_str())) {
        assert!(alarmed.contains(metric), "{metric} has no alarm");
    }
    let watched =
        |metric: &str| resources("AWS::CloudWatch::Alarm").filter(|(_, alarm)| alarm["MetricName"] == metric).count();
    assert_eq!((watched("ApproximateNumberOfMessagesVisible"), watched("ApproximateAgeOfOldestMessage")), (5, 3));
}

/// Every variable that is read is set where it is needed, and no other.
#[test]
fn the_template_sets_the_variables_that_are_read() {
    let mut set: Vec<&str> = Vec::new();
    let globals = &TEMPLATE["Globals"]["Function"];
    let functions = resources("AWS::Serverless::Function").map(|(_, function)| function);
    for place in functions.chain([globals]) {
        set.extend(place["Environment"]["Variables"].as_object().unwrap().keys().map(String::as_str));
    }
    for name in set.iter().filter(|name| name.starts_with("AVSTEM_")) {
        assert!(CLOUD_VARIABLES.contains(name), "{name} is read by nobody");
    }
    // The buckets have a key of their own.
    for name in CLOUD_VARIABLES.iter().filter(|name| **name != adapters::config::KMS_KEY) {
        assert!(set.contains(name), "{name} is set nowhere");
    }
}

/// T59: every route that is answered is there, no other is, and each is closed to whoever has no token of the issuer.
#[test]
fn every_route_is_closed_to_strangers() {
    let routes: Vec<_> = resources("AWS::ApiGatewayV2::Route").collect();
    let mut keys: Vec<&str> = routes.iter().map(|(_, route)| route["RouteKey"].as_str().unwrap()).collect();
    let mut answered: Vec<String> = Route::ALL.iter().map(|route| format!("GET {}", route.path())).collect();
    keys.sort_unstable();
    answered.sort_unstable();
    assert_eq!(keys, answered);
    for (name, route) in routes {
        assert_eq!(route["AuthorizationType"], "JWT", "{name}");
        assert_eq!(route["AuthorizationScopes"][0]["Ref"], "TokenScope", "{name}");
        let authorizer = resource(&referred(&route["AuthorizerId"]));
        assert_eq!(authorizer["AuthorizerType"], "JWT", "{name}");
        let jwt = &authorizer["JwtConfiguration"];
        assert_eq!(
            (&jwt["Issuer"]["Ref"], &jwt["Audience"][0]["Ref"]),
            (&"TokenIssuer".into(), &"TokenAudience".into())
        );
    }
    let (_, stage) = resources("AWS::ApiGatewayV2::Stage").next().unwrap();
    let settings = &stage["DefaultRouteSettings"];
    assert!(settings["ThrottlingRateLimit"].as_u64() > Some(0) && settings["ThrottlingBurstLimit"].as_u64() > Some(0));
    assert!(stage.get("RouteSettings").is_none(), "a route has limits of its own");
    let format = stage["AccessLogSettings"]["Format"].as_str().unwrap();
    let line: Value = serde_json::from_str(format).unwrap();
    assert_eq!(line["route"], "$context.routeKey");
    for kept_out in ["sourceIp", "claims", "querystring", "identity", "header"] {
        assert!(!format.contains(kept_out), "{kept_out} is in the lines of access");
    }
    for (name, api) in resources("AWS::ApiGatewayV2::Api") {
        assert!(api.get("CorsConfiguration").is_none() && api.get("Body").is_none(), "{name}");
    }
    // Nothing but the gateway calls the function, and it has no address of its own.
    for (name, permission) in resources("AWS::Lambda::Permission") {
        assert_eq!(permission["Principal"], "apigateway.amazonaws.com", "{name}");
        assert!(permission["SourceAccount"].is_object() && permission["SourceArn"].is_object(), "{name}");
    }
    assert_eq!(resources("AWS::Lambda::Url").count(), 0);
    assert!(resources("AWS::Serverless::Function").all(|(_, function)| function.get("FunctionUrlConfig").is_none()));
}

/// A resource as roles name it: the logical name, and what follows it.
fn place(value: &Value) -> String {
    if let Some(text) = value["Fn::Sub"].as_str() {
        return text.replace("${", "").replace(".Arn}", "").replace('}', "");
    }
    value.as_str().map_or_else(|| referred(value), str::to_owned)
}

/// Whether a text is of a pattern with stars.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, after)) => text
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).any(|at| rest.is_char_boundary(at) && is_like(&rest[at..], after))),
    }
}

fn listed(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

/// Whether a role may do something to a resource; of the table, to a partition of it.
pub(super) fn may(role: &str, action: &str, on: &str) -> bool {
    let (on, partition) = on.split_once(" of ").map_or((on, None), |(partition, table)| (table, Some(partition)));
    let statements = resource(role)["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
    let applies = |statement: &Value| {
        let action = listed(&statement["Action"]).iter().any(|known| is_like(action, known.as_str().unwrap()));
        let leading = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        let leads = partition.is_none_or(|partition| {
            leading.is_null() || listed(leading).iter().any(|known| is_like(partition, known.as_str().unwrap()))
        });
        action && leads && listed(&statement["Resource"]).iter().any(|known| is_like(on, &place(known)))
    };
    let denied = statements.iter().any(|statement| statement["Effect"] == "Deny" && applies(statement));
    !denied && statements.iter().any(|statement| statement["Effect"] == "Allow" && applies(statement))
}

/// Every role.
const ROLES: &[&str] =
    &["ParseRole", "ReconcileRole", "SummaryRole", "ScheduleRole", "BackofficeRole", "SweepRole", "SweepScheduleRole"];

const IDENTITY: &str = "arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:identity/MailDomain";
const CONFIGURATION_SET: &str = "arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:configuration-set/AWS::StackName";

/// What each role does, as far as its own step needs it.
const MAY: &[(&str, &str, &[&str])] = &[
    ("ParseRole", "s3:GetObjectVersion", &["LandingBucket/T00000001/vipps/x.xml"]),
    (
        "ParseRole",
        "s3:PutObject",
        &["ArchiveBucket/T00000001/abc/source", "LakeBucket/reports/T00000001/abc/1/x.parquet"],
    ),
    ("ParseRole", "dynamodb:UpdateItem", &["REPORT#abc of Table", "JOURNAL#abc of Table", "REFUSED#abc of Table"]),
    ("ParseRole", "sqs:SendMessage", &["ReconcileQueue"]),
    ("ReconcileRole", "s3:PutObject", &["ReportsBucket/T00000001/vipps/1/2-NOK/v1/dintero-report.pdf"]),
    ("BackofficeRole", "dynamodb:Query", &["SETTLEMENT#T00000001 of Table", "HELD#T00000001 of Table"]),
    ("BackofficeRole", "dynamodb:GetItem", &["REPORT#abc of Table", "NOTICE#T00000001 of Table"]),
    ("ReconcileRole", "dynamodb:UpdateItem", &["BATCH#T00000001 of Table", "OUTBOX#T00000001 of Table"]),
    ("ReconcileRole", "sqs:SendMessage", &["ReconcileQueue", "SummaryQueue"]),
    (
        "SummaryRole",
        "s3:PutObject",
        &[
            "LakeBucket/v1/T00000001/settlement/payout_month=2026-10/data.parquet",
            "ReportsBucket/T00000001/months/2026-10/v1-abc/month-summary.pdf",
            "MailBucket/T00000001/abc/def.eml",
        ],
    ),
    ("SummaryRole", "dynamodb:UpdateItem", &["MAIL#T00000001 of Table", "SUMMARY#T00000001 of Table"]),
    ("SummaryRole", "secretsmanager:GetSecretValue", &["MailSecret"]),
    ("SummaryRole", "ses:SendRawEmail", &[IDENTITY, CONFIGURATION_SET]),
    ("ScheduleRole", "sqs:SendMessage", &["SummaryQueue", "ScheduleFailed"]),
    ("SweepRole", "s3:ListBucketVersions", &["LandingBucket", "ReportsBucket", "MirrorBucket"]),
    (
        "SweepRole",
        "s3:GetObjectVersion",
        &["MirrorBucket/T00000001/2026-10-01.parquet", "LakeBucket/reports/T00000001/abc/match/x.parquet"],
    ),
    ("SweepRole", "dynamodb:Query", &["ACCOUNTS of Table", "HELD#T00000001 of Table", "JOURNAL#REPORT#abc of Table"]),
    ("SweepRole", "sqs:SendMessage", &["ParseQueue", "ReconcileQueue", "SweepFailed"]),
    ("SweepScheduleRole", "lambda:InvokeFunction", &["SweepFunction"]),
    ("SweepScheduleRole", "sqs:SendMessage", &["SweepFailed"]),
];

/// What none of them may, to anything of the list.
const NEVER: &[(&str, &[&str])] = &[
    (
        "s3:DeleteObject",
        &["LandingBucket/x", "ArchiveBucket/x", "LakeBucket/x", "ReportsBucket/x", "MirrorBucket/x", "MailBucket/x"],
    ),
    ("s3:DeleteObjectVersion", &["LandingBucket/x", "ArchiveBucket/x/abc/source", "LakeBucket/x", "ReportsBucket/x"]),
    ("s3:PutObject", &["LandingBucket/T00000001/vipps/x.xml", "ArchiveBucket/x", "LogBucket/x"]),
    ("s3:GetObject", &["ArchiveBucket/T00000001/abc/source", "LogBucket/x", "LandingBucket/x"]),
    ("s3:BypassGovernanceRetention", &["ArchiveBucket/T00000001/abc/source"]),
    ("s3:PutObjectRetention", &["ArchiveBucket/T00000001/abc/source"]),
    ("s3:PutBucketPolicy", &["LandingBucket", "ArchiveBucket"]),
    ("s3:PutLifecycleConfiguration", &["ArchiveBucket"]),
    ("kms:ScheduleKeyDeletion", &["Key"]),
    ("kms:PutKeyPolicy", &["Key"]),
    ("dynamodb:DeleteItem", &["REPORT#abc of Table", "JOURNAL#abc of Table"]),
    ("dynamodb:Scan", &["REPORT#abc of Table"]),
    ("dynamodb:PutItem", &["REPORT#abc of Table"]),
    (
        "dynamodb:UpdateItem",
        &["ACCOUNT#T00000001 of Table", "MERCHANT#vipps#1 of Table", "NOTICE#x of Table", "SWITCH of Table"],
    ),
    ("dynamodb:DeleteTable", &["Table"]),
    ("dynamodb:UpdateTable", &["Table"]),
    ("sqs:SendMessage", &["ParseFailed", "ReconcileFailed", "SummaryFailed"]),
    ("sqs:PurgeQueue", &["ParseQueue", "ReconcileQueue", "SummaryQueue"]),
    ("ses:SendRawEmail", &["arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:identity/example.com"]),
    ("ses:SendEmail", &[IDENTITY]),
    ("ses:SendBounce", &[IDENTITY]),
    ("ses:UpdateConfigurationSetEventDestination", &[CONFIGURATION_SET]),
    ("sns:Publish", &["MailTopic", "AlarmTopic"]),
    ("secretsmanager:PutSecretValue", &["MailSecret"]),
    ("scheduler:UpdateSchedule", &["SummarySchedule", "SweepSchedule"]),
    (
        "logs:CreateLogGroup",
        &["ParseLines", "ReconcileLines", "SummaryLines", "BackofficeLines", "SweepLines", "ApiAccess"],
    ),
    ("lambda:InvokeFunction", &["ParseFunction", "ReconcileFunction", "SummaryFunction", "BackofficeFunction"]),
    ("iam:PassRole", ROLES),
    ("sts:AssumeRole", ROLES),
];

/// What one of them may not, though the other does.
const NOT_THIS_ONE: &[(&str, &str, &[&str])] = &[
    (
        "ParseRole",
        "secretsmanager:GetSecretValue",
        &["arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:AWS::StackName/dintero/T00000001"],
    ),
    ("ParseRole", "s3:PutObject", &["ReportsBucket/T00000001/vipps/1/2-NOK/v1/dintero-report.pdf", "MirrorBucket/x"]),
    ("ParseRole", "s3:GetObject", &["MirrorBucket/x", "ReportsBucket/x"]),
    (
        "ParseRole",
        "dynamodb:UpdateItem",
        &["BATCH#x of Table", "OUTBOX#x of Table", "MATCH#x of Table", "SYNC#x of Table", "MAIL#x of Table"],
    ),
    ("ParseRole", "ses:SendRawEmail", &[IDENTITY]),
    ("ReconcileRole", "ses:SendRawEmail", &[IDENTITY]),
    ("ScheduleRole", "ses:SendRawEmail", &[IDENTITY]),
    ("ParseRole", "s3:PutObject", &["LakeBucket/v1/x.parquet", "MailBucket/x"]),
    ("ReconcileRole", "s3:PutObject", &["LakeBucket/v1/x.parquet", "MailBucket/x"]),
    ("ReconcileRole", "s3:GetObject", &["MailBucket/x"]),
    ("ReconcileRole", "dynamodb:GetItem", &["MAIL#x of Table", "RECIPIENT#x of Table"]),
    ("ReconcileRole", "secretsmanager:GetSecretValue", &["MailSecret"]),
    (
        "SummaryRole",
        "s3:PutObject",
        &[
            "LakeBucket/reports/T00000001/abc/1/settlement_line.parquet",
            "ReportsBucket/T00000001/vipps/1/2-NOK/v1/dintero-report.pdf",
            "MirrorBucket/x",
        ],
    ),
    ("SummaryRole", "s3:GetObjectVersion", &["LandingBucket/T00000001/vipps/x.xml", "ArchiveBucket/x"]),
    (
        "SummaryRole",
        "dynamodb:UpdateItem",
        &[
            "REPORT#abc of Table",
            "SETTLEMENT#x of Table",
            "BATCH#x of Table",
            "OUTBOX#x of Table",
            "RECIPIENT#x of Table",
        ],
    ),
    ("SummaryRole", "sqs:SendMessage", &["ReconcileQueue", "ParseQueue"]),
    ("SummaryRole", "sqs:ReceiveMessage", &["ReconcileQueue", "SummaryFailed"]),
    (
        "SummaryRole",
        "secretsmanager:GetSecretValue",
        &["arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:AWS::StackName/dintero/T00000001"],
    ),
    ("ScheduleRole", "sqs:SendMessage", &["ReconcileQueue", "ParseQueue"]),
    ("ScheduleRole", "s3:GetObject", &["ReportsBucket/x", "MailBucket/x"]),
    ("ParseRole", "sqs:ReceiveMessage", &["ReconcileQueue", "ParseFailed"]),
    ("ParseRole", "sqs:SendMessage", &["ParseQueue", "SweepFailed"]),
    ("ReconcileRole", "sqs:SendMessage", &["ParseQueue", "SweepFailed"]),
    (
        "SweepRole",
        "secretsmanager:GetSecretValue",
        &["arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:AWS::StackName/dintero/T00000001"],
    ),
    (
        "SweepRole",
        "dynamodb:UpdateItem",
        &["REPORT#abc of Table", "OBJECT#x of Table", "OUTBOX#x of Table", "BATCH#x of Table", "JOURNAL#x of Table"],
    ),
    (
        "SweepRole",
        "dynamodb:Query",
        &["RECIPIENT#T00000001 of Table", "MAIL#T00000001 of Table", "MERCHANT#vipps#1 of Table"],
    ),
    ("SweepRole", "s3:GetObjectVersion", &["LandingBucket/T00000001/vipps/x.xml", "ReportsBucket/x"]),
    ("SweepRole", "s3:GetObject", &["LakeBucket/reports/T00000001/abc/1/settlement_line.parquet"]),
    (
        "SweepRole",
        "s3:PutObject",
        &["ReportsBucket/x", "MirrorBucket/x", "LakeBucket/reports/T00000001/abc/match/x.parquet"],
    ),
    ("SweepRole", "s3:ListBucketVersions", &["ArchiveBucket", "LogBucket"]),
    ("SweepRole", "sqs:ReceiveMessage", &["ParseQueue", "ReconcileQueue", "SweepFailed"]),
    ("SweepRole", "lambda:InvokeFunction", &["SweepFunction"]),
    ("SweepScheduleRole", "dynamodb:Query", &["ACCOUNTS of Table"]),
    ("SweepScheduleRole", "s3:ListBucketVersions", &["LandingBucket"]),
    ("SweepScheduleRole", "sqs:SendMessage", &["ParseQueue", "ReconcileQueue"]),
    ("ReconcileRole", "s3:GetObjectVersion", &["LandingBucket/T00000001/vipps/x.xml"]),
    (
        "ReconcileRole",
        "s3:PutObject",
        &["ArchiveBucket/T00000001/abc/source", "LakeBucket/reports/T00000001/abc/1/settlement_line.parquet"],
    ),
    (
        "ReconcileRole",
        "dynamodb:UpdateItem",
        &["REPORT#abc of Table", "SETTLEMENT#T00000001 of Table", "OBJECT#x of Table"],
    ),
    ("ReconcileRole", "sqs:ReceiveMessage", &["ParseQueue", "ReconcileFailed"]),
    (
        "ReconcileRole",
        "secretsmanager:GetSecretValue",
        &["arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:another"],
    ),
    (
        "BackofficeRole",
        "dynamodb:UpdateItem",
        &["REPORT#abc of Table", "SETTLEMENT#T00000001 of Table", "HELD#T00000001 of Table", "JOURNAL#x of Table"],
    ),
    (
        "BackofficeRole",
        "dynamodb:Query",
        &["ACCOUNT#x of Table", "RECIPIENT#x of Table", "MAIL#x of Table", "BATCH#x of Table", "JOURNAL#x of Table"],
    ),
    ("BackofficeRole", "dynamodb:GetItem", &["MERCHANT#vipps#1 of Table", "SWITCH of Table", "OBJECT#x of Table"]),
    (
        "BackofficeRole",
        "s3:GetObject",
        &["LakeBucket/reports/T00000001/abc/1/x.parquet", "ReportsBucket/x", "MirrorBucket/x"],
    ),
    ("BackofficeRole", "s3:GetObjectVersion", &["LandingBucket/T00000001/vipps/x.xml"]),
    ("BackofficeRole", "s3:PutObject", &["ReportsBucket/x", "LakeBucket/x", "MirrorBucket/x"]),
    ("BackofficeRole", "s3:ListBucket", &["LandingBucket", "ReportsBucket", "LakeBucket"]),
    ("BackofficeRole", "sqs:SendMessage", &["ReconcileQueue"]),
    ("BackofficeRole", "kms:GenerateDataKey", &["Key"]),
    (
        "BackofficeRole",
        "secretsmanager:GetSecretValue",
        &["arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:AWS::StackName/dintero/T00000001"],
    ),
];

/// T64: each role may do what its step needs, and more than forty other things are denied.
#[test]
fn roles_may_do_what_their_steps_need_and_nothing_else() {
    for (role, action, places) in MAY {
        for place in *places {
            assert!(may(role, action, place), "{role} may not {action} on {place}");
        }
    }
    let never = NEVER.iter().flat_map(|(action, places)| ROLES.iter().map(move |role| (*role, *action, *places)));
    assert_eq!(ROLES.len(), resources("AWS::IAM::Role").count(), "a role is held against nothing");
    let mut denied = 0;
    for (role, action, places) in never.chain(NOT_THIS_ONE.iter().copied()) {
        for place in places {
            assert!(!may(role, action, place), "{role} may {action} on {place}");
            denied += 1;
        }
    }
    assert!(denied >= 40, "{denied}");
    for (name, role) in resources("AWS::IAM::Role") {
        assert!(ROLES.contains(&name), "{name} is in no list");
        assert!(role.get("ManagedPolicyArns").is_none(), "{name} has rights that nobody wrote down");
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap() {
            let wide = listed(&statement["Action"]).iter().any(|action| action.as_str().unwrap().contains('*'))
                || listed(&statement["Resource"]).iter().any(|place| **place == "*");
            assert!(statement["Effect"] == "Deny" || !wide, "{name}: {statement}");
        }
    }
    let known: Vec<&str> = resources("AWS::IAM::Role").map(|(name, _)| name).collect();
    assert!(known.iter().all(|name| ROLES.contains(name)), "{known:?}");
}

/// Mails go from one address to whom whoever deploys has named, over TLS, and everything that becomes of them is told.
#[test]
fn mails_go_from_one_address_to_named_recipients_and_are_told_of() {
    let statements = resource("SummaryRole")["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
    let sends = statements.iter().find(|statement| statement["Sid"] == "Mails").unwrap();
    assert_eq!(sends["Condition"]["StringEquals"]["ses:FromAddress"]["Fn::Sub"], "avstem@${MailDomain}");
    assert_eq!(sends["Condition"]["ForAllValues:StringLike"]["ses:Recipients"]["Ref"], "MailRecipients");
    assert_eq!(TEMPLATE["Parameters"]["MailRecipients"]["Default"], "", "nobody is sent anything who is not named");
    let variables = &resource("SummaryFunction")["Environment"]["Variables"];
    assert_eq!(variables["AVSTEM_MAIL_FROM"]["Fn::Sub"], "avstem@${MailDomain}");
    assert_eq!(resource("MailSet")["DeliveryOptions"]["TlsPolicy"], "REQUIRE");
    let told = &resource("MailEvents")["EventDestination"];
    assert_eq!(told["Enabled"], true);
    assert_eq!(told["MatchingEventTypes"], serde_json::json!(["send", "delivery", "reject", "bounce", "complaint"]));
    assert_eq!(referred(&told["SnsDestination"]["TopicARN"]), "MailTopic");
    let subscription = resource("MailSubscription");
    assert_eq!(
        (referred(&subscription["TopicArn"]), referred(&subscription["Endpoint"])),
        ("MailTopic".to_owned(), "SummaryQueue".to_owned())
    );
    assert_eq!(subscription["RawMessageDelivery"], true);
    let schedule = resource("SummarySchedule");
    assert_eq!(schedule["ScheduleExpression"], "cron(0 6 * * ? *)");
    assert_eq!(schedule["ScheduleExpressionTimezone"], "Europe/Oslo");
    assert_eq!(referred(&schedule["Target"]["Arn"]), "SummaryQueue");
    assert_eq!(referred(&schedule["Target"]["DeadLetterConfig"]["Arn"]), "ScheduleFailed");
}
