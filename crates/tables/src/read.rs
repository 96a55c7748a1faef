//! Rows read back from files that avstem wrote, and those of `settlement_line`.

use std::fs::File;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, PrimitiveArray, RecordBatch, StringArray};
use jiff::ToSpan;
use jiff::civil::Date;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::reader::ChunkReader;
use settlement::{LineKind, LineRecord, Terms};

use crate::calendar::EPOCH;
use crate::error::TableError;

/// The rows of one file in the order in which they were written, one batch in memory at a time.
pub struct Rows<T> {
    reader: ParquetRecordBatchReader,
    batch: std::vec::IntoIter<T>,
    of_batch: fn(&RecordBatch) -> Result<Vec<T>, TableError>,
}

impl<T> Rows<T> {
    pub(crate) fn of(
        file: impl ChunkReader + 'static,
        of_batch: fn(&RecordBatch) -> Result<Vec<T>, TableError>,
    ) -> Result<Self, TableError> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)?.build()?;
        Ok(Rows { reader, batch: Vec::new().into_iter(), of_batch })
    }
}

impl<T> Iterator for Rows<T> {
    type Item = Result<T, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.batch.next() {
                return Some(Ok(row));
            }
            match self.reader.next()?.map_err(TableError::from).and_then(|batch| (self.of_batch)(&batch)) {
                Ok(rows) => self.batch = rows.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The lines of one file.
pub type LineRecords = Rows<LineRecord>;

/// Reads the lines of a `settlement_line` file.
///
/// # Errors
/// When the file is not Parquet or not a table of this schema.
pub fn read_lines(file: File) -> Result<LineRecords, TableError> {
    Rows::of(file, records)
}

fn records(batch: &RecordBatch) -> Result<Vec<LineRecord>, TableError> {
    let text = |column| texts(batch, column);
    let money = |column| numbers::<Int64Type>(batch, column);
    let day = |column| numbers::<Date32Type>(batch, column);
    let [merchant, settlement, currency, kind] =
        [text("merchant_number")?, text("settlement_id")?, text("currency")?, text("kind")?];
    let [transaction, original, order, correlation] = [
        text("provider_transaction_id")?,
        text("original_reference")?,
        text("order_reference")?,
        text("correlation_id")?,
    ];
    let [method, word] = [text("provider_method")?, text("provider_kind")?];
    let [store, destination] = [text("store_id")?, text("payout_destination_id")?];
    let [capture, refund, fee, fee_vat] =
        [money("capture_minor")?, money("refund_minor")?, money("fee_minor")?, money("fee_vat_minor")?];
    let [chargeback, reserve, adjustment] =
        [money("chargeback_minor")?, money("reserve_minor")?, money("adjustment_minor")?];
    let line_no = money("line_no")?;
    let captured_at = numbers::<TimestampMicrosecondType>(batch, "captured_at")?;
    let [captured_on, provider_date] = [day("captured_on")?, day("provider_date")?];
    (0..batch.num_rows())
        .map(|row| {
            Ok(LineRecord {
                merchant_number: merchant.value(row).to_owned(),
                settlement_id: settlement.value(row).to_owned(),
                currency: currency.value(row).parse().map_err(|_| TableError::Column { column: "currency" })?,
                line_no: line_no.value(row),
                kind: LineKind::from_word(kind.value(row)).ok_or(TableError::Column { column: "kind" })?,
                terms: Terms {
                    capture_minor: capture.value(row),
                    refund_minor: refund.value(row),
                    fee_minor: fee.value(row),
                    fee_vat_minor: fee_vat.value(row),
                    chargeback_minor: chargeback.value(row),
                    reserve_minor: reserve.value(row),
                    adjustment_minor: adjustment.value(row),
                },
                provider_transaction_id: optional(transaction, row),
                original_reference: optional(original, row),
                order_reference: optional(order, row),
                correlation_id: optional(correlation, row),
                provider_method: optional(method, row),
                provider_kind: optional(word, row),
                store_id: optional(store, row),
                payout_destination_id: optional(destination, row),
                captured_at_us: captured_at.is_valid(row).then(|| captured_at.value(row)),
                captured_on: date(captured_on, row),
                provider_date: date(provider_date, row),
            })
        })
        .collect()
}

pub(crate) fn texts<'a>(batch: &'a RecordBatch, column: &'static str) -> Result<&'a StringArray, TableError> {
    batch.column_by_name(column).and_then(|array| array.as_string_opt()).ok_or(TableError::Column { column })
}

pub(crate) fn numbers<'a, T: arrow_array::ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    column: &'static str,
) -> Result<&'a PrimitiveArray<T>, TableError> {
    batch.column_by_name(column).and_then(|array| array.as_primitive_opt()).ok_or(TableError::Column { column })
}

pub(crate) fn optional(array: &StringArray, row: usize) -> Option<String> {
    array.is_valid(row).then(|| array.value(row).to_owned())
}

pub(crate) fn date(array: &PrimitiveArray<Date32Type>, row: usize) -> Option<Date> {
    let days = array.is_valid(row).then(|| array.value(row))?;
    EPOCH.checked_add(days.days()).ok()
}
