//! What a parsed file says: settlements with what they state and what their lines sum to.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::bank::BankStatement;
use crate::canonical::SettlementHash;
use crate::currency::Currency;
use crate::defect::{Defect, is_seeded};
use crate::notice::PayoutNotice;
use crate::problem::Problems;
use crate::terms::Terms;

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// One or many settlements; their lines went to the sink.
    Settlements(Vec<Settlement>),
    /// Fees and payout of a settlement without its rows.
    PayoutNotice(PayoutNotice),
    /// Entries of a bank account.
    BankStatement(BankStatement),
}

impl Document {
    /// The settlements, none when the document is of another sort.
    pub fn settlements(&self) -> &[Settlement] {
        match self {
            Document::Settlements(settlements) => settlements,
            Document::PayoutNotice(_) | Document::BankStatement(_) => &[],
        }
    }
}

/// A file that was read to its end and is proved as far as its format allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// What it says.
    pub document: Document,
    /// Notes that do not hold it.
    pub notes: Problems,
}

/// A file that is held, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// All problems, notes among them.
    pub problems: Problems,
    /// What could be read all the same, for a person to look at; never for use.
    pub settlements: Vec<Settlement>,
}

impl From<Problems> for Held {
    fn from(problems: Problems) -> Self {
        Held { problems, settlements: Vec::new() }
    }
}

/// What names a settlement; known before its first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementHead {
    /// The provider's number of the merchant or sales unit.
    pub merchant_number: String,
    /// The provider's id of the settlement, unique only within the merchant number and currency.
    pub settlement_id: String,
    /// Currency of all its amounts.
    pub currency: Currency,
    /// Decimals of that currency in the provider's files.
    pub exponent: u8,
    /// The day the money is paid out.
    pub payout_on: Date,
}

/// How the provider takes its fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fees {
    /// From the payout.
    Deducted,
    /// By an invoice of their own; the payout is paid without deducting them.
    Invoiced,
    /// The file does not say.
    Unknown,
}

impl Fees {
    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Fees::Deducted => "deducted",
            Fees::Invoiced => "invoiced",
            Fees::Unknown => "unknown",
        }
    }
}

/// How far the file itself proves the payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The lines are the stated payout, to the minor unit.
    Exact,
    /// The lines are the stated gross; the file has no fees or no payout.
    GrossOnly,
    /// The file states no total to prove against.
    RowsOnly,
}

impl Proof {
    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Proof::Exact => "exact",
            Proof::GrossOnly => "gross_only",
            Proof::RowsOnly => "rows_only",
        }
    }
}

/// Totals that the file itself states, in minor units and signed as [`Terms`]; `None` where it states none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the stated sum of the term of that name")]
pub struct StatedTotals {
    /// Row of the file that states them.
    pub row: Option<u64>,
    /// Number of transaction lines.
    pub lines: Option<u64>,
    pub capture_minor: Option<i64>,
    pub refund_minor: Option<i64>,
    /// Captures and refunds together.
    pub gross_minor: Option<i64>,
    pub fee_minor: Option<i64>,
    pub net_minor: Option<i64>,
}

/// One settlement: what the file states and what its lines sum to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// What names it.
    pub head: SettlementHead,
    /// The merchant's organisation number.
    pub organisation_number: Option<String>,
    /// First day the report covers.
    pub period_from: Option<Date>,
    /// Last day the report covers.
    pub period_to: Option<Date>,
    /// Number of transaction lines, total and payout rows not counted.
    pub lines: u64,
    /// Sums of the lines, in minor units.
    pub sums: Terms,
    /// Balance carried in from before, in minor units.
    pub opening_minor: i64,
    /// Balance carried on, in minor units.
    pub closing_minor: i64,
    /// How fees are taken.
    pub fees: Fees,
    /// The payout that the file states, in minor units.
    pub payout_minor: Option<i64>,
    /// Other totals that the file states.
    pub stated: StatedTotals,
    /// How far the file proves it.
    pub proof: Proof,
    /// Last four digits of the account that the money goes to.
    pub bank_account: Option<String>,
    /// The text that the bank statement carries.
    pub bank_reference: Option<String>,
    /// Hash of its canonical content, once all lines are known.
    pub hash: Option<SettlementHash>,
}

impl Settlement {
    /// A settlement that is named and has nothing in it yet.
    pub fn new(head: SettlementHead) -> Self {
        Settlement {
            head,
            organisation_number: None,
            period_from: None,
            period_to: None,
            lines: 0,
            sums: Terms::default(),
            opening_minor: 0,
            closing_minor: 0,
            fees: Fees::Unknown,
            payout_minor: None,
            stated: StatedTotals::default(),
            proof: Proof::RowsOnly,
            bank_account: None,
            bank_reference: None,
            hash: None,
        }
    }

    /// Sum of the lines towards the merchant with fees deducted, in minor units.
    pub fn net_minor(&self) -> i64 {
        self.sums.net_minor().unwrap_or(0)
    }

    /// What the lines say is paid out, in minor units: opening plus net, fees given back when they are invoiced, less closing.
    ///
    /// `None` when the sum leaves the range of `i64`.
    pub fn payable_minor(&self) -> Option<i64> {
        let invoiced = match self.fees {
            Fees::Invoiced if is_seeded(Defect::GrossCheckedOnNet) => 0,
            Fees::Invoiced => i128::from(self.sums.fee_minor) + i128::from(self.sums.fee_vat_minor),
            Fees::Deducted | Fees::Unknown => 0,
        };
        let net = i128::from(self.sums.net_minor()?);
        i64::try_from(i128::from(self.opening_minor) + net + invoiced - i128::from(self.closing_minor)).ok()
    }

    /// Stated payout less what the lines say, in minor units; zero when proved, `None` when no payout is stated.
    pub fn difference_minor(&self) -> Option<i64> {
        self.payout_minor?.checked_sub(self.payable_minor()?)
    }

    /// Name for messages: `settlement 2000461 of merchant 123456`.
    pub fn name(&self) -> String {
        format!("settlement {} of merchant {}", self.head.settlement_id, self.head.merchant_number)
    }
}
