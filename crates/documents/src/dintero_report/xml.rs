//! XML in the element order of Dintero's schema: no namespace, major units, dot.

use std::io::Write;

use quick_xml::escape::escape;
use settlement::{LineRecord, MajorUnits};

use super::{COLUMNS, DinteroReport, HEAD, PROOF, SETTLEMENT};
use crate::error::DocumentError;
use crate::value::Value;

pub(super) fn write(
    report: &DinteroReport<'_>,
    lines: impl Iterator<Item = Result<LineRecord, DocumentError>>,
    out: &mut dyn Write,
) -> Result<(), DocumentError> {
    let exponent = report.settlement.head.exponent;
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>")?;
    writeln!(out, "<Report>\n  <PaymentsInfo>")?;
    for field in HEAD {
        element(out, 4, field.element, &(field.value)(report), exponent)?;
    }
    writeln!(out, "    <SettlementInfo>")?;
    for field in SETTLEMENT {
        element(out, 6, field.element, &(field.value)(report), exponent)?;
    }
    for line in lines {
        let line = line?;
        writeln!(out, "      <TransactionInfo>")?;
        for column in COLUMNS {
            element(out, 8, column.element, &(column.value)(report, &line), exponent)?;
        }
        writeln!(out, "      </TransactionInfo>")?;
    }
    writeln!(out, "      <SettlementProof>")?;
    for field in PROOF {
        element(out, 8, field.element, &(field.value)(report), exponent)?;
    }
    writeln!(out, "      </SettlementProof>\n    </SettlementInfo>\n  </PaymentsInfo>\n</Report>")?;
    Ok(())
}

fn element(out: &mut dyn Write, indent: usize, name: &str, value: &Value, exponent: u8) -> std::io::Result<()> {
    let text = match value {
        Value::Text(text) => escape(text.as_str()).into_owned(),
        Value::Amount(minor) => MajorUnits::new(*minor, exponent).to_string(),
        Value::Count(count) => count.to_string(),
        Value::Date(date) => date.map(|date| date.to_string()).unwrap_or_default(),
    };
    writeln!(out, "{:indent$}<{name}>{text}</{name}>", "")
}
