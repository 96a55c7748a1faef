//! Rows of cells under a header that every page repeats.

use super::{Ink, LEFT, Pages, RIGHT, Tone};
use crate::error::DocumentError;

const LEADING: i32 = 920;
const PADDING: i32 = 500;
/// The most lines of a cell; longer texts are cut.
const LINES_MAX: usize = 12;

/// A column: its position and the alignment of its cells.
#[derive(Debug, Clone)]
pub(crate) struct GridColumn {
    pub(crate) name: String,
    /// The least width, in which amounts fit on one line.
    pub(crate) width: i32,
    /// The width in which its texts fit on one line.
    pub(crate) wanted: i32,
    pub(crate) is_right: bool,
    /// Whether it takes a part of the width that is left when every column has the width it wants.
    pub(crate) is_elastic: bool,
}

impl GridColumn {
    /// A column of texts that want this width and take more.
    pub(crate) fn of_texts(name: &str, wanted: i32) -> GridColumn {
        GridColumn { name: name.to_owned(), width: 0, wanted, is_right: false, is_elastic: true }
    }

    /// A column of amounts or numbers that take this width.
    pub(crate) fn of_numbers(name: &str, width: i32) -> GridColumn {
        GridColumn { name: name.to_owned(), width, wanted: width, is_right: true, is_elastic: false }
    }
}

/// A table on pages.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    columns: Vec<GridColumn>,
    size: i32,
}

impl Grid {
    /// A table whose columns share the page: first what they need, then what they want, then what is left.
    pub(crate) fn new(mut columns: Vec<GridColumn>, size: i32) -> Grid {
        for column in &mut columns {
            // A header may stand on several lines, so that its longest word decides.
            let words = column.name.split(' ').map(|word| Ink::bold(size).width(word));
            column.width = column.width.max(words.max().unwrap_or(0));
            column.wanted = column.wanted.max(column.width);
        }
        let gaps = PADDING * i32::try_from(columns.len().saturating_sub(1)).unwrap_or(0);
        let taken: i32 = columns.iter().map(|column| column.width).sum();
        let left = (RIGHT - LEFT - gaps - taken).max(0);
        let short = columns.iter().map(|column| column.wanted - column.width).sum::<i32>();
        share(&mut columns, left.min(short), |column| column.wanted - column.width);
        share(&mut columns, left - left.min(short), |column| if column.is_elastic { column.wanted } else { 0 });
        Grid { columns, size }
    }

    /// Writes the header, where there is room for it and a row.
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

    /// Writes one row, on a new page under the header where the page is full.
    pub(crate) fn row(&self, pages: &mut Pages<'_, '_>, cells: &[&str]) -> Result<(), DocumentError> {
        self.inked_row(pages, cells, Ink::regular(self.size))
    }

    /// Writes a row of totals.
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

/// Widens each column by its part of `width`.
fn share(columns: &mut [GridColumn], width: i32, weight: impl Fn(&GridColumn) -> i32) {
    let weights: Vec<i32> = columns.iter().map(weight).collect();
    let all: i64 = weights.iter().map(|weight| i64::from(*weight)).sum();
    for (column, weight) in columns.iter_mut().zip(weights).filter(|_| all > 0) {
        column.width += i32::try_from(i64::from(width) * i64::from(weight) / all).unwrap_or(0);
    }
}

fn height(cells: &[Vec<String>]) -> i32 {
    let lines = cells.iter().map(Vec::len).max().unwrap_or(1).max(1);
    i32::try_from(lines).unwrap_or(1) * LEADING
}

/// The text in lines no wider than `width`, broken after a space or a hyphen where there is one.
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
    fn columns_get_what_they_need_then_what_they_want_then_what_is_left() {
        let widths = |columns| Grid::new(columns, 700).columns.iter().map(|column| column.width).collect::<Vec<_>>();
        let page = RIGHT - LEFT - PADDING;
        let roomy = widths(vec![GridColumn::of_texts("a", 10_000), GridColumn::of_numbers("b", 4_000)]);
        assert_eq!(roomy, [page - 4_000, 4_000]);
        let tight = widths(vec![GridColumn::of_texts("a", 100_000), GridColumn::of_numbers("b", 70_000)]);
        assert_eq!(tight, [page - 70_000, 70_000]);
        let shared = widths(vec![GridColumn::of_texts("a", 20_000), GridColumn::of_texts("a", 10_000)]);
        assert!(shared.iter().sum::<i32>() <= page && (shared[0] - 2 * shared[1]).abs() < 10, "{shared:?}");
    }

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
