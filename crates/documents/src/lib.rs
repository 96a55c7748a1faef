#![doc = include_str!("../README.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod breakdown;
mod csv_rows;
mod deviation;
mod dintero_report;
mod error;
mod inert;
mod labels;
mod locale;
pub mod mail;
mod month_summary;
mod page;
mod sheet;
mod term;
#[cfg(test)]
mod testing;
mod value;

pub use breakdown::{Breakdown, Part, PartName};
pub use dintero_report::{DinteroReport, ReportType};
pub use error::DocumentError;
pub use inert::inert;
pub use labels::{Language, provider_name};
pub use month_summary::{
    Apart, ApartKind, Change, Difference, DifferenceOf, Figures, FiguresOf, InTransit, MonthBridge, MonthContent,
    MonthPayout, MonthSummary, SummaryForm, TransitState,
};
