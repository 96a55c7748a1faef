//! The messages that steps send to one another. Queues keep the names of the fields: they never change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use settlement::{AccountId, ReportId};

/// A committed report, sent by the step that parses to the step that reconciles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportReady {
    /// The account it was accepted for.
    #[serde(rename = "account_id")]
    pub account: AccountId,
    /// The report.
    #[serde(rename = "report_id")]
    pub report: ReportId,
}

/// An account whose mirror is out of date, sent by the sweep to the step that reconciles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorOutdated {
    /// The account.
    #[serde(rename = "account_id")]
    pub account: AccountId,
    /// The time that its mirror reaches; `None` when it has none.
    #[serde(rename = "mirror_reaches")]
    pub reaches: Option<Timestamp>,
}

/// An account that may have mails due, sent to the step that mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailCheck {
    /// The account.
    #[serde(rename = "account_id")]
    pub account: AccountId,
    /// Whether to summarise the months that are over first.
    #[serde(default)]
    pub months: bool,
    /// When to stop trying again; the next morning's message takes up the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// An upload to read, sent to the step that parses when its notification was lost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Uploaded {
    /// Its key, without the prefix of the landing area.
    #[serde(rename = "object_key")]
    pub key: String,
    /// Its version.
    #[serde(rename = "object_version")]
    pub version: String,
}
