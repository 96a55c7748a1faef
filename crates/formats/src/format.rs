//! A provider format as a value, and the one way to read a file with it.

use std::io::{self, SeekFrom};

use settlement::{Control, Kind, LedgerEntry, Problem, Proof, Provider, Sink};

use crate::failure::{Failure, ReadSeek};
use crate::head::Head;
use crate::limits::Limits;
use crate::read::field::Column;

/// How well the layout is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surety {
    /// The provider's own schema or example files say so.
    Documented,
    /// Real files show it; the provider publishes only parts.
    Measured,
}

impl Surety {
    /// The word that lists show.
    pub fn as_str(self) -> &'static str {
        match self {
            Surety::Documented => "documented",
            Surety::Measured => "measured",
        }
    }
}

/// Writes entries of a ledger as a file.
pub(crate) type WriteEntries = fn(&[LedgerEntry]) -> io::Result<Vec<u8>>;

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
    /// How well the layout is known.
    pub surety: Surety,
    /// Where the layout is described.
    pub source: &'static str,
    /// Whether a file with this head is of this format.
    pub detect: fn(&Head) -> bool,
    /// The columns of its rows, by which a file that no format claims is held against it.
    pub(crate) columns: &'static [Column],
    /// Writes entries of a ledger as a file of its own, for formats whose files hold entries and not settlements.
    pub(crate) write_entries: Option<WriteEntries>,
    /// Reads a file of this format; call it through [`parse`].
    pub(crate) parse: fn(&mut dyn ReadSeek, &Limits, &mut dyn Sink) -> Result<Control, Failure>,
}

impl Format {
    /// Whether its files hold entries of a ledger, of which those without a payout wait for other files.
    pub fn is_ledger(&self) -> bool {
        self.write_entries.is_some()
    }

    /// A report of its own made of a payout's entries, which end with it, and a name for the payout.
    ///
    /// `None` for a format whose files hold settlements, or without a payout among the entries.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn write_payout(&self, entries: &[LedgerEntry]) -> io::Result<Option<(String, Vec<u8>)>> {
        let payout = entries.last().and_then(|last| Some((last, last.payout.as_ref()?)));
        let (Some(write), Some((last, payout))) = (self.write_entries, payout) else { return Ok(None) };
        let name = format!("{}-{}-{}", last.merchant_number, payout.settlement_id, last.currency);
        Ok(Some((name, write(entries)?)))
    }
}

/// A layout that is recognised only to be refused with advice.
#[derive(Debug)]
pub struct Refused {
    /// Whether a file with this head is of this layout.
    pub detect: fn(&Head) -> bool,
    /// What it is and what to ask for instead.
    pub advice: &'static str,
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
    let size_bytes = input.seek(SeekFrom::End(0))?;
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
