//! What the lines of reports were matched with: one state for each line, whatever came first and whoever matched.

use std::fmt::Write as _;

use ::matching::AllowedWaits;
use RequestKind::Transactions;
use pipeline::current::match_rows;
use pipeline::mail::{self, MailAccount};
use pipeline::matching::match_account::{self, MatchAccount};
use pipeline::matching::unsettled::{self, ListUnsettled, Missed};
use pipeline::transactions::sync::{self, SyncTransactions, Synced};
use settlement::Rhythm;
use simulation::{Disturbed, Mode, Script};
use store::memory::MemoryMailer;
use store::{MatchItem, RecipientKind};

use super::*;

impl World {
    fn matching(&self) -> MatchAccount {
        let (account, scratch) = (self.account.clone(), self.scratch.path().to_owned());
        MatchAccount { account, now: self.clock.now(), scratch }
    }

    /// Every line with its state and reason, in the order of payouts.
    async fn told(&self) -> Vec<(String, i64, String, String)> {
        let mut found = Vec::new();
        let add = |_: &MatchItem, row: tables::MatchRow| -> Result<(), StepError> {
            found.push((row.settlement_id, row.line_no, row.state, row.reason));
            Ok(())
        };
        match_rows::rows(&self.ports, &self.account, self.scratch.path(), add).await.unwrap();
        found
    }

    async fn states(&self) -> BTreeMap<String, usize> {
        self.told().await.into_iter().fold(BTreeMap::new(), |mut states, (_, _, state, _)| {
            *states.entry(state).or_default() += 1;
            states
        })
    }

    fn syncing(&self) -> SyncTransactions {
        let (account, scratch) = (self.account.clone(), self.scratch.path().to_owned());
        SyncTransactions { account, from: None, now: self.clock.now(), deadline: Timestamp::MAX, scratch }
    }

    async fn sync(&self, command: &SyncTransactions) -> Synced {
        sync::run(&self.ports, &self.dintero, command).await.unwrap()
    }

    async fn missed(&self, today: jiff::civil::Date) -> Missed {
        let (account, scratch) = (self.account.clone(), self.scratch.path().to_owned());
        let command = ListUnsettled { account, today, waits: AllowedWaits::default(), scratch };
        unsettled::run(&self.ports, &command).await.unwrap()
    }

    /// Transactions of the mirror as they lie there, day by day.
    fn mirror(&self) -> Vec<(String, Vec<settlement::Transaction>)> {
        let keys = self.objects.keys().into_iter().filter(|key| key.starts_with("mirror/"));
        keys.map(|key| {
            let read = tables::read_transactions(self.objects.newest(&key).unwrap().to_vec()).unwrap();
            (key, read.map(Result::unwrap).collect())
        })
        .collect()
    }

    fn known(&self) -> Vec<String> {
        self.mirror().into_iter().flat_map(|(_, all)| all).map(|transaction| transaction.id).collect()
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn paid(order: &str, events: &[(TransactionEventKind, i64, &str)]) -> MadeTransaction {
    let made = MadeTransaction::new(&id_of(order), order, "vipps", "NOK", 10_000);
    events.iter().fold(made, |made, (kind, minor, when)| made.with(MadeEvent::new(*kind, *minor, at(when))))
}

use TransactionEventKind::{Capture, Refund};

/// A line without a transaction has its reason, and is matched and posted as soon as Dintero knows the transaction.
#[tokio::test]
async fn a_line_whose_transaction_comes_later_is_matched_then() {
    let world = World::new().await;
    let all = report(vec![settlement(1, 3)]);
    let mut known = all.clone();
    let late = known.settlements[0].lines.remove(1);
    world.pays(&known);
    let upload = world.upload("a.csv", portal_csv(&all));
    assert_eq!(words(&world.take(&upload).await.events), BTreeMap::from([("POSTED", 2)]));
    let open: Vec<_> = world.told().await.into_iter().filter(|(_, _, state, _)| state != "matched").collect();
    let [(_, line_no, state, reason)] = &open[..] else { panic!("{open:?}") };
    assert_eq!((state.as_str(), *line_no), ("transaction_unknown", 10), "{reason}");
    let settlements = vec![Settlement { lines: vec![late], ..all.settlements[0].clone() }];
    world.pays(&report(settlements));
    assert_eq!(words(&world.go_on().await.events), BTreeMap::from([("POSTED", 3)]));
    assert_eq!(world.states().await, BTreeMap::from([("matched".to_owned(), 3)]));
    let reads = world.sandbox().requests(Transactions);
    world.go_on().await;
    assert_eq!(world.sandbox().requests(Transactions), reads, "what is told for good is not asked for again");
}

/// A refund finds its capture in an earlier settlement, and a line that was paid before is a duplicate, whichever report came
/// first.
#[tokio::test]
async fn what_lines_come_to_depends_on_payouts_and_not_on_arrivals() {
    let (mut first, mut second) = (settlement(1, 2), settlement(2, 2));
    second.payout_on = date(2026, 11, 9);
    first.lines[1].transaction = 77;
    let again = Line { transaction: 77, ..first.lines[1].clone() };
    second.lines.push(again);
    second.lines.push(refund(&first.lines[0], 2, 7, 2_500));
    let all = [&first.lines[..], &second.lines[..2], &second.lines[3..]].concat();
    let paid = report(vec![Settlement { lines: all, ..first.clone() }]);
    let reports = [("a.csv", report(vec![first])), ("b.csv", report(vec![second]))];
    let mut ends = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let world = World::new().await;
        world.pays(&paid);
        for place in order {
            let (name, report) = &reports[place];
            world.go(&world.upload(name, portal_csv(report))).await.unwrap();
        }
        ends.push(world.told().await);
    }
    assert_eq!(ends[0], ends[1]);
    let states: Vec<&str> = ends[0].iter().map(|(_, _, state, _)| state.as_str()).collect();
    assert_eq!(states, ["matched", "matched", "matched", "matched", "duplicate_across_settlements", "matched"]);
    assert!(ends[0][4].3.contains("settlement 2000001"), "{:?}", ends[0][4]);
}

/// Whether nothing is missing; what was looked at is another matter.
fn is_nothing(missed: &Missed) -> bool {
    missed.unsettled.is_empty() && missed.reports.is_empty()
}

/// A corrected report takes its lines over whole: of the report before no line is matched any more, and what the correction
/// leaves out waits for a settlement again.
#[tokio::test]
async fn only_lines_of_the_version_that_counts_are_matched() {
    let world = World::new().await;
    let before = report(vec![settlement(1, 3)]);
    let mut after = before.clone();
    let left_out = after.settlements[0].lines.remove(1);
    world.pays(&before);
    // What Dintero was told of once it holds for settled.
    post::set_posting(&world.ports, &world.account, false, world.clock.now()).await.unwrap();
    world.take(&world.upload("a.csv", portal_csv(&before))).await;
    assert_eq!(world.told().await.len(), 3);
    let today = date(2026, 11, 8);
    assert!(is_nothing(&world.missed(today).await));
    super::planned::corrected(&world, &after).await;
    assert_eq!(world.states().await, BTreeMap::from([("matched".to_owned(), 2)]));
    let missed = world.missed(today).await.unsettled;
    let missed: Vec<_> = missed.iter().map(|one| (one.transaction_id.clone(), one.amount_minor)).collect();
    assert_eq!(missed, [(id_of(&left_out.order), Some(left_out.capture_minor))]);
}

/// Matching cut off at any call, and done again, comes to the same; done once more it changes nothing.
#[tokio::test]
async fn matching_that_is_cut_off_is_done_by_the_next() {
    let later = Settlement { payout_on: date(2026, 11, 9), ..settlement(2, 3) };
    let reports = [report(vec![settlement(1, 2)]), report(vec![later])];
    let prepared = async || {
        let world = World::new().await;
        post::set_posting(&world.ports, &world.account, false, world.clock.now()).await.unwrap();
        reports.iter().for_each(|report| world.pays(report));
        for (name, report) in ["a.csv", "b.csv"].into_iter().zip(&reports) {
            let upload = world.upload(name, portal_csv(report));
            pipeline::intake::parse::run(&world.ports, &upload).await.unwrap();
        }
        world.sync(&world.syncing()).await;
        world
    };
    let world = prepared().await;
    let plan = Disturbed::by(Script::quiet());
    let whole = match_account::run(&plan.ports(&world.ports), &world.matching()).await.unwrap();
    assert_eq!(whole.iter().map(|item| item.states["matched"]).collect::<Vec<_>>(), [2, 3]);
    assert!(plan.calls() > 15, "{}", plan.calls());
    for fault in [Mode::Before, Mode::After, Mode::Refused] {
        for call in 0..plan.calls() {
            let world = prepared().await;
            let cut = Disturbed::by(Script::at([(call, fault.clone())])).ports(&world.ports);
            let _ = match_account::run(&cut, &world.matching()).await;
            let again = match_account::run(&world.ports, &world.matching()).await.unwrap();
            assert_eq!(again, whole, "{fault:?} at {call}");
            let (records, keys) = (world.state.all(), world.objects.keys());
            match_account::run(&world.ports, &world.matching()).await.unwrap();
            assert_eq!((world.state.all(), world.objects.keys()), (records, keys), "{fault:?} at {call}");
        }
    }
}

/// The mirror keeps what lines are matched by, and nothing of the buyer, his goods or his machine.
#[tokio::test]
async fn nothing_of_the_buyer_is_ever_kept() {
    let (world, upload) = World::with_sales(2).await;
    world.wire.change(Transactions, |body| {
        for transaction in body.as_array_mut().unwrap() {
            let told = [
                ("customer", serde_json::json!({ "name": "KANARI Hansen", "email": "kanari@example.com" })),
                ("billing_address", serde_json::json!({ "first_name": "KANARI", "address_line": "KANARIVEIEN 1" })),
                ("items", serde_json::json!([{ "description": "KANARI i bur", "amount": 10_000 }])),
                ("request_ip", "203.0.113.77".into()),
                ("metadata", serde_json::json!({ "woo:customer": "KANARI", "vipps:phone": "KANARI" })),
            ];
            told.into_iter().for_each(|(name, value)| transaction[name] = value);
            for event in transaction["events"].as_array_mut().unwrap() {
                event["created_by"] = "kanari@example.com".into();
                event["items"] = serde_json::json!([{ "description": "KANARI" }]);
            }
        }
    });
    assert_eq!(world.take(&upload).await.count("POSTED"), 2);
    assert_eq!(world.known().len(), 2);
    let mut kept = format!("{:?}", world.state.all());
    for key in world.objects.keys() {
        write!(kept, "{key} {}", String::from_utf8_lossy(&world.objects.newest(&key).unwrap())).unwrap();
    }
    for canary in ["KANARI", "kanari", "203.0.113.77"] {
        assert!(!kept.contains(canary), "{canary}");
    }
}

/// The mirror follows Dintero: what is listed late, refunds of what was captured long ago, and further back when that is asked.
#[tokio::test]
async fn the_mirror_follows_captures_and_refunds() {
    let world = World::new().await;
    let add = |made: MadeTransaction| world.sandbox().add_transaction(made);
    add(paid("A-1", &[(Capture, 10_000, "2026-11-01T10:00:00Z")]));
    add(paid("A-2", &[(Capture, 10_000, "2026-11-01T23:59:59Z")]));
    add(paid("A-0", &[(Capture, 10_000, "2026-07-01T10:00:00Z")]));
    let synced = world.sync(&world.syncing()).await;
    assert_eq!((synced.days_changed, synced.go_on_at), (1, None));
    assert_eq!(synced.reaches.unwrap().until, world.clock.now());
    assert_eq!(world.known(), [id_of("A-1"), id_of("A-2")]);
    // Listed behind the end of the last run, though it happened before.
    add(paid("A-3", &[(Capture, 10_000, "2026-11-02T10:00:00Z")]));
    add(paid("A-4", &[(Capture, 10_000, "2026-07-02T10:00:00Z"), (Refund, 10_000, "2026-11-03T10:00:00Z")]));
    world.clock.advance(SignedDuration::from_hours(30));
    assert_eq!(world.sync(&world.syncing()).await.days_changed, 2);
    let expected = ["A-4", "A-1", "A-2", "A-3"].map(id_of);
    assert_eq!(world.known(), expected);
    let again = world.sync(&world.syncing()).await;
    assert_eq!((again.days_changed, world.known().len()), (0, 4));
    let from = Some(at("2026-06-28T00:00:00Z"));
    let further = world.sync(&SyncTransactions { from, ..world.syncing() }).await;
    assert_eq!(further.reaches.unwrap().from, at("2026-06-28T00:00:00Z"));
    assert_eq!(world.known().len(), 5);
    let days: Vec<String> = world.mirror().into_iter().map(|(key, _)| key).collect();
    let day = |day: &str| format!("mirror/T00000001/{day}.parquet");
    assert_eq!(days, ["2026-07-01", "2026-07-02", "2026-11-01", "2026-11-02"].map(day));
}

/// A run that is asked to wait, has no more time, or is cut off at any call, is gone on with where it was.
#[tokio::test]
async fn a_sync_that_stops_is_gone_on_with() {
    let prepared = async || {
        let world = World::new().await;
        for day in 1..=9 {
            let at = format!("2026-10-{:02}T10:00:00Z", 20 + day);
            world.sandbox().add_transaction(paid(&format!("A-{day}"), &[(Capture, 10_000, &at)]));
        }
        world
    };
    let from = |world: &World| SyncTransactions { from: Some(at("2026-10-20T00:00:00Z")), ..world.syncing() };
    let world = prepared().await;
    let plan = Disturbed::by(Script::quiet());
    let whole = sync::run(&plan.ports(&world.ports), &world.dintero, &from(&world)).await.unwrap();
    assert_eq!((whole.days_changed, world.known().len()), (9, 9));
    let mirror = world.mirror();

    let world = prepared().await;
    let until = world.clock.now() + SignedDuration::from_secs(120);
    world.disturb(Transactions, Fault::TooManyRequests { seconds: 120 });
    let waits = world.sync(&from(&world)).await;
    assert_eq!((waits.reaches, waits.go_on_at), (None, Some(until)));
    world.clock.set(until);
    // The time is over after the second of its windows.
    let deadline = world.clock.now();
    let stopped = world.sync(&SyncTransactions { deadline, ..from(&world) }).await;
    assert_eq!((stopped.reaches, stopped.go_on_at), (None, Some(deadline)));
    assert_eq!(world.sync(&from(&world)).await.go_on_at, None);
    assert_eq!(world.mirror(), mirror);

    for fault in [Mode::Before, Mode::After, Mode::Refused] {
        for call in 0..plan.calls() {
            let world = prepared().await;
            let cut = Disturbed::by(Script::at([(call, fault.clone())])).ports(&world.ports);
            let _ = sync::run(&cut, &world.dintero, &from(&world)).await;
            assert_eq!(world.sync(&from(&world)).await.go_on_at, None);
            assert_eq!(world.mirror(), mirror, "{fault:?} at {call}");
        }
    }
}

/// What was captured and never paid out is missed in time, and so is the report that should have brought it.
#[tokio::test]
async fn what_was_captured_and_not_settled_is_missed() {
    let (world, upload) = World::with_sales(2).await;
    let add = |made: MadeTransaction| world.sandbox().add_transaction(made);
    add(paid("A-1", &[(Capture, 10_000, "2026-10-30T10:00:00Z"), (Refund, 500, "2026-11-02T10:00:00Z")]));
    add(paid("A-2", &[(Capture, 5_000, "2026-11-03T05:00:00Z")]));
    world.take(&upload).await;
    world.sync(&world.syncing()).await;
    assert!(is_nothing(&world.missed(date(2026, 11, 7)).await));
    let missed = world.missed(date(2026, 11, 8)).await;
    let found: Vec<_> = missed.unsettled.iter().map(|one| (one.transaction_id.clone(), one.kind)).collect();
    assert_eq!((found, missed.reports), (vec![(id_of("A-1"), Capture)], Vec::new()));
    let missed = world.missed(date(2026, 11, 20)).await;
    assert_eq!(missed.unsettled.len(), 3);
    let [report] = &missed.reports[..] else { panic!("{missed:?}") };
    assert_eq!((report.provider.as_str(), report.captures), ("vipps", 1));
    assert_eq!(report.last_payout_on, Some(date(2026, 11, 2)));
    // It is told, whoever is told of payouts by the day; to the minor unit, beside the sum and not in it.
    let mailer = Arc::<MemoryMailer>::default();
    world.clock.set("2026-11-21T05:00:00Z".parse().unwrap());
    for to in [("regnskap@example.no", RecipientKind::Person), ("bilag@example.no", RecipientKind::Inbox)] {
        let now = world.clock.now();
        let added = tests::mails::add(&world.ports, &world.account, to, &[Rhythm::Daily], now).await;
        tests::mails::confirm(&world.ports, &world.account, &added, now).await;
    }
    world.clock.set("2026-11-22T05:00:00Z".parse().unwrap());
    let mailing = tests::mails::mailing(mailer.clone(), &world.clock);
    let scratch = world.scratch.path().to_owned();
    let command = MailAccount { account: world.account.clone(), lease: LEASE, scratch };
    mail::run(&world.ports, &mailing, &command).await.unwrap();
    let mails = tests::mails::read(&mailer, world.scratch.path());
    let digests: Vec<(&serde_json::Value, String)> = mails
        .iter()
        .map(|mail| (&mail["to"], mail["shown"].as_str().unwrap().replace('\u{a0}', " ")))
        .filter(|(_, shown)| shown.contains("Utbetalinger, NOK"))
        .collect();
    assert_eq!(digests.len(), 2, "{mails:?}");
    for (to, shown) in digests {
        let is_person = *to == serde_json::json!(["regnskap@example.no"]);
        for words in ["Forfalt: belastet, ikke utbetalt: Vipps", "145,00 NOK", "Manglende rapport: Vipps"] {
            assert_eq!(shown.contains(words), is_person, "{words}: {shown}");
        }
    }
}
