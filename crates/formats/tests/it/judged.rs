//! A file judged by this crate alone.

use std::io::Cursor;

use fixtures::memory_sink::MemorySink;
use fixtures::verdict::verdict_text;
use formats::{Failure, Format, Limits, identify, open, parse};
use settlement::{Control, Kind, LedgerEntry, Problems, Settlement};

/// What a file turned out to be.
pub(crate) struct Judged {
    /// The format that claims it.
    pub(crate) format: Option<&'static Format>,
    /// Everything found, notes among it.
    pub(crate) problems: Problems,
    /// Its settlements; of a held file those that could be read.
    pub(crate) settlements: Vec<Settlement>,
    /// Each line as text, field by field.
    pub(crate) lines: Vec<Vec<String>>,
    /// Of a ledger, the entries that are in none of its settlements.
    pub(crate) entries: Vec<LedgerEntry>,
}

impl Judged {
    /// The first error's kind.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.problems.first_error().map(|problem| problem.kind)
    }

    /// The verdict in the words of the golden files.
    pub(crate) fn text(&self) -> String {
        verdict_text(self.format.map(|format| format.id), &self.problems, &self.settlements)
    }
}

/// Judges bytes under a file name.
pub(crate) fn judged(name: &str, bytes: &[u8]) -> Judged {
    judged_within(name, bytes, &Limits::default())
}

/// Judges bytes under a file name, within other limits.
pub(crate) fn judged_within(name: &str, bytes: &[u8], limits: &Limits) -> Judged {
    let (mut format, mut sink) = (None, MemorySink::default());
    let (problems, settlements, entries) = match read(name, bytes, limits, &mut format, &mut sink) {
        Ok(control) => (control.notes, control.settlements, control.entries),
        Err(Failure::Held(held)) => (held.problems, held.settlements, Vec::new()),
        Err(failure) => panic!("{name}: {failure}"),
    };
    Judged { format, problems, settlements, lines: sink.lines, entries }
}

fn read(
    name: &str,
    bytes: &[u8],
    limits: &Limits,
    format: &mut Option<&'static Format>,
    sink: &mut MemorySink,
) -> Result<Control, Failure> {
    let mut bytes = Cursor::new(bytes);
    let mut opened = open(name, &mut bytes, limits)?;
    let claimed_by = identify(&opened.head)?;
    *format = Some(claimed_by);
    parse(claimed_by, &mut *opened.input, limits, sink)
}
