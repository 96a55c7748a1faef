//! The signed terms of a line's money and their sums: the one sign rule.

use serde::{Deserialize, Serialize};

/// The signed terms of one line in minor units. Every provider's file is converted to this rule.
///
/// `net = capture + refund − fee − fee_vat + chargeback + reserve + adjustment`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Captured from the buyer, never negative.
    pub capture_minor: i64,
    /// Refunded to the buyer, never positive.
    pub refund_minor: i64,
    /// The provider's fee: positive is a cost of the merchant, negative is a fee given back.
    pub fee_minor: i64,
    /// Value added tax on the fee, signed as the fee.
    pub fee_vat_minor: i64,
    /// Disputed money, signed towards the merchant: a loss is negative.
    pub chargeback_minor: i64,
    /// Security held back (negative) or released (positive).
    pub reserve_minor: i64,
    /// Anything else that changes the payout, signed towards the merchant.
    pub adjustment_minor: i64,
}

impl Terms {
    /// What the line adds to the payout when fees are deducted, in minor units; `None` beyond the range of `i64`.
    pub fn net_minor(&self) -> Option<i64> {
        i64::try_from(self.net_wide()).ok()
    }

    fn net_wide(&self) -> i128 {
        i128::from(self.capture_minor) + i128::from(self.refund_minor)
            - i128::from(self.fee_minor)
            - i128::from(self.fee_vat_minor)
            + i128::from(self.chargeback_minor)
            + i128::from(self.reserve_minor)
            + i128::from(self.adjustment_minor)
    }

    /// The terms with their column names, in table order.
    pub fn named(&self) -> [(&'static str, i64); 7] {
        [
            ("capture", self.capture_minor),
            ("refund", self.refund_minor),
            ("fee", self.fee_minor),
            ("fee_vat", self.fee_vat_minor),
            ("chargeback", self.chargeback_minor),
            ("reserve", self.reserve_minor),
            ("adjustment", self.adjustment_minor),
        ]
    }
}

/// Running sums of terms. No number of lines can overflow them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TermSums {
    capture: i128,
    refund: i128,
    fee: i128,
    fee_vat: i128,
    chargeback: i128,
    reserve: i128,
    adjustment: i128,
}

impl TermSums {
    /// Adds one line.
    #[inline]
    pub fn add(&mut self, terms: &Terms) {
        self.capture += i128::from(terms.capture_minor);
        self.refund += i128::from(terms.refund_minor);
        self.fee += i128::from(terms.fee_minor);
        self.fee_vat += i128::from(terms.fee_vat_minor);
        self.chargeback += i128::from(terms.chargeback_minor);
        self.reserve += i128::from(terms.reserve_minor);
        self.adjustment += i128::from(terms.adjustment_minor);
    }

    /// The sums as terms in minor units; `None` when a sum or their net leaves the range of `i64`.
    pub fn terms(&self) -> Option<Terms> {
        let terms = Terms {
            capture_minor: i64::try_from(self.capture).ok()?,
            refund_minor: i64::try_from(self.refund).ok()?,
            fee_minor: i64::try_from(self.fee).ok()?,
            fee_vat_minor: i64::try_from(self.fee_vat).ok()?,
            chargeback_minor: i64::try_from(self.chargeback).ok()?,
            reserve_minor: i64::try_from(self.reserve).ok()?,
            adjustment_minor: i64::try_from(self.adjustment).ok()?,
        };
        terms.net_minor().map(|_| terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_adds_towards_the_merchant_and_subtracts_costs() {
        let terms = Terms {
            capture_minor: 10_000,
            refund_minor: -2_500,
            fee_minor: 175,
            fee_vat_minor: 44,
            chargeback_minor: -1_000,
            reserve_minor: -500,
            adjustment_minor: 7,
        };
        assert_eq!(terms.net_minor(), Some(5_788));
    }

    #[test]
    fn a_sum_beyond_i64_is_none_and_no_panic() {
        let mut sums = TermSums::default();
        let terms = Terms { capture_minor: i64::MAX, ..Terms::default() };
        sums.add(&terms);
        assert_eq!(sums.terms().map(|t| t.capture_minor), Some(i64::MAX));
        sums.add(&Terms { capture_minor: 1, ..Terms::default() });
        assert_eq!(sums.terms(), None);
        let edge = Terms { capture_minor: i64::MAX, fee_minor: -1, ..Terms::default() };
        assert_eq!(edge.net_minor(), None);
    }

    #[test]
    fn each_term_is_summed_by_itself_and_named_as_its_column() {
        let terms = Terms {
            capture_minor: 1,
            refund_minor: -2,
            fee_minor: 4,
            fee_vat_minor: 8,
            chargeback_minor: -16,
            reserve_minor: 32,
            adjustment_minor: 64,
        };
        let mut sums = TermSums::default();
        for _ in 0..3 {
            sums.add(&terms);
        }
        let named = [
            ("capture", 3),
            ("refund", -6),
            ("fee", 12),
            ("fee_vat", 24),
            ("chargeback", -48),
            ("reserve", 96),
            ("adjustment", 192),
        ];
        assert_eq!(sums.terms().unwrap().named(), named);
        assert_eq!(sums.terms().unwrap().net_minor(), Some(3 - 6 - 12 - 24 - 48 + 96 + 192));
    }
}
