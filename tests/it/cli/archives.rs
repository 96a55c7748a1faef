//! An archive of several reports at the command line.

use cli::Ended;
use tests::workbook::archive;

use super::{answers, avstem, fixture, folders, run};

fn several() -> Vec<u8> {
    let read = |name: &str| std::fs::read(fixture(name)).unwrap();
    archive([
        ("a.csv", read("vipps-portal-csv/basic-14.csv")),
        ("sub/b.xml", read("vipps-settlement-xml-v3/one-line.xml")),
        ("c.csv", b"a note;and no report\n".to_vec()),
    ])
}

#[test]
fn check_answers_for_each_report_of_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.zip");
    std::fs::write(&path, several()).unwrap();
    let path = path.to_str().unwrap();
    let (ended, text) = avstem(&["check", "--json", path]);
    assert_eq!(ended.unwrap(), Ended::Held);
    let answers = answers(&text);
    let found: Vec<(&str, &str)> =
        answers.iter().map(|answer| (answer["file"].as_str().unwrap(), answer["verdict"].as_str().unwrap())).collect();
    let expected = ["a.csv", "sub/b.xml", "c.csv"].map(|name| format!("{path}!{name}"));
    assert_eq!(found.iter().map(|(file, _)| *file).collect::<Vec<_>>(), expected);
    assert_eq!(found.iter().map(|(_, verdict)| *verdict).collect::<Vec<_>>(), ["ACCEPTED", "ACCEPTED", "REJECTED"]);
}

#[test]
fn run_takes_each_report_of_an_archive() {
    let (_folder, inbox, home) = folders();
    std::fs::write(inbox.join("archive.zip"), several()).unwrap();
    let (ended, text) = run(&inbox, &home);
    assert_eq!(ended.unwrap(), Ended::Held);
    for expected in
        ["an archive of several reports", "archive.zip!a.csv", "archive.zip!sub!b.xml", "3 accepted, 1 held"]
    {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    let (_, again) = run(&inbox, &home);
    assert!(again.contains("3 known before, 1 held"), "{again}");
}
