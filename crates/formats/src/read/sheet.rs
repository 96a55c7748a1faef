//! The rows of a workbook's sheet: cells by their addresses, texts and numbers; formulas are told from values.

use settlement::{Kind, Problem};

use crate::failure::Failure;
use crate::limits::Limits;
use crate::read::number::plain_decimal;
use crate::read::part::{ADVICE, PartReader, SharedTexts, in_part, push_text, push_unescaped};
use crate::read::row::{CellType, Record, Row, Rows, begin_field};
use crate::read::shown::trimmed;
use crate::read::xml::Step;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Within,
    After,
}

/// Reads rows of a sheet. A row that the sheet leaves out is not given; a cell that it leaves out is empty.
pub(crate) struct SheetRows<'w> {
    xml: PartReader<'w>,
    part: &'w str,
    texts: &'w SharedTexts,
    limits: &'w Limits,
    state: State,
    row: u32,
    text: String,
    ends: Vec<u32>,
    types: Vec<CellType>,
    /// Where the next cell belongs when it does not say.
    next_place: usize,
    value: String,
    /// How much shared text was taken: one long text may stand in many cells.
    shared_bytes: u64,
}

impl Rows for SheetRows<'_> {
    fn next(&mut self) -> Result<Row<'_>, Failure> {
        let part = self.part;
        match in_part(part, self.read_row())? {
            None => Ok(Row::End),
            Some(Some(problem)) => Ok(Row::Bad(Box::new(problem))),
            Some(None) => Ok(Row::Record(Record {
                text: &self.text,
                ends: &self.ends,
                start: 0,
                types: &self.types,
                row: self.row,
            })),
        }
    }
}

impl<'w> SheetRows<'w> {
    /// The rows of the sheet that is the workbook's part `part`.
    pub(super) fn new(xml: PartReader<'w>, part: &'w str, texts: &'w SharedTexts, limits: &'w Limits) -> Self {
        SheetRows {
            xml,
            part,
            texts,
            limits,
            state: State::Before,
            row: 0,
            text: String::new(),
            ends: Vec::new(),
            types: Vec::new(),
            next_place: 0,
            value: String::new(),
            shared_bytes: 0,
        }
    }
}

/// The first thing that is wrong with a row.
type Wrong = Option<Problem>;

impl SheetRows<'_> {
    /// Reads the next row into the buffers; `None` at the end of the sheet.
    fn read_row(&mut self) -> Result<Option<Wrong>, Failure> {
        if self.state == State::Before {
            self.xml.next()?;
            self.state = State::After;
            while self.xml.next()? == Step::Start {
                if self.xml.name() == "sheetData" {
                    self.state = State::Within;
                    break;
                }
                self.xml.skip()?;
            }
        }
        while self.state == State::Within {
            match self.xml.next()? {
                Step::Start if self.xml.name() == "row" => return self.cells().map(Some),
                Step::Start => self.xml.skip()?,
                Step::End | Step::Eof => self.state = State::After,
            }
        }
        // The rest of the part must be well-formed and whole, too.
        while self.xml.next()? != Step::Eof {}
        Ok(None)
    }

    fn cells(&mut self) -> Result<Wrong, Failure> {
        let before = self.row;
        self.row = match self.xml.attribute("r") {
            Some(number) => number.parse().unwrap_or(0),
            None => before.saturating_add(1),
        };
        self.text.clear();
        self.ends.clear();
        self.types.clear();
        self.next_place = 0;
        let mut wrong = None;
        if self.row <= before {
            let message = format!("Found row {} after row {before}, expected rows in their order. {ADVICE}", self.row);
            self.row = before;
            wrong = Some(Problem::error(Kind::RowShape, message).at_row(u64::from(before)));
        }
        loop {
            match self.xml.next()? {
                Step::Start if self.xml.name() == "c" => {
                    let found = self.cell()?;
                    wrong = wrong.or(found);
                }
                Step::Start => self.xml.skip()?,
                Step::End | Step::Eof => break,
            }
        }
        Ok(wrong)
    }

    fn cell(&mut self) -> Result<Wrong, Failure> {
        let next = self.next_place;
        let place = match self.xml.attribute("r") {
            Some(address) => place_of(address, self.row),
            None => Some(next),
        };
        let kind = CellKind::of(self.xml.attribute("t"));
        let formula = self.value()?;
        if self.value.is_empty() && !formula {
            // A cell without a value is none: it may have a colour.
            self.next_place = place.filter(|place| *place >= next).map_or(next, |place| place + 1);
            return Ok(None);
        }
        if self.row > self.limits.sheet_rows_max {
            return Err(self.beyond(&format!("a row numbered {}", self.row), u64::from(self.limits.sheet_rows_max)));
        }
        if let Some(place) = place.filter(|place| *place >= self.limits.sheet_columns_max) {
            let found = format!("a cell in column {}", letters(place));
            return Err(self.beyond(&found, self.limits.sheet_columns_max as u64));
        }
        let Some(place) = place.filter(|place| *place >= next) else {
            return Ok(Some(self.wrong(next, Kind::RowShape, "Found a cell that is not in its place in the row")));
        };
        self.next_place = place + 1;
        let cell_type = match kind {
            _ if formula => CellType::Formula,
            CellKind::Number => match plain_decimal(trimmed(&self.value)) {
                Some(plain) => {
                    self.value = plain;
                    CellType::SheetNumber
                }
                None => CellType::Broken,
            },
            CellKind::Shared => match self.texts.get(&self.value) {
                Some(text) => {
                    self.shared_bytes += text.len() as u64;
                    self.value.clear();
                    self.value.push_str(text);
                    CellType::SheetText
                }
                None => CellType::Broken,
            },
            CellKind::Text => CellType::SheetText,
            CellKind::Error => CellType::Broken,
        };
        if self.shared_bytes > self.limits.unpacked_bytes_max {
            let message = "Found cells that repeat long texts beyond all measure";
            return Err(self.xml.problem(Kind::ArchiveBomb, message).into());
        }
        Ok(self.push(place, cell_type))
    }

    /// Adds the value as the cell at that place; the cells left out before it are empty.
    fn push(&mut self, place: usize, cell_type: CellType) -> Wrong {
        let beyond = self.value.len() > self.limits.field_bytes_max
            || self.text.len() + self.value.len() > self.limits.row_bytes_max
            || place >= self.limits.columns_max;
        if beyond {
            return Some(self.wrong(
                place,
                Kind::FieldTooLarge,
                "Found a cell or row that is longer than any report's",
            ));
        }
        self.ends.resize(place, self.text.len() as u32);
        self.types.resize(place, CellType::SheetText);
        begin_field(&mut self.text, &self.ends);
        self.text.push_str(&self.value);
        self.ends.push(self.text.len() as u32);
        self.types.push(cell_type);
        None
    }

    /// Takes what a cell holds, raw, and says whether it is a formula's.
    fn value(&mut self) -> Result<bool, Failure> {
        self.value.clear();
        let mut formula = false;
        loop {
            match self.xml.next()? {
                Step::Start if self.xml.name() == "v" => {
                    self.xml.value()?;
                    push_unescaped(self.xml.text(), &mut self.value);
                }
                Step::Start if self.xml.name() == "is" => push_text(&mut self.xml, &mut self.value)?,
                Step::Start => {
                    formula |= self.xml.name() == "f";
                    self.xml.skip()?;
                }
                Step::End | Step::Eof => return Ok(formula),
            }
        }
    }

    fn wrong(&self, place: usize, kind: Kind, message: &str) -> Problem {
        Problem::error(kind, format!("{message}. {ADVICE}")).at_row(u64::from(self.row)).in_column(&letters(place))
    }

    fn beyond(&self, found: &str, limit: u64) -> Failure {
        self.xml.problem(Kind::ArchiveLimits, &format!("Found {found}, expected at most {limit}")).into()
    }
}

#[derive(Debug, Clone, Copy)]
enum CellKind {
    Number,
    Shared,
    Text,
    Error,
}

impl CellKind {
    fn of(word: Option<&str>) -> Self {
        match word {
            None | Some("n") => CellKind::Number,
            Some("s") => CellKind::Shared,
            Some("e") => CellKind::Error,
            Some(_) => CellKind::Text,
        }
    }
}

/// The column of an address as `AB12`, counted from 0, when the address is of that row.
fn place_of(address: &str, row: u32) -> Option<usize> {
    let (letters, number) = address.split_at_checked(address.find(|c: char| c.is_ascii_digit())?)?;
    if letters.is_empty() || letters.len() > 3 || number.parse() != Ok(row) {
        return None;
    }
    let column = letters.bytes().try_fold(0_usize, |column, letter| {
        letter.is_ascii_uppercase().then(|| column * 26 + usize::from(letter - b'A') + 1)
    })?;
    column.checked_sub(1)
}

/// The letters of a column, counted from 0.
fn letters(place: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = place + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(b'A' + u8::try_from(rest % 26).unwrap_or(0));
        rest /= 26;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_columns() {
        for (address, row, place) in [("A1", 1, 0), ("Z7", 7, 25), ("AA7", 7, 26), ("XFD9", 9, 16_383), ("IV2", 2, 255)]
        {
            assert_eq!(place_of(address, row), Some(place));
            assert_eq!(format!("{}{row}", letters(place)), address);
        }
        for bad in ["", "A", "1", "a1", "A2", "ABCD1", "Å1", "A1B", "$A$1"] {
            assert_eq!(place_of(bad, 1), None, "{bad}");
        }
    }
}
