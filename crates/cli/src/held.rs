//! `avstem held`: reports that wait for a person, what is wrong with each, and what the person decides.

use std::io::Write;

use adapters::app::App;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pipeline::current::held::{self, HeldProblems, HeldReport};
use pipeline::intake::dismiss::{DismissReport, dismiss, reopen};
use pipeline::intake::release::{self, ReleaseReport};
use pipeline::operate::explain;
use pipeline::operate::process;
use serde_json::{Value, json};
use settlement::{AccountId, Kind, MajorUnits, Problems, Verdict};
use store::{HeldSettlement, Release, ReportItem, ReportState};

use crate::home::{Opened, reading, zone_of};
use crate::run::Taken;
use crate::{Ended, HomeArguments, show, summary};

#[derive(clap::Subcommand)]
pub(crate) enum HeldCommand {
    /// List the reports that wait for a person
    List {
        /// One JSON object per report and line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Show what is wrong with a report, and what to do
    Show {
        /// Beginning of the report id or file name, or a settlement of it
        report: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Let a corrected report replace the settlements that it changes
    Release(DecisionArguments),
    /// Decide that nothing is to be done with a report: it is listed and mailed no more
    Dismiss(DecisionArguments),
    /// Hold a dismissed report again
    Reopen(DecisionArguments),
}

#[derive(clap::Args)]
pub(crate) struct DecisionArguments {
    /// Beginning of the report id or file name, or a settlement of it
    report: String,
    /// Who decides
    #[arg(long)]
    by: String,
    /// Why
    #[arg(long)]
    why: String,
    #[command(flatten)]
    home: HomeArguments,
}

impl DecisionArguments {
    fn decision(&self) -> Release {
        Release { by: self.by.clone(), why: self.why.clone() }
    }
}

pub(crate) async fn run(command: &HeldCommand, out: &mut dyn Write) -> anyhow::Result<Ended> {
    match command {
        HeldCommand::List { json, home } => list(&home.open_to_read().await?, *json, out).await,
        HeldCommand::Show { report, json, home } => {
            let Opened { app, account } = home.open_to_read().await?;
            let found = held::named(&app.ports, &account, report).await?;
            let problems = held::problems(&app.ports, &found).await?;
            if *json {
                writeln!(out, "{}", json_of(&found, Some(&problems)))?;
            } else {
                show_one(&found, &problems, out)?;
            }
            Ok(Ended::Held)
        }
        HeldCommand::Release(decision) => self::release(decision, out).await,
        HeldCommand::Dismiss(decision) => {
            let Opened { app, account } = decision.home.open().await?;
            let found = held::named(&app.ports, &account, &decision.report).await?;
            let report = found.report.report;
            let command = DismissReport { account, report, decision: decision.decision(), now: Timestamp::now() };
            let item = dismiss(&app.ports, &command).await?;
            writeln!(out, "{} ({}) is dismissed and waits no more", show::text(&item.name), report.short())?;
            writeln!(out, "To take that back: avstem held reopen {} --by YOU --why WHY", report.short())?;
            Ok(Ended::Well)
        }
        HeldCommand::Reopen(decision) => {
            let Opened { app, account } = decision.home.open().await?;
            let report = dismissed(&app, &account, &decision.report).await?.report;
            let command = DismissReport { account, report, decision: decision.decision(), now: Timestamp::now() };
            let item = reopen(&app.ports, &command).await?;
            writeln!(out, "{} ({}) is held again: {}", show::text(&item.name), report.short(), item.state.word())?;
            Ok(Ended::Held)
        }
    }
}

/// The one dismissed report that a word names.
async fn dismissed(app: &App, account: &AccountId, word: &str) -> anyhow::Result<ReportItem> {
    let mut named = explain::run(&app.ports, account, word, &app.scratch).await?.reports;
    named.retain(|report| matches!(report.state, ReportState::Dismissed { .. }));
    match named.len() {
        1 => Ok(named.swap_remove(0)),
        0 => anyhow::bail!("Found no dismissed report {word:?} in account {account}, expected its id or its file name"),
        count => anyhow::bail!("{word:?} names {count} dismissed reports. Give more of the report id"),
    }
}

async fn list(opened: &Opened, as_json: bool, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = opened;
    let all = held::all(&app.ports, account).await?;
    anyhow::ensure!(
        !all.is_empty()
            || summary::has_settlements(app, account).await?
            || held::is_any_known(&app.ports, account).await?,
        "Found no report of account {account}, so that nothing was looked at"
    );
    let ended = if all.is_empty() { Ended::Well } else { Ended::Held };
    if as_json {
        all.iter().try_for_each(|held| writeln!(out, "{}", json_of(held, None)))?;
        return Ok(ended);
    }
    if all.is_empty() {
        writeln!(out, "No report of account {account} is held")?;
        return Ok(ended);
    }
    table(&all, &zone_of(app, account).await?, "", out)?;
    writeln!(out, "`avstem held show ID` says what is wrong with one, and what to do")?;
    Ok(ended)
}

/// Writes held reports as a table with one line each.
pub(crate) fn table(all: &[HeldReport], zone: &TimeZone, indent: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let rows: Vec<[String; 8]> = all
        .iter()
        .map(|held| {
            let first = held.held.settlements.first();
            let more = held.held.settlement_count.saturating_sub(1);
            let settlement = first.map(|first| match more {
                0 => first.settlement_id.to_string(),
                more => format!("{} and {more} more", first.settlement_id),
            });
            [
                held.report.report.short(),
                zone.to_datetime(held.held.at).date().to_string(),
                show::text(&held.report.name),
                settlement.unwrap_or_else(|| "-".to_owned()),
                first.map_or_else(|| "-".to_owned(), |first| first.payout_on.to_string()),
                first.map_or_else(|| "-".to_owned(), |first| first.lines.to_string()),
                first.map_or_else(|| "-".to_owned(), payout),
                held.kind.unwrap_or(Kind::Crashed).to_string(),
            ]
        })
        .collect();
    let header = ["id", "held since", "file", "settlement", "paid out", "lines", "payout", "why"];
    Ok(show::table(out, indent, &header, |column| column < 5 || column == 7, &rows)?)
}

/// What a settlement of a held report pays out, as its file says.
fn payout(settlement: &HeldSettlement) -> String {
    let HeldSettlement { payout_minor, exponent, currency, .. } = settlement;
    payout_minor
        .map_or_else(|| "not stated".to_owned(), |minor| format!("{} {currency}", MajorUnits::new(minor, *exponent)))
}

fn show_one(held: &HeldReport, problems: &HeldProblems, out: &mut dyn Write) -> anyhow::Result<()> {
    let HeldReport { report, held: item, .. } = held;
    writeln!(out, "{}  {}  report {}", report.state.word(), show::text(&report.name), report.report.short())?;
    writeln!(out, "  held since {:.0}", item.at)?;
    for settlement in &item.settlements {
        let HeldSettlement { merchant_number, settlement_id, payout_on, lines, exponent, .. } = settlement;
        let before = settlement.payout_before_minor.map_or_else(String::new, |minor| {
            format!(", {} in the version in force", MajorUnits::new(minor, *exponent))
        });
        writeln!(
            out,
            "  settlement {merchant_number}/{settlement_id}, paid out {payout_on}: {lines} lines, {}{before}",
            payout(settlement)
        )?;
    }
    let more = item.settlement_count.saturating_sub(item.settlements.len() as u64);
    if more > 0 {
        writeln!(out, "  and {more} more settlements")?;
    }
    let mut all = Problems::default();
    problems.problems.iter().cloned().for_each(|problem| all.push(problem));
    show::problems(out, "  ", &all)?;
    writeln!(out, "What to do")?;
    next_steps(held).iter().try_for_each(|step| writeln!(out, "  {step}"))?;
    Ok(())
}

/// What a person can do with a held report, with what to type.
pub(crate) fn next_steps(held: &HeldReport) -> Vec<String> {
    let HeldReport { report, kind, .. } = held;
    let id = report.report.short();
    let decide = |word: &str| format!("avstem held {word} {id} --by YOU --why WHY");
    let dismiss = format!("Nothing needs to be done with it: {}", decide("dismiss"));
    match kind {
        Some(Kind::SettlementConflict) => vec![
            format!("The new report is right: {}", decide("release")),
            format!("What is in force is right: {}", decide("dismiss")),
        ],
        Some(Kind::MerchantUnknown) => vec![
            format!(
                "The number is this account's: register it with `avstem account add-merchant {} NUMBER`, and run the file again",
                report.provider
            ),
            dismiss,
        ],
        Some(Kind::TenantMismatch | Kind::WrongProvider) => {
            vec!["Put the file where it belongs, and run it there".to_owned(), dismiss]
        }
        _ => vec!["Get the report from the provider once more, and run the new file".to_owned(), dismiss],
    }
}

fn json_of(held: &HeldReport, problems: Option<&HeldProblems>) -> Value {
    let HeldReport { report, kind, held: item } = held;
    let mut object = json!({
        "report_id": report.report,
        "file": report.name,
        "provider": report.provider,
        "format": report.format,
        "state": report.state.word(),
        "kind": kind.unwrap_or(Kind::Crashed),
        "held_at": item.at,
        "settlement_count": item.settlement_count,
        "settlements": item.settlements.iter().map(|settlement| json!({
            "merchant_number": settlement.merchant_number,
            "settlement_id": settlement.settlement_id,
            "currency": settlement.currency,
            "payout_on": settlement.payout_on,
            "lines": settlement.lines,
            "payout_minor": settlement.payout_minor,
            "payout_before_minor": settlement.payout_before_minor,
        })).collect::<Vec<_>>(),
        "next_steps": next_steps(held),
    });
    if let (Some(problems), Some(fields)) = (problems, object.as_object_mut()) {
        fields.insert("problems".to_owned(), json!(problems.problems));
    }
    object
}

async fn release(decision: &DecisionArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let home = &decision.home;
    let Opened { app, account } = home.open_with_dintero().await?;
    // One that was dismissed, or whose release was marked and not yet read, is named too.
    let report = match held::named(&app.ports, &account, &decision.report).await {
        Ok(found) => found.report.report,
        Err(error) => {
            let named = explain::run(&app.ports, &account, &decision.report, &app.scratch).await?.reports;
            let marked =
                |report: &&ReportItem| matches!(report.state, ReportState::Dismissed { .. } | ReportState::Released);
            named.iter().find(marked).map(|report| report.report).ok_or(error)?
        }
    };
    let (decision, now) = (decision.decision(), Timestamp::now());
    let item = release::run(&app.ports, &ReleaseReport { account, report, release: decision, now }).await?;
    let landing = item.object_key.strip_prefix("landing/").unwrap_or_default().parse()?;
    let command = reading(&app, landing, item.object_version);
    let processed = process::process_upload(&app.ports, app.dintero.as_deref(), &command).await?;
    let taken = Taken::of(item.name.into(), processed);
    for taken in taken.with_made() {
        taken.report(out, &home.home)?;
    }
    let all_accepted = taken.with_made().all(|taken| taken.outcome.verdict == Verdict::Accepted);
    Ok(if all_accepted { Ended::Well } else { Ended::Held })
}
