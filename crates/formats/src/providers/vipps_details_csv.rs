//! Vipps MobilePay: the settlement report's details as CSV.
//!
//! The same columns and words as the sheet of details in the workbook: see `vipps_details.rs`. UTF-8, comma, decimal dot,
//! line breaks within quotes, no preamble.

use settlement::{Control, Proof, Provider, Sink};

use super::vipps_details::{Details, FAMILY, PROVIDER, SOURCE, Source, Take};
use super::vipps_details_entries::write;
use super::vipps_details_words::{COLUMNS, is_header};
use crate::failure::{Failure, ReadSeek};
use crate::format::{Format, Surety};
use crate::head::Head;
use crate::limits::Limits;
use crate::read::delimited::DelimitedReader;
use crate::read::delimiter::{DELIMITERS, cells, delimiter_of};
use crate::read::text::TextEncoding;

pub(crate) const FORMAT: Format = Format {
    id: "vipps-details-csv",
    provider: PROVIDER,
    family: FAMILY,
    payment_products: Provider::VIPPS.products,
    file_types: &["csv"],
    proof: Proof::Exact,
    surety: Surety::Measured,
    source: SOURCE,
    detect,
    columns: COLUMNS,
    write_entries: Some(write),
    parse,
};

fn detect(head: &Head) -> bool {
    head.lines().next().is_some_and(|line| DELIMITERS.iter().any(|delimiter| is_header(cells(line, *delimiter))))
}

fn parse(input: &mut dyn ReadSeek, limits: &Limits, sink: &mut dyn Sink) -> Result<Control, Failure> {
    let (encoding, head) = TextEncoding::with_head(input)?;
    let delimiter = delimiter_of(&head, COLUMNS).unwrap_or(b',');
    let mut text = Text { input, encoding, delimiter, limits };
    Details::new(sink, limits).read(&mut text, |_, _, _| Ok(()))
}

/// The text of the report.
struct Text<'i> {
    input: &'i mut dyn ReadSeek,
    encoding: TextEncoding,
    delimiter: u8,
    limits: &'i Limits,
}

impl Source for Text<'_> {
    fn read(&mut self, take: Take<'_>) -> Result<(), Failure> {
        self.input.rewind()?;
        take(&mut DelimitedReader::new(&mut self.input, self.encoding, self.delimiter, self.limits))
    }
}
