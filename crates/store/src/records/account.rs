//! Accounts, and the list of them.

use serde::{Deserialize, Serialize};
use settlement::{Account, AccountId};

use super::Record;
use crate::error::RecordError;
use crate::place::{Place, decode};
use crate::ports::{Item, Query, State};

/// The rows of the table of records.
pub(super) const RECORDS: &[Record] = &[
    Record {
        name: "account",
        place: "`ACCOUNT#<account>`, `ACCOUNT`",
        question: "what an account is called, its merchant numbers, time zone and language, and whether it posts",
    },
    Record { name: "accounts", place: "`ACCOUNTS`, `<account>`", question: "which accounts exist" },
];

/// The partition that lists every account once.
const LISTED: &str = "ACCOUNTS";

/// An account in the list of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAccount {
    /// The account.
    pub account: AccountId,
}

impl Place {
    /// The account's record.
    pub fn account(id: &AccountId) -> Self {
        Place::new(format!("ACCOUNT#{id}"), "ACCOUNT")
    }

    /// The account's record in the list of all accounts.
    pub fn listed_account(id: &AccountId) -> Self {
        Place::new(LISTED, id.as_str())
    }
}

impl Query {
    /// All accounts in the order of their ids.
    pub fn accounts() -> Self {
        Query::all(LISTED)
    }
}

/// The account; one without a record has Norwegian defaults.
///
/// # Errors
/// When the state cannot answer.
pub async fn account(state: &dyn State, id: &AccountId) -> Result<Account, RecordError> {
    Ok(Place::account(id).read(state).await?.map_or_else(|| Account::new(id.clone()), |(account, _)| account))
}

/// The account that a record of the list names.
///
/// # Errors
/// When the record is not readable.
pub fn listed_account(item: &Item) -> Result<AccountId, RecordError> {
    Ok(decode::<ListedAccount>(item)?.account)
}
