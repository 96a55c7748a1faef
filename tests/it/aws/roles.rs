//! Roles: what each function may do to which resource, read from the template as AWS would decide it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::template::{referred, resource, resources};

/// A resource as roles name it: the logical name, and what follows it.
pub(super) fn place(value: &Value) -> String {
    if let Some(text) = value["Fn::Sub"].as_str() {
        return text.replace("${", "").replace(".Arn}", "").replace('}', "");
    }
    value.as_str().map_or_else(|| referred(value), str::to_owned)
}

/// Whether a text is of a pattern with stars.
pub(super) fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, after)) => text
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).any(|at| rest.is_char_boundary(at) && is_like(&rest[at..], after))),
    }
}

pub(super) fn listed(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

/// Whether a role may do something to a resource; of the table, to a partition of it.
pub(crate) fn may(role: &str, action: &str, on: &str) -> bool {
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

const IDENTITY: &str = "arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:identity/example.no";
const CONFIGURATION_SET: &str = "arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:configuration-set/AWS::StackName";

/// What each role does, as far as its own step needs it.
const MAY: &[(&str, &str, &[&str])] = &[
    (
        "ParseRole",
        "s3:GetObjectVersion",
        &["LandingBucket/T00000001/vipps/x.xml", "ReportsBucket/T00000001/waiting/abc.json"],
    ),
    (
        "ParseRole",
        "s3:PutObject",
        &[
            "ArchiveBucket/T00000001/abc/source",
            "LakeBucket/reports/T00000001/abc/1/x.parquet",
            "LandingBucket/T00000001/vipps/x.csv",
            "ReportsBucket/T00000001/waiting/abc.json",
        ],
    ),
    (
        "ParseRole",
        "dynamodb:UpdateItem",
        &["REPORT#abc of Table", "JOURNAL#abc of Table", "REFUSED#abc of Table", "LEDGER#T00000001 of Table"],
    ),
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
    ("s3:PutObject", &["ArchiveBucket/x", "LogBucket/x"]),
    ("s3:GetObject", &["ArchiveBucket/T00000001/abc/source", "LogBucket/x"]),
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
    ("ses:SendRawEmail", &["arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:configuration-set/another", "*"]),
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
    // What was put together of several reports, or lay in an archive, is uploaded by the step that reads.
    ("ReconcileRole", "s3:PutObject", &["LandingBucket/T00000001/vipps/x.xml"]),
    ("SummaryRole", "s3:PutObject", &["LandingBucket/T00000001/vipps/x.xml"]),
    ("BackofficeRole", "s3:PutObject", &["LandingBucket/T00000001/vipps/x.xml"]),
    ("SweepRole", "s3:PutObject", &["LandingBucket/T00000001/vipps/x.xml"]),
    ("ReconcileRole", "s3:GetObject", &["LandingBucket/x"]),
    ("SummaryRole", "s3:GetObject", &["LandingBucket/x"]),
    ("ParseRole", "ses:SendRawEmail", &[IDENTITY]),
    ("ReconcileRole", "ses:SendRawEmail", &[IDENTITY]),
    ("ScheduleRole", "ses:SendRawEmail", &[IDENTITY]),
    ("BackofficeRole", "ses:SendRawEmail", &[IDENTITY]),
    ("SweepRole", "ses:SendRawEmail", &[IDENTITY]),
    ("SweepScheduleRole", "ses:SendRawEmail", &[IDENTITY]),
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

/// Whatever a role is given later, it can do no more than roles do today: the boundary of all of them allows that, and to the
/// stack's own resources alone.
#[test]
fn no_role_can_be_given_more_than_roles_have() {
    let allowed = |policy: &'static Value| -> Vec<&'static Value> {
        let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
        statements.iter().filter(|statement| statement["Effect"] == "Allow").collect()
    };
    let actions = |statements: &[&'static Value]| -> BTreeSet<&'static str> {
        statements.iter().flat_map(|statement| listed(&statement["Action"])).filter_map(Value::as_str).collect()
    };
    let boundary = allowed(resource("Boundary"));
    let mut given = BTreeSet::new();
    for (name, role) in resources("AWS::IAM::Role") {
        assert_eq!(referred(&role["PermissionsBoundary"]), "Boundary", "{name}");
        given.append(&mut actions(&allowed(&role["Policies"][0])));
    }
    assert_eq!(actions(&boundary), given);
    for place in boundary.iter().flat_map(|statement| listed(&statement["Resource"])) {
        // In its sandbox SES asks for the recipient's identity too; conditions of the role say from whom and to whom.
        let own = ["AWS::StackName", ":identity/*", "Key", "Table"];
        assert!(own.iter().any(|own| self::place(place).contains(own)), "{place}");
    }
}
