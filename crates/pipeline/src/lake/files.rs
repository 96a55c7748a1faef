//! Objects as local files: what is read more than once is fetched once, and what would not change is not put.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use settlement::{AccountId, ReportId};
use store::keys::Key;
use store::{ObjectMeta, PortError, PortErrorKind, PutNew};
use tempfile::NamedTempFile;

use crate::current::lines::fetch_lines;
use crate::{Ports, StepError};

/// Files of reports that are kept on local disk: a report's settlements are mostly paid out on days that follow each other.
const KEPT_FILES_MAX: usize = 8;

/// The tables of reports, as far as they were fetched.
pub(super) struct Fetched<'a> {
    pub(super) ports: &'a Ports,
    pub(super) account: &'a AccountId,
    pub(super) scratch: &'a Path,
    kept: VecDeque<(String, NamedTempFile)>,
}

impl<'a> Fetched<'a> {
    pub(super) fn new(ports: &'a Ports, account: &'a AccountId, scratch: &'a Path) -> Self {
        Fetched { ports, account, scratch, kept: VecDeque::new() }
    }

    /// The lines of a committed report.
    pub(super) async fn lines(&mut self, report: ReportId) -> Result<File, StepError> {
        let name = format!("lines of {report}");
        if self.known(&name).is_none() {
            let file = NamedTempFile::new_in(self.scratch)?;
            fetch_lines(self.ports, self.account, report, &file).await?;
            self.keep(name.clone(), file);
        }
        self.open(&name)
    }

    /// What its lines were matched with; `None` when that table is not there.
    pub(super) async fn matches(&mut self, report: ReportId, digest: &str) -> Result<Option<File>, StepError> {
        let key = Key::Matches { account: self.account.clone(), report, digest: digest.to_owned() };
        let name = key.to_string();
        if self.known(&name).is_none() {
            let Some(meta) = self.ports.objects.head(&key).await? else { return Ok(None) };
            let file = NamedTempFile::new_in(self.scratch)?;
            self.ports.objects.fetch(&key, &meta.version, &mut file.reopen()?).await?;
            self.keep(name.clone(), file);
        }
        self.open(&name).map(Some)
    }

    fn known(&self, name: &str) -> Option<&NamedTempFile> {
        self.kept.iter().find(|(known, _)| known == name).map(|(_, file)| file)
    }

    fn keep(&mut self, name: String, file: NamedTempFile) {
        if self.kept.len() >= KEPT_FILES_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back((name, file));
    }

    fn open(&self, name: &str) -> Result<File, StepError> {
        let file = self.known(name).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(file.reopen()?)
    }
}

/// What became of a view that was made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Replaced {
    /// It is as it was, in that version.
    Same(String),
    /// It is in place now.
    Put(ObjectMeta),
    /// Somebody else has replaced it since it was looked at.
    Overtaken,
}

/// Puts a view in place of what was seen `before`, unless it is the same.
pub(super) async fn replace(
    ports: &Ports,
    key: &Key,
    file: &NamedTempFile,
    before: Option<&ObjectMeta>,
    scratch: &Path,
) -> Result<Replaced, StepError> {
    match is_same(ports, key, file, before, scratch).await? {
        None => return Ok(Replaced::Overtaken),
        Some(Some(version)) => return Ok(Replaced::Same(version)),
        Some(None) => {}
    }
    Ok(match ports.objects.upload_if(key, file.path(), before).await? {
        PutNew::Created(meta) => Replaced::Put(meta),
        PutNew::Exists => Replaced::Overtaken,
    })
}

/// The version in place when it has the same bytes; `None` when it is gone.
pub(super) async fn is_same(
    ports: &Ports,
    key: &Key,
    file: &NamedTempFile,
    before: Option<&ObjectMeta>,
    scratch: &Path,
) -> Result<Option<Option<String>>, StepError> {
    let size_bytes = file.as_file().metadata()?.len();
    let Some(before) = before.filter(|before| before.size_bytes == size_bytes) else { return Ok(Some(None)) };
    let Some(old) = fetch(ports, key, &before.version, scratch).await? else { return Ok(None) };
    let same = equal(file.reopen()?, old.reopen()?)?;
    Ok(Some(same.then(|| before.version.clone())))
}

/// That version of a view on local disk; `None` when another has taken its place.
pub(super) async fn fetch(
    ports: &Ports,
    key: &Key,
    version: &str,
    scratch: &Path,
) -> Result<Option<NamedTempFile>, StepError> {
    let file = NamedTempFile::new_in(scratch)?;
    match ports.objects.fetch(key, version, &mut file.reopen()?).await {
        Ok(_) => Ok(Some(file)),
        Err(PortError { kind: PortErrorKind::NotFound, .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn equal(mut one: File, mut other: File) -> io::Result<bool> {
    let (mut of_one, mut of_other) = (Vec::new(), Vec::new());
    loop {
        of_one.clear();
        of_other.clear();
        let read = one.by_ref().take(256 * 1024).read_to_end(&mut of_one)?;
        other.by_ref().take(256 * 1024).read_to_end(&mut of_other)?;
        if of_one != of_other {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
    }
}
