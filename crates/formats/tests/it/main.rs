//! What every format must do with a file, by this crate alone: nothing here knows Parquet or the pipeline.
#![allow(clippy::disallowed_methods, reason = "Tests read fixtures and time what they measure")]

mod archives;
mod assembled;
mod conformance;
mod damage;
mod golden;
mod ids;
mod judged;
mod ledger;
mod limits;
mod private;
mod properties;
