//! Every object key that is read or written, as one enum.

use std::fmt;

use jiff::civil::Date;
use settlement::{AccountId, MailId, Month, ProviderId, ReportId, SettleKey};

/// Where an object lies. Keys are built from ids whose types hold their grammar; only [`Key::Landing`] carries a name of the uploader's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A report as it was uploaded.
    Landing(LandingKey),
    /// The source of an accepted report, for ever.
    Source {
        /// The account it was accepted for.
        account: AccountId,
        /// The report.
        report: ReportId,
    },
    /// The document that a payout notice was read from, for ever.
    Evidence {
        /// The account it belongs to.
        account: AccountId,
        /// SHA-256 of its bytes.
        evidence: ReportId,
    },
    /// The lines of one report.
    Lines {
        /// The account they belong to.
        account: AccountId,
        /// The report.
        report: ReportId,
        /// Version of the parser that wrote them.
        parser_version: String,
    },
    /// The settlements of one report.
    Settlements {
        /// The account they belong to.
        account: AccountId,
        /// The report.
        report: ReportId,
        /// Version of the parser that wrote them.
        parser_version: String,
    },
    /// All problems of a held report.
    Problems {
        /// The account it was sent to.
        account: AccountId,
        /// The report.
        report: ReportId,
        /// Which attempt at the report found them.
        attempt: u32,
    },
    /// Entries of a ledger that are in no settlement.
    Waiting {
        /// The account they belong to.
        account: AccountId,
        /// SHA-256 of the object.
        digest: String,
    },
    /// What the lines of one report were matched with.
    Matches {
        /// The account they belong to.
        account: AccountId,
        /// The report.
        report: ReportId,
        /// SHA-256 of the table: matching again may find more.
        digest: String,
    },
    /// The transactions of an account that were first captured on one day.
    Mirror {
        /// The account.
        account: AccountId,
        /// The day in UTC; `None` for those of which nobody knows.
        captured_on: Option<Date>,
    },
    /// What was paid out on one day, in one of the lake's large tables.
    LakeDay {
        /// The account.
        account: AccountId,
        /// Name of the table.
        table: &'static str,
        /// The day of the payouts.
        payout_on: Date,
    },
    /// What was paid out in one month, in one of the lake's small tables.
    LakeMonth {
        /// The account.
        account: AccountId,
        /// Name of the table.
        table: &'static str,
        /// The month of the payouts.
        payout_month: Month,
    },
    /// A table of the lake as one file, of all months.
    LakeExport {
        /// The account.
        account: AccountId,
        /// Name of the table.
        table: &'static str,
    },
    /// A mail as it was sent.
    Mail {
        /// The account it is about.
        account: AccountId,
        /// Names it.
        mail: MailId,
        /// SHA-256 of the message: what was written and never planned lies beside what was.
        digest: String,
    },
    /// The Dintero report of one version of a settlement.
    DinteroReport {
        /// The settlement.
        settlement: SettleKey,
        /// Its version, from 1.
        version: u32,
        /// File name ending.
        extension: &'static str,
    },
    /// One revision of the summary of a month.
    MonthSummary {
        /// The account.
        account: AccountId,
        /// The month.
        month: Month,
        /// The revision, from 1.
        revision: u32,
        /// Made of its content, so that two that are written at once for one revision lie apart.
        edition: String,
        /// File name ending.
        extension: &'static str,
    },
}

impl Key {
    /// Whether the object can be made again from others: of such only the newest version is worth keeping.
    pub fn can_be_made_again(&self) -> bool {
        matches!(self, Key::Mirror { .. } | Key::LakeDay { .. } | Key::LakeMonth { .. } | Key::LakeExport { .. })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Landing(LandingKey { account, provider, name }) => write!(f, "landing/{account}/{provider}/{name}"),
            Key::Source { account, report } => write!(f, "archive/{account}/{report}/source"),
            Key::Evidence { account, evidence } => write!(f, "archive/{account}/{evidence}/evidence"),
            Key::Lines { account, report, parser_version } => {
                write!(f, "lake/reports/{account}/{report}/{parser_version}/settlement_line.parquet")
            }
            Key::Settlements { account, report, parser_version } => {
                write!(f, "lake/reports/{account}/{report}/{parser_version}/settlement.parquet")
            }
            Key::Matches { account, report, digest } => {
                write!(f, "lake/reports/{account}/{report}/match/{digest}.parquet")
            }
            Key::Mirror { account, captured_on: Some(day) } => write!(f, "mirror/{account}/{day}.parquet"),
            Key::Mirror { account, captured_on: None } => write!(f, "mirror/{account}/undated.parquet"),
            Key::LakeDay { account, table, payout_on } => {
                let payout_month = Month::of(*payout_on);
                write!(f, "lake/v1/{account}/{table}/payout_month={payout_month}/{payout_on}.parquet")
            }
            Key::LakeMonth { account, table, payout_month } => {
                write!(f, "lake/v1/{account}/{table}/payout_month={payout_month}/data.parquet")
            }
            Key::LakeExport { account, table } => write!(f, "lake/v1/{account}/export/{table}.parquet"),
            Key::Problems { account, report, attempt } => {
                write!(f, "reports/{account}/held/{report}/problems-{attempt}.json")
            }
            Key::Waiting { account, digest } => write!(f, "reports/{account}/waiting/{digest}.json"),
            Key::Mail { account, mail, digest } => write!(f, "mail/{account}/{mail}/{digest}.eml"),
            Key::DinteroReport { settlement, version, extension } => {
                let SettleKey { account_id, provider, merchant_number, settlement_id, currency } = settlement;
                write!(
                    f,
                    "reports/{account_id}/{provider}/{merchant_number}/{settlement_id}-{currency}/v{version}/\
                     dintero-report.{extension}"
                )
            }
            Key::MonthSummary { account, month, revision, edition, extension } => {
                write!(f, "reports/{account}/months/{month}/v{revision}-{edition}/month-summary.{extension}")
            }
        }
    }
}

/// The place a report arrives at: `<account>/<provider>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LandingKey {
    /// The account it is for.
    pub account: AccountId,
    /// The provider it is of, as the uploader says.
    pub provider: ProviderId,
    /// The file name.
    pub name: String,
}

/// An object lies at a place where no report may lie.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Found {found}, expected <account>/<provider>/<file name>, as in T00000001/vipps/2000461.xml")]
pub struct BadLandingKey {
    found: String,
}

impl LandingKey {
    /// A place made of its parts.
    ///
    /// # Errors
    /// When a part is empty, too long, or could lead somewhere else.
    pub fn new(account: AccountId, provider: &str, name: &str) -> Result<Self, BadLandingKey> {
        let name_ok = !name.is_empty()
            && name.len() <= 512
            && !matches!(name, "." | "..")
            && !name.contains(['/', '\\'])
            && !name.chars().any(char::is_control);
        match provider.parse() {
            Ok(provider) if name_ok => Ok(LandingKey { account, provider, name: name.to_owned() }),
            _ => Err(BadLandingKey { found: format!("{:?}", format!("{account}/{provider}/{name}")) }),
        }
    }
}

impl std::str::FromStr for LandingKey {
    type Err = BadLandingKey;

    /// Reads a key below the landing bucket, already decoded.
    fn from_str(key: &str) -> Result<Self, BadLandingKey> {
        let bad = || BadLandingKey { found: format!("{:?}", key.chars().take(200).collect::<String>()) };
        let mut parts = key.splitn(3, '/');
        let (Some(account), Some(provider), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad());
        };
        let account = account.parse().map_err(|_| bad())?;
        LandingKey::new(account, provider, name).map_err(|_| bad())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landing_keys_read_what_they_print() {
        let key: LandingKey = "T00000001/vipps/Oppgjør 1+2.csv".parse().unwrap();
        assert_eq!(Key::Landing(key).to_string(), "landing/T00000001/vipps/Oppgjør 1+2.csv");
    }

    #[test]
    fn keys_that_lead_elsewhere_are_refused() {
        let long = format!("T00000001/vipps/{}", "a".repeat(1_024));
        for bad in [
            "",
            "T00000001/vipps/",
            "T00000001/vipps/../x",
            "T00000001/vipps/..",
            "T00000001//x.csv",
            "T00000001/vipps/a\0.csv",
            "T00000001/vipps/a\\b.csv",
            "T00000001/../x.csv",
            "../T00000001/vipps/x.csv",
            "vipps/T00000001/x.csv",
            "T00000001/x.csv",
            long.as_str(),
        ] {
            assert!(bad.parse::<LandingKey>().is_err(), "{bad:?}");
        }
    }
}
