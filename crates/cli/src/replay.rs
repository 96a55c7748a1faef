//! Commands that repeat work, resume it, or compare it with Dintero.

use std::io::Write;

use adapters::app::App;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use pipeline::intake::replay::{self, Replay};
use pipeline::operate::{explain, process};
use pipeline::posting::audit;
use serde_json::json;
use settlement::{AccountId, Verdict};

use crate::home::{Opened, reading};
use crate::post::reachable;
use crate::{Ended, HomeArguments, resume, show};

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["object", "report", "since", "undone"])))]
pub(crate) struct ReplayArguments {
    /// One uploaded object, as in T00000001/vipps/2000461.xml
    #[arg(long, value_name = "KEY")]
    object: Option<String>,
    /// The upload of the report whose id begins so
    #[arg(long, value_name = "ID")]
    report: Option<String>,
    /// Everything uploaded since the beginning of this day, in UTC
    #[arg(long, value_name = "DAY")]
    since: Option<Date>,
    /// Resume work whose worker died or whose notification was lost
    #[arg(long)]
    undone: bool,
    /// Do it; without this, only show what would be done
    #[arg(long)]
    apply: bool,
    /// One JSON object per upload and line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

#[derive(clap::Args)]
pub(crate) struct AuditArguments {
    /// Month of payout, as in 2026-10
    #[arg(long, value_name = "MONTH")]
    month: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

impl ReplayArguments {
    /// What is replayed; `None` when the sweep is to find it.
    async fn which(&self, app: &App, account: &AccountId) -> anyhow::Result<Option<Replay>> {
        if let Some(object) = &self.object {
            return Ok(Some(Replay::Object(object.parse()?)));
        }
        if let Some(report) = &self.report {
            let mut named = explain::run(&app.ports, account, report, &app.scratch).await?.reports;
            anyhow::ensure!(
                named.len() == 1,
                "{report:?} names {} reports of account {account}, expected the beginning of one id",
                named.len()
            );
            return Ok(Some(Replay::Report(named.swap_remove(0).report)));
        }
        let since = self.since.map(|day| day.to_zoned(TimeZone::UTC)).transpose()?;
        Ok(since.map(|since| Replay::Since(since.timestamp())))
    }
}

pub(crate) async fn run(arguments: &ReplayArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = arguments.home.open_with_dintero().await?;
    let account = &account;
    let Some(which) = arguments.which(&app, account).await? else {
        return resume::run(&app, account, arguments.apply, out).await;
    };
    let due = replay::find(&app.ports, account, &which).await?;
    anyhow::ensure!(!due.is_empty(), "Found no upload of account {account} that this names");
    let mut accepted = 0;
    for due in &due {
        if arguments.json && !arguments.apply {
            writeln!(out, "{}", json!({ "file": due.landing.name, "known": due.known }))?;
        } else if !arguments.json {
            writeln!(out, "{}  {}", show::text(&due.landing.name), due.known)?;
        }
        if !arguments.apply {
            continue;
        }
        let command = reading(&app, due.landing.clone(), due.version.clone());
        let processed = process::process_upload(&app.ports, app.dintero.as_deref(), &command).await?;
        let verdict = processed.outcome.verdict;
        accepted += usize::from(verdict == Verdict::Accepted);
        if arguments.json {
            let posting = show::posted_json(&processed.posted);
            let object =
                json!({ "file": due.landing.name, "known": due.known, "verdict": verdict, "posting": posting });
            writeln!(out, "{object}")?;
        } else {
            writeln!(out, "  {verdict}")?;
            show::posted_or_not(out, "  ", &processed.posted)?;
        }
    }
    if arguments.json {
        return Ok(Ended::Well);
    }
    if arguments.apply {
        let done = due.len() - accepted;
        writeln!(out, "{} objects taken again: {accepted} newly accepted, {done} done before or held", due.len())?;
    } else {
        writeln!(out, "{} objects would be taken again; do it with --apply", due.len())?;
    }
    Ok(Ended::Well)
}

pub(crate) async fn audit(arguments: &AuditArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = arguments.home.open_with_dintero().await?;
    let dintero = reachable(&app)?;
    let month: Date = format!("{}-01", arguments.month)
        .parse()
        .map_err(|_| anyhow::anyhow!("Found month {:?}, expected one as in 2026-10", arguments.month))?;
    let audit = audit::run(&app.ports, &dintero, &account, month).await?;
    anyhow::ensure!(
        audit.settlements > 0,
        "Found no settlement of {} that was planned to be posted, so that nothing was looked at",
        arguments.month
    );
    if arguments.json {
        let differences: Vec<_> = audit
            .differences
            .iter()
            .map(|(key, what)| json!({ "settlement": key.to_string(), "what": what }))
            .collect();
        let object = json!({
            "month": arguments.month, "settlements": audit.settlements, "confirmed": audit.confirmed,
            "differences": differences,
        });
        writeln!(out, "{object}")?;
        return Ok(if differences.is_empty() { Ended::Well } else { Ended::Held });
    }
    writeln!(
        out,
        "{} settlements of {}: {} events stand at Dintero as recorded, {} differences",
        audit.settlements,
        arguments.month,
        audit.confirmed,
        audit.differences.len()
    )?;
    for (key, what) in &audit.differences {
        writeln!(out, "  {key}: {what}")?;
    }
    Ok(if audit.differences.is_empty() { Ended::Well } else { Ended::Held })
}
