//! Rows and cells as XML.

use std::fmt::Write as _;

use jiff::civil::{Date, date};
use settlement::MajorUnits;

use crate::value::Value;

/// Height of a line of text, in points.
const LINE_POINTS: u32 = 15;

/// The longest text of a cell in Excel.
const TEXT_MAX: usize = 32_767;

/// A double holds every whole number of 15 digits; a larger amount is written as text.
const AMOUNT_MINOR_MAX: u64 = 999_999_999_999_999;

/// The format of a cell, by its position in `styles.xml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Text = 1,
    Title = 2,
    Section = 3,
    Amount = 4,
    Total = 5,
    Count = 6,
    Date = 7,
    Header = 8,
    HeaderOfAmounts = 9,
    TotalText = 10,
    Note = 11,
    DateOfFact = 12,
    TotalCount = 13,
}

/// One cell of a sheet.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    value: Value,
    formula: Option<String>,
    style: Style,
    /// Decimals of its amount, where they differ from those of the book.
    exponent: Option<u8>,
}

impl Cell {
    pub(crate) fn new(value: Value, style: Style) -> Self {
        Cell { value, formula: None, style, exponent: None }
    }

    /// A value in the style of its kind.
    pub(crate) fn plain(value: Value) -> Self {
        let style = match value {
            Value::Text(_) => Style::Text,
            Value::Amount(_) => Style::Amount,
            Value::Count(_) => Style::Count,
            Value::Date(_) => Style::Date,
        };
        Cell::new(value, style)
    }

    pub(crate) fn text(text: &str, style: Style) -> Self {
        Cell::new(Value::Text(text.to_owned()), style)
    }

    /// The same cell with an amount of `exponent` decimals.
    pub(crate) fn in_decimals(self, exponent: u8) -> Self {
        Cell { exponent: Some(exponent), ..self }
    }

    /// A formula with its result.
    pub(crate) fn formula(formula: String, result_minor: i64) -> Self {
        Cell { formula: Some(formula), ..Cell::new(Value::Amount(result_minor), Style::Total) }
    }
}

/// The width of a column in which every word of its header fits on one line.
pub(crate) fn fitting(header: &str, width: u32) -> u32 {
    header.split(' ').map(bold_width).max().unwrap_or(0).saturating_add(1).max(width)
}

/// The approximate width of bold text, in digits as widths of columns are.
fn bold_width(text: &str) -> u32 {
    let signs = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    signs.saturating_mul(6).div_ceil(5)
}

/// How many lines the headers of a row take; 0 for a row without headers. Some programs make no room for them by themselves.
fn header_lines(cells: &[Cell], widths: &[u32]) -> u32 {
    let lines = cells.iter().zip(widths).map(|(cell, width)| match (&cell.value, cell.style) {
        (Value::Text(text), Style::Header | Style::HeaderOfAmounts) => {
            let (mut lines, mut used) = (1, 0);
            for word in text.split(' ').map(bold_width) {
                if used > 0 && used + 1 + word > *width {
                    (lines, used) = (lines + 1, word);
                } else {
                    used += word + u32::from(used > 0);
                }
            }
            lines
        }
        _ => 0,
    });
    lines.max().unwrap_or(0)
}

/// Letters of the column with this number, from 0.
pub(crate) fn letters(column: usize) -> String {
    let last = char::from(b'A' + u8::try_from(column % 26).unwrap_or(0));
    if column < 26 { last.to_string() } else { format!("{}{last}", letters(column / 26 - 1)) }
}

pub(super) fn write_row(out: &mut String, row: u64, cells: &[Cell], letters: &[String], exponent: u8, widths: &[u32]) {
    // Writing to a text cannot fail.
    let _ = match header_lines(cells, widths) {
        0 | 1 => write!(out, "<row r=\"{row}\">"),
        lines => write!(out, "<row r=\"{row}\" ht=\"{}\" customHeight=\"1\">", lines * LINE_POINTS),
    };
    for (cell, letters) in cells.iter().zip(letters) {
        let style = cell.style as u8;
        let exponent = cell.exponent.unwrap_or(exponent);
        let _ = match &cell.value {
            Value::Text(text) if text.is_empty() => write!(out, "<c r=\"{letters}{row}\" s=\"{style}\"/>"),
            Value::Text(text) => write_text(out, &format_args!("{letters}{row}"), style, text),
            Value::Amount(minor) if minor.unsigned_abs() > AMOUNT_MINOR_MAX => {
                let text = MajorUnits::new(*minor, exponent).to_string();
                write_text(out, &format_args!("{letters}{row}"), style, &text)
            }
            Value::Amount(minor) => {
                let _ = write!(out, "<c r=\"{letters}{row}\" s=\"{style}\">");
                if let Some(formula) = &cell.formula {
                    let _ = write!(out, "<f>{}</f>", quick_xml::escape::escape(formula.as_str()));
                }
                write!(out, "<v>{}</v></c>", MajorUnits::new(*minor, exponent))
            }
            Value::Count(count) => write!(out, "<c r=\"{letters}{row}\" s=\"{style}\"><v>{count}</v></c>"),
            Value::Date(day) => match day.and_then(serial) {
                Some(serial) => write!(out, "<c r=\"{letters}{row}\" s=\"{style}\"><v>{serial}</v></c>"),
                None => match day {
                    Some(day) => write_text(out, &format_args!("{letters}{row}"), style, &day.to_string()),
                    None => write!(out, "<c r=\"{letters}{row}\" s=\"{style}\"/>"),
                },
            },
        };
    }
    out.push_str("</row>");
}

fn write_text(out: &mut String, place: &std::fmt::Arguments<'_>, style: u8, text: &str) -> std::fmt::Result {
    write!(
        out,
        "<c r=\"{place}\" s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
        xml(text)
    )
}

/// Days since 30 December 1899; nothing before March 1900, where Excel has a day that did not exist.
fn serial(day: Date) -> Option<i64> {
    let hours = day.duration_since(date(1899, 12, 30)).as_hours();
    (day >= date(1900, 3, 1)).then_some(hours / 24)
}

/// Text for XML and Excel: control characters are written as `_x000D_`, and text that looks like this is escaped.
pub(super) fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let cut = text.chars().count() > TEXT_MAX;
    for (place, sign) in text.char_indices().take(if cut { TEXT_MAX - 1 } else { TEXT_MAX }) {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\n' | '\t' => safe.push(sign),
            '\0'..'\u{20}' => {
                let _ = write!(safe, "_x{:04X}_", u32::from(sign));
            }
            '\u{fffe}' | '\u{ffff}' => safe.push(char::REPLACEMENT_CHARACTER),
            '_' if looks_like_control(text.get(place..).unwrap_or_default()) => safe.push_str("_x005F_"),
            sign => safe.push(sign),
        }
    }
    if cut {
        safe.push('…');
    }
    safe
}

/// Whether a text begins like `_x000D_`.
fn looks_like_control(text: &str) -> bool {
    let digits = text.strip_prefix("_x").and_then(|rest| rest.get(..5)).and_then(|rest| rest.strip_suffix('_'));
    digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: Value, exponent: u8) -> String {
        let mut out = String::new();
        write_row(&mut out, 3, &[Cell::plain(value)], &["A".into()], exponent, &[15]);
        out
    }

    #[test]
    fn amounts_are_exact_decimal_text_and_what_a_double_cannot_hold_is_text() {
        for (minor, exponent, value) in [(-1_005, 2, "-10.05"), (7, 2, "0.07"), (1_234, 0, "1234"), (1, 3, "0.001")] {
            assert!(written(Value::Amount(minor), exponent).contains(&format!("<v>{value}</v>")));
        }
        assert!(written(Value::Amount(999_999_999_999_999), 2).contains("<v>9999999999999.99</v>"));
        assert!(written(Value::Amount(1_000_000_000_000_000), 2).contains(">10000000000000.00</t>"));
    }

    #[test]
    fn days_are_excels_numbers() {
        assert!(written(Value::Date(Some(date(2026, 10, 5))), 2).contains("<v>46300</v>"));
        assert!(written(Value::Date(Some(date(1900, 3, 1))), 2).contains("<v>61</v>"));
        assert!(written(Value::Date(Some(date(1900, 2, 28))), 2).contains(">1900-02-28</t>"));
        assert!(written(Value::Date(None), 2).contains("<c r=\"A3\" s=\"7\"/>"));
    }

    #[test]
    fn texts_are_texts_whatever_they_look_like() {
        assert!(written(Value::Text("=1+1".into()), 2).contains("t=\"inlineStr\"><is><t xml:space=\"preserve\">=1+1<"));
        for (text, safe) in [
            ("<b>&", "&lt;b&gt;&amp;"),
            ("a\r\nb", "a_x000D_\nb"),
            ("\u{1}", "_x0001_"),
            ("_x000D_", "_x005F_x000D_"),
            ("_x00", "_x00"),
            ("\u{ffff}🛒", "\u{fffd}🛒"),
        ] {
            assert_eq!(xml(text), safe);
        }
        let long = xml(&"å".repeat(TEXT_MAX + 1));
        assert!(long.chars().count() == TEXT_MAX && long.ends_with('…'));
        assert_eq!(xml(&"å".repeat(TEXT_MAX)).chars().count(), TEXT_MAX);
    }

    #[test]
    fn columns_have_letters() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(letters), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn headers_have_the_room_that_their_lines_take() {
        let header = |text: &str| Cell::text(text, Style::HeaderOfAmounts);
        assert_eq!(header_lines(&[header("Salg"), header("MVA på gebyrer")], &[13, 13]), 2);
        assert_eq!(header_lines(&[Cell::text("MVA på gebyrer", Style::Text)], &[13]), 0);
        assert_eq!(fitting("Utbetalingsdato", 12), 19);
        let mut out = String::new();
        write_row(&mut out, 1, &[header("MVA på gebyrer")], &["A".into()], 2, &[13]);
        assert!(out.starts_with("<row r=\"1\" ht=\"30\" customHeight=\"1\">"), "{out}");
    }
}
