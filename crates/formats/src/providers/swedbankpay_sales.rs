//! Swedbank Pay (PayEx): the transaction list "Sales Accounted Transactions", whichever way it is written.
//!
//! Described at developer.swedbankpay.com (settlement reconciliation); measured on published files of 2011 to 2023.
//! - One file is one settlement, named by its `AccountingNo`, in one currency or several.
//! - The list is gross: no fee, no payout and, in version 1, no day. Those stand in the balance report, a PDF.
//! - There is no row type: an amount below zero is a refund, any other a sale.
//! - A summary states number and sum of every service, which is held against the rows.
//! - `ReferencedTransaction` of a refund is the sale that it belongs to; of a sale it is the authorisation.
//! - Times have no zone; they are taken for Swedish.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use settlement::{Control, Currency, Kind, Line, LineKind, MajorUnits, Problem, Provider, Sink, Terms};

use crate::collect::{Announced, Collector};
use crate::failure::Failure;
use crate::limits::Limits;
use crate::read::amount::DecimalMark;
use crate::read::date::{DateForm, instant_in, local_time};
use crate::read::field::{Cell, Column, optional, required};

pub(super) const PROVIDER: &Provider = &Provider::SWEDBANK_PAY;
pub(super) const FAMILY: &str = "swedbankpay-sales";
pub(super) const SOURCE: &str =
    "https://developer.swedbankpay.com/checkout-v3/features/core/settlement-reconciliation/";
pub(super) const ADVICE: &str = "Ask Swedbank Pay for the list again; do not edit it";

/// More services than any list has; each is looked for at every row.
const SERVICES_MAX: usize = 256;

/// Columns of the rows that are read; their names differ between versions and files.
pub(super) const NUMBER: usize = 0;
pub(super) const AMOUNT: usize = 1;
pub(super) const SERVICE: usize = 2;
pub(super) const CREATED: usize = 3;
pub(super) const CURRENCY: usize = 4;
pub(super) const ORDER: usize = 5;
pub(super) const REFERENCED: usize = 6;
pub(super) const SUBSITE: usize = 7;

/// Version 2, as attributes of XML and as header of the workbook.
pub(super) const ROW_V2: &[Column] = &[
    required("PayexTransactionNo"),
    required("Amount"),
    required("ServiceName"),
    required("DateCreated"),
    required("Currency"),
    optional("OrderIdentity"),
    optional("ReferencedTransaction"),
    optional("Subsite"),
    optional("PayExAccountNo"),
    optional("TransactionIdentity"),
    optional("VATAmount"),
    optional("VatPercentage"),
    optional("DateModified"),
    optional("Provider"),
    optional("PayexBatchNo"),
    optional("SubsiteDescription"),
    optional("ExternalTransactionReference"),
    optional("CreditCardBatchNo"),
    optional("Description"),
    optional("ProductCategory"),
    optional("SalesChannel"),
    optional("Brand"),
    optional("PointOfSale"),
];

/// Version 1 as attributes of XML; the currency stands on the element around them.
pub(super) const ROW_V1_XML: &[Column] = &[
    required("TransactionNo"),
    required("Amount"),
    required("Type"),
    required("DateCreated"),
    optional("Currency"),
    optional("OrderId"),
    optional("ReferencedTransaction"),
    optional("Subsite"),
    optional("PayexBatchNo"),
    optional("DateModified"),
    optional("Provider"),
    optional("MerchantProductNo"),
    optional("Description"),
    optional("VATAmount"),
    optional("VatPercentage"),
    optional("CreditCardBatchNo"),
    optional("DirectDebitBankRef"),
    optional("Reference"),
    optional("PayExAccountNo"),
    optional("SalesChannel"),
    optional("Brand"),
    optional("PointOfSale"),
];

/// Version 1 as header of the workbook.
pub(super) const ROW_V1_XLSX: &[Column] = &[
    required("Transaction Number"),
    required("Amount"),
    required("Type"),
    required("Date Created"),
    required("Currency"),
    optional("Order Id"),
    optional("Referenced Transaction Number"),
    optional("Subsite"),
    optional("PayEx Batch Number"),
    optional("Date Modified"),
    optional("Provider"),
    optional("Product Number"),
    optional("Description"),
    optional("VAT Amount"),
    optional("VAT Percentage"),
    optional("Credit Card Batch Number"),
    optional("Direct Debit Bank Reference"),
    optional("Reference"),
    optional("PayEx Account Number"),
    optional("Sales Channel"),
    optional("Brand"),
    optional("Point Of Sale"),
];

/// Columns of the summary of services.
pub(super) const SUMMARY_SERVICE: usize = 0;
pub(super) const SUMMARY_DEBITS: usize = 1;
pub(super) const SUMMARY_CREDITS: usize = 2;
pub(super) const SUMMARY_AMOUNT: usize = 3;
pub(super) const SUMMARY_FROM: usize = 4;
pub(super) const SUMMARY_TO: usize = 5;
pub(super) const SUMMARY_CURRENCY: usize = 6;

pub(super) const SUMMARY_V2: &[Column] = &[
    required("ServiceName"),
    required("NoOfDebit"),
    required("NoOfCredit"),
    required("Amount"),
    required("FromDate"),
    required("ToDate"),
    optional("Currency"),
    optional("ServiceType"),
    optional("Subsite"),
    optional("SubsiteDescription"),
];

pub(super) const SUMMARY_V1_XML: &[Column] = &[
    required("Name"),
    required("NoOfDebet"),
    required("NoOfCredit"),
    required("Amount"),
    required("FromDate"),
    required("ToDate"),
    optional("Currency"),
];

pub(super) const SUMMARY_V1_XLSX: &[Column] = &[
    required("Service"),
    required("NoOfDebet"),
    required("NoOfCredit"),
    required("Amount"),
    required("FromDate"),
    required("ToDate"),
    optional("Currency"),
    optional("ServiceType"),
    optional("Prefix"),
];

/// Cells by number of column, from an element of XML or a row of a sheet.
pub(super) trait Fields {
    /// The cell of that column; empty when it is not there.
    fn cell(&self, column: usize) -> Cell<'_>;
}

/// A list that is being read.
pub(super) struct SalesList<'s> {
    pub(super) collector: Collector<'s>,
    zone: Option<TimeZone>,
    accounting_no: String,
    accounting_date: Option<Date>,
    rows_stated: Option<u64>,
    services: Vec<Service>,
    settlements: Vec<(Currency, u32)>,
    /// A row of the summary could not be read, so that what it states is not known.
    summary_lacks: bool,
    /// Rows that belong to nothing that the summary is known to state.
    unplaced: u64,
}

/// What the summary says of one service, and what its rows say.
struct Service {
    currency: Currency,
    name: String,
    row: u32,
    from: Date,
    to: Date,
    stated: Count,
    found: Count,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    debits: u64,
    credits: u64,
    amount_minor: i64,
}

impl Count {
    fn add(&mut self, other: Count) -> Option<()> {
        self.debits = self.debits.checked_add(other.debits)?;
        self.credits = self.credits.checked_add(other.credits)?;
        self.amount_minor = self.amount_minor.checked_add(other.amount_minor)?;
        Some(())
    }
}

impl<'s> SalesList<'s> {
    pub(super) fn new(sink: &'s mut dyn Sink, limits: &'s Limits) -> Self {
        SalesList {
            collector: Collector::new(sink, limits),
            zone: TimeZone::get("Europe/Stockholm").ok(),
            accounting_no: String::new(),
            accounting_date: None,
            rows_stated: None,
            services: Vec::new(),
            settlements: Vec::new(),
            summary_lacks: false,
            unplaced: 0,
        }
    }

    /// Takes what the list says of itself; version 1 states neither day nor, in XML, a number of rows.
    pub(super) fn head(
        &mut self,
        accounting_no: Cell<'_>,
        date: Option<Cell<'_>>,
        rows: Option<Cell<'_>>,
    ) -> Result<(), Failure> {
        customer_of(accounting_no)?;
        self.accounting_no = accounting_no.text.to_owned();
        self.accounting_date = date.map(|date| date.date(DateForm::Iso)).transpose()?;
        self.rows_stated = rows.map(count).transpose()?;
        Ok(())
    }

    /// Takes one service of the summary; `currency` is that of the element around it, where there is one.
    pub(super) fn service(&mut self, summary: &dyn Fields, currency: Option<Currency>) -> Result<(), Failure> {
        let taken = self.take_service(summary, currency);
        self.summary_lacks |= taken.is_err();
        taken
    }

    /// A row of the summary could not be read.
    pub(super) fn summary_is_lacking(&mut self) {
        self.summary_lacks = true;
    }

    fn take_service(&mut self, summary: &dyn Fields, currency: Option<Currency>) -> Result<(), Failure> {
        let currency = match currency {
            Some(currency) => currency,
            None => summary.cell(SUMMARY_CURRENCY).currency()?,
        };
        let name = summary.cell(SUMMARY_SERVICE);
        let amount = summary.cell(SUMMARY_AMOUNT);
        let stated = Count {
            debits: count(summary.cell(SUMMARY_DEBITS))?,
            credits: count(summary.cell(SUMMARY_CREDITS))?,
            amount_minor: amount.amount(DecimalMark::Dot, PROVIDER.exponent(currency))?,
        };
        let (from, to) = (day_of(summary.cell(SUMMARY_FROM))?, day_of(summary.cell(SUMMARY_TO))?);
        let full = self.services.len() >= SERVICES_MAX;
        match self.services.iter_mut().find(|service| service.currency == currency && service.name == name.text) {
            // The same service of another part of the merchant.
            Some(known) => {
                let fits = known.stated.add(stated);
                fits.ok_or_else(|| amount.problem(Kind::AmountOverflow, "sums that can be counted", ADVICE))?;
                known.from = known.from.min(from);
                known.to = known.to.max(to);
            }
            None if full => {
                let message = format!("Found more than {SERVICES_MAX} services, expected fewer. {ADVICE}");
                return Err(Problem::error(Kind::TooLarge, message).into());
            }
            None => {
                let name_text = name.kept_text()?.to_owned();
                let found = Count::default();
                self.services.push(Service { currency, name: name_text, row: name.row, from, to, stated, found });
            }
        }
        Ok(())
    }

    /// Ends the summary: a settlement in each of its currencies is known by name now.
    pub(super) fn open_settlements(&mut self) -> Result<(), Failure> {
        let merchant_number = customer_of(Cell::of_text(&self.accounting_no, 1, "AccountingNo"))?.to_owned();
        let mut currencies: Vec<Currency> = Vec::new();
        for service in &self.services {
            if !currencies.contains(&service.currency) {
                currencies.push(service.currency);
            }
        }
        for currency in currencies {
            let own = || self.services.iter().filter(|service| service.currency == currency);
            let (Some(from), Some(to)) = (own().map(|s| s.from).min(), own().map(|s| s.to).max()) else { continue };
            let mut sum = Count::default();
            let whole = own().try_for_each(|service| sum.add(service.stated));
            let row = own().map(|service| u64::from(service.row)).next();
            let index = self.collector.open(&Announced {
                merchant_number: &merchant_number,
                settlement_id: &self.accounting_no,
                currency,
                exponent: PROVIDER.exponent(currency),
                // Version 1 states no day: the last day of its sales stands in.
                payout_on: self.accounting_date.unwrap_or(to),
                row: 1,
            })?;
            if whole.is_none() {
                let message = format!("Found services in {currency} that sum to more than can be counted. {ADVICE}");
                self.collector.problems.push(Problem::error(Kind::AmountOverflow, message));
            }
            if let Some(settlement) = self.collector.settlement(index) {
                settlement.period_from = Some(from);
                settlement.period_to = Some(to);
                settlement.stated.row = row;
                settlement.stated.lines = sum.debits.checked_add(sum.credits);
                settlement.stated.gross_minor = Some(sum.amount_minor);
            }
            self.settlements.push((currency, index));
        }
        Ok(())
    }

    /// Takes the sum that stands before the rows of a currency, in place of the sum of its services.
    pub(super) fn currency_sum(&mut self, sum: Cell<'_>, currency: Currency) -> Result<(), Failure> {
        let minor = sum.amount(DecimalMark::Dot, PROVIDER.exponent(currency))?;
        let index = self.settlement_in(currency, sum)?;
        if let Some(settlement) = self.collector.settlement(index) {
            settlement.stated.gross_minor = Some(minor);
            settlement.stated.row = Some(u64::from(sum.row));
        }
        Ok(())
    }

    fn settlement_in(&self, currency: Currency, cell: Cell<'_>) -> Result<u32, Problem> {
        let known = self.settlements.iter().find(|(known, _)| *known == currency).map(|(_, index)| *index);
        known.ok_or_else(|| cell.bad_code(Kind::CurrencyMixed, "a currency that the summary has", ADVICE))
    }

    /// Takes one row; `around` is the currency of the element around it, where there is one.
    pub(super) fn row(&mut self, row: &dyn Fields, around: Option<Currency>) -> Result<(), Failure> {
        let cell = row.cell(CURRENCY);
        let currency = match around {
            Some(currency) if cell.text.is_empty() => currency,
            _ => cell.currency()?,
        };
        if around.is_some_and(|around| around != currency) {
            return Err(cell.bad_code(Kind::CurrencyMixed, "the currency of the rows around it", ADVICE).into());
        }
        let settlement = match self.settlement_in(currency, cell) {
            Err(_) if self.summary_lacks => {
                self.unplaced += 1;
                return Ok(());
            }
            found => found?,
        };
        let amount = row.cell(AMOUNT);
        let minor = amount.amount(DecimalMark::Dot, PROVIDER.exponent(currency))?;
        let (kind, terms) = match minor < 0 {
            true => (LineKind::Refund, Terms { refund_minor: minor, ..Terms::default() }),
            false => (LineKind::Sale, Terms { capture_minor: minor, ..Terms::default() }),
        };
        let service = row.cell(SERVICE);
        self.count_service(service, currency, minor);
        let created = row.cell(CREATED);
        let expected = "a time written as 2026-12-31 23:59:59";
        let time = local_time(created.text).ok_or_else(|| created.problem(Kind::Identifier, expected, ADVICE))?;
        let number = row.cell(NUMBER).digits()?;
        self.collector.add(&Line {
            settlement,
            row: amount.row,
            kind,
            terms,
            provider_transaction_id: number,
            original_reference: match kind {
                LineKind::Refund => row.cell(REFERENCED).kept_text()?,
                _ => "",
            },
            order_reference: row.cell(ORDER).kept_text()?,
            correlation_id: "",
            provider_method: service.kept_text()?,
            provider_kind: "",
            store_id: row.cell(SUBSITE).kept_text()?,
            payout_destination_id: "",
            captured_at_us: self.zone.as_ref().and_then(|zone| instant_in(zone, time)),
            provider_date: Some(time.date()),
        })
    }

    fn count_service(&mut self, service: Cell<'_>, currency: Currency, minor: i64) {
        let known = self.services.iter_mut().find(|known| known.currency == currency && known.name == service.text);
        let Some(known) = known else {
            if self.summary_lacks {
                self.unplaced += 1;
                return;
            }
            let problem = service.problem(Kind::ControlTotal, "a service that the summary has", ADVICE);
            self.collector.problems.push(problem);
            return;
        };
        let (debits, credits) = if minor < 0 { (0, 1) } else { (1, 0) };
        // Beyond all counting it differs from what is stated, and so does the sum of the settlement.
        let _ = known.found.add(Count { debits, credits, amount_minor: minor });
    }

    /// Ends the list once its reader has ended.
    pub(super) fn finish(mut self, ended: Result<(), Failure>) -> Result<Control, Failure> {
        if self.summary_lacks {
            self.collector.compare_no_totals();
            let mut message = "The totals were not compared, since a row of the summary could not be read".to_owned();
            if self.unplaced > 0 {
                message.push_str(&format!("; {} of the rows belong to nothing else that it states", self.unplaced));
            }
            self.collector.problems.push(Problem::note(Kind::ControlTotal, message));
        } else if ended.is_ok() && !self.collector.has_lost_rows() {
            self.hold_against_summary();
        }
        self.collector.finish(ended)
    }

    fn hold_against_summary(&mut self) {
        for service in self.services.iter().filter(|service| service.stated != service.found) {
            let exponent = PROVIDER.exponent(service.currency);
            let counted = |count: &Count| {
                let Count { debits, credits, amount_minor } = *count;
                format!("{debits} sales and {credits} refunds, {}", MajorUnits::new(amount_minor, exponent))
            };
            let message = format!(
                "Found {} of a service in {}, where the summary states {} in this row. {ADVICE}",
                counted(&service.found),
                service.currency,
                counted(&service.stated)
            );
            let problem = Problem::error(Kind::ControlTotal, message);
            self.collector.problems.push(problem.at_row(u64::from(service.row)));
        }
        let rows = self.collector.lines();
        if let Some(stated) = self.rows_stated.filter(|stated| *stated != rows) {
            let message = format!("Found {rows} rows, where the list states {stated}. {ADVICE}");
            self.collector.problems.push(Problem::error(Kind::ControlTotal, message));
        }
    }
}

/// The customer that an accounting number begins with: `R1234` of `R1234-0001`.
fn customer_of(accounting_no: Cell<'_>) -> Result<&str, Problem> {
    let digits = |text: &str| (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match accounting_no.text.rsplit_once('-') {
        Some((customer, number)) if digits(number) => {
            let after_letter = customer.strip_prefix(|c: char| c.is_ascii_uppercase());
            after_letter.is_some_and(digits).then_some(customer)
        }
        _ => None,
    }
    .ok_or_else(|| accounting_no.bad_id(Kind::Identifier, "customer and running number, as R1234-0001", ADVICE))
}

/// A number of rows.
fn count(cell: Cell<'_>) -> Result<u64, Problem> {
    cell.digits()?.parse().map_err(|_| cell.bad_id(Kind::Identifier, "a number of rows", ADVICE))
}

/// A day, or the day of a time: version 1 writes times in its summary.
fn day_of(cell: Cell<'_>) -> Result<Date, Problem> {
    match local_time(cell.text) {
        Some(time) => Ok(time.date()),
        None => cell.date(DateForm::Iso),
    }
}
