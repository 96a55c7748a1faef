//! What one step tells the next. The names of the fields are at rest in queues: they never change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, ReportId};

/// A report that goes on: what the step that parses it tells the step that reconciles it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportReady {
    /// The account it was accepted for.
    #[serde(rename = "account_id")]
    pub account: AccountId,
    /// The report.
    #[serde(rename = "report_id")]
    pub report: ReportId,
}

/// An account whose mirror is out of date: the sweep tells the step that reconciles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorBehind {
    /// The account.
    #[serde(rename = "account_id")]
    pub account: AccountId,
    /// How far its mirror reached then; `None` when it was never begun.
    #[serde(rename = "mirror_reaches")]
    pub reaches: Option<Timestamp>,
}

/// An account of which something may be due: what the step that mails is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailCheck {
    /// The account.
    #[serde(rename = "account_id")]
    pub account: AccountId,
    /// Whether months that are over are summarised first.
    #[serde(default)]
    pub months: bool,
    /// What has to wait is gone on with until then; whatever is left is taken up by the next morning's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// An upload that is to be read: what the step that parses is told where no notification told it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Uploaded {
    /// Its key below the landing bucket, as it is.
    #[serde(rename = "object_key")]
    pub key: String,
    /// Its version.
    #[serde(rename = "object_version")]
    pub version: String,
}
