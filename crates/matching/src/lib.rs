#![doc = include_str!("../README.md")]
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
pub use keys::{Against, GENERAL, LineField, PROVIDER_KEYS, ProviderKeys, Rung, Weight, provider_paying};
pub use ladder::match_line;
pub use seen::{Seen, SettledEvents, SettlementName};
pub use state::{Forbidden, MatchState, Matched, Nearest, Nearness, Unclear};
pub use unsettled::{InTransit, MissingReport, Overdue, Unsettled, in_transit, missing_reports, unsettled};
pub use wait::{AllowedWaits, DAYS_ALLOWED, Wait};
