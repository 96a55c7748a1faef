//! The sink that writes `settlement_line` as Parquet while a report is read.

use std::fs::File;
use std::iter::repeat_n;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Int8Array, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use parquet::basic::Encoding;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use settlement::{
    AccountId, LineBatch, ReportId, Sealed, Settlement, SettlementHead, Sink, SinkError, Terms, TextColumn,
};

use crate::calendar::days;
use crate::digests::Digests;
use crate::error::TableError;
use crate::packing::Packing;
use crate::parquet_file::{Cells, ParquetFile};
use crate::schema::{SCHEMA_VERSION, SETTLEMENT_LINE, SHOWN_PRECISION};

/// Lines of one row group, whose buffers the writer holds in memory.
const ROW_GROUP_LINES: usize = 64 * 1024;
const PAGE_LINES: usize = 16 * 1024;

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

impl TableOwner {
    /// The owner of the tables of `report`, read as `format` of `provider` for `account`.
    pub fn new(account: &AccountId, provider: &str, format: &str, report: ReportId, zone: &str) -> Self {
        TableOwner {
            account_id: account.to_string(),
            provider: provider.to_owned(),
            format: format.to_owned(),
            report_id: report.to_string(),
            zone: zone.to_owned(),
        }
    }
}

/// Writes lines to a Parquet file in bounded memory and keeps their digests.
pub struct LineTable {
    owner: TableOwner,
    zone: TimeZone,
    /// Each settlement with the day of its payout.
    heads: Vec<(SettlementHead, i32)>,
    digests: Digests,
    /// `None` once sealed.
    file: Option<ParquetFile>,
}

impl LineTable {
    /// A table of `owner` that goes to `file` with that packing.
    ///
    /// # Errors
    /// When the zone is unknown or Parquet refuses the file.
    pub fn create(file: File, owner: TableOwner, packing: Packing) -> Result<Self, TableError> {
        let zone = TimeZone::get(&owner.zone).map_err(|_| TableError::Zone { zone: owner.zone.clone() })?;
        let file = ParquetFile::create(file, SETTLEMENT_LINE.schema(), properties(packing)?, ROW_GROUP_LINES)?;
        Ok(LineTable { owner, zone, heads: Vec::new(), digests: Digests::default(), file: Some(file) })
    }

    fn write(&mut self, batch: &LineBatch) -> Result<(), TableError> {
        self.digests.add(batch)?;
        let columns = self.columns(batch)?;
        if let Some(file) = &mut self.file {
            file.write(batch.len(), columns)?;
        }
        Ok(())
    }

    /// The columns in the order of [`SETTLEMENT_LINE`].
    fn columns<'b>(&self, batch: &'b LineBatch) -> Result<Vec<Cells<'b>>, TableError> {
        let provider_dates: Vec<Option<i32>> = batch.provider_date.iter().map(|date| date.map(days)).collect();
        let net = batch.terms.iter().map(Terms::net_minor).collect::<Option<Vec<_>>>().ok_or(TableError::Amount)?;
        let exponents = batch.settlement.iter().map(|index| self.head(*index).map_or(2, |(head, _)| head.exponent));
        let shown = net.iter().zip(exponents).map(|(minor, exponent)| shown_minor(*minor, exponent));
        let shown = shown.map(fitting).collect::<Option<_>>().ok_or(TableError::Amount)?;
        Ok(vec![
            same_text(&self.owner.account_id),
            same_text(&self.owner.provider),
            self.per_settlement(batch, |head, _| head.merchant_number.as_str(), texts),
            self.per_settlement(batch, |head, _| head.settlement_id.as_str(), texts),
            same_text(&self.owner.report_id),
            Cells::Same(Arc::new(Int32Array::from_value(1, 1))),
            Cells::Same(Arc::new(BooleanArray::from(vec![true]))),
            Cells::Numbers(batch.row.iter().map(|row| i64::from(*row)).collect()),
            Cells::Words(batch.kind.iter().map(|kind| kind.as_str()).collect()),
            money(batch, |terms| terms.capture_minor),
            money(batch, |terms| terms.refund_minor),
            money(batch, |terms| terms.fee_minor),
            money(batch, |terms| terms.fee_vat_minor),
            money(batch, |terms| terms.chargeback_minor),
            money(batch, |terms| terms.reserve_minor),
            money(batch, |terms| terms.adjustment_minor),
            Cells::Numbers(net),
            Cells::Numbers(shown),
            self.per_settlement(batch, |head, _| head.currency.as_str(), texts),
            self.per_settlement(
                batch,
                |head, _| i8::try_from(head.exponent).unwrap_or(2),
                |cells| Arc::new(Int8Array::from(cells)),
            ),
            text(&batch.provider_transaction_id)?,
            text(&batch.original_reference)?,
            text(&batch.order_reference)?,
            text(&batch.correlation_id)?,
            words(&batch.provider_method),
            words(&batch.provider_kind),
            instants(&batch.captured_at_us),
            dates(self.captured_on(batch, &provider_dates)),
            dates(provider_dates),
            self.per_settlement(batch, |_, payout_on| payout_on, |cells| Arc::new(Date32Array::from(cells))),
            text(&batch.store_id)?,
            text(&batch.payout_destination_id)?,
            Cells::Same(Arc::new(Int32Array::from_value(SCHEMA_VERSION, 1))),
            Cells::Same(new_null_array(&DataType::Int32, 1)),
        ])
    }

    fn head(&self, index: u32) -> Option<&(SettlementHead, i32)> {
        self.heads.get(index as usize)
    }

    /// A column that is the same for all lines of a settlement.
    fn per_settlement<'a, T: Copy + PartialEq + Default>(
        &'a self,
        batch: &LineBatch,
        value: impl Fn(&'a SettlementHead, i32) -> T,
        array: impl Fn(Vec<T>) -> ArrayRef,
    ) -> Cells<'static> {
        let of = |index: u32| self.head(index).map_or_else(T::default, |(head, payout_on)| value(head, *payout_on));
        let runs = batch.settlement.chunk_by(|one, other| one == other);
        let runs: Vec<(T, usize)> = runs.filter_map(|run| run.first().map(|index| (of(*index), run.len()))).collect();
        match runs.first() {
            Some((first, _)) if runs.iter().all(|(value, _)| value == first) => Cells::Same(array(vec![*first])),
            _ => {
                let mut cells = Vec::with_capacity(batch.len());
                runs.iter().for_each(|(value, lines)| cells.extend(repeat_n(*value, *lines)));
                Cells::Each(array(cells))
            }
        }
    }

    /// The day of each line in the account's zone; where only the provider's day is known, that.
    fn captured_on(&self, batch: &LineBatch, provider_dates: &[Option<i32>]) -> Vec<Option<i32>> {
        let days = batch.captured_at_us.iter().zip(provider_dates);
        days.map(|(at, provider_date)| self.day_of(*at).or(*provider_date)).collect()
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
        self.heads.push((head.clone(), days(head.payout_on)));
        Ok(())
    }

    fn lines(&mut self, batch: &LineBatch) -> Result<(), SinkError> {
        Ok(self.write(batch)?)
    }

    fn seal(&mut self, settlements: &[Settlement]) -> Result<Sealed, SinkError> {
        if let Some(file) = self.file.take() {
            file.close()?;
        }
        Ok(self.digests.seal(settlements)?)
    }
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

/// An amount with two decimals, where it has no more digits than its column.
fn fitting(shown: i128) -> Option<i64> {
    i64::try_from(shown).ok().filter(|shown| shown.unsigned_abs() < 10_u64.pow(u32::from(SHOWN_PRECISION)))
}

fn same_text(value: &str) -> Cells<'static> {
    Cells::Same(Arc::new(StringArray::from(vec![value])))
}

fn texts(values: Vec<&str>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

/// A term of every line; one that no line has is the same zero throughout.
fn money(batch: &LineBatch, term: fn(&Terms) -> i64) -> Cells<'static> {
    if batch.terms.iter().all(|terms| term(terms) == 0) {
        return Cells::Same(Arc::new(Int64Array::from_value(0, 1)));
    }
    Cells::Numbers(batch.terms.iter().map(term).collect())
}

fn instants(at_us: &[Option<i64>]) -> Cells<'static> {
    let array = |values: &[Option<i64>]| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from_iter(values.iter().copied()).with_timezone("UTC"))
    };
    if at_us.iter().all(Option::is_none) { Cells::Same(array(&[None])) } else { Cells::Each(array(at_us)) }
}

/// Days since 1970.
fn dates(days: Vec<Option<i32>>) -> Cells<'static> {
    let numbers: Option<Vec<i64>> = days.iter().map(|day| day.map(i64::from)).collect();
    numbers.map_or_else(|| Cells::Each(Arc::new(Date32Array::from(days))), Cells::Numbers)
}

fn words(column: &TextColumn) -> Cells<'_> {
    if column.is_absent() { no_text() } else { Cells::Words(column.iter().collect()) }
}

fn no_text() -> Cells<'static> {
    Cells::Same(new_null_array(&DataType::Utf8, 1))
}

/// A text column whose empty values are null. Arrow takes the column's own buffers.
fn text(column: &TextColumn) -> Result<Cells<'static>, TableError> {
    if column.is_absent() {
        return Ok(no_text());
    }
    let offsets = column.offsets();
    let is_present = |line: usize| offsets.get(line) != offsets.get(line + 1);
    let present = || BooleanBuffer::collect_bool(offsets.len().saturating_sub(1), is_present);
    let nulls = if column.is_everywhere() { None } else { Some(NullBuffer::new(present())) };
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets.to_vec()));
    let values = Buffer::from(column.text().as_bytes());
    Ok(Cells::Each(Arc::new(StringArray::try_new(offsets, values, nulls)?)))
}

pub(crate) fn properties(packing: Packing) -> Result<WriterProperties, TableError> {
    let mut properties = packing
        .properties()?
        .set_max_row_group_row_count(Some(ROW_GROUP_LINES))
        .set_data_page_row_count_limit(PAGE_LINES)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_column_index_truncate_length(Some(64));
    // Every reader knows plain pages. A dictionary of what differs from line to line would be given up when its page is full.
    let numbers = ["line_no", "capture_minor", "refund_minor", "fee_minor", "net_minor", "net"];
    let days = ["captured_at", "captured_on", "provider_date", "payout_on"];
    let ids = ["provider_transaction_id", "original_reference", "order_reference", "correlation_id"];
    for name in numbers.into_iter().chain(days).chain(ids) {
        let column = ColumnPath::from(name);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::PLAIN);
    }
    // Columns by which no reader skips pages need no statistics.
    for name in ["kind", "provider_method", "provider_kind", "order_reference"] {
        properties = properties.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::None);
    }
    Ok(properties.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use settlement::{Line, LineKind};

    #[test]
    fn a_line_without_a_reference_has_none_wherever_it_stands() {
        let mut batch = LineBatch::default();
        let references: Vec<String> = (0..200).map(|line| "7".repeat(line % 3)).collect();
        for reference in &references {
            batch.push(&Line {
                settlement: 0,
                row: 1,
                kind: LineKind::Sale,
                terms: Terms::default(),
                provider_transaction_id: "7",
                original_reference: "",
                order_reference: reference,
                correlation_id: "",
                provider_method: "",
                provider_kind: "",
                store_id: "",
                payout_destination_id: "",
                captured_at_us: None,
                provider_date: None,
            });
        }
        let Cells::Each(array) = text(&batch.order_reference).unwrap() else { panic!("not one for each line") };
        let expected = references.iter().map(|reference| Some(reference.as_str()).filter(|text| !text.is_empty()));
        assert!(array.as_string::<i32>().iter().eq(expected));
        let Cells::Each(array) = text(&batch.provider_transaction_id).unwrap() else { panic!("not one for each line") };
        assert_eq!((array.len(), array.null_count()), (200, 0));
        assert!(matches!(text(&batch.correlation_id).unwrap(), Cells::Same(none) if none.null_count() == 1));
    }

    #[test]
    fn an_amount_of_more_digits_than_its_column_is_refused() {
        for (minor, fits) in [(0, true), (10_i64.pow(18) - 1, true), (10_i64.pow(18), false)] {
            assert_eq!(fitting(i128::from(minor)), fits.then_some(minor));
            assert_eq!(fitting(i128::from(-minor)), fits.then_some(-minor));
        }
        assert_eq!(fitting(i128::from(i64::MAX) + 1), None);
    }
}
