//! The summary of a calendar month: what was paid out in it, the bridge from opening to closing in transit, and what has to
//! be cleared up: not proved, not matched, not reported or missing.
//!
//! [`MonthContent`] is what is known, and decides whether there is a new revision. The JSON form has all of it, so that the
//! next revision is compared with it. A summary that does not add up is not written.

mod check;
mod content;
mod csv;
mod difference;
mod pdf;
mod records;
mod semicolon;
mod statement;
mod xlsx;

use std::io::Write;

use serde::{Deserialize, Serialize};
use settlement::{AccountId, Month};

pub use self::content::{
    Apart, ApartKind, Figures, FiguresOf, InTransit, MonthBridge, MonthContent, MonthPayout, TransitState,
};
pub use self::difference::{Change, Difference, DifferenceOf};
pub(crate) use self::statement::product_of;
use crate::error::DocumentError;
use crate::labels::Language;

/// A form of the month summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SummaryForm {
    /// A workbook in the account's language.
    Xlsx,
    /// A PDF in the account's language.
    Pdf,
    /// CSV for programs: one record a line, comma, dot, major units, signed as [`settlement::Terms`].
    Csv,
    /// CSV for a spreadsheet in the account's language: semicolon and the language's decimal mark.
    SemicolonCsv,
    /// JSON with everything, in minor units.
    Json,
}

impl SummaryForm {
    /// All forms.
    pub const ALL: [SummaryForm; 5] =
        [SummaryForm::Xlsx, SummaryForm::Pdf, SummaryForm::Csv, SummaryForm::SemicolonCsv, SummaryForm::Json];

    /// The file name extension.
    pub fn extension(self) -> &'static str {
        match self {
            SummaryForm::Xlsx => "xlsx",
            SummaryForm::Pdf => "pdf",
            SummaryForm::Csv => "csv",
            SummaryForm::SemicolonCsv => "semicolon.csv",
            SummaryForm::Json => "json",
        }
    }
}

/// One month of one account, in one of its revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthSummary {
    /// The account.
    pub account: AccountId,
    /// The merchant's name.
    pub name: String,
    /// The month.
    pub month: Month,
    /// IANA name of the zone of its days.
    pub zone: String,
    /// The revision, from 1; 0 for a month that is not over.
    pub revision: u32,
    /// What is known of the month.
    pub content: MonthContent,
    /// The differences from the revision before.
    pub differences: Vec<Difference>,
}

impl MonthSummary {
    /// Writes the summary in the given form; JSON and the CSV for programs are the same in every language.
    ///
    /// # Errors
    /// When the output fails, or the figures do not add up.
    pub fn write(&self, form: SummaryForm, language: Language, out: &mut dyn Write) -> Result<(), DocumentError> {
        self.content.check()?;
        match form {
            SummaryForm::Xlsx => xlsx::write(self, language, out),
            SummaryForm::Pdf => pdf::write(self, language, out),
            SummaryForm::Csv => csv::write(self, out),
            SummaryForm::SemicolonCsv => semicolon::write(self, language, out),
            SummaryForm::Json => {
                serde_json::to_writer_pretty(&mut *out, self).map_err(std::io::Error::from)?;
                Ok(writeln!(out)?)
            }
        }
    }

    /// Reads what [`SummaryForm::Json`] has written.
    ///
    /// # Errors
    /// When the bytes are not such a file.
    pub fn read(json: &[u8]) -> Result<MonthSummary, DocumentError> {
        serde_json::from_slice(json).map_err(|error| DocumentError::Json(error.to_string()))
    }

    /// The next revision, with its differences from this one.
    #[must_use]
    pub fn followed_by(&self, content: MonthContent, name: String, zone: String) -> MonthSummary {
        let differences = difference::between(&self.content, &content);
        let (account, revision) = (self.account.clone(), self.revision.saturating_add(1));
        MonthSummary { account, name, month: self.month, zone, revision, content, differences }
    }

    /// Whether the month is not over, so that this is not a revision.
    pub fn is_so_far(&self) -> bool {
        self.revision == 0
    }

    /// Whether payouts differ from the revision before, and not only what is in transit or to clear up.
    pub fn changes_payouts(&self) -> bool {
        self.differences.iter().any(|difference| matches!(difference.of, DifferenceOf::Payout | DifferenceOf::Figures))
    }
}

#[cfg(test)]
mod tests;
