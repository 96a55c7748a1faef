//! CSV after RFC 4180: comma, dot, major units, all text quoted and inert.

use std::io::Write;

use settlement::{LineRecord, MajorUnits};

use super::{COLUMNS, DinteroReport, PROOF};
use crate::value::Value;
use crate::{DocumentError, inert};

pub(super) fn write(
    report: &DinteroReport<'_>,
    lines: impl Iterator<Item = Result<LineRecord, DocumentError>>,
    out: &mut dyn Write,
) -> Result<(), DocumentError> {
    let exponent = report.settlement.head.exponent;
    // The proof row uses the columns of the lines where it has the same field, and its own behind them.
    let own = || PROOF.iter().filter(|field| COLUMNS.iter().all(|column| column.key != field.key));
    let names = COLUMNS.iter().map(|column| column.key).chain(own().map(|field| field.key));
    let header: Vec<&str> = std::iter::once("record_type").chain(names).collect();
    write!(out, "{}\r\n", header.join(","))?;
    for line in lines {
        let line = line?;
        write!(out, "\"transaction\"")?;
        for column in COLUMNS {
            next(out, &(column.value)(report, &line), exponent)?;
        }
        write!(out, "{}\r\n", ",".repeat(own().count()))?;
    }
    write!(out, "\"proof\"")?;
    for column in COLUMNS {
        match PROOF.iter().find(|field| field.key == column.key) {
            Some(field) => next(out, &(field.value)(report), exponent)?,
            None => write!(out, ",")?,
        }
    }
    for field in own() {
        next(out, &(field.value)(report), exponent)?;
    }
    write!(out, "\r\n")?;
    Ok(())
}

fn next(out: &mut dyn Write, value: &Value, exponent: u8) -> std::io::Result<()> {
    write!(out, ",")?;
    cell(out, value, |minor| MajorUnits::new(minor, exponent))
}

/// Writes a value as it stands between two delimiters; text is quoted and inert.
pub(super) fn cell<A: std::fmt::Display>(
    out: &mut dyn Write,
    value: &Value,
    amount: impl Fn(i64) -> A,
) -> std::io::Result<()> {
    match value {
        Value::Text(text) if text.is_empty() => Ok(()),
        Value::Text(text) => write!(out, "\"{}\"", inert(text).replace('"', "\"\"")),
        Value::Amount(minor) => write!(out, "{}", amount(*minor)),
        Value::Count(count) => write!(out, "{count}"),
        Value::Date(Some(date)) => write!(out, "{date}"),
        Value::Date(None) => Ok(()),
    }
}
