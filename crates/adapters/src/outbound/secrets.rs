//! Credentials of accounts, and the secret of a home.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

#[cfg(feature = "aws")]
mod manager;

#[cfg(feature = "aws")]
pub use manager::{SecretsManager, kept_token_secret};

use async_trait::async_trait;
use dintero::Credentials;
use settlement::AccountId;
use store::{PortError, PortErrorKind, Secrets, TokenSecret};
use tempfile::NamedTempFile;

/// The API client of one account, given when the process starts.
#[derive(Debug)]
pub struct OneClient {
    /// The account; there is nothing for any other.
    pub account: AccountId,
    /// Its client.
    pub credentials: Credentials,
}

#[async_trait]
impl Secrets for OneClient {
    async fn credentials(&self, account: &AccountId, _fresh: bool) -> Result<Credentials, PortError> {
        if *account == self.account {
            return Ok(self.credentials.clone());
        }
        let what = format!("Cannot speak for account {account}");
        let why = format!("the API client belongs to {}", self.account);
        Err(PortError::new(PortErrorKind::NotFound, what, why))
    }
}

/// The secret that codes of a home are made with: made by chance the first time, for its owner's eyes alone.
///
/// # Errors
/// When it can neither be read nor made.
pub fn token_secret(home: &Path) -> Result<TokenSecret, PortError> {
    let path = home.join("secret");
    let failed =
        |kind| move |error| PortError::new(kind, format!("Cannot use {}", home.join("secret").display()), error);
    match fs::read(&path) {
        Ok(bytes) if bytes.len() == SECRET_BYTES => return Ok(TokenSecret::new(bytes)),
        Ok(bytes) => {
            let found = format!("found {} bytes, expected {SECRET_BYTES}", bytes.len());
            return Err(failed(PortErrorKind::Refused)(std::io::Error::other(found)));
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(PortErrorKind::Refused)(error)),
        Err(_) => {}
    }
    let make = || {
        let mut bytes = vec![0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
        // A temporary file is readable by its owner alone.
        let mut file = NamedTempFile::new_in(home)?;
        file.write_all(&bytes)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(bytes),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => fs::read(&path),
            Err(error) => Err(error.error),
        }
    };
    make().map(TokenSecret::new).map_err(failed(PortErrorKind::Unavailable))
}

/// As long as what it is used with.
const SECRET_BYTES: usize = 32;
