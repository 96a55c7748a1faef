use super::*;
use proptest::prelude::*;

fn read(bytes: &[u8], limits: &Limits) -> (Vec<(u32, Vec<String>)>, Vec<Problem>) {
    let encoding = TextEncoding::sniff(bytes).unwrap_or(TextEncoding::Utf8);
    let mut reader = DelimitedReader::new(bytes, encoding, b';', limits);
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    loop {
        match reader.next().unwrap() {
            Row::Record(record) => rows.push((record.row, record.iter().map(str::to_owned).collect())),
            Row::Bad(problem) => problems.push(*problem),
            Row::End => return (rows, problems),
        }
    }
}

fn fields(text: &str) -> Vec<Vec<String>> {
    let (rows, problems) = read(text.as_bytes(), &Limits::default());
    assert_eq!(problems, [], "{text:?}");
    rows.into_iter().map(|(_, fields)| fields).collect()
}

#[test]
fn line_ends_and_quotes_are_taken_off() {
    assert_eq!(fields("a;b\nc;d\r\n"), [["a", "b"], ["c", "d"]]);
    assert_eq!(fields("a;\"b;\"\"c\"\"\"\n;"), [["a", "b;\"c\""], ["", ""]]);
    assert_eq!(fields("5\" pipe;x"), [["5\" pipe", "x"]]);
    assert_eq!(fields(""), Vec::<Vec<String>>::new());
    assert_eq!(fields("\n"), [[""]]);
}

#[test]
fn rows_are_counted_as_lines_of_the_file() {
    let (rows, _) = read(b"a\n\"b\nstill b\";c\nd", &Limits::default());
    let places: Vec<u32> = rows.iter().map(|(row, _)| *row).collect();
    assert_eq!(places, [1, 2, 4]);
    assert_eq!(rows[1].1, ["b\nstill b", "c"]);
}

#[test]
fn an_unclosed_quote_is_named_where_it_opens() {
    let (rows, problems) = read(b"a;b\nc;\"d\ne;f\n", &Limits::default());
    assert_eq!(rows.len(), 1);
    assert_eq!((problems[0].kind, problems[0].row), (Kind::RowShape, Some(2)));
}

#[test]
fn text_after_a_closing_quote_is_refused_and_reading_goes_on() {
    let (rows, problems) = read(b"\"a\"b;c\nd;e\n", &Limits::default());
    assert_eq!((problems[0].kind, problems[0].row), (Kind::RowShape, Some(1)));
    assert_eq!(rows, [(2, vec!["d".to_owned(), "e".to_owned()])]);
}

#[test]
fn one_foreign_byte_is_an_encoding_problem_of_its_row() {
    let (rows, problems) = read(b"Oppgj\xc3\xb8r;1\n\xf8;2\nb;3\n", &Limits::default());
    assert_eq!(rows.len(), 2);
    assert_eq!((problems[0].kind, problems[0].row), (Kind::Encoding, Some(2)));
}

#[test]
fn limits_hold_at_the_limit_and_bite_one_beyond() {
    let limits = Limits { row_bytes_max: 64, field_bytes_max: 16, columns_max: 4, ..Limits::default() };
    let good = format!("{};{};{};{}\n", "a".repeat(16), "b".repeat(16), "c".repeat(16), "d".repeat(13));
    assert_eq!(good.len(), 65);
    let (rows, problems) = read(good.as_bytes(), &limits);
    assert_eq!((rows.len(), problems.len()), (1, 0));
    for bad in [format!("{}\n", "x".repeat(65)), format!("{};b\n", "a".repeat(17)), "a;b;c;d;e\n".to_owned()] {
        let (rows, problems) = read(format!("{bad}next;row\n").as_bytes(), &limits);
        assert_eq!(problems.iter().map(|p| p.kind).collect::<Vec<_>>(), [Kind::FieldTooLarge], "{bad}");
        assert_eq!(rows.len(), 1, "{bad}");
    }
}

/// Each line of a quoted field is followed once: a row of line ends costs no more than one of letters.
#[test]
fn many_lines_in_one_quoted_field_are_read_in_one_pass() {
    let field = "\n".repeat(100_000);
    let text = format!("a;\"{field}\"\nb;c\n").repeat(20);
    let limits = Limits { field_bytes_max: 200_000, ..Limits::default() };
    let (rows, problems) = read(text.as_bytes(), &limits);
    assert_eq!((rows.len(), problems.len()), (40, 0));
    assert_eq!(rows[39].0, 20 * 100_002);
}

#[test]
fn quotes_here_and_there_in_a_long_file_are_all_found() {
    let (mut text, mut expected) = (String::new(), Vec::new());
    for number in 0..10_000 {
        let plain = "x".repeat(number % 71);
        let (written, read) = match number % 97 {
            0 => ("\"a;\"\"b\"\"\n;c\"", "a;\"b\"\n;c"),
            1 => ("in\"side", "in\"side"),
            _ => ("none", "none"),
        };
        text.push_str(&format!("{number};{plain};{written};{plain}\n"));
        expected.push(vec![number.to_string(), plain.clone(), read.to_owned(), plain]);
    }
    assert_eq!(fields(&text), expected);
}

#[test]
fn a_long_row_takes_no_memory_for_its_length() {
    let limits = Limits { row_bytes_max: 1_000, ..Limits::default() };
    let endless = std::io::repeat(b'x').take(50_000_000);
    let mut reader = DelimitedReader::new(endless, TextEncoding::Utf8, b';', &limits);
    assert!(matches!(reader.next().unwrap(), Row::Bad(problem) if problem.kind == Kind::FieldTooLarge));
    assert!(reader.block.len() <= BLOCK_BYTES);
    assert!(matches!(reader.next().unwrap(), Row::End));
}

proptest! {
    #[test]
    fn agrees_with_the_csv_crate_on_what_it_writes(
        rows in prop::collection::vec(prop::collection::vec("[ -~æøå\n;\"]{0,12}", 1..5), 1..8)
    ) {
        let mut writer = csv::WriterBuilder::new().delimiter(b';').flexible(true).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        prop_assert_eq!(fields(&text), rows);
    }

    #[test]
    fn no_bytes_make_it_panic_or_run_on(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let limits = Limits { row_bytes_max: 100, field_bytes_max: 50, ..Limits::default() };
        let (rows, problems) = read(&bytes, &limits);
        prop_assert!(rows.len() + problems.len() <= bytes.len() + 1);
    }
}
