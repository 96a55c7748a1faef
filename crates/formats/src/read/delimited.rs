//! Rows of delimited text, strictly: fields are borrowed, positions are the file's, nothing is repaired.
//!
//! Why not the `csv` crate: it takes an unclosed quote for one long last field without a word, and copies each row.
//! A test holds this reader against it on files that both must understand.

use std::io::{self, Read};

use memchr::memchr;
use settlement::{Kind, Problem};

use crate::format::Failure;
use crate::limits::Limits;
use crate::read::row::{Bounds, Record, Row, Rows};
use crate::read::text::{TextEncoding, Utf8Reader};

const BLOCK_BYTES: usize = 256 * 1024;
/// So much is read at a time that it is still in the cache when it is looked at.
const READ_BYTES: usize = 64 * 1024;

/// Reads rows through one block of memory that grows to the longest row allowed and no further.
pub(crate) struct DelimitedReader<R> {
    input: Utf8Reader<R>,
    delimiter: u8,
    row_bytes_max: usize,
    field_bytes_max: usize,
    columns_max: usize,
    block: Vec<u8>,
    start: usize,
    filled: usize,
    exhausted: bool,
    /// The place of the first quote in the block that is not behind us, or beyond its end: few rows have one, and
    /// the others need no look.
    quote: usize,
    row: u32,
    following_row: u32,
    unquoted: String,
    bounds: Vec<Bounds>,
}

impl<R: Read> DelimitedReader<R> {
    pub(crate) fn new(input: R, encoding: TextEncoding, delimiter: u8, limits: &Limits) -> Self {
        DelimitedReader {
            input: Utf8Reader::new(input, encoding),
            delimiter,
            row_bytes_max: limits.row_bytes_max,
            field_bytes_max: limits.field_bytes_max,
            columns_max: limits.columns_max,
            block: vec![0; BLOCK_BYTES.max(limits.row_bytes_max * 2)],
            start: 0,
            filled: 0,
            exhausted: false,
            quote: 0,
            row: 0,
            following_row: 1,
            unquoted: String::new(),
            bounds: Vec::new(),
        }
    }

    #[inline]
    fn next_row(&mut self) -> io::Result<Row<'_>> {
        let Some(line) = self.take_line()? else { return Ok(Row::End) };
        let (bytes, quoted) = match line {
            Line::Whole { start, end, quoted } => (self.block.get(start..end).unwrap_or_default(), quoted),
            Line::Bad(problem) => return Ok(Row::Bad(problem)),
        };
        let Ok(text) = std::str::from_utf8(bytes) else { return Ok(Row::Bad(not_text(bytes, self.row))) };
        self.bounds.clear();
        let split = if quoted {
            self.unquoted.clear();
            split_quoted(text, self.delimiter, &mut self.unquoted, &mut self.bounds).map(|()| self.unquoted.as_str())
        } else {
            split_plain(text, self.delimiter, &mut self.bounds);
            Ok(text)
        };
        let record = match split {
            Ok(text) => Record { text, ends: &self.bounds, types: &[], row: self.row },
            Err(problem) => return Ok(Row::Bad(problem.at_row(u64::from(self.row)))),
        };
        if (record.len() > self.columns_max || bytes.len() > self.field_bytes_max)
            && let Some(problem) = beyond_limit(&record, self.columns_max, self.field_bytes_max)
        {
            return Ok(Row::Bad(problem));
        }
        Ok(Row::Record(record))
    }

    /// Finds the next line and moves behind it; a quoted field may run over several.
    fn take_line(&mut self) -> io::Result<Option<Line>> {
        // Up to here the row was searched for its end; up to there its quotes were followed.
        let (mut searched, mut seen) = (0, 0);
        let mut quotes = Quotes { open: false, field_start: true, delimiter: self.delimiter };
        self.row = self.following_row;
        loop {
            let ahead = self.block.get(self.start..self.filled).unwrap_or_default();
            let found = memchr(b'\n', ahead.get(searched..).unwrap_or_default()).map(|place| searched + place);
            let end = match found {
                Some(end) => end,
                None if !self.exhausted && ahead.len() <= self.row_bytes_max => {
                    searched = ahead.len();
                    self.refill()?;
                    continue;
                }
                None if ahead.is_empty() => return Ok(None),
                None => ahead.len(),
            };
            if end > self.row_bytes_max {
                return self.skip_long_row(end).map(Some);
            }
            let line = ahead.get(..end).unwrap_or_default();
            let last = found.is_none();
            let quoted = self.quote < self.start + end;
            if quoted && quotes.open_behind(ahead.get(seen..end).unwrap_or_default()) {
                if last {
                    self.start = self.filled;
                    return Ok(Some(Line::Bad(unclosed(self.row))));
                }
                self.following_row += 1;
                seen = end;
                searched = end + 1;
                continue;
            }
            let start = self.start;
            let stop = start + line.strip_suffix(b"\r").map_or(end, <[u8]>::len);
            self.start += end + usize::from(!last);
            self.following_row += 1;
            if quoted {
                self.find_quote();
            }
            return Ok(Some(Line::Whole { start, end: stop, quoted }));
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.block.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        let end = self.block.len().min(self.filled + READ_BYTES);
        let room = self.block.get_mut(self.filled..end).unwrap_or_default();
        match self.input.read(room) {
            Ok(0) => self.exhausted = true,
            Ok(read) => self.filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        self.find_quote();
        Ok(())
    }

    fn find_quote(&mut self) {
        let ahead = self.block.get(self.start..self.filled).unwrap_or_default();
        self.quote = memchr(b'"', ahead).map_or(self.filled, |place| self.start + place);
    }

    /// A row beyond the limit is named once and passed over without being kept.
    fn skip_long_row(&mut self, end: usize) -> io::Result<Line> {
        self.start += end;
        loop {
            let ahead = self.block.get(self.start..self.filled).unwrap_or_default();
            if let Some(end) = memchr(b'\n', ahead) {
                self.start += end + 1;
                break;
            }
            self.start = self.filled;
            if self.exhausted {
                break;
            }
            self.refill()?;
        }
        self.find_quote();
        self.following_row += 1;
        let message = format!(
            "Found a row of more than {} bytes, expected a shorter one. If a quote was opened here, it is never closed",
            self.row_bytes_max
        );
        Ok(Line::Bad(Problem::error(Kind::FieldTooLarge, message).at_row(u64::from(self.row))))
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
    Bad(Problem),
}

#[inline]
fn split_plain(text: &str, delimiter: u8, bounds: &mut Vec<Bounds>) {
    let mut start = 0;
    each_place_of(delimiter, text.as_bytes(), |end| {
        bounds.push((start, end));
        start = end + 1;
    });
    bounds.push((start, text.len() as u32));
}

/// Calls `found` with each place of `byte`: fields are short, so that a search from one to the next would spend its
/// time on starting. The places in 64 bytes are gathered as bits first, which leaves one loop to guess the end of.
#[inline]
fn each_place_of(byte: u8, bytes: &[u8], mut found: impl FnMut(u32)) {
    let pattern = u64::from_ne_bytes([byte; 8]);
    let mut base = 0;
    for block in bytes.chunks(64) {
        let (words, rest) = block.as_chunks::<8>();
        let whole = (0..).step_by(8).zip(words).map(|(place, word)| equal_bytes(*word, pattern) << place);
        let single = (8 * words.len()..).zip(rest).map(|(place, other)| u64::from(*other == byte) << place);
        let mut places = whole.chain(single).fold(0, |places, more| places | more);
        while places != 0 {
            found(base + places.trailing_zeros());
            places &= places - 1;
        }
        base += 64;
    }
}

/// One bit for each byte of the word, set where it is as in the pattern.
#[inline]
fn equal_bytes(word: [u8; 8], pattern: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // A byte of zero where the two are equal; its highest bit is then set, and no other bit.
    let differing = u64::from_le_bytes(word) ^ pattern;
    let equal = !(((differing & LOW) + LOW) | differing | LOW);
    // Each of those bits, moved to the highest byte at the place of its byte.
    (equal >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Splits a row with quotes: a field that begins with one ends with one, and two stand for one inside.
fn split_quoted(text: &str, delimiter: u8, unquoted: &mut String, bounds: &mut Vec<Bounds>) -> Result<(), Problem> {
    let mut rest = text;
    loop {
        let start = unquoted.len() as u32;
        let behind = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted, unquoted)?,
            None => {
                let end = memchr(delimiter, rest.as_bytes()).unwrap_or(rest.len());
                unquoted.push_str(rest.get(..end).unwrap_or(""));
                rest.get(end..).unwrap_or("")
            }
        };
        bounds.push((start, unquoted.len() as u32));
        if behind.is_empty() {
            return Ok(());
        }
        rest = behind.strip_prefix(char::from(delimiter)).ok_or_else(|| {
            let message = "Found text behind a closing quote, expected the next field. Download the file again";
            Problem::error(Kind::RowShape, message)
        })?;
    }
}

/// Copies a quoted field up to its closing quote and gives back what follows it.
fn unquote<'a>(mut quoted: &'a str, unquoted: &mut String) -> Result<&'a str, Problem> {
    loop {
        let Some((part, behind)) = quoted.split_once('"') else {
            return Err(Problem::error(Kind::RowShape, "Found a quote that is never closed. Download the file again"));
        };
        unquoted.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                unquoted.push('"');
                quoted = more;
            }
            None => return Ok(behind),
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
    /// Whether the row is inside a quoted field behind this piece, which ends where a line ends.
    fn open_behind(&mut self, piece: &[u8]) -> bool {
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
