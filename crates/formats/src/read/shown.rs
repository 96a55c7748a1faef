//! What of a file's text a problem may show: no name, message or phone number of a person.
//!
//! A file may have its columns confused, so that a name stands where an amount belongs. A cell is quoted only when its
//! text has the form of what was looked for; any other text is described by its length.

use settlement::mask_cards;

/// A problem shows no more characters of a cell.
const CHARS_MAX: usize = 80;
/// A head of a column is a few words.
const HEAD_CHARS_MAX: usize = 40;
/// An id is hardly longer.
const ID_CHARS_MAX: usize = 40;
/// Digits without a decimal mark are hardly an amount beyond this; a phone number has more.
const WHOLE_DIGITS_MAX: usize = 7;

/// What a column is called whose head is not shown, before its number.
pub(crate) const NUMBERED: &str = "number ";

/// The text of a cell for a message: quoted when it has the form of an amount or a day, else described.
pub(crate) fn shown(text: &str) -> String {
    shown_if(text, is_like_amount(text) || is_like_day(text))
}

/// As [`shown`], and ids are quoted too: for a cell where an id belongs.
pub(crate) fn shown_id(text: &str) -> String {
    shown_if(text, is_like_id(text) || is_like_amount(text) || is_like_day(text))
}

/// As [`shown`], and a currency code is quoted too.
pub(crate) fn shown_code(text: &str) -> String {
    shown_if(text, text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// A word of the provider, quoted: only for text that cannot be a person's.
pub(crate) fn shown_word(text: &str) -> String {
    shown_if(text, true)
}

fn shown_if(text: &str, quoted: bool) -> String {
    match text.chars().count() {
        _ if shows_nothing(text) => "an empty cell".to_owned(),
        _ if quoted => shown_up_to(CHARS_MAX, text),
        1 => "a single character".to_owned(),
        count => format!("a text of {count} characters"),
    }
}

/// The head of a column that the layout does not have, when it looks like one; a head that may be data has a number.
pub(crate) fn shown_head(text: &str, place: usize) -> String {
    let text = text.trim();
    match text.chars().count() <= HEAD_CHARS_MAX && text.chars().any(char::is_alphabetic) && text.chars().all(in_head) {
        true => text.to_owned(),
        false => format!("{NUMBERED}{}", place + 1),
    }
}

fn in_head(c: char) -> bool {
    c.is_alphabetic() || matches!(c, ' ' | '-' | '/' | '_' | '.' | '(' | ')' | '%')
}

/// The name of an element or attribute, cut.
pub(crate) fn shown_name(name: &str) -> String {
    shown_up_to(HEAD_CHARS_MAX, name)
}

/// Text of a file as it may stand in a message: quoted, control characters escaped, cut to a readable length.
pub(crate) fn shown_up_to(chars_max: usize, text: &str) -> String {
    let text = mask_cards(text);
    let cut: String = text.chars().take(chars_max).collect();
    if cut.len() < text.len() { format!("{cut:?}…") } else { format!("{cut:?}") }
}

/// Whether a cell shows nothing: blanks of any kind, marks without width, or quotes alone.
#[inline]
pub(crate) fn shows_nothing(text: &str) -> bool {
    text.is_empty() || !text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) && text.chars().all(is_unseen)
}

fn is_unseen(c: char) -> bool {
    is_blank(c) || matches!(c, '"')
}

/// Blanks of any width, and marks that have none.
pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{200b}' | '\u{2060}' | '\u{feff}') || (!c.is_ascii() && c.is_whitespace())
}

/// The text without blanks around it.
#[inline]
pub(crate) fn trimmed(text: &str) -> &str {
    let edge = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    if edge(text.as_bytes().first()) && edge(text.as_bytes().last()) { text } else { text.trim_matches(is_blank) }
}

/// Digits with marks, in groups of three where they are in groups.
fn is_like_amount(text: &str) -> bool {
    let unsigned = text.trim_matches(['-', '\u{2212}', '+', '(', ')', '%', ' ']);
    let in_amount = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | 'e' | 'E' | '+') || is_blank(c);
    let digits = unsigned.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || digits > 20 || !unsigned.chars().all(in_amount) {
        return false;
    }
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or(unsigned);
    let groups: Vec<&str> = mantissa.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let (last, inner) = groups.split_last().unwrap_or((&"", &[]));
    let in_threes = inner.iter().skip(1).all(|group| group.len() == 3);
    let blanks_split_threes = !unsigned.chars().any(is_blank) || last.len() == 3 || unsigned.contains(['.', ',']);
    let marked = unsigned.contains(['.', ',']) || unsigned.contains(['e', 'E']);
    in_threes && blanks_split_threes && (marked || digits <= WHOLE_DIGITS_MAX)
}

/// Three groups of digits with two marks between them, or their number in a spreadsheet, and maybe a time.
fn is_like_day(text: &str) -> bool {
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let in_time = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | '+' | '-' | 'Z');
    let parts: Vec<&str> = day.split(['.', '-', '/']).collect();
    let digits = |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let has_day = parts.len() == 3 && parts.iter().all(digits);
    has_day && time.chars().all(in_time) && time.len() <= 20
}

/// One word that is digits but for a letter or two, as `R4321-0007` or `5,63E+09`; a phone number begins with a plus.
fn is_like_id(text: &str) -> bool {
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let in_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b',' | b'-' | b'_' | b'+' | b'/');
    letters <= 2
        && digits > 0
        && text.len() <= ID_CHARS_MAX
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.bytes().all(in_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_only_in_the_form_of_what_was_looked_for() {
        for plain in
            ["1.234", "-6,13", "5,69E+09", "0.-1", "1 234,50", "1\u{2009}566,15", "1.234.567", "(5,00)", "5,00-"]
        {
            assert_eq!(shown(plain), format!("{plain:?}"));
        }
        for day in ["1.2.2024", "2024-02-29", "31/12/2026", "2026-12-31T23:59:59", "29.02.23"] {
            assert_eq!(shown(day), format!("{day:?}"));
        }
        for id in ["00123", "5,63E+09", "R4321-0007", "562990076A"] {
            assert_eq!(shown_id(id), format!("{id:?}"));
        }
        for private in [
            "FORNAVN-KANARI",
            "Ola",
            "99 88 77 66",
            "+47 99 88 77 66",
            "99887766",
            "+4799887766",
            "99.88.77.66",
            "+47 998 87 766",
            "998 87 766",
            "Takk for 100,00",
            "Lag 3",
            "e",
        ] {
            for shown in [shown(private), shown_code(private)] {
                assert!(shown.starts_with("a "), "{shown}");
            }
        }
        for private in ["FORNAVN-KANARI", "Ola2", "99 88 77 66", "+4799887766", "Lag-3", "ola@example.com"] {
            assert!(!shown_id(private).contains(private), "{private}");
        }
        assert_eq!((shown(""), shown("\u{a0}")), ("an empty cell".to_owned(), "an empty cell".to_owned()));
        assert_eq!(shown_code("XXX"), "\"XXX\"");
    }

    #[test]
    fn what_shows_nothing_is_empty() {
        for nothing in ["", " ", "\u{a0}", "\u{feff}", "\u{200b} ", "\"\"", "\u{2009}\t"] {
            assert!(shows_nothing(nothing), "{nothing:?}");
        }
        for something in ["0", "-", "a", " a ", "."] {
            assert!(!shows_nothing(something), "{something:?}");
        }
        assert_eq!((trimmed(" a b\u{a0}"), trimmed("ab"), trimmed("\u{202f}")), ("a b", "ab", ""));
    }

    #[test]
    fn a_head_is_shown_when_it_looks_like_one() {
        assert_eq!(shown_head("Ordre-ID/Referanse", 3), "Ordre-ID/Referanse");
        for data in ["02.10.2026", "99887766", "", &"x".repeat(41), "a;b", "a,b"] {
            assert_eq!(shown_head(data, 3), "number 4", "{data}");
        }
    }
}
