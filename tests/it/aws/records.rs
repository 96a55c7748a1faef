//! Which records functions read and write, held against what their roles may: the emulator does not ask for leading keys.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use adapters::app::App;
use adapters::inbound::backoffice::{Backoffice, Request, Route};
use adapters::inbound::function::Function;
use adapters::inbound::lambda::{Invocation, Scheduled, batch};
use adapters::inbound::parse_report::ParseReports;
use adapters::inbound::reconcile_settlements::ReconcileSettlements;
use adapters::inbound::sweep::Sweeper;
use adapters::outbound::queue::MemoryQueue;
use aws_lambda_events::event::sqs::SqsEvent;
use formats::Limits;
use jiff::{SignedDuration, Timestamp};
use pipeline::Ports;
use pipeline::current::accounts::{AddMerchant, add_merchant};
use pipeline::operate::sweep::{self, Queues};
use serde_json::json;
use store::State;
use store::keys::{Key, LandingKey};
use tests::generate::{Seed, portal_csv, report, structured_csv};

use super::roles::may;
use super::watched::{Kept, Watched};

fn now() -> Timestamp {
    "2026-11-01T06:00:00Z".parse().unwrap()
}

fn event(bodies: &[String]) -> SqsEvent {
    let records: Vec<_> = bodies.iter().map(|body| json!({ "messageId": "1", "body": body })).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

/// Messages about reports that come to every end, about an upload that is gone, and one that is none.
async fn messages(ports: &Ports, folder: &Path) -> Vec<String> {
    let first = report(&mut Seed(1), 2, 3);
    let mut other = first.clone();
    other.settlements[0].lines[0].capture_minor += 100;
    let files = [portal_csv(&first), structured_csv(&first), portal_csv(&other), b"nothing".to_vec()];
    let mut bodies = vec!["no message of S3".to_owned()];
    for (number, bytes) in files.iter().enumerate() {
        let name = format!("{number}.csv");
        let landing = LandingKey::new("T00000001".parse().unwrap(), "vipps", &name).unwrap();
        let file = folder.join(&name);
        std::fs::write(&file, bytes).unwrap();
        let version = ports.objects.upload(&Key::Landing(landing), &file).await.unwrap().version;
        bodies.push(upload(&name, &version));
    }
    bodies.push(upload("gone.csv", "v0"));
    bodies
}

/// The sweep, when it is the account's turn.
fn sweeper(ports: Ports, folder: &Path) -> Sweeper {
    let turn = (0..96).map(|turn| now() + sweep::EVERY * turn).find(|now| sweep::is_turn("T00000001", *now)).unwrap();
    let told = Arc::new(MemoryQueue::default());
    Sweeper {
        function: Function::new("sweep", ports, folder.to_owned(), Arc::new(move || turn), io::sink()),
        queues: Queues { parse: told.clone(), reconcile: told },
        posts: true,
    }
}

/// Reports that come to every end, an upload that is gone and a message that is none; then everything that follows.
#[tokio::test]
async fn functions_touch_only_records_that_their_roles_name() {
    let scratch = tempfile::tempdir().unwrap();
    let App { ports, .. } = App::in_memory(scratch.path()).unwrap();
    let merchant = AddMerchant {
        account: "T00000001".parse().unwrap(),
        provider: "vipps".into(),
        number: "123456".into(),
        now: now(),
    };
    add_merchant(&ports, &merchant).await.unwrap();
    let watched = |role: &'static str| {
        let kept = Arc::<Kept>::default();
        let state: Arc<dyn State> = Arc::new(Watched(Arc::clone(&ports.state), Arc::clone(&kept)));
        (Ports { state, ..ports.clone() }, (role, kept))
    };
    let bodies = messages(&ports, scratch.path()).await;
    let queue = Arc::new(MemoryQueue::default());
    let invocation = Invocation { deadline: now() + SignedDuration::from_mins(5), trace_id: None };
    let folder = scratch.path();
    let function =
        |name: &'static str, ports: Ports| Function::new(name, ports, folder.to_owned(), Arc::new(now), io::sink());
    let (parse_ports, parse) = watched("ParseRole");
    let worker = ParseReports {
        function: function("parse-report", parse_ports),
        next: queue.clone(),
        bucket: "landing".into(),
        limits: Limits::default(),
        pauses: &[],
    };
    let response = batch(&worker, &event(&bodies), &invocation).await.unwrap();
    assert_eq!(response.batch_item_failures.len(), 0);

    let (reconcile_ports, reconcile) = watched("ReconcileRole");
    let mut messages: Vec<String> = std::iter::from_fn(|| queue.take()).map(|(message, _)| message).collect();
    let own = Arc::new(MemoryQueue::default());
    let worker = ReconcileSettlements {
        function: function("reconcile-settlements", reconcile_ports),
        dintero: None,
        own,
        mails: Some(Arc::new(MemoryQueue::default())),
    };
    assert!(!messages.is_empty());
    messages.push("no message of this queue".to_owned());
    batch(&worker, &event(&messages), &invocation).await.unwrap();

    let (office_ports, office) = watched("BackofficeRole");
    let worker = Backoffice { function: function("backoffice-api", office_ports), account_claim: "a".into() };
    let claims = BTreeMap::from([("a".to_owned(), "T00000001".to_owned())]);
    for route in Route::ALL {
        let asked = Request {
            method: "GET".into(),
            path: route.path().into(),
            claims: Some(claims.clone()),
            ..Request::default()
        };
        assert_eq!(worker.answer(&asked).await.status, 200);
    }

    let (sweep_ports, swept) = watched("SweepRole");
    sweeper(sweep_ports, scratch.path()).carry_out(&invocation).await.unwrap();

    for (role, kept) in [parse, reconcile, office, swept] {
        let seen = kept.all();
        assert!(seen.len() >= 4, "{role}: {seen:?}");
        for (action, partition) in seen.iter() {
            assert!(may(role, action, partition), "{role} may not {action} on {partition}");
        }
    }
}

fn upload(name: &str, version: &str) -> String {
    let object = json!({ "key": format!("T00000001/vipps/{name}"), "versionId": version });
    let s3 = json!({ "bucket": { "name": "landing" }, "object": object });
    json!({ "Records": [{ "eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": s3 }] }).to_string()
}
