#![doc = include_str!("../README.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod account;
mod bridge_month;
mod canonical;
mod card;
mod contact;
mod currency;
mod defect;
mod hex;
mod ids;
mod key;
mod kind;
mod ledger_entry;
mod line;
mod match_row;
mod money;
mod month;
mod month_record;
mod notice;
mod problem;
mod proof;
mod provider;
mod report;
mod sink;
mod terms;
mod transaction;
mod waiting;

pub use account::{Account, AccountId};
pub use bridge_month::BridgeMonth;
pub use canonical::{
    CanonicalRow, DIGESTS_TOGETHER, RowDigest, RowDigester, SettlementHash, SettlementHasher, push_varint,
};
pub use card::mask_cards;
pub use contact::{Address, BadAddress, BadHeaderText, BadMailId, HeaderText, MailId, Mailbox, Rhythm, WebAddress};
pub use currency::Currency;
pub use defect::{Defect, is_seeded};
#[cfg(feature = "defects")]
pub use defect::{SEEDED_MARK, seed};
pub use hex::hexadecimal;
pub use ids::{BadId, MerchantNumber, ProviderId, ReportId, SettlementId};
pub use key::SettleKey;
pub use kind::{Kind, Verdict};
pub use ledger_entry::{LedgerEntry, LedgerEntryIdentity, LedgerEntryKind, LedgerPayout};
pub use line::{BATCH_LINES_MAX, Line, LineBatch, LineKind, LineRecord, TextColumn};
pub use match_row::MatchRow;
pub use money::{AMOUNT_MINOR_MAX, MajorUnits};
pub use month::{BadMonth, Month};
pub use month_record::MonthRecord;
pub use notice::{Confirmed, PayoutNotice};
pub use problem::{Problem, Problems, Severity};
pub use proof::prove;
pub use provider::{IdForm, PROVIDERS, Provider, exponent, product_family};
pub use report::{Control, Fees, Held, Proof, Settlement, SettlementHead, StatedTotals};
pub use sink::{Sealed, Sink, SinkError};
pub use terms::{TermSums, Terms};
pub use transaction::{
    SettlementEvent, SettlementStatus, Transaction, TransactionEvent, TransactionEventKind, TransactionStatus,
};
pub use waiting::{PaidDays, WaitingEntries, WaitingReason};
