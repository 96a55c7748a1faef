//! The lake's small tables, written from rows.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray};
use settlement::{AccountId, BridgeMonth, Currency, Fees, Terms};

use crate::error::TableError;
use crate::packing::Packing;
use crate::schema::{Column, DATA_DICTIONARY, FEE_SUMMARY, MONTH_BRIDGE, SCHEMA_VERSION, TABLES, Table};
use crate::stream::TableStream;

/// The fees of a month of payouts, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as the columns of FEE_SUMMARY")]
pub struct FeeSummaryRow {
    pub accounting_month: String,
    pub provider: String,
    pub merchant_number: String,
    pub payment_product: Option<String>,
    pub currency: Currency,
    pub exponent: u8,
    pub fees: Fees,
    pub lines: u64,
    pub terms: Terms,
}

/// One month of the bridge of one group.
#[derive(Debug, Clone, Copy)]
pub struct MonthBridgeRow<'a> {
    /// The payment provider.
    pub provider: &'a str,
    /// Payment product, where it is known.
    pub payment_product: Option<&'a str>,
    /// Currency of all amounts.
    pub currency: Currency,
    /// Decimals of the currency in the provider's files.
    pub exponent: u8,
    /// The month and its amounts.
    pub figures: &'a BridgeMonth,
}

/// Writes the fee summary of a month.
///
/// # Errors
/// When the output or Parquet refuses.
pub fn write_fee_summary(
    output: impl Write + Send,
    account: &AccountId,
    rows: &[FeeSummaryRow],
    packing: Packing,
) -> Result<(), TableError> {
    let columns = vec![
        texts(rows, |_| account.as_str()),
        texts(rows, |row| &row.accounting_month),
        texts(rows, |row| &row.provider),
        texts(rows, |row| &row.merchant_number),
        optional_texts(rows, |row| row.payment_product.as_deref()),
        texts(rows, |row| row.currency.as_str()),
        exponents(rows, |row| row.exponent),
        texts(rows, |row| row.fees.as_str()),
        minor(rows, |row| i64::try_from(row.lines).unwrap_or(i64::MAX)),
        minor(rows, |row| row.terms.capture_minor),
        minor(rows, |row| row.terms.refund_minor),
        minor(rows, |row| row.terms.fee_minor),
        minor(rows, |row| row.terms.fee_vat_minor),
        Arc::new(Int32Array::from_value(SCHEMA_VERSION, rows.len())),
    ];
    write(output, &FEE_SUMMARY, columns, packing)
}

/// Writes the bridge of a month.
///
/// # Errors
/// When the output or Parquet refuses.
pub fn write_bridge(
    output: impl Write + Send,
    account: &AccountId,
    rows: &[MonthBridgeRow<'_>],
    packing: Packing,
) -> Result<(), TableError> {
    let months: Vec<String> = rows.iter().map(|row| row.figures.month.to_string()).collect();
    let terms = |of: fn(&BridgeMonth) -> &Terms| -> [ArrayRef; 7] {
        [
            minor(rows, move |row| of(row.figures).capture_minor),
            minor(rows, move |row| of(row.figures).refund_minor),
            minor(rows, move |row| of(row.figures).fee_minor),
            minor(rows, move |row| of(row.figures).fee_vat_minor),
            minor(rows, move |row| of(row.figures).chargeback_minor),
            minor(rows, move |row| of(row.figures).reserve_minor),
            minor(rows, move |row| of(row.figures).adjustment_minor),
        ]
    };
    let mut columns = vec![
        texts(rows, |_| account.as_str()),
        texts(&months, String::as_str),
        texts(rows, |row| row.provider),
        optional_texts(rows, |row| row.payment_product),
        texts(rows, |row| row.currency.as_str()),
        exponents(rows, |row| row.exponent),
        minor(rows, |row| row.figures.opening_minor),
    ];
    columns.extend(terms(|month| &month.happened));
    columns.extend(terms(|month| &month.paid));
    columns.extend([
        minor(rows, |row| row.figures.carried_minor),
        minor(rows, |row| row.figures.paid_out_minor),
        minor(rows, |row| row.figures.closing_minor),
        minor(rows, |row| row.figures.invoiced_fee_minor),
        minor(rows, |row| row.figures.invoiced_fee_vat_minor),
        Arc::new(Int32Array::from_value(SCHEMA_VERSION, rows.len())),
    ]);
    write(output, &MONTH_BRIDGE, columns, packing)
}

/// Writes the columns of all tables.
///
/// # Errors
/// When the output or Parquet refuses.
pub fn write_data_dictionary(output: impl Write + Send, packing: Packing) -> Result<(), TableError> {
    let of =
        |table: &'static Table| (1_i32..).zip(table.columns).map(move |(position, column)| (table, position, column));
    let rows: Vec<(&Table, i32, &Column)> = TABLES.into_iter().flat_map(of).collect();
    let columns: Vec<ArrayRef> = vec![
        texts(&rows, |(table, ..)| table.name),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|(_, position, _)| *position))),
        texts(&rows, |(.., column)| column.name),
        texts(&rows, |(.., column)| column.kind.sql()),
        Arc::new(BooleanArray::from_iter(rows.iter().map(|(.., column)| Some(column.is_nullable)))),
        texts(&rows, |(.., column)| column.unit),
        texts(&rows, |(.., column)| column.meaning),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|(.., column)| column.since_version))),
    ];
    write(output, &DATA_DICTIONARY, columns, packing)
}

pub(crate) fn write(
    output: impl Write + Send,
    table: &'static Table,
    columns: Vec<ArrayRef>,
    packing: Packing,
) -> Result<(), TableError> {
    let mut stream = TableStream::create(output, table, packing)?;
    stream.write(&RecordBatch::try_new(table.schema(), columns)?)?;
    stream.close()?;
    Ok(())
}

pub(crate) fn texts<'a, T>(rows: &'a [T], value: impl Fn(&'a T) -> &'a str) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
}

pub(crate) fn optional_texts<'a, T>(rows: &'a [T], value: impl Fn(&'a T) -> Option<&'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter(rows.iter().map(value)))
}

fn minor<T>(rows: &[T], value: impl Fn(&T) -> i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows.iter().map(value)))
}

fn exponents<T>(rows: &[T], value: impl Fn(&T) -> u8) -> ArrayRef {
    Arc::new(Int8Array::from_iter_values(rows.iter().map(|row| i8::try_from(value(row)).unwrap_or(2))))
}
