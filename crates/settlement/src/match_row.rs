//! The result of matching one line, which matching decides and the table `match` holds.

use jiff::civil::Date;

use crate::currency::Currency;

/// The result of matching one line of a report with the transactions at Dintero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRow {
    /// The provider's number of the merchant.
    pub merchant_number: String,
    /// The settlement of the line.
    pub settlement_id: String,
    /// Currency of the settlement.
    pub currency: Currency,
    /// Line or row in the report; 0 for a line that a payout notice adds.
    pub line_no: i64,
    /// The word of the match state, such as `matched`.
    pub state: String,
    /// Why the line has this state, for a person.
    pub reason: String,
    /// Dintero's id of the transaction, where the line names one for certain.
    pub transaction_id: Option<String>,
    /// Position of the capture or refund in the transaction's list of events, from 0.
    pub transaction_event: Option<i32>,
    /// Payment product of the transaction, in Dintero's words.
    pub payment_product: Option<String>,
    /// Type of the payment product.
    pub payment_product_type: Option<String>,
    /// The merchant's reference of the transaction.
    pub merchant_reference: Option<String>,
    /// The merchant's second reference.
    pub merchant_reference_2: Option<String>,
    /// The day of the payout.
    pub payout_on: Date,
}
