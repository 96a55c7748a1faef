//! A file judged: which format it is, what it says, and every problem it has. Stores nothing.

use formats::{Failure, Format, Limits, ReadSeek};
use settlement::{Control, Held, Kind, LedgerEntry, Problem, Problems, Settlement, Sink, Verdict};
use tables::TableError;

use crate::StepError;

/// A file that no format claims lies under this name instead of a provider's.
pub const UNKNOWN_PROVIDER: &str = "unknown";

/// What a file turned out to be.
#[derive(Debug, Default)]
pub struct Judgement {
    /// The format that claims it.
    pub format: Option<&'static Format>,
    /// Everything found, notes among it.
    pub problems: Problems,
    /// Its settlements; of a held file those that could be read, for a person to look at.
    pub settlements: Vec<Settlement>,
    /// Of a ledger: the entries that are in none of its settlements.
    pub entries: Vec<LedgerEntry>,
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
    let (format, mut input) = match identified(name, input, limits) {
        Ok(identified) => identified,
        Err(failure) => return judged(None, Err(failure)),
    };
    if let Some(provider) = provider.filter(|provider| *provider != format.provider.id) {
        let message = format!(
            "Found a report of {}, expected one of {provider} at this place. Put the file where it belongs",
            format.provider.id
        );
        let problems = Problem::error(Kind::WrongProvider, message).into();
        return Ok(Judgement { format: Some(format), problems, ..Judgement::default() });
    }
    let mut sink = sink(format)?;
    judged(Some(format), formats::parse(format, &mut *input, limits, &mut sink))
}

/// The provider whose report a file is; `None` when no format claims it.
///
/// # Errors
/// Only when the file cannot be read.
pub fn provider_of(name: &str, input: &mut dyn ReadSeek, limits: &Limits) -> Result<Option<&'static str>, StepError> {
    match identified(name, input, limits) {
        Ok((format, _)) => Ok(Some(format.provider.id)),
        Err(failure) => judged(None, Err(failure)).map(|_| None),
    }
}

type Identified<'i> = (&'static Format, Box<dyn ReadSeek + 'i>);

fn identified<'i>(name: &str, input: &'i mut dyn ReadSeek, limits: &Limits) -> Result<Identified<'i>, Failure> {
    let opened = formats::open(name, input, limits)?;
    Ok((formats::identify(&opened.head)?, opened.input))
}

/// What a failure says of a file that could not even be opened.
///
/// # Errors
/// When it says nothing of the file.
pub fn refused(failure: Failure) -> Result<Judgement, StepError> {
    judged(None, Err(failure))
}

fn judged(format: Option<&'static Format>, read: Result<Control, Failure>) -> Result<Judgement, StepError> {
    match read {
        Ok(Control { settlements, notes: problems, entries, .. }) => {
            Ok(Judgement { format, problems, settlements, entries })
        }
        Err(Failure::Held(held)) => {
            let Held { problems, settlements } = *held;
            Ok(Judgement { format, problems, settlements, entries: Vec::new() })
        }
        Err(Failure::Read(error)) => Err(error.into()),
        Err(Failure::Sink(error)) => Err(error.into()),
    }
}
