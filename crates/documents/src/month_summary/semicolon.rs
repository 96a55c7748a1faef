//! CSV for a spreadsheet in the language of the account: marked as UTF-8, semicolons, its decimal mark; sections one below the other.
//!
//! Days are ISO 8601, which every spreadsheet reads as the same day whatever country it is set to.

use std::io::Write;

use super::MonthSummary;
use super::statement::{Shown, sections};
use crate::labels::Language;
use crate::locale::Locale;
use crate::{DocumentError, inert};

const MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn write(summary: &MonthSummary, language: Language, out: &mut dyn Write) -> Result<(), DocumentError> {
    let locale = language.locale();
    out.write_all(MARK)?;
    row(out, &locale, &[Shown::Text(summary.title(language))])?;
    for (name, value) in summary.facts(language) {
        row(out, &locale, &[Shown::Text(name.to_owned()), Shown::Text(value)])?;
    }
    for proof in summary.proofs(language) {
        row(out, &locale, &[Shown::Text(language.labels().proof.to_owned()), Shown::Text(proof)])?;
    }
    for section in sections(summary, language) {
        row(out, &locale, &[])?;
        row(out, &locale, &[Shown::Text(section.title), Shown::Text(section.note)])?;
        let names: Vec<Shown> = section.columns.iter().map(|column| Shown::Text(column.name.to_owned())).collect();
        row(out, &locale, &names)?;
        for cells in section.rows.iter().chain(&section.total) {
            row(out, &locale, cells)?;
        }
    }
    Ok(())
}

fn row(out: &mut dyn Write, locale: &Locale, cells: &[Shown]) -> Result<(), DocumentError> {
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| match cell {
            Shown::Text(text) if text.is_empty() => String::new(),
            Shown::Text(text) => format!("\"{}\"", inert(text).replace('"', "\"\"")),
            Shown::Amount(minor, exponent) => locale.plain_amount(*minor, *exponent),
            Shown::Count(count) => count.to_string(),
            Shown::Day(Some(day)) => day.to_string(),
            Shown::Day(None) | Shown::Nothing => String::new(),
        })
        .collect();
    write!(out, "{}\r\n", cells.join(";"))?;
    Ok(())
}
