#![doc = include_str!("../README.md")]

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
