//! An outbox of files: each mail lies there as any mail program opens it, named by its time and id.
//!
//! A file appears whole or not at all, and once: a mail that is sent a second time is there already, however late.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use settlement::MailId;
use store::{Envelope, Mailer, NotSent, NotSentKind, PortError, PortErrorKind};
use tempfile::NamedTempFile;

/// A directory as a mailer.
#[derive(Debug)]
pub struct EmlFolder {
    root: PathBuf,
}

impl EmlFolder {
    /// The outbox at `root`, which is made when the first mail is sent.
    pub fn new(root: &Path) -> Self {
        EmlFolder { root: root.to_owned() }
    }

    fn put(&self, name: &str, message: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.root)?;
        let mut file = NamedTempFile::new_in(&self.root)?;
        file.write_all(message)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(self.root.join(name)) {
            Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(error.error),
            _ => Ok(()),
        }
    }

    fn find(&self, id: &MailId) -> std::io::Result<Option<String>> {
        let ending = format!("_{id}.eml");
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(&ending) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Mailer for EmlFolder {
    async fn send(&self, envelope: &Envelope<'_>, message: &[u8]) -> Result<String, NotSent> {
        let name = format!("{}_{}.eml", envelope.at.strftime("%Y-%m-%dT%H%M%SZ"), envelope.id);
        // A mail that is not complete must not be seen.
        let failed = |error: std::io::Error| NotSent {
            kind: NotSentKind::Later,
            why: format!("Cannot write to the outbox {}: {error}", self.root.display()),
        };
        self.put(&name, message).map_err(failed)?;
        Ok(name)
    }

    async fn sent(&self, id: &MailId) -> Result<Option<String>, PortError> {
        let what = || format!("Cannot look into the outbox {}", self.root.display());
        self.find(id).map_err(|error| PortError::new(PortErrorKind::Unavailable, what(), error))
    }
}
