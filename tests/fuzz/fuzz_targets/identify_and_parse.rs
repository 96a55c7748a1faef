//! Any bytes under any name: no reader may panic, hang, or take memory for a claim that a file makes.
#![no_main]

use std::io::Cursor;

use formats::{FORMATS, Limits, identify, open, parse};
use libfuzzer_sys::fuzz_target;
use tables::DigestSink;

fuzz_target!(|bytes: &[u8]| {
    for name in ["a.csv", "a.xml", "a.xlsx", "a.zip"] {
        if let Ok(opened) = open(name, &mut Cursor::new(bytes), &Limits::default()) {
            let _ = identify(&opened.head);
        }
    }
    // Every reader sees every file, claimed or not.
    for format in FORMATS {
        let _ = parse(format, &mut Cursor::new(bytes), &Limits::default(), &mut DigestSink::default());
    }
});
