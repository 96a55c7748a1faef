//! Credentials of accounts.

use async_trait::async_trait;
use settlement::AccountId;

use crate::error::PortError;

/// Gives the credentials of accounts.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The API client of an account; `fresh` when what was given before was refused.
    ///
    /// # Errors
    /// `NotFound` when the account has none, `Unavailable` when they cannot be read.
    async fn credentials(&self, account: &AccountId, fresh: bool) -> Result<dintero::Credentials, PortError>;
}
