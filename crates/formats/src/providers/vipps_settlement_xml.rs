//! Vipps: the settlement report as XML, version 3.0, net and gross.
//!
//! Schema SettlementReport-3.0.xsd at github.com/vippsas/vipps-developers. Major units, dot, two decimals.
//! - The fee is positive here and negative in the CSV of the same payout; a refund is negative. A fee that is given back
//!   with a refund is negative.
//! - `SettledAmount` is the net or the gross by `SettlementType`: a gross settlement is paid without deducting fees,
//!   which are invoiced, while refunds are deducted all the same.
//! - There is no row type: a capture above zero is a sale, a refund below zero a refund.
//! - `OrderID` is empty for payments to a number; `SettlementID` is unique only within `SerialNumber`.

use settlement::{Control, Currency, Fees, Kind, Line, LineKind, Problem, Proof, Provider, Sink, StatedTotals, Terms};

use crate::collect::{Announced, Collector};
use crate::failure::{Failure, ReadSeek};
use crate::format::{Format, Refused, Surety};
use crate::head::Head;
use crate::limits::Limits;
use crate::read::amount::DecimalMark;
use crate::read::date::{DateForm, instant_us};
use crate::read::field::{Cell, last_four};
use crate::read::shown::shown_name;
use crate::read::text::TextEncoding;
use crate::read::xml::{Foreign, Step, Vocabulary, XmlReader, root_name, root_namespace};

pub(crate) const FORMAT: Format = Format {
    id: "vipps-settlement-xml-v3",
    provider: &Provider::VIPPS,
    family: "vipps-settlement",
    payment_products: Provider::VIPPS.products,
    file_types: &["xml"],
    proof: Proof::Exact,
    surety: Surety::Documented,
    source: "https://developer.vippsmobilepay.com/docs/settlements/xml/",
    detect: |head| begins_with_root(head, NAMESPACE),
    columns: &[],
    write_entries: None,
    parse,
};

/// The layout before 2018, of which no file is known: its dates are strings in a zone that is wrong.
pub(crate) const VERSION_2: Refused = Refused {
    detect: |head| begins_with_root(head, NAMESPACE_2),
    advice: "Found a Vipps SettlementReport of version 2.0, expected version 3.0: the old version has no refunds and \
             writes its times in a wrong zone. Download the report from Vipps as version 3.0",
};

const NAMESPACE: &str = "http://vipps.no/xmlschema/SettlementReport-3.0.xsd";
const VOCABULARY: Vocabulary = Vocabulary { namespaces: &[NAMESPACE], foreign: Foreign::Refused };
const NAMESPACE_2: &str = "http://vipps.dnb.no/XMLSchema/SettlementReport.xsd";
const ADVICE: &str = "Ask Vipps for the report again; do not edit it";

fn begins_with_root(head: &Head, namespace: &str) -> bool {
    root_name(head.text()).as_deref() == Some(REPORT.name) && root_namespace(head.text()).as_deref() == Some(namespace)
}

fn parse(input: &mut dyn ReadSeek, limits: &Limits, sink: &mut dyn Sink) -> Result<Control, Failure> {
    let encoding = TextEncoding::of_xml(input)?;
    let xml = XmlReader::new(input, encoding, VOCABULARY, limits);
    let mut report = Report { xml, collector: Collector::new(sink, limits), merchant: Merchant::default() };
    let ended = report.read();
    report.collector.finish(ended)
}

/// An element that holds others: its own values, and the elements it may hold besides.
struct Shape {
    name: &'static str,
    values: &'static [&'static str],
    optional: &'static [&'static str],
    elements: &'static [&'static str],
    /// Of those elements, the one that must be there.
    needed: Option<&'static str>,
}

const REPORT: Shape = Shape {
    name: "SettlementReport",
    values: &[],
    optional: &[],
    elements: &["SettlementDetailsInfo", "VippsInfo"],
    needed: Some("SettlementDetailsInfo"),
};

const DETAILS: Shape = Shape {
    name: "SettlementDetailsInfo",
    values: &[
        "SaleUnitName",
        "SerialNumber",
        "OrganizationName",
        "OrganizationNumber",
        "MainAddress",
        "MainAddressZipCode",
        "MainAddressCity",
        "MainAddressCountryCode",
    ],
    optional: &[],
    elements: &["PaymentsInfo"],
    needed: Some("PaymentsInfo"),
};

const PAYMENTS: Shape = Shape {
    name: "PaymentsInfo",
    values: &[
        "ReportDateFrom",
        "ReportDateTo",
        "SettlementCurrencyCode",
        "ReportReferenceNum",
        "SettlementAccountNum",
        "NumOfSettlements",
    ],
    optional: &["ReportReferenceNum"],
    elements: &["SettlementInfo", "FeeDetailsInfo"],
    needed: Some("SettlementInfo"),
};

const SETTLEMENT: Shape = Shape {
    name: "SettlementInfo",
    values: &[
        "SettlementDate",
        "SettlementID",
        "SettlementCurrencyCode",
        "SettlementType",
        "NumOfTransactions",
        "CaptureSettlementAmount",
        "RefundSettlementAmount",
        "GrossSettlementAmount",
        "NetSettlementAmount",
        "FeeSettlementAmount",
        "SettledAmount",
    ],
    optional: &[],
    elements: &["TransactionInfo"],
    needed: None,
};

const TRANSACTION: Shape = Shape {
    name: "TransactionInfo",
    values: &[
        "TransactionTime",
        "TransactionCaptureAmount",
        "TransactionRefundAmount",
        "TransactionGrossAmount",
        "TransactionNetAmount",
        "TransactionFeeAmount",
        "SettlementCurrencyCode",
        "TransactionID",
        "OrderID",
    ],
    optional: &[],
    elements: &[],
    needed: None,
};

/// The values read so far of one element.
struct Values {
    shape: &'static Shape,
    row: u32,
    found: Vec<Option<(u32, String)>>,
}

impl Values {
    fn new(shape: &'static Shape, row: u32) -> Self {
        Values { shape, row, found: vec![None; shape.values.len()] }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.shape.values.iter().position(|known| *known == name)
    }

    /// The value of that name; a missing one is a problem of the element.
    fn get(&self, name: &'static str) -> Result<Cell<'_>, Problem> {
        let found = self.place(name).and_then(|place| self.found.get(place)?.as_ref());
        match found {
            Some((row, text)) => Ok(Cell::of_text(text, *row, name)),
            None => {
                let message = format!("Found {} without its {name} where it is needed. {ADVICE}", self.shape.name);
                Err(Problem::error(Kind::XmlUnexpected, message).at_row(u64::from(self.row)).in_column(name))
            }
        }
    }

    fn trimmed(&self, name: &'static str) -> Result<Cell<'_>, Problem> {
        self.get(name).map(|cell| Cell { text: cell.text.trim_matches([' ', '\t', '\r', '\n']), ..cell })
    }

    /// Minor units as the file signs them.
    fn amount(&self, name: &'static str, exponent: u8) -> Result<i64, Problem> {
        self.trimmed(name)?.amount(DecimalMark::Dot, exponent)
    }

    fn missing(&self) -> Option<&'static str> {
        let values = self.shape.values.iter().zip(&self.found);
        values.filter(|(name, _)| !self.shape.optional.contains(name)).find(|(_, v)| v.is_none()).map(|(name, _)| *name)
    }
}

#[derive(Default)]
struct Merchant {
    number: String,
    organisation_number: Option<String>,
}

struct Report<'s, R: std::io::Read> {
    xml: XmlReader<R>,
    collector: Collector<'s>,
    merchant: Merchant,
}

impl<R: std::io::Read> Report<'_, R> {
    fn read(&mut self) -> Result<(), Failure> {
        self.xml.next()?;
        if self.xml.name() != REPORT.name {
            let message = format!("Found root element {}, expected {}", shown_name(self.xml.name()), REPORT.name);
            return Err(self.xml.problem(Kind::XmlUnexpected, &message).into());
        }
        self.element(&REPORT, |report, _, name| match name {
            "SettlementDetailsInfo" => report.details(),
            _ => report.xml.skip(),
        })?;
        match self.xml.next()? {
            Step::Eof => Ok(()),
            _ => Err(self.xml.problem(Kind::XmlMalformed, "Found more after the root element").into()),
        }
    }

    /// Reads an element to its end: its values by name, each element inside by `inside`.
    fn element(
        &mut self,
        shape: &'static Shape,
        mut inside: impl FnMut(&mut Self, &Values, &'static str) -> Result<(), Failure>,
    ) -> Result<Values, Failure> {
        let mut values = Values::new(shape, self.xml.row());
        let mut needed = shape.needed;
        loop {
            let step = self.xml.next()?;
            if !self.xml.text_before().trim().is_empty() {
                let message = format!("Found text between the elements of {}", shape.name);
                self.collector.problems.push(self.xml.problem(Kind::XmlUnexpected, &message));
            }
            if step != Step::Start {
                if let Some(needed) = needed {
                    let message = format!("Found {} without {needed}", shape.name);
                    self.collector.problems.push(self.xml.problem(Kind::XmlUnexpected, &message));
                }
                if let Some(name) = values.missing() {
                    self.collector.problems.push(values.get(name).map_or_else(|problem| problem, missing_is_empty));
                }
                return Ok(values);
            }
            if let Some(place) = values.place(self.xml.name()) {
                let row = self.xml.row();
                let again = values.found.get(place).is_some_and(Option::is_some);
                if again {
                    let message = format!("Found {} twice in {}", self.xml.name(), shape.name);
                    self.collector.problems.push(self.xml.problem(Kind::XmlUnexpected, &message));
                }
                self.xml.value()?;
                if let Some(slot) = values.found.get_mut(place) {
                    *slot = Some((row, self.xml.text().to_owned()));
                }
            } else if let Some(name) = shape.elements.iter().find(|name| **name == self.xml.name()) {
                needed = needed.filter(|needed| needed != name);
                inside(self, &values, name)?;
            } else {
                let name = shown_name(self.xml.name());
                let message = format!("Found element {name} in {}, which version 3.0 does not have", shape.name);
                self.collector.problems.push(self.xml.problem(Kind::XmlUnexpected, &message));
                self.xml.skip()?;
            }
        }
    }

    fn details(&mut self) -> Result<(), Failure> {
        self.element(&DETAILS, |report, values, _| {
            report.merchant.number = values.trimmed("SerialNumber")?.digits()?.to_owned();
            let organisation_number = values.trimmed("OrganizationNumber")?;
            report.merchant.organisation_number = report.collector.organisation_number(organisation_number);
            report.payments()
        })
        .map(drop)
    }

    fn payments(&mut self) -> Result<(), Failure> {
        let first = self.collector.settlements().len();
        let values = self.element(&PAYMENTS, |report, values, name| match name {
            "SettlementInfo" => report.settlement(values),
            _ => report.xml.skip(),
        })?;
        let read = self.collector.settlements().len() - first;
        let stated = values.trimmed("NumOfSettlements")?;
        if stated.digits()?.parse() != Ok(read) {
            let expected = format!("{read}, the number of settlements that follow one another here");
            self.collector.problems.push(stated.problem(Kind::ControlTotal, &expected, ADVICE));
        }
        Ok(())
    }

    fn settlement(&mut self, payments: &Values) -> Result<(), Failure> {
        let period = (payments.trimmed("ReportDateFrom")?, payments.trimmed("ReportDateTo")?);
        let (from, to) = (period.0.date(DateForm::Iso)?, period.1.date(DateForm::Iso)?);
        let currency = payments.trimmed("SettlementCurrencyCode")?.currency()?;
        let account = last_four(payments.trimmed("SettlementAccountNum")?.kept_text()?);
        let mut index = None;
        let values = self.element(&SETTLEMENT, |report, values, _| {
            let index = match index {
                Some(index) => index,
                None => *index.insert(report.announce(values, currency)?),
            };
            report.transaction(index, currency)
        })?;
        let index = match index {
            Some(index) => index,
            None => self.announce(&values, currency)?,
        };
        let settled = self.settle(index, currency, &values);
        self.collector.recover(settled)?;
        if let Some(settlement) = self.collector.settlement(index) {
            settlement.period_from = Some(from);
            settlement.period_to = Some(to);
            settlement.bank_account = account;
        }
        Ok(())
    }

    /// Takes what a settlement states of itself.
    fn settle(&mut self, index: u32, currency: Currency, values: &Values) -> Result<(), Failure> {
        let exponent = FORMAT.provider.exponent(currency);
        let fees = match values.trimmed("SettlementType")? {
            Cell { text: "Net", .. } => Fees::Deducted,
            Cell { text: "Gross", .. } => Fees::Invoiced,
            cell => return Err(cell.problem(Kind::XmlUnexpected, "Net or Gross", ADVICE).into()),
        };
        let count = values.trimmed("NumOfTransactions")?;
        let lines = count.digits()?.parse().map_err(|_| count.problem(Kind::Identifier, "a number", ADVICE))?;
        let payout = values.amount("SettledAmount", exponent)?;
        let stated = StatedTotals {
            row: Some(u64::from(values.get("SettledAmount")?.row)),
            lines: Some(lines),
            capture_minor: Some(values.amount("CaptureSettlementAmount", exponent)?),
            refund_minor: Some(values.amount("RefundSettlementAmount", exponent)?),
            gross_minor: Some(values.amount("GrossSettlementAmount", exponent)?),
            fee_minor: Some(values.amount("FeeSettlementAmount", exponent)?),
            net_minor: Some(values.amount("NetSettlementAmount", exponent)?),
        };
        let organisation_number = self.merchant.organisation_number.clone();
        if let Some(settlement) = self.collector.settlement(index) {
            settlement.organisation_number = organisation_number;
            settlement.fees = fees;
            settlement.payout_minor = Some(payout);
            settlement.stated = stated;
        }
        Ok(())
    }

    fn announce(&mut self, values: &Values, currency: Currency) -> Result<u32, Failure> {
        same_currency(values, currency)?;
        let settlement_id = values.trimmed("SettlementID")?.digits()?.to_owned();
        let merchant_number = self.merchant.number.clone();
        if self.collector.find(&merchant_number, &settlement_id, currency).is_some() {
            let cell = values.trimmed("SettlementID")?;
            return Err(cell.problem(Kind::DuplicateTransaction, "each settlement once", ADVICE).into());
        }
        let payout_on = values.trimmed("SettlementDate")?.date(DateForm::Iso)?;
        let exponent = FORMAT.provider.exponent(currency);
        let row = values.trimmed("SettlementID")?.row;
        let (merchant_number, settlement_id) = (merchant_number.as_str(), settlement_id.as_str());
        self.collector.open(&Announced { merchant_number, settlement_id, currency, exponent, payout_on, row })
    }

    fn transaction(&mut self, settlement: u32, currency: Currency) -> Result<(), Failure> {
        let values = self.element(&TRANSACTION, |report, _, _| report.xml.skip())?;
        let taken = self.line(settlement, currency, &values);
        self.collector.recover(taken)
    }

    fn line(&mut self, settlement: u32, currency: Currency, values: &Values) -> Result<(), Failure> {
        same_currency(values, currency)?;
        let exponent = FORMAT.provider.exponent(currency);
        let capture = values.amount("TransactionCaptureAmount", exponent)?;
        let refund = values.amount("TransactionRefundAmount", exponent)?;
        let gross = values.amount("TransactionGrossAmount", exponent)?;
        let net = values.amount("TransactionNetAmount", exponent)?;
        let fee = values.amount("TransactionFeeAmount", exponent)?;
        let signs = [
            ("TransactionCaptureAmount", capture < 0, "no negative amount"),
            ("TransactionRefundAmount", refund > 0, "no positive amount"),
            // A fee is given back with a refund, and charged with a capture.
            ("TransactionFeeAmount", fee < 0 && capture > 0, "no negative amount in a capture"),
        ];
        for (name, wrong, expected) in signs {
            if wrong {
                return Err(values.trimmed(name)?.problem(Kind::Amount, expected, ADVICE).into());
            }
        }
        let sums = [
            ("TransactionGrossAmount", gross != capture + refund, "capture plus refund"),
            ("TransactionNetAmount", net != gross - fee, "gross less fee"),
        ];
        for (name, wrong, expected) in sums {
            if wrong {
                let problem = values.trimmed(name)?.problem(Kind::RowArithmetic, expected, ADVICE);
                self.collector.problems.push(problem);
            }
        }
        let kind = match (capture, refund) {
            (0, 0) if fee != 0 => LineKind::Fee,
            (_, 0) => LineKind::Sale,
            (0, _) => LineKind::Refund,
            _ => {
                let expected = "zero in a row that has a capture";
                let cell = values.trimmed("TransactionRefundAmount")?;
                return Err(cell.problem(Kind::UnknownRowType, expected, ADVICE).into());
            }
        };
        let time = values.trimmed("TransactionTime")?;
        let expected = "a time with its offset, as 2026-12-31T23:59:59.000+01:00";
        let captured_at = instant_us(time.text).ok_or_else(|| time.problem(Kind::Identifier, expected, ADVICE))?;
        let terms = Terms { capture_minor: capture, refund_minor: refund, fee_minor: fee, ..Terms::default() };
        self.collector.add(&Line {
            settlement,
            row: values.row,
            kind,
            terms,
            provider_transaction_id: values.trimmed("TransactionID")?.reference()?,
            original_reference: "",
            order_reference: values.get("OrderID")?.kept_text()?,
            correlation_id: "",
            provider_method: "",
            provider_kind: "",
            store_id: "",
            payout_destination_id: "",
            captured_at_us: Some(captured_at),
            provider_date: time.text.get(..10).and_then(|day| DateForm::Iso.parse(day)),
        })
    }
}

fn same_currency(values: &Values, currency: Currency) -> Result<(), Problem> {
    let cell = values.trimmed("SettlementCurrencyCode")?;
    if cell.currency()? == currency {
        return Ok(());
    }
    let expected = format!("{currency} as in PaymentsInfo");
    Err(cell.bad_code(Kind::CurrencyMixed, &expected, ADVICE))
}

/// A value that was found cannot be missing.
fn missing_is_empty(cell: Cell<'_>) -> Problem {
    cell.problem(Kind::XmlUnexpected, "a value", ADVICE)
}
