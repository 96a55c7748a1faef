//! No name, phone number or message of a person is in anything that a reader gives, however a file is confused.

use fixtures::files;
use fixtures::workbook::{Cell, workbook_of};

use crate::judged::judged;

/// What stands in columns that are not read, one for each in turn.
const PLANTED: [&str; 4] = ["FORNAVN-KANARI", "Kanari Etternavn", "Takk KANARI, 99 88 77 66!", "+47 99 88 77 66"];
/// What of it must be nowhere.
const SOUGHT: [&str; 4] = ["kanari", "99 88 77 66", "99887766", "etternavn kanari"];

/// Columns that are read and may hold any text: the file names what is in them, and nothing else can.
const FREE_TEXT: &[&str] =
    &["Ordre-ID", "Produkt", "OrderID", "Ordre-ID/Referanse", "Betalingsløsning", "Transaksjonstype", "Type"];
const UNREAD: &[&str] = &[
    "Salgssted",
    "Fornavn",
    "Etternavn",
    "Melding",
    "SalesUnitName",
    "SaleUnitName",
    "Kundens navn",
    "Kundens telefonnummer",
    "Land",
    "Kategori",
    "Sales unit",
    "Customer name",
    "Message",
];

fn assert_private(what: &str, name: &str, bytes: &[u8], lines_too: bool) {
    let judged = judged(name, bytes);
    let mut given = format!("{}\n{:?}\n{:?}", judged.text(), judged.problems, judged.settlements);
    if lines_too {
        given.push_str(&format!("{:?}", judged.lines));
    }
    let lower = given.to_lowercase();
    for sought in SOUGHT {
        assert!(!lower.contains(sought), "{what}: {sought} is in\n{given}");
    }
}

/// A table of text: its rows, the place of its header, its delimiter.
struct Table {
    rows: Vec<Vec<String>>,
    header: usize,
}

impl Table {
    /// The fixture as a table, with something private in every cell that is not read.
    fn of(text: &str, delimiter: char) -> Option<Table> {
        let rows: Vec<Vec<String>> =
            text.lines().map(|line| line.split(delimiter).map(str::to_owned).collect()).collect();
        let header =
            rows.iter().position(|row| row.iter().filter(|head| UNREAD.contains(&head.as_str())).count() > 0)?;
        let mut table = Table { rows, header };
        let private: Vec<usize> =
            (0..table.heads().len()).filter(|place| UNREAD.contains(&table.heads()[*place].as_str())).collect();
        for row in table.rows.iter_mut().skip(header + 1).filter(|row| !row.iter().all(String::is_empty)) {
            for (turn, place) in private.iter().enumerate() {
                if let Some(cell) = row.get_mut(*place) {
                    PLANTED[turn % PLANTED.len()].clone_into(cell);
                }
            }
        }
        Some(table)
    }

    fn heads(&self) -> &[String] {
        &self.rows[self.header]
    }

    fn text(&self, delimiter: &str) -> Vec<u8> {
        let lines: Vec<String> = self.rows.iter().map(|row| row.join(delimiter)).collect();
        (lines.join("\n") + "\n").into_bytes()
    }

    /// The same rows under heads of which two stand in each other's place.
    fn with_heads_swapped(&self, one: usize, other: usize) -> Table {
        let mut rows = self.rows.clone();
        rows[self.header].swap(one, other);
        Table { rows, header: self.header }
    }

    /// The same header over rows whose cells are pushed along.
    fn with_cells_pushed(&self, by: usize) -> Table {
        let mut rows = self.rows.clone();
        for row in rows.iter_mut().skip(self.header + 1).filter(|row| row.len() > by) {
            row.rotate_right(by);
        }
        Table { rows, header: self.header }
    }
}

/// Every delimited fixture as a table.
fn tables() -> impl Iterator<Item = (String, char, Table)> {
    let fixtures = files::all().into_iter().filter(|fixture| fixture.name.ends_with(".csv"));
    fixtures.filter_map(|fixture| {
        let delimiter = if fixture.format == "vipps-portal-csv" { ';' } else { ',' };
        let text = String::from_utf8(fixture.bytes()).ok()?;
        // Quoted cells hold delimiters, which this simple table would split.
        let table = Table::of(&text, delimiter).filter(|_| !text.contains('"'))?;
        Some((format!("{}/{}", fixture.format, fixture.name), delimiter, table))
    })
}

#[test]
fn nothing_private_is_given_of_a_table_with_other_delimiters_or_with_its_columns_confused() {
    let mut tried = 0;
    for (name, delimiter, table) in tables() {
        for other in [";", ",", "\t", "|", ":"] {
            assert_private(&format!("{name} with {other:?}"), "a.csv", &table.text(other), true);
        }
        let delimiter = delimiter.to_string();
        let width = table.heads().len();
        for by in 1..width {
            let pushed = table.with_cells_pushed(by).text(&delimiter);
            assert_private(&format!("{name} pushed by {by}"), "a.csv", &pushed, false);
        }
        for one in 0..width {
            for other in one + 1..width {
                let (heads, swapped) = (table.heads(), table.with_heads_swapped(one, other));
                let free = [one, other].iter().any(|place| FREE_TEXT.contains(&heads[*place].as_str()));
                let what = format!("{name} with {} and {} swapped", heads[one], heads[other]);
                assert_private(&what, "a.csv", &swapped.text(&delimiter), !free);
                tried += 1;
            }
        }
    }
    assert!(tried > 1_000, "{tried} files were tried");
}

#[test]
fn nothing_private_is_given_of_a_file_that_was_cut() {
    for (name, delimiter, table) in tables() {
        let bytes = table.text(&delimiter.to_string());
        for end in (0..bytes.len()).step_by(5) {
            assert_private(&format!("{name} cut at {end}"), "a.csv", &bytes[..end], true);
            // The head was cut off.
            assert_private(&format!("{name} from {end}"), "a.csv", &bytes[end..], true);
        }
    }
}

/// Numbers as a spreadsheet keeps them.
fn cell(text: &str) -> Cell {
    match text.replace(',', ".").parse::<f64>() {
        _ if text.is_empty() => Cell::Empty,
        Ok(_) if text.contains(',') => Cell::Number(text.replace(',', ".")),
        _ => Cell::Text(text.to_owned()),
    }
}

#[test]
fn nothing_private_is_given_of_a_workbook_with_its_columns_confused() {
    let text = String::from_utf8(files::read("vipps-portal-csv/basic-17.csv")).unwrap();
    let table = Table::of(&text, ';').unwrap();
    let workbook = |table: &Table| {
        workbook_of(&table.rows.iter().map(|row| row.iter().map(|text| cell(text)).collect()).collect::<Vec<_>>())
    };
    assert_eq!(judged("a.xlsx", &workbook(&table)).kind(), None, "it is read when it is not confused");
    for one in 0..table.heads().len() {
        let pushed = table.with_cells_pushed(one + 1);
        assert_private(&format!("pushed by {}", one + 1), "a.xlsx", &workbook(&pushed), false);
        for other in one + 1..table.heads().len() {
            let swapped = table.with_heads_swapped(one, other);
            assert_private(&format!("{one} and {other} swapped"), "a.xlsx", &workbook(&swapped), false);
        }
    }
}

/// The document with two names of elements or attributes in each other's place.
fn with_names_swapped(text: &str, one: &str, other: &str) -> String {
    text.replace(one, "\0").replace(other, one).replace('\0', other)
}

#[test]
fn nothing_private_is_given_of_a_document_that_is_cut_or_confused() {
    for fixture in files::all().into_iter().filter(|fixture| fixture.name.ends_with(".xml")) {
        let Ok(text) = String::from_utf8(fixture.bytes()) else { continue };
        let mut planted = text.clone();
        for (turn, name) in ["SaleUnitName", "OrganizationName", "MainAddress"].iter().enumerate() {
            let value = PLANTED[turn];
            planted = planted.replace(&format!("</{name}>"), &format!("{value}</{name}>"));
        }
        let planted = planted.replace("<Transaction ", "<Transaction Description=\"Takk KANARI, 99 88 77 66!\" ");
        let what = format!("{}/{}", fixture.format, fixture.name);
        assert_private(&what, "a.xml", planted.as_bytes(), true);
        for end in (0..planted.len()).step_by(11).filter(|end| planted.is_char_boundary(*end)) {
            assert_private(&format!("{what} cut at {end}"), "a.xml", &planted.as_bytes()[..end], true);
        }
        let swaps: &[(&str, &[&str])] = &[
            (
                "SaleUnitName",
                &["SerialNumber", "OrganizationNumber", "ReportDateFrom", "SettlementID", "SettlementType"],
            ),
            ("OrganizationName", &["SettlementCurrencyCode", "NumOfSettlements", "SettledAmount", "TransactionTime"]),
            ("MainAddress", &["TransactionFeeAmount", "TransactionID", "SettlementAccountNum"]),
            ("Description", &["Amount", "DateCreated", "Currency", "PayexTransactionNo", "ServiceName", "Provider"]),
        ];
        for (private, others) in swaps {
            for other in *others {
                let swapped = with_names_swapped(&planted, private, other);
                assert_private(&format!("{what} with {private} as {other}"), "a.xml", swapped.as_bytes(), false);
            }
        }
    }
}

#[test]
fn the_head_of_a_file_shows_no_text_of_it() {
    let head = formats::Head::new("a.csv", b"Fornavn;KANARI");
    let shown = format!("{head:?}");
    assert!(shown.contains("a.csv") && !shown.contains("KANARI"), "{shown}");
}
