//! Text of strangers made harmless for spreadsheets.

use std::borrow::Cow;

/// The text with a leading apostrophe where a spreadsheet would run it as a formula.
///
/// Guards against `=`, `+`, `-`, `@`, their full-width forms, tab, line ends and NUL in front.
pub fn inert(text: &str) -> Cow<'_, str> {
    const STARTERS: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];
    if text.starts_with(STARTERS) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::inert;

    #[test]
    fn formulas_are_neutralised_and_plain_text_is_left_alone() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\0", "＝1", "＋1", "－1", "＠x"] {
            assert_eq!(inert(formula), format!("'{formula}"));
        }
        for plain in ["", "ORD-1", "5629900762", "'=1", " =1"] {
            assert_eq!(inert(plain), plain);
        }
    }
}
