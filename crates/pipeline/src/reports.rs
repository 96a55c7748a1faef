//! What merchants and accountants get of an exact settlement.

pub mod dintero_report;
