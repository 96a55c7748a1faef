//! Every adapter of AWS keeps the contract of its port, held against an emulator.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use adapters::outbound::objects::S3;
use adapters::outbound::queue::Sqs;
use adapters::outbound::secrets::SecretsManager;
use adapters::outbound::state::DynamoDb;
use jiff::SignedDuration;
use store::keys::{Key, LandingKey};
use store::{Expect, ObjectMeta, Objects, PortErrorKind, Put, PutNew, Queue, Secrets, State};
use tests::contract;
use tests::emulator::Emulator;

fn landing(name: &str) -> Key {
    Key::Landing(LandingKey::new("T00000001".parse().unwrap(), "vipps", name).unwrap())
}

/// An emulator with everything that the contracts need, and the address of the queue.
pub(super) fn prepared() -> (Emulator, String) {
    let emulator = Emulator::start();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator/prepare.py");
    let queue = emulator.script(&script, &["contract"]).trim().to_owned();
    (emulator, queue)
}

#[tokio::test]
async fn s3_keeps_the_contract_of_objects() {
    let (emulator, _) = prepared();
    let s3 = S3::new(&emulator.config().await, "contract", None);
    contract::objects(&s3).await;
    large(&s3).await;
    names(&s3).await;
    // A bucket that keeps no versions would lose reports.
    let plain = S3::new(&emulator.config().await, "contract-plain", None);
    let error = plain.put_new(&landing("x.csv"), b"x").await.unwrap_err();
    assert!(error.to_string().contains("versioned"), "{error}");
    let nowhere = S3::new(&emulator.config().await, "nowhere", None);
    assert_eq!(nowhere.put_new(&landing("x.csv"), b"x").await.unwrap_err().kind, PortErrorKind::Refused);
}

/// A file of several parts goes up whole, under the same conditions as a small one.
async fn large(s3: &S3) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let block: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    for number in 0..40_u8 {
        file.write_all(&[number]).unwrap();
        file.write_all(&block).unwrap();
    }
    let key = landing("large.csv");
    let PutNew::Created(first) = s3.upload_new(&key, file.path()).await.unwrap() else { panic!() };
    let mut found = Vec::new();
    s3.fetch(&key, &first.version, &mut found).await.unwrap();
    assert!(found == std::fs::read(file.path()).unwrap(), "the parts are not the file");
    assert_eq!(s3.upload_new(&key, file.path()).await.unwrap(), PutNew::Exists);
    let other = ObjectMeta { version: "another".to_owned(), ..first.clone() };
    assert_eq!(s3.upload_if(&key, file.path(), Some(&other)).await.unwrap(), PutNew::Exists);
    assert!(matches!(s3.upload_if(&key, file.path(), Some(&first)).await.unwrap(), PutNew::Created(_)));
}

/// Names that lists and events write otherwise come back as they were.
async fn names(s3: &S3) {
    for name in ["100%.csv", "a+b c&d=e.csv", "%2B.csv", "Oppgjør<1>.csv", "😀.csv"] {
        let key = landing(name);
        s3.put_new(&key, b"x").await.unwrap();
        let page = s3.versions(&key.to_string(), None).await.unwrap();
        assert_eq!(page.versions.iter().map(|listed| listed.key.clone()).collect::<Vec<_>>(), [key.to_string()]);
        assert!(page.versions.iter().all(|listed| listed.at.is_some()));
    }
    assert!(s3.versions("landing", None).await.is_err());
}

#[tokio::test]
async fn dynamodb_keeps_the_contract_of_state() {
    let (emulator, _) = prepared();
    let state = DynamoDb::new(&emulator.config().await, "contract");
    contract::state(&state).await;
    // The body comes back as it was written, and a record of another shape is not guessed at.
    let body = serde_json::json!({ "z": 1, "a": [null, -0.5, "øre", 9_007_199_254_740_993_i64] });
    let put = Put { partition: "P#2".into(), sort: "s".into(), schema: 7, body: body.clone(), expect: Expect::Absent };
    state.put_if(&put).await.unwrap();
    let item = state.get("P#2", "s").await.unwrap().unwrap();
    assert_eq!((item.schema, item.body.to_string()), (7, body.to_string()));
    contract::accounts(Arc::new(DynamoDb::new(&emulator.config().await, "contract"))).await;
    let missing = DynamoDb::new(&emulator.config().await, "nowhere");
    assert_eq!(missing.get("P#2", "s").await.unwrap_err().kind, PortErrorKind::Refused);
    // Two at once: one is first, the other is told so.
    let racing = |body: i64| Put { expect: Expect::Revision(1), body: body.into(), ..put.clone() };
    let (one, other) = (racing(1), racing(2));
    let (one, other) = tokio::join!(state.put_if(&one), state.put_if(&other));
    let failed = [one, other].into_iter().filter_map(Result::err).map(|error| error.kind).collect::<Vec<_>>();
    assert_eq!(failed, [PortErrorKind::Conflict]);
}

#[tokio::test]
async fn sqs_and_secrets_manager_do_what_their_ports_promise() {
    let (emulator, url) = prepared();
    let config = emulator.config().await;
    let queue = Sqs::new(&config, &url);
    queue.send("now", SignedDuration::ZERO).await.unwrap();
    queue.send("later", SignedDuration::from_hours(2)).await.unwrap();
    let client = aws_sdk_sqs::Client::new(&config);
    let received = client.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap();
    let bodies: Vec<&str> = received.messages().iter().filter_map(|message| message.body()).collect();
    assert_eq!(bodies, ["now"]);
    let missing = Sqs::new(&config, &format!("{url}-nowhere"));
    assert_eq!(missing.send("x", SignedDuration::ZERO).await.unwrap_err().kind, PortErrorKind::Refused);

    let account = "T00000001".parse().unwrap();
    let secrets = SecretsManager::new(&config, "contract/dintero");
    assert_eq!(secrets.credentials(&account, false).await.unwrap().client_id, "first");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator/rotate.py");
    emulator.script(&script, &["contract/dintero/T00000001"]);
    // What is kept is used until it is refused.
    assert_eq!(secrets.credentials(&account, false).await.unwrap().client_id, "first");
    assert_eq!(secrets.credentials(&account, true).await.unwrap().client_id, "second");
    let nobody = "T00000002".parse().unwrap();
    assert_eq!(secrets.credentials(&nobody, false).await.unwrap_err().kind, PortErrorKind::NotFound);
    emulator.script(&script, &["contract/dintero/T00000001", "hush, no JSON"]);
    let error = secrets.credentials(&account, true).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Refused);
    assert!(!format!("{error:?}").contains("hush"), "{error:?}");
}
