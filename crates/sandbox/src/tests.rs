//! The sandbox's rules and faults, with requests written by hand where they must be wrong.

mod faults;
mod lists;
mod postings;
mod together;
mod tokens;

use dintero::{Method, Request, Response, Secret};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use settlement::{AccountId, TransactionEventKind};

use super::{MadeEvent, MadeTransaction, Sandbox};

const TOKEN: &str = "https://api.dintero.com/v1/accounts/T00000001/auth/token";
const TRANSACTIONS: &str = "https://checkout.dintero.com/v1/transactions";
const POSTING: &str = "https://checkout.dintero.com/v1/transactions/events/settlements";
const SETTLEMENTS: &str = "https://api.dintero.com/v1/accounts/T00000001/settlements";

fn now() -> Timestamp {
    "2026-10-05T06:00:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn vipps(id: &str, captured: i64, hours_ago: i64) -> MadeTransaction {
    let at = later(-3_600 * hours_ago);
    MadeTransaction::new(id, "3041", "vipps", "NOK", captured)
        .known_as("vipps:transaction.orderId", "order")
        .with(MadeEvent::new(TransactionEventKind::Authorize, captured, at))
        .with(
            MadeEvent::new(TransactionEventKind::Capture, captured, at).known_as("payout_correlation_id", "capture-1"),
        )
}

/// Two accounts, and three transactions of the first.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::default();
    sandbox.add_client(&account("T00000001"), "client-t", "secret-t");
    sandbox.add_client(&account("P00000001"), "client-p", "secret-p");
    for (id, hours_ago) in [("T00000001.a", 3), ("T00000001.b", 2), ("T00000001.c", 1), ("P00000001.d", 1)] {
        sandbox.add_transaction(vipps(id, 10_000, hours_ago));
    }
    sandbox
}

fn request(method: Method, url: &str, authorization: &str, body: Option<&str>) -> Request {
    let (url, body) = (url.to_owned(), body.map(str::to_owned));
    Request { method, url, authorization: Secret::new(authorization), body, not_after: None }
}

fn value(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// What the documented body of an error says.
fn message(answer: &Response) -> String {
    value(answer)["error"]["message"].as_str().unwrap().to_owned()
}

/// The header of a fresh token of `T00000001`.
fn bearer(sandbox: &mut Sandbox) -> String {
    bearer_of(sandbox, "T00000001", "Basic Y2xpZW50LXQ6c2VjcmV0LXQ=")
}

fn bearer_of(sandbox: &mut Sandbox, account: &str, basic: &str) -> String {
    let audience = format!("https://api.dintero.com/v1/accounts/{account}");
    let body = json!({"grant_type": "client_credentials", "audience": audience}).to_string();
    let url = format!("https://api.dintero.com/v1/accounts/{account}/auth/token");
    let answer = sandbox.answer(&request(Method::Post, &url, basic, Some(&body)), now()).unwrap();
    format!("Bearer {}", value(&answer)["access_token"].as_str().unwrap())
}

fn get(sandbox: &mut Sandbox, url: &str) -> Response {
    let bearer = bearer(sandbox);
    sandbox.answer(&request(Method::Get, url, &bearer, None), now()).unwrap()
}

/// A body with one event for each transaction.
fn posting(ids: &[&str]) -> String {
    let transactions: Vec<Value> =
        ids.iter().map(|id| json!({"id": id, "settlements": {"events": [event()]}})).collect();
    json!({ "transactions": transactions }).to_string()
}

fn event() -> Value {
    json!({"settlement_id": "S-1", "provider_reference": "2000461", "amount": 9_825, "capture": 10_000, "refund": 0,
        "fee": 175})
}

fn post(sandbox: &mut Sandbox, body: &str) -> Response {
    let bearer = bearer(sandbox);
    sandbox.answer(&request(Method::Post, POSTING, &bearer, Some(body)), now()).unwrap()
}

/// The ids of transactions that have settlement events, as often as they have one.
fn settled(sandbox: &Sandbox) -> Vec<String> {
    sandbox.settlement_events().map(|(id, _)| id.to_owned()).collect()
}

/// The ids that a list of transactions has.
fn ids(answer: &Response) -> Vec<String> {
    let list = value(answer);
    list.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}
