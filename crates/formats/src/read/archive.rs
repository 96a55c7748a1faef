//! ZIP archives, opened under limits: what an archive claims is checked first and counted again while it is unpacked.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use settlement::{Kind, Problem};
use zip::CompressionMethod;
use zip::read::{ZipArchive, ZipFile};

use crate::failure::{Failure, FileFault, ReadSeek};
use crate::limits::Limits;

/// First bytes of a ZIP archive that has an entry.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";

/// An entry may inflate to this much whatever its ratio: small parts of a workbook repeat themselves.
const RATIO_FREE_BYTES: u64 = 100 * 1024;
/// An entry that inflates to more is large, and may repeat itself less.
const LARGE_BYTES: u64 = 4 * 1024 * 1024;

/// Parts of a workbook that could run, reach outside, or hide another document.
const UNSAFE_PARTS: &[&str] =
    &["vbaproject", "externallink", "macrosheet", "activex", "embeddings/", "connections.xml", "querytable"];

/// An archive whose every entry has been looked at.
pub(crate) struct Archive<'i> {
    input: &'i mut dyn ReadSeek,
    entries: Vec<Entry>,
}

/// One file in an archive, as the archive claims it to be.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its name, without anything that leads elsewhere.
    pub(crate) name: String,
    data_start: u64,
    packed_bytes: u64,
    size_bytes: u64,
    deflated: bool,
    checksum: u32,
}

impl<'i> Archive<'i> {
    /// Reads the directory of an archive and refuses what must not be opened.
    pub(crate) fn open(input: &'i mut dyn ReadSeek, limits: &Limits) -> Result<Self, Failure> {
        let size_bytes = input.seek(SeekFrom::End(0))?;
        if size_bytes > limits.archive_bytes_max {
            let message =
                format!("Found an archive of {size_bytes} bytes, expected at most {}", limits.archive_bytes_max);
            return Err(problem(Kind::TooLarge, &message).into());
        }
        check_claimed_entries(input, size_bytes, limits.archive_entries_max)?;
        input.rewind()?;
        let mut directory = ZipArchive::new(&mut *input).map_err(|error| unreadable(&error))?;
        if directory.has_duplicate_names() {
            return Err(problem(Kind::ArchiveUnsafe, "Found two entries of one name in the archive").into());
        }
        if directory.len() > limits.archive_entries_max {
            return Err(too_many(directory.len(), limits.archive_entries_max).into());
        }
        if directory.has_overlapping_entries().map_err(|error| unreadable(&error))? {
            return Err(problem(Kind::ArchiveUnsafe, "Found entries that share bytes in the archive").into());
        }
        let mut entries = Vec::new();
        let mut total_bytes = 0_u64;
        for place in 0..directory.len() {
            let file = directory.by_index_raw(place).map_err(|error| unreadable(&error))?;
            let entry = Entry::of(&file)?;
            total_bytes = total_bytes.saturating_add(entry.size_bytes);
            entry.is_within(limits)?;
            entries.push(entry);
        }
        if total_bytes > limits.unpacked_bytes_max {
            let message = format!(
                "Found an archive of {total_bytes} bytes when unpacked, expected at most {}",
                limits.unpacked_bytes_max
            );
            return Err(problem(Kind::ArchiveLimits, &message).into());
        }
        Ok(Archive { input, entries })
    }

    /// Whether it is a workbook of the XLSX family.
    pub(crate) fn is_workbook(&self) -> bool {
        self.entry("xl/workbook.xml").is_some() && self.entry("[Content_Types].xml").is_some()
    }

    /// The entry of that name, whatever the case of its letters: names of parts are compared so.
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        let same_letters = || self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name));
        self.entries.iter().find(|entry| entry.name == name).or_else(same_letters)
    }

    /// All entries that are files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.name.ends_with('/'))
    }

    /// The bytes of an entry.
    pub(crate) fn unpack(&mut self, entry: &Entry) -> io::Result<Unpacked<'_>> {
        Unpacked::new(&mut *self.input, entry.clone())
    }

    /// The bytes of an entry, in place of the archive.
    pub(crate) fn into_unpacked(self, entry: &Entry) -> io::Result<Unpacked<'i>> {
        Unpacked::new(self.input, entry.clone())
    }
}

impl Entry {
    fn of<R: Read>(file: &ZipFile<'_, R>) -> Result<Self, Problem> {
        let name = file.name().map_err(|error| unreadable(&error))?.into_owned();
        let leads_elsewhere = name.split('/').any(|part| part == "..")
            || name.starts_with('/')
            || name.contains(['\\', ':'])
            || name.chars().any(char::is_control);
        let lower = name.to_lowercase();
        let reason = if leads_elsewhere {
            "a name that leads out of the archive"
        } else if file.encrypted() {
            "encrypted content"
        } else if file.is_symlink() {
            "a link in place of a file"
        } else if UNSAFE_PARTS.iter().any(|part| lower.contains(part)) {
            "a macro, an outside link or an embedded document"
        } else if !matches!(file.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            "an unusual way of packing"
        } else {
            let data_start =
                file.data_start().ok_or_else(|| problem(Kind::ArchiveMalformed, "Found an entry without data"))?;
            return Ok(Entry {
                name,
                data_start,
                packed_bytes: file.compressed_size(),
                size_bytes: file.size(),
                deflated: file.compression() == CompressionMethod::Deflated,
                checksum: file.crc32(),
            });
        };
        let name: String = name.chars().take(80).collect();
        Err(problem(Kind::ArchiveUnsafe, &format!("Found entry {name:?} with {reason}")))
    }

    fn is_within(&self, limits: &Limits) -> Result<(), Problem> {
        let Entry { size_bytes, packed_bytes, .. } = self;
        let small = packed_bytes.saturating_mul(limits.unpack_ratio_max).min(LARGE_BYTES);
        let large = packed_bytes.saturating_mul(limits.large_unpack_ratio_max);
        let unpacked_max = RATIO_FREE_BYTES.max(small).max(large);
        if *size_bytes > unpacked_max {
            let message = format!(
                "Found an entry of {packed_bytes} bytes that unpacks to {size_bytes}, expected at most {unpacked_max}"
            );
            return Err(problem(Kind::ArchiveBomb, &message));
        }
        if *size_bytes > limits.entry_bytes_max {
            let message = format!(
                "Found an entry of {size_bytes} bytes when unpacked, expected at most {}",
                limits.entry_bytes_max
            );
            return Err(problem(Kind::ArchiveLimits, &message));
        }
        if !self.deflated && size_bytes != packed_bytes {
            return Err(problem(Kind::ArchiveMalformed, "Found an entry that is not packed and yet of two sizes"));
        }
        Ok(())
    }
}

/// Reads the number of entries at the end of the archive before its directory, so that a claim of many costs nothing.
fn check_claimed_entries(input: &mut dyn ReadSeek, size_bytes: u64, entries_max: usize) -> Result<(), Failure> {
    const END_BYTES: usize = 22;
    const COMMENT_BYTES_MAX: u64 = 65_535;
    input.seek(SeekFrom::Start(size_bytes.saturating_sub(END_BYTES as u64 + COMMENT_BYTES_MAX)))?;
    let mut tail = Vec::new();
    Read::take(&mut *input, END_BYTES as u64 + COMMENT_BYTES_MAX).read_to_end(&mut tail)?;
    let Some(end) = tail.windows(END_BYTES).rposition(|window| window.starts_with(b"PK\x05\x06")) else {
        return Err(problem(Kind::ArchiveMalformed, "Found an archive without its end: it was cut").into());
    };
    let claimed = match tail.get(end + 10..end + 12) {
        Some([low, high]) => usize::from(u16::from_le_bytes([*low, *high])),
        _ => 0,
    };
    let locator = tail.get(end.saturating_sub(20)..end).filter(|before| before.starts_with(b"PK\x06\x07"));
    let claimed = match locator {
        Some(locator) => claimed_in_long_form(input, locator)?,
        None => claimed,
    };
    if claimed > entries_max { Err(too_many(claimed, entries_max).into()) } else { Ok(()) }
}

/// The number of entries by the record for huge files, which some programs write for small ones, too.
fn claimed_in_long_form(input: &mut dyn ReadSeek, locator: &[u8]) -> Result<usize, Failure> {
    let long = |bytes: &[u8], at: usize| {
        let bytes = bytes.get(at..at + 8).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        bytes.map(u64::from_le_bytes)
    };
    let malformed = || Failure::from(problem(Kind::ArchiveMalformed, "Found an archive whose end leads nowhere"));
    input.seek(SeekFrom::Start(long(locator, 8).ok_or_else(malformed)?))?;
    let mut record = Vec::new();
    Read::take(&mut *input, 56).read_to_end(&mut record)?;
    if !record.starts_with(b"PK\x06\x06") {
        return Err(malformed());
    }
    Ok(usize::try_from(long(&record, 32).ok_or_else(malformed)?).unwrap_or(usize::MAX))
}

fn too_many(found: usize, entries_max: usize) -> Problem {
    problem(Kind::ArchiveLimits, &format!("Found an archive of {found} entries, expected at most {entries_max}"))
}

fn unreadable(error: &zip::result::ZipError) -> Problem {
    let message = format!("Found an archive that cannot be read: {}", error.to_string().escape_debug());
    problem(Kind::ArchiveMalformed, &message)
}

fn problem(kind: Kind, message: &str) -> Problem {
    Problem::error(kind, format!("{message}. Download the file again from the provider"))
}

/// The bytes of one entry, counted and held against its checksum; reading starts anew after a rewind.
pub(crate) struct Unpacked<'i> {
    entry: Entry,
    /// `None` only while it is being rewound.
    stream: Option<Stream<'i>>,
    position: u64,
    checksum: Crc,
}

enum Stream<'i> {
    Stored(io::Take<&'i mut dyn ReadSeek>),
    Deflated(DeflateDecoder<io::Take<&'i mut dyn ReadSeek>>),
}

impl<'i> Unpacked<'i> {
    fn new(input: &'i mut dyn ReadSeek, entry: Entry) -> io::Result<Self> {
        input.seek(SeekFrom::Start(entry.data_start))?;
        let packed = input.take(entry.packed_bytes);
        let stream =
            if entry.deflated { Stream::Deflated(DeflateDecoder::new(packed)) } else { Stream::Stored(packed) };
        Ok(Unpacked { entry, stream: Some(stream), position: 0, checksum: Crc::new() })
    }

    fn fault(kind: Kind, message: &str) -> io::Error {
        FileFault(problem(kind, message)).into()
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.stream {
            Some(Stream::Stored(packed)) => packed.read(out),
            Some(Stream::Deflated(packed)) => packed.read(out),
            None => Ok(0),
        };
        let read = read.map_err(|error| match error.raw_os_error() {
            Some(_) => error,
            None => Self::fault(Kind::ArchiveMalformed, "Found packed bytes that cannot be unpacked"),
        })?;
        self.position += read as u64;
        if self.position > self.entry.size_bytes {
            return Err(Self::fault(Kind::ArchiveBomb, "Found an entry that unpacks to more than it declares"));
        }
        self.checksum.update(out.get(..read).unwrap_or_default());
        let ended = read == 0 && !out.is_empty();
        if ended && (self.position < self.entry.size_bytes || self.checksum.sum() != self.entry.checksum) {
            return Err(Self::fault(Kind::ArchiveMalformed, "Found an entry that differs from its own checksum"));
        }
        Ok(read)
    }
}

impl Seek for Unpacked<'_> {
    /// Only to the start, or to the end for the size.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(0) => {
                let packed = match self.stream.take() {
                    Some(Stream::Stored(packed)) => packed.into_inner(),
                    Some(Stream::Deflated(packed)) => packed.into_inner().into_inner(),
                    None => return Err(io::ErrorKind::NotSeekable.into()),
                };
                *self = Unpacked::new(packed, self.entry.clone())?;
                Ok(0)
            }
            SeekFrom::End(0) => Ok(self.entry.size_bytes),
            _ => Err(io::ErrorKind::NotSeekable.into()),
        }
    }
}
