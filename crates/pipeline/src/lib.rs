//! The steps a report goes through, in numbered layers: a layer imports only layers with a lower number, [`current`],
//! [`messages`], and the error and ports of the crate.
//!
//! 1. [`current`]: what is in force
//! 2. [`intake`]: a report is read, proved and committed, or held
//! 3. [`transactions`]: the mirror of the merchant's transactions
//! 4. [`mod@matching`]: lines and transactions
//! 5. [`reports`]: the Dintero report of each settlement
//! 6. [`posting`]: settlement events
//! 7. [`lake`]: Parquet by payout day
//! 8. [`months`]: the summary of each month
//! 9. [`mail`]: what is due, once
//! 10. [`operate`]: what runs the steps
//!
//! A step takes [`Ports`] and a command: a plain value with the time in it, so that a trigger, a command line and a test
//! build the same one.

pub mod current;
mod error;
pub mod intake;
pub mod lake;
pub mod mail;
pub mod matching;
pub mod messages;
pub mod months;
pub mod operate;
mod ports;
pub mod posting;
pub mod reports;
pub mod transactions;

pub use error::StepError;
pub use formats::Limits;
pub use intake::spool::report_id_of;
pub use ports::Ports;
pub use tables::Packing;

/// Version of everything that turns bytes into lines; a report held by an older one is judged anew.
pub const PARSER_VERSION: &str = "1";
