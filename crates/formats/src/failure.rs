//! What a reader is given, and the ways in which reading ends early.

use std::io::{self, Read, Seek};

use settlement::{Held, Problem, Problems, SinkError};

/// Bytes that can be read again from the start.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// Why a file gave no control totals.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file is at fault; it is held with these problems.
    #[error("The report is held")]
    Held(Box<Held>),
    /// The bytes could not be read; says nothing about the report.
    #[error("Cannot read the report: {0}")]
    Read(#[source] io::Error),
    /// The lines could not be stored; says nothing about the report.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// A problem of the file inside an [`io::Error`], for code that reads through [`Read`].
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
