//! What functions do with messages: each is carried out, refused and recorded, or comes again.

mod sweeps;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use adapters::app::App;
use adapters::inbound::function::Function;
use adapters::inbound::lambda::{Invocation, batch};
use adapters::inbound::parse_report::ParseReports;
use adapters::inbound::reconcile_settlements::ReconcileSettlements;
use adapters::outbound::queue::MemoryQueue;
use async_trait::async_trait;
use aws_lambda_events::event::sqs::SqsEvent;
use formats::Limits;
use jiff::{SignedDuration, Timestamp};
use pipeline::Ports;
use pipeline::current::accounts::{AddMerchant, add_merchant};
use pipeline::messages::{MirrorOutdated, ReportReady};
use pipeline::operate::sweep::{self, Sweep};
use pipeline::reports::dintero_report::{self, WriteReports};
use serde_json::{Value, json};
use settlement::Kind;
use store::keys::{Key, LandingKey};
use store::{
    Item, ObjectItem, Page, Place, PortError, PortErrorKind, Put, Query, RefusedItem, ReportItem, ReportState, State,
};
use tempfile::TempDir;
use tests::generate::{Report, Seed, portal_csv, report};

const NOW: &str = "2026-11-01T06:00:00Z";

/// Lines that are written, to be read again.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    pub(super) fn read(&self) -> Vec<Value> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The sum of a number over all lines.
    pub(super) fn sum(&self, metric: &str) -> u64 {
        self.read().iter().filter_map(|line| line.get(metric)?.as_u64()).sum()
    }

    pub(super) fn said(&self, msg: &str) -> usize {
        self.read().iter().filter(|line| line["msg"] == msg).count()
    }
}

/// State that is throttled for one object.
struct Throttled(Arc<dyn State>, &'static str);

#[async_trait]
impl State for Throttled {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        self.0.get(partition, sort).await
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        self.0.query(query).await
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        if writes.iter().any(|put| put.partition.contains(self.1)) {
            return Err(PortError::new(PortErrorKind::Unavailable, "Cannot write to the state", "throttled"));
        }
        self.0.transact(writes).await
    }
}

/// State whose first write of a settlement meets another one.
struct Once(Arc<dyn State>, Arc<AtomicBool>);

#[async_trait]
impl State for Once {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        self.0.get(partition, sort).await
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        self.0.query(query).await
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        let of_settlement = writes.iter().any(|put| put.partition.starts_with("SETTLEMENT#"));
        if of_settlement && self.1.swap(false, Ordering::Relaxed) {
            return Err(writes[0].conflict());
        }
        self.0.transact(writes).await
    }
}

/// What a function of that name has.
fn function(name: &'static str, ports: Ports, scratch: PathBuf, lines: &Lines) -> Function {
    Function::new(name, ports, scratch, Arc::new(|| NOW.parse().unwrap()), lines.clone())
}

struct World {
    ports: Ports,
    queue: Arc<MemoryQueue>,
    lines: Lines,
    worker: ParseReports,
    _scratch: TempDir,
}

impl World {
    async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let App { ports, scratch: folder, .. } = App::in_memory(scratch.path()).unwrap();
        let (account, now) = ("T00000001".parse().unwrap(), NOW.parse().unwrap());
        add_merchant(&ports, &AddMerchant { account, provider: "vipps".into(), number: "123456".into(), now })
            .await
            .unwrap();
        let state = Arc::new(Throttled(Arc::clone(&ports.state), "/throttled.csv#"));
        let (queue, lines) = (Arc::new(MemoryQueue::default()), Lines::default());
        let worker = ParseReports {
            function: function("parse-report", Ports { state, ..ports.clone() }, folder, &lines),
            next: queue.clone(),
            bucket: "avstem-landing".into(),
            limits: Limits::default(),
            pauses: &[],
        };
        World { ports, queue, lines, worker, _scratch: scratch }
    }

    async fn upload(&self, name: &str, bytes: &[u8]) -> String {
        let key = Key::Landing(LandingKey::new("T00000001".parse().unwrap(), "vipps", name).unwrap());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        self.ports.objects.upload(&key, file.path()).await.unwrap().version
    }

    /// Uploads a file and gives the record of it, as S3 would have it.
    async fn uploaded(&self, name: &str, bytes: &[u8]) -> Value {
        let version = self.upload(name, bytes).await;
        record(&format!("T00000001/vipps/{name}"), Some(&version))
    }

    /// Delivers messages with ids `0`, `1` and so on, and gives the ids of those that are to come again.
    async fn deliver(&self, bodies: &[String]) -> Vec<String> {
        self.deliver_until(bodies, SignedDuration::from_mins(5)).await
    }

    async fn deliver_until(&self, bodies: &[String], time: SignedDuration) -> Vec<String> {
        let records: Vec<Value> = bodies
            .iter()
            .enumerate()
            .map(|(number, body)| json!({ "messageId": number.to_string(), "body": body }))
            .collect();
        let event: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
        let now: Timestamp = NOW.parse().unwrap();
        let invocation = Invocation { deadline: now + time, trace_id: Some("1-abc".into()) };
        let response = serde_json::to_value(batch(&self.worker, &event, &invocation).await.unwrap()).unwrap();
        let failures = response["batchItemFailures"].as_array().unwrap();
        failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// What is recorded of an object.
    async fn object(&self, key: &str, version: &str) -> Option<ObjectItem> {
        Place::object(key, version).read(&*self.ports.state).await.unwrap().map(|(item, _)| item)
    }

    async fn refused(&self, text: &str) -> Option<RefusedItem> {
        Place::refused(text).read(&*self.ports.state).await.unwrap().map(|(item, _)| item)
    }
}

fn record(key: &str, version: Option<&str>) -> Value {
    json!({
        "eventVersion": "2.1", "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": "avstem-landing" }, "object": { "key": key, "versionId": version } },
    })
}

fn message(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

fn trial() -> String {
    json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "avstem-landing" }).to_string()
}

fn sample(seed: u64) -> Report {
    let mut report = report(&mut Seed(seed), 1, 5);
    report.settlements.iter_mut().for_each(|settlement| settlement.id += seed * 100);
    report
}

/// T01: S3 tries out the queue once; nothing is recorded, nothing comes again.
#[tokio::test]
async fn a_trial_of_the_queue_is_acknowledged_and_leaves_nothing() {
    let world = World::new().await;
    assert!(world.deliver(&[trial()]).await.is_empty());
    assert_eq!(world.lines.said("S3 tried out the queue"), 1);
    assert_eq!(world.refused(&trial()).await, None);
    assert!(world.queue.take().is_none());
}

/// T02: the object of an encoded key is read, and a percent sign in its name is decoded once.
#[tokio::test]
async fn an_encoded_key_names_its_object() {
    for (name, encoded) in [("Oppgjør 1+2.csv", "Oppgj%C3%B8r+1%2B2.csv"), ("a%2Bb.csv", "a%252Bb.csv")] {
        let world = World::new().await;
        let version = world.upload(name, &portal_csv(&sample(1))).await;
        let record = record(&format!("T00000001/vipps/{encoded}"), Some(&version));
        assert!(world.deliver(&[message(&[record])]).await.is_empty());
        let item = world.object(&format!("landing/T00000001/vipps/{name}"), &version).await.unwrap();
        assert!(item.report.is_some() && item.kind.is_none(), "{item:?}");
        let (told, delay) = world.queue.take().unwrap();
        let told: ReportReady = serde_json::from_str(&told).unwrap();
        assert_eq!((Some(told.report), delay), (item.report, SignedDuration::ZERO));
    }
}

/// T03: a key that leads elsewhere is recorded under its hash alone; no object is written.
#[tokio::test]
async fn a_key_where_no_report_may_lie_is_refused_and_recorded() {
    let long = format!("T00000001/vipps/{}", "a".repeat(1_024));
    for key in ["T00000001/vipps/..%2F..%2Fx.csv", "T00000001//x.csv", "T00000001/vipps/a%00.csv", "x.csv", &long] {
        let world = World::new().await;
        assert!(world.deliver(&[message(&[record(key, Some("v1"))])]).await.is_empty(), "{key}");
        let item = world.refused(key).await.unwrap();
        assert!(item.why.contains("expected <account>/<provider>/<file name>"), "{item:?}");
        let partitions = world.ports.objects.versions("", None).await.unwrap().versions;
        assert_eq!((partitions, world.lines.sum("RefusedMessages")), (Vec::new(), 1));
        assert!(world.object(&format!("landing/{key}"), "v1").await.is_none());
    }
}

/// T05: of ten messages exactly the one that met a throttled table comes again; the poison has its record.
#[tokio::test]
async fn of_a_mixed_batch_exactly_the_throttled_message_comes_again() {
    let world = World::new().await;
    let mut bodies = Vec::new();
    for seed in 1..=7 {
        let record = world.uploaded(&format!("good-{seed}.csv"), &portal_csv(&sample(seed))).await;
        bodies.push(message(&[record]));
    }
    let poison = "\u{0}not JSON".to_owned();
    let throttled = world.uploaded("throttled.csv", &portal_csv(&sample(9))).await;
    bodies.extend([poison.clone(), trial(), message(&[throttled])]);
    assert_eq!(world.deliver(&bodies).await, ["9"]);
    assert!(world.refused(&poison).await.is_some_and(|item| item.text == r#""\0not JSON""#));
    let counted = ["AcceptedReports", "RefusedMessages", "FailedMessages"].map(|metric| world.lines.sum(metric));
    assert_eq!(counted, [7, 1, 1]);
    // Delivered again, what is done has no second effect.
    assert_eq!(world.deliver(&bodies).await, ["9"]);
    assert_eq!(["AcceptedReports", "DuplicateReports"].map(|metric| world.lines.sum(metric)), [7, 7]);
}

/// Two uploads of the same settlements that come together are both brought to an end, by the same delivery.
#[tokio::test]
async fn a_report_that_another_worker_has_for_a_moment_is_read_by_the_same_delivery() {
    let world = World::new().await;
    let record = world.uploaded("a.csv", &portal_csv(&sample(1))).await;
    let stands = Arc::new(AtomicBool::new(true));
    let state = Arc::new(Once(Arc::clone(&world.ports.state), Arc::clone(&stands)));
    const PAUSES: &[SignedDuration] = &[SignedDuration::from_millis(1)];
    let ports = Ports { state, ..world.ports.clone() };
    let function = Function { ports, ..world.worker.function };
    let worker = ParseReports { function, pauses: PAUSES, ..world.worker };
    let event = json!({ "Records": [{ "messageId": "0", "body": message(&[record]) }] });
    let event: SqsEvent = serde_json::from_value(event).unwrap();
    let deadline = NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(5);
    let response = batch(&worker, &event, &Invocation { deadline, trace_id: None }).await.unwrap();
    assert!(response.batch_item_failures.is_empty());
    assert_eq!((world.lines.sum("AcceptedReports"), stands.load(Ordering::Relaxed)), (1, false));
}

/// The same bytes once more are another version in S3: it is recorded too, so that nobody takes it for one that was lost.
#[tokio::test]
async fn the_same_report_once_more_is_no_lost_upload() {
    let world = World::new().await;
    for bytes in [portal_csv(&sample(1)), b"no report".to_vec()] {
        for _ in 0..2 {
            let record = world.uploaded("a.csv", &bytes).await;
            assert!(world.deliver(&[message(&[record])]).await.is_empty());
        }
    }
    while let Some((told, _)) = world.queue.take() {
        let ReportReady { account, report } = serde_json::from_str(&told).unwrap();
        let command = WriteReports { account, report, scratch: world.worker.function.scratch.clone() };
        dintero_report::write_reports(&world.ports, &command).await.unwrap();
    }
    let command = Sweep {
        account: None,
        now: NOW.parse().unwrap(),
        patience: SignedDuration::ZERO,
        is_thorough: true,
        posts: false,
        asks_for_missing: false,
        scratch: world.worker.function.scratch.clone(),
    };
    assert_eq!(sweep::find(&world.ports, &command).await.unwrap().open, Vec::new());
    assert_eq!(world.ports.objects.versions("landing/", None).await.unwrap().versions.len(), 4);
}

/// T06: an answer names ids of its own batch and nothing else; an empty one would be read as complete failure.
#[tokio::test]
async fn a_message_without_an_id_fails_the_whole_batch() {
    let world = World::new().await;
    for id in [Value::Null, json!("")] {
        let event = json!({ "Records": [{ "messageId": id, "body": trial() }] });
        let event: SqsEvent = serde_json::from_value(event).unwrap();
        let deadline = NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(5);
        assert!(batch(&world.worker, &event, &Invocation { deadline, trace_id: None }).await.is_err());
    }
    // Without time nothing is begun, so that nothing is cut off.
    let ids = world.deliver_until(&[trial(), trial()], SignedDuration::from_secs(1)).await;
    assert_eq!((ids, world.lines.said("S3 tried out the queue")), (vec!["0".to_owned(), "1".to_owned()], 0));
}

/// T07: an event without a version shows a bucket that keeps none; it is kept until that is put right.
#[tokio::test]
async fn an_event_without_a_version_is_a_misconfiguration_and_comes_again() {
    let world = World::new().await;
    world.upload("a.csv", &portal_csv(&sample(1))).await;
    for version in [None, Some("null"), Some("")] {
        assert_eq!(world.deliver(&[message(&[record("T00000001/vipps/a.csv", version)])]).await, ["0"]);
    }
    assert_eq!((world.lines.sum("Misconfigurations"), world.lines.sum("AcceptedReports")), (3, 0));
    assert_eq!(world.lines.said("the bucket is not versioned"), 3);
}

/// T11: what is no upload is ignored, a later minor version is read, another major one is kept and alarmed.
#[tokio::test]
async fn other_events_and_versions_of_events_are_told_apart() {
    let world = World::new().await;
    let good = world.uploaded("a.csv", &portal_csv(&sample(1))).await;
    let with = |name: &str, value: &str| {
        let mut record = good.clone();
        record[name] = json!(value);
        record
    };
    for event in ["ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated", "ObjectRestore:Completed"] {
        assert!(world.deliver(&[message(&[with("eventName", event)])]).await.is_empty());
    }
    assert_eq!((world.lines.said("an event that is no upload"), world.lines.sum("AcceptedReports")), (3, 0));
    assert_eq!(world.deliver(&[message(&[with("eventVersion", "3.0")])]).await, ["0"]);
    assert_eq!((world.lines.sum("Misconfigurations"), world.lines.sum("AcceptedReports")), (1, 0));
    let mut later = with("eventVersion", "2.9");
    later["s3"]["object"]["somethingNew"] = json!({ "deep": [1, 2] });
    assert!(world.deliver(&[message(&[later])]).await.is_empty());
    assert_eq!(world.lines.sum("AcceptedReports"), 1);
}

/// T12: records of one notification are taken each on its own; empty and too large ones are recorded and end.
#[tokio::test]
async fn records_of_one_message_are_taken_each_on_its_own() {
    let mut world = World::new().await;
    world.worker.limits = Limits { file_bytes_max: 100_000, ..Limits::default() };
    let empty = world.uploaded("empty.csv", b"").await;
    let large = world.uploaded("large.csv", &vec![b'x'; 100_001]).await;
    let good = world.uploaded("good.csv", &portal_csv(&sample(1))).await;
    let gone = record("T00000001/vipps/gone.csv", Some("7"));
    let bad = record("x.csv", Some("1"));
    assert!(world.deliver(&[message(&[empty.clone(), large.clone(), gone, bad, good])]).await.is_empty());
    let counted = ["RejectedReports", "RefusedMessages", "AcceptedReports"].map(|metric| world.lines.sum(metric));
    assert_eq!(counted, [3, 1, 1]);
    let version = |record: &Value| record["s3"]["object"]["versionId"].as_str().unwrap().to_owned();
    let item = world.object("landing/T00000001/vipps/large.csv", &version(&large)).await.unwrap();
    assert_eq!((item.report, item.kind), (None, Some(Kind::TooLarge)));
    let item = world.object("landing/T00000001/vipps/empty.csv", &version(&empty)).await.unwrap();
    let place = Place::report(item.report.unwrap(), &"T00000001".parse().unwrap());
    let (item, _) = place.read::<ReportItem>(&*world.ports.state).await.unwrap().unwrap();
    assert_eq!(item.state, ReportState::Rejected { kind: Kind::Empty });
    let gone = world.object("landing/T00000001/vipps/gone.csv", "7").await.unwrap();
    assert_eq!(gone.kind, Some(Kind::Missing));
}

/// T67: every line is one JSON object of fields that are listed, and nothing of a file, a key or a message is in it.
#[tokio::test]
async fn lines_have_listed_fields_and_nothing_of_files() {
    let world = World::new().await;
    let mut bodies = vec![trial(), "canary-message".to_owned(), message(&[record("canary-key", Some("v"))])];
    for (name, bytes) in [("canary-good.csv", portal_csv(&sample(1))), ("canary-bad.csv", b"canary-text;1".to_vec())] {
        bodies.push(message(&[world.uploaded(name, &bytes).await]));
    }
    bodies.push(message(&[world.uploaded("throttled.csv", &portal_csv(&sample(2))).await]));
    world.deliver(&bodies).await;
    let lines = world.lines.read();
    assert!(lines.len() >= 9, "{lines:?}");
    let listed = [
        "ts",
        "fn",
        "level",
        "msg",
        "version",
        "trace_id",
        "report_id",
        "account",
        "provider",
        "step",
        "attempt",
        "duration_ms",
        "outcome",
        "kind",
    ];
    for line in &lines {
        assert!(!line.to_string().contains("canary"), "{line}");
        let is_number = line.get("_aws").is_some();
        for name in line.as_object().unwrap().keys() {
            let known = adapters::inbound::metric::Metric::ALL.iter().any(|metric| metric.to_string() == *name);
            assert!(listed.contains(&name.as_str()) || (is_number && (name == "_aws" || known)), "{name}");
        }
    }
    let parsed: Vec<&Value> = lines.iter().filter(|line| line["msg"] == "a report was parsed").collect();
    assert!(parsed.iter().all(|line| line["report_id"].is_string() && line["trace_id"] == "1-abc"), "{parsed:?}");
}

/// A committed report gets its documents; what names no report is refused, and what is not committed comes again.
#[tokio::test]
async fn a_committed_report_is_reconciled_and_anything_else_is_told() {
    let world = World::new().await;
    let good = world.uploaded("a.csv", &portal_csv(&sample(1))).await;
    world.deliver(&[message(&[good])]).await;
    let (told, _) = world.queue.take().unwrap();
    let lines = Lines::default();
    let worker = ReconcileSettlements {
        function: function("reconcile-settlements", world.ports.clone(), world.worker.function.scratch.clone(), &lines),
        dintero: None,
        mails: None,
        own: world.queue.clone(),
    };
    let other = json!({ "account_id": "T00000001", "report_id": "0".repeat(64) }).to_string();
    let records = [&told, "{}", &other].map(|body| json!({ "messageId": body.len().to_string(), "body": body }));
    let event: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
    let deadline = NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(5);
    let invocation = Invocation { deadline, trace_id: None };
    let response = batch(&worker, &event, &invocation).await.unwrap();
    assert_eq!(response.batch_item_failures.len(), 1);
    assert_eq!((lines.sum("RefusedMessages"), lines.sum("FailedMessages")), (1, 1));
    assert!(lines.read().iter().any(|line| line["outcome"] == "WRITTEN"), "{:?}", lines.read());
    let written = world.ports.objects.versions("reports/", None).await.unwrap().versions;
    assert!(written.iter().any(|listed| listed.key.ends_with("/v1/dintero-report.pdf")), "{written:?}");
}

/// The samples of what triggers a function are read by it as they are.
#[tokio::test]
async fn samples_of_events_are_read() {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(name);
        serde_json::from_str::<SqsEvent>(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let deadline = NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(5);
    let invocation = Invocation { deadline, trace_id: None };
    let world = World::new().await;
    for name in ["parse-report.json", "parse-report-trial.json"] {
        assert!(batch(&world.worker, &read(name), &invocation).await.unwrap().batch_item_failures.is_empty());
    }
    let key = "landing/T00000001/vipps/Oppgjør 1+2.csv";
    let item = world.object(key, "096fKKXTRTtl3on89fVO.nfljtsv6qko").await.unwrap();
    assert_eq!((item.kind, world.lines.said("S3 tried out the queue")), (Some(Kind::Missing), 1));
    let event = read("reconcile-settlements.json");
    let body = event.records.first().unwrap().body.as_deref().unwrap();
    assert_eq!(serde_json::from_str::<ReportReady>(body).unwrap().account.as_str(), "T00000001");
    let event = read("reconcile-settlements-mirror.json");
    let body = event.records.first().unwrap().body.as_deref().unwrap();
    assert!(serde_json::from_str::<MirrorOutdated>(body).unwrap().reaches.is_some());
}
