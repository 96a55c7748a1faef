//! `avstem backfill`: everything that lies in the landing, taken the whole way at a bounded rate.

use std::io::Write;
use std::num::NonZeroU32;

use ::formats::Limits;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use pipeline::current::lease::REPORT_LEASE;
use pipeline::operate::backfill::{Backfill, BackfillAccount, Next};
use serde_json::json;
use settlement::Verdict;

use crate::home::Opened;
use crate::{Ended, HomeArguments, show};

#[derive(clap::Args)]
pub(crate) struct BackfillArguments {
    /// Only keys below the account that begin so, as in vipps/2025-
    #[arg(long, default_value = "")]
    prefix: String,
    /// Uploaded on that day or later
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Uploaded on that day or earlier
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// Objects that are begun in a second at most
    #[arg(long, value_name = "N", default_value = "2")]
    per_second: NonZeroU32,
    /// Do it; without this it is only counted
    #[arg(long)]
    apply: bool,
    /// One JSON object per upload and line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

pub(crate) async fn run(arguments: &BackfillArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = arguments.home.open_with_dintero().await?;
    let beginning = |day: Date| -> anyhow::Result<Timestamp> { Ok(day.to_zoned(TimeZone::UTC)?.timestamp()) };
    let command = BackfillAccount {
        account: account.clone(),
        prefix: arguments.prefix.clone(),
        from: arguments.from.map(beginning).transpose()?,
        until: arguments.to.map(|day| beginning(day.tomorrow()?)).transpose()?,
        per_second: arguments.per_second,
        lease: REPORT_LEASE,
        scratch: app.scratch.clone(),
        limits: Limits::default(),
    };
    let mut backfill = Backfill::open(&app.ports, &command).await?;
    let before = backfill.taken();
    if !arguments.apply {
        let count = backfill.count().await?;
        anyhow::ensure!(
            count > 0 || before > 0,
            "Found no upload of account {account} below {:?} in that time, so that there is nothing to take in",
            arguments.prefix
        );
        if arguments.json {
            writeln!(out, "{}", json!({ "to_take": count, "taken_before": before }))?;
        } else {
            writeln!(out, "{count} objects would be taken, {before} were taken before; do it with --apply")?;
        }
        return Ok(Ended::Well);
    }
    let (mut taken, mut accepted, mut held) = (0, 0, 0);
    loop {
        match backfill.next(app.dintero.as_deref(), Timestamp::now()).await? {
            Next::Wait(until) => {
                let wait = until.duration_since(Timestamp::now()).max(SignedDuration::ZERO);
                tokio::time::sleep(wait.unsigned_abs()).await;
            }
            Next::Took(landing, processed) => {
                let verdict = processed.outcome.verdict;
                taken += 1;
                accepted += usize::from(verdict == Verdict::Accepted);
                held += usize::from(matches!(verdict, Verdict::Quarantined | Verdict::Rejected));
                if arguments.json {
                    let posting = show::posted_json(&processed.posted);
                    let object = json!({ "file": landing.name, "verdict": verdict, "posting": posting });
                    writeln!(out, "{object}")?;
                } else {
                    writeln!(out, "{}  {}", show::verdict(verdict), show::text(&landing.name))?;
                    show::posted_or_not(out, "  ", &processed.posted)?;
                }
            }
            Next::Ended => break,
        }
    }
    anyhow::ensure!(
        taken > 0 || before > 0,
        "Found no upload of account {account} below {:?} in that time, so that nothing was taken in",
        arguments.prefix
    );
    if !arguments.json {
        writeln!(
            out,
            "{taken} objects taken, {before} before: {accepted} newly accepted, {held} held, the rest done before"
        )?;
    }
    Ok(if held > 0 { Ended::Held } else { Ended::Well })
}
