//! Rows of cells under a header that every page repeats.

use super::{Ink, LEFT, Pages, RIGHT, Tone};
use crate::DocumentError;

const LEADING: i32 = 920;
const PADDING: i32 = 500;
/// A text that takes more lines than these is cut.
const LINES_MAX: usize = 12;

/// A column: its place, and on which side its cells stand.
#[derive(Debug, Clone)]
pub(crate) struct GridColumn {
    pub(crate) name: String,
    /// The least width, in which amounts stand on one line.
    pub(crate) width: i32,
    pub(crate) is_right: bool,
    /// Shares what is left of the page by this weight.
    pub(crate) grows: i32,
}

/// A table on pages.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    columns: Vec<GridColumn>,
    size: i32,
}

impl Grid {
    /// A table as wide as the page, or only as its columns need when none of them grows.
    pub(crate) fn new(mut columns: Vec<GridColumn>, size: i32) -> Grid {
        for column in &mut columns {
            // A header may stand on several lines, so that its longest word decides.
            let words = column.name.split(' ').map(|word| Ink::bold(size).width(word));
            column.width = column.width.max(words.max().unwrap_or(0));
        }
        let gaps = PADDING * i32::try_from(columns.len().saturating_sub(1)).unwrap_or(0);
        let taken: i32 = columns.iter().map(|column| column.width).sum();
        let left = (RIGHT - LEFT - gaps - taken).max(0);
        let weight: i32 = columns.iter().map(|column| column.grows).sum();
        for column in columns.iter_mut().filter(|_| weight > 0) {
            column.width += i32::try_from(i64::from(left) * i64::from(column.grows) / i64::from(weight)).unwrap_or(0);
        }
        Grid { columns, size }
    }

    /// The header, together with room for a row.
    pub(crate) fn header(&self, pages: &mut Pages<'_, '_>) -> Result<(), DocumentError> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let cells = self.wrapped(&names, Ink::bold(self.size), true);
        let height = height(&cells);
        if !pages.has_room(height + 2 * LEADING) {
            pages.break_page()?;
        }
        let lines = cells.iter().map(Vec::len).max().unwrap_or(1);
        for (cell, (left, column)) in cells.iter().zip(self.places()) {
            // Headers of one line stand beside the last line of the others.
            let above = i32::try_from(lines - cell.len().min(lines)).unwrap_or(0) * LEADING;
            self.cell(pages, left, column, pages.y + above, Ink::bold(self.size), cell);
        }
        pages.y += height + 120;
        pages.rule(LEFT, self.right(), pages.y - LEADING + 320, Tone::Grey);
        pages.y += 250;
        Ok(())
    }

    /// One row; on a new page, under the header, where the old one is full.
    pub(crate) fn row(&self, pages: &mut Pages<'_, '_>, cells: &[&str]) -> Result<(), DocumentError> {
        self.inked_row(pages, cells, Ink::regular(self.size))
    }

    /// A row of totals.
    pub(crate) fn total(&self, pages: &mut Pages<'_, '_>, cells: &[&str]) -> Result<(), DocumentError> {
        pages.rule(LEFT, self.right(), pages.y - LEADING + 220, Tone::Grey);
        pages.y += 250;
        self.inked_row(pages, cells, Ink::bold(self.size))
    }

    fn inked_row(&self, pages: &mut Pages<'_, '_>, cells: &[&str], ink: Ink) -> Result<(), DocumentError> {
        let cells = self.wrapped(cells, ink, false);
        let height = height(&cells);
        if !pages.has_room(height) {
            pages.break_page()?;
            self.header(pages)?;
        }
        for (cell, (left, column)) in cells.iter().zip(self.places()) {
            self.cell(pages, left, column, pages.y, ink, cell);
        }
        pages.y += height;
        Ok(())
    }

    fn cell(&self, pages: &mut Pages<'_, '_>, left: i32, column: &GridColumn, y: i32, ink: Ink, lines: &[String]) {
        for (y, line) in (y..).step_by(LEADING as usize).zip(lines) {
            if column.is_right {
                pages.text_right(left + column.width, y, ink, line);
            } else {
                pages.text(left, y, ink, line);
            }
        }
    }

    fn places(&self) -> impl Iterator<Item = (i32, &GridColumn)> {
        self.columns.iter().scan(LEFT, |left, column| {
            let place = *left;
            *left += column.width + PADDING;
            Some((place, column))
        })
    }

    fn right(&self) -> i32 {
        self.places().last().map_or(RIGHT, |(left, column)| left + column.width)
    }

    fn wrapped(&self, cells: &[&str], ink: Ink, is_header: bool) -> Vec<Vec<String>> {
        let wrap = |(cell, column): (&&str, &GridColumn)| {
            if column.is_right && !is_header { vec![(*cell).to_owned()] } else { wrap(cell, ink, column.width) }
        };
        cells.iter().zip(&self.columns).map(wrap).collect()
    }
}

fn height(cells: &[Vec<String>]) -> i32 {
    let lines = cells.iter().map(Vec::len).max().unwrap_or(1).max(1);
    i32::try_from(lines).unwrap_or(1) * LEADING
}

/// The text in lines no wider than `width`, parted behind a space or a joining sign where there is one.
fn wrap(text: &str, ink: Ink, width: i32) -> Vec<String> {
    let font = ink.weight.font();
    let text = text.replace(|sign: char| sign.is_control(), " ");
    let mut lines = Vec::new();
    let mut rest = text.as_str();
    while lines.len() + 1 < LINES_MAX {
        let end = font.end_within(rest, ink.size, width);
        if end == rest.len() {
            break;
        }
        // A column narrower than one sign still takes one.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = end.max(first);
        let joint = rest.get(..end).and_then(|part| part.rfind([' ', '-', '_', '/', '.', ':']));
        let (line, more) = rest.split_at(joint.map_or(end, |joint| joint + 1));
        lines.push(line.trim_end().to_owned());
        rest = more;
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(font.cut(rest, ink.size, width));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_parted_at_joints_and_lose_nothing() {
        let ink = Ink::regular(1_000);
        let width = ink.width("0000000");
        assert_eq!(wrap("12345", ink, width), ["12345"]);
        assert_eq!(wrap("12345-67890", ink, width), ["12345-", "67890"]);
        assert_eq!(wrap("123456789012", ink, width), ["1234567", "89012"]);
        assert_eq!(wrap("a\r\nb", ink, width), ["a  b"]);
        assert_eq!(wrap("", ink, width), [""]);
        let long = wrap(&"7".repeat(1_000), ink, width);
        assert!(long.len() == LINES_MAX && long.last().unwrap().ends_with('…'));
        assert_eq!(wrap("ab", ink, 1), ["a", "b"]);
    }
}
