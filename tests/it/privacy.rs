//! No name, phone number or message of a person leaves the file it stands in, however the file is confused: it is in nothing
//! that is printed, kept beside the file or mailed.

use std::path::Path;

use crate::cli::{avstem, begin, run, tree};

/// What stands in the columns that are not read.
const PLANTED: [(&str, &str); 3] =
    [("Fornavn", "FORNAVN-KANARI"), ("Etternavn", "ETTERNAVN-KANARI"), ("Melding", "MELDING-KANARI 99 88 77 66")];

const SOUGHT: [&str; 2] = ["kanari", "99 88 77 66"];

/// The report with something private in every column that is not read, as rows of cells.
fn rows() -> Vec<Vec<String>> {
    let report = include_str!("../reports/vipps-portal-csv/basic-17.csv");
    let mut rows: Vec<Vec<String>> = report
        .trim_start_matches('\u{feff}')
        .lines()
        .map(|line| line.split(';').map(str::to_owned).collect())
        .collect();
    let header = rows.iter().position(|row| row.iter().any(|head| head == "Fornavn")).expect("a header");
    for (head, private) in PLANTED {
        let place = rows[header].iter().position(|known| known == head).expect(head);
        for row in rows.iter_mut().skip(header + 1) {
            if let Some(cell) = row.get_mut(place) {
                private.clone_into(cell);
            }
        }
    }
    rows
}

fn text(rows: &[Vec<String>], delimiter: &str) -> String {
    rows.iter().map(|row| row.join(delimiter) + "\n").collect()
}

/// The report as people and programs break it.
fn broken() -> Vec<(String, String)> {
    let rows = rows();
    let whole = text(&rows, ";");
    let mut files: Vec<(String, String)> = vec![("whole".to_owned(), whole.clone())];
    for (name, delimiter) in [("comma", ","), ("tab", "\t"), ("colon", ":"), ("space", " ")] {
        files.push((name.to_owned(), text(&rows, delimiter)));
    }
    for by in [1, 3, 7] {
        let mut pushed = rows.clone();
        pushed.iter_mut().skip(3).filter(|row| row.len() > by).for_each(|row| row.rotate_right(by));
        files.push((format!("pushed by {by}"), text(&pushed, ";")));
    }
    for cut in [3, 2] {
        let end = whole.char_indices().nth(whole.chars().count() * (cut - 1) / cut).expect("a middle").0;
        files.push((format!("cut after {} of {cut}", cut - 1), whole[..end].to_owned()));
    }
    let unheaded: Vec<Vec<String>> =
        rows.iter().filter(|row| !row.iter().any(|head| head == "Fornavn")).cloned().collect();
    files.push(("without a header".to_owned(), text(&unheaded, ";")));
    files.push((
        "in one cell".to_owned(),
        whole.lines().map(|line| format!("\"{}\"\n", line.replace('"', ""))).collect(),
    ));
    files
}

fn assert_private(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    for sought in SOUGHT {
        if let Some(at) = text.find(sought) {
            let from = text[..at].char_indices().rev().nth(80).map_or(0, |(at, _)| at);
            panic!("{what}: {sought} stands after {:?}", &text[from..at]);
        }
    }
}

#[test]
fn nothing_private_is_printed_kept_or_mailed() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, home) = (folder.path().join("inbox"), folder.path().join("home"));
    std::fs::create_dir(&inbox).unwrap();
    let home_text = home.display().to_string();
    begin(&home_text);
    for (name, text) in broken() {
        std::fs::write(inbox.join(format!("{name}.csv")), text).unwrap();
    }
    let at_home = |arguments: &[&str]| avstem(&[arguments, &["--home", &home_text]].concat()).1;
    let mut printed =
        at_home(&["recipient", "add", "regnskap@example.no", "--rhythm", "payout,weekly", "--from", "2020-01-01"]);
    let mails = |folder: &Path| -> Vec<Vec<u8>> {
        let entries = std::fs::read_dir(folder.join("outbox")).unwrap();
        entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
    };
    let question = String::from_utf8(mails(&home).remove(0)).unwrap();
    let code = question.lines().find(|line| line.len() == 32 && line.bytes().all(|byte| byte.is_ascii_hexdigit()));
    printed += &at_home(&["recipient", "confirm", "regnskap@example.no", code.unwrap()]);
    printed += &run(&inbox, &home_text).1;
    let held = at_home(&["held", "list", "--json"]);
    assert!(held.lines().count() >= 6, "{held}");
    for line in held.lines() {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = report["report_id"].as_str().unwrap();
        printed += &at_home(&["held", "show", id]);
        printed += &at_home(&["held", "show", id, "--json"]);
        printed += &at_home(&["explain", id]);
    }
    printed += &held;
    printed += &at_home(&["mail"]);
    printed += &at_home(&["summary", "--month", "2026-10"]);
    for (name, _) in broken() {
        let file = inbox.join(format!("{name}.csv"));
        for more in [&[][..], &["--json"]] {
            printed += &avstem(&[&["check", file.to_str().unwrap()], more].concat()).1;
        }
    }
    assert_private("what was printed", printed.as_bytes());
    assert!(mails(&home).len() > 6);
    // The uploads themselves, and the source of what was accepted, are the files as they came.
    let is_source = |path: &Path| path.strip_prefix(&home).unwrap().starts_with("landing") || path.ends_with("source");
    let kept = tree(&home).into_iter().filter(|(path, _)| !is_source(path));
    let mut count = 0;
    for (path, bytes) in kept {
        assert_private(&path.display().to_string(), &bytes);
        count += 1;
    }
    assert!(count > 20, "{count}");
    for name in ["state.sqlite", "state.sqlite-wal"] {
        if let Ok(bytes) = std::fs::read(home.join(name)) {
            assert_private(name, &bytes);
        }
    }
}
