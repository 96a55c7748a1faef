//! Commands about lines and transactions: which belong together, and what is missed.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use ::matching::{AllowedWaits, Wait};
use adapters::app::App;
use anyhow::Context;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use pipeline::matching::match_account::{self, MatchAccount};
use pipeline::matching::matched_lines;
use pipeline::matching::unsettled::{self, ListUnsettled, LookedAt, Missed};
use pipeline::transactions::mirror;
use pipeline::transactions::sync::{self, SyncTransactions};
use serde_json::json;
use settlement::{AccountId, MajorUnits, exponent};
use store::SyncItem;

use crate::home::{Opened, zone_of};
use crate::post::reachable;
use crate::{Ended, HomeArguments, show};

#[derive(clap::Args)]
pub(crate) struct SyncArguments {
    /// First day that must be known, as in 2026-01-01; what is known already stays
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// One JSON object per reading and line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

#[derive(clap::Args)]
pub(crate) struct MatchArguments {
    /// Every line as an object of JSON
    #[arg(long)]
    json: bool,
    /// Show the lines that are matched as well
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    home: HomeArguments,
}

#[derive(clap::Args)]
pub(crate) struct UnsettledArguments {
    /// Days that a payout may take
    #[arg(long, value_name = "N")]
    days: Option<u16>,
    /// Another number of days for one payment product or kind of it, as in payex.swish=3
    #[arg(long, value_name = "PRODUCT=N", value_parser = product_days)]
    product: Vec<(String, u16)>,
    /// The day to look from; today where nothing is said
    #[arg(long, value_name = "DAY")]
    today: Option<Date>,
    /// Each as an object of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

fn product_days(text: &str) -> Result<(String, u16), String> {
    let parts = text.split_once('=').and_then(|(product, days)| Some((product.to_owned(), days.parse().ok()?)));
    parts.ok_or_else(|| format!("found {text:?}, expected a product and a number of days, as in payex.swish=3"))
}

/// Brings the mirror of transactions up to date, waiting where Dintero asks for it.
pub(crate) async fn sync(arguments: &SyncArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = arguments.home.open_with_dintero().await?;
    let dintero = reachable(&app)?;
    let account = &account;
    let zone = zone_of(&app, account).await?;
    let from = arguments.from.map(|day| day.to_zoned(zone)).transpose()?.map(|day| day.timestamp());
    loop {
        let (now, deadline) = (Timestamp::now(), Timestamp::MAX);
        let (account, scratch) = (account.clone(), app.scratch.clone());
        let command = SyncTransactions { account, from, now, deadline, scratch };
        let synced = sync::run(&app.ports, &dintero, &command).await?;
        if let Some(reaches) = &synced.reaches {
            let (from, until) = (reaches.from, reaches.until);
            let days = synced.days_changed;
            if arguments.json {
                writeln!(out, "{}", json!({ "from": from, "until": until, "days_changed": days }))?;
            } else {
                writeln!(
                    out,
                    "Transactions from {from:.0} until {until:.0} are known; days of them that changed: {days}"
                )?;
            }
        }
        let Some(until) = synced.go_on_at else { return Ok(Ended::Well) };
        if !arguments.json {
            writeln!(out, "Dintero asks to wait until {until:.0}")?;
        }
        let wait = until.duration_since(Timestamp::now()).max(SignedDuration::from_secs(1));
        tokio::time::sleep(wait.unsigned_abs()).await;
    }
}

/// Matches all lines of an account with the transactions that are known.
pub(crate) async fn match_lines(arguments: &MatchArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = arguments.home.open().await?;
    let account = &account;
    let span = span(&app, account).await?;
    let is_any_known = span.is_some() || mirror::is_begun(&app.ports, account).await?;
    anyhow::ensure!(is_any_known, "{}", nothing_known(account));
    let command = MatchAccount { account: account.clone(), now: Timestamp::now(), scratch: app.scratch.clone() };
    let items = match_account::run(&app.ports, &command).await?;
    anyhow::ensure!(
        !items.is_empty(),
        "Found no accepted report of account {account}, so that there is no line to match"
    );
    if arguments.json {
        matched_lines::read(&app.ports, account, &app.scratch, |item, line, row| -> anyhow::Result<()> {
            let object = json!({
                "report": item.report.to_string(),
                "merchant_number": row.merchant_number,
                "settlement_id": row.settlement_id,
                "currency": row.currency.to_string(),
                "line_no": row.line_no,
                "state": row.state,
                "reason": row.reason,
                "transaction_id": row.transaction_id,
                "transaction_event": row.transaction_event,
                "payment_product": row.payment_product,
                "payment_product_type": row.payment_product_type,
                "merchant_reference": row.merchant_reference,
                "merchant_reference_2": row.merchant_reference_2,
                "payout_on": row.payout_on.to_string(),
                "order_reference": line.and_then(|line| line.order_reference.as_deref()),
                "net_minor": line.and_then(|line| line.terms.net_minor()),
            });
            Ok(writeln!(out, "{object}")?)
        })
        .await?;
    } else {
        lines(&app, account, arguments.all, out).await?;
        match span {
            Some(SyncItem { from, until }) => {
                writeln!(out, "  held against the transactions from {from:.0} until {until:.0}")?;
            }
            None => writeln!(out, "  held against the transactions around each report; `avstem sync` gets them all")?,
        }
    }
    Ok(if items.iter().all(store::MatchItem::is_complete) { Ended::Well } else { Ended::Held })
}

/// The span of time whose transactions are all known; `None` when they were never synchronised.
async fn span(app: &App, account: &AccountId) -> anyhow::Result<Option<SyncItem>> {
    let known = store::Place::sync(account).read::<SyncItem>(&*app.ports.state).await?;
    Ok(known.map(|(item, _)| item))
}

fn nothing_known(account: &AccountId) -> String {
    format!("No transactions of account {account} are known, so that nothing was looked at. Run `avstem sync` first")
}

/// The lines with their states and reasons, those that are matched only when `all` is asked for; then how many have which.
pub(crate) async fn lines(app: &App, account: &AccountId, all: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut states = BTreeMap::<String, u64>::new();
    let mut rows: Vec<[String; 7]> = Vec::new();
    matched_lines::read(&app.ports, account, &app.scratch, |item, line, row| -> anyhow::Result<()> {
        if all || !matches!(row.state.as_str(), "matched" | "not_a_transaction") {
            let provider = item.settlements.first().map_or("", |key| key.provider.as_str());
            let amount = line.and_then(|line| line.terms.net_minor()).map_or_else(String::new, |minor| {
                format!("{} {}", MajorUnits::new(minor, exponent(provider, row.currency)), row.currency)
            });
            let order = line.and_then(|line| line.order_reference.as_deref()).unwrap_or("-");
            rows.push([
                row.payout_on.to_string(),
                provider.to_owned(),
                row.settlement_id,
                if row.line_no > 0 { row.line_no.to_string() } else { "notice".to_owned() },
                show::text(order),
                amount,
                show::text(&row.reason),
            ]);
            // A table is as wide as its widest row; a long one is shown in parts.
            if rows.len() >= ROWS_TOGETHER_MAX {
                table(&mut rows, out)?;
            }
        }
        *states.entry(row.state).or_default() += 1;
        Ok(())
    })
    .await?;
    table(&mut rows, out)?;
    let states: Vec<String> = states.iter().map(|(state, lines)| format!("{lines} {state}")).collect();
    writeln!(out, "  lines: {}", states.join(", "))?;
    Ok(())
}

/// Rows of a table that are laid out together.
const ROWS_TOGETHER_MAX: usize = 1_000;

fn table(rows: &mut Vec<[String; 7]>, out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let header = ["paid out", "provider", "settlement", "row", "order", "amount", "reason"];
    show::table(out, "  ", &header, |column| !matches!(column, 3 | 5), rows)?;
    rows.clear();
    Ok(())
}

/// Lists what was captured or refunded and no settlement has brought, and the providers that owe a report.
pub(crate) async fn unsettled(arguments: &UnsettledArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = arguments.home.open_to_read().await?;
    let span = span(&app, &account).await?.with_context(|| nothing_known(&account))?;
    let mut waits = AllowedWaits::default();
    if let Some(days) = arguments.days {
        waits.set_others(Wait::Days(days));
    }
    arguments.product.iter().for_each(|(product, days)| waits.set(product, Wait::Days(*days)));
    let today = match arguments.today {
        Some(day) => day,
        None => zone_of(&app, &account).await?.to_datetime(Timestamp::now()).date(),
    };
    let missed = list_missed(&app, &account, today, waits, &app.scratch).await?;
    if arguments.json {
        show_json(&missed, out)?;
    } else {
        show_missed(&missed, out)?;
    }
    let reached_on = span.until.to_zoned(zone_of(&app, &account).await?).date();
    anyhow::ensure!(
        reached_on >= today.yesterday().unwrap_or(today),
        "Transactions are known until {:.0} only, so that nothing after it was looked at. Run `avstem sync` first",
        span.until
    );
    Ok(if missed.unsettled.is_empty() && missed.reports.is_empty() { Ended::Well } else { Ended::Held })
}

pub(crate) async fn list_missed(
    app: &App,
    account: &AccountId,
    today: Date,
    waits: AllowedWaits,
    scratch: &Path,
) -> anyhow::Result<Missed> {
    let command = ListUnsettled { account: account.clone(), today, waits, scratch: scratch.to_owned() };
    Ok(unsettled::run(&app.ports, &command).await?)
}

/// Lists what is missed, then says what was looked at.
pub(crate) fn show_missed(missed: &Missed, out: &mut dyn Write) -> io::Result<()> {
    if missed.unsettled.is_empty() && missed.reports.is_empty() {
        writeln!(out, "  nothing is missing")?;
    }
    missed.unsettled.iter().try_for_each(|one| writeln!(out, "  {}", one.explained()))?;
    missed.reports.iter().try_for_each(|report| writeln!(out, "  report missing, {}", report.explained()))?;
    let LookedAt { span, transactions, settlements } = &missed.looked_at;
    let Some(SyncItem { from, until }) = span else {
        return writeln!(out, "  no transactions are known: nothing was looked at");
    };
    writeln!(out, "  looked at: {transactions} transactions from {from:.0} until {until:.0}, {settlements} settlements")
}

fn show_json(missed: &Missed, out: &mut dyn Write) -> io::Result<()> {
    for one in &missed.unsettled {
        let object = json!({
            "transaction_id": one.transaction_id,
            "provider": one.provider,
            "payment_product": one.payment_product,
            "payment_product_type": one.payment_product_type,
            "status": one.status,
            "kind": one.kind,
            "event": one.event,
            "amount_minor": one.amount_minor,
            "currency": one.currency.to_string(),
            "why": one.explained(),
        });
        writeln!(out, "{object}")?;
    }
    for report in &missed.reports {
        let object = json!({
            "report_missing_of": report.provider,
            "last_payout_on": report.last_payout_on.map(|day| day.to_string()),
            "captured_since": report.captured_since.to_string(),
            "due_on": report.due_on.to_string(),
            "captures": report.captures,
            "why": report.explained(),
        });
        writeln!(out, "{object}")?;
    }
    Ok(())
}
