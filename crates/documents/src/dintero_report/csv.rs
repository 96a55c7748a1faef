//! CSV for programs after RFC 4180: comma, dot, major units, all text quoted and harmless to a spreadsheet.

use std::io::Write;

use settlement::{LineRecord, MajorUnits};

use super::{COLUMNS, DinteroReport, PROOF};
use crate::csv_rows::{CsvRows, field, text};
use crate::error::DocumentError;
use crate::value::Value;

pub(super) fn write(
    report: &DinteroReport<'_>,
    lines: impl Iterator<Item = Result<LineRecord, DocumentError>>,
    out: &mut dyn Write,
) -> Result<(), DocumentError> {
    let exponent = report.settlement.head.exponent;
    let cell = |value: Value| field(&value, |minor| MajorUnits::new(minor, exponent));
    // The proof row uses the columns of the lines where both have a field, and columns of its own after them.
    let own = || PROOF.iter().filter(|field| COLUMNS.iter().all(|column| column.key != field.key));
    let names = COLUMNS.iter().map(|column| column.key).chain(own().map(|field| field.key));
    let mut rows = CsvRows::new(out, b',');
    rows.row(["record_type"].into_iter().chain(names).map(str::to_owned))?;
    for line in lines {
        let line = line?;
        let cells = COLUMNS.iter().map(|column| cell((column.value)(report, &line)));
        rows.row([text("transaction")].into_iter().chain(cells).chain(own().map(|_| String::new())))?;
    }
    let cells = COLUMNS.iter().map(|column| {
        let field = PROOF.iter().find(|field| field.key == column.key);
        field.map(|field| cell((field.value)(report))).unwrap_or_default()
    });
    rows.row([text("proof")].into_iter().chain(cells).chain(own().map(|field| cell((field.value)(report)))))?;
    rows.finish()
}
