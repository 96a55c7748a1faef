//! Objects as files of a directory; a version is the SHA-256 of its content.
//!
//! A file appears whole or not at all: it is written aside, synced, and then linked or renamed into place. Earlier
//! versions are kept under `.versions/<key>/`.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use settlement::hexadecimal;
use sha2::{Digest, Sha256};
use store::keys::Key;
use store::{ListedVersion, ObjectMeta, Objects, PortError, PortErrorKind, PutNew, VersionPage};
use tempfile::NamedTempFile;

/// Earlier versions lie below this folder, each under its key.
const VERSIONS: &str = ".versions";

/// A directory as an object store.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The store below `root`, which is made when it is first written to.
    pub fn new(root: &Path) -> Self {
        Directory { root: root.to_owned() }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.to_string())
    }

    fn version_path(&self, key: &Key, version: &str) -> PathBuf {
        self.root.join(VERSIONS).join(key.to_string()).join(version)
    }

    /// Copies what `write` gives to a file aside, with its version and size.
    fn write_aside(&self, write: impl FnOnce(&mut Hashing) -> io::Result<()>) -> io::Result<Aside> {
        let aside = self.root.join(".aside");
        fs::create_dir_all(&aside)?;
        let mut hashing = Hashing { file: NamedTempFile::new_in(&aside)?, hash: Sha256::new(), size_bytes: 0 };
        write(&mut hashing)?;
        hashing.file.as_file().sync_all()?;
        let version = hexadecimal(&hashing.hash.finalize());
        Ok(Aside { file: hashing.file, version, size_bytes: hashing.size_bytes })
    }

    fn link_new(&self, key: &Key, aside: Aside) -> io::Result<PutNew> {
        let path = self.path(key);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match aside.file.persist_noclobber(&path) {
            Ok(_) => Ok(PutNew::Created(meta(key, aside.version, aside.size_bytes))),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(PutNew::Exists),
            Err(error) => Err(error.error),
        }
    }

    /// Moves the version in place aside to its own name, then puts the new one; `may` decides by the version in place.
    ///
    /// Of what can be made again only the newest version is kept.
    fn replace(&self, key: &Key, aside: Aside, may: impl Fn(Option<&str>) -> bool) -> io::Result<PutNew> {
        let path = self.path(key);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        // One writer at a time: two that replace one key would each keep the other's version or lose it.
        let lock = File::create(self.root.join(".lock"))?;
        lock.lock()?;
        let current = version_of(&path)?;
        if !may(current.as_deref()) {
            return Ok(PutNew::Exists);
        }
        if let Some(current) = current.filter(|current| *current != aside.version && !key.can_be_made_again()) {
            let kept = self.version_path(key, &current);
            if let Some(parent) = kept.parent() {
                fs::create_dir_all(parent)?;
            }
            match fs::hard_link(&path, &kept) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        aside.file.persist(&path).map_err(|error| error.error)?;
        Ok(PutNew::Created(meta(key, aside.version, aside.size_bytes)))
    }
}

struct Aside {
    file: NamedTempFile,
    version: String,
    size_bytes: u64,
}

struct Hashing {
    file: NamedTempFile,
    hash: Sha256,
    size_bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn meta(key: &Key, version: String, size_bytes: u64) -> ObjectMeta {
    ObjectMeta { key: key.to_string(), version, size_bytes }
}

fn version_of(path: &Path) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut hash = Sha256::new();
    let mut block = vec![0; 256 * 1024];
    loop {
        match io::Read::read(&mut file, &mut block)? {
            0 => return Ok(Some(hexadecimal(&hash.finalize()))),
            read => hash.update(block.get(..read).unwrap_or_default()),
        }
    }
}

/// Finds the files below `root` whose keys begin with `prefix`; an old version is named by the last part of its path.
fn list(root: &Path, prefix: &str, is_old: bool, found: &mut Vec<ListedVersion>) -> io::Result<()> {
    let first = prefix.split('/').next().unwrap_or_default();
    let mut folders = vec![root.join(first)];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(root).unwrap_or(&path);
            let key = if is_old { below.parent().unwrap_or(below) } else { below };
            let key = key.to_string_lossy().into_owned();
            if !key.starts_with(prefix) {
                continue;
            }
            let version = if is_old {
                entry.file_name().to_string_lossy().into_owned()
            } else {
                version_of(&path)?.unwrap_or_default()
            };
            let at = Timestamp::try_from(entry.metadata()?.modified()?).ok();
            found.push(ListedVersion { key, version, at });
        }
    }
    Ok(())
}

fn failed(what: &str, key: &Key, error: io::Error) -> PortError {
    let kind = match error.kind() {
        ErrorKind::NotFound => PortErrorKind::NotFound,
        ErrorKind::PermissionDenied | ErrorKind::InvalidInput => PortErrorKind::Refused,
        _ => PortErrorKind::Unavailable,
    };
    PortError::new(kind, format!("Cannot {what} {key}"), error)
}

#[async_trait]
impl Objects for Directory {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        let path = self.path(key);
        let version = version_of(&path).map_err(|error| failed("look at", key, error))?;
        let Some(version) = version else { return Ok(None) };
        let size_bytes = fs::metadata(&path).map_err(|error| failed("look at", key, error))?.len();
        Ok(Some(meta(key, version, size_bytes)))
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn Write + Send)) -> Result<u64, PortError> {
        if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(PortError::new(PortErrorKind::NotFound, format!("Cannot get {key}"), "no such version"));
        }
        let current = version_of(&self.path(key)).map_err(|error| failed("get", key, error))?;
        let path = if current.as_deref() == Some(version) { self.path(key) } else { self.version_path(key, version) };
        let mut file = File::open(path).map_err(|error| failed("get", key, error))?;
        io::copy(&mut file, into)
            .map_err(|error| PortError::new(PortErrorKind::Unavailable, format!("Cannot copy {key}"), error))
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        let copy = |out: &mut Hashing| io::copy(&mut File::open(file)?, out).map(drop);
        let put = || self.replace(key, self.write_aside(copy)?, |_| true);
        match put().map_err(|error| failed("put", key, error))? {
            PutNew::Created(meta) => Ok(meta),
            PutNew::Exists => Err(failed("put", key, ErrorKind::AlreadyExists.into())),
        }
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        let copy = |out: &mut Hashing| io::copy(&mut File::open(file)?, out).map(drop);
        let put = || {
            let aside = self.write_aside(copy)?;
            match before {
                Some(before) => self.replace(key, aside, |current| current == Some(before.version.as_str())),
                None => self.link_new(key, aside),
            }
        };
        put().map_err(|error| failed("put", key, error))
    }

    async fn versions(&self, prefix: &str, _cursor: Option<&str>) -> Result<VersionPage, PortError> {
        let list = || {
            let mut found = Vec::new();
            for (root, is_old) in [(self.root.clone(), false), (self.root.join(VERSIONS), true)] {
                list(&root, prefix, is_old, &mut found)?;
            }
            found.sort_by(|a, b| (&a.key, a.at, &a.version).cmp(&(&b.key, b.at, &b.version)));
            Ok(found)
        };
        let failed =
            |error: io::Error| PortError::new(PortErrorKind::Unavailable, format!("Cannot list {prefix}"), error);
        Ok(VersionPage { versions: list().map_err(failed)?, cursor: None })
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        let put = || self.link_new(key, self.write_aside(|out| out.write_all(bytes))?);
        put().map_err(|error| failed("put", key, error))
    }
}
