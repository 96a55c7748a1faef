//! Vipps: the settlement report that a merchant downloads from the portal as CSV, with 17 or 14 columns.
//!
//! Described at developer.vippsmobilepay.com/docs/settlements; measured on real files of 2018 and 2019.
//! - Seven lines of preamble, then the header; decimal comma, `dd.MM.yyyy`, Norwegian words.
//! - The lines of a settlement are followed by its payout row, `Til utbetaling netto`, and by a row of delimiters only
//!   when another settlement follows. Older files leave the merchant number of the payout row empty.
//! - `Gebyr` is negative for a cost; `Netto = Brutto + Gebyr`.
//! - The last three of 17 columns hold names and messages of private persons; they are never read.

use settlement::{Control, Currency, Fees, Kind, Line, LineKind, Problem, Problems, Proof, Provider, Sink, Terms};

use super::vipps_portal_preamble::{Preamble, TITLE};
use crate::collect::{Announced, Collector};
use crate::failure::{Failure, ReadSeek};
use crate::format::{Format, Surety};
use crate::head::Head;
use crate::limits::Limits;
use crate::read::amount::DecimalMark;
use crate::read::date::{DateForm, DateMemo};
use crate::read::delimited::DelimitedReader;
use crate::read::delimiter::{delimiter_of, first_cell};
use crate::read::field::{Cell, Cells, Column, Header, last_four, optional, required};
use crate::read::row::{CellType, Record, Row, Rows};
use crate::read::shown::trimmed;
use crate::read::text::TextEncoding;

pub(crate) const FORMAT: Format = Format {
    id: "vipps-portal-csv",
    provider: &Provider::VIPPS,
    family: "vipps-settlement",
    payment_products: Provider::VIPPS.products,
    file_types: &["csv"],
    proof: Proof::Exact,
    surety: Surety::Measured,
    source: "https://developer.vippsmobilepay.com/docs/settlements/",
    detect,
    columns: COLUMNS,
    write_entries: None,
    parse,
};

/// A row with either of these is the header, even when the other is misspelt.
pub(super) const HEADER_WORDS: [&str; 2] = ["Vippsnummer", "Oppgjørs-ID"];
const PAYOUT_ROW: &str = "Til utbetaling netto";

/// The report of an empty period has hardly more rows that show nothing.
const BLANK_ROWS_MAX: u64 = 100;

/// The file names no currency: the portal layout is that of Norwegian sales units.
const CURRENCY: Currency = Currency::NOK;

/// Row types in the provider's words. That a refund has a negative `Brutto` is assumed: no published file has one.
const ROW_TYPES: &[(&str, LineKind)] = &[("Salg", LineKind::Sale), ("Refundering", LineKind::Refund)];

pub(super) const COLUMNS: &[Column] = &[
    required("Salgsdato"),
    required("Salgssted"),
    required("Vippsnummer"),
    required("Produkt"),
    required("Transaksjons-ID"),
    required("Ordre-ID"),
    required("Brutto"),
    required("Gebyr"),
    required("Netto"),
    required("Transaksjonstype"),
    required("Oppgjørs-ID"),
    required("Oppgjørsdato"),
    required("Oppgjørssum"),
    required("Oppgjørskonto"),
    optional("Fornavn"),
    optional("Etternavn"),
    optional("Melding"),
];

const SALE_DATE: usize = 0;
const MERCHANT: usize = 2;
const PRODUCT: usize = 3;
const TRANSACTION: usize = 4;
const ORDER: usize = 5;
const GROSS: usize = 6;
const FEE: usize = 7;
const NET: usize = 8;
const ROW_TYPE: usize = 9;
const SETTLEMENT: usize = 10;
const PAYOUT_DATE: usize = 11;
const PAYOUT: usize = 12;
const BANK_ACCOUNT: usize = 13;

fn detect(head: &Head) -> bool {
    head.lines().next().map(first_cell) == Some(TITLE)
        && head.lines().any(|line| HEADER_WORDS.iter().any(|word| line.contains(word)))
}

fn parse(input: &mut dyn ReadSeek, limits: &Limits, sink: &mut dyn Sink) -> Result<Control, Failure> {
    let (encoding, head) = TextEncoding::with_head(input)?;
    let delimiter = delimiter_of(&head, COLUMNS).unwrap_or(b';');
    let mut reader = DelimitedReader::new(input, encoding, delimiter, limits);
    let mut report = Report::new(Collector::new(sink, limits), encoding);
    let ended = report.read(&mut reader);
    if delimiter == b',' {
        report.amounts_are_split();
    }
    report.collector.finish(ended)
}

/// Reads the rows of a portal report, which are the same in CSV and in a workbook.
pub(super) fn read_report(
    rows: &mut impl Rows,
    encoding: TextEncoding,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<Control, Failure> {
    let mut report = Report::new(Collector::new(sink, limits), encoding);
    let ended = report.read(rows);
    report.collector.finish(ended)
}

struct Report<'s> {
    collector: Collector<'s>,
    encoding: TextEncoding,
    preamble: Preamble,
    sale_date: DateMemo,
    exponent: u8,
    /// The product of the row before.
    product: String,
    /// The settlement of the row before, with the text of its merchant number, id and day of payout.
    current: Option<Current>,
    /// The last row was of delimiters only, which announces another settlement.
    announced: Option<u32>,
    blank_rows: u64,
    /// A row had a type that the format knows, so that what stands in the column of types is one.
    type_known: bool,
    /// Settlement ids of payout rows that could not be read.
    unread_payouts: Vec<String>,
}

struct Current {
    index: u32,
    merchant_number: String,
    settlement_id: String,
    /// `None` until it is known to be the settlement's.
    payout_date: Option<String>,
}

impl<'s> Report<'s> {
    fn new(collector: Collector<'s>, encoding: TextEncoding) -> Self {
        Report {
            collector,
            encoding,
            preamble: Preamble::default(),
            sale_date: DateMemo::default(),
            exponent: FORMAT.provider.exponent(CURRENCY),
            product: String::new(),
            current: None,
            announced: None,
            blank_rows: 0,
            type_known: false,
            unread_payouts: Vec::new(),
        }
    }

    fn read(&mut self, reader: &mut impl Rows) -> Result<(), Failure> {
        let Some(mut header) = self.read_preamble(reader)? else { return Ok(()) };
        loop {
            match reader.next()? {
                Row::Record(record) => self.row(&mut header, &record)?,
                Row::Bad(problem) => self.collector.recover(Err((*problem).into()))?,
                Row::End => break,
            }
        }
        if let Some(row) = self.announced {
            let message = "Found a separating row at the end of the file, expected the settlement that it announces. \
                           The file was cut; download it again";
            self.collector.problems.push(Problem::error(Kind::Truncated, message).at_row(u64::from(row)));
        }
        if self.collector.settlements().is_empty() && self.blank_rows > BLANK_ROWS_MAX {
            let message = format!("Found {} rows that show nothing, expected those of a report", self.blank_rows);
            self.collector.problems.push(Problem::error(Kind::Empty, message));
        }
        self.every_settlement_is_paid();
        Ok(())
    }

    /// Reads up to the header row; `None` when no usable header comes.
    fn read_preamble(&mut self, reader: &mut impl Rows) -> Result<Option<Header>, Failure> {
        loop {
            let record = match reader.next()? {
                Row::Record(record) => record,
                Row::Bad(problem) => {
                    self.collector.problems.push(*problem);
                    continue;
                }
                Row::End => break,
            };
            if record.iter().any(|name| HEADER_WORDS.contains(&trimmed(name))) {
                let mut problems = Problems::default();
                let header = Header::resolve(&record, COLUMNS, &mut problems);
                if header.is_none() && self.encoding == TextEncoding::Windows1252 {
                    // That the file is Windows-1252 was a guess, which only the header's own words could prove.
                    let message = "Found letters that are neither UTF-8 nor Windows-1252 throughout, expected one \
                                   encoding. Download the file again without opening it in another program";
                    return Err(Problem::error(Kind::Encoding, message).at_row(u64::from(record.row)).into());
                }
                problems.list().iter().for_each(|problem| self.collector.problems.push(problem.clone()));
                return Ok(header);
            }
            self.preamble.take(&record, &mut self.collector);
        }
        let message = "Found no header row with Vippsnummer and Oppgjørs-ID, expected one after the preamble. \
                       Download the report again";
        self.collector.problems.push(Problem::error(Kind::HeaderMissingColumn, message));
        Ok(None)
    }

    #[inline]
    fn row(&mut self, header: &mut Header, record: &Record<'_>) -> Result<(), Failure> {
        if record.is_blank() {
            self.blank_rows += 1;
            if record.len() > 1 {
                self.announced = Some(record.row);
            }
            return Ok(());
        }
        self.announced = None;
        if !header.accepts(record, &mut self.collector.problems) {
            self.collector.lose_row();
            return Ok(());
        }
        let row = Cells { header, record };
        if row.text(SALE_DATE) != PAYOUT_ROW {
            let taken = self.line(&row);
            return self.collector.recover(taken);
        }
        let taken = self.payout(&row);
        if taken.is_err() {
            // Whatever is wrong with it, the payout row was there.
            self.unread_payouts.push(row.text(SETTLEMENT).to_owned());
        }
        self.collector.recover(taken)
    }

    #[inline]
    fn line(&mut self, row: &Cells<'_, '_>) -> Result<(), Failure> {
        let settlement = self.settlement_of(row)?;
        let sale_date = self
            .sale_date
            .parse(DateForm::DayMonthYear, row.text(SALE_DATE))
            .ok_or_else(|| row.cell(SALE_DATE).bad_date(DateForm::DayMonthYear))?;
        let gross = amount(row.cell(GROSS), self.exponent)?;
        let fee = amount(row.cell(FEE), self.exponent)?;
        let net = amount(row.cell(NET), self.exponent)?;
        if gross + fee != net {
            let expected = "Brutto plus Gebyr";
            let advice = "The row does not add up; ask Vipps for the report again";
            self.collector.problems.push(row.cell(NET).problem(Kind::RowArithmetic, expected, advice));
        }
        for column in [PAYOUT, BANK_ACCOUNT] {
            if !row.text(column).is_empty() {
                let problem = row.cell(column).problem(Kind::RowShape, "nothing outside the payout row", ADVICE);
                self.collector.problems.push(problem);
            }
        }
        let (kind, terms) = self.terms(row, gross, fee);
        let product = self.product(row)?;
        self.collector.add(&Line {
            settlement,
            row: row.record.row,
            kind,
            terms,
            provider_transaction_id: row.cell(TRANSACTION).reference()?,
            original_reference: "",
            order_reference: row.cell(ORDER).kept_text()?,
            correlation_id: "",
            provider_method: product,
            provider_kind: if kind == LineKind::Unknown { row.cell(ROW_TYPE).kept_text()? } else { row.text(ROW_TYPE) },
            store_id: "",
            payout_destination_id: "",
            captured_at_us: None,
            provider_date: Some(sale_date),
        })
    }

    /// The product of a line, looked at closely only where it differs from that of the line before.
    #[inline]
    fn product<'r>(&mut self, row: &Cells<'_, 'r>) -> Result<&'r str, Problem> {
        let product = row.text(PRODUCT);
        if self.product != product {
            row.cell(PRODUCT).kept_text()?;
            self.product.clear();
            self.product.push_str(product);
        }
        Ok(product)
    }

    /// Kind and terms of a line; `gross` and `fee` are minor units as the file signs them.
    fn terms(&mut self, row: &Cells<'_, '_>, gross: i64, fee: i64) -> (LineKind, Terms) {
        let word = row.text(ROW_TYPE);
        let kind = ROW_TYPES.iter().find(|(known, _)| *known == word).map_or(LineKind::Unknown, |(_, kind)| *kind);
        let terms = Terms { fee_minor: -fee, ..Terms::default() };
        self.type_known |= kind != LineKind::Unknown;
        match kind {
            LineKind::Sale if gross >= 0 => (kind, Terms { capture_minor: gross, ..terms }),
            LineKind::Refund if gross <= 0 => (kind, Terms { refund_minor: gross, ..terms }),
            LineKind::Sale | LineKind::Refund => {
                let expected =
                    if kind == LineKind::Sale { "no negative amount in a sale" } else { "a negative refund" };
                self.collector.problems.push(row.cell(GROSS).problem(Kind::Amount, expected, ADVICE));
                (kind, Terms { adjustment_minor: gross, ..terms })
            }
            _ => {
                let expected = "Salg or Refundering";
                let advice = "The row is counted and the report held until the format knows the word";
                let problem = if self.type_known { Cell::word_problem } else { Cell::problem };
                self.collector.problems.push(problem(row.cell(ROW_TYPE), Kind::UnknownRowType, expected, advice));
                (LineKind::Unknown, Terms { adjustment_minor: gross, ..terms })
            }
        }
    }

    /// The settlement that a line names, announced when it is new.
    #[inline]
    fn settlement_of(&mut self, row: &Cells<'_, '_>) -> Result<u32, Failure> {
        match &self.current {
            Some(current)
                if current.settlement_id == row.text(SETTLEMENT)
                    && current.merchant_number == row.text(MERCHANT)
                    && current.payout_date.as_deref() == Some(row.text(PAYOUT_DATE)) =>
            {
                Ok(current.index)
            }
            _ => self.changed_settlement(row),
        }
    }

    fn changed_settlement(&mut self, row: &Cells<'_, '_>) -> Result<u32, Failure> {
        let (merchant, id) = (row.cell(MERCHANT).digits()?, row.cell(SETTLEMENT).digits()?);
        let index = match self.collector.find(merchant, id, CURRENCY) {
            Some(index) => index,
            None => self.announce(merchant, id, row)?,
        };
        let (merchant_number, settlement_id) = (merchant.to_owned(), id.to_owned());
        let same_payout_date = self.same_payout_date(index, row);
        let payout_date = same_payout_date.is_ok().then(|| row.text(PAYOUT_DATE).to_owned());
        self.current = Some(Current { index, merchant_number, settlement_id, payout_date });
        same_payout_date.map(|()| index)
    }

    fn announce(&mut self, merchant: &str, id: &str, row: &Cells<'_, '_>) -> Result<u32, Failure> {
        let payout_on = row.cell(PAYOUT_DATE).date(DateForm::DayMonthYear)?;
        let index = self.collector.open(&Announced {
            merchant_number: merchant,
            settlement_id: id,
            currency: CURRENCY,
            exponent: self.exponent,
            payout_on,
            row: row.record.row,
        })?;
        let preamble = &self.preamble;
        if let Some(settlement) = self.collector.settlement(index) {
            settlement.fees = Fees::Deducted;
            settlement.organisation_number.clone_from(&preamble.organisation_number);
            settlement.period_from = preamble.period_from;
            settlement.period_to = preamble.period_to;
        }
        Ok(index)
    }

    fn same_payout_date(&self, index: u32, row: &Cells<'_, '_>) -> Result<(), Failure> {
        let date = DateForm::DayMonthYear.parse(row.text(PAYOUT_DATE));
        let known = self.collector.settlements().get(index as usize).map(|settlement| settlement.head.payout_on);
        if date.is_some() && date == known {
            return Ok(());
        }
        let Some(known) = known.filter(|_| date.is_some()) else {
            return Err(row.cell(PAYOUT_DATE).bad_date(DateForm::DayMonthYear).into());
        };
        let expected = format!("{} as in the settlement's other rows", known.strftime("%d.%m.%Y"));
        Err(row.cell(PAYOUT_DATE).problem(Kind::RowShape, &expected, ADVICE).into())
    }

    /// The payout row of a settlement: what Vipps transfers.
    fn payout(&mut self, row: &Cells<'_, '_>) -> Result<(), Failure> {
        for column in [PRODUCT, TRANSACTION, ORDER, GROSS, FEE, NET, ROW_TYPE] {
            if !row.text(column).is_empty() {
                return Err(row.cell(column).problem(Kind::RowShape, "nothing in a payout row", ADVICE).into());
            }
        }
        let index = self.paid_settlement(row)?;
        self.same_payout_date(index, row)?;
        let payout = amount(row.cell(PAYOUT), self.exponent)?;
        let account = bank_account(row.cell(BANK_ACCOUNT))?;
        let Some(settlement) = self.collector.settlement(index) else { return Ok(()) };
        if settlement.payout_minor.is_some() {
            let message = format!("Found a second payout row of {}, expected one. {ADVICE}", settlement.name());
            let problem = Problem::error(Kind::DuplicateTransaction, message);
            return Err(problem.at_row(u64::from(row.record.row)).into());
        }
        settlement.payout_minor = Some(payout);
        settlement.stated.row = Some(u64::from(row.record.row));
        settlement.bank_account = last_four(account);
        Ok(())
    }

    /// The settlement that a payout row closes; without a merchant number it is that of the rows before.
    fn paid_settlement(&mut self, row: &Cells<'_, '_>) -> Result<u32, Failure> {
        let id = row.cell(SETTLEMENT).digits()?;
        if !row.text(MERCHANT).is_empty() {
            let merchant = row.cell(MERCHANT).digits()?;
            return match self.collector.find(merchant, id, CURRENCY) {
                Some(index) => Ok(index),
                None => self.announce(merchant, id, row),
            };
        }
        match &self.current {
            Some(current) if current.settlement_id == id => Ok(current.index),
            _ => {
                let expected = "the Oppgjørs-ID of the rows above, since the payout row names no Vippsnummer";
                Err(row.cell(SETTLEMENT).bad_id(Kind::ControlTotal, expected, ADVICE).into())
            }
        }
    }

    /// Of a file of commas: rows that cannot be read have amounts whose own comma no quotes hold. That is one problem.
    fn amounts_are_split(&mut self) {
        if !self.collector.has_lost_rows() {
            return;
        }
        let row = self.collector.problems.first_error().and_then(|problem| problem.row);
        let message = "Found fields parted by commas, and rows in which the commas of amounts stand without quotes: where a \
                       field ends cannot be told. Download the report again; do not save it from another program";
        let problem = Problem::error(Kind::RowShape, message);
        self.collector.problems = Problems::from(row.map_or(problem.clone(), |row| problem.at_row(row)));
    }

    fn every_settlement_is_paid(&mut self) {
        let unpaid: Vec<String> = self
            .collector
            .settlements()
            .iter()
            .filter(|settlement| settlement.payout_minor.is_none())
            .filter(|settlement| !self.unread_payouts.iter().any(|id| settlement.head.settlement_id == *id))
            .map(settlement::Settlement::name)
            .collect();
        for name in unpaid {
            let message = format!(
                "Found lines of {name} without its row {PAYOUT_ROW:?}, expected one. The file may have been cut; \
                 download it again"
            );
            self.collector.problems.push(Problem::error(Kind::Truncated, message));
        }
    }
}

const ADVICE: &str = "Download the report again; do not edit it";

/// A Norwegian account has eleven digits, after two letters and two digits as IBAN. It ends the last row of the shorter
/// layout, so that a cut shows here.
fn bank_account(cell: Cell<'_>) -> Result<&str, Problem> {
    let text = trimmed(cell.text);
    let in_country = text.strip_prefix("NO").map(str::trim_start);
    let account = in_country.unwrap_or(text);
    let digits = account.bytes().filter(u8::is_ascii_digit).count();
    let others = account.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ' ' | '\u{a0}'));
    // A number in a workbook has lost the zeros in front.
    let without_zeros = cell.cell_type == CellType::SheetNumber && (5..11).contains(&digits);
    let expected_digits = if in_country.is_some() { 13 } else { 11 };
    if (digits == expected_digits || without_zeros) && others {
        return Ok(text);
    }
    Err(cell.problem(Kind::Identifier, "an account of eleven digits, or its IBAN", ADVICE))
}

#[inline]
fn amount(cell: Cell<'_>, exponent: u8) -> Result<i64, Problem> {
    cell.amount(DecimalMark::Comma, exponent)
}
