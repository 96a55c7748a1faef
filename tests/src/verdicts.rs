//! The verdict of the pipeline on bytes, in the words of golden files.

use std::io::Cursor;

use fixtures::verdict::verdict_text;
use formats::Limits;
use pipeline::intake::judge::{Judgement, judge};
use tables::DigestSink;

/// Judges bytes under a file name, with nothing known before.
pub fn judged(name: &str, bytes: &[u8]) -> Judgement {
    judge(name, &mut Cursor::new(bytes), &Limits::default(), None, |_| Ok(DigestSink::default()))
        .expect("memory can be read")
}

/// The judgement as text that a person can review.
pub fn golden(judgement: &Judgement) -> String {
    verdict_text(judgement.format.map(|format| format.id), &judgement.problems, &judgement.settlements)
}
