//! What runs the steps: the whole way of one upload, the sweep, the backfill, and what people ask for.

pub mod backfill;
pub mod explain;
pub mod listing;
pub mod process;
pub mod settlement_json;
pub mod sweep;
