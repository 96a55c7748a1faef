//! The port of HTTP without a network: requests go to a sandbox, at a time that is set.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dintero::{NoResponse, Request, Response, Sent};
use jiff::{SignedDuration, Timestamp};
use store::HttpClient;

use crate::Sandbox;

/// A time that is shared and moves only when it is told to.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Mutex<Timestamp>>);

impl Clock {
    /// A clock that shows that time.
    pub fn at(now: Timestamp) -> Self {
        Clock(Arc::new(Mutex::new(now)))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the time, forward or back.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the time on; at the end of all time it stands still.
    pub fn advance(&self, by: SignedDuration) {
        let now = self.now();
        self.set(now.saturating_add(by).unwrap_or(now));
    }
}

/// Sends requests to a sandbox.
#[derive(Debug, Clone)]
pub struct InProcess {
    sandbox: Arc<Mutex<Sandbox>>,
    clock: Clock,
}

impl InProcess {
    /// A client of that sandbox, by that clock.
    pub fn new(sandbox: Arc<Mutex<Sandbox>>, clock: Clock) -> Self {
        InProcess { sandbox, clock }
    }
}

#[async_trait]
impl HttpClient for InProcess {
    async fn send(&self, request: &Request) -> Result<Response, NoResponse> {
        let now = self.clock.now();
        if request.not_after.is_some_and(|limit| now > limit) {
            let reason = "the time to send it has passed".to_owned();
            return Err(NoResponse { sent: Sent::No, host: "the sandbox".to_owned(), reason });
        }
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner).answer(request, now)
    }
}

#[cfg(test)]
mod tests {
    use dintero::{Api, Credentials, Hosts, Secret};

    use super::*;

    fn now() -> Timestamp {
        "2026-10-05T06:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn a_request_is_answered_at_the_time_of_the_clock_and_never_sent_too_late() {
        let account: settlement::AccountId = "T00000001".parse().unwrap();
        let mut sandbox = Sandbox::default();
        sandbox.add_client(&account, "client", "secret");
        let sandbox = Arc::new(Mutex::new(sandbox));
        let clock = Clock::at(now());
        let client = InProcess::new(Arc::clone(&sandbox), clock.clone());

        let api = Api::new(Hosts::default(), account);
        let client_secret = Secret::new("secret");
        let mut request = api.token(&Credentials { client_id: "client".to_owned(), client_secret });
        request.not_after = Some(now());
        let answer = client.send(&request).await.unwrap();
        assert!(dintero::token(&answer, now()).is_ok());

        clock.advance(SignedDuration::from_nanos(1));
        assert_eq!(client.send(&request).await.unwrap_err().sent, Sent::No);
        assert_eq!(sandbox.lock().unwrap().token_calls(), 1);
        clock.set(now());
        assert!(client.send(&request).await.is_ok());
    }
}
