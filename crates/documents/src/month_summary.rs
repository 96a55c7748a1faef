//! The summary of a calendar month: what was paid out in it, the bridge from what was in transit when it began to what was when
//! it ended, and apart from both what is not proved, not matched, not told or not there.
//!
//! [`MonthContent`] is what is known, and what decides whether there is a new revision; it is the JSON form as it stands, so that the
//! next revision is held against it. Nothing is written that does not add up.

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

/// The forms a month summary is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SummaryForm {
    /// A workbook in the account's language.
    Xlsx,
    /// Paper in the account's language.
    Pdf,
    /// For programs: one record a line, comma, dot, major units, signed as [`settlement::Terms`].
    Csv,
    /// For a spreadsheet in the account's language: semicolon and the language's decimal mark.
    SemicolonCsv,
    /// Everything, in minor units.
    Json,
}

impl SummaryForm {
    /// All forms.
    pub const ALL: [SummaryForm; 5] =
        [SummaryForm::Xlsx, SummaryForm::Pdf, SummaryForm::Csv, SummaryForm::SemicolonCsv, SummaryForm::Json];

    /// File name ending.
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
    /// IANA name of the zone that its days are counted in.
    pub zone: String,
    /// Counts from 1; 0 for a month that is not over.
    pub revision: u32,
    /// What is known of the month.
    pub content: MonthContent,
    /// What is otherwise than in the revision before.
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
    /// When it is no such file.
    pub fn read(json: &[u8]) -> Result<MonthSummary, DocumentError> {
        serde_json::from_slice(json).map_err(|error| DocumentError::Json(error.to_string()))
    }

    /// The next revision, with what is otherwise in it than in this one.
    #[must_use]
    pub fn followed_by(&self, content: MonthContent, name: String, zone: String) -> MonthSummary {
        let differences = difference::between(&self.content, &content);
        let (account, revision) = (self.account.clone(), self.revision.saturating_add(1));
        MonthSummary { account, name, month: self.month, zone, revision, content, differences }
    }

    /// Whether the month is still going on, so that this is no revision yet.
    pub fn is_so_far(&self) -> bool {
        self.revision == 0
    }

    /// Whether what was paid out is otherwise than in the revision before, and not only what is in transit or stands apart.
    pub fn changes_payouts(&self) -> bool {
        self.differences.iter().any(|difference| matches!(difference.of, DifferenceOf::Payout | DifferenceOf::Figures))
    }
}

#[cfg(test)]
mod tests;
