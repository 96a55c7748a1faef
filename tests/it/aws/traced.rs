//! Spans: one trace from function to function, of listed words alone, and a collector that may do as it likes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use adapters::app::App;
use adapters::fields::Fields;
use adapters::inbound::backoffice::Backoffice;
use adapters::inbound::function::Function;
use adapters::inbound::gateway;
use adapters::inbound::lambda::{Invocation, Worker, batch};
use adapters::inbound::log::Log;
use adapters::inbound::parse_report::ParseReports;
use adapters::inbound::reconcile_settlements::ReconcileSettlements;
use adapters::outbound::aws;
use adapters::outbound::queue::{MemoryQueue, Sqs};
use adapters::outbound::traced::Traced;
use adapters::traces::{self, CALLS, TRACE_HEADER, Traces};
use async_trait::async_trait;
use aws_lambda_events::event::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::event::sqs::SqsEvent;
use dintero::{Method, NoResponse, Request, Response, Secret};
use formats::Limits;
use jiff::{SignedDuration, Timestamp};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value;
use pipeline::Ports;
use pipeline::current::accounts::{AddMerchant, add_merchant};
use prost::Message;
use serde_json::{Value, json};
use store::HttpClient;
use store::keys::{Key, LandingKey};
use tests::generate::{Seed, portal_csv, report};

use super::messages::Lines;

const CARD: &str = "4111111111111111";
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const CONSUMER: i32 = 5;

fn now() -> Timestamp {
    "2026-11-01T06:00:00Z".parse().unwrap()
}

fn invocation() -> Invocation {
    Invocation { deadline: now() + SignedDuration::from_mins(5), trace_id: Some("Root=1-abc".into()) }
}

/// A span as a collector reads it.
#[derive(Debug)]
struct Seen {
    function: String,
    name: String,
    kind: i32,
    trace: String,
    id: String,
    parent: String,
    has_failed: bool,
    attributes: BTreeMap<String, String>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(value: Option<any_value::Value>) -> String {
    match value.unwrap() {
        any_value::Value::StringValue(text) => text,
        any_value::Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Paths and bodies.
type Requests = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// Stands in for SQS and for a collector: keeps every request and says that it is well.
#[derive(Clone)]
struct Stub {
    url: String,
    requests: Requests,
}

impl Stub {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stub = Stub { url: format!("http://{}", listener.local_addr().unwrap()), requests: Arc::default() };
        let requests = Arc::clone(&stub.requests);
        std::thread::spawn(move || listener.incoming().for_each(|stream| take(stream.unwrap(), &requests)));
        stub
    }

    fn bodies(&self, path: &str) -> Vec<Vec<u8>> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|(found, _)| found == path).map(|(_, body)| body.clone()).collect()
    }

    /// Messages as SQS was sent them.
    fn messages(&self) -> Vec<Value> {
        self.bodies("/").iter().map(|body| serde_json::from_slice(body).unwrap()).collect()
    }

    /// Every span, held against what one may say.
    fn spans(&self) -> Vec<Seen> {
        let allowed: BTreeSet<&str> = Fields::NAMES.iter().chain(CALLS).copied().collect();
        let mut found = Vec::new();
        for body in self.bodies("/v1/traces") {
            for part in ExportTraceServiceRequest::decode(&*body).unwrap().resource_spans {
                let about = part.resource.unwrap().attributes;
                let name = about.iter().find(|pair| pair.key == "service.name").unwrap();
                let function = text(name.value.clone().unwrap().value);
                for span in part.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                    assert!(span.events.is_empty() && span.links.is_empty() && span.trace_state.is_empty(), "{span:?}");
                    let status = span.status.unwrap_or_default();
                    assert_eq!(status.message, "");
                    let pairs = span.attributes.into_iter().map(|pair| (pair.key, text(pair.value.unwrap().value)));
                    let attributes: BTreeMap<String, String> = pairs.collect();
                    assert!(attributes.keys().all(|name| allowed.contains(name.as_str())), "{attributes:?}");
                    found.push(Seen {
                        function: function.clone(),
                        name: span.name,
                        kind: span.kind,
                        trace: hex(&span.trace_id),
                        id: hex(&span.span_id),
                        parent: hex(&span.parent_span_id),
                        has_failed: status.code == 2,
                        attributes,
                    });
                }
            }
        }
        found
    }

    /// Nothing of it was sent to the collector, in whatever field.
    fn never_saw(&self, secrets: &[&str]) {
        for body in self.bodies("/v1/traces") {
            for secret in secrets {
                let found = body.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "a collector was sent {secret:?}");
            }
        }
    }
}

fn take(mut stream: TcpStream, requests: &Mutex<Vec<(String, Vec<u8>)>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    requests.lock().unwrap().push((path, body));
    let answer = json!({ "MessageId": "1", "MD5OfMessageBody": "" }).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close";
    let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
}

/// A function that parses one report with words in it that nobody else may see, and what it hands on.
struct World {
    ports: Ports,
    stub: Stub,
    lines: Lines,
    scratch: tempfile::TempDir,
    event: SqsEvent,
}

impl World {
    async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let App { ports, .. } = App::in_memory(scratch.path()).unwrap();
        let account = || "T00000001".parse().unwrap();
        let merchant =
            AddMerchant { account: account(), provider: "vipps".into(), number: "123456".into(), now: now() };
        add_merchant(&ports, &merchant).await.unwrap();
        let mut report = report(&mut Seed(1), 1, 3);
        report.settlements[0].lines[0].order = CARD.to_owned();
        let file = scratch.path().join("upload");
        std::fs::write(&file, portal_csv(&report)).unwrap();
        let landing = Key::Landing(LandingKey::new(account(), "vipps", "Kari Kanari 99887766.csv").unwrap());
        let version = ports.objects.upload(&landing, &file).await.unwrap().version;
        let object = json!({ "key": "T00000001/vipps/Kari+Kanari+99887766.csv", "versionId": version });
        let s3 = json!({ "bucket": { "name": "landing" }, "object": object });
        let body = json!({ "Records": [{ "eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": s3 }] });
        let event = event(&body.to_string(), None);
        World { ports, stub: Stub::start(), lines: Lines::default(), scratch, event }
    }

    fn function(&self, name: &'static str) -> Function {
        Function::new(name, self.ports.clone(), self.scratch.path().to_owned(), Arc::new(now), self.lines.clone())
    }

    fn traced(&self, name: &'static str, collector: &str) -> Function {
        self.function(name).traced(Traces::to(name, collector).unwrap())
    }

    async fn queue(&self) -> Arc<Sqs> {
        let credentials = aws_sdk_sqs::config::Credentials::new("test", "hush-hush", None, None, "test");
        let region = aws_sdk_sqs::config::Region::new("eu-north-1");
        let config = aws::loader().endpoint_url(&self.stub.url).region(region).credentials_provider(credentials);
        Arc::new(Sqs::new(&config.load().await, &format!("{}/queue", self.stub.url)))
    }

    async fn parser(&self, function: Function) -> ParseReports {
        ParseReports {
            function,
            next: self.queue().await,
            bucket: "landing".into(),
            limits: Limits::default(),
            pauses: &[],
        }
    }

    /// Delivers a message; `true` when it does not come again.
    async fn deliver(&self, worker: &dyn Worker, event: &SqsEvent) -> bool {
        batch(worker, event, &invocation()).await.unwrap().batch_item_failures.is_empty()
    }
}

fn event(body: &str, header: Option<&str>) -> SqsEvent {
    let mut attributes = json!({ "ApproximateReceiveCount": "2" });
    if let Some(header) = header {
        attributes[TRACE_HEADER] = header.into();
    }
    serde_json::from_value(json!({ "Records": [{ "messageId": "1", "body": body, "attributes": attributes }] }))
        .unwrap()
}

fn header_of(message: &Value) -> &str {
    message["MessageSystemAttributes"][TRACE_HEADER]["StringValue"].as_str().unwrap()
}

fn named<'s>(spans: &'s [Seen], name: &str) -> &'s Seen {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:?}"))
}

#[tokio::test]
async fn one_trace_goes_from_function_to_function_and_says_listed_words_alone() {
    let world = World::new().await;
    let parser = world.parser(world.traced("parse-report", &world.stub.url)).await;
    assert!(world.deliver(&parser, &world.event).await);
    let [told] = &world.stub.messages()[..] else { panic!() };
    let body = told["MessageBody"].as_str().unwrap();
    let reconciler = ReconcileSettlements {
        function: world.traced("reconcile-settlements", &world.stub.url),
        dintero: None,
        own: Arc::new(MemoryQueue::default()),
        mails: Some(world.queue().await),
    };
    assert!(world.deliver(&reconciler, &event(body, Some(header_of(told)))).await);

    let spans = world.stub.spans();
    assert_eq!(spans.len(), 4, "{spans:?}");
    let (parse, reconcile) = (named(&spans, "parse"), named(&spans, "reconcile"));
    assert_eq!((parse.function.as_str(), parse.kind, parse.parent.as_str()), ("parse-report", CONSUMER, ""));
    assert_eq!((reconcile.kind, &reconcile.parent, reconcile.has_failed), (CONSUMER, &parse.id, false));
    assert!(spans.iter().all(|span| span.trace == parse.trace), "{spans:?}");
    let said = |span: &Seen, name: &str| span.attributes.get(name).cloned().unwrap_or_default();
    for (name, value) in
        [("account", "T00000001"), ("provider", "vipps"), ("attempt", "2"), ("outcome", "ACCEPTED"), ("step", "parse")]
    {
        assert_eq!(said(parse, name), value, "{parse:?}");
    }
    assert_eq!(
        (said(reconcile, "outcome"), said(reconcile, "report_id")),
        ("WRITTEN".into(), said(parse, "report_id"))
    );
    // A call of the SDK is part of whoever makes it, and is told by its name alone.
    for (call, by) in spans.iter().filter(|span| span.name == "SQS.SendMessage").zip([parse, reconcile]) {
        let names: Vec<&str> = call.attributes.keys().map(String::as_str).collect();
        assert_eq!((call.kind, &call.parent, names), (CLIENT, &by.id, vec!["rpc.method", "rpc.service", "rpc.system"]));
    }
    // Lines and the next message name the same trace.
    let (begin, rest) = parse.trace.split_at(8);
    let mailed = world.stub.messages();
    assert_eq!(header_of(&mailed[1]), format!("Root=1-{begin}-{rest};Parent={};Sampled=1", reconcile.id));
    let lines = world.lines.read();
    let traced: Vec<&Value> = lines.iter().filter_map(|line| line.get("trace_id")).collect();
    assert!(traced.len() >= 2 && traced.iter().all(|id| **id == parse.trace), "{traced:?}");
    world.stub.never_saw(&[CARD, "KANARI", "Kanari", "99887766", ".csv", "hush-hush", "AWS4-HMAC", "landing"]);
}

#[tokio::test]
async fn a_message_that_comes_again_is_a_failed_span_with_its_kind() {
    let world = World::new().await;
    let parser = world.parser(world.traced("parse-report", &world.stub.url)).await;
    // Nobody takes what would be handed on.
    let gone = Stub { url: "http://127.0.0.1:1".into(), ..world.stub.clone() };
    let elsewhere = World { stub: gone, ..World::new().await };
    let parser = ParseReports { next: elsewhere.queue().await, ..parser };
    assert!(!world.deliver(&parser, &world.event).await);
    let spans = world.stub.spans();
    let parse = named(&spans, "parse");
    assert!(parse.has_failed && parse.attributes["kind"].starts_with("Unavailable"), "{parse:?}");
}

/// Answers as Dintero does.
#[derive(Debug)]
struct Dintero;

#[async_trait]
impl HttpClient for Dintero {
    async fn send(&self, _: &Request) -> Result<Response, NoResponse> {
        Ok(Response { status: 201, retry_after: None, body: b"canary-answer".to_vec() })
    }
}

#[tokio::test]
async fn a_call_to_dintero_names_its_host_and_status_and_no_more() {
    let stub = Stub::start();
    let traces = Traces::to("reconcile-settlements", &stub.url).unwrap();
    let own = Log::new("reconcile-settlements", Arc::new(now), std::io::sink()).traced(traces);
    let request = Request {
        method: Method::Post,
        url: "https://api.dintero.com/v1/accounts/canary-account/settlements?id=canary-query".to_owned(),
        authorization: Secret::new("Bearer canary-token"),
        body: Some("canary-body".to_owned()),
        not_after: None,
    };
    let sent = |_| async { Traced(Dintero).send(&request).await.unwrap() };
    own.within(None, || traces::message("reconcile"), sent).await;
    own.flush(invocation().deadline).await;
    let spans = stub.spans();
    let (step, call) = (named(&spans, "reconcile"), named(&spans, "POST api.dintero.com"));
    assert_eq!((call.kind, &call.parent, &call.trace), (CLIENT, &step.id, &step.trace));
    assert_eq!(call.attributes["http.response.status_code"], "201");
    stub.never_saw(&["canary"]);
    // Outside of a message there is no span, and the answer is the same.
    assert_eq!(Traced(Dintero).send(&request).await.unwrap().status, 201);
}

#[tokio::test]
async fn a_caller_is_a_span_of_a_known_route_and_method() {
    let world = World::new().await;
    let office =
        Backoffice { function: world.traced("backoffice-api", &world.stub.url), account_claim: "account_id".into() };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/backoffice-api.json");
    let mut asked: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let read = |asked: &Value| serde_json::from_value::<ApiGatewayV2httpRequest>(asked.clone()).unwrap();
    assert_eq!(gateway::answer(&office, &read(&asked), &invocation()).await.status_code, 200);
    asked["rawPath"] = "/canary".into();
    asked["requestContext"]["http"]["method"] = "CANARY".into();
    assert_eq!(gateway::answer(&office, &read(&asked), &invocation()).await.status_code, 404);
    let spans = world.stub.spans();
    let (known, other) = (named(&spans, "GET /api/v1/settlements"), named(&spans, "_OTHER"));
    let said = |name: &str| known.attributes[name].as_str();
    assert_eq!((known.kind, said("http.response.status_code"), said("account")), (SERVER, "200", "T00000001"));
    assert!(other.attributes["http.response.status_code"] == "404" && !other.attributes.contains_key("http.route"));
    assert!(known.parent.is_empty() && known.trace != other.trace);
    world.stub.never_saw(&["canary", "CANARY", "eyJ", "192.0.2.10", "somebody"]);
}

/// Whoever does not answer, or answers badly, costs a moment and a line, and the message is carried out all the same.
#[tokio::test]
async fn a_collector_that_does_not_answer_fails_no_message() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    for (collector, kind) in [(url.as_str(), "Timeout"), ("http://127.0.0.1:1", "NoAnswer")] {
        let world = World::new().await;
        let parser = world.parser(world.traced("parse-report", collector)).await;
        let began = Instant::now();
        assert!(world.deliver(&parser, &world.event).await, "{collector}");
        let patience = traces::FLUSH + Duration::from_secs(5);
        assert!(began.elapsed() < patience, "{collector}: {:?}", began.elapsed());
        let lines = world.lines.read();
        let lost: Vec<&Value> = lines.iter().filter(|line| line["msg"] == "spans could not be handed over").collect();
        assert_eq!((lost.len(), &lost[0]["kind"], &lost[0]["level"]), (1, &json!(kind), &json!("warn")));
        assert_eq!((world.lines.said("a report was parsed"), world.stub.messages().len()), (1, 1));
    }
}

/// Without a collector lines say what they always said, and no message has a header.
#[tokio::test]
async fn without_a_collector_nothing_is_different() {
    let world = World::new().await;
    let parser = world.parser(world.function("parse-report")).await;
    assert!(world.deliver(&parser, &world.event).await);
    assert!(world.stub.messages()[0].get("MessageSystemAttributes").is_none());
    assert!(world.lines.read().iter().any(|line| line["trace_id"] == "Root=1-abc"));
    assert!(world.stub.bodies("/v1/traces").is_empty());
}
