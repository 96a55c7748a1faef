//! The JSON API of the back office, as a function from a request to a response.
//!
//! The caller's token alone decides whose data are shown. Nothing is written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pipeline::StepError;
use pipeline::operate::listing::{
    self, HeldReport, LISTED_MAX, ListSettlements, Listed, ListedSettlement, ListedState,
};
use pipeline::operate::settlement_json::SettlementJson;
use serde::Serialize;
use serde_json::{Value, json};
use settlement::{AccountId, mask_cards};

use crate::fields::Fields;
use crate::inbound::function::Function;
use crate::inbound::log::kind_of;

/// A request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, as in `GET`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query parameters, decoded, by name.
    pub query: BTreeMap<String, String>,
    /// The claims of the verified token; `None` without one.
    pub claims: Option<BTreeMap<String, String>>,
    /// The trace that it belongs to, or X-Ray's id of the request where there is no trace.
    pub trace_id: Option<String>,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// The headers beside [`HEADERS`].
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body.
    pub body: Value,
}

/// The headers of every response: it is JSON that is not cached, not sniffed and not shown in a frame.
pub const HEADERS: &[(&str, &str)] = &[
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("content-type", "application/json; charset=utf-8"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
];

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Whether the state answers.
    Health,
    /// The account's settlements, and its reports that are held.
    Settlements,
}

impl Route {
    /// Every route.
    pub const ALL: &'static [Route] = &[Route::Health, Route::Settlements];

    /// Where it is; all are read with `GET` alone.
    pub fn path(self) -> &'static str {
        match self {
            Route::Health => "/health",
            Route::Settlements => "/api/v1/settlements",
        }
    }
}

impl Response {
    fn well(body: Value) -> Self {
        Response { status: 200, headers: Vec::new(), body }
    }

    fn refused(status: u16, why: &str) -> Self {
        Response { status, headers: Vec::new(), body: json!({ "error": why }) }
    }
}

/// Answers callers.
pub struct Backoffice {
    /// What it has as every function has it. Of the ports only the state is used.
    pub function: Function,
    /// The claim of a caller's token that names the account.
    pub account_claim: String,
}

impl Backoffice {
    /// Answers a caller; whatever goes wrong is an answer too.
    pub async fn answer(&self, request: &Request) -> Response {
        let began = self.function.now();
        let fields = Fields { trace_id: request.trace_id.clone(), step: Some("answer"), ..Fields::default() };
        let account = match self.account(request) {
            Ok(account) => account,
            Err(response) => return self.log_answer(began, response, fields),
        };
        let fields = Fields { account: Some(account.to_string()), ..fields };
        let response = match Route::ALL.iter().find(|route| route.path() == request.path) {
            None => Response::refused(404, "There is nothing at this path"),
            Some(_) if request.method != "GET" => {
                let response = Response::refused(405, "Found another method, expected GET");
                Response { headers: vec![("allow", "GET")], ..response }
            }
            Some(route) => match command(*route, &account, &request.query) {
                Ok(command) => self.listed(*route, &command, &fields).await,
                Err(why) => Response::refused(400, &why),
            },
        };
        self.log_answer(began, response, fields)
    }

    /// The account that the caller is proved to be of.
    fn account(&self, request: &Request) -> Result<AccountId, Response> {
        let claims = request.claims.as_ref().ok_or_else(|| {
            let response = Response::refused(401, "Found nobody who asks, expected the token of an account");
            Response { headers: vec![("www-authenticate", "Bearer")], ..response }
        })?;
        let account = claims.get(&self.account_claim).and_then(|claim| claim.parse().ok());
        account.ok_or_else(|| Response::refused(403, "Found a token of no account, expected one whose claim names it"))
    }

    async fn listed(&self, route: Route, command: &ListSettlements, fields: &Fields) -> Response {
        match listing::run(&self.function.ports, command).await {
            Ok(_) if route == Route::Health => {
                Response::well(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
            }
            Ok(listed) => Response::well(json!(Page::of(&command.account, &listed))),
            Err(error) => self.failed(&error, fields),
        }
    }

    fn failed(&self, error: &StepError, fields: &Fields) -> Response {
        let fields = Fields { kind: Some(kind_of(error)), ..fields.clone() };
        self.function.log.error("a caller could not be answered", &fields);
        if error.is_retryable() {
            let response = Response::refused(503, "The state cannot be read right now. Ask again later");
            return Response { headers: vec![("retry-after", "5")], ..response };
        }
        Response::refused(500, "The state cannot be read. The lines of the function say why")
    }

    fn log_answer(&self, began: Timestamp, response: Response, fields: Fields) -> Response {
        let fields = Fields {
            duration_ms: self.function.millis_since(began),
            outcome: Some(response.status.to_string()),
            ..fields
        };
        self.function.log.info("a caller was answered", &fields);
        response
    }
}

/// Reads the query. An unknown parameter is refused, because with a misspelt filter everything would be taken for a part.
fn command(route: Route, account: &AccountId, query: &BTreeMap<String, String>) -> Result<ListSettlements, String> {
    let (account, limit) = (account.clone(), if route == Route::Health { 1 } else { LISTED_MAX });
    let mut command =
        ListSettlements { account, from: None, to: None, provider: None, state: None, limit, cursor: None };
    for (name, value) in query {
        match (route, name.as_str()) {
            (Route::Settlements, "from") => command.from = Some(day(name, value)?),
            (Route::Settlements, "to") => command.to = Some(day(name, value)?),
            (Route::Settlements, "provider") => command.provider = Some(provider(value)?),
            (Route::Settlements, "state") => command.state = Some(state(value)?),
            (Route::Settlements, "limit") => command.limit = number(value)?,
            (Route::Settlements, "cursor") => {
                command.cursor = Some(value.parse().map_err(|error| format!("cursor: {error}"))?);
            }
            _ => return Err(format!("Found the parameter {:?}, which is none of this path", short(name))),
        }
    }
    Ok(command)
}

/// The part of a caller's text that an error may repeat.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn day(name: &str, value: &str) -> Result<jiff::civil::Date, String> {
    value.parse().map_err(|_| format!("{name}: found {:?}, expected a day as in 2026-10-31", short(value)))
}

fn provider(value: &str) -> Result<String, String> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_one = !value.is_empty() && value.len() <= 64 && value.chars().all(word);
    is_one.then(|| value.to_owned()).ok_or_else(|| format!("provider: found {:?}, expected a word", short(value)))
}

fn state(value: &str) -> Result<ListedState, String> {
    ListedState::ALL.iter().copied().find(|state| state.as_str() == value).ok_or_else(|| {
        let known: Vec<&str> = ListedState::ALL.iter().map(|state| state.as_str()).collect();
        format!("state: found {:?}, expected one of {}", short(value), known.join(", "))
    })
}

fn number(value: &str) -> Result<usize, String> {
    let limit = value.parse().ok().filter(|limit| (1..=LISTED_MAX).contains(limit));
    limit.ok_or_else(|| format!("limit: found {:?}, expected a number from 1 to {LISTED_MAX}", short(value)))
}

/// A page as it is answered.
#[derive(Serialize)]
struct Page<'a> {
    account_id: &'a AccountId,
    settlements: Vec<Entry<'a>>,
    held: Vec<HeldItem<'a>>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    provider: &'a str,
    state: ListedState,
    payout_on: String,
    version: u32,
    report_id: String,
    format: &'a str,
    #[serde(flatten)]
    settlement: SettlementJson<'a>,
}

#[derive(Serialize)]
struct HeldItem<'a> {
    report_id: String,
    provider: &'a str,
    name: String,
    verdict: String,
    kind: &'static str,
    message: Option<String>,
    held_at: String,
}

impl<'a> Page<'a> {
    fn of(account: &'a AccountId, listed: &'a Listed) -> Self {
        Page {
            account_id: account,
            settlements: listed.settlements.iter().map(Entry::of).collect(),
            held: listed.held.iter().map(HeldItem::of).collect(),
            cursor: listed.cursor.as_ref().map(ToString::to_string),
        }
    }
}

impl<'a> Entry<'a> {
    fn of(listed: &'a ListedSettlement) -> Self {
        let version = &listed.version;
        Entry {
            provider: &listed.key.provider,
            state: listed.state,
            payout_on: version.settlement.head.payout_on.to_string(),
            version: version.version,
            report_id: version.report.to_string(),
            format: &version.format,
            settlement: SettlementJson::of(&version.settlement),
        }
    }
}

impl<'a> HeldItem<'a> {
    fn of(held: &'a HeldReport) -> Self {
        let report = &held.report;
        HeldItem {
            report_id: report.report.to_string(),
            provider: &report.provider,
            name: mask_cards(&report.name).into_owned(),
            verdict: held.kind.verdict().to_string(),
            kind: held.kind.as_str(),
            message: report.first_problem.as_deref().map(|message| mask_cards(message).into_owned()),
            held_at: held.held_at.to_string(),
        }
    }
}
