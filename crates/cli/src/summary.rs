//! `avstem summary`: the months of an account as documents, in revisions.

use std::io::Write;

use adapters::app::{App, Home};
use documents::{FiguresOf, MonthSummary};
use jiff::{SignedDuration, Timestamp};
use pipeline::months::{self, Summarise, Summarised};
use serde_json::json;
use settlement::{AccountId, MajorUnits, Month};
use store::{Pager, Query};

use crate::home::Opened;
use crate::{Ended, HomeArguments, show};

/// Nobody else builds the lake for this long, which is brought up to date first.
const LEASE: SignedDuration = SignedDuration::from_mins(15);

#[derive(clap::Args)]
pub(crate) struct SummaryArguments {
    /// The month, as in 2026-10; every month that is over and has changed where none is said
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// One JSON object per month, for scripts
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

pub(crate) async fn run(arguments: &SummaryArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let home = &arguments.home.home;
    let Opened { app, account } = arguments.home.open().await?;
    anyhow::ensure!(
        has_settlements(&app, &account).await?,
        "Found no accepted settlement of account {account}, so that there is nothing to summarise"
    );
    let made = make(&app, &account, arguments.month, Timestamp::now()).await?;
    if arguments.json {
        for Summarised { summary, files, is_new } in &made {
            let files: Vec<String> = files.iter().map(|key| home.place(key)).collect();
            writeln!(out, "{}", json!({ "is_new": is_new, "files": files, "summary": summary }))?;
        }
        return Ok(Ended::Well);
    }
    if made.is_empty() {
        writeln!(out, "Every month that is over is summarised as it stands; `--month` shows one of them")?;
    }
    made.iter().try_for_each(|made| show_month(home, made, out))?;
    Ok(Ended::Well)
}

/// Whether any settlement of the account was ever accepted.
pub(crate) async fn has_settlements(app: &App, account: &AccountId) -> anyhow::Result<bool> {
    let query = Query { limit: 1, ..Query::settlements(account) };
    Ok(Pager::new(&*app.ports.state, query).next().await?.is_some())
}

/// Makes the summary of a month, or of all that are due.
pub(crate) async fn make(
    app: &App,
    account: &AccountId,
    month: Option<Month>,
    now: Timestamp,
) -> anyhow::Result<Vec<Summarised>> {
    let command = Summarise { account: account.clone(), month, now, lease: LEASE, scratch: app.scratch.clone() };
    Ok(months::run(&app.ports, &command).await?)
}

/// What a person reads of one month, and where its files lie.
pub(crate) fn show_month(home: &Home, made: &Summarised, out: &mut dyn Write) -> anyhow::Result<()> {
    let Summarised { summary, files, is_new } = made;
    let revision = match (summary.revision, is_new) {
        (0, _) => "so far: the month is not over, and nothing is written".to_owned(),
        (revision, true) => format!("revision {revision}"),
        (revision, false) => format!("revision {revision}, as it stands"),
    };
    writeln!(out, "{} {revision}", summary.month)?;
    figures(summary, out)?;
    transit(summary, out)?;
    for apart in &summary.content.apart {
        let amount = match (apart.amount_minor, apart.currency) {
            (Some(minor), Some(currency)) => format!(" {} {currency}", MajorUnits::new(minor, apart.exponent)),
            _ => String::new(),
        };
        let count = apart.count.map(|count| format!(" {count}")).unwrap_or_default();
        let (kind, provider, state) = (apart.kind.as_str(), &apart.provider, &apart.state);
        let words = [kind, provider, &show::text(&apart.reference), state].join(" ");
        writeln!(out, "  apart: {}{count}{amount}", words.split_whitespace().collect::<Vec<_>>().join(" "))?;
    }
    for difference in &summary.differences {
        let shown = |minor: Option<i64>| {
            minor.map_or("-".to_owned(), |minor| MajorUnits::new(minor, difference.exponent).to_string())
        };
        let (of, term) = (difference.of.as_str(), &difference.term);
        let (before, after) = (shown(difference.before_minor), shown(difference.after_minor));
        let subject = show::text(&difference.subject);
        writeln!(out, "  changed: {of} {} {subject} {term}: {before} -> {after}", difference.provider)?;
    }
    for key in files {
        writeln!(out, "  {} {}", if *is_new { "wrote" } else { "lies in" }, home.place(key))?;
    }
    Ok(())
}

fn figures(summary: &MonthSummary, out: &mut dyn Write) -> anyhow::Result<()> {
    let header = ["provider", "product", "", "lines", "captures", "refunds", "fees", "fee VAT", "other", "paid out"];
    let rows: Vec<[String; 10]> = summary
        .content
        .figures
        .iter()
        .map(|row| {
            let show = |minor: i64| MajorUnits::new(minor, row.exponent).to_string();
            let rest = [row.sums.chargeback_minor, row.sums.reserve_minor, row.sums.adjustment_minor];
            let other = rest.iter().sum::<i64>() + row.invoiced_minor + row.carried_minor;
            let product = match row.of {
                FiguresOf::Product => row.payment_product.clone().unwrap_or_default(),
                other => other.as_str().replace('_', " "),
            };
            [
                row.provider.clone(),
                product,
                row.currency.to_string(),
                row.lines.to_string(),
                show(row.sums.capture_minor),
                show(row.sums.refund_minor),
                show(row.sums.fee_minor),
                show(row.sums.fee_vat_minor),
                show(other),
                show(row.paid_out_minor),
            ]
        })
        .collect();
    Ok(show::table(out, "  ", &header, |column| column < 3, &rows)?)
}

fn transit(summary: &MonthSummary, out: &mut dyn Write) -> anyhow::Result<()> {
    for row in &summary.content.bridge {
        let show = |minor: i64| MajorUnits::new(minor, row.exponent).to_string();
        let product = row.payment_product.as_deref().unwrap_or("no product");
        let (opening, closing) = (show(row.opening_minor), show(row.closing_minor));
        writeln!(out, "  in transit: {} {product} {opening} -> {closing} {}", row.provider, row.currency)?;
    }
    Ok(())
}
