#![doc = include_str!("../README.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod assemble;
mod collect;
mod failure;
mod format;
mod head;
mod identify;
mod ledger;
mod limits;
mod open;
mod providers;
mod read;

pub use assemble::{AssembledPayout, Assembly, Run, WAITING_ENTRIES_MAX, assemble};
pub use failure::{Failure, ReadSeek};
pub use format::{Format, Refused, Surety, parse};
pub use head::Head;
pub use identify::{extension, identify};
pub use limits::{HEAD_BYTES_MAX, Limits};
pub use open::{ReportFile, open, reports_in, unpack};
pub use providers::{FORMATS, REFUSED};
pub use read::amount::{DecimalMark, parse_minor};
