//! A lake in memory: reports taken in, the builder run, what stands in it looked at from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use async_trait::async_trait;
use formats::Limits;
use jiff::{SignedDuration, Timestamp};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pipeline::intake::parse::{self, Outcome, ParseReport};
use pipeline::intake::release::{self, ReleaseReport};
use pipeline::lake::{self, BuildLake, Built};
use pipeline::{Packing, Ports, StepError};
use settlement::{AccountId, Kind, SettleKey, SettlementEvent, Verdict};
use store::keys::{Key, LandingKey};
use store::memory::{MemoryObjects, MemoryState};
use store::{
    BatchItem, EventState, Expect, ObjectMeta, Objects, OutboxItem, Place, PlannedEvent, PortError, Put, PutNew,
    Release, VersionPage, mark_settlement_dirty,
};
use tempfile::TempDir;

/// An account in memory whose lake is looked at behind every put.
pub struct World {
    /// What steps use.
    pub ports: Ports,
    /// The account.
    pub account: AccountId,
    /// The time.
    pub now: Timestamp,
    /// A directory for temporary files.
    pub scratch: PathBuf,
    /// What was ever seen in the lake.
    pub seen: Arc<Seen>,
    objects: Arc<MemoryObjects>,
    state: Arc<MemoryState>,
    folder: Arc<TempDir>,
}

impl Default for World {
    fn default() -> Self {
        World::of(Arc::new(MemoryObjects::default()), Arc::new(MemoryState::default()))
    }
}

impl World {
    /// Writes a batch of a settlement's events: transaction, captured minor units, state. Only the one called `named` is in the outbox.
    pub async fn tell(&self, key: &SettleKey, name: &str, events: impl Iterator<Item = (String, i64, EventState)>) {
        let events = events.map(|(number, minor, state)| PlannedEvent {
            transaction: format!("T00000001.{number}"),
            id: number,
            event: SettlementEvent {
                settlement_id: key.settlement_id.to_string(),
                provider_reference: key.settlement_id.to_string(),
                event_correlation_id: None,
                amount_minor: minor,
                capture_minor: minor,
                refund_minor: 0,
                fee_minor: 0,
            },
            lines: 1,
            state,
        });
        let (settlement, events, body) = (key.clone(), events.collect(), None);
        let batch = BatchItem { settlement, version: 1, events, attempt: 1, lease_until: None, not_before: None, body };
        let outbox = OutboxItem {
            settlement: key.clone(),
            version: 1,
            batches: vec!["named".into()],
            lines_minor: 0,
            events_minor: 0,
            not_postable_minor: 0,
            unmatched_minor: 0,
            unmatched_lines: 0,
            unmatched: Vec::new(),
            changed: Vec::new(),
        };
        let writes = [
            Place::outbox(key).put(&outbox, Expect::Any).expect("record"),
            Place::batch(key, name).put(&batch, Expect::Any).expect("record"),
            mark_settlement_dirty(key).expect("record"),
        ];
        self.ports.state.transact(&writes).await.unwrap();
    }

    fn of(objects: Arc<MemoryObjects>, state: Arc<MemoryState>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let seen = Arc::new(Seen::default());
        let watched = Arc::new(Watched { inner: Arc::clone(&objects), seen: Arc::clone(&seen) });
        World {
            ports: Ports { objects: watched, state: state.clone(), packing: Packing::None },
            account: "T00000001".parse().unwrap(),
            now: "2027-04-01T06:00:00Z".parse().unwrap(),
            scratch: folder.path().to_owned(),
            seen,
            objects,
            state,
            folder,
        }
    }

    /// The same world once more, to go on in another way.
    pub fn fork(&self) -> World {
        let fork = World::of(Arc::new((*self.objects).clone()), Arc::new((*self.state).clone()));
        *fork.seen.days.lock().unwrap() = self.seen.days.lock().unwrap().clone();
        fork
    }

    /// The same reports and records without any lake.
    pub async fn without_lake(&self) -> World {
        let (objects, state) = (Arc::new(MemoryObjects::default()), Arc::new(MemoryState::default()));
        for item in self.state.all() {
            if item.partition.starts_with("LAKE#") || item.partition.starts_with("DIRTY#") {
                continue;
            }
            let store::Item { partition, sort, revision, schema, body } = item;
            let put = Put { partition, sort, schema, body, expect: Expect::Any };
            use store::State;
            for _ in 0..revision {
                state.put_if(&put).await.unwrap();
            }
        }
        let world = World::of(objects, state);
        for (key, bytes) in self.all_objects("lake/reports/").await {
            let key = report_key(&key);
            world.ports.objects.put_new(&key, &bytes).await.unwrap();
        }
        world
    }

    /// Puts a file into the landing place.
    pub async fn upload(&self, provider: &str, name: &str, bytes: &[u8]) -> ParseReport {
        let mut file = tempfile::NamedTempFile::new_in(&self.scratch).unwrap();
        file.write_all(bytes).unwrap();
        let landing = LandingKey::new(self.account.clone(), provider, name).unwrap();
        let object = self.ports.objects.upload(&Key::Landing(landing.clone()), file.path()).await.unwrap();
        ParseReport {
            landing,
            version: object.version,
            now: self.now,
            lease: SignedDuration::from_mins(15),
            scratch: self.scratch.clone(),
            limits: Limits::default(),
            adopts_merchants: true,
        }
    }

    /// Takes a report of Vipps in; one that corrects another is released.
    pub async fn take(&self, ports: &Ports, name: &str, bytes: &[u8]) -> Outcome {
        let command = self.upload("vipps", name, bytes).await;
        let outcome = parse::run(ports, &command).await.unwrap();
        if outcome.judgement.kind() != Some(Kind::SettlementConflict) {
            assert!(
                matches!(outcome.verdict, Verdict::Accepted | Verdict::Duplicate),
                "{:?}",
                outcome.judgement.problems
            );
            return outcome;
        }
        let (account, report) = (self.account.clone(), outcome.report.unwrap());
        let release = Release { by: "regnskap".into(), why: "corrected".into() };
        release::run(ports, &ReleaseReport { account, report, release, now: self.now }).await.unwrap();
        let outcome = parse::run(ports, &command).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Accepted, "{:?}", outcome.judgement.problems);
        outcome
    }

    /// A command to build what has changed.
    pub fn build(&self) -> BuildLake {
        let (account, scratch) = (self.account.clone(), self.scratch.clone());
        BuildLake { account, now: self.now, lease: SignedDuration::from_mins(15), scratch, all: false }
    }

    /// Builds until nothing is left to be built.
    pub async fn built(&self) -> Built {
        loop {
            let built = lake::run(&self.ports, &self.build()).await.unwrap();
            if !built.is_unfinished {
                return built;
            }
        }
    }

    /// The newest version of every object whose key begins with `prefix`.
    pub async fn all_objects(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut cursor = None;
        loop {
            let page = self.ports.objects.versions(prefix, cursor.as_deref()).await.unwrap();
            for listed in page.versions {
                let mut bytes = Vec::new();
                let key = raw_key(&listed.key);
                self.ports.objects.fetch(&key, &listed.version, &mut bytes).await.unwrap();
                found.insert(listed.key, bytes);
            }
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => return found,
            }
        }
    }

    /// Every object of the lake.
    pub async fn lake(&self) -> BTreeMap<String, Vec<u8>> {
        self.all_objects("lake/v1/").await
    }

    /// Writes the lake to disk, and gives the folder that its tables lie in.
    pub async fn on_disk(&self) -> PathBuf {
        let root = self.folder.path().join("on-disk");
        for (key, bytes) in self.lake().await {
            let path = root.join(&key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        root.join("lake/v1").join(self.account.as_str())
    }

    /// What is marked, and not built yet.
    pub fn marks(&self) -> Vec<String> {
        let is_dirty = |item: &store::Item| item.body["is_dirty"] == true;
        let marks = self.state.all().into_iter().filter(|item| item.partition.starts_with("DIRTY#") && is_dirty(item));
        marks.map(|item| item.sort).collect()
    }
}

/// The key of an object below the reports, told by its parts.
fn report_key(key: &str) -> Key {
    let parts: Vec<&str> = key.split('/').collect();
    let (account, report) = (parts[2].parse().unwrap(), parts[3].to_owned().try_into().unwrap());
    match parts[5] {
        "settlement_line.parquet" => Key::Lines { account, report, parser_version: parts[4].into() },
        "settlement.parquet" => Key::Settlements { account, report, parser_version: parts[4].into() },
        digest => {
            let digest = digest.strip_suffix(".parquet").unwrap().to_owned();
            Key::Matches { account, report, digest }
        }
    }
}

/// The key of any object of reports or the lake.
fn raw_key(key: &str) -> Key {
    if let Some(rest) = key.strip_prefix("reports/") {
        return summary_key(rest);
    }
    let Some(rest) = key.strip_prefix("lake/v1/") else { return report_key(key) };
    let parts: Vec<&str> = rest.split('/').collect();
    let account: AccountId = parts[0].parse().unwrap();
    let table = |name: &str| tables::TABLES.iter().find(|table| table.name == name).unwrap().name;
    if parts[1] == "export" {
        return Key::LakeExport { account, table: table(parts[2].strip_suffix(".parquet").unwrap()) };
    }
    let (name, month) = (parts[3].strip_suffix(".parquet").unwrap(), parts[2].strip_prefix("payout_month=").unwrap());
    let table = table(parts[1]);
    match name {
        "data" => {
            let first = format!("{month}-01").parse().unwrap();
            Key::LakeMonth { account, table, payout_month: settlement::Month::of(first) }
        }
        day => Key::LakeDay { account, table, payout_on: day.parse().unwrap() },
    }
}

/// The key of a form of a month summary, below the reports.
fn summary_key(rest: &str) -> Key {
    let parts: Vec<&str> = rest.split('/').collect();
    let (revision, edition) = parts[3].strip_prefix('v').unwrap().split_once('-').unwrap();
    let ending = parts[4].strip_prefix("month-summary.").unwrap();
    let endings = ["xlsx", "pdf", "csv", "semicolon.csv", "json", "parquet"];
    Key::MonthSummary {
        account: parts[0].parse().unwrap(),
        month: parts[2].parse().unwrap(),
        revision: revision.parse().unwrap(),
        edition: edition.to_owned(),
        extension: endings.into_iter().find(|known| *known == ending).unwrap(),
    }
}

/// What a version of a settlement sums to: lines, captures, refunds, fees.
pub type Sums = [i64; 4];

/// What counts of each settlement: its sums, and its lines told apart.
pub type Current = BTreeMap<Name, (Sums, BTreeSet<(i64, i32)>)>;

/// A settlement as tables name it.
pub type Name = (String, String, String);

/// What stands in the lake, looked at behind every put.
#[derive(Default)]
pub struct Seen {
    /// Sums that the versions of each settlement may have.
    pub allowed: Mutex<BTreeMap<Name, BTreeSet<Sums>>>,
    days: Mutex<BTreeMap<String, Current>>,
    /// How many puts were looked at, and after how many of them a settlement was missing that had been there.
    pub looks: Mutex<(usize, usize)>,
}

impl Seen {
    /// Nothing may ever be there twice, nor sum to anything but one of its versions.
    fn look(&self, key: &str, file: &Path) {
        let current = current_of(File::open(file).unwrap());
        let mut days = self.days.lock().unwrap();
        let before: BTreeSet<Name> = days.values().flat_map(|day| day.keys().cloned()).collect();
        days.insert(key.to_owned(), current);
        let mut together: BTreeMap<&Name, &str> = BTreeMap::new();
        for (day, settlements) in days.iter() {
            for (name, (sums, lines)) in settlements {
                if let Some(other) = together.insert(name, day) {
                    panic!("{name:?} counts in {other} and in {day}");
                }
                assert_eq!(lines.len() as i64, sums[0], "{name:?} has a line twice in {day}");
                if let Some(allowed) = self.allowed.lock().unwrap().get(name) {
                    assert!(allowed.contains(sums), "{name:?} in {day} is {sums:?}, expected one of {allowed:?}");
                }
            }
        }
        let missing = before.iter().any(|name| !together.contains_key(name));
        let mut looks = self.looks.lock().unwrap();
        looks.0 += 1;
        looks.1 += usize::from(missing);
    }
}

/// What counts in a file of lines, by settlement.
pub fn current_of(file: File) -> Current {
    let mut found = Current::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap) {
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let number = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().clone();
        let flags = batch.column_by_name("is_current").unwrap().as_boolean().clone();
        let names = [text("merchant_number"), text("settlement_id"), text("currency")];
        let [lines, capture] = [number("line_no"), number("capture_minor")];
        let parts = batch.column_by_name("line_part").unwrap().as_primitive::<Int32Type>().clone();
        let [refund, fee] = [number("refund_minor"), number("fee_minor")];
        for row in (0..batch.num_rows()).filter(|row| flags.value(*row)) {
            let [merchant, settlement, currency] = [0, 1, 2].map(|column| names[column].value(row).to_owned());
            let (sums, numbers) = found.entry((merchant, settlement, currency)).or_default();
            let more = [1, capture.value(row), refund.value(row), fee.value(row)];
            sums.iter_mut().zip(more).for_each(|(sum, minor)| *sum += minor);
            numbers.insert((lines.value(row), parts.value(row)));
        }
    }
    found
}

/// Bytes as a file on disk that is gone when it is closed.
pub fn parquet_bytes(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// The name that tables have for a settlement.
pub fn name_of(key: &SettleKey) -> Name {
    (key.merchant_number.to_string(), key.settlement_id.to_string(), key.currency.to_string())
}

struct Watched {
    inner: Arc<MemoryObjects>,
    seen: Arc<Seen>,
}

#[async_trait]
impl Objects for Watched {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        self.inner.head(key).await
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn Write + Send)) -> Result<u64, PortError> {
        self.inner.fetch(key, version, into).await
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        self.inner.upload(key, file).await
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        let put = self.inner.upload_if(key, file, before).await?;
        if let (PutNew::Created(_), Key::LakeDay { table: "settlement_line", .. }) = (&put, key) {
            self.seen.look(&key.to_string(), file);
        }
        Ok(put)
    }

    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError> {
        self.inner.versions(prefix, cursor).await
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        self.inner.put_new(key, bytes).await
    }
}

/// Whether building ended because somebody else was at it.
pub fn is_busy(built: &Result<Built, StepError>) -> bool {
    matches!(built, Err(StepError::Busy { .. }))
}
