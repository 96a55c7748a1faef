//! The table of records in the README is the one of the code.

#![expect(clippy::disallowed_methods, reason = "a test reads and writes files of the crate")]

use std::collections::BTreeSet;
use std::fs;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const BEGINNING: &str = "<!-- records -->\n";
const END: &str = "<!-- /records -->";

fn table() -> String {
    let mut table = "| record | partition, sort | the question it answers |\n|---|---|---|\n".to_owned();
    for store::Record { name, place, question } in store::table() {
        table.push_str(&format!("| {name} | {place} | {question} |\n"));
    }
    table
}

/// `UPDATE=1 cargo test -p store` writes the table.
#[test]
fn the_readme_has_the_table_of_records() {
    let readme = fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once(BEGINNING).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        return fs::write(README, format!("{before}{BEGINNING}{}{END}{after}", table())).unwrap();
    }
    assert_eq!(found, table(), "run `UPDATE=1 cargo test -p store` after a change of a record's place or question");
}

#[test]
fn every_row_has_a_name_and_a_place_of_its_own() {
    let rows: Vec<_> = store::table().collect();
    let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    let places: BTreeSet<_> = rows.iter().map(|row| row.place).collect();
    assert_eq!((names.len(), places.len()), (rows.len(), rows.len()));
}

/// A record without a row would be missing from the table without a word.
#[test]
fn every_constructor_of_a_place_lies_in_a_row() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/records");
    let places: String = store::table().map(|row| row.place).collect();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&path).unwrap();
        for partition in text.split("Place::new(format!(\"").skip(1).filter_map(|rest| rest.split('{').next()) {
            assert!(places.contains(&format!("`{partition}<")), "{}: {partition} has no row", path.display());
        }
    }
}
