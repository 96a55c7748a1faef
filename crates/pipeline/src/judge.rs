//! A file judged: which format it is, what it says, and every problem it has. Stores nothing.

use std::io::{self, Read};

use formats::{Failure, Format, HEAD_BYTES_MAX, Head, Limits, ReadSeek};
use settlement::{Kind, Problem, Problems, Settlement, Sink, Verdict};
use tables::TableError;

use crate::StepError;

/// What a file turned out to be.
#[derive(Debug, Default)]
pub struct Judgement {
    /// The format that claims it.
    pub format: Option<&'static Format>,
    /// Everything found, notes among it.
    pub problems: Problems,
    /// Its settlements; of a held file those that could be read, for a person to look at.
    pub settlements: Vec<Settlement>,
}

impl Judgement {
    /// What becomes of the file.
    pub fn verdict(&self) -> Verdict {
        self.problems.verdict()
    }

    /// The first error's kind.
    pub fn kind(&self) -> Option<Kind> {
        self.problems.first_error().map(|problem| problem.kind)
    }
}

/// Reads `input`, called `name`, into the sink that `sink` makes for its format.
///
/// `provider` is the one that the file was sent as, when that is known.
///
/// # Errors
/// Only when the file cannot be read or the sink fails; whatever is wrong with the report is in the judgement.
pub fn judge<S: Sink>(
    name: &str,
    input: &mut dyn ReadSeek,
    limits: &Limits,
    provider: Option<&str>,
    sink: impl FnOnce(&'static Format) -> Result<S, TableError>,
) -> Result<Judgement, StepError> {
    let head = head_of(name, input)?;
    let format = match formats::identify(&head) {
        Ok(format) => format,
        Err(problem) => return Ok(Judgement { problems: problem.into(), ..Judgement::default() }),
    };
    if let Some(provider) = provider.filter(|provider| *provider != format.provider) {
        let message = format!(
            "Found a report of {}, expected one of {provider} at this place. Put the file where it belongs",
            format.provider
        );
        let problems = Problem::error(Kind::WrongProvider, message).into();
        return Ok(Judgement { format: Some(format), problems, ..Judgement::default() });
    }
    let mut sink = sink(format)?;
    match formats::parse(format, input, limits, &mut sink) {
        Ok(control) => Ok(Judgement {
            format: Some(format),
            settlements: control.document.settlements().to_vec(),
            problems: control.notes,
        }),
        Err(Failure::Held(held)) => {
            Ok(Judgement { format: Some(format), problems: held.problems, settlements: held.settlements })
        }
        Err(Failure::Read(error)) => Err(error.into()),
        Err(Failure::Sink(error)) => Err(error.into()),
    }
}

/// Name and first bytes of a file; leaves it at its start.
///
/// # Errors
/// When the file cannot be read.
pub fn head_of(name: &str, input: &mut dyn ReadSeek) -> io::Result<Head> {
    let mut head = Vec::new();
    input.rewind()?;
    Read::take(&mut *input, HEAD_BYTES_MAX as u64).read_to_end(&mut head)?;
    input.rewind()?;
    Ok(Head::new(name, &head))
}
