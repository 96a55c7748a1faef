//! The `transaction` table: the mirror of what Dintero knows, one file for each day of first captures.

use std::io::Write;
use std::sync::Arc;

use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use serde::Serialize;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{Deserialize, DeserializeOwned, IntoDeserializer};
use serde_json::Value;
use settlement::{AccountId, Transaction};

use crate::error::TableError;
use crate::packing::Packing;
use crate::read::{Rows, numbers, optional, texts};
use crate::schema::SCHEMA_VERSION;

/// Rows that are written at a time.
const BATCH_ROWS: usize = 8 * 1024;

/// One row per transaction that was captured: what matching needs, and nothing of the buyer. Lists and maps are JSON.
///
/// The table is not part of the lake: only avstem reads it.
fn transaction_schema() -> SchemaRef {
    use DataType::{Int32, Int64, Utf8};
    let required = |name: &str, data_type| Field::new(name, data_type, false);
    let optional = |name: &str| Field::new(name, Utf8, true);
    Arc::new(Schema::new(vec![
        required("account_id", Utf8),
        required("transaction_id", Utf8),
        required("merchant_reference", Utf8),
        optional("merchant_reference_2"),
        required("status", Utf8),
        required("payment_product", Utf8),
        required("payment_product_type", Utf8),
        required("currency", Utf8),
        required("amount_minor", Int64),
        optional("payout_destination_id"),
        optional("store_id"),
        optional("settlement_status"),
        required("keys", Utf8),
        required("events", Utf8),
        required("settlement_events", Utf8),
        required("schema_version", Int32),
    ]))
}

/// Writes one row per transaction to `output` as Parquet.
///
/// # Errors
/// When the output or Parquet refuses.
pub fn write_transactions(
    output: impl Write + Send,
    account: &AccountId,
    transactions: &[&Transaction],
    packing: Packing,
) -> Result<(), TableError> {
    let options =
        ArrowWriterOptions::new().with_properties(packing.properties()?.build()).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(output, transaction_schema(), options)?;
    for part in transactions.chunks(BATCH_ROWS) {
        writer.write(&RecordBatch::try_new(transaction_schema(), columns(account, part))?)?;
    }
    writer.close()?;
    Ok(())
}

/// The columns in the order of `transaction_schema`.
fn columns(account: &AccountId, rows: &[&Transaction]) -> Vec<ArrayRef> {
    let text = |value: &dyn Fn(&Transaction) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(rows.iter().map(|row| value(row))))
    };
    vec![
        Arc::new(StringArray::from(vec![account.as_str(); rows.len()])),
        text(&|row| Some(row.id.clone())),
        text(&|row| Some(row.merchant_reference.clone())),
        text(&|row| row.merchant_reference_2.clone()),
        text(&|row| word(&row.status)),
        text(&|row| Some(row.payment_product.clone())),
        text(&|row| Some(row.payment_product_type.clone())),
        text(&|row| Some(row.currency.to_string())),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.amount_minor))),
        text(&|row| row.payout_destination_id.clone()),
        text(&|row| row.store_id.clone()),
        text(&|row| row.settlement_status.as_ref().and_then(word)),
        text(&|row| json(&row.keys)),
        text(&|row| json(&row.events)),
        text(&|row| json(&row.settlement_events)),
        Arc::new(Int32Array::from_value(SCHEMA_VERSION, rows.len())),
    ]
}

/// The word of an enum's variant.
fn word(value: &impl Serialize) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Some(word),
        _ => None,
    }
}

/// Maps and lists of plain structures, which always serialise.
fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// The transactions of one file.
pub type Transactions = Rows<Transaction>;

/// Reads the transactions of a file's bytes.
///
/// # Errors
/// When the bytes are not Parquet or not a table of this schema.
pub fn read_transactions(bytes: Vec<u8>) -> Result<Transactions, TableError> {
    Rows::of(Bytes::from(bytes), transactions)
}

fn transactions(batch: &RecordBatch) -> Result<Vec<Transaction>, TableError> {
    let text = |column| texts(batch, column);
    let [id, reference, reference_2] =
        [text("transaction_id")?, text("merchant_reference")?, text("merchant_reference_2")?];
    let [status, product, product_type] = [text("status")?, text("payment_product")?, text("payment_product_type")?];
    let [currency, destination, store] = [text("currency")?, text("payout_destination_id")?, text("store_id")?];
    let [settled, keys, events] = [text("settlement_status")?, text("keys")?, text("events")?];
    let settlement_events = text("settlement_events")?;
    let amount = numbers::<Int64Type>(batch, "amount_minor")?;
    (0..batch.num_rows())
        .map(|row| {
            Ok(Transaction {
                id: id.value(row).to_owned(),
                merchant_reference: reference.value(row).to_owned(),
                merchant_reference_2: optional(reference_2, row),
                status: of_word(status.value(row), "status")?,
                payment_product: product.value(row).to_owned(),
                payment_product_type: product_type.value(row).to_owned(),
                currency: currency.value(row).parse().map_err(|_| TableError::Column { column: "currency" })?,
                amount_minor: amount.value(row),
                payout_destination_id: optional(destination, row),
                store_id: optional(store, row),
                keys: of_json(keys.value(row), "keys")?,
                events: of_json(events.value(row), "events")?,
                settlement_events: of_json(settlement_events.value(row), "settlement_events")?,
                settlement_status: optional(settled, row)
                    .map(|word| of_word(&word, "settlement_status"))
                    .transpose()?,
            })
        })
        .collect()
}

fn of_word<'a, T: Deserialize<'a>>(word: &'a str, column: &'static str) -> Result<T, TableError> {
    let word: StrDeserializer<'a, WordError> = word.into_deserializer();
    T::deserialize(word).map_err(|_| TableError::Column { column })
}

fn of_json<T: DeserializeOwned>(text: &str, column: &'static str) -> Result<T, TableError> {
    serde_json::from_str(text).map_err(|_| TableError::Column { column })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use settlement::{
        Currency, SettlementEvent, SettlementStatus, TransactionEvent, TransactionEventKind, TransactionStatus,
    };

    use super::*;

    fn transaction(number: i64) -> Transaction {
        let settled = SettlementEvent {
            settlement_id: "2000461".into(),
            provider_reference: "2000461".into(),
            event_correlation_id: None,
            amount_minor: number,
            capture_minor: number,
            refund_minor: 0,
            fee_minor: 0,
        };
        let event = TransactionEvent {
            kind: TransactionEventKind::Capture,
            amount_minor: number,
            success: true,
            at: "2026-10-02T10:00:00.123456Z".parse().ok(),
            reference: Some("A-1".into()),
            keys: BTreeMap::from([("vipps:transactionInfo.transactionId".to_owned(), "56".to_owned())]),
            settlement_events: vec![settled.clone()],
        };
        Transaction {
            id: format!("T00000001.{number:06}"),
            merchant_reference: format!("ørret \"{number}\""),
            merchant_reference_2: (number % 2 == 0).then(|| "A-1".into()),
            status: TransactionStatus::PartiallyCapturedRefunded,
            payment_product: "vipps".into(),
            payment_product_type: "vipps".into(),
            currency: Currency::NOK,
            amount_minor: number,
            payout_destination_id: None,
            store_id: Some("1".into()),
            keys: BTreeMap::new(),
            events: vec![event],
            settlement_events: vec![settled],
            settlement_status: (number % 3 == 0).then_some(SettlementStatus::PartiallySettled),
        }
    }

    #[test]
    fn transactions_are_read_as_they_were_written() {
        let written: Vec<Transaction> = (0..9_000).map(transaction).collect();
        let mut file = Vec::new();
        let all: Vec<&Transaction> = written.iter().collect();
        let account = "T00000001".parse().unwrap();
        write_transactions(&mut file, &account, &all, Packing::Zstd).unwrap();
        let read: Vec<Transaction> = read_transactions(file).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, written);
    }

    #[test]
    fn a_file_of_another_table_is_refused() {
        let account = "T00000001".parse().unwrap();
        let report = settlement::ReportId::from_sha256([1; 32]);
        let mut table = crate::MatchTable::create(Vec::new(), &account, "vipps", report, Packing::None).unwrap();
        table
            .add(crate::MatchRow {
                merchant_number: "1".into(),
                settlement_id: "1".into(),
                currency: Currency::NOK,
                line_no: 1,
                state: "matched".into(),
                reason: String::new(),
                transaction_id: None,
                transaction_event: None,
                payment_product: None,
                payment_product_type: None,
                merchant_reference: None,
                merchant_reference_2: None,
                payout_on: jiff::civil::date(2026, 10, 5),
            })
            .unwrap();
        let error = read_transactions(table.close().unwrap()).unwrap().next().unwrap().unwrap_err();
        assert!(error.to_string().contains("status"), "{error}");
    }
}
