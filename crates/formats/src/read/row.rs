//! Rows of cells, whatever they are read from: delimited text or the sheet of a workbook.

use settlement::Problem;

use crate::format::Failure;

/// Start and end of a field in the text of its row.
pub(crate) type Bounds = (u32, u32);

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
    /// A row that cannot be read; the reader goes on behind it.
    Bad(Problem),
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
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) text: &'a str,
    pub(crate) ends: &'a [Bounds],
    /// Of a sheet: what each cell is. Empty for text.
    pub(crate) types: &'a [CellType],
    /// Line or row of the file where it begins, counted from 1.
    pub(crate) row: u32,
}

impl<'a> Record<'a> {
    /// Number of fields.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The field at that place; empty beyond the last.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> &'a str {
        let Some((start, end)) = self.ends.get(place) else { return "" };
        self.text.get(*start as usize..*end as usize).unwrap_or("")
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

    /// Whether no field has content: an empty line or one of delimiters only.
    pub(crate) fn is_blank(&self) -> bool {
        self.iter().all(str::is_empty)
    }

    /// Whether the row has as many fields as `width`; a sheet leaves out empty cells at the end of a row.
    #[inline]
    pub(crate) fn fits(&self, width: usize) -> bool {
        self.len() == width || (!self.types.is_empty() && self.len() < width)
    }
}
