//! Every file of the lake is read by readers that know plain pages alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::python::{python, python_of};

use super::racing::taken_and_built;

/// What a reader finds in each file.
fn read(interpreter: &Path, folder: &Path, reader: &str) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/it/lake/read_plain.py");
    let output = Command::new(interpreter).arg(script).arg(folder).arg(reader).output().unwrap();
    assert!(output.status.success(), "{reader}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn old_readers_find_the_same_in_every_file() {
    let world = taken_and_built(24, tables::Packing::Zstd).await;
    let folder = world.on_disk().await;
    let today = read(&python(), &folder, "pyarrow");
    let old = python_of("old-readers", "old-readers.txt");
    let (fastparquet, duckdb) = (read(&old, &folder, "fastparquet"), read(&old, &folder, "duckdb"));
    let mut folders = BTreeSet::new();
    for (path, expected) in today.as_object().unwrap() {
        for (reader, found) in [("fastparquet", &fastparquet), ("duckdb 0.7", &duckdb)] {
            for what in ["rows", "sums"] {
                assert_eq!(found[path][what], expected[what], "{what} of {path} by {reader}");
            }
        }
        let [encodings, packings] =
            [&expected["shape"][0], &expected["shape"][1]].map(|names| names.as_array().unwrap());
        for encoding in encodings {
            assert!(["PLAIN", "RLE", "RLE_DICTIONARY"].contains(&encoding.as_str().unwrap()), "{path}: {encoding}");
        }
        let (folder, _) = path.split_once('/').unwrap();
        let packing = if folder == "export" { "SNAPPY" } else { "ZSTD" };
        // Few words, mostly the same, are written as they are.
        assert!(packings.iter().all(|found| found == packing || found == "UNCOMPRESSED"), "{path}: {packings:?}");
        assert!(expected["rows"] == 0 || packings.iter().any(|found| found == packing), "{path}: {packings:?}");
        folders.insert(folder);
    }
    for folder in ["export", "fee_summary", "match", "month_bridge", "settlement", "settlement_line"] {
        assert!(folders.contains(folder), "{folder} has no file: {folders:?}");
    }
}
