//! The content of a month summary. All amounts are minor units.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use settlement::{Currency, Fees, Terms, exponent};

/// All that is known of a month; equal contents are one revision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthContent {
    /// By payout month: what was paid out in the month, whenever it happened.
    pub figures: Vec<Figures>,
    /// The settlements that were paid out in the month, by day.
    pub payouts: Vec<MonthPayout>,
    /// By transaction month: the bridge from opening to closing in transit.
    pub bridge: Vec<MonthBridge>,
    /// By payout month: what was in transit at the end of the month, with the later payout.
    pub in_transit: Vec<InTransit>,
    /// What has to be cleared up: not proved, not matched, not reported or missing.
    pub apart: Vec<Apart>,
}

/// The sum of lines that were paid out in the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// The provider that pays.
    pub provider: String,
    /// What the lines have in common.
    pub of: FiguresOf,
    /// The payment product of the lines, where they have one.
    pub payment_product: Option<String>,
    /// Currency.
    pub currency: Currency,
    /// Decimals of the currency.
    pub exponent: u8,
    /// Number of lines.
    pub lines: u64,
    /// Sums of the lines, with invoiced fees.
    pub sums: Terms,
    /// Invoiced fees and their tax, which the payout does not deduct.
    pub invoiced_minor: i64,
    /// Balances brought forward from earlier settlements, less balances carried forward.
    pub carried_minor: i64,
    /// Paid out: the net of the sums plus what is invoiced and carried.
    pub paid_out_minor: i64,
}

/// What the lines of a sum have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FiguresOf {
    /// Each is a capture or refund of the product.
    Product,
    /// The lines are not about one transaction: fees alone, chargebacks, reserves, adjustments.
    NoTransaction,
    /// The lines are not matched with a transaction.
    Unmatched,
    /// No lines at all: balances carried between settlements.
    Carried,
}

impl FiguresOf {
    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            FiguresOf::Product => "product",
            FiguresOf::NoTransaction => "no_transaction",
            FiguresOf::Unmatched => "unmatched",
            FiguresOf::Carried => "carried",
        }
    }
}

/// A proved settlement that was paid out in the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthPayout {
    /// The day of the payout.
    pub payout_on: Date,
    /// The provider that pays.
    pub provider: String,
    /// The provider's number of the merchant.
    pub merchant_number: String,
    /// The provider's id of the settlement.
    pub settlement_id: String,
    /// The version in force, from 1.
    pub version: u32,
    /// The text on the bank statement, where the report states it.
    pub bank_reference: Option<String>,
    /// Last four digits of the bank account.
    pub bank_account: Option<String>,
    /// Currency.
    pub currency: Currency,
    /// Decimals of the currency.
    pub exponent: u8,
    /// Number of lines.
    pub lines: u64,
    /// Sums of the lines.
    pub sums: Terms,
    /// How fees are taken.
    pub fees: Fees,
    /// Balance brought forward from the settlement before.
    pub opening_minor: i64,
    /// Balance carried forward to the next settlement.
    pub closing_minor: i64,
    /// Paid out, below zero when the merchant owes.
    pub payout_minor: i64,
}

impl MonthPayout {
    /// Invoiced fees and their tax, which the payout does not deduct; 0 where fees are deducted.
    pub fn invoiced_minor(&self) -> i64 {
        match self.fees {
            Fees::Invoiced => self.sums.fee_minor.saturating_add(self.sums.fee_vat_minor),
            Fees::Deducted | Fees::Unknown => 0,
        }
    }

    /// The balance brought forward less the balance carried forward.
    pub fn carried_minor(&self) -> i64 {
        self.opening_minor.saturating_sub(self.closing_minor)
    }
}

/// The bridge of one group over the month: `opening + net of happened − paid out = closing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthBridge {
    /// The provider that pays.
    pub provider: String,
    /// Product of the lines; `None` for lines whose product is unknown, and for balances.
    pub payment_product: Option<String>,
    /// Currency.
    pub currency: Currency,
    /// Decimals of the currency.
    pub exponent: u8,
    /// In transit at the start of the month.
    pub opening_minor: i64,
    /// What happened in the month, without invoiced fees.
    pub happened: Terms,
    /// Paid out in the month, whenever it happened.
    pub paid_out_minor: i64,
    /// In transit at the end of the month.
    pub closing_minor: i64,
    /// Invoiced fees and their tax of what happened in the month, for information.
    pub invoiced_minor: i64,
}

/// A part of what was in transit at the end of the month. The parts of a group sum to its closing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InTransit {
    /// The provider that pays.
    pub provider: String,
    /// Product of the lines; `None` for lines whose product is unknown, and for balances.
    pub payment_product: Option<String>,
    /// Currency.
    pub currency: Currency,
    /// Decimals of the currency.
    pub exponent: u8,
    /// Why it was in transit.
    pub state: TransitState,
    /// The day of the later payout, where there is one.
    pub payout_on: Option<Date>,
    /// The provider's number of the merchant, where lines have one.
    pub merchant_number: Option<String>,
    /// The settlements of the amount.
    pub settlements: Vec<String>,
    /// The amount.
    pub amount_minor: i64,
}

/// Why something was in transit when the month ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransitState {
    /// It was paid out later.
    PaidLater,
    /// It is in a settlement that is not proved, so that the payout is not known.
    NotProved,
    /// It is in no known settlement.
    NotSettled,
    /// Below zero: it was paid out in the month or before, and happened later.
    PaidAhead,
    /// A balance of settlements that the provider keeps.
    Balance,
}

impl TransitState {
    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            TransitState::PaidLater => "paid_later",
            TransitState::NotProved => "not_proved",
            TransitState::NotSettled => "not_settled",
            TransitState::PaidAhead => "paid_ahead",
            TransitState::Balance => "balance",
        }
    }
}

/// Something that a person has to know beside the figures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Apart {
    /// What it is.
    pub kind: ApartKind,
    /// The provider.
    pub provider: String,
    /// A file, a settlement or a payment product, as the kind has it.
    pub reference: String,
    /// The provider's number of the merchant, where it is about one.
    pub merchant_number: Option<String>,
    /// The day it is about: of arrival, payout, or when something was due.
    pub day: Option<Date>,
    /// The state, a word for programs.
    pub state: String,
    /// How many lines, events or captures it is about.
    pub count: Option<u64>,
    /// Currency, where it is about an amount.
    pub currency: Option<Currency>,
    /// Decimals of the currency.
    pub exponent: u8,
    /// How much, towards the merchant; `None` where nobody can say.
    pub amount_minor: Option<i64>,
}

impl Apart {
    /// Something of a provider, of which nothing more is known yet.
    pub fn of(kind: ApartKind, provider: &str, currency: Option<Currency>) -> Apart {
        Apart {
            kind,
            provider: provider.to_owned(),
            reference: String::new(),
            merchant_number: None,
            day: None,
            state: String::new(),
            count: None,
            currency,
            exponent: currency.map_or(0, |currency| exponent(provider, currency)),
            amount_minor: None,
        }
    }
}

/// What has to be cleared up in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApartKind {
    /// A report that is held, so that nothing of it is in any figure.
    HeldReport,
    /// A settlement that is not proved to be paid out; its lines are in transit.
    NotExact,
    /// Lines that are paid out and have no transaction: part of the figures, in a row of their own.
    Unmatched,
    /// Settlement events of which Dintero's answer is unknown or a refusal, or that wait for a person.
    Event,
    /// Captures and refunds that were due when the month ended and are in no settlement; they are in transit.
    Overdue,
    /// A provider that owed a report when the month ended.
    MissingReport,
}

impl ApartKind {
    /// All kinds, in the order that they are shown.
    pub const ALL: [ApartKind; 6] = [
        ApartKind::HeldReport,
        ApartKind::NotExact,
        ApartKind::Unmatched,
        ApartKind::Event,
        ApartKind::Overdue,
        ApartKind::MissingReport,
    ];

    /// The kind of that word.
    pub(crate) fn named(word: &str) -> Option<ApartKind> {
        ApartKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            ApartKind::HeldReport => "held_report",
            ApartKind::NotExact => "not_exact",
            ApartKind::Unmatched => "unmatched",
            ApartKind::Event => "event",
            ApartKind::Overdue => "overdue",
            ApartKind::MissingReport => "missing_report",
        }
    }
}
