//! A settlement as JSON for programs: the same names in every command and in the back office.

use serde::Serialize;
use settlement::{Fees, Proof, Settlement};

/// A settlement with its sums, in minor units. The names are stable: scripts read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each is the figure of that name of a settlement")]
pub struct SettlementJson<'a> {
    pub settlement_id: &'a str,
    pub merchant_number: &'a str,
    pub currency: &'a str,
    pub lines: u64,
    pub capture_minor: i64,
    pub refund_minor: i64,
    pub fee_minor: i64,
    pub fee_vat_minor: i64,
    pub chargeback_minor: i64,
    pub reserve_minor: i64,
    pub adjustment_minor: i64,
    pub net_minor: Option<i64>,
    pub opening_minor: i64,
    pub closing_minor: i64,
    pub payout_minor: Option<i64>,
    pub fees: Fees,
    pub proof: Proof,
}

impl<'a> SettlementJson<'a> {
    /// The JSON of that settlement.
    pub fn of(settlement: &'a Settlement) -> Self {
        let (head, sums) = (&settlement.head, &settlement.sums);
        SettlementJson {
            settlement_id: &head.settlement_id,
            merchant_number: &head.merchant_number,
            currency: head.currency.as_str(),
            lines: settlement.lines,
            capture_minor: sums.capture_minor,
            refund_minor: sums.refund_minor,
            fee_minor: sums.fee_minor,
            fee_vat_minor: sums.fee_vat_minor,
            chargeback_minor: sums.chargeback_minor,
            reserve_minor: sums.reserve_minor,
            adjustment_minor: sums.adjustment_minor,
            net_minor: settlement.net_minor(),
            opening_minor: settlement.opening_minor,
            closing_minor: settlement.closing_minor,
            payout_minor: settlement.payout_minor,
            fees: settlement.fees,
            proof: settlement.proof,
        }
    }
}
