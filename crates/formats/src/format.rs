//! A provider format as a value, and the one way to read a file with it.

use std::io::{self, Read, Seek};

use settlement::{Control, Held, Kind, Problem, Problems, Proof, Provider, Sink, SinkError};

use crate::head::Head;
use crate::limits::Limits;

/// Bytes that can be read again from the start.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// How sure it is that the layout is as written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surety {
    /// The provider's own schema or example files say so.
    Documented,
    /// Real files show it; the provider publishes only parts.
    Measured,
}

impl Surety {
    /// The word in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Surety::Documented => "documented",
            Surety::Measured => "measured",
        }
    }
}

/// One layout of one provider.
#[derive(Debug)]
pub struct Format {
    /// `<provider>-<document>[-v<major>]`; stored with every settlement and never given to another layout.
    pub id: &'static str,
    /// The provider.
    pub provider: &'static Provider,
    /// Formats of one family give the same settlement the same hash.
    pub family: &'static str,
    /// Payment products it reports on, in Dintero's names.
    pub payment_products: &'static [&'static str],
    /// File name endings, lower case, without the dot.
    pub file_types: &'static [&'static str],
    /// How far a good file proves its payout.
    pub proof: Proof,
    /// How sure the layout is.
    pub surety: Surety,
    /// Where the layout is described.
    pub source: &'static str,
    /// Whether a file with this head is of this format; never reads further.
    pub detect: fn(&Head) -> bool,
    /// Reads a file of this format; call it through [`parse`].
    pub(crate) parse: fn(&mut dyn ReadSeek, &Limits, &mut dyn Sink) -> Result<Control, Failure>,
}

/// A layout that is recognised only to be refused with advice.
#[derive(Debug)]
pub struct Refused {
    /// Whether a file with this head is of this layout.
    pub detect: fn(&Head) -> bool,
    /// What it is and what to ask for instead.
    pub advice: &'static str,
}

/// Why a file gave no control totals.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file itself is at fault; it is held with these problems.
    #[error("The report is held")]
    Held(Box<Held>),
    /// The bytes could not be read; says nothing about the report.
    #[error("Cannot read the report: {0}")]
    Read(#[source] io::Error),
    /// The lines could not be stored; says nothing about the report.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// What is wrong with a file, on its way through a reader that knows errors of reading only.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.message)]
pub(crate) struct FileFault(pub(crate) Problem);

impl From<FileFault> for io::Error {
    fn from(fault: FileFault) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, fault)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.downcast::<FileFault>() {
            Ok(fault) => fault.0.into(),
            Err(error) => Failure::Read(error),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure::Held(Box::new(Held::from(Problems::from(problem))))
    }
}

/// Reads `input` from its start as `format`, sends its lines to `sink`, and proves it.
///
/// # Errors
/// [`Failure::Held`] with every problem found when the file cannot be trusted, else what could not be read or stored.
pub fn parse(
    format: &Format,
    input: &mut dyn ReadSeek,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<Control, Failure> {
    let size_bytes = input.seek(io::SeekFrom::End(0))?;
    if size_bytes > limits.file_bytes_max {
        return Err(too_large(size_bytes, limits.file_bytes_max).into());
    }
    input.rewind()?;
    (format.parse)(input, limits, sink)
}

fn too_large(size_bytes: u64, size_bytes_max: u64) -> Problem {
    Problem::error(
        Kind::TooLarge,
        format!("Found a file of {size_bytes} bytes, expected at most {size_bytes_max}. Ask for the report in parts"),
    )
}
