//! Swedbank Pay (PayEx): the transaction list as a workbook, version 2 and version 1 of before 2023.
//!
//! One sheet: what the list is, a summary of services, then the rows. Headers stand in no fixed row; they are found by
//! their words. Version 1 begins without a header: company, accounting number, number of rows.
//! Some ids are stored as numbers; one of more than 15 digits would be rounded, and holds the list.

use settlement::{Control, Kind, Problem, Proof, Provider, Sink};

use super::swedbankpay_sales::{
    ADVICE, FAMILY, Fields, PROVIDER, ROW_V1_XLSX, ROW_V2, SOURCE, SUMMARY_V1_XLSX, SUMMARY_V2, SalesList,
};
use crate::failure::{Failure, ReadSeek};
use crate::format::{Format, Surety};
use crate::head::Head;
use crate::limits::Limits;
use crate::read::field::{Cell, Cells, Column, Header, optional, required};
use crate::read::row::{Record, Row, Rows};
use crate::read::workbook::Workbook;

pub(crate) const VERSION_2: Format = Format {
    id: "swedbankpay-sales-xlsx-v2",
    provider: PROVIDER,
    family: FAMILY,
    payment_products: Provider::SWEDBANK_PAY.products,
    file_types: &["xlsx"],
    proof: Proof::GrossOnly,
    surety: Surety::Measured,
    source: SOURCE,
    detect: |head| claims(head, &V2),
    columns: ROW_V2,
    write_entries: None,
    parse: |input, limits, sink| parse(input, limits, sink, &V2),
};

pub(crate) const VERSION_1: Format = Format {
    id: "swedbankpay-sales-xlsx-v1",
    detect: |head| claims(head, &V1),
    columns: ROW_V1_XLSX,
    write_entries: None,
    parse: |input, limits, sink| parse(input, limits, sink, &V1),
    ..VERSION_2
};

struct Version {
    /// Words that only the header of the list has, where it has one.
    list_columns: &'static [Column],
    summary_columns: &'static [Column],
    row_columns: &'static [Column],
}

const V2: Version = Version {
    list_columns: &[
        required("AccountingNo"),
        required("AccountingDate"),
        required("TotalNoOfTransactions"),
        optional("ContractingParty"),
        optional("ExternalMerchantId"),
        optional("Version"),
    ],
    summary_columns: SUMMARY_V2,
    row_columns: ROW_V2,
};

const V1: Version = Version { list_columns: &[], summary_columns: SUMMARY_V1_XLSX, row_columns: ROW_V1_XLSX };

impl Version {
    fn is_header(columns: &[Column], mut cells: impl Iterator<Item = impl AsRef<str>>) -> bool {
        // The first two columns of each list are words that no value of a report is.
        let words: Vec<&str> = columns.iter().take(2).map(|column| column.name).collect();
        cells.any(|cell| words.contains(&cell.as_ref()) && cell.as_ref() != "Amount")
    }
}

fn claims(head: &Head, version: &Version) -> bool {
    let rows = head.sheet().unwrap_or_default();
    let has = |columns| rows.iter().any(|row| Version::is_header(columns, row.iter()));
    let listed = has(V2.list_columns);
    listed != version.list_columns.is_empty() && has(version.summary_columns)
}

fn parse(
    input: &mut dyn ReadSeek,
    limits: &Limits,
    sink: &mut dyn Sink,
    version: &'static Version,
) -> Result<Control, Failure> {
    let mut workbook = Workbook::open(input, limits)?;
    let mut report = Report { version, list: SalesList::new(sink, limits), section: Section::List(None) };
    let ended = report.read(&mut workbook.rows()?);
    report.list.finish(ended)
}

/// What the rows are at this place of the sheet.
enum Section {
    /// The description of the list, with its header once that is known.
    List(Option<Header>),
    /// Up to the header of the summary.
    BeforeSummary,
    Summary(Header),
    Rows(Header),
    /// A header or the description of the list could not be read, so the rows after it cannot be either.
    Unreadable,
}

struct Report<'s> {
    version: &'static Version,
    list: SalesList<'s>,
    section: Section,
}

impl Fields for Cells<'_, '_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        Cells::cell(self, column)
    }
}

impl Report<'_> {
    fn read(&mut self, rows: &mut impl Rows) -> Result<(), Failure> {
        loop {
            let taken = match rows.next()? {
                Row::Record(record) if record.is_blank() => Ok(()),
                Row::Record(record) => self.record(&record),
                Row::Bad(problem) => Err((*problem).into()),
                Row::End => break,
            };
            self.list.collector.recover(taken)?;
        }
        if !matches!(self.section, Section::Rows(_) | Section::Unreadable) {
            let message = format!("Found no header of the rows, expected one after the summary. {ADVICE}");
            self.list.collector.problems.push(Problem::error(Kind::HeaderMissingColumn, message));
        }
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        let Version { list_columns, summary_columns, row_columns } = self.version;
        let is_header = |columns: &[Column]| Version::is_header(columns, record.iter());
        let problems = &mut self.list.collector.problems;
        // This stays when the row cannot be read: its problem is known then.
        let before = std::mem::replace(&mut self.section, Section::Unreadable);
        self.section = match before {
            Section::List(None) if list_columns.is_empty() => {
                let cell = |place, column| Cell {
                    text: record.get(place),
                    cell_type: record.cell_type(place),
                    row: record.row,
                    column,
                };
                self.list.head(cell(1, "accounting number"), None, Some(cell(2, "number of rows")))?;
                Section::BeforeSummary
            }
            Section::List(None) => match Header::resolve(record, list_columns, problems) {
                Some(header) => Section::List(Some(header)),
                None => Section::Unreadable,
            },
            Section::List(Some(header)) => {
                let cells = Cells { header: &header, record };
                self.list.head(cells.cell(0), Some(cells.cell(1)), Some(cells.cell(2)))?;
                Section::BeforeSummary
            }
            Section::BeforeSummary if is_header(summary_columns) => {
                Header::resolve(record, summary_columns, problems).map_or(Section::Unreadable, Section::Summary)
            }
            Section::BeforeSummary => {
                let cell = Cell::of_text(record.get(0), record.row, "A");
                return Err(cell.problem(Kind::RowShape, "the header of the summary", ADVICE).into());
            }
            Section::Summary(_) if is_header(row_columns) => {
                let header = Header::resolve(record, row_columns, problems);
                self.list.open_settlements()?;
                if header.is_none() {
                    self.list.collector.lose_row();
                }
                header.map_or(Section::Unreadable, Section::Rows)
            }
            Section::Summary(mut header) => {
                if header.accepts(record, problems) {
                    let taken = self.list.service(&Cells { header: &header, record }, None);
                    self.list.collector.recover(taken)?;
                } else {
                    self.list.summary_is_lacking();
                }
                Section::Summary(header)
            }
            Section::Rows(mut header) => {
                if header.accepts(record, problems) {
                    let taken = self.list.row(&Cells { header: &header, record }, None);
                    self.list.collector.recover(taken)?;
                } else {
                    self.list.collector.lose_row();
                }
                Section::Rows(header)
            }
            Section::Unreadable => Section::Unreadable,
        };
        Ok(())
    }
}
