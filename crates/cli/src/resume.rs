//! `avstem replay --undone`: a sweep whose messages this process carries out itself.

use std::io::Write;
use std::sync::Arc;

use adapters::app::App;
use jiff::{SignedDuration, Timestamp};
use pipeline::current::lease::REPORT_LEASE;
use pipeline::messages::{ReportReady, Uploaded};
use pipeline::operate::process;
use pipeline::operate::sweep::{self, Queues, Sweep};
use pipeline::posting::post::PostReport;
use settlement::AccountId;
use store::keys::LandingKey;
use store::memory::MemoryQueue;

use crate::home::reading;
use crate::{Ended, show};

/// What is younger may still be in some worker's hands.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// Shows the work that has stopped, and resumes it when `apply` is set.
pub(crate) async fn run(app: &App, account: &AccountId, apply: bool, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let command = Sweep {
        account: Some(account.clone()),
        now: Timestamp::now(),
        patience: PATIENCE,
        is_thorough: true,
        posts: app.dintero.is_some(),
        asks_for_missing: false,
        scratch: app.scratch.clone(),
    };
    let (parse, reconcile) = (Arc::new(MemoryQueue::default()), Arc::new(MemoryQueue::default()));
    let queues = Queues { parse: parse.clone(), reconcile: reconcile.clone() };
    let (plan, found) = sweep::run(&app.ports, &queues, &command).await?;
    anyhow::ensure!(
        found.looked_at > 0,
        "No upload of account {account} is older than {} minutes, so that none was looked at",
        PATIENCE.as_mins()
    );
    for open in &found.open {
        writeln!(out, "{}  {}", show::text(&open.upload.key), open.progress.word())?;
    }
    let due = plan.parse.len() + plan.reconcile.len();
    if !apply {
        writeln!(out, "{due} of {} uploads would be resumed; do it with --apply", found.looked_at)?;
        return Ok(Ended::Well);
    }
    while let Some((message, _)) = parse.take() {
        read(app, serde_json::from_str(&message)?, out).await?;
    }
    while let Some((message, _)) = reconcile.take() {
        let ReportReady { account, report } = serde_json::from_str(&message)?;
        let (now, scratch) = (Timestamp::now(), app.scratch.clone());
        let command = PostReport { account, report, now, lease: REPORT_LEASE, scratch };
        let (reconciled, posted) = process::after_commit(&app.ports, app.dintero.as_deref(), &command).await?;
        writeln!(out, "report {}: {} files of Dintero reports", report.short(), reconciled.written.len())?;
        show::posted_or_not(out, "  ", &posted)?;
    }
    writeln!(out, "{due} resumed")?;
    Ok(Ended::Well)
}

async fn read(app: &App, upload: Uploaded, out: &mut dyn Write) -> anyhow::Result<()> {
    let landing: LandingKey = upload.key.parse()?;
    let command = reading(app, landing, upload.version);
    let processed = process::process_upload(&app.ports, app.dintero.as_deref(), &command).await?;
    writeln!(out, "{}: {}", show::text(&upload.key), processed.outcome.verdict)?;
    show::posted_or_not(out, "  ", &processed.posted)?;
    Ok(())
}
