//! The table of a month summary, written from its records.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Int8Array, Int32Array, Int64Array};
use settlement::{AccountId, Currency, Month, MonthRecord};

use crate::calendar::days;
use crate::error::TableError;
use crate::packing::Packing;
use crate::schema::{MONTH_SUMMARY, SCHEMA_VERSION};
use crate::summaries::{optional_texts, texts, write};

/// The summary that a table holds.
#[derive(Debug, Clone, Copy)]
pub struct SummaryOf<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The month.
    pub month: Month,
    /// The revision, from 1.
    pub revision: u32,
}

/// Writes the table of one summary.
///
/// # Errors
/// When the output or Parquet refuses.
pub fn write_month_summary(
    output: impl Write + Send,
    of: SummaryOf<'_>,
    rows: &[MonthRecord],
    packing: Packing,
) -> Result<(), TableError> {
    let month = of.month.to_string();
    let revision = i32::try_from(of.revision).unwrap_or(i32::MAX);
    let mut columns = vec![
        texts(rows, |_| of.account.as_str()),
        texts(rows, |_| &month),
        Arc::new(Int32Array::from_value(revision, rows.len())),
        texts(rows, |row| row.record),
        optional_texts(rows, |row| row.provider.as_deref()),
        optional_texts(rows, |row| row.payment_product.as_deref()),
        optional_texts(rows, |row| row.merchant_number.as_deref()),
        optional_texts(rows, |row| row.settlement_id.as_deref()),
        Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.version.and_then(|v| i32::try_from(v).ok())))),
        Arc::new(Date32Array::from_iter(rows.iter().map(|row| row.day.map(days)))),
        optional_texts(rows, |row| row.state.as_deref()),
        optional_texts(rows, |row| row.reference.as_deref()),
        optional_texts(rows, |row| row.currency.as_ref().map(Currency::as_str)),
        Arc::new(Int8Array::from_iter(rows.iter().map(|row| row.exponent.and_then(|e| i8::try_from(e).ok())))),
        numbers(rows, |row| row.count.and_then(|count| i64::try_from(count).ok())),
    ];
    for place in 0..7 {
        columns.push(numbers(rows, |row| row.terms.and_then(|terms| Some(terms.named().get(place)?.1))));
    }
    columns.extend([
        numbers(rows, |row| row.invoiced_minor),
        numbers(rows, |row| row.opening_minor),
        numbers(rows, |row| row.carried_minor),
        numbers(rows, |row| row.paid_out_minor),
        numbers(rows, |row| row.closing_minor),
        numbers(rows, |row| row.amount_minor),
        numbers(rows, |row| row.before_minor),
        numbers(rows, |row| row.after_minor),
        Arc::new(Int32Array::from_value(SCHEMA_VERSION, rows.len())),
    ]);
    write(output, &MONTH_SUMMARY, columns, packing)
}

fn numbers(rows: &[MonthRecord], value: impl Fn(&MonthRecord) -> Option<i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter(rows.iter().map(value)))
}
