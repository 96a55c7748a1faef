//! CSV for a spreadsheet in the language of the account: a byte order mark, semicolons, its decimal mark.
//!
//! Days are ISO 8601, which every spreadsheet reads as the same day in whatever country.

use std::io::Write;

use settlement::LineRecord;

use super::DinteroReport;
use super::statement::line_columns;
use crate::csv_rows::{BYTE_ORDER_MARK, CsvRows, field, text};
use crate::error::DocumentError;
use crate::value::Value;

pub(super) fn write(
    report: &DinteroReport<'_>,
    lines: impl Iterator<Item = Result<LineRecord, DocumentError>>,
    out: &mut dyn Write,
) -> Result<(), DocumentError> {
    let (labels, columns) = (report.language.labels(), line_columns());
    let (locale, exponent) = (report.language.locale(), report.settlement.head.exponent);
    let cell = |value: Value| field(&value, |minor| locale.plain_amount(minor, exponent));
    out.write_all(BYTE_ORDER_MARK)?;
    let mut rows = CsvRows::new(out, b';');
    rows.row(columns.iter().map(|column| text((column.name)(labels))))?;
    for line in lines {
        let line = line?;
        rows.row(columns.iter().map(|column| cell(column.value(report, &line))))?;
    }
    let mut label = Some(labels.total);
    let totals = columns.iter().map(|column| match column.term() {
        Some(term) => Value::amount_or_words(term.minor(&report.settlement.sums), labels),
        None => Value::text(label.take()),
    });
    rows.row(totals.map(cell))?;
    rows.finish()
}
