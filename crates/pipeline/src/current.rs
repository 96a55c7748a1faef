//! What is in force: the one reader of versions, notices, lines, matches, events and accounts that every step shares.

pub mod accounts;
pub mod events;
pub mod held;
pub mod lease;
pub mod ledgers;
pub(crate) mod lines;
pub mod match_rows;
pub mod notice;
pub mod versions;
pub(crate) mod zone;
