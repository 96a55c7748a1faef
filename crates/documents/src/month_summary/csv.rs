//! CSV after RFC 4180: one record a line, comma, dot, major units, all text quoted and inert.

use std::io::Write;

use settlement::{MajorUnits, MonthRecord};

use super::MonthSummary;
use crate::{DocumentError, inert};

const COLUMNS: [&str; 29] = [
    "account_id",
    "month",
    "revision",
    "record",
    "provider",
    "payment_product",
    "merchant_number",
    "settlement_id",
    "version",
    "day",
    "state",
    "reference",
    "currency",
    "count",
    "capture",
    "refund",
    "fee",
    "fee_vat",
    "chargeback",
    "reserve",
    "adjustment",
    "invoiced",
    "opening",
    "carried",
    "paid_out",
    "closing",
    "amount",
    "before",
    "after",
];

pub(super) fn write(summary: &MonthSummary, out: &mut dyn Write) -> Result<(), DocumentError> {
    write!(out, "{}\r\n", COLUMNS.join(","))?;
    for record in summary.records() {
        write!(out, "{}\r\n", cells(summary, &record).join(","))?;
    }
    Ok(())
}

fn cells(summary: &MonthSummary, record: &MonthRecord) -> Vec<String> {
    let exponent = record.exponent.unwrap_or(0);
    let minor =
        |minor: Option<i64>| minor.map(|minor| MajorUnits::new(minor, exponent).to_string()).unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let some = |text: &Option<String>| text.as_deref().map(text_cell).unwrap_or_default();
    let mut cells = vec![
        text_cell(summary.account.as_str()),
        text_cell(&summary.month.to_string()),
        summary.revision.to_string(),
        text_cell(record.record),
        some(&record.provider),
        some(&record.payment_product),
        some(&record.merchant_number),
        some(&record.settlement_id),
        number(record.version.map(u64::from)),
        record.day.map(|day| day.to_string()).unwrap_or_default(),
        some(&record.state),
        some(&record.reference),
        record.currency.map(|currency| text_cell(currency.as_str())).unwrap_or_default(),
        number(record.count),
    ];
    let terms = record.terms.map(|terms| terms.named().map(|(_, minor)| Some(minor))).unwrap_or([None; 7]);
    cells.extend(terms.map(minor));
    let rest = [record.invoiced_minor, record.opening_minor, record.carried_minor, record.paid_out_minor];
    cells.extend(rest.map(minor));
    let rest = [record.closing_minor, record.amount_minor, record.before_minor, record.after_minor];
    cells.extend(rest.map(minor));
    cells
}

fn text_cell(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\"{}\"", inert(text).replace('"', "\"\"")) }
}
