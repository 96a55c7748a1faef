//! Cells by column name: the header of a table, and the checks every kept cell passes.

use settlement::{Currency, Kind, Problem, Problems, mask_cards};

use crate::read::amount::{DecimalMark, looks_like_amount, parse_minor};
use crate::read::date::DateForm;
use crate::read::number::snap_minor;
use crate::read::row::{CellType, Record};

/// A column that a format knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
}

/// A column that must be there.
pub(crate) const fn required(name: &'static str) -> Column {
    Column { name, required: true }
}

/// A column that some files lack.
pub(crate) const fn optional(name: &'static str) -> Column {
    Column { name, required: false }
}

/// Where each known column stands in one file.
#[derive(Debug)]
pub(crate) struct Header {
    columns: &'static [Column],
    /// [`NO_PLACE`] of a column that the file lacks.
    places: Vec<usize>,
    width: usize,
    unknown: Vec<Unknown>,
}

/// Where no row has a cell.
const NO_PLACE: usize = usize::MAX;

#[derive(Debug)]
struct Unknown {
    place: usize,
    name: String,
    holds: bool,
}

impl Header {
    /// Finds `columns` by name in a header row, and says which are missing, repeated or new.
    ///
    /// `None` when a row cannot be read without what is missing.
    pub(crate) fn resolve(record: &Record<'_>, columns: &'static [Column], problems: &mut Problems) -> Option<Header> {
        let row = u64::from(record.row);
        let places = vec![NO_PLACE; columns.len()];
        let mut header = Header { columns, places, width: record.len(), unknown: Vec::new() };
        let mut complete = true;
        for (place, name) in record.iter().enumerate() {
            match columns.iter().position(|column| column.name == name) {
                Some(known) => {
                    let Some(slot) = header.places.get_mut(known) else { continue };
                    if std::mem::replace(slot, place) != NO_PLACE {
                        complete = false;
                        let message = "Found the column twice in the header, expected it once";
                        problems.push(Problem::error(Kind::HeaderDuplicate, message).at_row(row).in_column(name));
                    }
                }
                None if name.is_empty() => {
                    header.unknown.push(Unknown { place, name: format!("number {}", place + 1), holds: false });
                }
                None => {
                    header.unknown.push(Unknown { place, name: name.to_owned(), holds: false });
                    let message = "Found a column that the format does not know; it is not used";
                    problems.push(Problem::note(Kind::HeaderUnknownColumn, message).at_row(row).in_column(name));
                }
            }
        }
        for (column, place) in columns.iter().zip(&header.places) {
            if column.required && *place == NO_PLACE {
                complete = false;
                let found: Vec<&str> = record.iter().filter(|name| !name.is_empty()).collect();
                let message = format!(
                    "Found no column of this name; the header has: {}. Download the report again with all its columns",
                    shown_up_to(400, &found.join(", "))
                );
                problems.push(Problem::error(Kind::HeaderMissingColumn, message).at_row(row).in_column(column.name));
            }
        }
        complete.then_some(header)
    }

    /// Says when a row is wider or narrower than the header.
    #[inline]
    fn fits(&self, record: &Record<'_>, problems: &mut Problems) -> bool {
        let fits = record.fits(self.width);
        if !fits {
            let message = format!(
                "Found {} fields, expected {} as in the header. Check the row for a stray or missing delimiter",
                record.len(),
                self.width
            );
            problems.push(Problem::error(Kind::RowShape, message).at_row(u64::from(record.row)));
        }
        fits
    }

    /// Whether a row can be read by this header; says what is wrong with it, and with columns that nobody knows.
    #[inline]
    pub(crate) fn accepts(&mut self, record: &Record<'_>, problems: &mut Problems) -> bool {
        let fits = self.fits(record, problems);
        if fits {
            self.watch_unknown(record, problems);
        }
        fits
    }

    /// Holds the file when a column that nobody knows turns out to carry money.
    #[inline]
    fn watch_unknown(&mut self, record: &Record<'_>, problems: &mut Problems) {
        for unknown in self.unknown.iter_mut().filter(|unknown| !unknown.holds) {
            let cell = record.get(unknown.place);
            if looks_like_amount(cell) || cell.parse::<Currency>().is_ok() {
                unknown.holds = true;
                let message = format!(
                    "Found {} in a column that the format does not know: it may belong to the payout. \
                     Ask for the format to be extended",
                    shown(cell)
                );
                let problem = Problem::error(Kind::HeaderUnknownColumn, message);
                problems.push(problem.at_row(u64::from(record.row)).in_column(&unknown.name));
            }
        }
    }
}

/// One row with the header that names its cells; columns are numbered as in the list given to [`Header::resolve`].
#[derive(Clone, Copy)]
pub(crate) struct Cells<'h, 'r> {
    pub(crate) header: &'h Header,
    pub(crate) record: &'h Record<'r>,
}

impl<'r> Cells<'_, 'r> {
    #[inline]
    fn place(&self, column: usize) -> usize {
        self.header.places.get(column).copied().unwrap_or(NO_PLACE)
    }

    /// The text of a cell; empty when the file lacks the column.
    #[inline]
    pub(crate) fn text(&self, column: usize) -> &'r str {
        self.record.get(self.place(column))
    }

    /// The cell with its place.
    #[inline]
    pub(crate) fn cell(&self, column: usize) -> Cell<'r> {
        let name = self.header.columns.get(column).map_or("", |column| column.name);
        let place = self.place(column);
        Cell {
            text: self.record.get(place),
            cell_type: self.record.cell_type(place),
            row: self.record.row,
            column: name,
        }
    }

    /// The cell of the column of that name.
    pub(crate) fn named(&self, name: &'static str) -> Cell<'r> {
        let column = self.header.columns.iter().position(|column| column.name == name);
        Cell { column: name, ..self.cell(column.unwrap_or(usize::MAX)) }
    }
}

/// A workbook's numbers are exact up to this many digits.
const NUMBER_DIGITS_MAX: usize = 15;

/// A cell or element with its place in the file, to be read as a value.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    pub(crate) text: &'a str,
    pub(crate) cell_type: CellType,
    pub(crate) row: u32,
    pub(crate) column: &'a str,
}

impl<'a> Cell<'a> {
    /// A cell of a file that has nothing but text.
    pub(crate) fn of_text(text: &'a str, row: u32, column: &'a str) -> Self {
        Cell { text, cell_type: CellType::Text, row, column }
    }

    /// Minor units of the amount, or the problem it is; in a workbook it must be a number.
    #[inline]
    pub(crate) fn amount(self, mark: DecimalMark, exponent: u8) -> Result<i64, Problem> {
        let minor = match self.cell_type {
            CellType::Text => parse_minor(self.text, mark, exponent),
            CellType::SheetNumber => snap_minor(self.text, exponent),
            CellType::SheetText => {
                let expected = "a number in the cell, not text";
                return Err(self.problem(Kind::Amount, expected, "Download the workbook again; do not edit it"));
            }
        };
        minor.map_err(|kind| self.bad_amount(kind, mark, exponent))
    }

    fn bad_amount(self, kind: Kind, mark: DecimalMark, exponent: u8) -> Problem {
        let example = MARKED.iter().find(|(known, _)| *known == mark).map_or("", |(_, example)| example);
        let expected = match kind {
            Kind::AmountAmbiguous => format!("an amount that can be read in one way only, as {example}"),
            Kind::AmountPrecision => format!("at most {exponent} decimals"),
            Kind::AmountOverflow => "an amount below 10^13 minor units".to_owned(),
            _ => format!("an amount written as {example}"),
        };
        self.problem(kind, &expected, "Download the file again; do not save it from a spreadsheet")
    }

    /// The day, or the problem it is.
    pub(crate) fn date(self, form: DateForm) -> Result<jiff::civil::Date, Problem> {
        form.parse(self.text).ok_or_else(|| self.bad_date(form))
    }

    /// The problem of a cell that should be a day.
    pub(crate) fn bad_date(self, form: DateForm) -> Problem {
        let expected = format!("a day written as {}", form.example());
        self.problem(Kind::Identifier, &expected, "Download the file again; do not save it from a spreadsheet")
    }

    /// The cell as a number that is an id: digits only, at most 19 of them, and none written in two ways.
    #[inline]
    pub(crate) fn digits(self) -> Result<&'a str, Problem> {
        let digits = !self.text.is_empty() && self.text.bytes().all(|b| b.is_ascii_digit());
        let padded = self.text.len() > 1 && self.text.starts_with('0');
        if digits && !padded && self.text.len() <= 19 && !self.is_rounded() {
            Ok(self.text)
        } else {
            Err(self.bad_digits())
        }
    }

    fn bad_digits(self) -> Problem {
        let kind = if self.text.chars().any(is_unfit) { Kind::ControlCharacter } else { Kind::Identifier };
        self.problem(
            kind,
            "a number of digits only, without zeros in front",
            "Download the file again; spreadsheets mangle long numbers",
        )
    }

    /// Whether a workbook holds it as a number that it cannot hold exactly.
    fn is_rounded(self) -> bool {
        self.cell_type == CellType::SheetNumber
            && self.text.bytes().filter(u8::is_ascii_digit).count() > NUMBER_DIGITS_MAX
    }

    /// The cell as text to be kept: no control characters.
    #[inline]
    pub(crate) fn kept_text(self) -> Result<&'a str, Problem> {
        if self.is_rounded() {
            let expected = format!("text, or a number of at most {NUMBER_DIGITS_MAX} digits");
            return Err(self.problem(
                Kind::Identifier,
                &expected,
                "Workbooks round longer numbers; ask for CSV or XML",
            ));
        }
        // Without an early end the loop looks at many bytes at once.
        let plain = self.text.bytes().fold(true, |plain, byte| plain & (b' '..0x7f).contains(&byte));
        if plain || !self.text.chars().any(is_unfit) {
            Ok(self.text)
        } else {
            Err(self.problem(Kind::ControlCharacter, "text without control characters", "Download the file again"))
        }
    }

    /// The currency, or the problem it is.
    pub(crate) fn currency(self) -> Result<Currency, Problem> {
        let expected = "an active ISO 4217 code such as NOK";
        self.text.parse().map_err(|_| self.problem(Kind::CurrencyUnknown, expected, "Ask the provider what is meant"))
    }

    /// A problem of this cell: what was found here, what was `expected`, what to do.
    pub(crate) fn problem(self, kind: Kind, expected: &str, advice: &str) -> Problem {
        let message = format!("Found {}, expected {expected}. {advice}", shown(self.text));
        Problem::error(kind, message).at_row(u64::from(self.row)).in_column(self.column)
    }
}

/// Characters that no kept text may have: controls, marks that turn the direction of writing, and noncharacters.
fn is_unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

const MARKED: [(DecimalMark, &str); 2] = [(DecimalMark::Dot, "1234.50"), (DecimalMark::Comma, "1234,50")];

/// Text of a file as it may stand in a message: quoted, control characters escaped, cut to a readable length.
pub(crate) fn shown(text: &str) -> String {
    shown_up_to(80, text)
}

/// As [`shown`], with another length.
pub(crate) fn shown_up_to(chars_max: usize, text: &str) -> String {
    let text = mask_cards(text);
    let cut: String = text.chars().take(chars_max).collect();
    if cut.len() < text.len() { format!("{cut:?}…") } else { format!("{cut:?}") }
}

/// The last four digits of a bank account, which may be written with dots.
pub(crate) fn last_four(account: &str) -> Option<String> {
    let digits: Vec<char> = account.chars().filter(char::is_ascii_digit).collect();
    let last = digits.get(digits.len().checked_sub(4)?..)?;
    Some(last.iter().collect())
}
