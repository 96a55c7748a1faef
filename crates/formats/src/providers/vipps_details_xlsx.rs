//! Vipps MobilePay: the settlement report as a workbook, with a sheet of details and a sheet that sums each day up.
//!
//! The sheet of details has the columns of the CSV: see `vipps_details.rs`. The summary is a second proof.
//! - It has a row for each sales unit and booking day. Its last row is a total that follows the filters of a spreadsheet,
//!   and is never read.
//! - Its Norwegian words are not published, so that only a summary in English is held against the details; another is
//!   noted.
//! - That the balance of a day is that of the day before plus its captures, refunds, fees, other entries and payout is
//!   assumed, and so are the signs, which are those of the details.

use settlement::{Control, Kind, MajorUnits, Problem, Problems, Proof, Provider, Sink};

use super::vipps_details::{Details, FAMILY, PROVIDER, ProvedUnit, SOURCE, Source, Take};
use super::vipps_details_entries::write;
use super::vipps_details_words::{ADVICE, COLUMNS, is_header};
use crate::failure::{Failure, ReadSeek};
use crate::format::{Format, Surety};
use crate::ledger::DaySums;
use crate::limits::Limits;
use crate::read::amount::DecimalMark;
use crate::read::date::DateForm;
use crate::read::field::{Cells, Column, Header, optional, required};
use crate::read::row::{Record, Row, Rows};
use crate::read::shown::{shows_nothing, trimmed};
use crate::read::workbook::Workbook;

pub(crate) const FORMAT: Format = Format {
    id: "vipps-details-xlsx",
    provider: PROVIDER,
    family: FAMILY,
    payment_products: Provider::VIPPS.products,
    file_types: &["xlsx"],
    proof: Proof::Exact,
    surety: Surety::Measured,
    source: SOURCE,
    detect: |head| details_sheet(head.sheets()).is_some(),
    columns: COLUMNS,
    write_entries: Some(write),
    parse,
};

const SUMMARY: &[Column] = &[
    required("MSN/MobilePay number").or(&["MSN/Vipps number", "MSN", "MSN/Vippsnummer"]),
    required("Booking date"),
    required("Captures"),
    required("Refunds"),
    required("Fees"),
    required("Payout"),
    required("Remaining balance"),
    optional("Fee status"),
    optional("Other"),
    optional("Sales unit"),
    optional("Currency"),
    optional("Country"),
    optional("Payout account"),
    optional("Payout reference"),
    optional("Scheduled payout date"),
];

const MERCHANT: usize = 0;
const BOOKED: usize = 1;
const CAPTURES: usize = 2;
const REFUNDS: usize = 3;
const FEES: usize = 4;
const PAYOUT: usize = 5;
const BALANCE: usize = 6;
const FEE_STATUS: usize = 7;

/// The first row that shows something.
fn first_row(rows: &[Vec<String>]) -> Option<&Vec<String>> {
    rows.iter().find(|row| row.iter().any(|cell| !shows_nothing(cell)))
}

/// The place of the sheet of details among the sheets.
fn details_sheet(sheets: &[Vec<Vec<String>>]) -> Option<usize> {
    let heads = |word: &str, row: &Vec<String>| row.iter().any(|head| trimmed(head) == word);
    let is_details = |row: &Vec<String>| is_header(row.iter().map(String::as_str)) && !heads("Remaining balance", row);
    sheets.iter().position(|rows| first_row(rows).is_some_and(is_details))
}

fn is_summary(heads: &Record<'_>) -> bool {
    heads.iter().any(|head| trimmed(head) == "Remaining balance")
}

fn parse(input: &mut dyn ReadSeek, limits: &Limits, sink: &mut dyn Sink) -> Result<Control, Failure> {
    let mut workbook = Workbook::open(input, limits)?;
    if workbook.days_from_1904 {
        let message =
            format!("Found a workbook that counts days from 1904, expected one that counts from 1900. {ADVICE}");
        return Err(Problem::error(Kind::Identifier, message).into());
    }
    let first = workbook.first_rows(16)?;
    let details = details_sheet(&first).unwrap_or(0);
    let others = (0..first.len()).filter(|sheet| *sheet != details).collect();
    let mut sheets = Sheets { workbook, sheet: details };
    Details::new(sink, limits).read(&mut sheets, |source, units, problems| {
        let mut summary = Summary { units, said: Problems::default(), problems, compared: 0 };
        summary.hold_against(source, others)
    })
}

/// A workbook of which one sheet is read.
struct Sheets<'i> {
    workbook: Workbook<'i>,
    sheet: usize,
}

impl Source for Sheets<'_> {
    fn read(&mut self, take: Take<'_>) -> Result<(), Failure> {
        take(&mut self.workbook.rows_of(self.sheet)?)
    }

    fn read_sheet(&mut self, sheet: usize, take: Take<'_>) -> Result<(), Failure> {
        take(&mut self.workbook.rows_of(sheet)?)
    }
}

/// The sheet that sums each day up, held against the days of the details.
struct Summary<'p> {
    units: &'p [ProvedUnit],
    problems: &'p mut Problems,
    /// What is said of columns that nobody knows, which prove nothing.
    said: Problems,
    compared: usize,
}

impl Summary<'_> {
    fn hold_against(&mut self, source: &mut dyn Source, sheets: Vec<usize>) -> Result<(), Failure> {
        let several = !sheets.is_empty();
        for sheet in sheets {
            source.read_sheet(sheet, &mut |rows| self.rows(rows))?;
        }
        if several && self.compared == 0 {
            let message = "Found no summary in the words of the English report; the details were not held against it";
            self.problems.push(Problem::note(Kind::SecondDocument, message));
        }
        Ok(())
    }

    fn rows(&mut self, rows: &mut dyn Rows) -> Result<(), Failure> {
        let mut header: Option<Header> = None;
        loop {
            let record = match rows.next()? {
                Row::Record(record) => record,
                Row::Bad(_) => continue,
                Row::End => return Ok(()),
            };
            match &header {
                None if is_summary(&record) => {
                    header = Header::resolve(&record, SUMMARY, &mut self.said);
                    if header.is_none() {
                        return Ok(());
                    }
                }
                None => {}
                Some(header) => {
                    let row = Cells { header, record: &record };
                    // The total has no day.
                    if !row.text(BOOKED).is_empty() && !row.text(MERCHANT).is_empty() {
                        self.row(&row)?;
                    }
                }
            }
        }
    }

    fn row(&mut self, row: &Cells<'_, '_>) -> Result<(), Failure> {
        let number = row.cell(MERCHANT).digits()?;
        let booked_on = row.cell(BOOKED).day(DateForm::Iso)?;
        let Some(unit) = self.units.iter().find(|unit| unit.number == number) else { return Ok(()) };
        let Some(day) = unit.chain.days.get(&booked_on) else { return Ok(()) };
        self.compared += 1;
        let DaySums { capture_minor, refund_minor, fees_minor, payout_minor, balance_minor } = *day;
        // Fees that are invoiced are in the summary and move no balance.
        let retained = row.text(FEE_STATUS) != "Invoiced";
        let sums = [
            (CAPTURES, capture_minor, true),
            (REFUNDS, refund_minor, true),
            (FEES, fees_minor, retained),
            (PAYOUT, payout_minor, true),
            (BALANCE, i128::from(balance_minor), true),
        ];
        for (column, found_minor, compared) in sums.into_iter().filter(|(.., compared)| *compared) {
            let cell = row.cell(column);
            let stated = if row.text(column).is_empty() { 0 } else { cell.amount(DecimalMark::Dot, unit.exponent)? };
            if compared && i128::from(stated) != found_minor {
                let found = MajorUnits::new(i64::try_from(found_minor).unwrap_or(i64::MAX), unit.exponent);
                let message = format!(
                    "Found {found} in the details of {number} on {booked_on}, where the summary states {}. {ADVICE}",
                    MajorUnits::new(stated, unit.exponent)
                );
                let problem = Problem::error(Kind::ControlTotal, message).at_row(u64::from(cell.row));
                self.problems.push(problem.in_column(cell.column));
            }
        }
        Ok(())
    }
}
