//! The flat records of a month summary, which its CSV for programs and its Parquet table both hold.

use jiff::civil::Date;

use crate::currency::Currency;
use crate::terms::Terms;

/// One record of a month summary. A field that does not apply to the kind of record is empty; amounts are minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named and described as the columns of the table month_summary")]
pub struct MonthRecord {
    pub record: &'static str,
    pub provider: Option<String>,
    pub payment_product: Option<String>,
    pub merchant_number: Option<String>,
    pub settlement_id: Option<String>,
    pub version: Option<u32>,
    pub day: Option<Date>,
    pub state: Option<String>,
    pub reference: Option<String>,
    pub currency: Option<Currency>,
    pub exponent: Option<u8>,
    pub count: Option<u64>,
    pub terms: Option<Terms>,
    pub invoiced_minor: Option<i64>,
    pub opening_minor: Option<i64>,
    pub carried_minor: Option<i64>,
    pub paid_out_minor: Option<i64>,
    pub closing_minor: Option<i64>,
    pub amount_minor: Option<i64>,
    pub before_minor: Option<i64>,
    pub after_minor: Option<i64>,
}
