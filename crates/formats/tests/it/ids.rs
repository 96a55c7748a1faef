//! Ids become parts of keys and paths: a file that names a settlement or merchant unsafely is held.

use std::io::{Cursor, Read};

use fixtures::files;
use fixtures::workbook::archive;
use formats::FORMATS;
use zip::ZipArchive;

use crate::judged::judged;

/// A good file of each format, with an id that names its settlement or merchant and another that is as good.
const GOOD: &[(&str, &str, &str, &str)] = &[
    ("swedbankpay-sales-xlsx-v1", "one-row.xlsx", "R4321-0003", "R4321-0004"),
    ("swedbankpay-sales-xlsx-v2", "one-row.xlsx", "R4321-0007", "R4321-0008"),
    ("swedbankpay-sales-xml-v1", "one-row.xml", "R4321-0003", "R4321-0004"),
    ("swedbankpay-sales-xml-v2", "one-row.xml", "R4321-0007", "R4321-0008"),
    ("vipps-details-csv", "ids-in-one-column.csv", "2000501", "2000502"),
    ("vipps-details-csv", "ids-in-one-column.csv", "123456", "123457"),
    ("vipps-details-xlsx", "ids-in-one-column.xlsx", "2000501", "2000502"),
    ("vipps-details-xlsx", "ids-in-one-column.xlsx", "123456", "123457"),
    ("vipps-portal-csv", "one-line.csv", "2000472", "2000473"),
    ("vipps-portal-csv", "one-line.csv", "123456", "123457"),
    ("vipps-portal-xlsx", "one-line.xlsx", "2000472", "2000473"),
    ("vipps-portal-xlsx", "one-line.xlsx", "123456", "123457"),
    ("vipps-report-api-json-v2", "fees.json", "123456", "123457"),
    ("vipps-settlement-xml-v3", "one-line.xml", "2000472", "2000473"),
    ("vipps-settlement-xml-v3", "one-line.xml", "123456", "123457"),
    ("vipps-structured-csv", "basic.csv", "2000480", "2000481"),
    ("vipps-structured-csv", "basic.csv", "123456", "123457"),
];

/// What stands around a cell of CSV, an XML text, an XML attribute, and the number in a recipient's handle.
const AROUND: &[(char, char)] = &[(';', ';'), (',', ','), ('>', '<'), ('"', '"'), (':', '"')];

/// The file with one id in place of another in every cell, text or attribute that is that id.
fn renamed(name: &str, bytes: &[u8], id: &str, other: &str) -> Vec<u8> {
    let replaced = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let text = AROUND.iter().fold(text, |text, (before, after)| {
            text.replace(&format!("{before}{id}{after}"), &format!("{before}{other}{after}"))
        });
        text.into_bytes()
    };
    if !name.ends_with(".xlsx") {
        return replaced(bytes);
    }
    let mut workbook = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let parts: Vec<(String, Vec<u8>)> = (0..workbook.len())
        .map(|place| {
            let mut part = workbook.by_index(place).unwrap();
            let mut content = Vec::new();
            part.read_to_end(&mut content).unwrap();
            (part.name().unwrap().into_owned(), replaced(&content))
        })
        .collect();
    archive(parts.iter().map(|(name, content)| (name.as_str(), content.clone())))
}

#[test]
fn an_id_that_is_unsafe_in_keys_and_paths_is_a_problem_of_the_file_in_every_format() {
    for format in FORMATS {
        assert!(GOOD.iter().any(|(id, ..)| *id == format.id), "{} has no file here", format.id);
    }
    for (format, name, id, as_good) in GOOD {
        let bytes = files::read(&format!("{format}/{name}"));
        let with = |other: &str| judged(name, &renamed(name, &bytes, id, other));
        // An id that is as good is taken, so that what holds the others is nothing but their ids.
        let good = with(as_good);
        assert!(!good.problems.has_errors(), "{format}: {:?}", good.problems.list());
        assert!(good.text().contains(as_good), "{format}");
        let long = "1".repeat(300);
        for bad in ["../../x", "a/NOK", "1\u{1}2", "1\u{85}2", "..", "", " ", "1 2", "1\\2", &long] {
            let held = with(bad);
            assert!(held.problems.has_errors(), "{format} takes {bad:?} for {id}");
            assert!(held.settlements.is_empty(), "{format} announces a settlement with {bad:?} for {id}");
        }
    }
}

#[test]
fn the_ids_of_formats_and_providers_are_safe_in_keys_and_paths() {
    for format in FORMATS {
        for word in [format.id, format.provider.id, format.family] {
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(!word.is_empty() && word.len() <= 64 && word.bytes().all(is_plain), "{word:?}");
        }
    }
}
