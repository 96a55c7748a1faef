//! Vipps: the "structured" settlement CSV, whose first field names the record type.
//!
//! Example files of 2018 at github.com/vippsas/vipps-developers. Comma, dot, `dd.MM.yyyy`, ASCII.
//! - Each section repeats its record type in its header row; only the second field tells header from data.
//! - `Fee` and `Refund` are negative; `Gross` holds captures only.
//! - Whether `Net` has the refund in it is not settled by any published file, so both readings are tried on every row
//!   and header, and the file is accepted only when one of them fits everywhere.
//! - A `FeeInfo` row would mean invoiced fees; none has been seen, so one holds the file.

use std::collections::HashMap;

use settlement::{Control, Currency, Fees, Kind, Line, LineKind, Problem, Proof, Provider, Sink, StatedTotals, Terms};

use crate::collect::{Announced, Collector};
use crate::failure::{Failure, ReadSeek};
use crate::format::{Format, Surety};
use crate::head::Head;
use crate::limits::Limits;
use crate::read::amount::DecimalMark;
use crate::read::date::DateForm;
use crate::read::delimited::DelimitedReader;
use crate::read::delimiter::{delimiter_of, is_hint};
use crate::read::field::{Cell, Cells, Column, Header, last_four, required};
use crate::read::row::{Record, Row, Rows};
use crate::read::shown::trimmed;
use crate::read::text::TextEncoding;

pub(crate) const FORMAT: Format = Format {
    id: "vipps-structured-csv",
    provider: &Provider::VIPPS,
    family: "vipps-settlement",
    payment_products: Provider::VIPPS.products,
    file_types: &["csv"],
    proof: Proof::Exact,
    surety: Surety::Measured,
    source: "https://github.com/vippsas/vipps-developers",
    detect,
    columns: &[],
    write_entries: None,
    parse,
};

/// The first row.
const TITLE: &[Column] = &[required("OrganizationNumber"), required("MerchantName")];
const ADVICE: &str = "Ask Vipps for the report again; do not edit it";

const SETTLEMENT_COLUMNS: &[Column] = &[
    required("SettlementInfo"),
    required("SalesUnitName"),
    required("SaleUnitNumber"),
    required("SettlementDate"),
    required("SettlementID"),
    required("SettlementAccount"),
    required("Gross"),
    required("Currency"),
    required("Fee"),
    required("Refund"),
    required("Net"),
    required("NumberOfTransactions"),
];

const TRANSACTION_COLUMNS: &[Column] = &[
    required("TransactionInfo"),
    required("SalesDate"),
    required("SaleUnitName"),
    required("SaleUnitNumber"),
    required("TransactionId"),
    required("SettlementId"),
    required("OrderID"),
    required("SettlementDate"),
    required("Gross"),
    required("Currency"),
    required("Fee"),
    required("Refund"),
    required("Net"),
];

fn detect(head: &Head) -> bool {
    head.lines().next().is_some_and(|line| delimiter_of(line, TITLE).is_some())
}

fn parse(input: &mut dyn ReadSeek, limits: &Limits, sink: &mut dyn Sink) -> Result<Control, Failure> {
    let (encoding, head) = TextEncoding::with_head(input)?;
    // The layout's own words are ASCII: nothing in them could prove Windows-1252.
    let encoding = if encoding == TextEncoding::Windows1252 { TextEncoding::Utf8 } else { encoding };
    let reader = DelimitedReader::new(input, encoding, delimiter_of(&head, TITLE).unwrap_or(b','), limits);
    let mut report = Report {
        collector: Collector::new(sink, limits),
        organisation_number: None,
        settlements: None,
        transactions: None,
        section: Section::Merchant,
        has_headers: false,
        currencies: HashMap::new(),
        readings: [Reading::default(), Reading::default()],
    };
    let ended = report.read(reader);
    report.settle_reading();
    report.collector.finish(ended)
}

/// Whether `Net` leaves the refund out, or has it in.
#[derive(Default)]
struct Reading {
    /// The first row that this reading does not fit.
    contradicted: Option<u32>,
}

#[derive(Clone, Copy)]
enum Section {
    Merchant,
    MerchantValues,
    Address,
    AddressValues,
    Records,
}

struct Report<'s> {
    collector: Collector<'s>,
    organisation_number: Option<String>,
    settlements: Option<Header>,
    transactions: Option<Header>,
    section: Section,
    /// Both header rows came, which a file has without a settlement, too.
    has_headers: bool,
    /// Currency of each settlement, by merchant and id.
    currencies: HashMap<(String, String), Currency>,
    /// Refund left out of `Net`; refund within `Net`.
    readings: [Reading; 2],
}

/// Minor units as the file signs them. Vipps writes all decimals; fewer of them in the last row show a cut.
fn amount(cell: Cell<'_>, exponent: u8) -> Result<i64, Problem> {
    let minor = cell.amount(DecimalMark::Dot, exponent)?;
    let decimals = trimmed(cell.text).rsplit_once('.').map_or(0, |(_, decimals)| decimals.len());
    if decimals != usize::from(exponent) {
        return Err(cell.problem(Kind::Amount, &format!("an amount with {exponent} decimals"), ADVICE));
    }
    Ok(minor)
}

impl Report<'_> {
    fn read<R: std::io::Read>(&mut self, mut reader: DelimitedReader<R>) -> Result<(), Failure> {
        loop {
            let taken = match reader.next()? {
                Row::Record(record) => self.record(&record),
                Row::Bad(problem) => Err((*problem).into()),
                Row::End => break,
            };
            self.collector.recover(taken)?;
        }
        if !self.has_headers && !self.collector.problems.has_errors() {
            let message = "Found no header rows of SettlementInfo and TransactionInfo, expected both. The file may have been \
                           cut; download it again";
            self.collector.problems.push(Problem::error(Kind::Truncated, message));
        }
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        if record.is_blank() || (matches!(self.section, Section::Merchant) && is_hint(record.get(0))) {
            return Ok(());
        }
        self.section = match self.section {
            Section::Merchant => Section::MerchantValues,
            Section::MerchantValues => {
                let number = Cell::of_text(record.get(0), record.row, "OrganizationNumber");
                self.organisation_number = self.collector.organisation_number(number);
                Section::Address
            }
            Section::Address => Section::AddressValues,
            Section::AddressValues => Section::Records,
            Section::Records => return self.typed_record(record),
        };
        Ok(())
    }

    fn typed_record(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        match (trimmed(record.get(0)), trimmed(record.get(1))) {
            ("SettlementInfo", "SalesUnitName") => {
                self.settlements = Header::resolve(record, SETTLEMENT_COLUMNS, &mut self.collector.problems);
                Ok(())
            }
            ("TransactionInfo", "SalesDate") => {
                self.transactions = Header::resolve(record, TRANSACTION_COLUMNS, &mut self.collector.problems);
                self.has_headers = self.settlements.is_some();
                Ok(())
            }
            ("FeeInfo", "SettlementDate") => Ok(()),
            ("SettlementInfo", _) => self.with_header(SETTLEMENT_COLUMNS, record, Self::settlement_row),
            ("TransactionInfo", _) => self.with_header(TRANSACTION_COLUMNS, record, Self::transaction_row),
            (word, _) => {
                let cell = Cell::of_text(word, record.row, "record type");
                let expected = "SettlementInfo or TransactionInfo";
                let advice = "Ask for the format to be extended";
                // All record types have one ending; anything else may be data of a row that was cut.
                let is_type =
                    word.strip_suffix("Info").is_some_and(|stem| stem.bytes().all(|b| b.is_ascii_alphabetic()));
                let problem = if is_type { Cell::word_problem } else { Cell::problem };
                Err(problem(cell, Kind::UnknownRowType, expected, advice).into())
            }
        }
    }

    fn with_header(
        &mut self,
        columns: &'static [Column],
        record: &Record<'_>,
        take: fn(&mut Self, &Cells<'_, '_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let of_settlements = std::ptr::eq(columns, SETTLEMENT_COLUMNS);
        let slot = if of_settlements { self.settlements.take() } else { self.transactions.take() };
        let Some(mut header) = slot else {
            let message = format!("Found a row before its header row. {ADVICE}");
            return Err(Problem::error(Kind::RowShape, message).at_row(u64::from(record.row)).into());
        };
        let mut taken = Ok(());
        if header.accepts(record, &mut self.collector.problems) {
            taken = take(self, &Cells { header: &header, record });
        } else {
            self.collector.lose_row();
        }
        *(if of_settlements { &mut self.settlements } else { &mut self.transactions }) = Some(header);
        taken
    }

    fn settlement_row(&mut self, row: &Cells<'_, '_>) -> Result<(), Failure> {
        let currency = row.named("Currency").currency()?;
        let exponent = FORMAT.provider.exponent(currency);
        let merchant_number = row.named("SaleUnitNumber").digits()?.to_owned();
        let settlement_id = row.named("SettlementID").digits()?.to_owned();
        let payout_on = row.named("SettlementDate").date(DateForm::DayMonthYear)?;
        if self.collector.find(&merchant_number, &settlement_id, currency).is_some() {
            let expected = "each settlement once";
            let problem = row.named("SettlementID").bad_id(Kind::DuplicateTransaction, expected, ADVICE);
            return Err(problem.into());
        }
        let [gross, fee, refund, net] = self.amounts(row, exponent)?;
        let count = row.named("NumberOfTransactions");
        let lines = count.digits()?.parse().map_err(|_| count.bad_id(Kind::Identifier, "a number of lines", ADVICE))?;
        let account = row.named("SettlementAccount").kept_text()?;
        let index = self.collector.open(&Announced {
            merchant_number: &merchant_number,
            settlement_id: &settlement_id,
            currency,
            exponent,
            payout_on,
            row: row.record.row,
        })?;
        self.currencies.entry((merchant_number, settlement_id)).or_insert(currency);
        let organisation_number = self.organisation_number.clone();
        if let Some(settlement) = self.collector.settlement(index) {
            settlement.organisation_number = organisation_number;
            settlement.fees = Fees::Deducted;
            settlement.bank_account = last_four(account);
            settlement.stated = StatedTotals {
                row: Some(u64::from(row.record.row)),
                lines: Some(lines),
                capture_minor: Some(gross),
                refund_minor: Some(refund),
                fee_minor: Some(-fee),
                ..StatedTotals::default()
            };
            // As if Net had no refund in it; `settle_reading` corrects it once all rows are read.
            settlement.payout_minor = Some(net + refund);
        }
        Ok(())
    }

    fn transaction_row(&mut self, row: &Cells<'_, '_>) -> Result<(), Failure> {
        let currency = row.named("Currency").currency()?;
        let (merchant, id) = (row.named("SaleUnitNumber").digits()?, row.named("SettlementId").digits()?);
        let Some(settlement) = self.find(row, merchant, id, currency)? else {
            let expected = "a settlement that the file states with a SettlementInfo row";
            return Err(row.named("SettlementId").bad_id(Kind::ControlTotal, expected, ADVICE).into());
        };
        let date = row.named("SalesDate").date(DateForm::DayMonthYear)?;
        let payout_on = row.named("SettlementDate").date(DateForm::DayMonthYear)?;
        let stated = self.collector.settlement(settlement).map(|settlement| settlement.head.payout_on);
        if stated != Some(payout_on) {
            let expected = "the SettlementDate of its SettlementInfo row";
            return Err(row.named("SettlementDate").problem(Kind::RowShape, expected, ADVICE).into());
        }
        let [gross, fee, refund, _] = self.amounts(row, FORMAT.provider.exponent(currency))?;
        let kind = match (gross, refund) {
            (0, 0) if fee != 0 => LineKind::Fee,
            (_, 0) => LineKind::Sale,
            (0, _) => LineKind::Refund,
            _ => {
                let expected = "either Gross or Refund to be zero";
                return Err(row.named("Refund").problem(Kind::UnknownRowType, expected, ADVICE).into());
            }
        };
        let terms = Terms { capture_minor: gross, refund_minor: refund, fee_minor: -fee, ..Terms::default() };
        self.collector.add(&Line {
            settlement,
            row: row.record.row,
            kind,
            terms,
            provider_transaction_id: row.named("TransactionId").reference()?,
            original_reference: "",
            order_reference: row.named("OrderID").kept_text()?,
            correlation_id: "",
            provider_method: "",
            provider_kind: "",
            store_id: "",
            payout_destination_id: "",
            captured_at_us: None,
            provider_date: Some(date),
        })
    }

    /// The settlement of a row; one in another currency than the settlement's own is a problem.
    fn find(
        &mut self,
        row: &Cells<'_, '_>,
        merchant: &str,
        id: &str,
        currency: Currency,
    ) -> Result<Option<u32>, Problem> {
        if let Some(index) = self.collector.find(merchant, id, currency) {
            return Ok(Some(index));
        }
        match self.currencies.get(&(merchant.to_owned(), id.to_owned())) {
            Some(other) => {
                let expected = format!("{other} as in its SettlementInfo row");
                Err(row.named("Currency").bad_code(Kind::CurrencyMixed, &expected, ADVICE))
            }
            None => Ok(None),
        }
    }

    /// Gross, fee, refund and net as the file signs them, in minor units; notes which reading of net they contradict.
    fn amounts(&mut self, row: &Cells<'_, '_>, exponent: u8) -> Result<[i64; 4], Problem> {
        let gross = amount(row.named("Gross"), exponent)?;
        let fee = amount(row.named("Fee"), exponent)?;
        let refund = amount(row.named("Refund"), exponent)?;
        let net = amount(row.named("Net"), exponent)?;
        for (name, wrong, expected) in
            [("Gross", gross < 0, "no negative amount"), ("Refund", refund > 0, "no positive amount")]
        {
            if wrong {
                return Err(row.named(name).problem(Kind::Amount, expected, ADVICE));
            }
        }
        let fits = [gross + fee == net, gross + fee + refund == net];
        if fits == [false, false] {
            let expected = "Gross plus Fee, with or without Refund";
            self.collector.problems.push(row.named("Net").problem(Kind::RowArithmetic, expected, ADVICE));
            return Ok([gross, fee, refund, net]);
        }
        for (reading, fits) in self.readings.iter_mut().zip(fits) {
            if !fits && reading.contradicted.is_none() {
                reading.contradicted = Some(row.record.row);
            }
        }
        Ok([gross, fee, refund, net])
    }

    /// Decides what `Net` means in this file, and with it what is paid out.
    fn settle_reading(&mut self) {
        match &self.readings {
            [Reading { contradicted: None }, _] => {}
            [Reading { contradicted: Some(_) }, Reading { contradicted: None }] => {
                let count = self.collector.settlements().len();
                for index in 0..count {
                    let settlement = self.collector.settlement(u32::try_from(index).unwrap_or(u32::MAX));
                    if let Some(settlement) = settlement {
                        let refund = settlement.stated.refund_minor.unwrap_or(0);
                        settlement.payout_minor = settlement.payout_minor.map(|payout| payout - refund);
                    }
                }
            }
            [Reading { contradicted: Some(without) }, Reading { contradicted: Some(within) }] => {
                let message = format!(
                    "Found Net without the refund in row {within} and with it in row {without}, expected one meaning \
                     throughout. {ADVICE}"
                );
                let problem = Problem::error(Kind::RowArithmetic, message).in_column("Net");
                self.collector.problems.push(problem.at_row(u64::from(*without)));
            }
        }
    }
}
