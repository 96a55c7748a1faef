//! The `match` table of one report.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow_array::types::{Date32Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Date32Array, Int32Array, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow_schema::DataType;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use settlement::{AccountId, MatchRow, ReportId};

use crate::calendar::days;
use crate::error::TableError;
use crate::packing::Packing;
use crate::read::{Rows, date, numbers, optional, texts};
use crate::schema::{MATCH, SCHEMA_VERSION};

/// Rows that are gathered in memory before they are written.
const BATCH_ROWS: usize = 8 * 1024;

/// Writes rows as they come.
pub struct MatchTable<W: Write + Send> {
    account: String,
    provider: String,
    report: String,
    writer: ArrowWriter<W>,
    rows: Vec<MatchRow>,
}

impl<W: Write + Send> MatchTable<W> {
    /// A table of the lines of `report` of `provider` for `account`.
    ///
    /// # Errors
    /// When the output or Parquet refuses.
    pub fn create(
        output: W,
        account: &AccountId,
        provider: &str,
        report: ReportId,
        packing: Packing,
    ) -> Result<Self, TableError> {
        let options =
            ArrowWriterOptions::new().with_properties(packing.properties()?.build()).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(output, MATCH.schema(), options)?;
        let (account, provider, report) = (account.to_string(), provider.to_owned(), report.to_string());
        Ok(MatchTable { account, provider, report, writer, rows: Vec::new() })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the output or Parquet refuses.
    pub fn add(&mut self, row: MatchRow) -> Result<(), TableError> {
        self.rows.push(row);
        if self.rows.len() >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    /// Writes the rest and the footer, and returns the output.
    ///
    /// # Errors
    /// When the output or Parquet refuses.
    pub fn close(mut self) -> Result<W, TableError> {
        self.flush()?;
        Ok(self.writer.into_inner()?)
    }

    fn flush(&mut self) -> Result<(), TableError> {
        let rows = std::mem::take(&mut self.rows);
        let same = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; rows.len()])) };
        let text = |value: fn(&MatchRow) -> Option<&str>| -> ArrayRef {
            Arc::new(StringArray::from_iter(rows.iter().map(value)))
        };
        let columns: Vec<ArrayRef> = vec![
            same(&self.account),
            same(&self.provider),
            text(|row| Some(&row.merchant_number)),
            text(|row| Some(&row.settlement_id)),
            text(|row| Some(row.currency.as_str())),
            same(&self.report),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.line_no))),
            text(|row| Some(&row.state)),
            text(|row| Some(&row.reason)),
            text(|row| row.transaction_id.as_deref()),
            Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.transaction_event))),
            text(|row| row.payment_product.as_deref()),
            text(|row| row.payment_product_type.as_deref()),
            text(|row| row.merchant_reference.as_deref()),
            text(|row| row.merchant_reference_2.as_deref()),
            text(|_| None),
            Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| days(row.payout_on)))),
            Arc::new(Int32Array::from_value(SCHEMA_VERSION, rows.len())),
            new_null_array(&DataType::Int32, rows.len()),
        ];
        self.writer.write(&RecordBatch::try_new(MATCH.schema(), columns)?)?;
        Ok(())
    }
}

/// The rows of one file.
pub type MatchRows = Rows<MatchRow>;

/// Reads the rows of a `match` file.
///
/// # Errors
/// When the file is not Parquet or not a table of this schema.
pub fn read_matches(file: File) -> Result<MatchRows, TableError> {
    Rows::of(file, rows)
}

fn rows(batch: &RecordBatch) -> Result<Vec<MatchRow>, TableError> {
    let text = |column| texts(batch, column);
    let [merchant, settlement, currency] = [text("merchant_number")?, text("settlement_id")?, text("currency")?];
    let [state, reason, transaction] = [text("state")?, text("reason")?, text("transaction_id")?];
    let [product, product_type] = [text("payment_product")?, text("payment_product_type")?];
    let [reference, reference_2] = [text("merchant_reference")?, text("merchant_reference_2")?];
    let line_no = numbers::<Int64Type>(batch, "line_no")?;
    let event = numbers::<Int32Type>(batch, "transaction_event")?;
    let payout_on = numbers::<Date32Type>(batch, "payout_on")?;
    (0..batch.num_rows())
        .map(|row| {
            Ok(MatchRow {
                merchant_number: merchant.value(row).to_owned(),
                settlement_id: settlement.value(row).to_owned(),
                currency: currency.value(row).parse().map_err(|_| TableError::Column { column: "currency" })?,
                line_no: line_no.value(row),
                state: state.value(row).to_owned(),
                reason: reason.value(row).to_owned(),
                transaction_id: optional(transaction, row),
                transaction_event: event.is_valid(row).then(|| event.value(row)),
                payment_product: optional(product, row),
                payment_product_type: optional(product_type, row),
                merchant_reference: optional(reference, row),
                merchant_reference_2: optional(reference_2, row),
                payout_on: date(payout_on, row).ok_or(TableError::Column { column: "payout_on" })?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil;
    use settlement::Currency;

    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let row = |line_no: i64, transaction: Option<&str>| MatchRow {
            merchant_number: "123456".into(),
            settlement_id: "2000461".into(),
            currency: Currency::NOK,
            line_no,
            state: "matched".into(),
            reason: "by order".into(),
            transaction_id: transaction.map(str::to_owned),
            transaction_event: transaction.map(|_| 1),
            payment_product: transaction.map(|_| "vipps".into()),
            payment_product_type: None,
            merchant_reference: transaction.map(|_| "A-1".into()),
            merchant_reference_2: None,
            payout_on: civil::date(2026, 10, 5),
        };
        let written: Vec<MatchRow> =
            (0..20_000).map(|line_no| row(line_no, Some("T00000001.a").filter(|_| line_no % 3 > 0))).collect();
        let account = "T00000001".parse().unwrap();
        for packing in [Packing::Zstd, Packing::None] {
            let file = tempfile::tempfile().unwrap();
            let report = ReportId::from_sha256([7; 32]);
            let mut table = MatchTable::create(file.try_clone().unwrap(), &account, "vipps", report, packing).unwrap();
            written.iter().cloned().for_each(|row| table.add(row).unwrap());
            table.close().unwrap();
            let read: Vec<MatchRow> = read_matches(file).unwrap().map(Result::unwrap).collect();
            assert_eq!(read, written);
        }
    }
}
