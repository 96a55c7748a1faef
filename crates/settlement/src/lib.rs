//! The words of the house: money, lines, settlements, ids, problems and the rule that proves them.
//! Pure values only; nothing here reads a file, a clock or a network.
//!
//! # Glossary
//! - **report**: one file as a provider sent it, known by the SHA-256 of its bytes ([`ReportId`]).
//! - **settlement**: what a provider pays out in one transfer to one merchant number ([`Settlement`]).
//! - **line**: one provider row of a settlement, with its signed [`Terms`].
//! - **payout**: the amount of money a settlement moves to the bank.
//! - **proof**: how far the file itself shows that its lines are its payout ([`Proof`]).
//! - **problem**: something found in a file, with row and column ([`Problem`]); an error holds the whole report.
//! - **verdict**: what becomes of the report as a whole ([`Verdict`]).
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod account;
mod bank;
mod bridge_month;
mod canonical;
mod card;
mod currency;
mod defect;
mod ids;
mod kind;
mod line;
mod match_row;
mod money;
mod month;
mod month_record;
mod notice;
mod problem;
mod proof;
mod report;
mod sink;
mod terms;
mod transaction;

pub use account::{Account, AccountId};
pub use bank::{BankEntry, BankStatement};
pub use bridge_month::BridgeMonth;
pub use canonical::{
    CanonicalRow, DIGESTS_TOGETHER, RowDigest, RowDigester, SettlementHash, SettlementHasher, push_varint,
};
pub use card::mask_cards;
pub use currency::{Currency, exponent};
#[cfg(feature = "defects")]
pub use defect::seed;
pub use defect::{Defect, is_seeded};
pub use ids::{ReportId, SettleKey, hexadecimal};
pub use kind::{Kind, Verdict};
pub use line::{BATCH_LINES_MAX, Line, LineBatch, LineKind, LineRecord, TextColumn};
pub use match_row::MatchRow;
pub use money::{AMOUNT_MINOR_MAX, MajorUnits};
pub use month::{BadMonth, Month};
pub use month_record::MonthRecord;
pub use notice::{Confirmed, PayoutNotice};
pub use problem::{Problem, Problems, Severity};
pub use proof::prove;
pub use report::{Control, Document, Fees, Held, Proof, Settlement, SettlementHead, StatedTotals};
pub use sink::{Sealed, Sink, SinkError};
pub use terms::{TermSums, Terms};
pub use transaction::{
    SettlementEvent, SettlementStatus, Transaction, TransactionEvent, TransactionEventKind, TransactionStatus,
};
