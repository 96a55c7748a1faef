//! CSV for a spreadsheet in the language of the account: marked as UTF-8, semicolons, its decimal mark.
//!
//! Days are ISO 8601, which every spreadsheet reads as the same day whatever country it is set to.

use std::io::Write;

use settlement::LineRecord;

use super::statement::line_columns;
use super::{DinteroReport, csv};
use crate::DocumentError;
use crate::value::Value;

const MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn write(
    report: &DinteroReport<'_>,
    lines: impl Iterator<Item = Result<LineRecord, DocumentError>>,
    out: &mut dyn Write,
) -> Result<(), DocumentError> {
    let (labels, columns) = (report.language.labels(), line_columns());
    out.write_all(MARK)?;
    let names = columns.iter().map(|column| Value::text(Some((column.name)(labels))));
    row(report, names, out)?;
    for line in lines {
        let line = line?;
        row(report, columns.iter().map(|column| column.value(report, &line)), out)?;
    }
    let mut label = Some(labels.total);
    let totals = columns.iter().map(|column| match column.total_minor(&report.settlement.sums) {
        Some(minor) => Value::Amount(minor),
        None => Value::text(label.take()),
    });
    row(report, totals, out)
}

fn row(
    report: &DinteroReport<'_>,
    values: impl Iterator<Item = Value>,
    out: &mut dyn Write,
) -> Result<(), DocumentError> {
    let (locale, exponent) = (report.language.locale(), report.settlement.head.exponent);
    for (number, value) in values.enumerate() {
        if number > 0 {
            out.write_all(b";")?;
        }
        csv::cell(out, &value, |minor| locale.plain_amount(minor, exponent))?;
    }
    out.write_all(b"\r\n")?;
    Ok(())
}
