//! The test harness: generated reports, shared checks, and the contract of every port.

pub mod contract;
pub mod emulator;
pub mod lake;
pub mod mails;
pub mod python;
pub mod verdicts;

pub use fixtures::{generate, hostile, workbook};
