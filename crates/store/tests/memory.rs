//! The stores in memory keep what the ports promise, so that tests over them are tests of the product.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use settlement::{Account, AccountId, Address, MailId, ReportId};
use store::keys::Key;
use store::memory::{MemoryMailer, MemoryObjects, MemoryQueue, MemoryState};
use store::{
    Envelope, Expect, ITEM_SCHEMA, MailEvent, Mailer, ObjectPager, Objects, Pager, Place, PortErrorKind, Put, PutNew,
    Query, Queue, State, TRANSACT_WRITES_MAX, note_mail_event, sent_message_id,
};

/// What a future gives that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("memory waits for nothing"),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Body {
    number: u32,
}

fn put(sort: &str, number: u32, expect: Expect) -> Put {
    let (partition, sort, schema) = ("P".to_owned(), sort.to_owned(), ITEM_SCHEMA);
    Put { partition, sort, schema, body: serde_json::to_value(Body { number }).unwrap(), expect }
}

fn sorts(state: &MemoryState, query: Query) -> Vec<String> {
    let items = now(Pager::new(state, query).all()).unwrap();
    items.into_iter().map(|item| item.sort).collect()
}

#[test]
fn a_write_happens_with_all_others_and_under_its_condition() {
    let state = MemoryState::default();
    let write = |puts: &[Put]| now(state.transact(puts)).map_err(|error| error.kind);
    assert_eq!(write(&[put("a", 1, Expect::Absent), put("b", 2, Expect::Any)]), Ok(()));
    assert_eq!(write(&[put("c", 3, Expect::Absent), put("a", 4, Expect::Absent)]), Err(PortErrorKind::Conflict));
    assert_eq!(write(&[put("a", 4, Expect::Revision(2))]), Err(PortErrorKind::Conflict));
    assert_eq!(write(&[put("a", 5, Expect::Revision(1))]), Ok(()));
    assert_eq!(write(&[put("a", 6, Expect::Any), put("a", 7, Expect::Any)]), Err(PortErrorKind::Refused));
    assert_eq!(sorts(&state, Query::all("P")), ["a", "b"], "nothing of a refused transaction is written");
    let item = now(state.get("P", "a")).unwrap().unwrap();
    assert_eq!((item.revision, store::decode::<Body>(&item).unwrap()), (2, Body { number: 5 }));
    assert_eq!(now(state.get("P", "c")).unwrap(), None);
    assert_eq!((state.all().len(), state.clone().all().len()), (2, 2));
    assert_eq!(state.alone_since(), None);

    let many = |count: usize| (0..count).map(|n| put(&format!("{n:04}"), 0, Expect::Any)).collect::<Vec<_>>();
    assert_eq!(write(&many(TRANSACT_WRITES_MAX)), Ok(()));
    assert_eq!(write(&many(TRANSACT_WRITES_MAX + 1)), Err(PortErrorKind::Refused));
    now(state.put_many(&many(TRANSACT_WRITES_MAX + 1))).unwrap();
    assert_eq!(sorts(&state, Query::all("P")).len(), TRANSACT_WRITES_MAX + 1 + 2);
}

#[test]
fn a_record_of_a_newer_layout_is_neither_read_nor_written_over() {
    let state = MemoryState::default();
    let newer = Put { schema: ITEM_SCHEMA + 1, ..put("a", 1, Expect::Absent) };
    now(state.put_if(&newer)).unwrap();
    assert_eq!(now(state.put_if(&put("a", 2, Expect::Any))).unwrap_err().kind, PortErrorKind::Refused);
    let item = now(state.get("P", "a")).unwrap().unwrap();
    assert!(store::decode::<Body>(&item).unwrap_err().to_string().contains("newer version of avstem"));
}

#[test]
fn a_range_is_read_page_by_page_both_ways() {
    let state = MemoryState::default();
    for sort in ["a1", "a2", "a3", "b1"] {
        now(state.put_if(&put(sort, 0, Expect::Absent))).unwrap();
    }
    now(state.put_if(&Put { partition: "Q".to_owned(), ..put("a1", 0, Expect::Absent) })).unwrap();
    for limit in 1..6 {
        let all = || Query { limit, ..Query::all("P") };
        assert_eq!(sorts(&state, all()), ["a1", "a2", "a3", "b1"]);
        assert_eq!(sorts(&state, Query { backwards: true, ..all() }), ["b1", "a3", "a2", "a1"]);
        assert_eq!(sorts(&state, Query { prefix: "a".to_owned(), ..all() }), ["a1", "a2", "a3"]);
        assert_eq!(sorts(&state, Query { from: "a2".to_owned(), ..all() }), ["a2", "a3", "b1"]);
    }
    let page = |limit| now(state.query(&Query { limit, ..Query::all("P") })).unwrap();
    assert_eq!((page(3).items.len(), page(3).cursor.as_deref()), (3, Some("a3")));
    assert_eq!((page(4).items.len(), page(4).cursor), (4, None));
    assert_eq!(now(store::all(&state, Query::all("P"))).unwrap().len(), 4);
}

#[test]
fn a_place_reads_what_was_put_there() {
    let state = MemoryState::default();
    let id: AccountId = "T00000001".parse().unwrap();
    let place = Place::account(&id);
    assert_eq!(now(place.read::<Account>(&state)).unwrap(), None);
    assert_eq!(now(store::account(&state, &id)).unwrap(), Account::new(id.clone()));
    let named = Account { name: Some("Butikk AS".to_owned()), ..Account::new(id.clone()) };
    now(state.put_if(&place.put(&named, Expect::Absent).unwrap())).unwrap();
    assert_eq!(now(place.read::<Account>(&state)).unwrap(), Some((named.clone(), 1)));
    assert_eq!(now(store::account(&state, &id)).unwrap(), named);
}

fn problems(attempt: u32) -> Key {
    Key::Problems { account: "T00000001".parse().unwrap(), report: ReportId::from_sha256([7; 32]), attempt }
}

#[test]
fn every_version_of_an_object_stays_and_a_condition_is_kept() {
    let objects = MemoryObjects::default();
    let key = problems(1);
    let first = match now(objects.put_new(&key, b"one")).unwrap() {
        PutNew::Created(meta) => meta,
        PutNew::Exists => panic!("nothing was there"),
    };
    assert_eq!((first.size_bytes, first.key.as_str()), (3, key.to_string().as_str()));
    assert_eq!(now(objects.put_new(&key, b"other")).unwrap(), PutNew::Exists);
    assert_eq!(objects.rewritten(&[]), None);
    let second = objects.put_version_at(&key, b"second".to_vec(), Timestamp::UNIX_EPOCH);
    assert_eq!(now(objects.head(&key)).unwrap(), Some(second.clone()));
    let fetch = |version: &str| {
        let mut into = Vec::new();
        now(objects.fetch(&key, version, &mut into)).map(|size| (size, into)).map_err(|error| error.kind)
    };
    assert_eq!(fetch(&first.version), Ok((3, b"one".to_vec())));
    assert_eq!(fetch(&second.version), Ok((6, b"second".to_vec())));
    assert_eq!(fetch("9"), Err(PortErrorKind::NotFound));
    assert_eq!(now(objects.head(&problems(2))).unwrap(), None);
    assert_eq!(objects.newest(&key.to_string()).as_deref(), Some(&b"second"[..]));
    assert_eq!(objects.rewritten(&[]), Some(key.to_string()));
    assert_eq!(objects.rewritten(&["reports/"]), None);
    assert_eq!((objects.keys(), objects.clone().keys()), (vec![key.to_string()], vec![key.to_string()]));
    let listed = now(objects.versions("reports/", None)).unwrap().versions;
    assert_eq!(listed.iter().map(|listed| listed.at).collect::<Vec<_>>(), [None, Some(Timestamp::UNIX_EPOCH)]);
}

#[test]
fn a_listing_goes_on_where_its_page_ended() {
    let objects = MemoryObjects::default();
    for attempt in 1..=250 {
        objects.put_version(&problems(attempt), Vec::new());
    }
    let mut pager = ObjectPager::new(&objects, "reports/T00000001/held/");
    let mut found = Vec::new();
    while let Some(listed) = now(pager.next()).unwrap() {
        found.push(listed.key);
    }
    assert_eq!(found, objects.keys());
    assert_eq!(now(ObjectPager::new(&objects, "reports/T00000002/").next()).unwrap(), None);
}

#[test]
fn a_mail_is_known_by_its_id_and_a_message_keeps_its_delay() {
    let mailer = MemoryMailer::default();
    let account: AccountId = "T00000001".parse().unwrap();
    let address: Address = "a@example.no".parse().unwrap();
    let id = |revision| MailId::of(&account, "payout", "2000461", revision, &address, "nb");
    let (sent, other) = (id(1), id(2));
    let at = Timestamp::UNIX_EPOCH;
    let envelope = Envelope { id: &sent, at, from: &address, to: &address, not_after: at };
    let message_id = now(mailer.send(&envelope, b"Hei")).unwrap();
    assert_eq!(now(mailer.sent(&sent)).unwrap(), Some(message_id));
    assert_eq!(now(mailer.sent(&other)).unwrap(), None);
    let all = mailer.all();
    assert_eq!((all.len(), &all[0].id, all[0].message.as_slice()), (1, &sent, &b"Hei"[..]));

    let queue = MemoryQueue::default();
    now(queue.send("first", SignedDuration::from_secs(3))).unwrap();
    now(queue.send("second", SignedDuration::ZERO)).unwrap();
    assert_eq!(queue.take(), Some(("first".to_owned(), SignedDuration::from_secs(3))));
    assert_eq!((queue.take().map(|(message, _)| message), queue.take()), (Some("second".to_owned()), None));
}

#[test]
fn what_the_service_says_of_a_mail_is_noted_once_in_words() {
    let state = MemoryState::default();
    let (account, address) = ("T00000001".parse().unwrap(), "a@example.no".parse().unwrap());
    let mail = MailId::of(&account, "payout", "2000461", 1, &address, "nb");
    let at = |second| Timestamp::from_second(second).unwrap();
    let note = |message: &str, event, second| now(note_mail_event(&state, &mail, message, event, at(second))).unwrap();
    assert_eq!(now(sent_message_id(&state, &mail)).unwrap(), None);
    assert!(note("second", MailEvent::Sent, 9) && note("first", MailEvent::Delivered, 8));
    assert!(!note("second", MailEvent::Sent, 10));
    assert_eq!(now(sent_message_id(&state, &mail)).unwrap(), Some("first".to_owned()));
    let journal = now(store::all(&state, Query::journal(&Place::trace(&mail)))).unwrap();
    let words: Vec<&str> = journal.iter().map(|item| item.body["what"].as_str().unwrap()).collect();
    assert_eq!(words, ["delivered as first", "sent as second"]);
}

/// A state whose record another worker writes just before each write.
struct Raced(MemoryState, std::sync::atomic::AtomicUsize);

#[async_trait::async_trait]
impl State for Raced {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<store::Item>, store::PortError> {
        self.0.get(partition, sort).await
    }

    async fn query(&self, query: &Query) -> Result<store::Page, store::PortError> {
        self.0.query(query).await
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), store::PortError> {
        let left = self.1.load(std::sync::atomic::Ordering::Relaxed);
        if left > 0 {
            self.1.store(left - 1, std::sync::atomic::Ordering::Relaxed);
            return Err(writes[0].conflict());
        }
        self.0.transact(writes).await
    }
}

#[test]
fn a_note_that_others_are_faster_than_is_tried_eight_times() {
    let (account, address) = ("T00000001".parse().unwrap(), "a@example.no".parse().unwrap());
    let mail = MailId::of(&account, "payout", "2000461", 1, &address, "nb");
    for (others, is_noted) in [(0, true), (7, true), (8, false)] {
        let state = Raced(MemoryState::default(), others.into());
        let noted = now(note_mail_event(&state, &mail, "a", MailEvent::Sent, Timestamp::UNIX_EPOCH));
        assert_eq!(noted.is_ok(), is_noted, "{others}");
    }
}

#[test]
fn a_file_is_put_as_it_is_and_a_batch_is_named_by_its_place() {
    let objects = MemoryObjects::default();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let meta = now(objects.upload(&problems(1), std::path::Path::new(file))).unwrap();
    assert_eq!(objects.newest(&meta.key).as_deref(), Some(include_bytes!("../Cargo.toml").as_slice()));
    assert!(!problems(1).can_be_made_again());
    assert!(Key::Mirror { account: "T00000001".parse().unwrap(), captured_on: None }.can_be_made_again());

    let key: settlement::SettleKey = settlement::SettleKey {
        account_id: "T00000001".parse().unwrap(),
        provider: "vipps".parse().unwrap(),
        merchant_number: "123456".parse().unwrap(),
        settlement_id: "2000461".parse().unwrap(),
        currency: settlement::Currency::NOK,
    };
    let place = Place::batch(&key, "abc");
    assert_eq!(place.sort, "vipps/123456/2000461/NOK/abc");
    let state = MemoryState::default();
    now(state.put_if(&place.put(&Body { number: 1 }, Expect::Absent).unwrap())).unwrap();
    assert_eq!(store::batch_id(&state.all()[0]), "abc");
    let refused = now(state.put_if(&place.put(&Body { number: 1 }, Expect::Absent).unwrap())).unwrap_err();
    assert!(refused.is_retryable(), "whoever was second may try again");
    let twice = [put("a", 1, Expect::Any), put("a", 1, Expect::Any)];
    assert!(!now(state.transact(&twice)).unwrap_err().is_retryable());
}
