//! Which transaction each line of a settlement is, and what was captured and is in no settlement.

mod known;
mod lines;
pub mod match_account;
pub mod matched_lines;
pub mod unsettled;
