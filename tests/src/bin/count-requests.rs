//! Counts what a report costs in requests: `count-requests [LINES]` takes one report of that many lines through the steps of the
//! functions and prints the calls of each port, and the units of DynamoDB that they are.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use adapters::app::App;
use async_trait::async_trait;
use formats::Limits;
use jiff::{SignedDuration, Timestamp};
use pipeline::Ports;
use pipeline::intake::parse::{self, ParseReport};
use pipeline::reports::dintero_report::{self, WriteReports};
use store::keys::{Key, LandingKey};
use store::{Item, ObjectMeta, Objects, Page, PortError, Put, PutNew, Query, State, VersionPage};
use tests::generate::{many_settlements, portal_head, portal_settlement};

/// Requests since they were last asked for.
#[derive(Default)]
struct Counts {
    get: AtomicU64,
    put: AtomicU64,
    list: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
    read_units: AtomicU64,
    write_units: AtomicU64,
}

fn add(count: &AtomicU64, number: usize) {
    count.fetch_add(number as u64, Ordering::Relaxed);
}

struct Counted<P: ?Sized>(Arc<P>, Arc<Counts>);

/// Keys, body and the two numbers of a record, as DynamoDB weighs it.
fn bytes(partition: &str, sort: &str, body: &serde_json::Value) -> usize {
    partition.len() + sort.len() + body.to_string().len() + "pkskrevisionschemabody".len() + 4
}

#[async_trait]
impl State for Counted<dyn State> {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        let found = self.0.get(partition, sort).await?;
        let size = found.as_ref().map_or(0, |item| bytes(&item.partition, &item.sort, &item.body));
        add(&self.1.reads, 1);
        add(&self.1.read_units, size.div_ceil(4_096).max(1));
        Ok(found)
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        let page = self.0.query(query).await?;
        let size: usize = page.items.iter().map(|item| bytes(&item.partition, &item.sort, &item.body)).sum();
        add(&self.1.reads, 1);
        add(&self.1.read_units, size.div_ceil(4_096).max(1));
        Ok(page)
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        add(&self.1.writes, 1);
        // A transaction takes two units for what one takes otherwise.
        let units = |put: &Put| 2 * bytes(&put.partition, &put.sort, &put.body).div_ceil(1_024);
        add(&self.1.write_units, writes.iter().map(units).sum());
        self.0.transact(writes).await
    }
}

#[async_trait]
impl Objects for Counted<dyn Objects> {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        add(&self.1.get, 1);
        self.0.head(key).await
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn Write + Send)) -> Result<u64, PortError> {
        add(&self.1.get, 1);
        self.0.fetch(key, version, into).await
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        add(&self.1.put, 1);
        self.0.upload(key, file).await
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        add(&self.1.put, 1);
        add(&self.1.get, usize::from(before.is_some()));
        self.0.upload_if(key, file, before).await
    }

    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError> {
        add(&self.1.list, 1);
        self.0.versions(prefix, cursor).await
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        add(&self.1.put, 1);
        self.0.put_new(key, bytes).await
    }
}

fn print(step: &str, counts: &Counts, sums: &Mutex<[u64; 7]>) {
    let Counts { get, put, list, reads, writes, read_units, write_units } = counts;
    let found = [get, put, list, reads, writes, read_units, write_units].map(|count| count.swap(0, Ordering::Relaxed));
    let mut sums = sums.lock().expect("one thread");
    sums.iter_mut().zip(found).for_each(|(sum, count)| *sum += count);
    row(step, found);
}

fn row(step: &str, [get, put, list, reads, writes, read_units, write_units]: [u64; 7]) {
    println!("{step:<24}{get:>8}{put:>8}{list:>9}{reads:>10}{writes:>11}{read_units:>12}{write_units:>13}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let lines: u64 = std::env::args().nth(1).map_or(Ok(10_000), |text| text.parse())?;
    let scratch = tempfile::tempdir()?;
    let App { ports, .. } = App::in_memory(scratch.path())?;
    let counts = Arc::new(Counts::default());
    let counted = Ports {
        objects: Arc::new(Counted(Arc::clone(&ports.objects), Arc::clone(&counts))),
        state: Arc::new(Counted(Arc::clone(&ports.state), Arc::clone(&counts))),
        packing: ports.packing,
    };
    let file = scratch.path().join("report.csv");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&file)?);
    portal_head(&mut out)?;
    for (number, settlement) in many_settlements(lines, lines).enumerate() {
        portal_settlement(&mut out, 123_456, &settlement, number == 0)?;
    }
    out.flush()?;
    let landing = LandingKey::new("T00000001".parse()?, "vipps", "report.csv")?;
    let object = ports.objects.upload(&Key::Landing(landing.clone()), &file).await?;
    let command = ParseReport {
        landing: landing.clone(),
        version: object.version,
        now: "2026-11-01T06:00:00Z".parse::<Timestamp>()?,
        lease: SignedDuration::from_mins(5),
        scratch: scratch.path().to_owned(),
        limits: Limits::default(),
        adopts_merchants: true,
    };
    let sums = Mutex::new([0; 7]);
    println!(
        "{:<24}{:>8}{:>8}{:>9}{:>10}{:>11}{:>12}{:>13}",
        format!("a report of {lines} lines"),
        "S3 GET",
        "S3 PUT",
        "S3 LIST",
        "DB reads",
        "DB writes",
        "read units",
        "write units"
    );
    let outcome = parse::run(&counted, &command).await?;
    print("parse-report", &counts, &sums);
    let report = outcome.report.ok_or_else(|| anyhow::anyhow!("the report has no id"))?;
    let reconcile = WriteReports { account: landing.account, report, scratch: scratch.path().to_owned() };
    dintero_report::write_reports(&counted, &reconcile).await?;
    print("reconcile-settlements", &counts, &sums);
    row("together", *sums.lock().expect("one thread"));
    parse::run(&counted, &command).await?;
    print("the same upload again", &counts, &Mutex::new([0; 7]));
    Ok(())
}
