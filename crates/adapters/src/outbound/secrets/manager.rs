//! Credentials in AWS Secrets Manager: one secret for each account, `<prefix>/<account>`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use dintero::{Credentials, Secret};
use serde::Deserialize;
use settlement::AccountId;
use store::TokenSecret;
use store::{PortError, PortErrorKind, Secrets};

use super::SECRET_BYTES;
use crate::outbound::aws::{answered, failed};

/// What was read is used this long, unless it is refused before.
const KEPT: Duration = Duration::from_mins(5);

/// Secrets of that name and form: `{"client_id": "…", "client_secret": "…"}`.
#[derive(Debug)]
pub struct SecretsManager {
    client: Client,
    prefix: String,
    kept: Mutex<BTreeMap<AccountId, (Instant, Credentials)>>,
}

#[derive(Deserialize)]
struct Stored {
    client_id: String,
    client_secret: String,
}

impl SecretsManager {
    /// The secrets whose names begin with `prefix`.
    pub fn new(config: &SdkConfig, prefix: &str) -> Self {
        SecretsManager { client: Client::new(config), prefix: prefix.to_owned(), kept: Mutex::default() }
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn credentials(&self, account: &AccountId, fresh: bool) -> Result<Credentials, PortError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(account).cloned();
        if let Some((at, credentials)) = kept
            && !fresh
            && at.elapsed() < KEPT
        {
            return Ok(credentials);
        }
        let what = format!("Cannot speak for account {account}");
        let found = self.client.get_secret_value().secret_id(format!("{}/{account}", self.prefix)).send().await;
        let found = found.map_err(|error| match answered(&error) {
            Some(("ResourceNotFoundException", _)) => {
                PortError::new(PortErrorKind::NotFound, &what, "it has no API client. Store one as a secret")
            }
            _ => failed(&what, &error),
        })?;
        // An error of the reader would quote the text.
        let stored = found.secret_string().and_then(|text| serde_json::from_str::<Stored>(text).ok());
        let Some(Stored { client_id, client_secret }) = stored else {
            let why = "its secret cannot be read, expected {\"client_id\": …, \"client_secret\": …}";
            return Err(PortError::new(PortErrorKind::Refused, what, why));
        };
        let credentials = Credentials { client_id, client_secret: Secret::new(&client_secret) };
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(account.clone(), (Instant::now(), credentials.clone()));
        Ok(credentials)
    }
}

/// The secret of that name, which codes of recipients are made with.
///
/// # Errors
/// When it cannot be read, or is shorter than what it is used with.
pub async fn kept_token_secret(config: &SdkConfig, name: &str) -> Result<TokenSecret, PortError> {
    let what = "Cannot read the secret that codes of recipients are made with";
    let found = Client::new(config).get_secret_value().secret_id(name).send().await;
    let found = found.map_err(|error| failed(what, &error))?;
    let bytes = match (found.secret_string(), found.secret_binary()) {
        (Some(text), _) => text.as_bytes(),
        (None, Some(bytes)) => bytes.as_ref(),
        (None, None) => &[],
    };
    if bytes.len() < SECRET_BYTES {
        let why = format!("found {} bytes, expected at least {SECRET_BYTES}", bytes.len());
        return Err(PortError::new(PortErrorKind::Refused, what, why));
    }
    Ok(TokenSecret::new(bytes))
}
