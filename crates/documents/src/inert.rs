//! Text from reports made harmless for spreadsheets.

use std::borrow::Cow;

/// Characters that begin a formula in some spreadsheet.
const STARTERS: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];

/// The text with an apostrophe wherever a spreadsheet would run it as a formula: at its start, and after each character at
/// which a program with another delimiter would begin a cell.
pub fn inert(text: &str) -> Cow<'_, str> {
    let begins = |text: &str| text.starts_with(STARTERS);
    let splits = [';', '\t', '|'];
    if !begins(text) && !text.split(splits).skip(1).any(begins) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 4);
    for cell in text.split_inclusive(splits) {
        if begins(cell) {
            safe.push('\'');
        }
        safe.push_str(cell);
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::inert;

    #[test]
    fn formulas_are_neutralised_and_plain_text_is_left_alone() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\0", "＝1", "＋1", "－1", "＠x"] {
            assert_eq!(inert(formula), format!("'{formula}"));
        }
        assert_eq!(inert("x;=1+1;y"), "x;'=1+1;y");
        assert_eq!(inert("=1|-2"), "'=1|'-2");
        for plain in ["", "ORD-1", "a;b", "5629900762", "'=1", " =1"] {
            assert_eq!(inert(plain), plain);
        }
    }
}
