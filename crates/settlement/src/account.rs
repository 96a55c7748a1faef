//! A merchant's account at Dintero and how it is configured.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Dintero account: `P` (production) or `T` (test) and eight digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

impl AccountId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = BadAccountId;

    fn from_str(text: &str) -> Result<Self, BadAccountId> {
        let digits = text.strip_prefix(['P', 'T']);
        match digits {
            Some(digits) if digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(AccountId(text.to_owned()))
            }
            _ => Err(BadAccountId(text.to_owned())),
        }
    }
}

/// The text is no Dintero account id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Found account {0:?}, expected P or T and eight digits, as in T00000001")]
pub struct BadAccountId(String);

impl TryFrom<String> for AccountId {
    type Error = BadAccountId;
    fn try_from(text: String) -> Result<Self, BadAccountId> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> String {
        id.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The configuration of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id at Dintero.
    pub id: AccountId,
    /// The name that people know the merchant by. Where it is absent, the id is shown.
    #[serde(default)]
    pub name: Option<String>,
    /// The name that the merchant is registered under, as in `Butikken Eksempel AS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_name: Option<String>,
    /// The number that the merchant is registered under, as its country writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_number: Option<String>,
    /// Its postal address, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// IANA name of the time zone that its calendar days are in, as in `Europe/Oslo`.
    pub zone: String,
    /// Language of the mails and documents for it, as in `nb`.
    pub language: String,
    /// Whether its settlement events are posted to Dintero.
    #[serde(default)]
    pub posts: bool,
    /// Its merchant numbers, by provider.
    pub merchant_numbers: BTreeMap<String, BTreeSet<String>>,
}

impl Account {
    /// An account with Norwegian defaults and no merchant numbers.
    pub fn new(id: AccountId) -> Self {
        let (zone, language) = ("Europe/Oslo".into(), "nb".into());
        Account {
            id,
            name: None,
            legal_name: None,
            organisation_number: None,
            address: None,
            zone,
            language,
            posts: false,
            merchant_numbers: BTreeMap::new(),
        }
    }

    /// Whether the account has this merchant number at this provider.
    pub fn owns(&self, provider: &str, merchant_number: &str) -> bool {
        self.merchant_numbers.get(provider).is_some_and(|numbers| numbers.contains(merchant_number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_are_p_or_t_and_eight_digits() {
        assert!("P12345678".parse::<AccountId>().is_ok() && "T00000001".parse::<AccountId>().is_ok());
        for bad in ["", "P1234567", "P123456789", "X12345678", "p12345678", "P1234567a", "P１2345678", "../../etc"] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_account_id_reads_what_it_prints() {
        let id: AccountId = "T00000001".parse().unwrap();
        assert_eq!(
            (id.as_str(), id.to_string(), String::from(id.clone())),
            ("T00000001", "T00000001".into(), "T00000001".into())
        );
        assert_eq!(serde_json::from_str::<AccountId>("\"T00000001\"").unwrap(), id);
        assert!(serde_json::from_str::<AccountId>("\"X00000001\"").is_err());
        let bad = AccountId::try_from("x".to_owned()).unwrap_err().to_string();
        assert_eq!(bad, "Found account \"x\", expected P or T and eight digits, as in T00000001");
    }

    #[test]
    fn an_account_has_merchant_numbers_at_each_provider() {
        let mut account = Account::new("T00000001".parse().unwrap());
        account.merchant_numbers.insert("vipps".into(), BTreeSet::from(["123456".into()]));
        account.merchant_numbers.insert("swedbankpay".into(), BTreeSet::from(["R4321".into()]));
        assert!(account.owns("vipps", "123456") && account.owns("swedbankpay", "R4321"));
        assert!(!account.owns("vipps", "R4321") && !account.owns("vipps", "12345") && !account.owns("swish", "123456"));
    }

    #[test]
    fn a_new_account_is_norwegian_and_posts_nothing() {
        let account = Account::new("T00000001".parse().unwrap());
        assert_eq!((account.zone.as_str(), account.language.as_str(), account.posts), ("Europe/Oslo", "nb", false));
        let stored = r#"{"id":"T00000001","zone":"Europe/Oslo","language":"nb","merchant_numbers":{}}"#;
        assert_eq!(serde_json::from_str::<Account>(stored).unwrap(), account);
    }
}
