//! Ids made from content, never from chance.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::AccountId;
use crate::currency::Currency;
use crate::hex::{hexadecimal, parse_hex};
use crate::report::SettlementHead;

/// SHA-256 of a report's bytes: the same bytes under any name are the same report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReportId([u8; 32]);

impl ReportId {
    /// The id made of that SHA-256.
    pub fn from_sha256(sha256: [u8; 32]) -> Self {
        ReportId(sha256)
    }

    /// The first twelve hexadecimal digits, enough for a person to tell reports apart.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

impl fmt::Debug for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<ReportId> for String {
    fn from(id: ReportId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for ReportId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        parse_hex(&text).map(ReportId).ok_or_else(|| format!("Not a report id: {text}"))
    }
}

/// Names one settlement of one account for ever: `account/provider/merchant_number/settlement_id/currency`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SettleKey {
    /// The Dintero account.
    pub account_id: AccountId,
    /// The provider that pays.
    pub provider: String,
    /// The provider's number of the merchant.
    pub merchant_number: String,
    /// The provider's id, unique only within the merchant number.
    pub settlement_id: String,
    /// Currency of the settlement.
    pub currency: Currency,
}

impl SettleKey {
    /// The key of a settlement that `provider` wrote for `account_id`.
    pub fn new(account_id: &AccountId, provider: &str, head: &SettlementHead) -> Self {
        SettleKey {
            account_id: account_id.clone(),
            provider: provider.to_owned(),
            merchant_number: head.merchant_number.clone(),
            settlement_id: head.settlement_id.clone(),
            currency: head.currency,
        }
    }
}

impl fmt::Display for SettleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SettleKey { account_id, provider, merchant_number, settlement_id, currency } = self;
        write!(f, "{account_id}/{provider}/{merchant_number}/{settlement_id}/{currency}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_ids_read_what_they_print() {
        let id = ReportId::from_sha256(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
        assert_eq!(ReportId::try_from(id.to_string()), Ok(id));
        for bad in ["", "0", "zz", &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
            assert!(ReportId::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
