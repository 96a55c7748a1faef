//! The mail about a report that is held: its name and the reason, and none of its content.

use settlement::Kind;

use super::letter::{Block, Cell, Row, Table, Tone};
use super::{Reader, Written, subject};
use crate::labels::{filled, provider_name};

/// A report that is held.
#[derive(Debug, Clone, Copy)]
pub struct HeldMail<'a> {
    /// The name of the file at upload.
    pub file: &'a str,
    /// The provider that it was uploaded for.
    pub provider: &'a str,
    /// The first error; `None` when the process that read it ended.
    pub kind: Option<Kind>,
}

impl HeldMail<'_> {
    /// The mail for a reader.
    pub fn written(&self, reader: &Reader<'_>) -> Written {
        let words = reader.language.words();
        let texts =
            [("{name}", reader.merchant.as_str()), ("{provider}", provider_name(self.provider)), ("{file}", self.file)];
        let why = reader.language.labels().month.reasons.text(self.kind.unwrap_or(Kind::Crashed));
        let row = |name: &str, fact: &str| Row {
            cells: vec![Cell::Text(name.to_owned()), Cell::Fact(fact.to_owned())],
            is_sum: false,
        };
        let rows = vec![row(words.held_file, self.file), row(words.held_why, &why)];
        let blocks = vec![
            Block::Banner(Tone::Bad, words.held_nothing.to_owned()),
            Block::Table(Table { heading: None, columns: Vec::new(), rows }),
        ];
        let line = filled(words.held_subject, &texts);
        Written {
            subject: subject(&format!("{}{line}", words.deviation)),
            letter: reader.letter(filled(words.held_title, &texts), blocks),
        }
    }
}
