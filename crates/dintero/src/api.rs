//! The requests of one account.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use settlement::AccountId;

use crate::http::{Method, Request, Secret};
use crate::settlements::SettlementCursor;
use crate::token::{Credentials, Token};

/// The most transactions that one request may read or change.
pub const TRANSACTIONS_MAX: usize = 100;

/// The hosts of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The host of tokens and settlements, as a URL without a path.
    pub api: String,
    /// The host of transactions, as a URL without a path.
    pub checkout: String,
}

impl Default for Hosts {
    fn default() -> Self {
        Hosts { api: "https://api.dintero.com".to_owned(), checkout: "https://checkout.dintero.com".to_owned() }
    }
}

/// Which transactions to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionFilter {
    /// Captured from the first time to the second.
    CapturedBetween(Timestamp, Timestamp),
    /// Refunded from the first time to the second.
    RefundedBetween(Timestamp, Timestamp),
}

/// Builds the requests of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    hosts: Hosts,
    account: AccountId,
}

impl Api {
    /// The API of an account.
    pub fn new(hosts: Hosts, account: AccountId) -> Self {
        Api { hosts, account }
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Whether a transaction belongs to the account. Its id begins with the account's id, which also tells test from
    /// production.
    pub fn owns(&self, transaction: &str) -> bool {
        let own = transaction.strip_prefix(self.account.as_str()).and_then(|rest| rest.strip_prefix('.'));
        own.is_some_and(|own| {
            !own.is_empty() && own.len() <= 64 && own.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    }

    /// The request for a token.
    pub fn token(&self, credentials: &Credentials) -> Request {
        let Credentials { client_id, client_secret } = credentials;
        let basic = STANDARD.encode(format!("{client_id}:{}", client_secret.reveal()));
        let audience = format!("https://api.dintero.com/v1/accounts/{}", self.account);
        let body = serde_json::json!({ "grant_type": "client_credentials", "audience": audience });
        Request {
            method: Method::Post,
            url: format!("{}/v1/accounts/{}/auth/token", self.hosts.api, self.account),
            authorization: Secret::new(format!("Basic {basic}")),
            body: Some(body.to_string()),
            not_after: None,
        }
    }

    /// The request that adds settlement events to transactions, with a `body` that [`crate::body`] makes. It must not
    /// be sent after
    /// `not_after`.
    pub fn add_settlement_events(&self, token: &Token, body: String, not_after: Timestamp) -> Request {
        Request {
            method: Method::Post,
            url: format!("{}/v1/transactions/events/settlements", self.hosts.checkout),
            authorization: token.authorization.clone(),
            body: Some(body),
            not_after: Some(not_after),
        }
    }

    /// The request for transactions by their ids, at most [`TRANSACTIONS_MAX`] of them.
    pub fn transactions_by_id<'a>(&self, token: &Token, ids: impl IntoIterator<Item = &'a str>) -> Request {
        let mut query = format!("limit={TRANSACTIONS_MAX}");
        for id in ids {
            // Writing to a String cannot fail.
            let _ = write!(query, "&id={}", encoded(id));
        }
        self.get(token, format!("{}/v1/transactions?{query}", self.hosts.checkout))
    }

    /// The request for a page of transactions. `after` is the id of the last transaction of the page before.
    pub fn transactions(&self, token: &Token, filter: &TransactionFilter, after: Option<&str>) -> Request {
        let (name, from, to) = match filter {
            TransactionFilter::CapturedBetween(from, to) => ("captured_at", from, to),
            TransactionFilter::RefundedBetween(from, to) => ("refunded_at", from, to),
        };
        let [from, to] = [from, to].map(|at| encoded(&at.to_string()));
        let mut query = format!("limit={TRANSACTIONS_MAX}&{name}.gte={from}&{name}.lte={to}");
        if let Some(after) = after {
            query.push_str("&starting_after=");
            query.push_str(&encoded(after));
        }
        self.get(token, format!("{}/v1/transactions?{query}", self.hosts.checkout))
    }

    /// The request for a page of the account's settlements. `after` is the cursor of the page before.
    pub fn settlements(&self, token: &Token, after: Option<&SettlementCursor>) -> Request {
        let mut url = format!("{}/v1/accounts/{}/settlements?limit=100", self.hosts.api, self.account);
        if let Some(SettlementCursor { id, date }) = after {
            let _ = write!(url, "&starting_after_id={}&starting_after_date={}", encoded(id), encoded(date));
        }
        self.get(token, url)
    }

    fn get(&self, token: &Token, url: String) -> Request {
        Request { method: Method::Get, url, authorization: token.authorization.clone(), body: None, not_after: None }
    }
}

/// A value, percent-encoded for a query.
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}
