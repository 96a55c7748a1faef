//! The mirror of transactions: each lies in it once, in its newest copy, whoever reads and merges when.

use pipeline::transactions::mirror;
use pipeline::transactions::sync::{self, SyncTransactions};
use settlement::Transaction;
use store::{Expect, Place, Query, SettlementItem, SettlementVersion};

use super::*;
use TransactionEventKind::{Capture, Refund};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn paid(order: &str, events: &[(TransactionEventKind, i64, &str)]) -> MadeTransaction {
    let made = MadeTransaction::new(&id_of(order), order, "vipps", "NOK", 10_000);
    events.iter().fold(made, |made, (kind, minor, when)| made.with(MadeEvent::new(*kind, *minor, at(when))))
}

impl World {
    /// Reads a transaction from Dintero as it is now, and merges it.
    async fn read_again(&self, order: &str) {
        let client = self.dintero.account(&self.account).unwrap();
        let found = client.transactions_by_id(&[&id_of(order)]).await.unwrap();
        self.merge(&found).await;
    }

    async fn sync_all(&self) -> Result<sync::Synced, StepError> {
        let (account, scratch, now) = (self.account.clone(), self.scratch.path().to_owned(), self.clock.now());
        let from = Some(at("2026-10-01T00:00:00Z"));
        let command = SyncTransactions { account, from, now, deadline: Timestamp::MAX, scratch };
        sync::run(&self.ports, &self.dintero, &command).await
    }

    async fn mirrored(&self) -> Vec<Transaction> {
        let mut all = Vec::new();
        let add = |transaction| {
            all.push(transaction);
            Ok(())
        };
        mirror::read(&self.ports, &self.account, add).await.unwrap();
        all
    }

    async fn merge(&self, transactions: &[Transaction]) {
        mirror::merge(&self.ports, &self.account, transactions.to_vec(), self.scratch.path()).await.unwrap();
    }
}

/// A partial capture that succeeds late may be of an earlier day than the one that was known.
#[tokio::test]
async fn a_transaction_whose_first_capture_moves_to_an_earlier_day_lies_in_the_mirror_once() {
    let (world, upload) = World::with_sales(2).await;
    let later = (Capture, 6_000, "2026-10-21T10:00:00Z");
    world.sandbox().add_transaction(paid("A-1", &[later]));
    world.read_again("A-1").await;
    world.sandbox().add_transaction(paid("A-1", &[(Capture, 4_000, "2026-10-20T10:00:00Z"), later]));
    world.read_again("A-1").await;
    let ids: Vec<String> = world.mirrored().await.into_iter().map(|known| known.id).collect();
    assert_eq!(ids.iter().filter(|id| **id == id_of("A-1")).count(), 1, "{ids:?}");
    // The account goes on: lines are matched and posted.
    assert_eq!(words(&world.take(&upload).await.events), BTreeMap::from([("POSTED", 2)]));
}

/// A worker that ends between the two days leaves two copies, and the newer one is read.
#[tokio::test]
async fn of_two_copies_under_two_days_the_newer_one_is_read() {
    let world = World::new().await;
    let later = (Capture, 6_000, "2026-10-21T10:00:00Z");
    world.sandbox().add_transaction(paid("A-1", &[later]));
    world.read_again("A-1").await;
    let day = Key::Mirror { account: world.account.clone(), captured_on: Some(date(2026, 10, 21)) };
    let before = world.objects.newest(&day.to_string()).unwrap().to_vec();
    world.sandbox().add_transaction(paid("A-1", &[(Capture, 4_000, "2026-10-20T10:00:00Z"), later]));
    world.read_again("A-1").await;
    world.objects.put_version(&day, before);
    let [known] = &world.mirrored().await[..] else { panic!("there is one transaction") };
    assert_eq!(known.events.iter().filter(|event| event.kind == Capture).count(), 2);
}

/// Who reads first may merge last: what it read is older then, and changes nothing.
#[tokio::test]
async fn an_older_copy_never_takes_the_place_of_a_newer_one() {
    let world = World::new().await;
    let sale = (Capture, 6_000, "2026-10-21T10:00:00Z");
    world.sandbox().add_transaction(paid("A-1", &[sale]));
    world.read_again("A-1").await;
    let older = world.mirrored().await;
    world.sandbox().add_transaction(paid("A-1", &[sale, (Refund, 1_000, "2026-10-22T10:00:00Z")]));
    world.read_again("A-1").await;
    let newer = world.mirrored().await;
    assert_ne!(older, newer);
    world.merge(&older).await;
    assert_eq!(world.mirrored().await, newer);
}

/// Answers a list as if every page were the first.
struct FirstPageAlways(Arc<Wire>);

#[async_trait]
impl HttpClient for FirstPageAlways {
    async fn send(&self, request: &Request) -> Result<Response, NoResponse> {
        let mut request = request.clone();
        if let Some((before, after)) = request.url.split_once("starting_after=") {
            let rest = after.split_once('&').map_or("", |(_, rest)| rest);
            request.url = format!("{before}{rest}").trim_end_matches(['&', '?']).to_owned();
        }
        self.0.send(&request).await
    }
}

#[tokio::test]
async fn a_list_that_never_goes_on_fails_at_its_second_page() {
    let mut world = World::new().await;
    for number in 0..150 {
        world.sandbox().add_transaction(paid(&format!("A-{number}"), &[(Capture, 100, "2026-10-21T10:00:00Z")]));
    }
    let clock = world.clock.clone();
    let http = Arc::new(FirstPageAlways(world.wire.clone()));
    world.dintero =
        Dintero::new(http, world.vault.clone(), Hosts::default(), Environment::Test, Arc::new(move || clock.now()));
    let error = world.sync_all().await.unwrap_err();
    assert!(error.to_string().contains("found the same page twice"), "{error}");
    let seen = world.sandbox().seen().iter().filter(|seen| seen.kind == RequestKind::Transactions).count();
    assert!(seen < 1_000, "{seen} pages were asked for");
}

/// A version that was proposed and never committed says nothing of when the provider last paid out.
#[tokio::test]
async fn a_proposed_version_hides_no_missing_report() {
    let (world, upload) = World::with_sales(2).await;
    world.sandbox().add_transaction(paid("A-1", &[(Capture, 10_000, "2026-11-03T05:00:00Z")]));
    world.take(&upload).await;
    world.read_again("A-1").await;
    let item = store::all(&*world.ports.state, Query::settlements(&world.account)).await.unwrap().remove(0);
    let mut record: SettlementItem = store::decode(&item).unwrap();
    let last = record.versions.last().unwrap().clone();
    let report = settlement::ReportId::from_sha256([9; 32]);
    let mut proposed = SettlementVersion { version: last.version + 1, report, ..last };
    proposed.settlement.head.payout_on = date(2026, 11, 19);
    record.versions.push(proposed);
    let place = Place { partition: item.partition, sort: item.sort };
    world.ports.state.put_if(&place.put(&record, Expect::Revision(item.revision)).unwrap()).await.unwrap();
    let (account, scratch) = (world.account.clone(), world.scratch.path().to_owned());
    let command = pipeline::matching::unsettled::ListUnsettled {
        account,
        today: date(2026, 11, 20),
        waits: ::matching::AllowedWaits::default(),
        scratch,
    };
    let missed = pipeline::matching::unsettled::run(&world.ports, &command).await.unwrap();
    let [report] = &missed.reports[..] else { panic!("{missed:?}") };
    assert_eq!(report.last_payout_on, Some(date(2026, 11, 2)));
}
