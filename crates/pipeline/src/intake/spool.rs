//! A report copied to local disk while its bytes are counted and hashed.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use settlement::{Defect, ReportId, is_seeded};
use sha2::{Digest, Sha256};
use store::keys::Key;
use store::{Objects, PortErrorKind};
use tempfile::NamedTempFile;

use crate::StepError;

/// A report on local disk.
pub(crate) struct Spooled {
    pub(crate) file: NamedTempFile,
    pub(crate) report: ReportId,
    pub(crate) size_bytes: u64,
}

/// What spooling came to.
pub(crate) enum Spool {
    Done(Spooled),
    /// The object or its version is gone.
    Missing,
    /// The object is beyond the limit; nothing of it was kept.
    TooLarge,
}

/// Copies one version of an object to `scratch` and hashes it on the way.
pub(crate) async fn spool(
    objects: &dyn Objects,
    key: &Key,
    version: &str,
    scratch: &Path,
    size_bytes_max: u64,
) -> Result<Spool, StepError> {
    let mut copy = Copy { file: NamedTempFile::new_in(scratch)?, hash: Sha256::new(), size_bytes: 0, size_bytes_max };
    let latest = if is_seeded(Defect::ReadsLatestVersion) { objects.head(key).await? } else { None };
    let version = latest.as_ref().map_or(version, |meta| meta.version.as_str());
    match objects.fetch(key, version, &mut copy).await {
        Ok(_) => {}
        Err(_) if copy.size_bytes > size_bytes_max => return Ok(Spool::TooLarge),
        Err(error) if error.kind == PortErrorKind::NotFound => return Ok(Spool::Missing),
        Err(error) => return Err(error.into()),
    }
    copy.file.flush()?;
    let report = ReportId::from_sha256(copy.hash.finalize().into());
    Ok(Spool::Done(Spooled { file: copy.file, report, size_bytes: copy.size_bytes }))
}

/// The report id of a local file.
///
/// # Errors
/// When the file cannot be read.
pub fn report_id_of(file: &mut File) -> io::Result<ReportId> {
    let mut hash = Sha256::new();
    let mut block = vec![0; 64 * 1024];
    io::Seek::rewind(file)?;
    loop {
        match io::Read::read(file, &mut block)? {
            0 => break,
            read => hash.update(block.get(..read).unwrap_or_default()),
        }
    }
    io::Seek::rewind(file)?;
    Ok(ReportId::from_sha256(hash.finalize().into()))
}

struct Copy {
    file: NamedTempFile,
    hash: Sha256,
    size_bytes: u64,
    size_bytes_max: u64,
}

impl Write for Copy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.size_bytes += bytes.len() as u64;
        if self.size_bytes > self.size_bytes_max {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.hash.update(bytes);
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
