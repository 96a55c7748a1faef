//! The letter as plain text: the same words and figures, in columns of a fixed width.

use super::letter::{Block, Cell, Letter, Row, Table, Tone};

/// A cell is cut behind so many characters, so that a row stays one line for most readers.
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

/// One line, whatever the text holds.
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
    let rows: Vec<&Row> = header.iter().chain(&table.rows).collect();
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.cells.get(column));
        cells.map(|cell| cut(cell.as_str()).chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut text = String::new();
        for (cell, width) in row.cells.iter().zip(&widths) {
            let gap = width.saturating_sub(cut(cell.as_str()).chars().count());
            if !text.is_empty() {
                text.push_str("  ");
            }
            match cell {
                Cell::Text(words) => text.extend(cut(words).chars().chain(std::iter::repeat_n(' ', gap))),
                Cell::Money(words) | Cell::Fact(words) => {
                    text.extend(std::iter::repeat_n(' ', gap).chain(cut(words).chars()));
                }
            }
        }
        line(out, text.trim_end());
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= TEXT_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(TEXT_CHARS_MAX - 1).chain(['…']).collect()
}
