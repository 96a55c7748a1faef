//! Cells by column name: the header of a table, and the checks every kept cell passes.

use jiff::civil::{Date, DateTime};
use settlement::{Currency, Kind, Problem, Problems};

use crate::read::amount::{DecimalMark, looks_like_amount, parse_minor};
use crate::read::date::{DateForm, local_time, serial_time};
use crate::read::number::snap_minor;
use crate::read::row::{CellType, Record};
use crate::read::shown::{NUMBERED, shown, shown_code, shown_head, shown_id, shown_word, trimmed};

/// A column that a format knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// What it is called in another language.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) required: bool,
}

impl Column {
    /// Whether a head is that of this column.
    pub(crate) fn is_called(&self, head: &str) -> bool {
        self.name == head || self.aliases.contains(&head)
    }

    /// The same column with other names.
    pub(crate) const fn or(self, aliases: &'static [&'static str]) -> Column {
        Column { aliases, ..self }
    }
}

/// A column that must be there.
pub(crate) const fn required(name: &'static str) -> Column {
    Column { name, aliases: &[], required: true }
}

/// A column that some files lack.
pub(crate) const fn optional(name: &'static str) -> Column {
    Column { name, aliases: &[], required: false }
}

/// More heads that nobody knows than this, one of which looks like none, are no heads: the row is of another kind.
const UNKNOWN_HEADS_MAX: usize = 8;

/// Where each known column stands in one file.
#[derive(Debug)]
pub(crate) struct Header {
    columns: &'static [Column],
    /// What each column is called in the file.
    names: Vec<&'static str>,
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
        let names = columns.iter().map(|column| column.name).collect();
        let mut header = Header { columns, names, places, width: record.len(), unknown: Vec::new() };
        let mut complete = true;
        for (place, head) in record.iter().map(trimmed).enumerate() {
            match columns.iter().position(|column| column.is_called(head)) {
                Some(known) => {
                    let Some(slot) = header.places.get_mut(known) else { continue };
                    let aliases = columns.get(known).map_or(&[][..], |column| column.aliases);
                    if let Some((name, alias)) = header.names.get_mut(known).zip(aliases.iter().find(|a| **a == head)) {
                        *name = alias;
                    }
                    if std::mem::replace(slot, place) != NO_PLACE {
                        complete = false;
                        let message = "Found the column twice in the header, expected it once";
                        problems.push(Problem::error(Kind::HeaderDuplicate, message).at_row(row).in_column(head));
                    }
                }
                None => header.unknown.push(Unknown { place, name: shown_head(head, place), holds: false }),
            }
        }
        let named = header.unknown.iter().filter(|unknown| !trimmed(record.get(unknown.place)).is_empty());
        let not_like_heads = named.clone().any(|unknown| unknown.name.starts_with(NUMBERED));
        let are_heads = named.count() <= UNKNOWN_HEADS_MAX || !not_like_heads;
        for unknown in header.unknown.iter_mut().filter(|_| !are_heads) {
            unknown.name = format!("{NUMBERED}{}", unknown.place + 1);
        }
        let places = columns.iter().zip(&header.places);
        let missing = places.filter(|(column, place)| column.required && **place == NO_PLACE);
        let missing: Vec<&str> = missing.map(|(column, _)| column.name).collect();
        if let [first, more @ ..] = missing.as_slice() {
            complete = false;
            let named = header.unknown.iter().filter(|unknown| !trimmed(record.get(unknown.place)).is_empty());
            let others: Vec<&str> = named.map(|unknown| unknown.name.as_str()).collect();
            let others = match others.as_slice() {
                [] => "and none that is unknown".to_owned(),
                others if are_heads => format!("but some that are unknown: {}", others.join(", ")),
                others => format!("but {} that are unknown", others.len()),
            };
            let more = if more.is_empty() { String::new() } else { format!(", nor of {}", more.join(", ")) };
            let message =
                format!("Found no column of this name{more}, {others}. Download the report again with all its columns");
            problems.push(Problem::error(Kind::HeaderMissingColumn, message).at_row(row).in_column(first));
        }
        let named = header.unknown.iter().filter(|unknown| !trimmed(record.get(unknown.place)).is_empty());
        for unknown in named.filter(|_| missing.is_empty()) {
            let message = "Found a column that the format does not know; it is not used";
            problems.push(Problem::note(Kind::HeaderUnknownColumn, message).at_row(row).in_column(&unknown.name));
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
        let fits = self.fits(record, problems) && (record.types.is_empty() || self.has_values(record, problems));
        if fits {
            self.watch_unknown(record, problems);
        }
        fits
    }

    /// Whether no cell that is read is a formula or an error; somebody's own formula beside the data is not read.
    fn has_values(&self, record: &Record<'_>, problems: &mut Problems) -> bool {
        let read = self.names.iter().zip(&self.places);
        let wrong = read.filter_map(|(name, place)| {
            let text = record.get(*place);
            Cell { text, cell_type: record.cell_type(*place), row: record.row, column: name }.is_value().err()
        });
        wrong.map(|problem| problems.push(problem)).count() == 0
    }

    /// Holds the file when a column that nobody knows turns out to carry money.
    #[inline]
    fn watch_unknown(&mut self, record: &Record<'_>, problems: &mut Problems) {
        for unknown in self.unknown.iter_mut().filter(|unknown| !unknown.holds) {
            let is_formula = record.cell_type(unknown.place) == CellType::Formula;
            let cell = if is_formula { "" } else { record.get(unknown.place) };
            if looks_like_amount(cell) || cell.parse::<Currency>().is_ok() {
                unknown.holds = true;
                let message = "Found money in a column that the format does not know: it may belong to the payout. \
                               Ask for the format to be extended";
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

    /// The text of a cell without blanks around it; empty when the file lacks the column.
    #[inline]
    pub(crate) fn text(&self, column: usize) -> &'r str {
        trimmed(self.record.get(self.place(column)))
    }

    /// The cell with its place.
    #[inline]
    pub(crate) fn cell(&self, column: usize) -> Cell<'r> {
        let name = self.header.names.get(column).copied().unwrap_or("");
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

/// No id is longer.
const ID_CHARS_MAX: usize = 64;

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

    /// The cell, or the problem it is when a workbook has no value there.
    pub(crate) fn is_value(self) -> Result<Self, Problem> {
        let message = match self.cell_type {
            CellType::Formula => "Found a formula, expected a value",
            CellType::Broken => "Found an error or no value of the cell's own type, expected a value",
            CellType::Text | CellType::SheetText | CellType::SheetNumber => return Ok(self),
        };
        let kind = if self.cell_type == CellType::Formula { Kind::FormulaCell } else { Kind::RowShape };
        let problem = Problem::error(kind, format!("{message}. Download the workbook again; do not edit it"));
        Err(problem.at_row(u64::from(self.row)).in_column(self.column))
    }

    /// Minor units of the amount, or the problem it is; in a workbook it must be a number.
    #[inline]
    pub(crate) fn amount(self, mark: DecimalMark, exponent: u8) -> Result<i64, Problem> {
        let minor = match self.cell_type {
            CellType::Text => parse_minor(trimmed(self.text), mark, exponent),
            CellType::SheetNumber => snap_minor(self.text, exponent),
            CellType::Formula | CellType::Broken => return Err(self.is_value().err().unwrap_or(self.bad_digits())),
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
    pub(crate) fn date(self, form: DateForm) -> Result<Date, Problem> {
        form.parse(trimmed(self.text)).ok_or_else(|| self.bad_date(form))
    }

    /// The problem of a cell that should be a day.
    pub(crate) fn bad_date(self, form: DateForm) -> Problem {
        let expected = format!("a day written as {}", form.example());
        self.problem(Kind::Identifier, &expected, "Download the file again; do not save it from a spreadsheet")
    }

    /// The cell as a number that is an id: digits only, at most 19 of them, and none written in two ways.
    #[inline]
    pub(crate) fn digits(self) -> Result<&'a str, Problem> {
        let text = trimmed(self.text);
        // Tables that keep ids as floats write them with a decimal of zero.
        let text = text.strip_suffix(".0").unwrap_or(text);
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let padded = text.len() > 1 && text.starts_with('0');
        if digits && !padded && text.len() <= 19 && !self.is_rounded() { Ok(text) } else { Err(self.bad_digits()) }
    }

    fn bad_digits(self) -> Problem {
        let kind = if self.text.chars().any(is_unfit) { Kind::ControlCharacter } else { Kind::Identifier };
        self.bad_id(
            kind,
            "a number of digits only, without zeros in front",
            "Download the file again; spreadsheets mangle long numbers",
        )
    }

    /// The cell as an id that may have letters: one word, as [`Cell::digits`] when it is all digits.
    pub(crate) fn reference(self) -> Result<&'a str, Problem> {
        let text = trimmed(self.text);
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.digits();
        }
        // What avstem wrote itself has the digits of card numbers masked.
        let is_masked = text.contains("***");
        let in_word =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (is_masked && byte == b'*');
        let is_word = text.len() <= ID_CHARS_MAX && text.bytes().all(in_word) && !self.is_rounded();
        let has_letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
        // `5E09` is what is left of a long number in a spreadsheet.
        if is_word && has_letter && text.bytes().any(|byte| byte.is_ascii_digit()) && text.parse::<f64>().is_err() {
            return Ok(text);
        }
        match is_word && text.contains(['-', '_', '*']) && text.bytes().any(|byte| byte.is_ascii_digit()) {
            true if !text.starts_with('-') => Ok(text),
            _ => self.digits(),
        }
    }

    /// The time without zone, or the problem it is; a workbook may keep it as a number.
    pub(crate) fn local_time(self) -> Result<DateTime, Problem> {
        let time = match self.cell_type {
            CellType::SheetNumber => serial_time(self.text),
            _ => local_time(trimmed(self.text)),
        };
        let advice = "Download the file again; do not save it from a spreadsheet";
        time.ok_or_else(|| self.problem(Kind::Identifier, "a time written as 2026-12-31 23:59:59", advice))
    }

    /// The day, or the problem it is; a workbook may keep it as a number, or with a time of zero.
    pub(crate) fn day(self, form: DateForm) -> Result<Date, Problem> {
        match self.cell_type {
            CellType::SheetNumber => serial_time(self.text).map(DateTime::date).ok_or_else(|| self.bad_date(form)),
            _ => self.date(form),
        }
    }

    /// The problem of a cell where an id belongs.
    pub(crate) fn bad_id(self, kind: Kind, expected: &str, advice: &str) -> Problem {
        self.found(&shown_id(self.text), kind, expected, advice)
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
            let begins_with_blank = self.text.as_bytes().first().is_some_and(|byte| !byte.is_ascii_graphic());
            Ok(if begins_with_blank && trimmed(self.text).is_empty() { "" } else { self.text })
        } else {
            Err(self.problem(Kind::ControlCharacter, "text without control characters", "Download the file again"))
        }
    }

    /// The currency, or the problem it is.
    pub(crate) fn currency(self) -> Result<Currency, Problem> {
        trimmed(self.text).parse().map_err(|_| {
            let expected = "an active ISO 4217 code such as NOK";
            self.bad_code(Kind::CurrencyUnknown, expected, "Ask the provider what is meant")
        })
    }

    /// The problem of a cell where a currency code belongs.
    pub(crate) fn bad_code(self, kind: Kind, expected: &str, advice: &str) -> Problem {
        self.found(&shown_code(self.text), kind, expected, advice)
    }

    /// A problem of this cell: what was found here, what was `expected`, what to do. Its text is quoted when it has the
    /// form of an amount or a day, and described otherwise.
    pub(crate) fn problem(self, kind: Kind, expected: &str, advice: &str) -> Problem {
        self.found(&shown(self.text), kind, expected, advice)
    }

    /// As [`Cell::problem`], for a cell that is known to hold a word of the provider: it is quoted.
    pub(crate) fn word_problem(self, kind: Kind, expected: &str, advice: &str) -> Problem {
        self.found(&shown_word(self.text), kind, expected, advice)
    }

    fn found(self, found: &str, kind: Kind, expected: &str, advice: &str) -> Problem {
        let message = format!("Found {found}, expected {expected}. {advice}");
        Problem::error(kind, message).at_row(u64::from(self.row)).in_column(self.column)
    }
}

/// Characters that no kept text may have: controls, marks that turn the direction of writing, and noncharacters.
fn is_unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

const MARKED: [(DecimalMark, &str); 2] = [(DecimalMark::Dot, "1234.50"), (DecimalMark::Comma, "1234,50")];

/// The last four digits of a bank account, which may be written with dots.
pub(crate) fn last_four(account: &str) -> Option<String> {
    let digits: Vec<char> = account.chars().filter(char::is_ascii_digit).collect();
    let last = digits.get(digits.len().checked_sub(4)?..)?;
    Some(last.iter().collect())
}
