//! The terms of the sign rule as people read them.

use settlement::Terms;

use crate::labels::Labels;

/// A term of the sign rule as people read it: signed towards the merchant, so that a row adds up to its net.
pub(crate) struct Term {
    pub(crate) name: fn(&Labels) -> &'static str,
    signed_minor: fn(&Terms) -> Option<i64>,
}

impl Term {
    /// The amount in minor units; `None` beyond the range of `i64`.
    pub(crate) fn minor(&self, terms: &Terms) -> Option<i64> {
        (self.signed_minor)(terms)
    }
}

/// The terms in the order of columns and rows.
pub(crate) const TERMS: [Term; 7] = [
    Term { name: |l| l.sales, signed_minor: |t| Some(t.capture_minor) },
    Term { name: |l| l.refunds, signed_minor: |t| Some(t.refund_minor) },
    Term { name: |l| l.fees, signed_minor: |t| t.fee_minor.checked_neg() },
    Term { name: |l| l.fee_vat, signed_minor: |t| t.fee_vat_minor.checked_neg() },
    Term { name: |l| l.chargebacks, signed_minor: |t| Some(t.chargeback_minor) },
    Term { name: |l| l.reserves, signed_minor: |t| Some(t.reserve_minor) },
    Term { name: |l| l.adjustments, signed_minor: |t| Some(t.adjustment_minor) },
];

/// The sum of all terms.
pub(crate) const NET: Term = Term { name: |l| l.net, signed_minor: Terms::net_minor };

/// Sales and refunds of these lines together; `None` beyond the range of `i64`.
pub(crate) fn gross_minor(terms: &Terms) -> Option<i64> {
    terms.capture_minor.checked_add(terms.refund_minor)
}

/// Fees and their tax, signed towards the merchant; `None` beyond the range of `i64`.
pub(crate) fn fees_minor(terms: &Terms) -> Option<i64> {
    terms.fee_minor.checked_add(terms.fee_vat_minor)?.checked_neg()
}

/// Invoiced fees and their tax, which a payout does not deduct; `None` beyond the range of `i64`.
pub(crate) fn invoiced_minor(terms: &Terms) -> Option<i64> {
    terms.fee_minor.checked_add(terms.fee_vat_minor)
}
