//! One month of the month bridge, which matching computes and the table `month_bridge` holds.

use crate::month::Month;
use crate::terms::Terms;

/// One month of one group, in minor units. Every month fulfils
/// `opening + net of happened − paid out = closing`, and its closing is the opening of the next month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BridgeMonth {
    /// The month.
    pub month: Month,
    /// In transit at the start of the month.
    pub opening_minor: i64,
    /// By transaction month: the terms of all that happened in the month. Invoiced fees are left out.
    pub happened: Terms,
    /// By payout month: the terms of all that was paid out in the month, whenever it happened. Invoiced fees are left out.
    pub paid: Terms,
    /// Balances that the payouts of the month took over from earlier settlements, less the balances that they carried forward.
    pub carried_minor: i64,
    /// Paid out in the month: the net of `paid` plus what was carried.
    pub paid_out_minor: i64,
    /// In transit at the end of the month.
    pub closing_minor: i64,
    /// Invoiced fees of what happened in the month, for information: positive costs.
    pub invoiced_fee_minor: i64,
    /// Value added tax on the invoiced fees, signed as the fees.
    pub invoiced_fee_vat_minor: i64,
}
