//! Rows of delimited text, strictly: fields are borrowed, positions are the file's, nothing is repaired.
//!
//! Why not the `csv` crate: it reads a quote that is never closed as one long last field and reports no error, so that a
//! file that was cut would be accepted with rows missing. Here the quote holds the file. The crate also copies each row; this
//! reader borrows fields from one block. A property test compares both on files that both must understand.

mod marks;

use std::io::{self, Read};

use memchr::memchr;
use settlement::{Kind, Problem};
use simdutf8::basic::from_utf8;

use crate::failure::Failure;
use crate::limits::Limits;
use crate::read::delimited::marks::Marks;
use crate::read::row::{Record, Row, Rows, begin_field};
use crate::read::text::{TextEncoding, Utf8Reader};

const BLOCK_BYTES: usize = 256 * 1024;
/// Bytes read at once: few enough to be in the cache still when they are searched.
const READ_BYTES: usize = 64 * 1024;

/// Reads rows through one block of memory that grows to the longest row allowed and no further.
pub(crate) struct DelimitedReader<R> {
    input: Utf8Reader<R>,
    marks: Marks,
    row_bytes_max: usize,
    field_bytes_max: usize,
    columns_max: usize,
    block: Vec<u8>,
    start: usize,
    filled: usize,
    exhausted: bool,
    row: u32,
    following_row: u32,
    unquoted: String,
    unquoted_ends: Vec<u32>,
}

impl<R: Read> DelimitedReader<R> {
    pub(crate) fn new(input: R, encoding: TextEncoding, delimiter: u8, limits: &Limits) -> Self {
        DelimitedReader {
            input: Utf8Reader::new(input, encoding),
            marks: Marks::of(delimiter),
            row_bytes_max: limits.row_bytes_max,
            field_bytes_max: limits.field_bytes_max,
            columns_max: limits.columns_max,
            block: vec![0; BLOCK_BYTES.max(limits.row_bytes_max * 2)],
            start: 0,
            filled: 0,
            exhausted: false,
            row: 0,
            following_row: 1,
            unquoted: String::new(),
            unquoted_ends: Vec::new(),
        }
    }

    #[inline]
    fn next_row(&mut self) -> io::Result<Row<'_>> {
        let Some(line) = self.take_line()? else { return Ok(Row::End) };
        let (bytes, quoted) = match line {
            Line::Whole { start, end, quoted } => (self.block.get(start..end).unwrap_or_default(), quoted),
            Line::Bad(problem) => return Ok(Row::Bad(problem)),
        };
        let Ok(text) = from_utf8(bytes) else { return Ok(Row::Bad(Box::new(not_text(bytes, self.row)))) };
        let record = if quoted {
            self.unquoted.clear();
            self.unquoted_ends.clear();
            match split_quoted(text, self.marks.delimiter(), &mut self.unquoted, &mut self.unquoted_ends) {
                Ok(()) => {
                    Record { text: &self.unquoted, ends: &self.unquoted_ends, start: 0, types: &[], row: self.row }
                }
                Err(problem) => return Ok(Row::Bad(Box::new(problem.at_row(u64::from(self.row))))),
            }
        } else {
            let (start, ends) = self.marks.fields();
            Record { text, ends, start, types: &[], row: self.row }
        };
        if (record.len() > self.columns_max || bytes.len() > self.field_bytes_max)
            && let Some(problem) = beyond_limit(&record, self.columns_max, self.field_bytes_max)
        {
            return Ok(Row::Bad(Box::new(problem)));
        }
        Ok(Row::Record(record))
    }

    /// Finds the next line and moves past it; a quoted field may run over several.
    #[inline]
    fn take_line(&mut self) -> io::Result<Option<Line>> {
        // The number of line ends inside quotes so far, and the place up to which quotes were followed.
        let (mut line_ends, mut seen) = (0, 0);
        let mut quotes = Quotes { open: false, field_start: true, delimiter: self.marks.delimiter() };
        self.row = self.following_row;
        self.marks.pass(self.start);
        loop {
            let ahead = self.block.get(self.start..self.filled).unwrap_or_default();
            let end = match self.marks.row_end(line_ends) {
                Some(end) => end,
                None if ahead.len() > self.row_bytes_max => ahead.len(),
                None if self.exhausted && ahead.is_empty() => return Ok(None),
                None if self.exhausted => {
                    self.start = self.filled;
                    return Ok(Some(Line::Bad(Box::new(unclosed(self.row)))));
                }
                None => {
                    self.refill()?;
                    continue;
                }
            };
            if end > self.row_bytes_max {
                return self.skip_long_row(end).map(Some);
            }
            self.following_row += 1;
            let line = ahead.get(..end).unwrap_or_default();
            let quoted = self.marks.is_quoted(end);
            if quoted && quotes.open_after(line.get(seen..).unwrap_or_default()) {
                seen = end;
                line_ends += 1;
                continue;
            }
            let start = self.start;
            self.start += end + 1;
            let end = start + line.strip_suffix(b"\r").map_or(end, <[u8]>::len);
            return Ok(Some(Line::Whole { start, end, quoted }));
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.block.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.marks.pass(self.start);
        self.marks.moved();
        self.start = 0;
        let end = self.block.len().min(self.filled + READ_BYTES);
        let room = self.block.get_mut(self.filled..end).unwrap_or_default();
        let read = match self.input.read(room) {
            Ok(0) => {
                self.exhausted = true;
                // The last row ends as the others do.
                let line_end = room.first_mut().filter(|_| self.filled > 0);
                line_end.map_or(0, |byte| {
                    *byte = b'\n';
                    1
                })
            }
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        self.marks.find(self.filled, room.get(..read).unwrap_or_default());
        self.filled += read;
        Ok(())
    }

    /// A row beyond the limit is named once and passed over without being kept.
    fn skip_long_row(&mut self, end: usize) -> io::Result<Line> {
        self.start += end;
        loop {
            self.marks.pass(self.start);
            if let Some(end) = self.marks.row_end(0) {
                self.start += end + 1;
                break;
            }
            self.start = self.filled;
            if self.exhausted {
                break;
            }
            self.refill()?;
        }
        self.following_row += 1;
        let message = format!(
            "Found a row of more than {} bytes, expected a shorter one. If a quote was opened here, it is never closed",
            self.row_bytes_max
        );
        Ok(Line::Bad(Box::new(Problem::error(Kind::FieldTooLarge, message).at_row(u64::from(self.row)))))
    }
}

impl<R: Read> Rows for DelimitedReader<R> {
    /// The next row, with line ends `\n` or `\r\n` taken off.
    #[inline]
    fn next(&mut self) -> Result<Row<'_>, Failure> {
        Ok(self.next_row()?)
    }
}

enum Line {
    /// A row by its place in the block; where it is not quoted, there is no quote in it.
    Whole {
        start: usize,
        end: usize,
        quoted: bool,
    },
    Bad(Box<Problem>),
}

/// Splits a row with quotes: a field that begins with one ends with one, and two stand for one inside.
fn split_quoted(text: &str, delimiter: u8, unquoted: &mut String, ends: &mut Vec<u32>) -> Result<(), Problem> {
    let mut rest = text;
    loop {
        begin_field(unquoted, ends);
        let after = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted, unquoted)?,
            None => {
                let end = memchr(delimiter, rest.as_bytes()).unwrap_or(rest.len());
                unquoted.push_str(rest.get(..end).unwrap_or(""));
                rest.get(end..).unwrap_or("")
            }
        };
        ends.push(unquoted.len() as u32);
        if after.is_empty() {
            return Ok(());
        }
        rest = after.strip_prefix(char::from(delimiter)).ok_or_else(|| {
            let message = "Found text after a closing quote, expected the next field. Download the file again";
            Problem::error(Kind::RowShape, message)
        })?;
    }
}

/// Copies a quoted field up to its closing quote and gives back what follows it.
fn unquote<'a>(mut quoted: &'a str, unquoted: &mut String) -> Result<&'a str, Problem> {
    loop {
        let Some((part, after)) = quoted.split_once('"') else {
            return Err(Problem::error(Kind::RowShape, "Found a quote that is never closed. Download the file again"));
        };
        unquoted.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                unquoted.push('"');
                quoted = more;
            }
            None => return Ok(after),
        }
    }
}

/// Follows the quotes of a row piece by piece: a quoted field may go on in the next line.
struct Quotes {
    open: bool,
    field_start: bool,
    delimiter: u8,
}

impl Quotes {
    /// Whether the row is inside a quoted field after this piece, which ends where a line ends.
    fn open_after(&mut self, piece: &[u8]) -> bool {
        if !self.open && memchr(b'"', piece).is_none() {
            return false;
        }
        let mut bytes = piece.iter().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' if self.open && bytes.peek() == Some(&&b'"') => {
                    bytes.next();
                }
                b'"' if self.open => self.open = false,
                b'"' if self.field_start => self.open = true,
                _ => {}
            }
            self.field_start = !self.open && *byte == self.delimiter;
        }
        self.open
    }
}

fn unclosed(row: u32) -> Problem {
    let message = "Found a quote that opens here and is never closed: the rest of the file would be one field. \
                   Download the file again";
    Problem::error(Kind::RowShape, message).at_row(u64::from(row))
}

fn not_text(bytes: &[u8], row: u32) -> Problem {
    let place = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to() + 1, |_| 1);
    let message = format!(
        "Found bytes at place {place} of the row that are no letter in the file's encoding, expected one encoding \
         throughout. Download the file again without opening it in another program"
    );
    Problem::error(Kind::Encoding, message).at_row(u64::from(row))
}

fn beyond_limit(record: &Record<'_>, columns_max: usize, field_bytes_max: usize) -> Option<Problem> {
    let row = u64::from(record.row);
    if record.len() > columns_max {
        let message = format!("Found {} columns, expected at most {columns_max}", record.len());
        return Some(Problem::error(Kind::FieldTooLarge, message).at_row(row));
    }
    let place = record.iter().position(|field| field.len() > field_bytes_max)?;
    let message = format!("Found a field of more than {field_bytes_max} bytes as number {}", place + 1);
    Some(Problem::error(Kind::FieldTooLarge, message).at_row(row))
}

#[cfg(test)]
mod tests;
