//! Hashes what has come of an account's reports, so that two places where the same was uploaded can be told to be the same:
//! what each report ended as, settlements with what was proved of them, what their lines were matched with, settlement events
//! with how they ended, and every Dintero report byte for byte. When it came about, how often, and in which order is no part of it.
//!
//! `state-hash ACCOUNT [--home DIR] [--lines]`; without a home, of the cloud that a function's own environment names.

use std::collections::BTreeSet;
use std::path::Path;

use adapters::app::{App, Cloud};
use adapters::config::CloudConfig;
use anyhow::Context;
use documents::ReportType;
use pipeline::current::events::{batches_of, outboxes};
use pipeline::current::match_rows;
use pipeline::{Ports, StepError};
use settlement::{AccountId, SettleKey};
use sha2::{Digest, Sha256};
use store::keys::Key;
use store::{ListedVersion, ObjectItem, Place, Query, ReportItem, ReportState, SettlementItem};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let account: AccountId = arguments.next().context("an account is missing")?.parse()?;
    let (mut home, mut shows_lines) = (None, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--home" => home = Some(arguments.next().context("--home has no folder")?),
            "--lines" => shows_lines = true,
            other => anyhow::bail!("found {other}, expected --home DIR or --lines"),
        }
    }
    let ports = match home {
        Some(home) => App::reading(Path::new(&home))?.ports,
        None => Cloud::open(CloudConfig::of_process()?).await?.ports,
    };
    let mut told = BTreeSet::new();
    uploads(&ports, &account, &mut told).await?;
    settlements(&ports, &account, &mut told).await?;
    events(&ports, &account, &mut told).await?;
    matched(&ports, &account, &mut told).await?;
    let mut hash = Sha256::new();
    for line in &told {
        hash.update(format!("{line}\n"));
        if shows_lines {
            println!("{line}");
        }
    }
    println!("{} {} lines", settlement::hexadecimal(&hash.finalize()), told.len());
    Ok(())
}

type Told = BTreeSet<String>;

/// What each upload came to, the same report once.
async fn uploads(ports: &Ports, account: &AccountId, told: &mut Told) -> anyhow::Result<()> {
    let mut cursor = None;
    loop {
        let page = ports.objects.versions(&format!("landing/{account}/"), cursor.as_deref()).await?;
        for ListedVersion { key, version, .. } in page.versions {
            let object = Place::object(&key, &version).read::<ObjectItem>(&*ports.state).await?;
            let report = object.with_context(|| format!("{key} of version {version} was never read"))?.0.report;
            let report = report.with_context(|| format!("{key} of version {version} is no report"))?;
            let item = Place::report(report, account).read::<ReportItem>(&*ports.state).await?;
            let item = item.with_context(|| format!("report {report} is not known"))?.0;
            told.insert(format!("report {report} {} {}", item.state.word(), item.first_problem.unwrap_or_default()));
        }
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(()),
        }
    }
}

/// The versions that count or counted, and the files of their Dintero reports.
async fn settlements(ports: &Ports, account: &AccountId, told: &mut Told) -> anyhow::Result<()> {
    for item in store::all(&*ports.state, Query::all(format!("SETTLEMENT#{account}"))).await? {
        let provider = item.sort.split('/').next().unwrap_or_default().to_owned();
        for version in store::decode::<SettlementItem>(&item)?.versions {
            let report = Place::report(version.report, account).read::<ReportItem>(&*ports.state).await?;
            if report.is_none_or(|(report, _)| report.state != ReportState::Committed) {
                continue;
            }
            told.insert(format!("settlement {} {}", item.sort, serde_json::to_string(&version)?));
            let settlement = SettleKey::new(account, &provider.parse()?, &version.settlement.head);
            for form in ReportType::ALL {
                let (settlement, version) = (settlement.clone(), version.version);
                let key = Key::DinteroReport { settlement, version, extension: form.extension() };
                let Some(meta) = ports.objects.head(&key).await? else { continue };
                let mut bytes = Vec::new();
                ports.objects.fetch(&key, &meta.version, &mut bytes).await?;
                told.insert(format!("document {key} {}", settlement::hexadecimal(&Sha256::digest(&bytes))));
            }
        }
    }
    Ok(())
}

/// The events of every outbox, with how they ended and not how that came to be known.
async fn events(ports: &Ports, account: &AccountId, told: &mut Told) -> anyhow::Result<()> {
    for outbox in outboxes(ports, account).await? {
        for (id, batch, _) in batches_of(ports, &outbox.settlement).await? {
            for planned in batch.events.iter().filter(|_| outbox.batches.contains(&id)) {
                let event = serde_json::to_string(&planned.event.money())?;
                told.insert(format!("event {} {} {event} {}", planned.id, planned.transaction, planned.state.word()));
            }
        }
        let sums = (outbox.version, outbox.events_minor, outbox.not_postable_minor, outbox.unmatched_minor);
        told.insert(format!("outbox {} {sums:?}", outbox.settlement));
    }
    Ok(())
}

/// What each line was matched with.
async fn matched(ports: &Ports, account: &AccountId, told: &mut Told) -> anyhow::Result<()> {
    let scratch = std::env::temp_dir();
    match_rows::rows(ports, account, &scratch, |item, row| -> Result<(), StepError> {
        let transaction = (row.transaction_id, row.transaction_event);
        let line = (row.settlement_id, row.line_no, row.state, row.reason, transaction, row.payment_product);
        told.insert(format!("match {} {line:?}", item.report));
        Ok(())
    })
    .await?;
    Ok(())
}
