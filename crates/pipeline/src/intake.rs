//! A report on its way in: spooled, judged, proved, compared with what is known, and committed or held.

pub mod difference;
pub mod dismiss;
pub mod judge;
pub mod known;
pub(crate) mod ledger;
pub mod notice;
pub mod parse;
pub mod refuse;
pub mod release;
pub mod replay;
pub mod spool;
pub mod upload;
