//! The registry: every format that is read, and every layout that is refused by name.

mod vipps_portal_csv;
mod vipps_settlement_xml;
mod vipps_structured_csv;

use crate::format::{Format, Refused};

/// All formats, sorted by id. To add one: write its file, name it above, name it here.
#[rustfmt::skip]
pub const FORMATS: &[Format] = &[
    vipps_portal_csv::FORMAT,
    vipps_settlement_xml::FORMAT,
    vipps_structured_csv::FORMAT,
];

/// Layouts that are known and not read, with what to ask for instead.
pub const REFUSED: &[Refused] = &[vipps_settlement_xml::VERSION_2];
