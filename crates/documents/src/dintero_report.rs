//! The Dintero report of one settlement in its forms: CSV, JSON and XML for programs, from one table of fields and columns;
//! CSV, workbook and paper for people, from another (`statement.rs`).
//!
//! Dintero publishes the head of its XML schema and the keys of its JSON; the names of its CSV columns and of the
//! elements after `Reference` are not public. All names are therefore in [`HEAD`] and [`COLUMNS`], where they can be
//! corrected; fields that are not Dintero's follow those that are.
//!
//! Signs in the forms for programs are those of Dintero's specification: capture, refund, fee and chargeback are
//! positive amounts, and `amount = capture − refund − fee − fee VAT − chargeback + reserve + adjustment`.

mod csv;
mod json;
mod pdf;
mod semicolon;
mod statement;
mod xlsx;
mod xml;

use std::io::Write;

use settlement::{LineRecord, ReportId, SettleKey, Settlement, Terms, hexadecimal};
use sha2::{Digest, Sha256};

use crate::breakdown::{Breakdown, Tally, not_countable};
use crate::error::DocumentError;
use crate::labels::Language;
use crate::term::{NET, TERMS};
use crate::value::Value;

/// A form of the Dintero report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportType {
    /// CSV for programs: comma, dot, major units, one header row and a proof row.
    Csv,
    /// JSON for programs, in minor units.
    Json,
    /// XML for programs, in major units and Dintero's element order.
    Xml,
    /// CSV for a spreadsheet in the account's language: semicolon, the language's decimal mark, a row of totals.
    SemicolonCsv,
    /// A workbook in the account's language.
    Xlsx,
    /// A specification on paper in the account's language.
    Pdf,
}

impl ReportType {
    /// All forms.
    pub const ALL: [ReportType; 6] = [
        ReportType::Csv,
        ReportType::Json,
        ReportType::Xml,
        ReportType::SemicolonCsv,
        ReportType::Xlsx,
        ReportType::Pdf,
    ];

    /// The file name extension.
    pub fn extension(self) -> &'static str {
        match self {
            ReportType::Csv => "csv",
            ReportType::Json => "json",
            ReportType::Xml => "xml",
            ReportType::SemicolonCsv => "semicolon.csv",
            ReportType::Xlsx => "xlsx",
            ReportType::Pdf => "pdf",
        }
    }
}

/// The Dintero report of one settlement.
#[derive(Debug, Clone, Copy)]
pub struct DinteroReport<'a> {
    /// The key of the settlement.
    pub key: &'a SettleKey,
    /// The settlement, as its report proves it.
    pub settlement: &'a Settlement,
    /// The version of the settlement, from 1; each replaces all earlier ones.
    pub version: u32,
    /// The report that the settlement was read from.
    pub report: ReportId,
    /// The breakdown of its lines.
    pub breakdown: &'a Breakdown,
    /// The language of the forms for people.
    pub language: Language,
}

/// A field of the head: its JSON key, its XML element and its value.
struct Field {
    key: &'static str,
    element: &'static str,
    value: fn(&DinteroReport<'_>) -> Value,
}

/// A column of the lines: its JSON key and CSV header, its XML element and its value.
struct Column {
    key: &'static str,
    element: &'static str,
    value: fn(&DinteroReport<'_>, &LineRecord) -> Value,
}

/// Fields of `PaymentsInfo`, in Dintero's order.
const HEAD: &[Field] = &[
    Field { key: "date_from", element: "ReportDateFrom", value: |r| Value::Date(r.settlement.period_from) },
    Field { key: "date_to", element: "ReportDateTo", value: |r| Value::Date(r.settlement.period_to) },
    Field { key: "currency", element: "SettlementCurrencyCode", value: |r| r.currency() },
    Field { key: "report_reference", element: "ReportReferenceNum", value: |r| Value::Text(r.reference()) },
    Field { key: "dintero_settlement_id", element: "DinteroSettlementId", value: |r| Value::Text(r.reference()) },
    Field { key: "account_id", element: "SettlementAccountNum", value: |r| r.account() },
];

/// Fields of `SettlementInfo`, in Dintero's order; the JSON report has them on one level with [`HEAD`].
const SETTLEMENT: &[Field] = &[
    Field {
        key: "settlement_date",
        element: "SettlementDate",
        value: |r| Value::Date(Some(r.settlement.head.payout_on)),
    },
    Field { key: "period_start", element: "SettlementPeriodStart", value: |r| Value::Date(r.settlement.period_from) },
    Field { key: "period_end", element: "SettlementPeriodEnd", value: |r| Value::Date(r.settlement.period_to) },
    Field { key: "provider", element: "SettlementProvider", value: |r| Value::Text(r.key.provider.to_string()) },
    Field { key: "account_id", element: "AccountId", value: |r| r.account() },
    Field { key: "settlement_reference", element: "SettlementReference", value: |r| r.bank_reference() },
    Field { key: "currency", element: "SettlementCurrencyCode", value: |r| r.currency() },
];

/// Columns of `TransactionInfo`: Dintero's own up to `Reference`, then ours.
const COLUMNS: &[Column] = &[
    Column { key: "transaction_type", element: "TransactionType", value: |_, _| Value::Text("settlement".into()) },
    Column { key: "transaction_date", element: "TransactionTime", value: |_, l| Value::Date(l.captured_on) },
    Column { key: "amount", element: "TransactionAmount", value: |_, l| net(&l.terms) },
    // VAT of the goods, which no provider's report has.
    Column { key: "vat", element: "TransactionVatAmount", value: |_, _| Value::Amount(0) },
    Column { key: "capture", element: "TransactionCapture", value: |_, l| Value::Amount(l.terms.capture_minor) },
    Column { key: "refund", element: "TransactionRefund", value: |_, l| negated(l.terms.refund_minor) },
    Column { key: "fee", element: "TransactionFee", value: |_, l| Value::Amount(l.terms.fee_minor) },
    Column { key: "chargeback", element: "TransactionChargeback", value: |_, l| negated(l.terms.chargeback_minor) },
    Column { key: "currency", element: "SettlementCurrencyCode", value: |r, _| r.currency() },
    // Dintero's id of the transaction, which only matching knows.
    Column { key: "transaction_id", element: "TransactionID", value: |_, _| Value::Text(String::new()) },
    Column { key: "reference", element: "Reference", value: |_, l| Value::text(l.order_reference.as_deref()) },
    Column { key: "fee_vat", element: "TransactionFeeVat", value: |_, l| Value::Amount(l.terms.fee_vat_minor) },
    Column { key: "reserve", element: "TransactionReserve", value: |_, l| Value::Amount(l.terms.reserve_minor) },
    Column {
        key: "adjustment",
        element: "TransactionAdjustment",
        value: |_, l| Value::Amount(l.terms.adjustment_minor),
    },
    Column { key: "kind", element: "LineKind", value: |_, l| Value::Text(l.kind.as_str().into()) },
    Column {
        key: "provider_transaction_id",
        element: "ProviderTransactionID",
        value: |_, l| Value::text(l.provider_transaction_id.as_deref()),
    },
    Column {
        key: "provider_method",
        element: "ProviderMethod",
        value: |_, l| Value::text(l.provider_method.as_deref()),
    },
    Column { key: "line_no", element: "SourceRow", value: |_, l| Value::Count(u64::try_from(l.line_no).unwrap_or(0)) },
];

/// The proof line, in every form of every report.
const PROOF: &[Field] = &[
    Field { key: "lines", element: "Lines", value: |r| Value::Count(r.settlement.lines) },
    Field { key: "capture", element: "Capture", value: |r| Value::Amount(r.settlement.sums.capture_minor) },
    Field { key: "refund", element: "Refund", value: |r| negated(r.settlement.sums.refund_minor) },
    Field { key: "fee", element: "Fee", value: |r| Value::Amount(r.settlement.sums.fee_minor) },
    Field { key: "fee_vat", element: "FeeVat", value: |r| Value::Amount(r.settlement.sums.fee_vat_minor) },
    Field { key: "chargeback", element: "Chargeback", value: |r| negated(r.settlement.sums.chargeback_minor) },
    Field { key: "reserve", element: "Reserve", value: |r| Value::Amount(r.settlement.sums.reserve_minor) },
    Field { key: "adjustment", element: "Adjustment", value: |r| Value::Amount(r.settlement.sums.adjustment_minor) },
    Field { key: "amount", element: "Net", value: |r| net(&r.settlement.sums) },
    Field { key: "opening", element: "Opening", value: |r| Value::Amount(r.settlement.opening_minor) },
    Field { key: "closing", element: "Closing", value: |r| Value::Amount(r.settlement.closing_minor) },
    Field { key: "fees", element: "Fees", value: |r| Value::Text(r.settlement.fees.as_str().into()) },
    Field { key: "payout", element: "StatedPayout", value: |r| Value::amount_or_nothing(r.settlement.payout_minor) },
    Field {
        key: "difference",
        element: "Difference",
        value: |r| Value::amount_or_nothing(r.settlement.difference_minor()),
    },
    Field { key: "proof", element: "Proof", value: |r| Value::Text(r.settlement.proof.as_str().into()) },
];

impl DinteroReport<'_> {
    /// Writes the report with its `lines` in the given form.
    ///
    /// # Errors
    /// When output or lines fail, when the lines are not those that were proved, or when an amount is beyond the range of `i64`.
    pub fn write<E: std::error::Error + Send + Sync + 'static>(
        &self,
        form: ReportType,
        lines: impl Iterator<Item = Result<LineRecord, E>>,
        out: &mut dyn Write,
    ) -> Result<(), DocumentError> {
        self.breakdown.agrees_with(self.settlement)?;
        let mut tally = Tally::default();
        let lines = lines.map(|line| {
            let line = line.map_err(|error| DocumentError::Lines(Box::new(error)))?;
            tally.add(&line.terms);
            let is_countable = TERMS.iter().chain([&NET]).all(|term| term.minor(&line.terms).is_some());
            if is_countable { Ok(line) } else { Err(not_countable(self.settlement)) }
        });
        match form {
            ReportType::Csv => csv::write(self, lines, out)?,
            ReportType::Json => json::write(self, lines, out)?,
            ReportType::Xml => xml::write(self, lines, out)?,
            ReportType::SemicolonCsv => semicolon::write(self, lines, out)?,
            ReportType::Xlsx => xlsx::write(self, lines, out)?,
            ReportType::Pdf => pdf::write(self, lines, out)?,
        }
        tally.agrees_with(self.settlement)
    }

    /// A reference of 40 hexadecimal digits, as Dintero's own reports have: made from the settlement's key.
    pub fn reference(&self) -> String {
        let hash = Sha256::digest(self.key.to_string());
        hexadecimal(&hash).chars().take(40).collect()
    }

    fn currency(&self) -> Value {
        Value::Text(self.settlement.head.currency.to_string())
    }

    fn account(&self) -> Value {
        Value::Text(self.key.account_id.to_string())
    }

    /// The text on the bank statement where the report states it, else the provider's id of the settlement.
    pub(crate) fn bank_reference(&self) -> Value {
        let reference = self.settlement.bank_reference.as_deref().unwrap_or(&self.settlement.head.settlement_id);
        Value::Text(reference.to_owned())
    }
}

fn negated(minor: i64) -> Value {
    Value::amount_or_nothing(minor.checked_neg())
}

fn net(terms: &Terms) -> Value {
    Value::amount_or_nothing(terms.net_minor())
}

#[cfg(test)]
mod tests;
