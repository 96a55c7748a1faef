//! The key of a settlement.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::AccountId;
use crate::currency::Currency;
use crate::ids::{MerchantNumber, ProviderId, SettlementId};
use crate::report::SettlementHead;

/// The permanent name of one settlement of one account: `account/provider/merchant_number/settlement_id/currency`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SettleKey {
    /// The Dintero account.
    pub account_id: AccountId,
    /// The provider that pays.
    pub provider: ProviderId,
    /// The provider's number of the merchant.
    pub merchant_number: MerchantNumber,
    /// The provider's id, unique only within the merchant number.
    pub settlement_id: SettlementId,
    /// Currency of the settlement.
    pub currency: Currency,
}

impl SettleKey {
    /// The key of a settlement that `provider` wrote for `account_id`.
    pub fn new(account_id: &AccountId, provider: &ProviderId, head: &SettlementHead) -> Self {
        SettleKey {
            account_id: account_id.clone(),
            provider: provider.clone(),
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
    fn a_key_is_shown_as_its_parts() {
        let head = SettlementHead {
            merchant_number: "123456".parse().unwrap(),
            settlement_id: "2000461".parse().unwrap(),
            currency: Currency::NOK,
            exponent: 2,
            payout_on: jiff::civil::date(2026, 10, 30),
        };
        let key = SettleKey::new(&"T00000001".parse().unwrap(), &"vipps".parse().unwrap(), &head);
        assert_eq!(key.to_string(), "T00000001/vipps/123456/2000461/NOK");
        let stored = r#"{"account_id":"T00000001","provider":"vipps","merchant_number":"123456","settlement_id":"2000461","currency":"NOK"}"#;
        assert_eq!(serde_json::to_string(&key).unwrap(), stored);
        assert_eq!(serde_json::from_str::<SettleKey>(stored).unwrap(), key);
        for (good, bad) in [("vipps", "Vipps"), ("123456", "../x"), ("2000461", "a/b")] {
            assert!(serde_json::from_str::<SettleKey>(&stored.replace(good, bad)).is_err(), "{bad}");
        }
    }
}
