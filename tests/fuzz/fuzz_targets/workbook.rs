//! The sheet and the shared texts of a workbook that is sound otherwise: what a checksum keeps other bytes from reaching.
//!
//! An input is the one, a byte of zero, and the other.
#![no_main]

use std::io::Cursor;

use formats::{FORMATS, Limits, identify, open, parse};
use libfuzzer_sys::fuzz_target;
use tables::DigestSink;
use tests::workbook::workbook_of_parts;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (sheet, texts) = bytes.split_at(end);
    let workbook = workbook_of_parts(sheet, texts.get(1..).unwrap_or_default());
    if let Ok(opened) = open("a.xlsx", &mut Cursor::new(&workbook), &Limits::default()) {
        let _ = identify(&opened.head);
    }
    for format in FORMATS.iter().filter(|format| format.file_types.contains(&"xlsx")) {
        let _ = parse(format, &mut Cursor::new(&workbook), &Limits::default(), &mut DigestSink::default());
    }
});
