//! Rows of cells, whatever they are read from: delimited text or the sheet of a workbook.

use settlement::Problem;

use crate::failure::Failure;
use crate::read::shown::shows_nothing;

/// Gives one row after another.
pub(crate) trait Rows {
    /// The next row.
    ///
    /// # Errors
    /// When the input cannot be read, or the file is no longer what it began as; a row that is wrong is [`Row::Bad`].
    fn next(&mut self) -> Result<Row<'_>, Failure>;
}

/// What comes next in the file.
pub(crate) enum Row<'a> {
    Record(Record<'a>),
    /// A row that cannot be read; the reader goes on after it.
    Bad(Box<Problem>),
    End,
}

/// What a cell was in its file, which decides how its text may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellType {
    /// Text of a file that has nothing else.
    Text,
    /// Text in a workbook.
    SheetText,
    /// A number in a workbook, as a plain decimal.
    SheetNumber,
    /// A formula in a workbook, with the value that it had.
    Formula,
    /// A cell of a workbook that holds an error, or no value of its type.
    Broken,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    /// All fields that there are, with one byte between each and the next.
    pub(crate) text: &'a str,
    /// Where each field ends, counted as `start` is; the last one ends with the text at the latest.
    pub(crate) ends: &'a [u32],
    /// Where the text begins.
    pub(crate) start: u32,
    /// Of a sheet: what each cell is. Empty for text.
    pub(crate) types: &'a [CellType],
    /// Line or row of the file where it begins, counted from 1.
    pub(crate) row: u32,
}

/// Begins another field of a row that is put together, at the end of its text.
pub(crate) fn begin_field(text: &mut String, ends: &[u32]) {
    if !ends.is_empty() {
        text.push('\t');
    }
}

impl<'a> Record<'a> {
    /// Number of fields.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The field at that place; empty beyond the last.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> &'a str {
        let Some(end) = self.ends.get(place) else { return "" };
        let start = match place.checked_sub(1).and_then(|before| self.ends.get(before)) {
            Some(end_before) => end_before.wrapping_sub(self.start) as usize + 1,
            None => 0,
        };
        let end = (end.wrapping_sub(self.start) as usize).min(self.text.len());
        self.text.get(start..end).unwrap_or("")
    }

    /// What the cell at that place is.
    #[inline]
    pub(crate) fn cell_type(&self, place: usize) -> CellType {
        self.types.get(place).copied().unwrap_or(CellType::Text)
    }

    /// All fields in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a str> + '_ {
        (0..self.len()).map(|place| self.get(place))
    }

    /// Whether no field shows anything: an empty line or one of delimiters and blanks only.
    pub(crate) fn is_blank(&self) -> bool {
        self.iter().all(shows_nothing)
    }

    /// Whether the row has as many fields as `width`; a sheet leaves out empty cells at the end of a row. A field beyond
    /// them that shows nothing, or is somebody's own formula, is none.
    #[inline]
    pub(crate) fn fits(&self, width: usize) -> bool {
        self.len() == width || self.fits_without_empty(width)
    }

    #[cold]
    fn fits_without_empty(&self, width: usize) -> bool {
        match self.len() < width {
            true => !self.types.is_empty(),
            false => (width..self.len())
                .all(|place| self.cell_type(place) == CellType::Formula || shows_nothing(self.get(place))),
        }
    }
}
