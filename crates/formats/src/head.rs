//! The first bytes of a file, as far as they decide what it is.

use std::fmt;

use crate::limits::HEAD_BYTES_MAX;
use crate::read::delimiter::lines_with_content;
use crate::read::text::TextEncoding;
use crate::read::workbook::FirstRows;

/// File name and first bytes of a file: all that a format may look at to claim it.
#[derive(Clone)]
pub struct Head {
    name: String,
    bytes: Vec<u8>,
    text: String,
    sheets: Vec<FirstRows>,
}

/// Shows no text of the file.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Head { name, bytes, text, sheets } = self;
        let mut shown = f.debug_struct("Head");
        shown.field("name", name).field("bytes", &bytes.len()).field("text_bytes", &text.len());
        shown.field("sheets", &sheets.len()).finish()
    }
}

impl Head {
    /// The head of a file called `name` that begins with `bytes`; more than the head needs is cut off.
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let bytes = bytes.get(..HEAD_BYTES_MAX).unwrap_or(bytes).to_vec();
        let text = TextEncoding::sniff(&bytes).map(|encoding| encoding.decode_head(&bytes)).unwrap_or_default();
        Head { name: name.to_owned(), bytes, text, sheets: Vec::new() }
    }

    /// The head of a workbook whose sheets begin with these rows; it has no text.
    pub(crate) fn of_workbook(name: &str, bytes: &[u8], sheets: Vec<FirstRows>) -> Self {
        Head { name: name.to_owned(), bytes: bytes.to_vec(), text: String::new(), sheets }
    }

    /// The file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The first bytes as text, up to where they stop being text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first rows of the sheet, when the file is a workbook of one.
    pub fn sheet(&self) -> Option<&[Vec<String>]> {
        match self.sheets.as_slice() {
            [sheet] => Some(sheet),
            _ => None,
        }
    }

    /// The first rows of each sheet; none when the file is no workbook.
    pub fn sheets(&self) -> &[Vec<Vec<String>>] {
        &self.sheets
    }

    /// The lines of that text that show something; the last one may be cut. A hint for spreadsheets as `sep=;` is left
    /// out.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        lines_with_content(&self.text)
    }
}
