//! JSON with Dintero's keys and amounts in minor units; one transaction a line.

use std::io::Write;

use serde_json::{Map, Value as Json};
use settlement::LineRecord;

use super::{COLUMNS, DinteroReport, HEAD, PROOF, SETTLEMENT};
use crate::error::DocumentError;
use crate::value::Value;

pub(super) fn write(
    report: &DinteroReport<'_>,
    lines: impl Iterator<Item = Result<LineRecord, DocumentError>>,
    out: &mut dyn Write,
) -> Result<(), DocumentError> {
    writeln!(out, "{{")?;
    let mut written: Vec<&str> = Vec::new();
    for field in HEAD.iter().chain(SETTLEMENT) {
        // A field on two levels of the XML is written once here.
        if !written.contains(&field.key) {
            written.push(field.key);
            entry(out, field.key, &json((field.value)(report)))?;
        }
    }
    for key in ["amount", "capture", "refund", "fee", "chargeback"] {
        if let Some(field) = PROOF.iter().find(|field| field.key == key) {
            entry(out, key, &json((field.value)(report)))?;
        }
    }
    writeln!(out, "  \"transactions\": [")?;
    let mut separator = "";
    for line in lines {
        let line = line?;
        let row: Map<String, Json> =
            COLUMNS.iter().map(|column| (column.key.to_owned(), json((column.value)(report, &line)))).collect();
        write!(out, "{separator}    {}", Json::Object(row))?;
        separator = ",\n";
    }
    let proof: Map<String, Json> =
        PROOF.iter().map(|field| (field.key.to_owned(), json((field.value)(report)))).collect();
    writeln!(out, "\n  ],\n  \"proof\": {}\n}}", Json::Object(proof))?;
    Ok(())
}

fn entry(out: &mut dyn Write, key: &str, value: &Json) -> std::io::Result<()> {
    writeln!(out, "  {}: {value},", Json::from(key))
}

fn json(value: Value) -> Json {
    match value {
        Value::Text(text) if text.is_empty() => Json::Null,
        Value::Text(text) => text.into(),
        Value::Amount(minor) => minor.into(),
        Value::Count(count) => count.into(),
        Value::Date(date) => date.map_or(Json::Null, |date| date.to_string().into()),
    }
}
