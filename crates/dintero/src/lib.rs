//! Dintero's own API as values: requests to be sent, answers to be read. Nothing here sends anything.
//!
//! Described at docs.dintero.com: getting a token, adding settlement events to transactions, listing transactions and
//! settlements. What the documentation leaves open is decided in one place each: signs in `settlement_events.rs`,
//! the meaning of an answer in `outcome.rs`.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod api;
mod error;
mod http;
mod outcome;
mod settlement_events;
mod settlements;
mod token;
mod transactions;

pub use api::{Api, Hosts, TRANSACTIONS_MAX, TransactionFilter};
pub use error::{Unreadable, error_message};
pub use http::{Answer, Method, NoAnswer, Request, Secret, Sent};
pub use outcome::{Outcome, PAUSE, outcome};
pub use settlement_events::{Signs, body};
pub use settlements::{ListedSettlement, SettlementCursor, SettlementPage, settlements};
pub use token::{Credentials, Token, token};
pub use transactions::transactions;
