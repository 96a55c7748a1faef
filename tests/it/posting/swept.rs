//! What nobody goes on with: found by the sweep, told to whoever does, and brought to its end.

use adapters::inbound::lambda::{Invocation, Worker};
use pipeline::intake::parse;
use pipeline::intake::release::{self, ReleaseReport};
use pipeline::messages::{MirrorOutdated, ReportReady, Uploaded};
use pipeline::operate::sweep::{self, EVERY, Found, Plan, Progress, Queues, Remaining, Sweep, Unfinished};
use pipeline::posting::post::set_posting;
use pipeline::transactions::sync::{self, SyncTransactions};
use settlement::Verdict;
use store::{Place, SyncItem};

use super::*;

impl World {
    fn sweep_command(&self) -> Sweep {
        Sweep {
            account: None,
            now: self.clock.now(),
            patience: SignedDuration::ZERO,
            is_thorough: false,
            posts: true,
            asks_for_missing: false,
            scratch: self.scratch.path().to_owned(),
        }
    }

    /// Sweeps, and does what is told; gives what was found and told.
    async fn sweep(&self) -> (Plan, Found) {
        let (parse, reconcile) = (Arc::new(MemoryQueue::default()), Arc::new(MemoryQueue::default()));
        let queues = Queues { parse: parse.clone(), reconcile: reconcile.clone() };
        let swept = sweep::run(&self.ports, &queues, &self.sweep_command()).await.unwrap();
        while let Some((message, _)) = parse.take() {
            let Uploaded { key, version } = serde_json::from_str(&message).unwrap();
            let (now, scratch) = (self.clock.now(), self.scratch.path().to_owned());
            let (landing, limits) = (key.parse().unwrap(), Limits::default());
            let command = ParseReport { landing, version, now, lease: LEASE, scratch, limits, adopts_merchants: false };
            self.go(&command).await.unwrap();
        }
        while let Some((message, _)) = reconcile.take() {
            let ReportReady { account, report } = serde_json::from_str(&message).unwrap();
            let (now, scratch) = (self.clock.now(), self.scratch.path().to_owned());
            let command = PostReport { account, report, now, lease: LEASE, scratch };
            process::after_commit(&self.ports, Some(&self.dintero), &command).await.unwrap().1.unwrap();
        }
        swept
    }

    fn put(&self, name: &str, bytes: Vec<u8>) {
        let landing = LandingKey::new(self.account.clone(), "vipps", name).unwrap();
        self.objects.put_version_at(&Key::Landing(landing), bytes, self.clock.now());
    }
}

fn words(found: &Found) -> Vec<&'static str> {
    found.open.iter().map(|open| open.progress.word()).collect()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// T13: an upload whose notification was lost is found, goes the whole way, and is not due any more.
#[tokio::test]
async fn an_upload_without_a_notification_is_found_and_goes_the_whole_way() {
    let world = World::new().await;
    let sold = report(vec![settlement(1, 3)]);
    world.pays(&sold);
    world.put("a.csv", portal_csv(&sold));
    world.clock.advance(minutes(14));
    let (plan, found) = world.sweep().await;
    assert_eq!((words(&found), plan.parse.len(), plan.unprocessed_for), (vec!["never read"], 1, minutes(14)));
    assert_eq!(world.standing().len(), 3);
    assert_eq!(world.sweep().await.1, Found { looked_at: 1, ..Found::default() });
    // A held report is at its end as well, and an account that nobody has configured is no exception.
    let held = world.upload("held.csv", b"Oppgj\xc3\xb8rsrapport;\nVippsnummer;\n".to_vec());
    assert_eq!(words(&world.sweep().await.1), ["never read"]);
    assert_eq!(world.go(&held).await.unwrap().outcome.verdict, Verdict::Quarantined);
    let elsewhere = LandingKey::new("T00000002".parse().unwrap(), "vipps", "a.csv").unwrap();
    world.objects.put_version(&Key::Landing(elsewhere), portal_csv(&sold));
    assert_eq!(words(&world.sweep().await.1), ["never read"]);
    assert_eq!(words(&world.sweep().await.1), Vec::<&str>::new());
}

/// T13: a report whose worker ended behind the commit, with nobody to come again, is found as well, once nobody has it in hand.
#[tokio::test]
async fn a_committed_report_without_its_dintero_reports_is_found() {
    let (world, upload) = World::with_sales(3).await;
    parse::run(&world.ports, &upload).await.unwrap();
    let (plan, found) = world.sweep().await;
    assert_eq!((words(&found), plan.reconcile.len(), plan.unposted_for), (vec!["COMMITTED"], 0, minutes(0)));
    world.clock.advance(EVERY);
    let (plan, _) = world.sweep().await;
    assert_eq!((plan.parse.len(), plan.reconcile.len(), plan.unposted_for), (0, 1, minutes(15)));
    assert_eq!((words(&world.sweep().await.1), world.standing().len()), (Vec::new(), 3));
    assert!(world.objects.keys().iter().any(|key| key.ends_with("dintero-report.pdf")));
}

/// Events of unknown outcome and batches that nobody sends come to their end by sweeps alone, and nothing is sent twice.
#[tokio::test]
async fn what_is_not_posted_comes_to_its_end_by_sweeps_alone() {
    for fault in [Fault::LostAfterApply, Fault::NotConnected] {
        let (world, upload) = World::with_sales(3).await;
        world.disturb(RequestKind::SettlementEvents, fault);
        world.take(&upload).await;
        let mut sweeps = 0;
        loop {
            let (plan, found) = world.sweep().await;
            if found.open.is_empty() {
                break;
            }
            sweeps += 1;
            assert!(plan.parse.is_empty() && sweeps < 20, "{found:?}");
            world.clock.advance(EVERY);
        }
        assert!(sweeps > 0 && world.standing().len() == 3);
    }
}

/// Where nobody posts, nothing waits to be posted.
#[tokio::test]
async fn an_account_that_does_not_post_leaves_nothing_open() {
    let (world, upload) = World::with_sales(3).await;
    set_posting(&world.ports, &world.account, false, world.clock.now()).await.unwrap();
    world.go(&upload).await.unwrap();
    world.clock.advance(EVERY);
    assert_eq!(words(&world.sweep().await.1), Vec::<&str>::new());
    set_posting(&world.ports, &world.account, true, world.clock.now()).await.unwrap();
    let nobody = Sweep { posts: false, ..world.sweep_command() };
    assert_eq!(sweep::find(&world.ports, &nobody).await.unwrap().open, Vec::new());
    assert_eq!(world.sweep().await.0.reconcile.len(), 1);
    assert_eq!(world.standing().len(), 3);
}

/// What a person lets through is found, however old its upload is.
#[tokio::test]
async fn a_released_report_is_found_however_old_it_is() {
    let world = World::new().await;
    let (first, mut corrected) = (report(vec![settlement(1, 3)]), report(vec![settlement(1, 3)]));
    corrected.settlements[0].lines[0].fee_minor += 1;
    for (name, report) in [("a.csv", &first), ("b.csv", &corrected)] {
        world.put(name, portal_csv(report));
        world.sweep().await;
    }
    world.clock.advance(SignedDuration::from_hours(24 * 90));
    let old = world.ports.objects.versions("landing/", None).await.unwrap().versions.pop().unwrap();
    let object = store::Place::object(&old.key, &old.version);
    let (item, _) = object.read::<store::ObjectItem>(&*world.ports.state).await.unwrap().unwrap();
    let release = store::Release { by: "revisor".to_owned(), why: "gebyr rettet".to_owned() };
    let (account, report, now) = (world.account.clone(), item.report.unwrap(), world.clock.now());
    release::run(&world.ports, &ReleaseReport { account, report, release, now }).await.unwrap();
    world.clock.advance(EVERY);
    let (plan, found) = world.sweep().await;
    assert_eq!((words(&found), plan.unprocessed_for), (vec!["RELEASED"], EVERY));
    assert!(!words(&world.sweep().await.1).contains(&"RELEASED"));
}

/// The work is bounded by age, and nothing that is open is ever left out for good.
#[tokio::test]
async fn an_old_upload_is_looked_at_twice_a_day_and_a_young_one_every_time() {
    let world = World::new().await;
    let names: Vec<String> = (0..300).map(|number| format!("{number}.csv")).collect();
    names.iter().for_each(|name| world.put(name, b"x".to_vec()));
    let mut found = BTreeMap::<String, usize>::new();
    let mut look = async |command: &Sweep| {
        let looked = sweep::find(&world.ports, command).await.unwrap();
        looked.open.iter().for_each(|open| *found.entry(open.upload.key.clone()).or_default() += 1);
        looked.looked_at
    };
    let command = world.sweep_command();
    assert_eq!(look(&command).await, 300);
    assert_eq!(look(&Sweep { patience: minutes(1), ..command.clone() }).await, 0);
    // From another moment of its quarter-hour each time, as a schedule may have it.
    for turn in 0..96 {
        let jitter = SignedDuration::from_secs(i64::from(turn % 7) - 3);
        let now = world.clock.now() + SignedDuration::from_hours(48) + EVERY * turn + minutes(7) + jitter;
        let looked_at = look(&Sweep { now, ..command.clone() }).await;
        assert!(looked_at < 30, "{looked_at}");
    }
    let thorough = Sweep { now: world.clock.now() + SignedDuration::from_hours(48), is_thorough: true, ..command };
    assert_eq!(look(&thorough).await, 300);
    assert!(found.len() == 300 && found.values().all(|times| *times == 4), "{found:?}");
    for name in names {
        let is_turn = |turn: &i32| sweep::is_turn(&name, world.clock.now() + EVERY * *turn);
        let turns: Vec<i32> = (0..96).filter(is_turn).collect();
        assert!(turns.len() == 2 && turns[1] - turns[0] == 48, "{name} {turns:?}");
    }
}

/// What is told is decided by how far things have come and how long ago, and by nothing else.
#[test]
fn what_somebody_has_in_hand_is_left_alone() {
    let now = beginning();
    let upload = Uploaded { key: "T00000001/vipps/a.csv".to_owned(), version: "1".to_owned() };
    let report =
        ReportReady { account: "T00000001".parse().unwrap(), report: settlement::ReportId::from_sha256([1; 32]) };
    let plan = |progress: Progress| sweep::plan(&[Unfinished { upload: upload.clone(), progress }], now);
    let claimed = |lease: SignedDuration| {
        let plan = plan(Progress::Claimed { since: now - minutes(40), lease_until: now + lease });
        (plan.parse.len(), plan.unprocessed_for)
    };
    assert_eq!(claimed(seconds(1)), (0, minutes(40)));
    assert_eq!(claimed(seconds(0)), (1, minutes(40)));
    let left = |since: i64, left: Remaining| {
        let plan =
            plan(Progress::Committed { report: report.clone(), since: now - minutes(since), remaining: vec![left] });
        (plan.reconcile.len(), plan.unposted_for)
    };
    for kind in [Remaining::Documents, Remaining::Outbox, Remaining::Batch { until: None }] {
        assert_eq!((left(14, kind), left(15, kind)), ((0, minutes(14)), (1, minutes(15))), "{kind:?}");
    }
    // What waits for a time is not forgotten before that time, and is not young because of it.
    let waits = |minutes_ago: i64| left(300, Remaining::Batch { until: Some(now - minutes(minutes_ago)) });
    assert_eq!((waits(-60), waits(14), waits(15)), ((0, minutes(300)), (0, minutes(300)), (1, minutes(300))));
    // What may never be done alarms nobody.
    assert_eq!(left(300, Remaining::Retry { is_turn: false }), (0, minutes(0)));
    assert_eq!(left(300, Remaining::Retry { is_turn: true }), (1, minutes(0)));
}

/// A provider that has paid for nothing of what was captured owes a report, told twice a day.
#[tokio::test]
async fn a_report_that_is_missed_is_told_on_the_accounts_turn() {
    let world = World::new().await;
    world.pays(&report(vec![settlement(1, 3)]));
    let (account, now, scratch) = (world.account.clone(), world.clock.now(), world.scratch.path().to_owned());
    let from = now.saturating_sub(SignedDuration::from_hours(24 * 10)).ok();
    let command = SyncTransactions { account, from, now, deadline: Timestamp::MAX, scratch };
    sync::run(&world.ports, &world.dintero, &command).await.unwrap();
    let missing = async |days: i32| {
        let mut told = Vec::new();
        for turn in 0..96 {
            let now = world.clock.now() + SignedDuration::from_hours(24) * days + EVERY * turn;
            let command = Sweep { now, asks_for_missing: true, ..world.sweep_command() };
            told.extend(sweep::find(&world.ports, &command).await.unwrap().missing);
        }
        told
    };
    assert_eq!(missing(0).await, []);
    let told = missing(10).await;
    let told: Vec<_> =
        told.iter().map(|(account, report)| (account, report.provider.as_str(), report.captures)).collect();
    assert_eq!(told, [(&world.account, "vipps", 3), (&world.account, "vipps", 3)]);
}

/// A mirror that nobody reads on is told on the account's turn, and read on by the step that reconciles.
#[tokio::test]
async fn a_mirror_that_is_behind_is_read_on() {
    let world = World::new().await;
    world.pays(&report(vec![settlement(1, 3)]));
    let (own, queue) = (Arc::new(MemoryQueue::default()), Arc::new(MemoryQueue::default()));
    let worker = world.worker(world.ports.clone(), own.clone());
    let told = async |posts: bool| {
        let queues = Queues { parse: queue.clone(), reconcile: queue.clone() };
        let command = Sweep { asks_for_missing: true, posts, ..world.sweep_command() };
        let (_, found) = sweep::run(&world.ports, &queues, &command).await.unwrap();
        assert_eq!(found.mirrors.len(), found.mirrors.iter().filter(|mirror| mirror.account == world.account).count());
        queue.take().map(|(message, _)| message)
    };
    let reach = async || {
        let read = Place::sync(&world.account).read::<SyncItem>(&*world.ports.state).await.unwrap();
        read.map(|(item, _)| item.until)
    };
    let to_turn = || {
        while !sweep::is_turn(world.account.as_str(), world.clock.now()) {
            world.clock.advance(EVERY);
        }
    };
    world.clock.advance(SignedDuration::from_hours(24));
    to_turn();
    assert_eq!(told(false).await, None, "nobody can read it on");
    let message = told(true).await.unwrap();
    // Without time it is left as it is, and comes again at once.
    let deadline = world.clock.now();
    worker.carry_out(&message, 1, &Invocation { deadline, trace_id: None }).await.unwrap();
    assert_eq!((reach().await, own.take()), (None, Some((message.clone(), SignedDuration::from_secs(1)))));
    let deadline = world.clock.now() + SignedDuration::from_mins(5);
    worker.carry_out(&message, 1, &Invocation { deadline, trace_id: None }).await.unwrap();
    assert_eq!((reach().await, own.take()), (Some(world.clock.now()), None));
    assert_eq!(told(true).await, None, "it was read just now");
    // Once begun it is read on, whether or not the account posts; one that was never begun only where it does.
    set_posting(&world.ports, &world.account, false, world.clock.now()).await.unwrap();
    world.clock.advance(EVERY * 3);
    assert_eq!(told(true).await, None, "it is not its turn");
    world.clock.advance(SignedDuration::from_hours(20));
    to_turn();
    assert_eq!(told(false).await, None, "nobody can read it on");
    let until = reach().await;
    let behind: MirrorOutdated = serde_json::from_str(&told(true).await.unwrap()).unwrap();
    assert_eq!((behind.account, behind.reaches), (world.account.clone(), until));
    let other = World::new().await;
    set_posting(&other.ports, &other.account, false, other.clock.now()).await.unwrap();
    let command = Sweep { asks_for_missing: true, is_thorough: true, ..other.sweep_command() };
    assert_eq!(sweep::find(&other.ports, &command).await.unwrap().mirrors, []);
}
