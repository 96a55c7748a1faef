//! The template: what its own linters say, and what they do not know of.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use adapters::config::CLOUD_VARIABLES;
use adapters::inbound::backoffice::Route;
use adapters::inbound::metric::{Metric, NAMESPACE};
use pipeline::operate::sweep;
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

pub(super) static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator/template.py");
    serde_json::from_str(&run(Command::new(linter()).arg(script))).unwrap()
});

pub(super) fn resources(kind: &str) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let all = TEMPLATE["Resources"].as_object().unwrap();
    let found = all.iter().filter(move |(_, resource)| resource["Type"] == kind);
    found.map(|(name, resource)| (name.as_str(), &resource["Properties"]))
}

pub(super) fn resource(name: &str) -> &'static Value {
    &TEMPLATE["Resources"][name]["Properties"]
}

/// The name of the resource that a value refers to.
pub(super) fn referred(value: &Value) -> String {
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
    // Reserved or not, one at a time: what fails is not called again beside the next one.
    let calls = &function["EventInvokeConfig"];
    assert_eq!(calls["MaximumRetryAttempts"], 0);
    assert_eq!(calls["MaximumEventAgeInSeconds"].as_i64(), Some(sweep::EVERY.as_secs()));
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
            // What a creation that fails has made is empty, and would stand in the way of the next one.
            for (policy, kept) in [("DeletionPolicy", "RetainExceptOnCreate"), ("UpdateReplacePolicy", "Retain")] {
                assert_eq!(TEMPLATE["Resources"][name][policy], kept, "{name}");
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
    let [condition, production, test] = retention["Fn::If"].as_array().unwrap().as_slice() else {
        panic!("{retention}")
    };
    assert_eq!((condition, &production["Mode"]), (&Value::from("IsProduction"), &Value::from("COMPLIANCE")));
    assert_eq!(production["Years"]["Ref"], "RetentionYears");
    assert_eq!(*test, serde_json::json!({ "Mode": "GOVERNANCE", "Days": 1 }));
    assert!(TEMPLATE["Parameters"]["RetentionYears"]["Default"].as_u64() >= Some(6));
    assert!(TEMPLATE["Parameters"]["RetentionYears"]["MinValue"].as_u64() >= Some(6));
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
        let band = &alarm["Metrics"][0]["MetricStat"]["Metric"];
        let asked = if band.is_null() { alarm } else { band };
        if asked["Namespace"] == NAMESPACE {
            let metric = asked["MetricName"].as_str().unwrap().to_owned();
            assert!(known.contains(&metric), "{name}");
            // Without the stack, one stack's alarms would ring for another, and its sweeps silence the other's.
            let [stack, function] = asked["Dimensions"].as_array().unwrap().as_slice() else { panic!("{name}") };
            assert_eq!((&stack["Name"], &stack["Value"]["Ref"]), (&"stack".into(), &"AWS::StackName".into()), "{name}");
            assert_eq!(function["Name"], "fn", "{name}");
            let function = function["Value"].as_str().unwrap();
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

/// The dashboard shows every number that functions write, by names and dimensions that are there, and every queue for what failed.
#[test]
fn the_dashboard_shows_every_number_and_every_queue_for_what_failed() {
    let body = resource("Dashboard")["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let shown: Vec<Vec<&str>> = widgets
        .iter()
        .flat_map(|widget| widget["properties"]["metrics"].as_array().unwrap())
        .map(|metric| metric.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect())
        .collect();
    let named = |kind: &str, property: &str| -> Vec<String> {
        let names = resources(kind).map(|(_, resource)| resource[property]["Fn::Sub"].as_str().unwrap().to_owned());
        names.collect()
    };
    let (functions, queues) =
        (named("AWS::Serverless::Function", "FunctionName"), named("AWS::SQS::Queue", "QueueName"));
    for metric in &shown {
        let (namespace, name, dimension, value) = match metric[..] {
            [namespace, name, dimension, value] => (namespace, name, dimension, value),
            [namespace, name, "stack", "${AWS::StackName}", "fn", value] => (namespace, name, "stack and fn", value),
            _ => panic!("{metric:?}"),
        };
        let is_there = match (namespace, dimension) {
            (NAMESPACE, "stack and fn") => {
                functions.contains(&format!("${{AWS::StackName}}-{value}"))
                    && Metric::ALL.iter().any(|known| known.to_string() == name)
            }
            ("AWS/Lambda", "FunctionName") => functions.iter().any(|function| function == value),
            ("AWS/SQS", "QueueName") => queues.iter().any(|queue| queue == value),
            _ => false,
        };
        assert!(is_there, "{metric:?}");
    }
    let is_shown = |name: &str, of: Option<&str>| {
        shown.iter().any(|metric| metric[1] == name && of.is_none_or(|of| metric[3] == of))
    };
    for metric in Metric::ALL {
        assert!(is_shown(&metric.to_string(), None), "{metric} is not shown");
    }
    for queue in &queues {
        let name = if queue.ends_with("-failed") {
            "ApproximateNumberOfMessagesVisible"
        } else {
            "ApproximateAgeOfOldestMessage"
        };
        assert!(is_shown(name, Some(queue)), "{queue} is not shown");
    }
    for function in &functions {
        assert!(is_shown("Errors", Some(function)) && is_shown("Duration", Some(function)), "{function} is not shown");
    }
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

/// What no line may have is hidden in every log, in the same way, and counted there.
#[test]
fn no_log_shows_addresses_cards_or_phone_numbers() {
    let policies: Vec<&Value> = resources("AWS::Logs::LogGroup").map(|(_, log)| &log["DataProtectionPolicy"]).collect();
    assert!(policies.len() > 5 && policies.iter().all(|policy| *policy == policies[0]));
    let [found, hidden] = policies[0]["Statement"].as_array().unwrap().as_slice() else { panic!("{}", policies[0]) };
    assert!(found["Operation"]["Audit"].is_object() && hidden["Operation"]["Deidentify"]["MaskConfig"].is_object());
    assert_eq!(found["DataIdentifier"], hidden["DataIdentifier"]);
    let identifiers = hidden["DataIdentifier"].to_string();
    for what in ["/EmailAddress", "/CreditCardNumber", "\"NordicPhoneNumber\""] {
        assert!(identifiers.contains(what), "{identifiers}");
    }
}

/// Whoever sends what has to wait to its own queue may do so as often as that takes; nobody else goes in circles.
#[test]
fn what_waits_is_taken_for_no_loop() {
    let is_own = |function: &Value| {
        let (source, next) = (
            &function["Events"]["Messages"]["Properties"]["Queue"],
            &function["Environment"]["Variables"]["AVSTEM_QUEUE_URL"],
        );
        !source.is_null() && !next.is_null() && referred(source) == referred(next)
    };
    let (own, others): (Vec<_>, Vec<_>) =
        resources("AWS::Serverless::Function").partition(|(_, function)| is_own(function));
    assert_eq!((own.len(), others.len()), (2, 3));
    assert!(own.iter().all(|(_, function)| function["RecursiveLoop"] == "Allow"), "{own:?}");
    assert!(others.iter().all(|(_, function)| function["RecursiveLoop"].is_null()), "{others:?}");
}
