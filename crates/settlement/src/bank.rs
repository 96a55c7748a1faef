//! The statement of a bank account.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;

/// One entry of a bank account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankEntry {
    /// The day the bank booked it.
    pub booked_on: Date,
    /// In minor units, positive into the account.
    pub amount_minor: i64,
    /// The text or reference that names the payout.
    pub reference: String,
}

/// Entries of one bank account between two balances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankStatement {
    /// Last four digits of the account.
    pub bank_account: String,
    /// Currency of the account.
    pub currency: Currency,
    /// Balance before the first entry, in minor units.
    pub opening_minor: i64,
    /// Balance after the last entry, in minor units.
    pub closing_minor: i64,
    /// The entries in booking order.
    pub entries: Vec<BankEntry>,
}

impl BankStatement {
    /// Closing balance less opening balance and entries, in minor units: zero when the statement is whole.
    pub fn difference_minor(&self) -> i128 {
        let moved: i128 = self.entries.iter().map(|entry| i128::from(entry.amount_minor)).sum();
        i128::from(self.closing_minor) - i128::from(self.opening_minor) - moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_entry_shows_as_difference() {
        let entry = |amount_minor| BankEntry {
            booked_on: jiff::civil::date(2026, 10, 30),
            amount_minor,
            reference: "Vipps utbet. 2000461 Vippsnr 123456".into(),
        };
        let mut statement = BankStatement {
            bank_account: "5866".into(),
            currency: Currency::NOK,
            opening_minor: 100,
            closing_minor: 34_487,
            entries: vec![entry(34_387)],
        };
        assert_eq!(statement.difference_minor(), 0);
        statement.entries.clear();
        assert_eq!(statement.difference_minor(), 34_387);
    }
}
