//! Text of strangers through every output: nothing of it is run, marked up, split off or shown where it may not be.

use std::fs::File;
use std::path::PathBuf;

use serde_json::Value;
use tests::generate::{Report, Seed, portal_csv, report, xml};

use crate::cli::{avstem, begin, run, tree};

/// Text that some program runs, opens, follows or breaks at.
const PACK: [&str; 16] = [
    "=HYPERLINK(\"http://example.com\",\"x\")",
    "+1+1",
    "-2+3",
    "@SUM(1,2)",
    "\u{ff1d}1+1",
    "\u{ff0b}1",
    "x;=1+1",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "]]>&amp;<!--",
    "'; DROP TABLE report; --",
    "{{7*7}}${7*7}%s%n",
    "a,b\"c\"\\n\\u0000",
    "../../etc/passwd",
    "4111 1111 1111 1111",
    "ordre 5555555555554444",
];
const CARDS: [&str; 2] = ["4111 1111 1111 1111", "5555555555554444"];
/// Stands in the names and messages of the portal's CSV.
const CANARY: &str = "KANARI";

/// A report with one line for each text of the pack.
fn hostile_report() -> Report {
    let mut report = report(&mut Seed(11), 1, 1);
    let line = report.settlements[0].lines[0].clone();
    let transactions = line.transaction..;
    let lines = transactions.zip(PACK).map(|(transaction, order)| {
        let (capture_minor, refund_minor, fee_minor) = (10_000, 0, 175);
        let order = order.to_owned();
        tests::generate::Line { transaction, order, capture_minor, refund_minor, fee_minor, ..line.clone() }
    });
    report.settlements[0].lines = lines.collect();
    report
}

fn escaped(report: &Report) -> Report {
    let mut report = report.clone();
    for line in report.settlements.iter_mut().flat_map(|settlement| &mut settlement.lines) {
        line.order = line.order.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    }
    report
}

/// Runs the pack and what is left of it into a home: what was printed, and the files that are given out.
fn given_out(name: &str, bytes: &[u8]) -> (String, Vec<(PathBuf, Vec<u8>)>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, home) = (folder.path().join("inbox"), folder.path().join("home"));
    std::fs::create_dir(&inbox).unwrap();
    std::fs::write(inbox.join(name), bytes).unwrap();
    let home_text = home.to_str().unwrap();
    begin(home_text);
    let mut text = run(&inbox, home_text).1;
    text += &avstem(&["explain", "2000001", "--home", home_text]).1;
    text += &avstem(&["check", "--json", inbox.join(name).to_str().unwrap()]).1;
    let files = tree(&home).into_iter().filter(|(path, _)| {
        let below = path.strip_prefix(&home).unwrap();
        below.starts_with("reports") || below.starts_with("lake")
    });
    let files = files.collect();
    (text, files, folder)
}

fn file<'f>(files: &'f [(PathBuf, Vec<u8>)], ending: &str) -> &'f [u8] {
    let found = files.iter().find(|(path, _)| path.to_str().unwrap().ends_with(ending));
    &found.unwrap_or_else(|| panic!("no file ends in {ending}")).1
}

fn masked(order: &str) -> String {
    order.replace(CARDS[0], "4111 11** **** 1111").replace(CARDS[1], "555555******4444")
}

#[test]
fn no_text_is_a_formula_in_csv_or_markup_in_xml_and_json_gives_it_back() {
    let (_, files, _folder) = given_out("pack.xml", &xml(&escaped(&hostile_report())));
    let mut csv = csv::ReaderBuilder::new().flexible(false).from_reader(file(&files, "dintero-report.csv"));
    let reference = csv.headers().unwrap().iter().position(|name| name == "reference").unwrap();
    let records: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), PACK.len() + 1, "every line and the proof");
    let starters = ['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'];
    for cell in records.iter().flatten() {
        let number = cell.parse::<f64>().is_ok();
        assert!(number || !cell.starts_with(starters), "{cell:?} begins a formula");
    }
    for (record, order) in records.iter().zip(PACK) {
        let shown = masked(order);
        assert!([shown.clone(), format!("'{shown}")].contains(&record[reference].replace(";'=", ";=")), "{order:?}");
    }

    let json: Value = serde_json::from_slice(file(&files, "dintero-report.json")).unwrap();
    let text = json.to_string();
    for order in PACK {
        let quoted = serde_json::to_string(&masked(order)).unwrap();
        assert!(text.contains(&quoted), "{quoted} is not in the JSON");
    }

    let xml = String::from_utf8(file(&files, "dintero-report.xml").to_vec()).unwrap();
    assert_eq!(xml.matches("<TransactionInfo>").count(), PACK.len());
    for markup in ["<script", "<img", "<!--", "]]>"] {
        assert!(!xml.contains(markup), "{markup} stands in the XML");
    }
}

#[test]
fn card_numbers_names_and_messages_are_in_no_output() {
    let mut portal = hostile_report();
    for line in &mut portal.settlements[0].lines {
        // What the CSV writer of the tests does not quote, and an order that is none: such lines have names.
        line.order = if line.order.contains(['"', ';']) { String::new() } else { line.order.clone() };
    }
    for (name, bytes) in [("pack.xml", xml(&escaped(&hostile_report()))), ("pack.csv", portal_csv(&portal))] {
        assert!(CARDS.iter().all(|card| String::from_utf8_lossy(&bytes).contains(card)));
        let (text, files, folder) = given_out(name, &bytes);
        assert!(text.contains("ACCEPTED") && text.contains("CardNumber"), "{text}");
        let lines = files.iter().find(|(path, _)| path.ends_with("settlement_line.parquet")).unwrap();
        let lines = tables::read_lines(File::open(&lines.0).unwrap()).unwrap();
        let lines: String = lines.map(|line| format!("{:?}\n", line.unwrap())).collect();
        assert!(lines.contains("555555******4444"), "{lines}");
        let shown = files.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes)).chain([text.into(), lines.into()]);
        for shown in shown {
            for secret in CARDS.into_iter().chain([CANARY]) {
                assert!(!shown.contains(secret), "{secret} is in an output of {name}");
            }
        }
        let state = std::fs::read(folder.path().join("home/state.sqlite")).unwrap();
        for secret in CARDS.into_iter().chain([CANARY]) {
            assert!(!state.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is in the state");
        }
    }
}

#[test]
fn problems_and_file_names_print_no_control_sequence_and_no_second_line() {
    let name = "=cmd\u{1b}[2J\u{202e}x.csv";
    let bad = "Oppgjørsrapport\nSalgsdato;\u{1b}]0;x\u{7};Vippsnummer;4111111111111111\n\u{1b}[31m;\r\n";
    for bytes in [bad.as_bytes(), b"\x1b[2J4111111111111111\r\nx: y".as_slice()] {
        let (text, files, _folder) = given_out(name, bytes);
        let problems = files.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes));
        for shown in problems.chain([text.into()]) {
            assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
            assert!(!shown.contains("4111111111111111"), "{shown}");
        }
    }
}
