//! The only wiring: the choice of an adapter for each port.

#[cfg(feature = "aws")]
mod cloud;
mod home;
mod lock;

#[cfg(feature = "aws")]
pub use cloud::Cloud;
pub use home::{BadHome, Home};
pub use lock::HomeLock;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pipeline::mail::Mailing;
use pipeline::transactions::client::{Clock, Dintero, Environment};
use pipeline::{Packing, Ports};
use store::{HttpClient, Mailer, Objects, PortError, PortErrorKind, State};

use crate::config::{DinteroConfig, MailConfig};
use crate::outbound::mailer::{EmlFolder, MemoryMailer};
use crate::outbound::objects::{Directory, MemoryObjects};
use crate::outbound::secrets::{OneClient, token_secret};
use crate::outbound::state::{MemoryState, Sqlite};

/// The ports, and a directory for temporary files.
#[derive(Debug, Clone)]
pub struct App {
    /// What the steps use.
    pub ports: Ports,
    /// For files that last as long as a step.
    pub scratch: PathBuf,
    /// Dintero's API, where it is configured.
    pub dintero: Option<Arc<Dintero>>,
    /// This process' share in a directory; nobody has one in a directory that is only read, in memory or in the cloud.
    pub lock: Option<Arc<HomeLock>>,
}

impl App {
    /// Everything in one directory: objects as files, the state in SQLite.
    ///
    /// # Errors
    /// When the directory cannot be made or used.
    pub fn at_home(home: &Path) -> Result<Self, PortError> {
        let scratch = home.join("tmp");
        std::fs::create_dir_all(&scratch).map_err(|error| {
            PortError::new(PortErrorKind::Refused, format!("Cannot make directory {}", scratch.display()), error)
        })?;
        let lock = HomeLock::take(home, &scratch).map_err(|error| {
            PortError::new(PortErrorKind::Refused, format!("Cannot lock {}", home.display()), error)
        })?;
        let objects = format!("file://{}", home.display());
        let state = Arc::new(Sqlite::open(&home.join("state.sqlite"))?.alone_since(lock.alone_at));
        let ports = Ports { objects: objects_at(&objects)?, state, packing: Packing::Zstd };
        Ok(App { ports, scratch, dintero: None, lock: Some(Arc::new(lock)) })
    }

    /// The same, speaking with Dintero as it is configured.
    #[must_use]
    pub fn with_dintero(self, http: Arc<dyn HttpClient>, config: DinteroConfig, clock: Clock) -> Self {
        let DinteroConfig { account, credentials, hosts } = config;
        let environment = Environment::of(&account);
        let secrets = Arc::new(OneClient { account, credentials });
        App { dintero: Some(Arc::new(Dintero::new(http, secrets, hosts, environment, clock))), ..self }
    }

    /// What mails of a home are sent with: each becomes a file of its outbox.
    ///
    /// # Errors
    /// When the secret of the home can neither be read nor made.
    pub fn mailing(home: &Path, config: MailConfig, clock: Clock) -> Result<Mailing, PortError> {
        let mailer = mailer_at(&format!("eml://{}", home.join("outbox").display()))?;
        let MailConfig { from, reply_to, backoffice, stop } = config;
        let from = from.unwrap_or_else(MailConfig::local_sender);
        Ok(Mailing { reply_to, backoffice, stop, ..Mailing::new(mailer, from, token_secret(home)?, clock) })
    }

    /// The same directory, to be read only: nothing in it is made or changed.
    ///
    /// # Errors
    /// `NotFound` when the directory is no home, else when what is there cannot be read.
    pub fn reading(home: &Path) -> Result<Self, PortError> {
        home::is_home(home)?;
        let state: Arc<dyn State> = Arc::new(Sqlite::open_to_read(&home.join("state.sqlite"))?);
        let objects = objects_at(&format!("file://{}", home.display()))?;
        let ports = Ports { objects, state, packing: Packing::Zstd };
        Ok(App { ports, scratch: std::env::temp_dir(), dintero: None, lock: None })
    }

    /// Everything in memory, gone at the end.
    ///
    /// # Errors
    /// Never for these adapters; the signature is that of the others.
    pub fn in_memory(scratch: &Path) -> Result<Self, PortError> {
        let (objects, state) = (objects_at("memory://")?, state_at("memory://")?);
        let ports = Ports { objects, state, packing: Packing::Zstd };
        Ok(App { ports, scratch: scratch.to_owned(), dintero: None, lock: None })
    }
}

/// The object store that a URL names: `file://` or `memory://`.
///
/// # Errors
/// For any other scheme.
pub fn objects_at(url: &str) -> Result<Arc<dyn Objects>, PortError> {
    match url.split_once("://") {
        Some(("file", path)) => Ok(Arc::new(Directory::new(Path::new(path)))),
        Some(("memory", _)) => Ok(Arc::new(MemoryObjects::default())),
        _ => Err(unknown_scheme(url, "file:// or memory://")),
    }
}

/// The state that a URL names: `sqlite://` or `memory://`.
///
/// # Errors
/// For any other scheme, or when the database cannot be opened.
pub fn state_at(url: &str) -> Result<Arc<dyn State>, PortError> {
    match url.split_once("://") {
        Some(("sqlite", path)) => Ok(Arc::new(Sqlite::open(Path::new(path))?)),
        Some(("memory", _)) => Ok(Arc::new(MemoryState::default())),
        _ => Err(unknown_scheme(url, "sqlite:// or memory://")),
    }
}

/// The mailer that a URL names: `eml://` or `memory://`.
///
/// # Errors
/// For any other scheme.
pub fn mailer_at(url: &str) -> Result<Arc<dyn Mailer>, PortError> {
    match url.split_once("://") {
        Some(("eml", path)) => Ok(Arc::new(EmlFolder::new(Path::new(path)))),
        Some(("memory", _)) => Ok(Arc::new(MemoryMailer::default())),
        _ => Err(unknown_scheme(url, "eml:// or memory://")),
    }
}

fn unknown_scheme(url: &str, expected: &str) -> PortError {
    let scheme = url.split("://").next().unwrap_or(url);
    PortError::new(PortErrorKind::Refused, "Cannot choose an adapter", format!("found {scheme}, expected {expected}"))
}
