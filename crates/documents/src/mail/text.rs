//! The letter as plain text: the same words and figures, in columns of a fixed width.

use super::letter::{Block, Cell, Letter, Row, Table, Tone};

/// A longer cell continues on the next line, so that columns stay aligned for most readers.
const TEXT_CHARS_MAX: usize = 70;

/// The letter as text, lines ending in `\n`.
pub(super) fn write(letter: &Letter) -> String {
    let mut out = String::with_capacity(4_096);
    line(&mut out, &letter.title);
    for block in &letter.blocks {
        match block {
            Block::Paragraph(text) | Block::Code(text) => {
                out.push('\n');
                line(&mut out, text);
            }
            Block::Banner(tone, text) => {
                out.push('\n');
                out.push_str(if *tone == Tone::Bad { "! " } else { "" });
                line(&mut out, text);
            }
            Block::Table(table) => write_table(&mut out, table),
            Block::List(heading, lines) => {
                out.push('\n');
                line(&mut out, heading);
                for text in lines {
                    out.push_str("- ");
                    line(&mut out, text);
                }
            }
            Block::Link(text, address) => {
                out.push('\n');
                line(&mut out, &format!("{text}: {}", address.as_str()));
            }
        }
    }
    if !letter.footer.is_empty() {
        out.push_str("\n-- \n");
        letter.footer.iter().for_each(|text| line(&mut out, text));
        if let Some((text, address)) = &letter.stop {
            line(&mut out, &format!("{text}: {}", address.as_str()));
        }
    }
    out
}

/// Writes one line; control characters become spaces.
fn line(out: &mut String, text: &str) {
    out.extend(text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }));
    out.push('\n');
}

fn write_table(out: &mut String, table: &Table) {
    out.push('\n');
    if let Some(heading) = &table.heading {
        line(out, heading);
    }
    let header = (!table.columns.is_empty()).then(|| Row {
        cells: table.columns.iter().map(|(name, is_money)| Cell::new(name.clone(), *is_money)).collect(),
        is_sum: false,
    });
    let source: Vec<&Row> = header.iter().chain(&table.rows).collect();
    let columns = source.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let rows: Vec<Vec<Vec<String>>> =
        source.iter().map(|row| row.cells.iter().map(|cell| wrapped(cell.as_str())).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).flatten();
        cells.map(|piece| piece.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for (row, pieces) in source.iter().zip(&rows) {
        let height = pieces.iter().map(Vec::len).max().unwrap_or(0);
        for number in 0..height {
            let mut text = String::new();
            for ((cell, pieces), width) in row.cells.iter().zip(pieces).zip(&widths) {
                let piece = pieces.get(number).map_or("", String::as_str);
                let gap = std::iter::repeat_n(' ', width.saturating_sub(piece.chars().count()));
                if !text.is_empty() {
                    text.push_str("  ");
                }
                match cell {
                    Cell::Text(_) => text.extend(piece.chars().chain(gap)),
                    Cell::Money(_) | Cell::Fact(_) => text.extend(gap.chain(piece.chars())),
                }
            }
            line(out, text.trim_end());
        }
    }
}

/// A text in pieces of at most [`TEXT_CHARS_MAX`] characters, broken at spaces where it has any.
fn wrapped(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest: Vec<char> = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    while rest.len() > TEXT_CHARS_MAX {
        let space = rest.iter().take(TEXT_CHARS_MAX + 1).rposition(|sign| *sign == ' ').filter(|at| *at > 0);
        let after = rest.split_off(space.unwrap_or(TEXT_CHARS_MAX));
        pieces.push(rest.into_iter().collect());
        rest = after.into_iter().skip(usize::from(space.is_some())).collect();
    }
    pieces.push(rest.into_iter().collect());
    pieces
}
