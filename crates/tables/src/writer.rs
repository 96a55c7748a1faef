//! The sink that writes `settlement_line` as Parquet while a report is read.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Int8Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use settlement::{
    LineBatch, LineKind, Sealed, Settlement, SettlementHead, Sink, SinkError, Terms, TextColumn,
};

use crate::TableError;
use crate::digests::Digests;
use crate::schema::{SCHEMA_VERSION, SHOWN_PRECISION, SHOWN_SCALE, settlement_line_schema};

/// Lines in one row group: its buffers are what the writer holds in memory.
const ROW_GROUP_LINES: usize = 128 * 1024;
const PAGE_LINES: usize = 32 * 1024;

/// Whose lines a table holds; the same in every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableOwner {
    /// The Dintero account.
    pub account_id: String,
    /// The provider that wrote the report.
    pub provider: String,
    /// The format it was read as.
    pub format: String,
    /// SHA-256 of the report.
    pub report_id: String,
    /// IANA name of the zone that days are counted in.
    pub zone: String,
}

/// Writes lines to a Parquet file in bounded memory and keeps their digests.
pub struct LineTable {
    owner: TableOwner,
    zone: TimeZone,
    heads: Vec<SettlementHead>,
    digests: Digests,
    schema: SchemaRef,
    /// `None` once sealed.
    writer: Option<ArrowWriter<BufWriter<File>>>,
}

impl LineTable {
    /// A table of `owner` that goes to `file`.
    ///
    /// # Errors
    /// When the zone is unknown or Parquet refuses the file.
    pub fn create(file: File, owner: TableOwner) -> Result<Self, TableError> {
        let zone = TimeZone::get(&owner.zone).map_err(|_| TableError::Zone { zone: owner.zone.clone() })?;
        let schema = compact(&settlement_line_schema());
        let options = ArrowWriterOptions::new().with_properties(properties()?).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(BufWriter::new(file), Arc::clone(&schema), options)?;
        Ok(LineTable { owner, zone, heads: Vec::new(), digests: Digests::default(), schema, writer: Some(writer) })
    }

    fn write(&mut self, batch: &LineBatch) -> Result<(), TableError> {
        self.digests.add(batch)?;
        let columns = self.columns(batch)?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        if let Some(writer) = &mut self.writer {
            writer.write(&batch)?;
        }
        Ok(())
    }

    /// The columns in the order of [`settlement_line_schema`].
    fn columns(&self, batch: &LineBatch) -> Result<Vec<ArrayRef>, TableError> {
        let lines = batch.len();
        let head = |settlement: &u32| self.heads.get(*settlement as usize);
        let from_head = |value: fn(&SettlementHead) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(batch.settlement.iter().map(|s| head(s).map_or("", value))))
        };
        let money = |term: fn(&Terms) -> i64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(batch.terms.iter().map(term)))
        };
        let exponents = || batch.settlement.iter().map(|s| head(s).map_or(2, |head| head.exponent));
        let net = || batch.terms.iter().map(|terms| terms.net_minor().unwrap_or(0));
        let shown = net().zip(exponents()).map(|(minor, exponent)| shown_minor(minor, exponent));
        let captured_on = batch.captured_at_us.iter().zip(&batch.provider_date);
        Ok(vec![
            same(&self.owner.account_id, lines),
            same(&self.owner.provider, lines),
            from_head(|head| &head.merchant_number),
            from_head(|head| &head.settlement_id),
            same(&self.owner.report_id, lines),
            Arc::new(Int32Array::from_value(1, lines)),
            Arc::new(BooleanArray::from(vec![true; lines])),
            Arc::new(Int64Array::from_iter_values(batch.row.iter().map(|row| i64::from(*row)))),
            kinds(&batch.kind),
            money(|terms| terms.capture_minor),
            money(|terms| terms.refund_minor),
            money(|terms| terms.fee_minor),
            money(|terms| terms.fee_vat_minor),
            money(|terms| terms.chargeback_minor),
            money(|terms| terms.reserve_minor),
            money(|terms| terms.adjustment_minor),
            Arc::new(Int64Array::from_iter_values(net())),
            Arc::new(Decimal128Array::from_iter_values(shown).with_precision_and_scale(SHOWN_PRECISION, SHOWN_SCALE)?),
            from_head(|head| head.currency.as_str()),
            Arc::new(Int8Array::from_iter_values(exponents().map(|exponent| i8::try_from(exponent).unwrap_or(2)))),
            text(&batch.provider_transaction_id),
            text(&batch.original_reference),
            text(&batch.order_reference),
            text(&batch.correlation_id),
            text(&batch.provider_method),
            text(&batch.provider_kind),
            Arc::new(TimestampMicrosecondArray::from_iter(batch.captured_at_us.iter().copied()).with_timezone("UTC")),
            Arc::new(Date32Array::from_iter(captured_on.map(|(at, date)| self.day_of(*at).or(date.map(days))))),
            Arc::new(Date32Array::from_iter(batch.provider_date.iter().map(|date| date.map(days)))),
            Arc::new(Date32Array::from_iter_values(
                batch.settlement.iter().map(|s| head(s).map_or(0, |head| days(head.payout_on))),
            )),
            text(&batch.store_id),
            text(&batch.payout_destination_id),
            Arc::new(Int32Array::from_value(SCHEMA_VERSION, lines)),
        ])
    }

    /// The day of an instant in the account's zone.
    fn day_of(&self, at_us: Option<i64>) -> Option<i32> {
        let instant = Timestamp::from_microsecond(at_us?).ok()?;
        Some(days(self.zone.to_datetime(instant).date()))
    }
}

impl Sink for LineTable {
    fn open(&mut self, head: &SettlementHead) -> Result<(), SinkError> {
        self.digests.open(head);
        self.heads.push(head.clone());
        Ok(())
    }

    fn lines(&mut self, batch: &LineBatch) -> Result<(), SinkError> {
        Ok(self.write(batch)?)
    }

    fn seal(&mut self, settlements: &[Settlement]) -> Result<Sealed, SinkError> {
        if let Some(writer) = self.writer.take() {
            writer.close().map_err(TableError::from)?;
        }
        Ok(self.digests.seal(settlements)?)
    }
}

/// Days since 1970.
pub(crate) fn days(date: Date) -> i32 {
    date.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days())
}

/// Minor units at the two decimals that people are shown; exact for every currency with at most two.
pub(crate) fn shown_minor(minor: i64, exponent: u8) -> i128 {
    let minor = i128::from(minor);
    match exponent {
        0 => minor * 100,
        1 => minor * 10,
        2 => minor,
        more => minor / 10_i128.pow(u32::from(more - 2)),
    }
}

/// The schema with few-valued texts as dictionaries: the same Parquet, less work.
fn compact(schema: &Schema) -> SchemaRef {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let fields = schema.fields().iter().map(|field| match field.name().as_str() {
        "account_id" | "provider" | "report_id" | "kind" => Field::new(field.name(), dictionary.clone(), false),
        _ => field.as_ref().clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

fn same(value: &str, lines: usize) -> ArrayRef {
    let keys = Int8Array::from_value(0, lines);
    let values: ArrayRef = Arc::new(StringArray::from(vec![value]));
    match DictionaryArray::<Int8Type>::try_new(keys, values) {
        Ok(array) => Arc::new(array),
        // Key 0 of one value is always valid.
        Err(_) => Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, lines))),
    }
}

fn kinds(kinds: &[LineKind]) -> ArrayRef {
    let keys = Int8Array::from_iter_values(kinds.iter().map(|kind| i8::try_from(kind.code()).unwrap_or(0)));
    let words: ArrayRef = Arc::new(StringArray::from_iter_values(LineKind::ALL.iter().map(|(_, word)| *word)));
    match DictionaryArray::<Int8Type>::try_new(keys, words) {
        Ok(array) => Arc::new(array),
        // Every code is the place of its word.
        Err(_) => Arc::new(StringArray::from_iter_values(kinds.iter().map(|kind| kind.as_str()))),
    }
}

/// A text column whose empty values are null; the text itself is handed over as it lies.
fn text(column: &TextColumn) -> ArrayRef {
    let offsets = column.offsets();
    let lines = offsets.len() - 1;
    if column.is_absent() {
        return new_null_array(&DataType::Utf8, lines);
    }
    let nulls = NullBuffer::from_iter(offsets.windows(2).map(|ends| ends.first() != ends.last()));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets.to_vec()));
    let values = Buffer::from(column.text().as_bytes());
    match StringArray::try_new(offsets, values, Some(nulls)) {
        Ok(array) => Arc::new(array),
        Err(_) => Arc::new(StringArray::from_iter(column.iter().map(|value| Some(value).filter(|v| !v.is_empty())))),
    }
}

fn properties() -> Result<WriterProperties, TableError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_created_by(concat!("avstem tables ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_max_row_group_row_count(Some(ROW_GROUP_LINES))
        .set_data_page_row_count_limit(PAGE_LINES)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_column_index_truncate_length(Some(64));
    let grow = ["line_no", "capture_minor", "refund_minor", "fee_minor", "net_minor", "net", "captured_at"];
    for name in grow {
        let column = ColumnPath::from(name);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
    }
    for name in ["provider_transaction_id", "original_reference", "order_reference", "correlation_id"] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    let ids = ColumnPath::from("provider_transaction_id");
    Ok(properties.set_column_encoding(ids, Encoding::DELTA_BYTE_ARRAY).build())
}
