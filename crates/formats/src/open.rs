//! Opens a file far enough to say what it is: out of its ZIP archive, or as a workbook.

use std::io::{self, Cursor, Read};

use settlement::{Kind, Problem};

use crate::failure::{Failure, ReadSeek};
use crate::head::Head;
use crate::identify::extension;
use crate::limits::{HEAD_BYTES_MAX, Limits};
use crate::read::archive::{self, Archive, Entry};
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
        let mut files = reports(&archive);
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

/// The names of the reports in an archive that holds several; none for any other file.
///
/// # Errors
/// As [`open`].
pub fn reports_in(name: &str, input: &mut dyn ReadSeek, limits: &Limits) -> Result<Vec<String>, Failure> {
    let first = first_bytes(input)?;
    if !first.starts_with(archive::MAGIC) || extension(name).as_deref() != Some("zip") {
        return Ok(Vec::new());
    }
    let archive = Archive::open(&mut *input, limits)?;
    let names: Vec<String> = reports(&archive).map(|entry| entry.name.clone()).collect();
    let is_one = archive.is_workbook() || names.len() < 2;
    input.rewind()?;
    Ok(if is_one { Vec::new() } else { names })
}

/// Unpacks one of the reports that [`reports_in`] has named.
///
/// # Errors
/// As [`open`], or when `out` cannot be written.
pub fn unpack(report: &str, input: &mut dyn ReadSeek, limits: &Limits, out: &mut dyn io::Write) -> Result<(), Failure> {
    let mut archive = Archive::open(input, limits)?;
    let entry = reports(&archive).find(|entry| entry.name == report).cloned();
    let entry = entry.ok_or_else(|| refused("Found a ZIP archive without the report that it named"))?;
    io::copy(&mut archive.unpack(&entry)?, out)?;
    Ok(())
}

/// The files of an archive but for those that an operating system adds.
fn reports<'a>(archive: &'a Archive<'_>) -> impl Iterator<Item = &'a Entry> {
    archive.files().filter(|entry| !is_of_the_system(&entry.name))
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
