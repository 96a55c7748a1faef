//! The registry: every format that is read, and every layout that is refused by name.

mod swedbankpay_sales;
mod swedbankpay_sales_xlsx;
mod swedbankpay_sales_xml;
mod vipps_details;
mod vipps_details_csv;
mod vipps_details_entries;
mod vipps_details_words;
mod vipps_details_xlsx;
mod vipps_portal_csv;
mod vipps_portal_preamble;
mod vipps_portal_xlsx;
mod vipps_report_api;
mod vipps_settlement_xml;
mod vipps_structured_csv;

use crate::format::{Format, Refused};

/// All formats, sorted by id. To add one: write its file, name it above, name it here.
#[rustfmt::skip]
pub const FORMATS: &[Format] = &[
    swedbankpay_sales_xlsx::VERSION_1,
    swedbankpay_sales_xlsx::VERSION_2,
    swedbankpay_sales_xml::VERSION_1,
    swedbankpay_sales_xml::VERSION_2,
    vipps_details_csv::FORMAT,
    vipps_details_xlsx::FORMAT,
    vipps_portal_csv::FORMAT,
    vipps_portal_xlsx::FORMAT,
    vipps_report_api::FORMAT,
    vipps_settlement_xml::FORMAT,
    vipps_structured_csv::FORMAT,
];

/// Layouts that are known and not read, with what to ask for instead.
pub const REFUSED: &[Refused] = &[vipps_settlement_xml::VERSION_2];
