//! Vipps: the lines of the portal's report that stand before its header.

use jiff::civil::Date;
use settlement::{Kind, Problem};

use crate::collect::Collector;
use crate::read::date::DateForm;
use crate::read::delimiter::is_hint;
use crate::read::field::Cell;
use crate::read::row::Record;
use crate::read::shown::{shows_nothing, trimmed};

/// The first of them.
pub(super) const TITLE: &str = "Oppgjørsrapport";

/// What those lines say of the report.
#[derive(Default)]
pub(super) struct Preamble {
    pub(super) organisation_number: Option<String>,
    pub(super) period_from: Option<Date>,
    pub(super) period_to: Option<Date>,
}

impl Preamble {
    /// Takes one line before the header: a word in the first cell, its value in a later one. It proves nothing, so that
    /// nothing in it holds the report, and nothing of it is shown.
    pub(super) fn take(&mut self, record: &Record<'_>, collector: &mut Collector<'_>) {
        let word = trimmed(record.get(0));
        let place = (1..record.len()).find(|place| !shows_nothing(record.get(*place)));
        let value = |column| {
            let place = place?;
            Some(Cell { text: record.get(place), cell_type: record.cell_type(place), row: record.row, column })
        };
        let mut day = |column| {
            let date = value(column)?.date(DateForm::DayMonthYear);
            if date.is_err() {
                let message = "Found no day as 31.12.2026 in the preamble; the period of the report is not known";
                let note = Problem::note(Kind::Identifier, message).at_row(u64::from(record.row)).in_column(column);
                collector.problems.push(note);
            }
            date.ok()
        };
        match word {
            TITLE | "Bedriften" => {}
            "Fra dato" => self.period_from = day("Fra dato"),
            "Til dato" => self.period_to = day("Til dato"),
            "Organisasjonsnummer" => {
                let number = value("Organisasjonsnummer");
                self.organisation_number = number.and_then(|number| collector.organisation_number(number));
            }
            _ if is_hint(word) || record.is_blank() => {}
            _ => {
                let message = "Found a line before the header that the format does not know; it is not used";
                collector.problems.push(Problem::note(Kind::RowShape, message).at_row(u64::from(record.row)));
            }
        }
    }
}
