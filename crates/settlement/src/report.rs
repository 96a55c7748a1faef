//! What a file says: its settlements, with stated totals and the sums of their lines.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::canonical::SettlementHash;
use crate::currency::Currency;
use crate::ids::{MerchantNumber, SettlementId};
use crate::ledger_entry::LedgerEntry;
use crate::problem::Problems;
use crate::terms::Terms;
use crate::waiting::WaitingEntries;

/// The result of a file that was read to its end and is proved as far as its format allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Its settlements; their lines went to the sink.
    pub settlements: Vec<Settlement>,
    /// Notes that do not hold it.
    pub notes: Problems,
    /// Of a ledger: the entries that are in none of its settlements.
    pub waiting: Vec<WaitingEntries>,
    /// Those entries, with the payout before them where the file has it. A sales unit with too many has none here.
    pub entries: Vec<LedgerEntry>,
}

/// The result of a file that is held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// All problems, including notes.
    pub problems: Problems,
    /// The settlements that could be read, to be shown to a person and never used.
    pub settlements: Vec<Settlement>,
}

impl From<Problems> for Held {
    fn from(problems: Problems) -> Self {
        Held { problems, settlements: Vec::new() }
    }
}

/// The head of a settlement: the part that a parser knows before the first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementHead {
    /// The provider's number of the merchant or sales unit.
    pub merchant_number: MerchantNumber,
    /// The provider's id of the settlement, unique only within the merchant number and currency.
    pub settlement_id: SettlementId,
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
    /// It deducts them from the payout.
    Deducted,
    /// It sends an invoice and does not deduct them.
    Invoiced,
    /// The file does not say.
    Unknown,
}

impl Fees {
    /// The word in tables and in JSON.
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
    /// The lines sum to the stated payout, to the minor unit.
    Exact,
    /// The lines sum to the stated gross; the file has no fees or no payout.
    GrossOnly,
    /// The file states no total to compare the lines with.
    RowsOnly,
}

impl Proof {
    /// The word in tables and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Proof::Exact => "exact",
            Proof::GrossOnly => "gross_only",
            Proof::RowsOnly => "rows_only",
        }
    }
}

/// Totals that the file states, in minor units and signed as [`Terms`]; `None` where it states none.
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

/// One settlement: what the file states of it and the sums of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Merchant number, id, currency and day.
    pub head: SettlementHead,
    /// The merchant's organisation number.
    pub organisation_number: Option<String>,
    /// First day the report covers.
    pub period_from: Option<Date>,
    /// Last day the report covers.
    pub period_to: Option<Date>,
    /// Number of transaction lines, without rows of totals and payouts.
    pub lines: u64,
    /// Sums of the lines, in minor units.
    pub sums: Terms,
    /// Balance carried in from the settlement before, in minor units.
    pub opening_minor: i64,
    /// Balance carried on to the next settlement, in minor units.
    pub closing_minor: i64,
    /// How the provider takes its fees.
    pub fees: Fees,
    /// The payout that the file states, in minor units.
    pub payout_minor: Option<i64>,
    /// Other totals that the file states.
    pub stated: StatedTotals,
    /// How far the file proves it.
    pub proof: Proof,
    /// Last four digits of the account that the money goes to.
    pub bank_account: Option<String>,
    /// The text on the bank statement.
    pub bank_reference: Option<String>,
    /// Hash of its canonical content; `None` until all lines are read.
    pub hash: Option<SettlementHash>,
}

impl Settlement {
    /// A settlement without lines or totals.
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
    ///
    /// `None` when it leaves the range of `i64`; a settlement that is proved always has one.
    pub fn net_minor(&self) -> Option<i64> {
        self.sums.net_minor()
    }

    /// The payout that the lines come to, in minor units: opening plus net, plus fees when they are invoiced, less
    /// closing.
    ///
    /// `None` when the sum leaves the range of `i64`.
    pub fn payable_minor(&self) -> Option<i64> {
        let invoiced = match self.fees {
            Fees::Invoiced => i128::from(self.sums.fee_minor) + i128::from(self.sums.fee_vat_minor),
            Fees::Deducted | Fees::Unknown => 0,
        };
        let net = i128::from(self.sums.net_minor()?);
        i64::try_from(i128::from(self.opening_minor) + net + invoiced - i128::from(self.closing_minor)).ok()
    }

    /// Stated payout less the payout that the lines come to, in minor units.
    ///
    /// Zero when proved; `None` when no payout is stated, or when it leaves the range of `i64`.
    pub fn difference_minor(&self) -> Option<i64> {
        self.payout_minor?.checked_sub(self.payable_minor()?)
    }

    /// Its name in messages, as in `settlement 2000461 of merchant 123456`.
    pub fn name(&self) -> String {
        format!("settlement {} of merchant {}", self.head.settlement_id, self.head.merchant_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> SettlementHead {
        SettlementHead {
            merchant_number: "123456".parse().unwrap(),
            settlement_id: "2000461".parse().unwrap(),
            currency: Currency::NOK,
            exponent: 2,
            payout_on: jiff::civil::date(2026, 10, 30),
        }
    }

    #[test]
    fn a_net_beyond_i64_is_none_and_not_zero() {
        let mut settlement = Settlement { payout_minor: Some(0), ..Settlement::new(head()) };
        assert_eq!((settlement.net_minor(), settlement.difference_minor()), (Some(0), Some(0)));
        settlement.sums = Terms { capture_minor: i64::MAX, adjustment_minor: 1, ..Terms::default() };
        assert_eq!((settlement.net_minor(), settlement.payable_minor()), (None, None));
        assert_eq!(settlement.difference_minor(), None);
    }

    #[test]
    fn fees_and_proofs_have_stored_words() {
        for (fees, word) in [(Fees::Deducted, "deducted"), (Fees::Invoiced, "invoiced"), (Fees::Unknown, "unknown")] {
            assert_eq!((fees.as_str(), serde_json::to_string(&fees).unwrap()), (word, format!("\"{word}\"")));
        }
        for (proof, word) in [(Proof::Exact, "exact"), (Proof::GrossOnly, "gross_only"), (Proof::RowsOnly, "rows_only")]
        {
            assert_eq!((proof.as_str(), serde_json::to_string(&proof).unwrap()), (word, format!("\"{word}\"")));
        }
    }

    #[test]
    fn the_payout_is_opening_plus_net_plus_invoiced_fees_less_closing() {
        let sums = Terms { capture_minor: 1_000, fee_minor: 30, fee_vat_minor: 7, ..Terms::default() };
        let mut settlement = Settlement { sums, opening_minor: 200, closing_minor: 50, ..Settlement::new(head()) };
        for (fees, payable) in [(Fees::Unknown, 1_113), (Fees::Deducted, 1_113), (Fees::Invoiced, 1_150)] {
            settlement.fees = fees;
            assert_eq!((settlement.net_minor(), settlement.payable_minor()), (Some(963), Some(payable)), "{fees:?}");
        }
        assert_eq!(settlement.difference_minor(), None);
        settlement.payout_minor = Some(1_149);
        assert_eq!(settlement.difference_minor(), Some(-1));
        assert_eq!(settlement.name(), "settlement 2000461 of merchant 123456");
        settlement.opening_minor = i64::MAX;
        assert_eq!((settlement.payable_minor(), settlement.difference_minor()), (None, None));
    }

    #[test]
    fn a_held_file_has_its_problems() {
        let held = Held::from(Problems::from(crate::problem::Problem::error(crate::kind::Kind::Empty, "nothing")));
        assert_eq!((held.problems.list().len(), held.settlements.len()), (1, 0));
    }
}
