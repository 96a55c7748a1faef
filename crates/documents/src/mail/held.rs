//! The mail about a report that is held: what it is called and why, and nothing that stands in it.

use settlement::Kind;

use super::letter::{Block, Cell, Row, Table, Tone};
use super::{Reader, Written, subject};
use crate::labels::{filled, provider_name};

/// A report that is held.
#[derive(Debug, Clone, Copy)]
pub struct HeldMail<'a> {
    /// Name of the file, as it was uploaded.
    pub file: &'a str,
    /// The provider it was sent as.
    pub provider: &'a str,
    /// What is wrong with it; `None` when it ended whoever read it.
    pub kind: Option<Kind>,
}

impl HeldMail<'_> {
    /// What the mail says to a reader.
    pub fn written(&self, reader: &Reader<'_>) -> Written {
        let words = reader.language.words();
        let texts =
            [("{name}", reader.merchant.as_str()), ("{provider}", provider_name(self.provider)), ("{file}", self.file)];
        let why = reader.language.labels().month.reasons.told(self.kind.unwrap_or(Kind::Crashed));
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
