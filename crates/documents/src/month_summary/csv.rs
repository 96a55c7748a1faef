//! CSV for programs after RFC 4180: one record a line, comma, dot, major units, all text quoted and harmless to a spreadsheet.

use std::io::Write;

use settlement::{MajorUnits, MonthRecord};

use super::MonthSummary;
use crate::csv_rows::{CsvRows, text};
use crate::error::DocumentError;

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
    let mut rows = CsvRows::new(out, b',');
    rows.row(COLUMNS.map(str::to_owned))?;
    for record in summary.records()? {
        rows.row(cells(summary, &record))?;
    }
    rows.finish()
}

fn cells(summary: &MonthSummary, record: &MonthRecord) -> Vec<String> {
    let exponent = record.exponent.unwrap_or(0);
    let minor =
        |minor: Option<i64>| minor.map(|minor| MajorUnits::new(minor, exponent).to_string()).unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let some = |value: &Option<String>| value.as_deref().map(text).unwrap_or_default();
    let mut cells = vec![
        text(summary.account.as_str()),
        text(&summary.month.to_string()),
        summary.revision.to_string(),
        text(record.record),
        some(&record.provider),
        some(&record.payment_product),
        some(&record.merchant_number),
        some(&record.settlement_id),
        number(record.version.map(u64::from)),
        record.day.map(|day| day.to_string()).unwrap_or_default(),
        some(&record.state),
        some(&record.reference),
        record.currency.map(|currency| text(currency.as_str())).unwrap_or_default(),
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
