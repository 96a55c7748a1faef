//! The first bytes of a file, as far as they decide what it is.

use crate::limits::HEAD_BYTES_MAX;
use crate::read::delimiter::lines_with_content;
use crate::read::text::TextEncoding;

/// File name and first bytes of a file: all that a format may look at to claim it.
#[derive(Debug, Clone)]
pub struct Head {
    name: String,
    bytes: Vec<u8>,
    text: String,
    sheet: Option<Vec<Vec<String>>>,
}

impl Head {
    /// The head of a file called `name` that begins with `bytes`; more than the head needs is cut off.
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let bytes = bytes.get(..HEAD_BYTES_MAX).unwrap_or(bytes).to_vec();
        let text = TextEncoding::sniff(&bytes).map(|encoding| encoding.decode_head(&bytes)).unwrap_or_default();
        Head { name: name.to_owned(), bytes, text, sheet: None }
    }

    /// The head of a workbook whose sheet begins with `rows`; it has no text.
    pub(crate) fn of_workbook(name: &str, bytes: &[u8], rows: Vec<Vec<String>>) -> Self {
        Head { name: name.to_owned(), bytes: bytes.to_vec(), text: String::new(), sheet: Some(rows) }
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

    /// The first rows of the sheet, when the file is a workbook.
    pub fn sheet(&self) -> Option<&[Vec<String>]> {
        self.sheet.as_deref()
    }

    /// The lines of that text that show something; the last one may be cut. A hint for spreadsheets as `sep=;` is left
    /// out.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        lines_with_content(&self.text)
    }
}
