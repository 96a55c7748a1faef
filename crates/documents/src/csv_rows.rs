//! Rows of CSV, for programs and for spreadsheets.
//!
//! The `csv` crate writes delimiters and line ends and refuses a row of another length. It quotes either every field or
//! those whose content asks for it. Here text is always quoted and numbers and days never are, so that a reader keeps
//! the text `007` apart from the number 7; the fields are therefore quoted here.

use std::io::Write;

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use crate::error::DocumentError;
use crate::inert::inert;
use crate::value::Value;

/// The bytes by which spreadsheets know UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Rows of one length with one delimiter between their fields.
pub(crate) struct CsvRows<'w>(Writer<&'w mut dyn Write>);

impl<'w> CsvRows<'w> {
    /// Rows that go to `out`.
    pub(crate) fn new(out: &'w mut dyn Write, delimiter: u8) -> Self {
        let mut builder = WriterBuilder::new();
        builder.delimiter(delimiter).terminator(Terminator::CRLF).quote_style(QuoteStyle::Never);
        CsvRows(builder.from_writer(out))
    }

    /// Writes a row of fields as [`text`] and [`field`] give them.
    ///
    /// # Errors
    /// When the output refuses, or the row is of another length than the one before.
    pub(crate) fn row(&mut self, fields: impl IntoIterator<Item = String>) -> Result<(), DocumentError> {
        Ok(self.0.write_record(fields).map_err(std::io::Error::from)?)
    }

    /// Writes what is still in memory.
    ///
    /// # Errors
    /// When the output refuses.
    pub(crate) fn finish(mut self) -> Result<(), DocumentError> {
        Ok(self.0.flush()?)
    }
}

/// A text as a field: quoted, and harmless to a spreadsheet; an empty text is an empty field.
pub(crate) fn text(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\"{}\"", inert(text).replace('"', "\"\"")) }
}

/// A value as a field, with amounts in the spelling of `amount`.
pub(crate) fn field<A: ToString>(value: &Value, amount: impl Fn(i64) -> A) -> String {
    match value {
        Value::Text(value) => text(value),
        Value::Amount(minor) => amount(*minor).to_string(),
        Value::Count(count) => count.to_string(),
        Value::Date(date) => date.map(|date| date.to_string()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: &[&[&str]]) -> Result<String, DocumentError> {
        let mut out = Vec::new();
        let mut csv = CsvRows::new(&mut out, b';');
        rows.iter().try_for_each(|row| csv.row(row.iter().map(|field| (*field).to_owned())))?;
        csv.finish()?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn text_is_quoted_and_numbers_are_not() {
        let fields = [text("007"), text("a\"b"), text("=1;2\r\n"), text(""), field(&Value::Count(7), |minor| minor)];
        let row: Vec<&str> = fields.iter().map(String::as_str).collect();
        assert_eq!(written(&[&row]).unwrap(), "\"007\";\"a\"\"b\";\"'=1;2\r\n\";;7\r\n");
    }

    #[test]
    fn a_reader_of_csv_gets_the_text_back() {
        for given in ["007", "a\"b\"", "x;y", "two\r\nlines", " "] {
            let row = written(&[&[&text(given), &text("end")]]).unwrap();
            let mut reader = csv::ReaderBuilder::new().delimiter(b';').has_headers(false).from_reader(row.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            assert_eq!(record.iter().collect::<Vec<_>>(), [given, "end"]);
        }
    }

    #[test]
    fn a_row_of_another_length_is_refused() {
        assert!(matches!(written(&[&["1", "2"], &["3"]]), Err(DocumentError::Write(_))));
    }
}
