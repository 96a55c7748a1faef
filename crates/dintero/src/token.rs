//! Tokens: an API client's credentials are exchanged for a bearer token that lasts some hours.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::error::{Unreadable, read};
use crate::http::{Response, Secret};

/// The credentials of an API client of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

/// A bearer token and its lifetime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Value of the header `Authorization`.
    pub authorization: Secret,
    /// The time at which to get a new one: after four fifths of its lifetime.
    pub renew_at: Timestamp,
}

#[derive(Deserialize)]
struct TokenBody {
    access_token: String,
    token_type: String,
    expires_in: i64,
}

/// An upper limit of a token's lifetime in seconds, longer than any documented one.
const LIFE_SECONDS_MAX: i64 = 30 * 86_400;

/// Reads the response to a request for a token that was sent at `now`.
///
/// # Errors
/// When the response does not have the documented form.
pub fn token(answer: &Response, now: Timestamp) -> Result<Token, Unreadable> {
    let TokenBody { access_token, token_type, expires_in } = read(answer)?;
    let unreadable = |reason: &str| Unreadable { status: answer.status, reason: reason.to_owned() };
    if !token_type.eq_ignore_ascii_case("bearer") {
        return Err(unreadable("the token is no bearer token"));
    }
    if access_token.is_empty() || !access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unreadable("the token cannot stand in a header"));
    }
    let life = SignedDuration::from_secs(expires_in.clamp(0, LIFE_SECONDS_MAX));
    let renew_at = now.saturating_add(life * 4 / 5).unwrap_or(now);
    Ok(Token { authorization: Secret::new(format!("Bearer {access_token}")), renew_at })
}
