//! Which delimiter a file has: the words of its layout's header say so, and it is never assumed.

use crate::read::field::Column;
use crate::read::shown::{is_blank, trimmed};

/// Delimiters that programs write.
pub(crate) const DELIMITERS: [char; 4] = [';', ',', '\t', '|'];

/// A header shows its delimiter when so many of its words stand in cells of their own.
const WORDS_MIN: usize = 2;

/// The delimiter that splits a line of `text` into most of the layout's columns; `None` when no line is like its header.
pub(crate) fn delimiter_of(text: &str, columns: &[Column]) -> Option<u8> {
    let counted =
        text.lines().flat_map(|line| DELIMITERS.map(|delimiter| (known_in(line, delimiter, columns), delimiter)));
    let (known, delimiter) = counted.max_by_key(|(known, _)| *known)?;
    (known >= WORDS_MIN).then(|| u8::try_from(delimiter).unwrap_or(b';'))
}

/// How many of the columns have a cell of their name in the line.
pub(crate) fn known_in(line: &str, delimiter: char, columns: &[Column]) -> usize {
    if !line.contains(delimiter) {
        return 0;
    }
    let heads: Vec<&str> = cells(line, delimiter).collect();
    columns.iter().filter(|column| heads.iter().any(|head| column.is_called(head))).count()
}

/// The cells of a line that has no delimiter within quotes, as a header has none.
pub(crate) fn cells(line: &str, delimiter: char) -> impl Iterator<Item = &str> {
    line.split(delimiter).map(|cell| trimmed(trimmed(cell).trim_matches('"')))
}

/// The first cell of a line under any delimiter.
pub(crate) fn first_cell(line: &str) -> &str {
    trimmed(trimmed(line.split(DELIMITERS).next().unwrap_or("")).trim_matches('"'))
}

/// Whether the line only tells a spreadsheet the delimiter, as in `sep=;`.
pub(crate) fn is_hint(first_cell: &str) -> bool {
    first_cell.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep=")) && first_cell.len() <= 5
}

/// The lines of a text that show something, without the hint for spreadsheets.
pub(crate) fn lines_with_content(text: &str) -> impl Iterator<Item = &str> {
    let shows = |line: &&str| !line.chars().all(|c| is_blank(c) || c == '"' || DELIMITERS.contains(&c));
    text.lines().filter(shows).filter(|line| !is_hint(trimmed(line).trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::field::required;

    const COLUMNS: &[Column] = &[required("Beløp"), required("Type"), required("Ordre-ID").or(&["Order ID"])];

    #[test]
    fn the_words_of_the_header_show_the_delimiter() {
        for (text, delimiter) in [
            ("Beløp;Type;Ordre-ID\n1,0;2,0;3,0", Some(b';')),
            ("a,b,c,d,e\nBeløp;Type;x", Some(b';')),
            ("\"Beløp\",\"Type\",\"Order ID\"", Some(b',')),
            ("Beløp\tType", Some(b'\t')),
            (" Beløp | Type |", Some(b'|')),
            ("Beløp;Typ", None),
            ("Beløp Type", None),
            ("", None),
        ] {
            assert_eq!(delimiter_of(text, COLUMNS), delimiter, "{text:?}");
        }
    }

    #[test]
    fn lines_that_show_nothing_and_hints_are_left_out() {
        let text = "\u{feff}\n;;;\n\"\";\"\"\nsep=;\nSEP=,\n\"sep=|\"\nTitle;\n";
        assert_eq!(lines_with_content(text).collect::<Vec<_>>(), ["Title;"]);
        assert_eq!((first_cell("\"Title\";x"), first_cell("a,b"), first_cell("")), ("Title", "a", ""));
    }
}
