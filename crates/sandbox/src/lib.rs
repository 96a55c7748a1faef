#![doc = include_str!("../README.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod address;
pub mod example;
mod fault;
mod in_process;
mod list;
mod posting;
mod refusal;
#[cfg(test)]
mod tests;
mod token;
mod transaction;

use std::collections::{BTreeMap, BTreeSet};

use address::Address;
use dintero::{Method, NoResponse, Request, Response, Sent};
use fault::Faults;
pub use fault::{Fault, RequestKind};
pub use in_process::{Clock, InProcess};
use jiff::{SignedDuration, Timestamp};
pub use list::PaidSettlement;
use posting::Posting;
use refusal::Refusal;
use serde_json::Value;
use settlement::{AccountId, SettlementEvent};
pub use token::TOKEN_MARK;
use token::{Client, IssuedToken};
use transaction::Transaction;
pub use transaction::{BUYER_MARK, MadeEvent, MadeTransaction};

/// How long a token lasts when nothing else is said.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_secs(14_400);

/// A request that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// What it asked for.
    pub kind: RequestKind,
    /// Its body, byte for byte.
    pub body: Option<String>,
}

/// The stand-in for Dintero.
#[derive(Debug, Clone)]
pub struct Sandbox {
    clients: Vec<Client>,
    tokens: BTreeMap<String, IssuedToken>,
    token_life: SignedDuration,
    tokens_issued: u64,
    transactions: Vec<Transaction>,
    places: BTreeMap<String, usize>,
    settlements: Vec<(AccountId, PaidSettlement)>,
    faults: Faults,
    refused: BTreeSet<String>,
    waiting: Vec<(Timestamp, Posting)>,
    seen: Vec<Seen>,
}

impl Default for Sandbox {
    fn default() -> Self {
        Sandbox {
            clients: Vec::new(),
            tokens: BTreeMap::new(),
            token_life: TOKEN_LIFE,
            tokens_issued: 0,
            transactions: Vec::new(),
            places: BTreeMap::new(),
            settlements: Vec::new(),
            faults: Faults::default(),
            refused: BTreeSet::new(),
            waiting: Vec::new(),
            seen: Vec::new(),
        }
    }
}

/// How much of a posting comes about.
#[derive(Clone, Copy)]
enum Extent {
    Whole,
    Half,
    ButFirst,
    Late(Timestamp),
}

impl Sandbox {
    /// Adds an account's API client, or gives it another secret; tokens that it has stay good.
    pub fn add_client(&mut self, account: &AccountId, id: &str, secret: &str) {
        self.clients.retain(|client| !(client.account == *account && client.id == id));
        self.clients.push(Client { account: account.clone(), id: id.to_owned(), secret: secret.to_owned() });
    }

    /// Tokens last that long from now on.
    pub fn set_token_life(&mut self, life: SignedDuration) {
        self.token_life = life;
    }

    /// Takes all tokens of an account back.
    pub fn revoke_tokens(&mut self, account: &AccountId) {
        self.tokens.retain(|_, token| token.account != *account);
    }

    /// Adds a transaction; one of the same id is replaced, with its settlement events.
    pub fn add_transaction(&mut self, made: MadeTransaction) {
        let id = made.id.clone();
        let transaction = Transaction::new(made);
        match self.places.get(&id).and_then(|place| self.transactions.get_mut(*place)) {
            Some(known) => *known = transaction,
            None => {
                self.places.insert(id, self.transactions.len());
                self.transactions.push(transaction);
            }
        }
    }

    /// The transactions as they were made.
    pub fn made_transactions(&self) -> impl Iterator<Item = &MadeTransaction> {
        self.transactions.iter().map(Transaction::made)
    }

    /// Adds a settlement event as if Dintero had read the provider's report itself; `false` when there is no such transaction.
    pub fn add_settlement_event(&mut self, transaction: &str, event: &SettlementEvent) -> bool {
        let Some(transaction) = self.transaction_mut(transaction) else { return false };
        transaction.add(posting::PostedEvent::of(event));
        true
    }

    /// Adds a settlement to the list of an account.
    pub fn add_settlement(&mut self, account: &AccountId, settlement: PaidSettlement) {
        self.settlements.push((account.clone(), settlement));
    }

    /// Disturbs the next request of that kind that is not spoken for yet.
    ///
    /// [`Fault::RefuseTransaction`] holds from now on, for every posting with the transaction in it.
    pub fn disturb(&mut self, which: RequestKind, fault: Fault) {
        match fault {
            Fault::RefuseTransaction(id) => {
                self.refused.insert(id);
            }
            fault => self.faults.add(which, fault),
        }
    }

    /// Faults that no request has met yet.
    pub fn faults_left(&self) -> usize {
        self.faults.left()
    }

    /// The requests that arrived, from the first on.
    pub fn seen(&self) -> &[Seen] {
        &self.seen
    }

    /// How many requests of that kind arrived.
    pub fn requests(&self, kind: RequestKind) -> usize {
        self.seen.iter().filter(|seen| seen.kind == kind).count()
    }

    /// How many requests for a token arrived.
    pub fn token_calls(&self) -> usize {
        self.requests(RequestKind::Token)
    }

    /// Every settlement event with the id of its transaction, as often as it was added; capture, refund and fee are magnitudes.
    pub fn settlement_events(&self) -> impl Iterator<Item = (&str, &SettlementEvent)> {
        self.transactions.iter().flat_map(|transaction| transaction.settlement_events())
    }

    /// Lets time pass: what was to be applied late by then is applied.
    pub fn pass(&mut self, now: Timestamp) {
        let (due, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(at, _)| *at <= now);
        self.waiting = waiting;
        let due: Vec<(Timestamp, Posting)> = due;
        for (_, posting) in due {
            self.apply(&posting.transactions);
        }
    }

    /// Answers a request that arrives at `now`.
    ///
    /// # Errors
    /// When there is no such host, and where a fault asks for it.
    pub fn answer(&mut self, request: &Request, now: Timestamp) -> Result<Response, NoResponse> {
        self.pass(now);
        let Some(address) = Address::read(&request.url) else {
            return Err(NoResponse {
                sent: Sent::No,
                host: "the sandbox".to_owned(),
                reason: "no such host".to_owned(),
            });
        };
        let host = address.host_name.clone();
        let lost = |sent, reason: &str| Err(NoResponse { sent, host: host.clone(), reason: reason.to_owned() });
        let Some(kind) = address.kind(request.method) else {
            return Ok(Refusal::new(404, "NOT_FOUND", "No such resource").answer());
        };
        let fault = self.faults.next(kind);
        if fault == Some(Fault::NotConnected) {
            return lost(Sent::No, "the connection was refused");
        }
        self.seen.push(Seen { at: now, kind, body: request.body.clone() });
        let mut handled = |extent| self.handle(kind, &address, request, now, extent);
        let answer = match fault {
            None | Some(Fault::NotConnected | Fault::RefuseTransaction(_)) => answered(handled(Extent::Whole)),
            Some(Fault::TooManyRequests { seconds }) => {
                let retry_after = Some(SignedDuration::from_secs(i64::from(seconds)));
                Response { retry_after, ..Refusal::new(429, "TOO_MANY_REQUESTS", "Too many requests").answer() }
            }
            Some(Fault::Unauthorised) => Refusal::unauthorised().answer(),
            Some(Fault::ServerError(status)) => Refusal::new(status, "UNEXPECTED", "Unexpected error").answer(),
            Some(Fault::LostBefore) => return lost(Sent::Perhaps, "the connection was closed"),
            Some(Fault::LostAfterApply) => {
                // Whatever it would have said, nobody hears it.
                let _ = handled(Extent::Whole);
                return lost(Sent::Perhaps, "the time for an answer has passed");
            }
            Some(Fault::LateApply { seconds }) => {
                let at = now.saturating_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(now);
                let _ = handled(Extent::Late(at));
                return lost(Sent::Perhaps, "the time for an answer has passed");
            }
            Some(Fault::HalfApplied) => match handled(Extent::Half) {
                Ok(_) => Refusal::new(500, "UNEXPECTED", "Unexpected error").answer(),
                refused => answered(refused),
            },
            Some(Fault::ReorderedAnswer) => answered(handled(Extent::Whole).map(reordered)),
            Some(Fault::FirstNotApplied) => answered(handled(Extent::ButFirst)),
            Some(Fault::MissingInAnswer) => answered(handled(Extent::Whole).map(without_the_last)),
            Some(Fault::HtmlBody) => {
                let _ = handled(Extent::Whole);
                Response { status: 200, retry_after: None, body: b"<html><body>It works</body></html>".to_vec() }
            }
            Some(Fault::Redirect) => Response { status: 302, retry_after: None, body: Vec::new() },
        };
        Ok(answer)
    }

    /// Does what a request asks for, and gives what is to be answered.
    fn handle(
        &mut self,
        kind: RequestKind,
        address: &Address,
        request: &Request,
        now: Timestamp,
        extent: Extent,
    ) -> Result<Value, Refusal> {
        let authorization = request.authorization.reveal();
        if kind == RequestKind::Token {
            let body = request.body.as_deref().unwrap_or_default();
            return self.issue_token(address.account().unwrap_or_default(), authorization, body, now);
        }
        let account = self.authorised(authorization, now)?;
        match kind {
            RequestKind::Token | RequestKind::Transactions => self.list_transactions(&account, &address.query),
            RequestKind::Settlements if address.account() != Some(account.as_str()) => Err(Refusal::forbidden()),
            RequestKind::Settlements => self.list_settlements(&account, &address.query),
            RequestKind::SettlementEvents => self.post(&account, request.body.as_deref().unwrap_or_default(), extent),
        }
    }

    fn transaction(&self, id: &str) -> Option<&Transaction> {
        self.transactions.get(*self.places.get(id)?)
    }

    fn transaction_mut(&mut self, id: &str) -> Option<&mut Transaction> {
        self.transactions.get_mut(*self.places.get(id)?)
    }
}

fn answered(handled: Result<Value, Refusal>) -> Response {
    match handled {
        Ok(value) => Response { status: 200, retry_after: None, body: value.to_string().into_bytes() },
        Err(refusal) => refusal.answer(),
    }
}

fn reordered(mut value: Value) -> Value {
    if let Value::Array(items) = &mut value {
        items.reverse();
    }
    value
}

fn without_the_last(mut value: Value) -> Value {
    if let Value::Array(items) = &mut value {
        items.pop();
    }
    value
}

/// Which method a kind of request has.
fn method_of(kind: RequestKind) -> Method {
    match kind {
        RequestKind::Token | RequestKind::SettlementEvents => Method::Post,
        RequestKind::Transactions | RequestKind::Settlements => Method::Get,
    }
}
