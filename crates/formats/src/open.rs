//! Opens a file far enough to say what it is: out of its ZIP archive, or as a workbook.

use std::io::{Cursor, Read};

use settlement::{Kind, Problem};

use crate::failure::{Failure, ReadSeek};
use crate::head::Head;
use crate::identify::extension;
use crate::limits::{HEAD_BYTES_MAX, Limits};
use crate::read::archive::{self, Archive};
use crate::read::workbook::Workbook;

/// A format sees this many rows of a workbook when it says whether the file is its own.
const HEAD_ROWS_MAX: usize = 16;

/// A file that is ready to be identified and parsed.
pub struct ReportFile<'i> {
    /// What a format may look at to claim it.
    pub head: Head,
    /// Its bytes; those of the one report inside when the file is a ZIP archive.
    pub input: Box<dyn ReadSeek + 'i>,
}

/// Opens a file called `name`.
///
/// # Errors
/// [`Failure::Held`] when it is an archive or workbook that must not be opened, else what could not be read.
pub fn open<'i>(name: &str, input: &'i mut dyn ReadSeek, limits: &Limits) -> Result<ReportFile<'i>, Failure> {
    let first = first_bytes(input)?;
    if !first.starts_with(archive::MAGIC) {
        return Ok(ReportFile { head: Head::new(name, &first), input: Box::new(input) });
    }
    if Archive::open(&mut *input, limits)?.is_workbook() {
        let sheets = Workbook::glance(&mut *input, limits)?.first_rows(HEAD_ROWS_MAX)?;
        input.rewind()?;
        return Ok(ReportFile { head: Head::of_workbook(name, &first, sheets), input: Box::new(input) });
    }
    let archive = Archive::open(input, limits)?;
    let entry = {
        let mut files = archive.files().filter(|entry| !is_of_the_system(&entry.name));
        match (files.next(), files.next()) {
            (Some(entry), None) => entry.clone(),
            (None, _) => return Err(refused("Found a ZIP archive without a report").into()),
            (_, Some(_)) => {
                return Err(refused(&format!("Found a ZIP archive of {} files", 2 + files.count())).into());
            }
        }
    };
    if extension(name).as_deref() != Some("zip") {
        return Err(refused("Found a ZIP archive in a file whose name does not end in .zip").into());
    }
    let mut inside = archive.into_unpacked(&entry)?;
    let first = first_bytes(&mut inside)?;
    if first.starts_with(archive::MAGIC) {
        return open_packed_workbook(&entry.name, inside, limits);
    }
    Ok(ReportFile { head: Head::new(&entry.name, &first), input: Box::new(inside) })
}

/// Opens a workbook in an archive, unpacked in memory: its parts are read out of order.
fn open_packed_workbook<'i>(name: &str, packed: impl Read, limits: &Limits) -> Result<ReportFile<'i>, Failure> {
    let mut bytes = Vec::new();
    packed.take(limits.archive_bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    let first = bytes.get(..HEAD_BYTES_MAX).unwrap_or(&bytes).to_vec();
    let mut input = Cursor::new(bytes);
    if !Archive::open(&mut input, limits)?.is_workbook() {
        return Err(refused("Found a ZIP archive in a ZIP archive").into());
    }
    let sheets = Workbook::glance(&mut input, limits)?.first_rows(HEAD_ROWS_MAX)?;
    input.set_position(0);
    Ok(ReportFile { head: Head::of_workbook(name, &first, sheets), input: Box::new(input) })
}

/// Whether a file in an archive is one that an operating system adds by itself.
fn is_of_the_system(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    name.starts_with("__MACOSX/") || file.starts_with("._") || [".DS_Store", "Thumbs.db", "desktop.ini"].contains(&file)
}

fn first_bytes(input: &mut dyn ReadSeek) -> Result<Vec<u8>, Failure> {
    let mut first = Vec::new();
    input.rewind()?;
    Read::take(&mut *input, HEAD_BYTES_MAX as u64).read_to_end(&mut first)?;
    input.rewind()?;
    Ok(first)
}

fn refused(found: &str) -> Problem {
    let message = format!("{found}, expected one report, alone in a .zip file or as it is. Send each report by itself");
    Problem::error(Kind::UnknownLayout, message)
}
