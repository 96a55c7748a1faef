//! Vipps MobilePay: the settlement report that the portal gives since 2025, one row for each entry of the ledger.
//!
//! Described at help.vippsmobilepay.com (understand the settlement report); measured on published files of 2026.
//! - Columns come in any order, in Norwegian or English. English names that no published file shows are assumed.
//! - The balance of a sales unit runs on the amounts alone and proves that no entry is missing; a payout row takes the
//!   money out and names the settlement. It pays out the booking days up to its own.
//! - The fee of a row is negative when charged and positive when given back with a refund. A row of fees takes the sum of
//!   a day's fees out; without such rows the fees are invoiced, which is assumed.
//! - Names, phone numbers and messages of private persons stand in three columns; they are never read.
//! - The payout number is the `SettlementID` of the XML, the PSP reference its `TransactionID`.
//! - Danish and Finnish words are not known; their columns are named and the report is held.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use settlement::{
    Control, Currency, Kind, Line, LineKind, MerchantNumber, Problem, Problems, Provider, Sink, StatedTotals, Terms,
};

use super::vipps_details_entries::{amount, ledger_entry, zone_of};
use super::vipps_details_words::{
    ACCOUNT, ADVICE, AMOUNT, BALANCE, BOOKED, COLUMNS, CURRENCY, FEE, MERCHANT, METHOD, NET, ORDER, PAID_ON, PAYOUT,
    RowType, TIME, TRANSACTION, TYPE, broken_chain, is_header, row_type, waiting_message,
};
use crate::assemble::WAITING_ENTRIES_MAX;
use crate::collect::{Announced, Collector};
use crate::failure::Failure;
use crate::ledger::{Chain, Closed, Entry, EntryKind, Ledger, SORTED_MAX};
use crate::limits::Limits;
use crate::read::date::{DateForm, DateMemo, instant_in};
use crate::read::field::{Cells, Header, last_four};
use crate::read::row::{Row, Rows};
use crate::read::shown::shown_word;

pub(super) const PROVIDER: &Provider = &Provider::VIPPS;
pub(super) const FAMILY: &str = "vipps-settlement";
pub(super) const SOURCE: &str = "https://help.vippsmobilepay.com/en-NO/articles/understand-the-settlement-report";

/// Where the rows of a report come from; they are read twice.
pub(super) trait Source {
    /// Hands all rows to `take`, from the first.
    fn read(&mut self, take: Take<'_>) -> Result<(), Failure>;

    /// Hands all rows of another sheet of the same workbook to `take`; text has none.
    fn read_sheet(&mut self, _sheet: usize, _take: Take<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// Takes rows.
pub(super) type Take<'t> = &'t mut dyn FnMut(&mut dyn Rows) -> Result<(), Failure>;

/// More sales units than any report has.
const UNITS_MAX: usize = 1_000;

/// A sales unit in one file.
struct Unit {
    number: String,
    currency: Currency,
    exponent: u8,
    ledger: Ledger,
}

/// A row of a payout.
struct PayoutRow {
    settlement_id: String,
    paid_on: Date,
    account: Option<String>,
}

/// A report of which every row is read once to prove it, and once more for its lines.
pub(super) struct Details<'s> {
    pub(super) collector: Collector<'s>,
    units: Vec<Unit>,
    by_number: HashMap<String, usize>,
    payouts: Vec<PayoutRow>,
    type_known: bool,
    /// Word and row of the first type that nobody knows.
    unknown_type: Option<(String, u32)>,
    entries: usize,
    /// The sales unit of the row before.
    last_unit: usize,
    booked_on: DateMemo,
    /// The rows are known to be good and are read for their lines.
    reads_again: bool,
}

/// What a sales unit's entries came to, with the settlement that each payout is.
pub(super) struct Proved {
    units: Vec<ProvedUnit>,
}

pub(super) struct ProvedUnit {
    pub(super) number: String,
    pub(super) currency: Currency,
    pub(super) exponent: u8,
    pub(super) chain: Chain,
    zone: Option<TimeZone>,
    /// The settlement of each payout row of the file that has one.
    settlements: HashMap<u32, u32>,
    /// Whether its entries that are in no settlement are kept to be put together with those of other files.
    keeps: bool,
}

impl<'s> Details<'s> {
    pub(super) fn new(sink: &'s mut dyn Sink, limits: &'s Limits) -> Self {
        Details {
            collector: Collector::new(sink, limits),
            units: Vec::new(),
            by_number: HashMap::new(),
            payouts: Vec::new(),
            type_known: false,
            unknown_type: None,
            entries: 0,
            last_unit: 0,
            booked_on: DateMemo::default(),
            reads_again: false,
        }
    }

    /// Reads the report twice: once to prove it, once more for its lines.
    pub(super) fn read(
        mut self,
        source: &mut dyn Source,
        second_proof: impl FnOnce(&mut dyn Source, &[ProvedUnit], &mut Problems) -> Result<(), Failure>,
    ) -> Result<Control, Failure> {
        let read = source.read(&mut |rows| self.each_row(rows, &mut |details, row| details.entry(row)));
        if read.is_err() || self.collector.problems.has_errors() {
            self.collector.compare_no_totals();
            return self.collector.finish(read);
        }
        let ended = self.prove().and_then(|proved| {
            second_proof(source, &proved.units, &mut self.collector.problems)?;
            if self.collector.problems.has_errors() {
                self.collector.compare_no_totals();
                return Ok(());
            }
            source.read(&mut |rows| self.each_row(rows, &mut |details, row| details.line(row, &proved)))
        });
        self.collector.finish(ended)
    }

    fn each_row(
        &mut self,
        rows: &mut dyn Rows,
        take: &mut dyn FnMut(&mut Self, &Cells<'_, '_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut header: Option<Header> = None;
        // What is said of the header and of unknown columns is said in the first reading.
        let mut said = Problems::default();
        let again = self.reads_again;
        loop {
            let record = match rows.next()? {
                Row::Record(record) if record.is_blank() => continue,
                Row::Record(record) => record,
                Row::Bad(problem) => {
                    self.collector.recover(Err((*problem).into()))?;
                    continue;
                }
                Row::End => return Ok(()),
            };
            let Some(known) = &mut header else {
                if is_header(record.iter()) {
                    let problems = if again { &mut said } else { &mut self.collector.problems };
                    header = Header::resolve(&record, COLUMNS, problems);
                    if header.is_none() {
                        return Ok(());
                    }
                }
                continue;
            };
            let problems = if again { &mut said } else { &mut self.collector.problems };
            if !known.accepts(&record, problems) {
                self.collector.lose_row();
                continue;
            }
            let taken = take(self, &Cells { header: known, record: &record });
            self.collector.recover(taken)?;
        }
    }

    /// Takes one row into the ledger of its sales unit.
    fn entry(&mut self, row: &Cells<'_, '_>) -> Result<(), Failure> {
        let unit = self.unit(row)?;
        let Some(exponent) = self.units.get(unit).map(|unit| unit.exponent) else { return Ok(()) };
        let amount_minor = amount(row.cell(AMOUNT), exponent)?;
        let balance_minor = amount(row.cell(BALANCE), exponent)?;
        let time = row.cell(TIME).local_time()?;
        let booked_on = self.day_booked(row)?;
        let kind = match row_type(row) {
            Some(of @ (RowType::Capture | RowType::Refund)) => {
                self.type_known = true;
                payment(row, of, amount_minor, exponent)?
            }
            Some(RowType::Fees) => {
                nothing_in(row, &[FEE, NET, PAYOUT, ACCOUNT, PAID_ON])?;
                EntryKind::Fees
            }
            Some(RowType::Payout) => {
                nothing_in(row, &[FEE, NET])?;
                if amount_minor > 0 {
                    return Err(row
                        .cell(AMOUNT)
                        .problem(Kind::Amount, "no positive amount in a payout", ADVICE)
                        .into());
                }
                self.payout(row)?
            }
            None => {
                if self.unknown_type.is_none() {
                    self.unknown_type = Some((row.text(TYPE).to_owned(), row.record.row));
                }
                EntryKind::Unknown
            }
        };
        if let Some(unit) = self.units.get_mut(unit) {
            self.entries += 1;
            let keeps = self.entries <= SORTED_MAX;
            let entry = Entry { row: row.record.row, time, booked_on, amount_minor, balance_minor, kind };
            unit.ledger.take(entry, keeps);
        }
        Ok(())
    }

    fn day_booked(&mut self, row: &Cells<'_, '_>) -> Result<Date, Problem> {
        let known = self.booked_on.parse(DateForm::Iso, row.text(BOOKED));
        known.map_or_else(|| row.cell(BOOKED).day(DateForm::Iso), Ok)
    }

    /// The sales unit of a row, which has one currency.
    fn unit(&mut self, row: &Cells<'_, '_>) -> Result<usize, Failure> {
        let last = self.units.get(self.last_unit);
        let is_last = last.is_some_and(|unit| unit.number == row.text(MERCHANT));
        if is_last && last.is_some_and(|unit| unit.currency.as_str() == row.text(CURRENCY)) {
            return Ok(self.last_unit);
        }
        let number = row.cell(MERCHANT).digits()?;
        let currency = row.cell(CURRENCY).currency()?;
        let known = if is_last { Some(self.last_unit) } else { self.by_number.get(number).copied() };
        if let Some(known) = known {
            self.last_unit = known;
            let own = self.units.get(known).map(|unit| unit.currency);
            if own != Some(currency) {
                let expected = "the currency of the sales unit's other rows";
                return Err(row.cell(CURRENCY).bad_code(Kind::CurrencyMixed, expected, ADVICE).into());
            }
            return Ok(known);
        }
        if self.units.len() >= UNITS_MAX {
            let message = format!("Found more than {UNITS_MAX} sales units, expected fewer. Download them in parts");
            return Err(Problem::error(Kind::TooLarge, message).into());
        }
        let exponent = PROVIDER.exponent(currency);
        self.units.push(Unit { number: number.to_owned(), currency, exponent, ledger: Ledger::default() });
        self.by_number.insert(number.to_owned(), self.units.len() - 1);
        Ok(self.units.len() - 1)
    }

    /// Takes a payout row: its number stands in up to three columns, which must agree.
    fn payout(&mut self, row: &Cells<'_, '_>) -> Result<EntryKind, Failure> {
        let number = row.cell(PAYOUT).digits()?;
        let paid_on = row.cell(PAID_ON).day(DateForm::Iso)?;
        let account = row.cell(ACCOUNT).kept_text()?;
        let merchant = row.cell(MERCHANT).digits()?;
        let order = row.text(ORDER);
        if order.starts_with("Utb. ") && order != format!("Utb. {number} Vippsnr {merchant}") {
            let expected = format!("Utb. {number} Vippsnr {merchant}, as in the row's other cells");
            return Err(row.cell(ORDER).problem(Kind::RowShape, &expected, ADVICE).into());
        }
        let reference = row.cell(TRANSACTION).reference()?;
        if reference.rsplit_once('-').is_some_and(|(_, named)| named != number) {
            let expected = format!("a reference that ends in {number}, the number of the payout");
            return Err(row.cell(TRANSACTION).bad_id(Kind::RowShape, &expected, ADVICE).into());
        }
        self.collector.has_room(self.payouts.len())?;
        let place = u32::try_from(self.payouts.len()).unwrap_or(u32::MAX);
        let account = last_four(account);
        self.payouts.push(PayoutRow { settlement_id: number.to_owned(), paid_on, account });
        Ok(EntryKind::Payout { place })
    }

    /// Ends the ledgers, and announces a settlement for each payout of which the file has all.
    fn prove(&mut self) -> Result<Proved, Failure> {
        self.reads_again = true;
        let mut units = Vec::new();
        for unit in std::mem::take(&mut self.units) {
            match unit.ledger.finish() {
                Ok(chain) => units.push(ProvedUnit {
                    zone: zone_of(unit.currency),
                    number: unit.number,
                    currency: unit.currency,
                    exponent: unit.exponent,
                    chain,
                    settlements: HashMap::new(),
                    keeps: false,
                }),
                Err(broken) => self.collector.problems.push(broken_chain(&unit.number, unit.exponent, broken)),
            }
        }
        if self.collector.problems.has_errors() {
            return Ok(Proved { units });
        }
        for unit in &mut units {
            for closed in unit.chain.closed.iter().filter(|closed| closed.is_whole) {
                let index = self.announce(&unit.number, unit.currency, unit.exponent, closed)?;
                unit.settlements.insert(closed.place, index);
            }
            self.leave(unit)?;
        }
        self.say_unknown_type();
        Ok(Proved { units })
    }

    fn announce(&mut self, number: &str, currency: Currency, exponent: u8, closed: &Closed) -> Result<u32, Failure> {
        let Some(payout) = self.payouts.get(closed.place as usize) else {
            return Err(Problem::error(Kind::ControlTotal, "Found a payout that no row states").into());
        };
        if self.collector.find(number, &payout.settlement_id, currency).is_some() {
            let message = format!("Found a second payout {} of {number}, expected one. {ADVICE}", payout.settlement_id);
            return Err(Problem::error(Kind::DuplicateTransaction, message).at_row(u64::from(closed.row)).into());
        }
        let index = self.collector.open(&Announced {
            merchant_number: number,
            settlement_id: &payout.settlement_id,
            currency,
            exponent,
            payout_on: payout.paid_on,
            row: closed.row,
        })?;
        if let Some(settlement) = self.collector.settlement(index) {
            settlement.fees = closed.fees;
            settlement.period_from = Some(closed.from);
            settlement.period_to = Some(closed.booked_on);
            settlement.opening_minor = closed.opening_minor;
            settlement.closing_minor = closed.closing_minor;
            settlement.payout_minor = Some(closed.payout_minor);
            settlement.bank_account.clone_from(&payout.account);
            settlement.stated = StatedTotals {
                row: Some(u64::from(closed.row)),
                lines: Some(closed.payments),
                ..StatedTotals::default()
            };
        }
        Ok(index)
    }

    /// Notes the entries of a sales unit that are in no settlement.
    fn leave(&mut self, unit: &mut ProvedUnit) -> Result<(), Failure> {
        let entries: u64 = unit.chain.remainders.iter().map(|left| left.entries).sum();
        let waiting: u64 = self.collector.waiting.iter().map(|waiting| waiting.entries).sum();
        unit.keeps = waiting.saturating_add(entries) <= WAITING_ENTRIES_MAX as u64;
        let bad = |_| Problem::error(Kind::Identifier, "Found an MSN that is no merchant number");
        let merchant_number: MerchantNumber = unit.number.parse().map_err(bad)?;
        for left in &unit.chain.remainders {
            let waiting = left.of(&merchant_number, unit.currency, unit.exponent);
            self.collector.problems.push(Problem::note(Kind::ControlTotal, waiting_message(&waiting, unit.keeps)));
            self.collector.waiting.push(waiting);
        }
        Ok(())
    }

    /// What closed before a row of an unknown type is good; where nothing did, the row holds the report.
    fn say_unknown_type(&mut self) {
        let Some((word, row)) = self.unknown_type.take() else { return };
        // Where no row has a type that is known, what stands there may be anything.
        let word = if self.type_known { shown_word(&word) } else { "a word".to_owned() };
        let message = format!(
            "Found {word} that is no known type of an entry: it and what comes after it in its sales unit are in no \
             settlement. Ask for the format to be extended"
        );
        let make = if self.collector.settlements().is_empty() { Problem::error } else { Problem::note };
        let problem = make(Kind::UnknownRowType, message).at_row(u64::from(row)).in_column("Type");
        self.collector.problems.push(problem);
    }

    /// Takes one row as a line of the settlement that pays it out, or as an entry that is in none.
    fn line(&mut self, row: &Cells<'_, '_>, proved: &Proved) -> Result<(), Failure> {
        if proved.units.get(self.last_unit).is_none_or(|unit| unit.number != row.text(MERCHANT)) {
            let number = row.cell(MERCHANT).digits()?;
            self.last_unit = self.by_number.get(number).copied().unwrap_or(self.last_unit);
        }
        let Some(unit) = proved.units.get(self.last_unit) else { return Ok(()) };
        let booked_on = self.day_booked(row)?;
        let paying = unit.chain.paying(booked_on);
        let settlement = paying.and_then(|closed| unit.settlements.get(&closed.place));
        let time = row.cell(TIME).local_time()?;
        if unit.keeps && (settlement.is_none() || unit.chain.proves_others(row.record.row, time)) {
            self.collector.entries.push(ledger_entry(
                row,
                &unit.number,
                unit.currency,
                unit.exponent,
                booked_on,
                time,
            )?);
        }
        let Some(settlement) = settlement else { return Ok(()) };
        let Some(of @ (RowType::Capture | RowType::Refund)) = row_type(row) else { return Ok(()) };
        let minor = amount(row.cell(AMOUNT), unit.exponent)?;
        let terms = Terms { fee_minor: -amount(row.cell(FEE), unit.exponent)?, ..Terms::default() };
        let (kind, terms) = match of {
            RowType::Refund => (LineKind::Refund, Terms { refund_minor: minor, ..terms }),
            _ => (LineKind::Sale, Terms { capture_minor: minor, ..terms }),
        };
        self.collector.add(&Line {
            settlement: *settlement,
            row: row.record.row,
            kind,
            terms,
            provider_transaction_id: row.cell(TRANSACTION).reference()?,
            original_reference: "",
            order_reference: row.cell(ORDER).kept_text()?,
            correlation_id: "",
            // It proves no money: a text that cannot be kept is left out.
            provider_method: row.cell(METHOD).kept_text().unwrap_or_default(),
            provider_kind: row.text(TYPE),
            store_id: "",
            payout_destination_id: "",
            captured_at_us: unit.zone.as_ref().and_then(|zone| instant_in(zone, time)),
            provider_date: Some(time.date()),
        })
    }
}

/// A capture or refund by its signs, whose net is its amount and fee.
fn payment(row: &Cells<'_, '_>, of: RowType, amount_minor: i64, exponent: u8) -> Result<EntryKind, Failure> {
    nothing_in(row, &[PAYOUT, ACCOUNT, PAID_ON])?;
    let is_refund = of == RowType::Refund;
    if (amount_minor < 0) != is_refund && amount_minor != 0 {
        let expected = if is_refund { "a negative refund" } else { "no negative amount in a capture" };
        return Err(row.cell(AMOUNT).problem(Kind::Amount, expected, ADVICE).into());
    }
    let fee_minor = amount(row.cell(FEE), exponent)?;
    if amount_minor + fee_minor != amount(row.cell(NET), exponent)? {
        return Err(row.cell(NET).problem(Kind::RowArithmetic, "the amount plus the fee", ADVICE).into());
    }
    Ok(EntryKind::Payment { fee_minor, is_refund })
}

fn nothing_in(row: &Cells<'_, '_>, columns: &[usize]) -> Result<(), Problem> {
    match columns.iter().find(|column| !row.text(**column).is_empty()) {
        Some(column) => Err(row.cell(*column).problem(Kind::RowShape, "nothing in a row of this type", ADVICE)),
        None => Ok(()),
    }
}
