//! What every implementation of a port must do, as one function over the port.

use std::io::Write;
use std::sync::Arc;

use jiff::Timestamp;
use pipeline::current::accounts::{self, AccountSettings, AddMerchant};
use pipeline::posting::post;
use pipeline::{Packing, Ports};
use serde_json::json;
use settlement::{Account, AccountId, Address, HeaderText, MailId};
use store::keys::{Key, LandingKey};
use store::memory::MemoryObjects;
use store::{
    Envelope, Expect, Mailer, MerchantItem, ObjectMeta, Objects, Place, PortErrorKind, Put, PutNew, Query, State,
    TRANSACT_WRITES_MAX,
};
use tempfile::NamedTempFile;

fn landing(name: &str) -> Key {
    Key::Landing(LandingKey::new("T00000001".parse().expect("account"), "vipps", name).expect("key"))
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("temporary file");
    file.write_all(bytes).expect("write");
    file
}

async fn read(objects: &dyn Objects, key: &Key, version: &str) -> Result<Vec<u8>, PortErrorKind> {
    let mut bytes = Vec::new();
    let size = objects.fetch(key, version, &mut bytes).await.map_err(|error| error.kind)?;
    assert_eq!(size, bytes.len() as u64);
    Ok(bytes)
}

/// The contract of [`Objects`], on an empty store.
pub async fn objects(objects: &dyn Objects) {
    let key = landing("Oppgjør 1+2.csv");
    assert_eq!(objects.head(&key).await.expect("head"), None);
    assert_eq!(read(objects, &key, "1").await, Err(PortErrorKind::NotFound));

    let first = objects.upload(&key, file(b"one").path()).await.expect("upload");
    let second = objects.upload(&key, file(b"second").path()).await.expect("upload");
    assert_ne!(first.version, second.version);
    assert_eq!((first.size_bytes, second.size_bytes), (3, 6));
    assert_eq!(objects.head(&key).await.expect("head"), Some(second.clone()));
    assert_eq!(read(objects, &key, &first.version).await.as_deref(), Ok(b"one".as_slice()));
    assert_eq!(read(objects, &key, &second.version).await.as_deref(), Ok(b"second".as_slice()));
    for version in ["", "999", "../one", "zz"] {
        assert_eq!(read(objects, &key, version).await, Err(PortErrorKind::NotFound), "{version:?}");
    }

    let once = landing("once.csv");
    assert!(matches!(objects.put_new(&once, b"kept").await, Ok(PutNew::Created(_))));
    assert!(matches!(objects.put_new(&once, b"lost").await, Ok(PutNew::Exists)));
    assert!(matches!(objects.upload_new(&once, file(b"lost").path()).await, Ok(PutNew::Exists)));
    let meta = objects.head(&once).await.expect("head").expect("object");
    assert_eq!(read(objects, &once, &meta.version).await.as_deref(), Ok(b"kept".as_slice()));
    let other = landing("other.csv");
    assert!(matches!(objects.upload_new(&other, file(b"new").path()).await, Ok(PutNew::Created(_))));
    assert!(objects.upload_new(&landing("x"), std::path::Path::new("/nowhere/at all")).await.is_err());
    list(objects, &[(&key, &first.version), (&key, &second.version), (&once, &meta.version)]).await;
    replace(objects).await;
}

/// A view is replaced only by whoever saw what it replaces.
async fn replace(objects: &dyn Objects) {
    let key = Key::LakeExport { account: "T00000001".parse().expect("account"), table: "settlement" };
    let put = async |bytes: &[u8], before: Option<&ObjectMeta>| match objects
        .upload_if(&key, file(bytes).path(), before)
        .await
        .expect("upload")
    {
        PutNew::Created(meta) => Some(meta),
        PutNew::Exists => None,
    };
    let first = put(b"one", None).await.expect("there was none");
    assert_eq!(put(b"other", None).await, None);
    let second = put(b"two", Some(&first)).await.expect("the first was seen");
    assert_eq!(put(b"other", Some(&first)).await, None);
    assert_eq!(objects.head(&key).await.expect("head"), Some(second.clone()));
    assert_eq!(read(objects, &key, &second.version).await.as_deref(), Ok(b"two".as_slice()));
    let elsewhere = Key::LakeExport { account: "T00000002".parse().expect("account"), table: "settlement" };
    let put = objects.upload_if(&elsewhere, file(b"one").path(), Some(&second)).await.expect("upload");
    assert_eq!((put, objects.head(&elsewhere).await.expect("head")), (PutNew::Exists, None));
}

/// Every version is listed once, page by page, and nothing beside the prefix.
async fn list(objects: &dyn Objects, some: &[(&Key, &str)]) {
    let many: Vec<Key> = (0..120).map(|number| landing(&format!("many-{number:03}"))).collect();
    for key in &many {
        objects.put_new(key, b"x").await.expect("put");
    }
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = objects.versions("landing/T00000001/vipps/", cursor.as_deref()).await.expect("list");
        found.extend(page.versions.into_iter().map(|listed| (listed.key, listed.version)));
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert!(found.is_sorted_by_key(|(key, _)| key.clone()), "{found:?}");
    for (key, version) in some {
        let listed = found.iter().filter(|listed| **listed == (key.to_string(), (*version).to_owned())).count();
        assert_eq!(listed, 1, "{key} {version}");
    }
    assert_eq!(found.len(), many.len() + 4);
    let below = objects.versions("landing/T00000001/vipps/many-00", None).await.expect("list");
    assert_eq!(below.versions.len(), 10);
    assert_eq!(objects.versions("landing/T00000002/", None).await.expect("list").versions, Vec::new());
}

fn put(sort: &str, body: i64, expect: Expect) -> Put {
    Put { partition: "P#1".into(), sort: sort.into(), schema: 1, body: json!({ "n": body }), expect }
}

async fn value(state: &dyn State, sort: &str) -> Option<(i64, u64)> {
    let item = state.get("P#1", sort).await.expect("get")?;
    Some((item.body["n"].as_i64().expect("number"), item.revision))
}

async fn kind(state: &dyn State, writes: &[Put]) -> Option<PortErrorKind> {
    state.transact(writes).await.err().map(|error| error.kind)
}

/// The contract of [`State`], on an empty store.
pub async fn state(state: &dyn State) {
    assert_eq!(value(state, "a").await, None);
    state.put_if(&put("a", 1, Expect::Absent)).await.expect("put");
    assert_eq!(value(state, "a").await, Some((1, 1)));
    assert_eq!(kind(state, &[put("a", 2, Expect::Absent)]).await, Some(PortErrorKind::Conflict));
    assert_eq!(kind(state, &[put("a", 2, Expect::Revision(2))]).await, Some(PortErrorKind::Conflict));
    state.put_if(&put("a", 2, Expect::Revision(1))).await.expect("put");
    assert_eq!(value(state, "a").await, Some((2, 2)));
    assert_eq!(kind(state, &[put("b", 1, Expect::Revision(1))]).await, Some(PortErrorKind::Conflict));

    // All or nothing, whichever condition fails.
    let writes = [put("c", 1, Expect::Absent), put("a", 3, Expect::Absent)];
    assert_eq!(kind(state, &writes).await, Some(PortErrorKind::Conflict));
    assert_eq!((value(state, "c").await, value(state, "a").await), (None, Some((2, 2))));
    assert_eq!(kind(state, &[put("c", 1, Expect::Any), put("c", 2, Expect::Any)]).await, Some(PortErrorKind::Refused));

    let many: Vec<Put> = (0..250).map(|n| put(&format!("m#{n:03}"), n, Expect::Any)).collect();
    assert_eq!(kind(state, &many[..=TRANSACT_WRITES_MAX]).await, Some(PortErrorKind::Refused));
    state.put_many(&many).await.expect("put many");
    state.put_many(&many).await.expect("put many again");

    let query = Query { prefix: "m#".into(), limit: 100, ..Query::all("P#1") };
    for backwards in [false, true] {
        let mut query = Query { backwards, ..query.clone() };
        let (mut found, mut pages) = (Vec::new(), 0);
        loop {
            let page = state.query(&query).await.expect("query");
            found.extend(page.items.iter().map(|item| item.body["n"].as_i64().expect("number")));
            pages += 1;
            match page.cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => break,
            }
        }
        let mut expected: Vec<i64> = (0..250).collect();
        if backwards {
            expected.reverse();
        }
        assert_eq!((found, pages), (expected, 3));
    }
    newer(state).await;
    let from = Query { from: "m#248".into(), ..query };
    assert_eq!(state.query(&from).await.expect("query").items.len(), 2);
    assert_eq!(state.query(&Query::all("P")).await.expect("query").items.len(), 0);
}

/// Whoever writes an account lists it, once, in any [`State`] that is empty.
pub async fn accounts(state: Arc<dyn State>) {
    let ports = Ports { objects: Arc::new(MemoryObjects::default()), state, packing: Packing::None };
    let id = |number: u32| format!("T{number:08}").parse::<AccountId>().expect("account");
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(accounts::all(&ports).await.expect("accounts"), []);
    let add = async |number: u32, merchant: &str| {
        let (provider, merchant) = ("vipps".to_owned(), merchant.to_owned());
        let command = AddMerchant { account: id(number), provider, number: merchant, now };
        accounts::add_merchant(&ports, &command).await.expect("add")
    };
    assert!(add(2, "200").await && add(1, "100").await && add(1, "101").await && !add(1, "100").await);
    let named = AccountSettings { name: HeaderText::new("Butikk AS").ok(), ..AccountSettings::default() };
    accounts::set(&ports, &id(4), &named, now).await.expect("name");
    for posts in [true, false] {
        post::set_posting(&ports, &id(3), posts, now).await.expect("posting");
    }
    // One that is older than the list.
    let (record, merchant) = (Place::account(&id(5)), Place::merchant("vipps", "500"));
    let writes = [
        record.put(&Account::new(id(5)), Expect::Absent).expect("record"),
        merchant.put(&MerchantItem { account: id(5) }, Expect::Absent).expect("record"),
    ];
    ports.state.transact(&writes).await.expect("put");
    assert_eq!(accounts::all(&ports).await.expect("accounts"), [1, 2, 3, 4].map(id));
    assert!(!add(5, "500").await);
    assert_eq!(accounts::all(&ports).await.expect("accounts"), [1, 2, 3, 4, 5].map(id));
}

/// A record of a newer release is left as it is, whatever is expected of it, and nothing else of the transaction is written.
async fn newer(state: &dyn State) {
    let later = Put { schema: 2, ..put("later", 1, Expect::Absent) };
    state.put_if(&later).await.expect("put");
    for expect in [Expect::Any, Expect::Revision(1)] {
        let writes = [put("beside", 1, Expect::Any), put("later", 2, expect)];
        let error = state.transact(&writes).await.expect_err("it would be lost");
        assert_eq!(error.kind, PortErrorKind::Refused, "{error}");
        assert!(error.to_string().contains("P#1 later") && error.to_string().contains("version 2"), "{error}");
    }
    assert!(kind(state, &[put("later", 2, Expect::Absent)]).await.is_some());
    let item = state.get("P#1", "later").await.expect("get").expect("record");
    assert_eq!((item.schema, item.revision, value(state, "beside").await), (2, 1, None));
    // Whoever knows the layout goes on with it, and a record of an older one is brought up to it.
    state.put_if(&Put { schema: 2, ..put("later", 2, Expect::Revision(1)) }).await.expect("put");
    state.put_if(&Put { schema: 3, ..put("later", 3, Expect::Any) }).await.expect("put");
    assert_eq!(value(state, "later").await, Some((3, 3)));
}

/// A mail in the contract of mailers.
pub const MESSAGE: &[u8] = b"Subject: x\r\n\r\nx\r\n";

fn mail_id(number: u32) -> MailId {
    let to = "regnskap@example.no".parse().expect("address");
    MailId::of(&"T00000001".parse().expect("account"), "payout", "x", number, &to, "nb")
}

async fn send(mailer: &dyn Mailer, id: &MailId) -> String {
    let address = |text: &str| text.parse::<Address>().expect("address");
    let (from, to) = (address("avstem@example.no"), address("regnskap@example.no"));
    let at = "2026-11-03T06:00:00Z".parse().expect("time");
    let envelope = Envelope { id, at, from: &from, to: &to, not_after: jiff::Timestamp::MAX };
    mailer.send(&envelope, MESSAGE).await.expect("send")
}

/// The contract of [`Mailer`], where nothing was sent.
pub async fn mailer(mailer: &dyn Mailer) {
    let (first, second) = (mail_id(1), mail_id(2));
    assert_eq!(mailer.sent(&first).await.expect("asked"), None);
    let known_as = send(mailer, &first).await;
    assert!(!known_as.is_empty());
    assert_eq!(mailer.sent(&first).await.expect("asked"), Some(known_as.clone()));
    assert_eq!(mailer.sent(&second).await.expect("asked"), None);
    assert_ne!(send(mailer, &second).await, known_as);
    assert_eq!(mailer.sent(&first).await.expect("asked"), Some(known_as));
}

/// A mail of the contract is known to somebody who did not send it.
pub async fn is_known(mailer: &dyn Mailer) {
    assert!(mailer.sent(&mail_id(1)).await.expect("asked").is_some());
}

/// Sends a mail of the contract once more.
pub async fn send_again(mailer: &dyn Mailer) {
    let id = mail_id(1);
    let known_as = mailer.sent(&id).await.expect("asked");
    assert_eq!(Some(send(mailer, &id).await), known_as);
}
