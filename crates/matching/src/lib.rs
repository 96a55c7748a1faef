//! Lines of settlements against the merchant's transactions, and what the two say together.
//!
//! - [`match_line`]: which transaction, and which capture or refund of it, a line is; or why none. `keys.rs` is the table of
//!   what is compared with what, per provider.
//! - [`unsettled()`] and [`missing_reports`]: the other direction, what was captured and never came in a settlement.
//! - [`Bridge`]: what was in transit at the end of each month, told in two ways that must agree.
//!
//! Knows no files, no network and no clock. Nothing is guessed: a line is matched when a key and the amount to the minor unit say
//! the same, and every other line has a reason that a person can act on.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod bridge;
mod digest;
mod happened;
mod index;
mod keys;
mod ladder;
mod seen;
mod state;
#[cfg(test)]
mod testing;
mod unsettled;
mod wait;

pub use bridge::{Bridge, BridgeError, BridgeLine, BridgePayout, Group, GroupBridge, happened_on};
pub use index::{Index, IndexBuilder, IndexError};
pub use keys::{Against, GENERAL, LineField, PROVIDERS, ProviderKeys, Rung, Weight, provider_paying};
pub use ladder::match_line;
pub use seen::{Seen, SettledEvents, SettlementName};
pub use state::{Forbidden, MatchState, Matched, Nearest, Nearness, Unclear};
pub use unsettled::{InTransit, MissingReport, Overdue, Unsettled, in_transit, missing_reports, unsettled};
pub use wait::{DAYS_ALLOWED, Wait, Waits};
