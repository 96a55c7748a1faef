//! CSV for a spreadsheet in the language of the account: a byte order mark, semicolons, its decimal mark; sections one below the other.
//!
//! Days are ISO 8601, which every spreadsheet reads as the same day in whatever country.

use std::io::Write;

use super::MonthSummary;
use super::statement::{Shown, sections};
use crate::csv_rows::{BYTE_ORDER_MARK, CsvRows, text};
use crate::error::DocumentError;
use crate::labels::Language;
use crate::locale::Locale;

pub(super) fn write(summary: &MonthSummary, language: Language, out: &mut dyn Write) -> Result<(), DocumentError> {
    let locale = language.locale();
    let title = summary.title(language);
    out.write_all(BYTE_ORDER_MARK)?;
    block(out, [vec![text(&title)]])?;
    block(out, summary.facts(language).iter().map(|(name, value)| vec![text(name), text(value)]))?;
    let proof = language.labels().proof;
    block(out, summary.proofs(language)?.iter().map(|words| vec![text(proof), text(words)]))?;
    for section in sections(summary, language)? {
        out.write_all(b"\r\n")?;
        block(out, [vec![text(&section.title), text(&section.note)]])?;
        let names = section.columns.iter().map(|column| text(column.name)).collect();
        let rows = section.rows.iter().chain(&section.total);
        let rows = rows.map(|cells| cells.iter().map(|cell| field(cell, &locale)).collect());
        block(out, [names].into_iter().chain(rows))?;
    }
    Ok(())
}

/// Rows of one length; another block may have another.
fn block(out: &mut dyn Write, rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), DocumentError> {
    let mut csv = CsvRows::new(out, b';');
    rows.into_iter().try_for_each(|row| csv.row(row))?;
    csv.finish()
}

fn field(cell: &Shown, locale: &Locale) -> String {
    match cell {
        Shown::Text(value) => text(value),
        Shown::Amount(minor, exponent) => locale.plain_amount(*minor, *exponent),
        Shown::Count(count) => count.to_string(),
        Shown::Day(Some(day)) => day.to_string(),
        Shown::Day(None) | Shown::Nothing => String::new(),
    }
}
