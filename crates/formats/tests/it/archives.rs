//! An archive of several reports: each is named and unpacked, under the limits of every archive.

use std::io::Cursor;

use fixtures::files;
use fixtures::workbook::archive;
use formats::{Failure, Limits, reports_in, unpack};
use settlement::Kind;

fn csv() -> Vec<u8> {
    files::read("vipps-portal-csv/basic-17.csv")
}

fn xml() -> Vec<u8> {
    files::read("vipps-settlement-xml-v3/one-line.xml")
}

fn names(name: &str, bytes: &[u8]) -> Result<Vec<String>, Option<Kind>> {
    reports_in(name, &mut Cursor::new(bytes), &Limits::default()).map_err(kind)
}

fn kind(failure: Failure) -> Option<Kind> {
    match failure {
        Failure::Held(held) => held.problems.first_error().map(|problem| problem.kind),
        failure => panic!("{failure}"),
    }
}

#[test]
fn reports_are_named_and_files_of_a_system_passed_over() {
    let bytes = archive([
        ("a.csv", csv()),
        ("__MACOSX/._a.csv", b"x".to_vec()),
        ("october/b.xml", xml()),
        ("october/.DS_Store", b"x".to_vec()),
    ]);
    assert_eq!(names("a.zip", &bytes), Ok(vec!["a.csv".to_owned(), "october/b.xml".to_owned()]));
    for (name, expected) in [("a.csv", csv()), ("october/b.xml", xml())] {
        let mut out = Vec::new();
        unpack(name, &mut Cursor::new(&bytes), &Limits::default(), &mut out).unwrap();
        assert_eq!(out, expected);
    }
    let unknown = unpack("c.csv", &mut Cursor::new(&bytes), &Limits::default(), &mut Vec::new()).unwrap_err();
    assert_eq!(kind(unknown), Some(Kind::UnknownLayout));
}

/// One report in an archive is that report, and a workbook is an archive of its own parts.
#[test]
fn an_archive_of_one_report_and_a_workbook_hold_no_several() {
    let one = archive([("a.csv", csv()), ("Thumbs.db", b"x".to_vec())]);
    for (name, bytes) in [
        ("a.zip", one),
        ("a.csv", csv()),
        ("a.xlsx", files::read("vipps-portal-xlsx/one-line.xlsx")),
        ("a.zip", files::read("vipps-portal-xlsx/one-line.xlsx")),
        ("a.zip", Vec::new()),
    ] {
        assert_eq!(names(name, &bytes), Ok(Vec::new()), "{name}");
    }
}

#[test]
fn a_hostile_archive_of_several_is_refused_before_anything_is_unpacked() {
    let several = |name: &str| archive([("a.csv", csv()), (name, xml())]);
    for name in ["../b.xml", "/b.xml", "c:b.xml", "b\u{7}.xml"] {
        assert_eq!(names("a.zip", &several(name)), Err(Some(Kind::ArchiveUnsafe)), "{name}");
    }
    let many: Vec<String> = (0..=Limits::default().archive_entries_max).map(|number| format!("{number}.csv")).collect();
    let many = archive(many.iter().map(|name| (name.as_str(), csv())));
    assert_eq!(names("a.zip", &many), Err(Some(Kind::ArchiveLimits)));
    let bomb = archive([("a.csv", csv()), ("b.csv", vec![b'x'; 32 * 1024 * 1024])]);
    assert_eq!(names("a.zip", &bomb), Err(Some(Kind::ArchiveBomb)));
    // A name that does not say what it is, is not looked into.
    assert_eq!(names("a.csv", &several("b.xml")), Ok(Vec::new()));
}

#[test]
fn a_report_that_differs_from_its_checksum_is_not_unpacked() {
    let whole = archive([("a.csv", csv()), ("b.csv", csv())]);
    let name = whole.windows(5).position(|window| window == b"b.csv").unwrap();
    for place in [5, 50, 200].map(|after| name + after) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        let unpacked = unpack("b.csv", &mut Cursor::new(&bytes), &Limits::default(), &mut Vec::new());
        assert_eq!(unpacked.map_err(kind), Err(Some(Kind::ArchiveMalformed)), "{place}");
    }
}
