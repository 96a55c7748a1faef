//! Homes that earlier versions wrote keep working: every record is read in full, and everything goes on from there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use adapters::app::App;
use adapters::config::{DinteroConfig, MailConfig};
use dintero::{Credentials, Hosts, Secret};
use formats::Limits;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use pipeline::current::versions;
use pipeline::intake::parse::ParseReport;
use pipeline::lake::{self, BuildLake};
use pipeline::mail::{self, MailAccount};
use pipeline::months::{self, Summarise};
use pipeline::operate::listing::{self, ListSettlements, Listed};
use pipeline::operate::process::{self, Processed};
use pipeline::posting::post::{self, PostAccount};
use sandbox::example::{self, CLIENT_ID, CLIENT_SECRET};
use sandbox::{Clock, InProcess, MadeEvent, MadeTransaction, Sandbox};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use settlement::{Account, AccountId, SettlementEvent, TransactionEventKind, Verdict};
use store::keys::{Key, LandingKey};
use store::{
    BackfillItem, BatchItem, BuiltItem, DayItem, DirtyItem, HeldItem, Item, JournalItem, LeaseItem, LedgerItem,
    ListedAccount, MailItem, MailState, MatchItem, MatchingItem, MerchantItem, NoticeItem, ObjectItem, Occasion,
    OutboxItem, Place, RecipientItem, RefusedItem, ReportItem, ReportSettlementItem, SettlementItem, SummaryItem,
    SwitchItem, SyncItem, TraceItem, dirty_mark, lake_day, ledger_owner, settlement_key, summarised_month,
};
use tempfile::TempDir;
use tests::generate::{Line, Report, Settlement, portal_csv};

const LEASE: SignedDuration = SignedDuration::from_mins(15);

/// The settlement that the new report brings.
const NEW: u64 = 2_000_777;

/// All homes, one a change of what is stored.
fn homes() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("homes");
    let mut homes: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    homes.retain(|path| path.is_dir());
    homes.sort();
    assert!(!homes.is_empty());
    homes
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// All records of a home, in their order.
fn records(home: &Path) -> Vec<Item> {
    let database = rusqlite::Connection::open(home.join("state.sqlite")).unwrap();
    let mut statement =
        database.prepare("SELECT partition, sort, revision, schema, body FROM item ORDER BY partition, sort").unwrap();
    let item = |row: &rusqlite::Row<'_>| {
        let body: String = row.get(4)?;
        Ok(Item {
            partition: row.get(0)?,
            sort: row.get(1)?,
            revision: u64::try_from(row.get::<_, i64>(2)?).unwrap(),
            schema: row.get(3)?,
            body: serde_json::from_str(&body).unwrap(),
        })
    };
    statement.query_map([], item).unwrap().map(Result::unwrap).collect()
}

/// Reads a record and expects that nothing of it is lost: an optional field of another name reads as none.
fn whole<T: DeserializeOwned + Serialize>(item: &Item) -> T {
    let read: T = store::decode(item).unwrap();
    let again = serde_json::to_value(&read).unwrap();
    assert!(
        keeps(&again, &item.body),
        "{} {} is not read in full: {} became {again}",
        item.partition,
        item.sort,
        item.body
    );
    read
}

/// Whether a value has all of another, and perhaps more fields.
fn keeps(now: &Value, before: &Value) -> bool {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            before.iter().all(|(name, value)| now.get(name).map_or(value.is_null(), |now| keeps(now, value)))
        }
        (Value::Array(now), Value::Array(before)) => {
            now.len() == before.len() && now.iter().zip(before).all(|(now, before)| keeps(now, before))
        }
        _ => now == before,
    }
}

/// Reads a record as what it is, expects it at the place that today's code looks for it, and gives its name in the table.
#[expect(clippy::too_many_lines, reason = "an arm for each kind of record")]
fn name_of(item: &Item) -> &'static str {
    let (kind, rest) = item.partition.split_once('#').unwrap_or((&item.partition, ""));
    let account = || -> AccountId { rest.parse().unwrap() };
    let here = Place::new(item.partition.as_str(), item.sort.as_str());
    let lies = |place: Place| assert_eq!(place, here);
    match (kind, item.sort.as_str()) {
        ("ACCOUNT", _) => {
            lies(Place::account(&whole::<Account>(item).id));
            "account"
        }
        ("ACCOUNTS", _) => {
            lies(Place::listed_account(&whole::<ListedAccount>(item).account));
            "accounts"
        }
        ("MERCHANT", _) => {
            whole::<MerchantItem>(item);
            let (provider, number) = rest.split_once('#').unwrap();
            lies(Place::merchant(provider, number));
            "merchant"
        }
        ("OBJECT", _) => {
            whole::<ObjectItem>(item);
            let (key, version) = rest.split_once('#').unwrap();
            lies(Place::object(key, version));
            "object"
        }
        ("REFUSED", _) => {
            whole::<RefusedItem>(item);
            "refused message"
        }
        ("REPORT", sort) => match sort.split_once('#') {
            None => {
                let report: ReportItem = whole(item);
                lies(Place::report(report.report, &report.account));
                "report"
            }
            Some((account, number)) => {
                whole::<ReportSettlementItem>(item);
                let report = rest.to_owned().try_into().unwrap();
                lies(Place::report_settlement(report, &account.parse().unwrap(), number.parse().unwrap()));
                "settlement of a report"
            }
        },
        ("SETTLEMENT", _) => {
            whole::<SettlementItem>(item);
            lies(Place::settlement(&settlement_key(item).unwrap()));
            "settlement"
        }
        ("NOTICE", _) => {
            lies(Place::notice(&whole::<NoticeItem>(item).notice.key));
            "notice"
        }
        ("OUTBOX", _) => {
            lies(Place::outbox(&whole::<OutboxItem>(item).settlement));
            "outbox"
        }
        ("BATCH", _) => {
            let batch: BatchItem = whole(item);
            assert_eq!(BatchItem::id_of(batch.version, &batch.events), store::batch_id(item));
            lies(Place::batch(&batch.settlement, store::batch_id(item)));
            "batch"
        }
        ("SYNC", _) => {
            whole::<SyncItem>(item);
            lies(Place::sync(&account()));
            "sync"
        }
        ("MATCH", "LAST") => {
            whole::<MatchingItem>(item);
            lies(Place::matching(&account()));
            "matching"
        }
        ("MATCH", _) => {
            lies(Place::matches(whole::<MatchItem>(item).report, &account()));
            "match"
        }
        ("DIRTY", _) => {
            whole::<DirtyItem>(item);
            dirty_mark(item).unwrap();
            "dirty day"
        }
        ("LAKE", "LEASE") => {
            whole::<LeaseItem>(item);
            lies(Place::lake_lease(&account()));
            "lease of the lake"
        }
        ("LAKE", "BUILT") => {
            whole::<BuiltItem>(item);
            lies(Place::lake_built(&account()));
            "lake"
        }
        ("LAKE", _) => {
            whole::<DayItem>(item);
            lies(Place::lake_day(&account(), lake_day(item).unwrap().0));
            "day of the lake"
        }
        ("HELD", _) => {
            lies(Place::held(whole::<HeldItem>(item).report, &account()));
            "held report"
        }
        ("RECIPIENT", _) => {
            lies(Place::recipient(&account(), &whole::<RecipientItem>(item).address));
            "recipient"
        }
        ("MAIL", sort) => {
            whole::<MailItem>(item);
            lies(Place::mail(&account(), &sort.parse().unwrap()));
            "mail"
        }
        ("TRACE", _) => {
            whole::<TraceItem>(item);
            lies(Place::trace(&rest.parse().unwrap()));
            "trace"
        }
        ("DIGEST", sort) => {
            whole::<Date>(item);
            let (address, rhythm) = sort.split_once('/').unwrap();
            let rhythm = serde_json::from_value(rhythm.into()).unwrap();
            lies(Place::digests(&account(), &address.parse().unwrap(), rhythm));
            "digests"
        }
        ("LEDGER", _) => {
            whole::<LedgerItem>(item);
            let (provider, merchant_number, currency) = ledger_owner(item).unwrap();
            lies(Place::ledger(&account(), &provider, &merchant_number, currency));
            "ledger"
        }
        ("SUMMARY", _) => {
            whole::<SummaryItem>(item);
            lies(Place::month_summary(&account(), summarised_month(item).unwrap()));
            "month summary"
        }
        ("BACKFILL", sort) => {
            whole::<BackfillItem>(item);
            let (times, prefix) = sort.split_once('/').unwrap();
            let (from, until) = times.split_once("..").unwrap();
            lies(Place::backfill(&account(), from.parse().ok(), until.parse().ok(), prefix));
            "backfill"
        }
        ("SWITCH", _) => {
            whole::<SwitchItem>(item);
            lies(Place::switch());
            "switch"
        }
        ("JOURNAL", _) => {
            assert_eq!(whole::<JournalItem>(item).subject, rest);
            "journal"
        }
        _ => panic!("{} {} is a record that nothing reads", item.partition, item.sort),
    }
}

/// Kinds of records that came after the release that wrote a home.
const LATER: &[(&str, &str)] = &[("v1", "ledger")];

#[test]
fn every_record_is_read_in_full_and_every_kind_of_record_is_there() {
    for home in homes() {
        let folder = tempfile::tempdir().unwrap();
        copy(&home, folder.path());
        let mut found: BTreeMap<&str, usize> = BTreeMap::new();
        for item in records(folder.path()) {
            *found.entry(name_of(&item)).or_default() += 1;
        }
        let version = home.file_name().unwrap().to_string_lossy().into_owned();
        for record in store::table().filter(|record| !LATER.contains(&(version.as_str(), record.name))) {
            assert!(found.remove(record.name).is_some(), "{} has no record of {:?}", home.display(), record.name);
        }
        assert!(found.is_empty(), "the table of records lacks {found:?}");
    }
}

/// A home that is gone on with, and the stand-in for Dintero beside it.
struct World {
    home: TempDir,
    app: App,
    account: AccountId,
    clock: Clock,
    sandbox: Arc<Mutex<Sandbox>>,
}

impl World {
    fn at(home: &Path, now: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(home, folder.path());
        let (account, clock): (AccountId, _) = ("T00000001".parse().unwrap(), Clock::at(now));
        let sandbox = Arc::new(Mutex::new(example::sandbox(&account)));
        let http = Arc::new(InProcess::new(Arc::clone(&sandbox), clock.clone()));
        let credentials = Credentials { client_id: CLIENT_ID.into(), client_secret: Secret::new(CLIENT_SECRET) };
        let config = DinteroConfig { account: account.clone(), credentials, hosts: Hosts::default() };
        let time = clock.clone();
        let app = App::at_home(folder.path()).unwrap().with_dintero(http, config, Arc::new(move || time.now()));
        World { home: folder, app, account, clock, sandbox }
    }

    fn scratch(&self) -> PathBuf {
        self.app.scratch.clone()
    }

    async fn listed(&self) -> Listed {
        let account = self.account.clone();
        let command =
            ListSettlements { account, from: None, to: None, provider: None, state: None, limit: 100, cursor: None };
        listing::run(&self.app.ports, &command).await.unwrap()
    }

    /// Takes a report of one sale the whole way.
    async fn take_new(&self) -> Processed {
        let (number, order, captured_on) = (5_629_988_001, "BUTIKK-2001".to_owned(), date(2026, 12, 3));
        let at = "2026-12-03T10:00:00Z".parse().unwrap();
        let captured = MadeEvent::new(TransactionEventKind::Capture, 50_000, at)
            .known_as("vipps:transactionInfo.transactionId", &number.to_string());
        let made = MadeTransaction::new("T00000001.4BUTIKK2001nnnnnnnnnnn", &order, "vipps", "NOK", 50_000);
        self.sandbox.lock().unwrap().add_transaction(made.with(captured));
        let line =
            Line { transaction: number, order, captured_on, capture_minor: 50_000, refund_minor: 0, fee_minor: 875 };
        let settlement = Settlement { id: NEW, payout_on: date(2026, 12, 7), lines: vec![line] };
        let file = self.home.path().join("new.csv");
        fs::write(&file, portal_csv(&Report { merchant: 123_456, settlements: vec![settlement] })).unwrap();
        let landing = LandingKey::new(self.account.clone(), "vipps", "new.csv").unwrap();
        let object = self.app.ports.objects.upload(&Key::Landing(landing.clone()), &file).await.unwrap();
        let (version, now, scratch) = (object.version, self.clock.now(), self.scratch());
        let command = ParseReport {
            landing,
            version,
            now,
            lease: LEASE,
            scratch,
            limits: Limits::default(),
            adopts_merchants: false,
        };
        process::process_upload(&self.app.ports, self.app.dintero.as_deref(), &command).await.unwrap()
    }

    /// The settlements of all events at the stand-in: it knew of none before.
    fn events(&self) -> Vec<String> {
        let settlement = |(_, event): (&str, &SettlementEvent)| event.settlement_id.clone();
        self.sandbox.lock().unwrap().settlement_events().map(settlement).collect()
    }

    async fn mail(&self) -> Vec<MailItem> {
        let clock = self.clock.clone();
        let mailing = App::mailing(self.home.path(), MailConfig::default(), Arc::new(move || clock.now())).unwrap();
        let command = MailAccount { account: self.account.clone(), lease: LEASE, scratch: self.scratch() };
        let mailed = mail::run(&self.app.ports, &mailing, &command).await.unwrap();
        mailed.mails.into_iter().map(|(_, item)| item).collect()
    }
}

#[tokio::test]
async fn an_old_home_takes_posts_builds_summarises_and_mails_what_is_new_and_repeats_nothing() {
    for home in homes() {
        let world = World::at(&home, "2026-12-08T06:00:00Z".parse().unwrap());
        let before = world.listed().await;
        let old = |listed: &Listed| -> Vec<_> {
            let settlements = listed.settlements.iter().filter(|listed| listed.key.settlement_id != NEW.to_string());
            settlements.map(|listed| (listed.key.clone(), listed.version.clone())).collect()
        };
        let three = before.settlements.iter().find(|listed| listed.key.settlement_id == "2000463").unwrap();
        assert_eq!((old(&before).len(), three.version.version), (6, 3), "the last of three versions is in force");
        assert!(!before.held.is_empty());

        // A report of a later week goes the whole way.
        let Processed { outcome, reports, posted, .. } = world.take_new().await;
        assert_eq!(outcome.verdict, Verdict::Accepted, "{:?}", outcome.judgement.problems);
        assert!(!reports.written.is_empty() && reports.withheld.is_empty(), "{reports:?}");
        assert_eq!(posted.unwrap().count("POSTED"), 1);
        assert_eq!(world.events(), [NEW.to_string()]);

        // What was posted before is known to be: nothing of it is posted again.
        let (account, scratch) = (world.account.clone(), world.scratch());
        let command = PostAccount { account, now: world.clock.now(), lease: LEASE, scratch };
        let posted = post::go_on(&world.app.ports, world.app.dintero.as_deref().unwrap(), &command).await.unwrap();
        assert_eq!((posted.count("POSTED"), posted.not_before), (13, None));
        assert_eq!(world.events(), [NEW.to_string()], "an event was posted again");

        // The old settlements stand as they did.
        let after = world.listed().await;
        assert_eq!(old(&after), old(&before));
        assert_eq!((after.settlements.len(), &after.held), (7, &before.held));
        let key = &outcome.settlements[0].key;
        assert_eq!(versions::in_force(&world.app.ports, key).await.unwrap().unwrap().version, 1);

        // The lake gets the new day and keeps the old ones.
        let (account, now, scratch) = (world.account.clone(), world.clock.now(), world.scratch());
        let command = BuildLake { account, now, lease: LEASE, scratch, all: false };
        let built = lake::run(&world.app.ports, &command).await.unwrap();
        assert!(built.days.contains(&date(2026, 12, 7)) && built.no_bridge.is_none(), "{built:?}");
        let days: Vec<String> = records(world.home.path())
            .iter()
            .filter(|item| item.partition.starts_with("LAKE#"))
            .filter_map(|item| item.sort.strip_prefix("DAY#").map(str::to_owned))
            .collect();
        assert_eq!(days, ["2026-10-05", "2026-10-09", "2026-10-12", "2026-10-19", "2026-10-20", "2026-12-07"]);
        let figures = lake::month_figures(&world.app.ports, &world.account).await.unwrap();
        assert!(figures.len() > 1, "{figures:?}");

        // Days of before are written anew in the pages of today; after that all are the same, byte for byte.
        let rebuild = BuildLake { all: true, ..command.clone() };
        let anew = lake::run(&world.app.ports, &rebuild).await.unwrap();
        assert!(anew.days.len() == 6 && anew.objects > 0, "{anew:?}");
        let again = lake::run(&world.app.ports, &rebuild).await.unwrap();
        assert_eq!((again.days.len(), again.objects), (6, 0), "{again:?}");

        // What October says has not changed.
        let command = Summarise {
            account: world.account.clone(),
            month: Some("2026-10".parse().unwrap()),
            now: world.clock.now(),
            lease: LEASE,
            scratch: world.scratch(),
        };
        let made = months::run(&world.app.ports, &command).await.unwrap();
        let [october] = made.as_slice() else { panic!("{made:?}") };
        assert_eq!((october.summary.revision, october.is_new), (2, false));

        // Who had confirmed is told of the new payout alone; who had not, and who left, is not.
        let mails = world.mail().await;
        assert!(mails.iter().all(|mail| matches!(mail.state, MailState::Sent { .. })), "{mails:?}");
        let payouts = mails.iter().filter(|mail| matches!(mail.occasion, Occasion::Payout { .. }));
        let told: Vec<_> = payouts.map(|mail| (mail.recipient.as_str(), mail.payouts.as_slice())).collect();
        let new = [(key.clone(), 1)];
        assert_eq!(told, [("bilag@example.se", new.as_slice()), ("regnskap@example.no", new.as_slice())]);
        let files = fs::read_dir(world.home.path().join("outbox")).unwrap().count();
        assert_eq!(files, mails.len());
        assert!(world.mail().await.is_empty(), "a mail was sent again");
    }
}
