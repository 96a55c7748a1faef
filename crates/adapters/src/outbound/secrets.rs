//! Credentials of accounts.

use async_trait::async_trait;
use dintero::Credentials;
use pipeline::{PortError, PortErrorKind, Secrets};
use settlement::AccountId;

/// The API client of one account, as the process was told at its start.
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
