//! What the back office is answered: its own account alone, page by page, in the names that scripts know.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters::app::App;
use adapters::inbound::backoffice::{Backoffice, HEADERS, Request, Response, Route};
use adapters::inbound::function::Function;
use adapters::inbound::gateway;
use async_trait::async_trait;
use aws_lambda_events::event::apigw::ApiGatewayV2httpRequest;
use formats::Limits;
use jiff::{SignedDuration, Timestamp};
use pipeline::Ports;
use pipeline::current::notice;
use pipeline::intake::notice::{AddNotice, add_notice};
use pipeline::intake::parse::{self, ParseReport};
use serde_json::{Value, json};
use settlement::{AccountId, Fees, PayoutNotice};
use store::keys::{Key, LandingKey};
use store::{Expect, Item, Page, PortError, PortErrorKind, Put, Query, State};
use tempfile::TempDir;

const CLAIM: &str = "account_id";

fn demo() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/cli/demo");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ["csv", "xml"].iter().any(|known| ending == *known)));
    files.sort();
    files
}

/// The demo's reports, taken by an account in memory, and the back office over them.
struct World {
    ports: Ports,
    office: Backoffice,
    scratch: TempDir,
}

impl World {
    async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let App { ports, .. } = App::in_memory(scratch.path()).unwrap();
        for file in demo() {
            let name = file.file_name().unwrap().to_str().unwrap();
            let provider = if name.contains("swedbankpay") { "swedbankpay" } else { "vipps" };
            let landing = LandingKey::new(account("T00000001"), provider, name).unwrap();
            let object = ports.objects.upload(&Key::Landing(landing.clone()), &file).await.unwrap();
            let command = ParseReport {
                landing,
                version: object.version,
                now: now(),
                lease: SignedDuration::from_mins(15),
                scratch: scratch.path().to_owned(),
                limits: Limits::default(),
                adopts_merchants: true,
            };
            parse::run(&ports, &command).await.unwrap();
        }
        let office = office(ports.clone());
        World { ports, office, scratch }
    }

    async fn ask(&self, account: &str, query: &[(&str, &str)]) -> Response {
        self.office.answer(&asked("GET", "/api/v1/settlements", Some(account), query)).await
    }

    /// A page of the first account.
    async fn page(&self, query: &[(&str, &str)]) -> Value {
        let told = self.ask("T00000001", query).await;
        assert_eq!(told.status, 200, "{}", told.body);
        told.body
    }

    /// Settlements as the filter lets them through.
    async fn names(&self, query: &[(&str, &str)]) -> Vec<String> {
        names(&self.page(query).await)
    }
}

fn office(ports: Ports) -> Backoffice {
    let function = Function::new("backoffice-api", ports, std::env::temp_dir(), Arc::new(now), io::sink());
    Backoffice { function, account_claim: CLAIM.into() }
}

fn now() -> Timestamp {
    "2026-11-01T06:00:00Z".parse().unwrap()
}

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn asked(method: &str, path: &str, account: Option<&str>, query: &[(&str, &str)]) -> Request {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let claims = account.map(|account| BTreeMap::from([owned(&(CLAIM, account)), owned(&("sub", "somebody"))]));
    let query = query.iter().map(owned).collect();
    Request { method: method.into(), path: path.into(), query, claims, trace_id: None }
}

fn names(page: &Value) -> Vec<String> {
    let name = |entry: &Value| entry["settlement_id"].as_str().unwrap().to_owned();
    page["settlements"].as_array().unwrap().iter().map(name).collect()
}

/// Every figure is the one that `avstem check --json` tells of the same file, under the same name.
#[tokio::test]
async fn settlements_are_told_in_the_names_and_figures_of_check() {
    let world = World::new().await;
    let page = world.page(&[]).await;
    let mut checked = BTreeMap::new();
    for file in demo() {
        let mut out = Vec::new();
        let arguments = ["avstem", "check", "--json", file.to_str().unwrap()].map(Into::into);
        tokio::task::spawn_blocking(move || cli::run(arguments, &mut out).map(|_| out))
            .await
            .unwrap()
            .map(|out| {
                let answer: Value = serde_json::from_slice(&out).unwrap();
                for settlement in answer["settlements"].as_array().unwrap() {
                    checked.insert(settlement["settlement_id"].to_string(), settlement.clone());
                }
            })
            .unwrap();
    }
    let settlements = page["settlements"].as_array().unwrap();
    assert_eq!((settlements.len(), page["cursor"].is_null()), (6, true));
    for entry in settlements {
        let told = checked[&entry["settlement_id"].to_string()].as_object().unwrap();
        assert!(told.len() >= 17);
        for (name, value) in told {
            assert_eq!(&entry[name], value, "{name} of {entry}");
        }
        assert!(entry["payout_on"].as_str().unwrap().starts_with("2026-10-"), "{entry}");
        assert_eq!(entry["report_id"].as_str().unwrap().len(), 64);
    }
    let [held] = page["held"].as_array().unwrap().as_slice() else { panic!("{page}") };
    let told = ["name", "provider", "verdict", "kind"].map(|name| held[name].as_str().unwrap());
    assert_eq!(told, ["5-vipps-redigert.csv", "vipps", "QUARANTINED", "RowArithmetic"]);
    assert!(held["message"].as_str().unwrap().contains("343,87"), "{held}");
}

#[tokio::test]
async fn filters_and_pages_show_everything_once() {
    let world = World::new().await;
    assert_eq!(world.names(&[("from", "2026-10-12"), ("to", "2026-10-12")]).await, ["2000462", "2000031"]);
    assert_eq!(world.names(&[("provider", "swedbankpay")]).await, ["R4321-0012"]);
    assert_eq!(world.names(&[("provider", "vipp")]).await, Vec::<String>::new());
    assert_eq!(world.names(&[("state", "WAITS_FOR_NOTICE")]).await, ["R4321-0012"]);
    assert_eq!(world.names(&[("state", "EXACT")]).await.len(), 5);
    let held = world.page(&[("state", "HELD")]).await;
    assert_eq!((names(&held).len(), held["held"].as_array().unwrap().len()), (0, 1));
    let none = world.page(&[("provider", "swedbankpay"), ("state", "HELD")]).await;
    assert_eq!(none["held"], json!([]));
    // A day leaves in what is held: its own days cannot be trusted.
    assert_eq!(world.page(&[("from", "2030-01-01")]).await["held"].as_array().unwrap().len(), 1);

    let whole = world.page(&[]).await;
    for limit in ["1", "2", "3", "6", "7", "100"] {
        let (mut settlements, mut held, mut cursor, mut pages) = (Vec::new(), Vec::new(), Value::Null, 0);
        loop {
            let place = cursor.as_str().map(|cursor| ("cursor", cursor));
            let page = world.page(&[("limit", limit)].into_iter().chain(place).collect::<Vec<_>>()).await;
            let entries = page["settlements"].as_array().unwrap().len() + page["held"].as_array().unwrap().len();
            assert!(entries <= limit.parse().unwrap(), "{page}");
            settlements.extend(page["settlements"].as_array().unwrap().clone());
            held.extend(page["held"].as_array().unwrap().clone());
            cursor = page["cursor"].clone();
            pages += 1;
            if cursor.is_null() || pages > 20 {
                break;
            }
        }
        assert_eq!((&json!(settlements), &json!(held)), (&whole["settlements"], &whole["held"]), "{limit}");
    }
}

/// T60: whose settlements are shown follows from the token: neither a parameter nor a cursor leads elsewhere.
#[tokio::test]
async fn an_account_is_shown_its_own_settlements_alone() {
    let world = World::new().await;
    let cursor = world.page(&[("limit", "2")]).await["cursor"].as_str().unwrap().to_owned();
    for query in [&[][..], &[("cursor", cursor.as_str())], &[("state", "HELD")], &[("cursor", "held:")]] {
        let told = world.ask("T00000002", query).await;
        let empty = json!({ "account_id": "T00000002", "settlements": [], "held": [], "cursor": null });
        assert_eq!((told.status, told.body), (200, empty));
    }
    for name in ["account", "account_id", "merchant_number", "From"] {
        let told = world.ask("T00000002", &[(name, "T00000001")]).await;
        assert_eq!(told.status, 400, "{}", told.body);
    }
}

/// T59, as far as it is ours: API Gateway refuses what is no token, and what has none is refused here as well.
#[tokio::test]
async fn what_is_not_asked_as_it_must_be_is_refused_with_what_is_expected() {
    let world = World::new().await;
    for route in Route::ALL {
        let refused = async |account: Option<&str>| {
            let told = world.office.answer(&asked("GET", route.path(), account, &[])).await;
            assert!(told.body.get("settlements").is_none(), "{}", told.body);
            told.status
        };
        assert_eq!(refused(None).await, 401);
        for no_account in ["", "T0000001", "t00000001", "T00000001,T00000002", "[T00000001]", "../T00000001"] {
            assert_eq!(refused(Some(no_account)).await, 403, "{no_account}");
        }
        let told = world.office.answer(&asked("POST", route.path(), Some("T00000001"), &[])).await;
        assert_eq!((told.status, told.headers), (405, vec![("allow", "GET")]));
    }
    let nowhere = world.office.answer(&asked("GET", "/api/v1/settlements/", Some("T00000001"), &[])).await;
    assert_eq!(nowhere.status, 404);
    for (name, value, expected) in [
        ("from", "31.10.2026", "2026-10-31"),
        ("to", "2026-02-30", "2026-10-31"),
        ("provider", "vipps/123456", "a word"),
        ("state", "exact", "WAITS_FOR_NOTICE"),
        ("limit", "0", "1 to 100"),
        ("limit", "101", "1 to 100"),
        ("limit", "-1", "1 to 100"),
        ("cursor", "2", "the one of the page before"),
        ("cursor", "report:x", "the one of the page before"),
        ("sort", "desc", "none of this path"),
    ] {
        let told = world.ask("T00000001", &[(name, value)]).await;
        let why = told.body["error"].as_str().unwrap();
        assert!(told.status == 400 && why.contains(name) && why.contains(expected), "{name}={value}: {why}");
    }
    let health = world.office.answer(&asked("GET", "/health", Some("T00000001"), &[("limit", "1")])).await;
    assert_eq!(health.status, 400);
}

/// A settlement whose fees a person tells is exact when both agree, held when they do not, and open when only lines tell.
#[tokio::test]
async fn a_notice_shows_in_figures_and_state() {
    let notice = |fee_minor, payout_minor, elsewhere: &[&str]| PayoutNotice {
        key: notice::key_of(&account("T00000001"), "swedbankpay", "R4321/R4321-0012", "SEK".parse().unwrap()).unwrap(),
        exponent: 2,
        amount_minor: payout_minor + fee_minor + 1_401,
        fee_minor,
        fee_vat_minor: 1_401,
        fees: Fees::Deducted,
        payout_minor,
        elsewhere: elsewhere.iter().map(|method| (*method).to_owned()).collect(),
    };
    for (notice, state, payout) in [
        (notice(5_600, 224_824, &[]), "EXACT", json!(224_824)),
        (notice(5_600, 224_825, &[]), "DISAGREES", Value::Null),
        (notice(5_600, 224_824, &["Trustly"]), "NOTICED", Value::Null),
    ] {
        let world = World::new().await;
        let evidence = world.scratch.path().join("balance.pdf");
        std::fs::write(&evidence, "%PDF-1.4 made up").unwrap();
        let scratch = world.scratch.path().to_owned();
        let command = AddNotice { notice, evidence, by: "regnskap".into(), now: now(), scratch };
        add_notice(&world.ports, &command).await.unwrap();
        let page = world.page(&[("provider", "swedbankpay")]).await;
        let entry = &page["settlements"][0];
        assert_eq!((entry["state"].as_str(), &entry["payout_minor"]), (Some(state), &payout), "{entry}");
        assert!(world.names(&[("state", state)]).await.contains(&"R4321-0012".to_owned()));
    }
}

/// State that cannot be reached.
struct Processed;

#[async_trait]
impl State for Processed {
    async fn get(&self, _: &str, _: &str) -> Result<Option<Item>, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "Cannot read", "throttled"))
    }

    async fn query(&self, _: &Query) -> Result<Page, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "Cannot read", "throttled"))
    }

    async fn transact(&self, _: &[Put]) -> Result<(), PortError> {
        panic!("the back office writes nothing")
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_told_and_never_shown_as_empty() {
    let world = World::new().await;
    let gone = office(Ports { state: Arc::new(Processed), ..world.ports.clone() });
    for route in Route::ALL {
        let told = gone.answer(&asked("GET", route.path(), Some("T00000001"), &[])).await;
        assert_eq!((told.status, told.headers.as_slice()), (503, &[("retry-after", "5")][..]));
        let well = world.office.answer(&asked("GET", route.path(), Some("T00000001"), &[])).await;
        assert_eq!(well.status, 200);
    }
    let (partition, sort) = ("SETTLEMENT#T00000001".to_owned(), "vipps/1/2/NOK".to_owned());
    let newer = Put { partition, sort, schema: 99, body: json!({ "words": 1 }), expect: Expect::Absent };
    world.ports.state.put_if(&newer).await.unwrap();
    let told = world.ask("T00000001", &[]).await;
    assert_eq!((told.status, told.body.get("settlements")), (500, None));
}

/// The samples of both sorts of events are read as they are; without a verified token nobody is anybody.
#[tokio::test]
async fn samples_of_events_are_read_and_answered() {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(name);
        serde_json::from_str::<ApiGatewayV2httpRequest>(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let world = World::new().await;
    for (name, status) in [("backoffice-api.json", 200), ("backoffice-api-url.json", 401)] {
        let asked = gateway::read(&read(name), Some("1-abc".into()));
        let response = serde_json::to_value(gateway::write(&world.office.answer(&asked).await)).unwrap();
        assert_eq!(response["statusCode"], status, "{response}");
        for (header, value) in HEADERS {
            assert_eq!(response["headers"][header], *value, "{header}");
        }
        let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
        assert_eq!(body.get("settlements").map(|found| found.as_array().unwrap().len()), (status == 200).then_some(5));
    }
    let asked = gateway::read(&read("backoffice-api.json"), None);
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/api/v1/settlements"));
    assert_eq!(asked.query.get("to").map(String::as_str), Some("2026-10-31"));
}
