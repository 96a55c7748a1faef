//! Policies for people and programs: what each of them may do, as AWS would decide it.

use serde_json::Value;

use super::roles::{is_like, listed, place};
use super::template::{TEMPLATE, resource};

const TAG: &str = "!aws:PrincipalTag/account";

/// Whether a policy lets somebody of an account do something to a resource; of the table, to a partition; of a bucket, to a prefix.
fn may(policy: &str, account: &str, action: &str, on: &str) -> bool {
    let (on, within) = on.split_once(" of ").map_or((on, None), |(within, on)| (on, Some(within)));
    let statements = resource(policy)["PolicyDocument"]["Statement"].as_array().unwrap();
    let pattern = |value: &Value| place(value).replace(TAG, account);
    let is_one_of = |patterns: &Value| {
        within.is_some_and(|within| listed(patterns).iter().any(|known| is_like(within, &pattern(known))))
    };
    let applies = |statement: &&Value| {
        let acts = listed(&statement["Action"]).iter().any(|known| is_like(action, known.as_str().unwrap()));
        let there = listed(&statement["Resource"]).iter().any(|known| is_like(on, &pattern(known)));
        let condition = &statement["Condition"];
        let (prefixes, keys) =
            (&condition["StringLike"]["s3:prefix"], &condition["ForAnyValue:StringEquals"]["dynamodb:LeadingKeys"]);
        acts && there && [prefixes, keys].into_iter().all(|within| within.is_null() || is_one_of(within))
    };
    let of = |effect: &str| statements.iter().filter(|one| one["Effect"] == effect).any(|one| applies(&one));
    of("Allow") && !of("Deny")
}

const OWN: &str = "T00000001";

/// What each may do with what is their own account's.
const MAY: &[(&str, &str, &[&str])] = &[
    ("UploaderPolicy", "s3:PutObject", &["LandingBucket/T00000001/vipps/x.xml"]),
    (
        "ReaderPolicy",
        "s3:GetObject",
        &[
            "LakeBucket/v1/T00000001/settlement/payout_month=2026-10/data.parquet",
            "LakeBucket/reports/T00000001/abc/1/settlement_line.parquet",
            "ReportsBucket/T00000001/vipps/1/2-NOK/v1/dintero-report.pdf",
        ],
    ),
    ("ReaderPolicy", "s3:ListBucket", &["v1/T00000001/settlement/ of LakeBucket", "T00000001/ of ReportsBucket"]),
    ("ReaderPolicy", "kms:Decrypt", &["Key"]),
    ("OperatorPolicy", "dynamodb:UpdateItem", &["REPORT#abc of Table", "ACCOUNT#T00000001 of Table"]),
    ("OperatorPolicy", "s3:PutObject", &["LakeBucket/reports/x", "ArchiveBucket/T00000001/abc/source"]),
    ("OperatorPolicy", "sqs:StartMessageMoveTask", &["ParseFailed", "ReconcileFailed", "SummaryFailed"]),
    ("OperatorPolicy", "sqs:SendMessage", &["ParseQueue", "ReconcileQueue", "SummaryQueue"]),
    ("AuditorPolicy", "s3:GetObjectVersion", &["ArchiveBucket/T00000001/abc/source", "LandingBucket/T00000001/x"]),
    ("AuditorPolicy", "dynamodb:Query", &["JOURNAL#abc of Table", "SWITCH of Table"]),
];

/// What they may not.
const NEVER: &[(&str, &str, &[&str])] = &[
    (
        "UploaderPolicy",
        "s3:PutObject",
        &["LandingBucket/T00000002/vipps/x.xml", "LakeBucket/v1/T00000001/x", "ArchiveBucket/x"],
    ),
    ("UploaderPolicy", "s3:GetObject", &["LandingBucket/T00000001/vipps/x.xml", "ReportsBucket/T00000001/x"]),
    ("UploaderPolicy", "s3:DeleteObject", &["LandingBucket/T00000001/vipps/x.xml"]),
    ("UploaderPolicy", "s3:ListBucket", &["T00000001/ of LandingBucket"]),
    (
        "ReaderPolicy",
        "s3:GetObject",
        &[
            "LakeBucket/v1/T00000002/settlement/payout_month=2026-10/data.parquet",
            "LakeBucket/reports/T00000002/abc/1/settlement_line.parquet",
            "ReportsBucket/T00000002/x",
            "MailBucket/T00000001/x",
            "MirrorBucket/T00000001/x",
            "ArchiveBucket/T00000001/abc/source",
            "LandingBucket/T00000001/vipps/x.xml",
        ],
    ),
    (
        "ReaderPolicy",
        "s3:ListBucket",
        &[
            "v1/ of LakeBucket",
            "v1/T00000002/ of LakeBucket",
            "LakeBucket",
            "T00000002/ of ReportsBucket",
            "T0 of ReportsBucket",
        ],
    ),
    ("ReaderPolicy", "s3:PutObject", &["LakeBucket/v1/T00000001/x", "ReportsBucket/T00000001/x"]),
    ("ReaderPolicy", "kms:GenerateDataKey", &["Key"]),
    ("ReaderPolicy", "dynamodb:Query", &["REPORT#abc of Table"]),
    ("OperatorPolicy", "dynamodb:UpdateItem", &["SWITCH of Table"]),
    ("OperatorPolicy", "dynamodb:DeleteItem", &["REPORT#abc of Table"]),
    ("OperatorPolicy", "s3:DeleteObjectVersion", &["LandingBucket/x", "ArchiveBucket/x/abc/source"]),
    ("OperatorPolicy", "s3:PutObject", &["LandingBucket/T00000001/vipps/x.xml", "ArchiveBucket/x"]),
    ("OperatorPolicy", "s3:BypassGovernanceRetention", &["ArchiveBucket/T00000001/abc/source"]),
    ("OperatorPolicy", "secretsmanager:GetSecretValue", &["MailSecret"]),
    ("OperatorPolicy", "sqs:PurgeQueue", &["ParseQueue", "ParseFailed"]),
    ("AuditorPolicy", "s3:PutObject", &["LandingBucket/x", "LakeBucket/x", "ReportsBucket/x"]),
    ("AuditorPolicy", "s3:GetObject", &["MailBucket/T00000001/x"]),
    ("AuditorPolicy", "dynamodb:UpdateItem", &["REPORT#abc of Table", "SWITCH of Table"]),
    ("AuditorPolicy", "sqs:SendMessage", &["ParseQueue", "ReconcileQueue"]),
    ("AuditorPolicy", "sqs:ReceiveMessage", &["ParseQueue", "ParseFailed"]),
    ("AuditorPolicy", "kms:GenerateDataKey", &["Key"]),
];

/// Uploader and reader reach one account, the operator switches no posting, and the auditor changes nothing.
#[test]
fn people_may_do_what_they_are_for_and_nothing_else() {
    for (policy, action, places) in MAY {
        for place in *places {
            assert!(may(policy, OWN, action, place), "{policy} may not {action} on {place}");
        }
        assert!(TEMPLATE["Outputs"][policy]["Value"].is_object(), "{policy} is no output");
    }
    for (policy, action, places) in NEVER {
        for place in *places {
            assert!(!may(policy, OWN, action, place), "{policy} may {action} on {place}");
        }
    }
    for policy in ["UploaderPolicy", "ReaderPolicy", "OperatorPolicy", "AuditorPolicy"] {
        for statement in resource(policy)["PolicyDocument"]["Statement"].as_array().unwrap() {
            let wide = listed(&statement["Action"]).iter().any(|action| action.as_str().unwrap().contains('*'))
                || listed(&statement["Resource"]).iter().any(|place| **place == "*");
            assert!(!wide, "{policy}: {statement}");
        }
    }
    // The key opens what S3 keeps in those buckets, and nothing else, to whoever reaches one account.
    for policy in ["UploaderPolicy", "ReaderPolicy"] {
        let statements = resource(policy)["PolicyDocument"]["Statement"].as_array().unwrap();
        let key = &statements.iter().find(|statement| statement["Sid"] == "Key").unwrap()["Condition"];
        assert!(key["StringEquals"]["kms:ViaService"].is_object(), "{policy}");
        assert!(key["StringLike"]["kms:EncryptionContext:aws:s3:arn"].is_array(), "{policy}");
    }
}
