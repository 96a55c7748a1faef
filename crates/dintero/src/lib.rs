#![doc = include_str!("../README.md")]
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
pub use http::{Method, NoResponse, Request, Response, Secret, Sent};
pub use outcome::{Outcome, PAUSE, outcome};
pub use settlement_events::{Signs, body};
pub use settlements::{ListedSettlement, SettlementCursor, SettlementPage, settlements};
pub use token::{Credentials, Token, token};
pub use transactions::transactions;
