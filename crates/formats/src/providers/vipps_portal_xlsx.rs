//! Vipps: the settlement report that a merchant downloads from the portal as a workbook, with 17 or 14 columns.
//!
//! The rows are those of the portal's CSV, and so are their words; a payout has one hash in both.
//! - Amounts are numbers, days and ids text. A message or an account may be either.
//! - `<dimension>` is wrong in real files, and texts stand within cells beside shared ones.
//! - A workbook that was edited shows it: a formula, or an amount as text, holds it.

use settlement::{Control, Proof, Provider, Sink};

use super::vipps_portal_csv::{COLUMNS, HEADER_WORDS, read_report};
use super::vipps_portal_preamble::TITLE;
use crate::failure::{Failure, ReadSeek};
use crate::format::{Format, Surety};
use crate::head::Head;
use crate::limits::Limits;
use crate::read::shown::{shows_nothing, trimmed};
use crate::read::text::TextEncoding;
use crate::read::workbook::Workbook;

pub(crate) const FORMAT: Format = Format {
    id: "vipps-portal-xlsx",
    provider: &Provider::VIPPS,
    family: "vipps-settlement",
    payment_products: Provider::VIPPS.products,
    file_types: &["xlsx"],
    proof: Proof::Exact,
    surety: Surety::Measured,
    source: "https://developer.vippsmobilepay.com/docs/settlements/",
    detect,
    columns: COLUMNS,
    write_entries: None,
    parse,
};

fn detect(head: &Head) -> bool {
    let rows = head.sheet().unwrap_or_default();
    let shows = |row: &&Vec<String>| row.iter().any(|cell| !shows_nothing(cell));
    rows.iter().find(shows).and_then(|row| row.first()).is_some_and(|title| trimmed(title) == TITLE)
        && rows.iter().flatten().any(|cell| HEADER_WORDS.contains(&trimmed(cell)))
}

fn parse(input: &mut dyn ReadSeek, limits: &Limits, sink: &mut dyn Sink) -> Result<Control, Failure> {
    let mut workbook = Workbook::open(input, limits)?;
    read_report(&mut workbook.rows()?, TextEncoding::Utf8, limits, sink)
}
