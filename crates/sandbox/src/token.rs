//! Clients of accounts, and the tokens they have.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dintero::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use settlement::AccountId;

use super::Sandbox;
use super::refusal::Refusal;

/// Stands in every token, so that whatever should not show one can be searched for it.
pub const TOKEN_MARK: &str = "sandbox-token";

/// An API client.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) account: AccountId,
    pub(super) id: String,
    pub(super) secret: String,
}

/// A token that somebody has.
#[derive(Debug, Clone)]
pub(super) struct IssuedToken {
    pub(super) account: AccountId,
    ends: Timestamp,
}

impl Sandbox {
    pub(super) fn issue_token(
        &mut self,
        account: &str,
        authorization: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let basic = authorization.strip_prefix("Basic ").and_then(|basic| STANDARD.decode(basic).ok());
        let pair = basic.and_then(|basic| String::from_utf8(basic).ok()).ok_or_else(Refusal::unauthorised)?;
        let (id, secret) = pair.split_once(':').ok_or_else(Refusal::unauthorised)?;
        let is_it = |client: &&Client| client.account.as_str() == account && client.id == id && client.secret == secret;
        let client = self.clients.iter().find(is_it).ok_or_else(Refusal::unauthorised)?;
        let asked: Value = serde_json::from_str(body).map_err(|_| Refusal::bad("The body is no JSON"))?;
        if asked.get("grant_type") != Some(&json!("client_credentials")) {
            return Err(Refusal::bad("grant_type must be client_credentials"));
        }
        if asked.get("audience") != Some(&json!(format!("https://api.dintero.com/v1/accounts/{account}"))) {
            return Err(Refusal::bad("audience must be that of the account"));
        }
        self.tokens_issued += 1;
        let token = format!("{TOKEN_MARK}.{account}.{}", self.tokens_issued);
        let ends = now.saturating_add(self.token_life).unwrap_or(now);
        self.tokens.insert(token.clone(), IssuedToken { account: client.account.clone(), ends });
        Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": self.token_life.as_secs() }))
    }

    /// The account whose token a request comes with, as long as the token is kept.
    pub fn account_of(&self, request: &Request) -> Option<&AccountId> {
        let token = request.authorization.reveal().strip_prefix("Bearer ")?;
        self.tokens.get(token).map(|token| &token.account)
    }

    /// The account that a request is made for.
    pub(super) fn authorised(&self, authorization: &str, now: Timestamp) -> Result<AccountId, Refusal> {
        let token = authorization.strip_prefix("Bearer ").and_then(|token| self.tokens.get(token));
        match token {
            Some(IssuedToken { account, ends }) if now < *ends => Ok(account.clone()),
            _ => Err(Refusal::unauthorised()),
        }
    }
}
