//! The steps on real adapters in memory: run twice, cut off at every call, raced, given up.

mod archives;
mod backfill;
mod deliveries;
mod ledgers;

use std::sync::Arc;

use adapters::app::App;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use documents::ReportType;
use formats::Limits;
use jiff::{SignedDuration, Timestamp};
use pipeline::current::accounts::{AddMerchant, add_merchant};
use pipeline::intake::parse::{self, Outcome, ParseReport};
use pipeline::reports::dintero_report::{self, WriteReports};
use pipeline::{Ports, StepError};
use settlement::{AccountId, Kind, ReportId, Verdict};
use simulation::{Disturbed, Mode, Script};
use store::keys::{Key, LandingKey};
use store::{Expect, Item, ObjectItem, Place, Query, ReportItem, ReportState, SettlementItem};
use tempfile::TempDir;
use tests::generate::{Report, Seed, portal_csv, report, xml};

/// A merchant's account in memory, with a clock that a test moves.
struct World {
    app: App,
    account: AccountId,
    now: Timestamp,
    _scratch: TempDir,
}

impl World {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let app = App::in_memory(scratch.path()).unwrap();
        let now = "2026-11-01T06:00:00Z".parse().unwrap();
        World { app, account: "T00000001".parse().unwrap(), now, _scratch: scratch }
    }

    async fn with_merchant() -> Self {
        let world = World::new();
        world.add_merchant("T00000001").await.unwrap();
        world
    }

    async fn add_merchant(&self, account: &str) -> Result<bool, StepError> {
        let command = AddMerchant {
            account: account.parse().unwrap(),
            provider: "vipps".into(),
            number: "123456".into(),
            now: self.now,
        };
        add_merchant(&self.app.ports, &command).await
    }

    async fn upload(&self, name: &str, bytes: &[u8]) -> ParseReport {
        let file = tempfile::NamedTempFile::new_in(&self.app.scratch).unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let landing = LandingKey::new(self.account.clone(), "vipps", name).unwrap();
        let object = self.app.ports.objects.upload(&Key::Landing(landing.clone()), file.path()).await.unwrap();
        ParseReport {
            landing,
            version: object.version,
            now: self.now,
            lease: SignedDuration::from_mins(15),
            scratch: self.app.scratch.clone(),
            limits: Limits::default(),
            adopts_merchants: false,
        }
    }

    async fn take(&self, name: &str, bytes: &[u8]) -> Outcome {
        let command = self.upload(name, bytes).await;
        parse::run(&self.app.ports, &command).await.unwrap()
    }

    /// All records of reports and settlements, without what only counts attempts.
    async fn records(&self, reports: &[ReportId]) -> Vec<Item> {
        let partitions = reports.iter().map(|report| format!("REPORT#{report}"));
        let mut found = Vec::new();
        for partition in partitions.chain([format!("SETTLEMENT#{}", self.account)]) {
            found.extend(self.app.ports.state.query(&Query::all(partition)).await.unwrap().items);
        }
        for item in &mut found {
            item.revision = 0;
            if let Some(body) = item.body.as_object_mut() {
                body.remove("attempts");
            }
        }
        found
    }

    /// The report that an upload was read as.
    async fn report_of(&self, command: &ParseReport) -> ReportId {
        let place = Place::object(&Key::Landing(command.landing.clone()).to_string(), &command.version);
        place.read::<ObjectItem>(&*self.app.ports.state).await.unwrap().unwrap().0.report.unwrap()
    }

    async fn report_item(&self, report: ReportId) -> ReportItem {
        Place::report(report, &self.account).read(&*self.app.ports.state).await.unwrap().unwrap().0
    }
}

fn sample(seed: u64) -> Report {
    report(&mut Seed(seed), 2, 5)
}

fn id(outcome: &Outcome) -> ReportId {
    outcome.report.unwrap()
}

#[tokio::test]
async fn a_report_taken_twice_changes_nothing() {
    let world = World::with_merchant().await;
    let first = world.take("a.csv", &portal_csv(&sample(1))).await;
    assert_eq!((first.verdict, first.settlements.len()), (Verdict::Accepted, 2));
    let before = world.records(&[id(&first)]).await;
    let again = world.take("b.csv", &portal_csv(&sample(1))).await;
    assert_eq!((again.verdict, id(&again)), (Verdict::Duplicate, id(&first)));
    assert_eq!(world.records(&[id(&first)]).await, before);

    // The same content in another layout is another report that brings nothing.
    let other = world.take("c.xml", &xml(&sample(1))).await;
    assert_eq!(other.verdict, Verdict::Duplicate);
    assert_ne!(id(&other), id(&first));
    assert!(other.settlements.iter().all(|settlement| settlement.version.is_none()));
    assert_eq!(world.report_item(id(&other)).await.state, ReportState::Duplicate);
}

#[tokio::test]
async fn dintero_reports_are_written_once_and_only_for_committed_reports() {
    let world = World::with_merchant().await;
    let taken = world.take("a.csv", &portal_csv(&sample(2))).await;
    let scratch = world.app.scratch.clone();
    let command = WriteReports { account: world.account.clone(), report: id(&taken), scratch };
    let first = dintero_report::write_reports(&world.app.ports, &command).await.unwrap();
    assert_eq!((first.written.len(), first.withheld.len()), (2 * ReportType::ALL.len(), 0));
    let mut versions = Vec::new();
    for key in &first.written {
        versions.push(world.app.ports.objects.head(key).await.unwrap().unwrap());
    }
    assert_eq!(dintero_report::write_reports(&world.app.ports, &command).await.unwrap().written, []);
    for (key, version) in first.written.iter().zip(versions) {
        assert_eq!(world.app.ports.objects.head(key).await.unwrap(), Some(version));
    }
    let held = world.take("held.csv", b"Oppgj\xc3\xb8rsrapport;\nVippsnummer;\n").await;
    let command = WriteReports { report: id(&held), ..command };
    assert!(matches!(dintero_report::write_reports(&world.app.ports, &command).await, Err(StepError::NotCommitted(_))));
}

/// T14, T15: every call of every port is cut off once, before and after it had its effect; the next attempt ends the same
/// way.
#[tokio::test]
async fn a_worker_that_ends_at_any_call_leaves_nothing_that_the_next_one_does_not_heal() {
    let (bytes, corrected) = (portal_csv(&sample(3)), portal_csv(&sample(4)));
    let whole = |world: World, plan: Arc<Disturbed>| {
        let (bytes, corrected) = (&bytes, &corrected);
        async move {
            let commands = [world.upload("a.csv", bytes).await, world.upload("b.csv", corrected).await];
            let mut ports: Ports = plan.ports(&world.app.ports);
            let mut reports = Vec::new();
            for command in commands {
                let first = parse::run(&ports, &command).await;
                let later = ParseReport { now: command.now + SignedDuration::from_hours(1), ..command };
                let outcome = match first {
                    Ok(outcome) => outcome,
                    Err(error) => {
                        assert!(error.is_retryable(), "{error}");
                        // Another worker takes over.
                        ports = world.app.ports.clone();
                        parse::run(&ports, &later).await.unwrap()
                    }
                };
                reports.push(id(&outcome));
            }
            let records = world.records(&reports).await;
            let states = [world.report_item(reports[0]).await.state, world.report_item(reports[1]).await.state];
            (records, states, plan.calls())
        }
    };
    let (expected, states, calls) = whole(World::with_merchant().await, Disturbed::by(Script::quiet())).await;
    let conflict = ReportState::Quarantined { kind: Kind::SettlementConflict };
    assert_eq!(states, [ReportState::Committed, conflict]);
    assert!(calls > 20, "{calls}");
    for at in 0..calls {
        for fault in [Mode::Before, Mode::After, Mode::Refused] {
            let plan = Disturbed::by(Script::at([(at, fault.clone())]));
            let (found, ..) = whole(World::with_merchant().await, plan).await;
            assert_eq!(found, expected, "{fault:?} call {at}");
        }
    }
}

/// T16: a report is one worker's for as long as its lease; what a worker writes behind it has no effect.
#[tokio::test]
async fn a_leased_report_is_busy_and_a_worker_that_lost_its_lease_has_no_effect() {
    let world = World::with_merchant().await;
    let command = world.upload("a.csv", &portal_csv(&sample(5))).await;
    // A worker claims and is then held up for longer than its lease.
    let plan = Disturbed::by(Script::at([(3, Mode::Before)]));
    parse::run(&plan.ports(&world.app.ports), &command).await.unwrap_err();
    let busy = parse::run(&world.app.ports, &command).await.unwrap_err();
    assert!(matches!(busy, StepError::Busy { .. }) && busy.is_retryable(), "{busy}");

    let later = ParseReport { now: command.now + SignedDuration::from_mins(16), ..command.clone() };
    let taken = parse::run(&world.app.ports, &later).await.unwrap();
    assert_eq!(taken.verdict, Verdict::Accepted);
    let place = Place::report(id(&taken), &world.account);
    let (item, revision) = place.read::<ReportItem>(&*world.app.ports.state).await.unwrap().unwrap();
    assert_eq!((item.attempts, revision), (2, 3));
    // What the first worker would write next: its revision is gone.
    let stale = place.put(&item, Expect::Revision(1)).unwrap();
    assert!(world.app.ports.state.put_if(&stale).await.is_err());
}

/// T18: what ends its reader each time is given up after three attempts and shown; other reports go on.
#[tokio::test]
async fn a_file_that_ends_its_reader_three_times_is_given_up_and_shown() {
    let world = World::with_merchant().await;
    let mut command = world.upload("a.csv", &portal_csv(&sample(6))).await;
    for _ in 0..parse::ATTEMPTS_MAX {
        let plan = Disturbed::by(Script::at([(3, Mode::Before)]));
        parse::run(&plan.ports(&world.app.ports), &command).await.unwrap_err();
        command.now += SignedDuration::from_hours(1);
    }
    for _ in 0..2 {
        let outcome = parse::run(&world.app.ports, &command).await.unwrap();
        assert_eq!(outcome.judgement.kind(), Some(Kind::Crashed));
        assert_eq!(world.report_item(id(&outcome)).await.state, ReportState::Crashed);
    }
    assert_eq!(world.take("b.csv", &portal_csv(&sample(7))).await.verdict, Verdict::Accepted);
}

#[tokio::test]
async fn a_failure_of_the_store_uses_up_no_attempt_and_holds_no_lease() {
    let world = World::with_merchant().await;
    let command = world.upload("a.csv", &portal_csv(&sample(6))).await;
    for _ in 0..=parse::ATTEMPTS_MAX {
        let plan = Disturbed::by(Script::at([(8, Mode::Refused)]));
        parse::run(&plan.ports(&world.app.ports), &command).await.unwrap_err();
    }
    assert_eq!(parse::run(&world.app.ports, &command).await.unwrap().verdict, Verdict::Accepted);
}

/// The settlement table of each report has what the report brought, so that the newest version of each counts once.
#[tokio::test]
async fn tables_of_all_reports_together_have_each_settlement_version_once() {
    let world = World::with_merchant().await;
    let first = report(&mut Seed(11), 1, 5);
    let mut both = report(&mut Seed(12), 2, 5);
    both.settlements[0] = first.settlements[0].clone();
    let taken = [world.take("a.csv", &portal_csv(&first)).await, world.take("b.csv", &portal_csv(&both)).await];
    let mut found = Vec::new();
    for outcome in &taken {
        let key = Key::Settlements {
            account: world.account.clone(),
            report: id(outcome),
            parser_version: pipeline::PARSER_VERSION.into(),
        };
        let object = world.app.ports.objects.head(&key).await.unwrap().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        world.app.ports.objects.fetch(&key, &object.version, &mut file).await.unwrap();
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        for batch in reader.build().unwrap().map(Result::unwrap) {
            let ids = batch.column_by_name("settlement_id").unwrap().as_string::<i32>().clone();
            let versions = batch.column_by_name("report_version").unwrap().as_primitive::<Int32Type>().clone();
            let rows = ids.iter().zip(versions.iter());
            found.extend(rows.map(|(id, version)| (id.unwrap().to_owned(), version.unwrap())));
        }
    }
    assert_eq!(found, [("2000001".to_owned(), 1), ("2000002".to_owned(), 1)]);
}

/// T16: a worker is held up before each of its calls until another, its lease over, has taken the same report or the same
/// content in another file. One of the two comes to count, whatever the first does when it wakes.
#[tokio::test]
async fn a_worker_that_wakes_behind_its_lease_has_no_effect() {
    let content = sample(13);
    let counted = Disturbed::by(Script::quiet());
    let probe = World::with_merchant().await;
    let probed = probe.upload("a.csv", &portal_csv(&content)).await;
    parse::run(&counted.ports(&probe.app.ports), &probed).await.unwrap();
    for at in 0..counted.calls() {
        for (name, bytes) in [("a.csv", portal_csv(&content)), ("b.xml", xml(&content))] {
            let world = World::with_merchant().await;
            let slow = world.upload("a.csv", &portal_csv(&content)).await;
            let other = world.upload(name, &bytes).await;
            let (ports, later) = (world.app.ports.clone(), other.now + SignedDuration::from_hours(1));
            let (done, outcome) = std::sync::mpsc::channel();
            let plan = Disturbed::held_up(at, async move {
                done.send(parse::run(&ports, &ParseReport { now: later, ..other }).await.unwrap()).unwrap();
            });
            let woken = parse::run(&plan.ports(&world.app.ports), &slow).await;
            let second = outcome.recv().unwrap();
            assert_eq!(second.verdict, Verdict::Accepted, "call {at}, {name}");
            match woken {
                Ok(first) => assert_eq!(first.verdict, Verdict::Duplicate, "call {at}, {name}"),
                Err(error) => assert!(error.is_retryable(), "call {at}, {name}: {error}"),
            }
            let again = ParseReport { now: later + SignedDuration::from_hours(1), ..slow };
            let first = parse::run(&world.app.ports, &again).await.unwrap();
            assert_eq!(first.verdict, Verdict::Duplicate, "call {at}, {name}");
            for listed in &second.settlements {
                let place = Place::settlement(&listed.key);
                let (item, _) = place.read::<SettlementItem>(&*world.app.ports.state).await.unwrap().unwrap();
                let reports: Vec<ReportId> = item.versions.iter().map(|version| version.report).collect();
                assert_eq!(reports, [id(&second)], "call {at}, {name}");
            }
        }
    }
}

#[tokio::test]
async fn two_reports_with_one_settlement_cannot_both_count() {
    let world = World::with_merchant().await;
    let (csv, other) =
        (world.upload("a.csv", &portal_csv(&sample(7))).await, world.upload("b.xml", &xml(&sample(7))).await);
    // The first has proposed its settlements and is cut off just before its commit.
    let plan = Disturbed::by(Script::quiet());
    let probe = World::with_merchant().await;
    let probed = probe.upload("a.csv", &portal_csv(&sample(7))).await;
    parse::run(&plan.ports(&probe.app.ports), &probed).await.unwrap();
    let before_commit = Disturbed::by(Script::at([(plan.calls() - 1, Mode::Before)]));
    parse::run(&before_commit.ports(&world.app.ports), &csv).await.unwrap_err();
    assert!(matches!(parse::run(&world.app.ports, &other).await, Err(StepError::Busy { .. })));

    // Its lease over, the second takes the settlements, and the first finds them known.
    let later = csv.now + SignedDuration::from_hours(1);
    let second = parse::run(&world.app.ports, &ParseReport { now: later, ..other }).await.unwrap();
    assert_eq!(second.verdict, Verdict::Accepted);
    let first = parse::run(&world.app.ports, &ParseReport { now: later, ..csv }).await.unwrap();
    assert_eq!(first.verdict, Verdict::Duplicate);
    for listed in &second.settlements {
        let place = Place::settlement(&listed.key);
        let (item, _) = place.read::<SettlementItem>(&*world.app.ports.state).await.unwrap().unwrap();
        let reports: Vec<ReportId> = item.versions.iter().map(|version| version.report).collect();
        assert_eq!(reports, [id(&second)]);
    }
}

/// T61: a report counts for the account that its merchant number is registered to, and for no other.
#[tokio::test]
async fn a_merchant_number_of_nobody_waits_and_one_of_another_account_is_refused() {
    let world = World::new();
    let bytes = portal_csv(&sample(8));
    let unknown = world.take("a.csv", &bytes).await;
    assert_eq!(unknown.judgement.kind(), Some(Kind::MerchantUnknown));
    world.add_merchant("T00000002").await.unwrap();
    let foreign = world.take("a.csv", &bytes).await;
    assert_eq!((foreign.verdict, foreign.judgement.kind()), (Verdict::Rejected, Some(Kind::TenantMismatch)));
    assert!(!foreign.judgement.problems.list()[0].message.contains("T00000002"));

    let world = World::new();
    world.take("a.csv", &bytes).await;
    world.add_merchant("T00000001").await.unwrap();
    assert_eq!(world.take("a.csv", &bytes).await.verdict, Verdict::Accepted);
}

/// T10, T12: an object or version that is gone, one that is too large and one that is empty are recorded and end.
#[tokio::test]
async fn objects_that_cannot_be_read_are_recorded_and_end() {
    let world = World::with_merchant().await;
    let command = world.upload("a.csv", &portal_csv(&sample(9))).await;
    let size = world.app.ports.objects.head(&Key::Landing(command.landing.clone())).await.unwrap().unwrap().size_bytes;
    let gone = ParseReport { version: "77".into(), ..command.clone() };
    let missing = parse::run(&world.app.ports, &gone).await.unwrap();
    assert_eq!((missing.report, missing.judgement.kind()), (None, Some(Kind::Missing)));
    let limits = |file_bytes_max| Limits { file_bytes_max, ..Limits::default() };
    let large = ParseReport { limits: limits(size - 1), ..command.clone() };
    let refused = parse::run(&world.app.ports, &large).await.unwrap();
    assert_eq!(refused.judgement.kind(), Some(Kind::TooLarge));
    let fits = ParseReport { limits: limits(size), ..command };
    assert_eq!(parse::run(&world.app.ports, &fits).await.unwrap().verdict, Verdict::Accepted);
    let empty = world.take("empty.csv", b"").await;
    assert_eq!(empty.judgement.kind(), Some(Kind::Empty));
}

/// Names and messages of private persons are in the source and nowhere else.
#[tokio::test]
async fn personal_data_end_at_the_parser() {
    let home = tempfile::tempdir().unwrap();
    let app = App::at_home(home.path()).unwrap();
    let world = World { app, ..World::new() };
    world.add_merchant("T00000001").await.unwrap();
    let bytes = portal_csv(&report(&mut Seed(10), 2, 60));
    assert!(String::from_utf8_lossy(&bytes).contains("KANARI"));
    let taken = world.take("a.csv", &bytes).await;
    assert_eq!(taken.verdict, Verdict::Accepted);
    let scratch = world.app.scratch.clone();
    let command = WriteReports { account: world.account.clone(), report: id(&taken), scratch };
    dintero_report::write_reports(&world.app.ports, &command).await.unwrap();
    let mut seen = 0;
    let mut folders = vec![home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = path.starts_with(home.path().join("landing")) || path.starts_with(home.path().join("archive"));
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(6).any(|window| window == b"KANARI");
            assert_eq!(found, source, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 8, "{seen}");
}
