//! Dintero's API as an account uses it: with its token, renewed when it is due or refused.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use dintero::{Api, Hosts, NoResponse, Outcome, Request, Response, Sent, Token, TransactionFilter};
use jiff::{SignedDuration, Timestamp};
use settlement::{AccountId, Defect, Transaction, is_seeded};
use store::{HttpClient, PortError, PortErrorKind, Secrets};

use crate::StepError;

/// Pages that one reading may have; each holds a hundred transactions.
const PAGES_MAX: usize = 100_000;

/// Which accounts may be spoken for: those of a test are never mixed with those of production.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// Accounts `T…`.
    Test,
    /// Accounts `P…`.
    Production,
}

impl Environment {
    /// The environment of an account.
    pub fn of(account: &AccountId) -> Self {
        if account.as_str().starts_with('T') { Environment::Test } else { Environment::Production }
    }

    fn has(self, account: &AccountId) -> bool {
        Environment::of(account) == self
    }
}

/// Tells the time: a run may take longer than a lease, so that no one time serves all of its requests.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything that is needed to speak with Dintero; one for the life of a process, since it keeps the tokens.
pub struct Dintero {
    /// Sends requests.
    pub http: Arc<dyn HttpClient>,
    /// Gives the credentials of accounts.
    pub secrets: Arc<dyn Secrets>,
    /// Where the API is.
    pub hosts: Hosts,
    /// Which accounts may be spoken for.
    pub environment: Environment,
    clock: Clock,
    tokens: Mutex<BTreeMap<AccountId, Token>>,
}

impl fmt::Debug for Dintero {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dintero").field("hosts", &self.hosts).field("environment", &self.environment).finish()
    }
}

impl Dintero {
    /// Speaks with the API at those hosts for the accounts of one environment.
    pub fn new(
        http: Arc<dyn HttpClient>,
        secrets: Arc<dyn Secrets>,
        hosts: Hosts,
        environment: Environment,
        clock: Clock,
    ) -> Self {
        Dintero { http, secrets, hosts, environment, clock, tokens: Mutex::default() }
    }

    /// The API for one account.
    ///
    /// # Errors
    /// When the account is of the other environment; no request is made then.
    pub fn account(&self, account: &AccountId) -> Result<AccountClient<'_>, StepError> {
        if !self.environment.has(account) {
            let message = format!(
                "Account {account} is not of the {:?} environment that this installation speaks for; nothing was sent",
                self.environment
            );
            return Err(StepError::Refused(message));
        }
        Ok(AccountClient { dintero: self, api: Api::new(self.hosts.clone(), account.clone()) })
    }

    fn kept(&self, account: &AccountId, now: Timestamp) -> Option<Token> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let any = if is_seeded(Defect::TokenOfAnotherAccount) { tokens.values().next() } else { None };
        any.or_else(|| tokens.get(account)).filter(|token| now < token.renew_at).cloned()
    }

    fn keep(&self, account: &AccountId, token: Option<Token>) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        match token {
            Some(token) => tokens.insert(account.clone(), token),
            None => tokens.remove(account),
        };
    }
}

/// The API of one account.
#[derive(Debug)]
pub struct AccountClient<'a> {
    dintero: &'a Dintero,
    api: Api,
}

/// No token could be had.
enum NoToken {
    /// The secrets or the API cannot answer.
    Unavailable(PortError),
    /// The API asks to wait.
    Later(SignedDuration),
}

impl AccountClient<'_> {
    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.dintero.clock)()
    }

    /// Whether a transaction is the account's own.
    pub fn owns(&self, transaction: &str) -> bool {
        self.api.owns(transaction)
    }

    /// Reads transactions by their ids, at most a hundred; those that are not there are left out.
    ///
    /// # Errors
    /// `Later` when Dintero asks to wait, `Unavailable` when there is no readable answer, `Refused` when the credentials are.
    pub async fn transactions_by_id(&self, ids: &[&str]) -> Result<Vec<Transaction>, StepError> {
        let answer = self.read(|token| self.api.transactions_by_id(token, ids.iter().copied())).await?;
        Ok(dintero::transactions(&answer).map_err(|error| unavailable("Cannot read transactions", error))?)
    }

    /// Hands every transaction of a list to `each`, page by page.
    ///
    /// # Errors
    /// As [`AccountClient::transactions_by_id`].
    pub async fn transactions(
        &self,
        filter: &TransactionFilter,
        mut each: impl FnMut(Transaction),
    ) -> Result<(), StepError> {
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let answer = self.read(|token| self.api.transactions(token, filter, after.as_deref())).await?;
            let page =
                dintero::transactions(&answer).map_err(|error| unavailable("Cannot list transactions", error))?;
            let is_last = page.len() < dintero::TRANSACTIONS_MAX;
            let last = page.last().map(|last| last.id.clone());
            if last.is_some() && last == after {
                let message = "found the same page twice, so that Dintero does not go on after the last transaction";
                return Err(unavailable("Cannot list transactions", message).into());
            }
            after = last;
            page.into_iter().for_each(&mut each);
            if is_last {
                return Ok(());
            }
        }
        Err(unavailable("Cannot list transactions", format!("found more than {PAGES_MAX} pages")).into())
    }

    /// Sends settlement events once, and says what became of it. It is never sent a second time here, except with a new
    /// token when the first was refused.
    pub async fn add_settlement_events(&self, body: &str, not_after: Timestamp) -> Outcome {
        let build = |token: &Token| self.api.add_settlement_events(token, body.to_owned(), not_after);
        let mut sent = self.send(&build).await;
        if is_sent_again(&sent) {
            sent = self.send(&build).await;
        }
        match sent {
            Ok(result) => dintero::outcome(&result),
            Err(NoToken::Later(after)) => Outcome::Later(after),
            Err(NoToken::Unavailable(error)) => Outcome::NotSent(error.to_string()),
        }
    }

    async fn read(&self, build: impl Fn(&Token) -> Request) -> Result<Response, StepError> {
        let what = "Cannot read from Dintero";
        let wait = |after: SignedDuration| StepError::Later {
            what: "reading from Dintero".to_owned(),
            until: self.now().saturating_add(after).unwrap_or(Timestamp::MAX),
        };
        match self.send(build).await {
            Ok(Ok(answer)) => match (answer.status, answer.retry_after) {
                (401 | 403, _) => {
                    Err(PortError::new(PortErrorKind::Refused, what, dintero::error_message(&answer)).into())
                }
                (429, after) => Err(wait(after.unwrap_or(dintero::PAUSE))),
                (503, Some(after)) => Err(wait(after)),
                _ => Ok(answer),
            },
            Ok(Err(error)) => Err(unavailable(what, error).into()),
            Err(NoToken::Later(after)) => Err(wait(after)),
            Err(NoToken::Unavailable(error)) => Err(error.into()),
        }
    }

    /// Sends with the kept token; one that is refused is renewed once, with credentials read anew.
    async fn send(&self, build: impl Fn(&Token) -> Request) -> Result<Result<Response, NoResponse>, NoToken> {
        let account = self.api.account();
        let token = match self.dintero.kept(account, self.now()) {
            Some(token) => token,
            None => self.new_token(false).await?,
        };
        let result = self.dintero.http.send(&build(&token)).await;
        if !result.as_ref().is_ok_and(|answer| answer.status == 401) {
            return Ok(result);
        }
        self.dintero.keep(account, None);
        let token = self.new_token(true).await?;
        let result = self.dintero.http.send(&build(&token)).await;
        if result.as_ref().is_ok_and(|answer| answer.status == 401) {
            self.dintero.keep(account, None);
        }
        Ok(result)
    }

    async fn new_token(&self, fresh: bool) -> Result<Token, NoToken> {
        let account = self.api.account();
        let credentials = self.dintero.secrets.credentials(account, fresh).await.map_err(NoToken::Unavailable)?;
        let what = format!("Cannot get a token for account {account}");
        let answer = match self.dintero.http.send(&self.api.token(&credentials)).await {
            Ok(answer) => answer,
            Err(error) => return Err(NoToken::Unavailable(unavailable(&what, error))),
        };
        if answer.status == 429 {
            return Err(NoToken::Later(answer.retry_after.unwrap_or(dintero::PAUSE)));
        }
        if matches!(answer.status, 400..500) {
            let error = PortError::new(PortErrorKind::Refused, what, dintero::error_message(&answer));
            return Err(NoToken::Unavailable(error));
        }
        let token =
            dintero::token(&answer, self.now()).map_err(|error| NoToken::Unavailable(unavailable(&what, error)))?;
        self.dintero.keep(account, Some(token.clone()));
        Ok(token)
    }
}

/// Never, since nobody knows what the first one did.
fn is_sent_again(sent: &Result<Result<Response, NoResponse>, NoToken>) -> bool {
    match sent {
        Ok(Err(error)) => error.sent == Sent::Perhaps && is_seeded(Defect::RetriesOnTimeout),
        Ok(Ok(answer)) => answer.status >= 500 && is_seeded(Defect::RetriesOnServerError),
        Err(_) => false,
    }
}

fn unavailable(what: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::new(PortErrorKind::Unavailable, what, error)
}

/// What is said of a request that could not be made because its time was over.
pub fn too_late(host: &str) -> NoResponse {
    NoResponse { sent: Sent::No, host: host.to_owned(), reason: "its time was over before it was sent".to_owned() }
}
