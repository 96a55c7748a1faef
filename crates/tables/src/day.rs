//! The lake's large tables: one day of payouts, streamed from the tables of its reports.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow_array::types::{Date32Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Int32Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use jiff::civil::Date;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::statistics::Statistics;
use settlement::{Currency, TermSums, Terms};

use crate::calendar::days;
use crate::error::TableError;
use crate::packing::Packing;
use crate::read::{date, numbers, texts};
use crate::schema::{MATCH, SETTLEMENT_LINE, Table};
use crate::stream::{BATCH_ROWS, TableStream, conformed};

/// A version of a settlement whose rows are taken from the table of a report.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The caller's number of the version.
    pub number: usize,
    /// The provider's number of the merchant.
    pub merchant_number: &'a str,
    /// The provider's id of the settlement.
    pub settlement_id: &'a str,
    /// Its currency.
    pub currency: Currency,
    /// Its version.
    pub version: u32,
    /// Whether this version is in force.
    pub is_current: bool,
}

/// The sum of lines of one version in force, of one product, state and month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineSum {
    /// The caller's number of the version.
    pub number: usize,
    /// The payment product of the lines, where it is known.
    pub payment_product: Option<String>,
    /// The match state of the lines; `None` where they are not matched yet.
    pub state: Option<String>,
    /// First day of the month in which the lines happened.
    pub month: Date,
    /// Number of lines.
    pub lines: u64,
    /// Sums of the lines, in minor units.
    pub terms: Terms,
}

/// The word of each settlement event's state, by the caller's number of the version and the transaction.
pub type EventStates = HashMap<(usize, String), &'static str>;

/// `settlement_line` of one day, while it is written.
pub struct DayLines<W: Write + Send> {
    table: TableStream<W>,
    payout_on: Date,
    /// Each once, in the order in which they are met.
    line_matches: Vec<LineMatch>,
    sums: HashMap<(usize, Date, Option<usize>), (u64, TermSums)>,
}

impl<W: Write + Send> DayLines<W> {
    /// An empty table of the payouts of one day.
    ///
    /// # Errors
    /// When the output or Parquet refuses.
    pub fn create(output: W, payout_on: Date, packing: Packing) -> Result<Self, TableError> {
        let table = TableStream::create(output, &SETTLEMENT_LINE, packing)?;
        Ok(DayLines { table, payout_on, line_matches: Vec::new(), sums: HashMap::new() })
    }

    /// Adds the lines of `shown` versions from the table of a report, in its order. `matches` is the report's match table with
    /// the versions that it is about.
    ///
    /// # Errors
    /// When a file is not such a table, or the output or Parquet refuses.
    pub fn add(
        &mut self,
        lines: File,
        shown: &[Shown<'_>],
        matches: Option<(File, &[Shown<'_>])>,
    ) -> Result<(), TableError> {
        let mut parts = Parts::default();
        let mut matched = matches.map(|(file, about)| Matched::read(file, self.payout_on, about)).transpose()?;
        for selected in Selection::open(lines, &SETTLEMENT_LINE, &[], self.payout_on, shown)? {
            let Selected { batch, shown } = selected?;
            let batch = conformed(&batch, &SETTLEMENT_LINE)?;
            let versions = shown.iter().map(|shown| i32::try_from(shown.version).unwrap_or(i32::MAX));
            let versions: ArrayRef = Arc::new(Int32Array::from_iter_values(versions));
            let flags: ArrayRef = Arc::new(BooleanArray::from_iter(shown.iter().map(|shown| Some(shown.is_current))));
            let batch = with_column(&batch, &SETTLEMENT_LINE, "report_version", versions)?;
            let batch = with_column(&batch, &SETTLEMENT_LINE, "is_current", flags)?;
            let parts = parts.of(&batch, &shown)?;
            self.sum(&batch, &shown, &parts, matched.as_mut())?;
            let batch = with_column(&batch, &SETTLEMENT_LINE, "line_part", Arc::new(Int32Array::from(parts)))?;
            self.table.write(&batch)?;
        }
        Ok(())
    }

    fn sum(
        &mut self,
        batch: &RecordBatch,
        shown: &[&Shown<'_>],
        parts: &[i32],
        mut matched: Option<&mut Matched<'_>>,
    ) -> Result<(), TableError> {
        let lines = numbers::<Int64Type>(batch, "line_no")?;
        let money = |column| numbers::<Int64Type>(batch, column);
        let [capture, refund, fee, fee_vat] =
            [money("capture_minor")?, money("refund_minor")?, money("fee_minor")?, money("fee_vat_minor")?];
        let [chargeback, reserve, adjustment] =
            [money("chargeback_minor")?, money("reserve_minor")?, money("adjustment_minor")?];
        let captured_on = numbers::<Date32Type>(batch, "captured_on")?;
        let provider_date = numbers::<Date32Type>(batch, "provider_date")?;
        let kinds = texts(batch, "kind")?;
        for (row, (shown, part)) in shown.iter().zip(parts).enumerate().filter(|(_, (shown, _))| shown.is_current) {
            let line_match = match &mut matched {
                Some(matched) => matched.of((shown.number, lines.value(row), *part), &mut self.line_matches)?,
                None => None,
            };
            // Only captures and refunds have transactions: a fee that a notice adds is matched with nothing.
            let is_of_none = line_match.is_none() && !matches!(kinds.value(row), "sale" | "refund");
            let line_match = match is_of_none {
                true => Some(place_of(LineMatch::nothing(), &mut self.line_matches)),
                false => line_match,
            };
            // The same day as `matching::happened_on`.
            let happened_on = date(captured_on, row).or_else(|| date(provider_date, row)).unwrap_or(self.payout_on);
            let (count, sums) = self.sums.entry((shown.number, happened_on.first_of_month(), line_match)).or_default();
            *count += 1;
            sums.add(&Terms {
                capture_minor: capture.value(row),
                refund_minor: refund.value(row),
                fee_minor: fee.value(row),
                fee_vat_minor: fee_vat.value(row),
                chargeback_minor: chargeback.value(row),
                reserve_minor: reserve.value(row),
                adjustment_minor: adjustment.value(row),
            });
        }
        Ok(())
    }

    /// Writes the footer; returns the output, its number of rows, and the sums of the versions in force.
    ///
    /// # Errors
    /// When the output or Parquet refuses, or a sum is beyond the range of `i64`.
    pub fn close(self) -> Result<(W, u64, Vec<LineSum>), TableError> {
        let (output, rows) = self.table.close()?;
        let mut sums = Vec::new();
        for ((number, month, place), (lines, terms)) in self.sums {
            let terms = terms.terms().ok_or(TableError::Column { column: "net_minor" })?;
            let line_match = place.and_then(|place| self.line_matches.get(place)).cloned();
            let (payment_product, state) =
                line_match.map_or((None, None), |found| (found.payment_product, Some(found.state)));
            sums.push(LineSum { number, payment_product, state, month, lines, terms });
        }
        let place = |sum: &LineSum| (sum.number, sum.month, sum.payment_product.clone(), sum.state.clone());
        sums.sort_by_key(place);
        Ok((output, rows, sums))
    }
}

/// `match` of one day, while it is written.
pub struct DayMatches<W: Write + Send> {
    table: TableStream<W>,
    payout_on: Date,
}

impl<W: Write + Send> DayMatches<W> {
    /// An empty table of the payouts of one day.
    ///
    /// # Errors
    /// When the output or Parquet refuses.
    pub fn create(output: W, payout_on: Date, packing: Packing) -> Result<Self, TableError> {
        Ok(DayMatches { table: TableStream::create(output, &MATCH, packing)?, payout_on })
    }

    /// Adds the rows of versions from a report's match table, in its order, with the states of their events.
    ///
    /// # Errors
    /// When the file is not such a table, or the output or Parquet refuses.
    pub fn add(&mut self, matches: File, shown: &[Shown<'_>], events: &EventStates) -> Result<(), TableError> {
        let mut parts = Parts::default();
        for selected in Selection::open(matches, &MATCH, &[], self.payout_on, shown)? {
            let Selected { batch, shown } = selected?;
            let batch = conformed(&batch, &MATCH)?;
            let parts = Arc::new(Int32Array::from(parts.of(&batch, &shown)?));
            let batch = with_column(&batch, &MATCH, "line_part", parts)?;
            let transactions = texts(&batch, "transaction_id")?;
            let places = numbers::<Int32Type>(&batch, "transaction_event")?;
            let state = |(row, shown): (usize, &&Shown<'_>)| {
                // A line other than a capture or refund is in no event of its transaction.
                let is_event = transactions.is_valid(row) && places.is_valid(row);
                is_event.then(|| events.get(&(shown.number, transactions.value(row).to_owned())).copied()).flatten()
            };
            let states: ArrayRef = Arc::new(StringArray::from_iter(shown.iter().enumerate().map(state)));
            self.table.write(&with_column(&batch, &MATCH, "event_state", states)?)?;
        }
        Ok(())
    }

    /// Writes the footer and returns the output.
    ///
    /// # Errors
    /// When the output or Parquet refuses.
    pub fn close(self) -> Result<W, TableError> {
        Ok(self.table.close()?.0)
    }
}

/// The rows of a file that belong to the given versions, batch by batch.
struct Selection<'a> {
    reader: ParquetRecordBatchReader,
    shown: BTreeMap<(&'a str, &'a str, &'a str), &'a Shown<'a>>,
}

/// Rows with the version of each.
struct Selected<'a> {
    batch: RecordBatch,
    shown: Vec<&'a Shown<'a>>,
}

impl<'a> Selection<'a> {
    /// The rows of one day with the named columns, or with all columns when none is named. Row groups of other days are skipped.
    fn open(
        file: File,
        table: &Table,
        columns: &[&str],
        payout_on: Date,
        shown: &'a [Shown<'a>],
    ) -> Result<Self, TableError> {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?.with_batch_size(BATCH_ROWS);
        let groups = groups_of(builder.metadata(), payout_on);
        let mask = match columns {
            [] => ProjectionMask::columns(builder.parquet_schema(), table.columns.iter().map(|column| column.name)),
            named => ProjectionMask::columns(builder.parquet_schema(), named.iter().copied()),
        };
        // The day of each row is read first, so that pages of other days are skipped as well.
        let (of_day, day) = (ProjectionMask::columns(builder.parquet_schema(), ["payout_on"]), days(payout_on));
        let is_of_day = ArrowPredicateFn::new(of_day, move |batch: RecordBatch| {
            let found = numbers::<Date32Type>(&batch, "payout_on");
            let found = found.map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
            Ok(found.iter().map(|found| Some(found == Some(day))).collect())
        });
        let filter = RowFilter::new(vec![Box::new(is_of_day)]);
        let reader = builder.with_projection(mask).with_row_groups(groups).with_row_filter(filter).build()?;
        let name = |shown: &'a Shown<'a>| (shown.merchant_number, shown.settlement_id, shown.currency.as_str());
        Ok(Selection { reader, shown: shown.iter().map(|shown| (name(shown), shown)).collect() })
    }

    fn select(&self, batch: &RecordBatch) -> Result<Selected<'a>, TableError> {
        let (merchants, settlements) = (texts(batch, "merchant_number")?, texts(batch, "settlement_id")?);
        let currencies = texts(batch, "currency")?;
        let mut before = None;
        let mut shown = Vec::with_capacity(batch.num_rows());
        let wanted = (0..batch.num_rows()).map(|row| {
            let name = (merchants.value(row), settlements.value(row), currencies.value(row));
            // Lines of one settlement mostly follow each other.
            let found = match before {
                Some((known, found)) if known == name => found,
                _ => self.shown.get(&name).copied(),
            };
            before = Some((name, found));
            shown.extend(found);
            found.is_some()
        });
        let wanted: BooleanArray = wanted.map(Some).collect();
        if shown.len() == batch.num_rows() {
            return Ok(Selected { batch: batch.clone(), shown });
        }
        Ok(Selected { batch: arrow_select::filter::filter_record_batch(batch, &wanted)?, shown })
    }
}

impl<'a> Iterator for Selection<'a> {
    type Item = Result<Selected<'a>, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(TableError::from).and_then(|batch| self.select(&batch)))
    }
}

/// The row groups that may hold rows of that day.
fn groups_of(metadata: &ParquetMetaData, payout_on: Date) -> Vec<usize> {
    let columns = metadata.file_metadata().schema_descr().columns();
    let column = columns.iter().position(|column| column.name() == "payout_on");
    let day = days(payout_on);
    let may_hold = |group: &usize| {
        let chunk = column.and_then(|column| metadata.row_groups().get(*group)?.columns().get(column));
        match chunk.and_then(|chunk| chunk.statistics()) {
            Some(Statistics::Int32(range)) => {
                range.min_opt().is_none_or(|min| *min <= day) && range.max_opt().is_none_or(|max| *max >= day)
            }
            _ => true,
        }
    };
    (0..metadata.num_row_groups()).filter(may_hold).collect()
}

fn with_column(
    batch: &RecordBatch,
    table: &'static Table,
    name: &'static str,
    cells: ArrayRef,
) -> Result<RecordBatch, TableError> {
    let mut columns = batch.columns().to_vec();
    let place = table.columns.iter().position(|column| column.name == name);
    let slot = place.and_then(|place| columns.get_mut(place)).ok_or(TableError::Column { column: name })?;
    *slot = cells;
    Ok(RecordBatch::try_new(table.schema(), columns)?)
}

/// Numbers the lines that share one row of a report, as all lines of an XML without line breaks do. Such lines follow each
/// other in a report's lines and in its matches.
#[derive(Default)]
struct Parts {
    before: Option<(usize, i64)>,
    part: i32,
}

impl Parts {
    fn of(&mut self, batch: &RecordBatch, shown: &[&Shown<'_>]) -> Result<Vec<i32>, TableError> {
        let lines = numbers::<Int64Type>(batch, "line_no")?;
        let tell = |(row, shown): (usize, &&Shown<'_>)| {
            let line = Some((shown.number, lines.value(row)));
            self.part = if self.before == line { self.part.saturating_add(1) } else { 1 };
            self.before = line;
            self.part
        };
        Ok(shown.iter().enumerate().map(tell).collect())
    }
}

/// A line: the number of its version, its number in the report, and its part of that number.
type LinePlace = (usize, i64, i32);

/// The result of matching a line, as far as sums need it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct LineMatch {
    payment_product: Option<String>,
    state: String,
}

impl LineMatch {
    /// The match of a line that is not about one transaction.
    fn nothing() -> LineMatch {
        LineMatch { payment_product: None, state: "not_a_transaction".to_owned() }
    }
}

/// The place of the match among `all`, which holds each once.
fn place_of(line_match: LineMatch, all: &mut Vec<LineMatch>) -> usize {
    all.iter().position(|known| *known == line_match).unwrap_or_else(|| {
        all.push(line_match);
        all.len() - 1
    })
}

/// Finds the matches of lines. A match table has its rows in the order of the lines, so that few rows wait in memory; in
/// another order the result is the same and takes more memory.
struct Matched<'a> {
    selection: Selection<'a>,
    about: HashSet<usize>,
    parts: Parts,
    rows: VecDeque<(LinePlace, LineMatch)>,
    ahead: HashMap<LinePlace, LineMatch>,
    known: HashMap<LineMatch, usize>,
}

impl<'a> Matched<'a> {
    fn read(file: File, payout_on: Date, about: &'a [Shown<'a>]) -> Result<Self, TableError> {
        let columns = ["merchant_number", "settlement_id", "currency", "line_no", "payment_product", "state"];
        let selection = Selection::open(file, &MATCH, &columns, payout_on, about)?;
        Ok(Matched {
            selection,
            about: about.iter().map(|shown| shown.number).collect(),
            parts: Parts::default(),
            rows: VecDeque::new(),
            ahead: HashMap::new(),
            known: HashMap::new(),
        })
    }

    /// The place of the line's match among `all`.
    fn of(&mut self, line: LinePlace, all: &mut Vec<LineMatch>) -> Result<Option<usize>, TableError> {
        if !self.about.contains(&line.0) {
            return Ok(None);
        }
        let line_match = match self.ahead.remove(&line) {
            Some(found) => Some(found),
            None => self.read_to(line)?,
        };
        let Some(line_match) = line_match else { return Ok(None) };
        if let Some(place) = self.known.get(&line_match) {
            return Ok(Some(*place));
        }
        let place = place_of(line_match.clone(), all);
        self.known.insert(line_match, place);
        Ok(Some(place))
    }

    fn read_to(&mut self, line: LinePlace) -> Result<Option<LineMatch>, TableError> {
        loop {
            while let Some((found, line_match)) = self.rows.pop_front() {
                if found == line {
                    return Ok(Some(line_match));
                }
                self.ahead.insert(found, line_match);
            }
            let Some(selected) = self.selection.next() else { return Ok(None) };
            let Selected { batch, shown } = selected?;
            let lines = numbers::<Int64Type>(&batch, "line_no")?;
            let products = texts(&batch, "payment_product")?;
            let states = texts(&batch, "state")?;
            let line_match = |row| LineMatch {
                payment_product: products.is_valid(row).then(|| products.value(row).to_owned()),
                state: states.value(row).to_owned(),
            };
            let parts = self.parts.of(&batch, &shown)?;
            let rows = shown.iter().zip(parts).enumerate();
            self.rows
                .extend(rows.map(|(row, (shown, part))| ((shown.number, lines.value(row), part), line_match(row))));
        }
    }
}

#[cfg(test)]
mod tests;
