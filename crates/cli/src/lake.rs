//! `avstem lake` and `avstem months`: the tables that BI tools read, and what they say by month.

use std::io::Write;
use std::path::Path;

use ::matching::GroupBridge;
use adapters::app::{App, Home};
use jiff::{SignedDuration, Timestamp};
use pipeline::StepError;
use pipeline::lake::{self, BuildLake, Built};
use serde_json::{Value, json};
use settlement::{AccountId, MajorUnits, Terms, exponent};

use crate::home::Opened;
use crate::{Ended, HomeArguments, show, summary};

/// Nobody else builds the lake for this long.
const LEASE: SignedDuration = SignedDuration::from_mins(15);

#[derive(clap::Subcommand)]
pub(crate) enum LakeCommand {
    /// Build the days that have changed
    Build(BuildArguments),
    /// Build every day anew; what has not changed is left as it is
    Rebuild(BuildArguments),
}

#[derive(clap::Args)]
pub(crate) struct BuildArguments {
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

#[derive(clap::Args)]
pub(crate) struct MonthsArguments {
    /// One JSON object per month, for scripts
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

pub(crate) async fn run(command: &LakeCommand, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let (BuildArguments { json: as_json, home }, all) = match command {
        LakeCommand::Build(arguments) => (arguments, false),
        LakeCommand::Rebuild(arguments) => (arguments, true),
    };
    let Opened { app, account } = home.open().await?;
    anyhow::ensure!(
        summary::has_settlements(&app, &account).await?,
        "Found no accepted settlement of account {account}, so that there is nothing to build"
    );
    let built = lake::run(&app.ports, &command_of(&app, &account, Timestamp::now(), all)).await?;
    if *as_json {
        let Built { days, objects, no_bridge, is_unfinished } = &built;
        let no_bridge = no_bridge.as_ref().map(ToString::to_string);
        let object =
            json!({ "days": days, "objects_changed": objects, "no_bridge": no_bridge, "is_unfinished": is_unfinished });
        writeln!(out, "{object}")?;
        return Ok(ended(&built));
    }
    show_built(out, &home.home, &account, &built)
}

/// Builds the days that other steps have changed; does nothing while another worker builds them.
pub(crate) async fn build(
    app: &App,
    home: &Home,
    account: &AccountId,
    now: Timestamp,
    out: &mut dyn Write,
) -> anyhow::Result<Ended> {
    match lake::run(&app.ports, &command_of(app, account, now, false)).await {
        Ok(built) => show_built(out, home, account, &built),
        Err(error @ StepError::Busy { .. }) => {
            writeln!(out, "  {error}")?;
            Ok(Ended::Well)
        }
        Err(error) => Err(error.into()),
    }
}

fn command_of(app: &App, account: &AccountId, now: Timestamp, all: bool) -> BuildLake {
    BuildLake { account: account.clone(), now, lease: LEASE, scratch: app.scratch.clone(), all }
}

fn show_built(out: &mut dyn Write, home: &Home, account: &AccountId, built: &Built) -> anyhow::Result<Ended> {
    let lake = home.place(format_args!("lake/v1/{account}"));
    let Built { days, objects, no_bridge, is_unfinished } = built;
    writeln!(out, "  lake: {} days of payouts built, {objects} files changed, in {lake}", days.len())?;
    if let Some(error) = no_bridge {
        writeln!(out, "  no bridge of the months, the one before stays: {error}")?;
    }
    if *is_unfinished {
        writeln!(out, "  days changed while they were built: run `avstem lake build` once more")?;
    }
    if Path::new(&lake).join("settlement_line").exists() {
        writeln!(
            out,
            "  try in DuckDB: SELECT payout_month, currency, count(*) AS lines, sum(net) AS net FROM '{}' WHERE is_current \
             GROUP BY ALL ORDER BY ALL;",
            Path::new(&lake).join("settlement_line/*/*.parquet").display()
        )?;
    }
    Ok(ended(built))
}

fn ended(built: &Built) -> Ended {
    if built.no_bridge.is_some() || built.is_unfinished { Ended::Failed } else { Ended::Well }
}

pub(crate) async fn months(arguments: &MonthsArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = arguments.home.open_to_read().await?;
    let groups = lake::month_figures(&app.ports, &account).await?;
    anyhow::ensure!(
        !groups.is_empty(),
        "No month of account {account} is built, so that there is nothing to show. Run `avstem lake build` first"
    );
    let rows = groups.iter().flat_map(|group| group.months.iter().map(move |row| (&group.group, row)));
    if arguments.json {
        for (group, row) in rows {
            let answer = json!({
                "month": row.month.to_string(), "provider": group.provider, "payment_product": group.payment_product,
                "currency": group.currency, "opening_minor": row.opening_minor, "happened": terms(&row.happened),
                "paid": terms(&row.paid), "carried_minor": row.carried_minor, "paid_out_minor": row.paid_out_minor,
                "closing_minor": row.closing_minor, "invoiced_fee_minor": row.invoiced_fee_minor,
                "invoiced_fee_vat_minor": row.invoiced_fee_vat_minor,
            });
            writeln!(out, "{answer}")?;
        }
        return Ok(Ended::Well);
    }
    show_months(&groups, out)
}

/// Shows the months of every group as a table.
pub(crate) fn show_months(groups: &[GroupBridge], out: &mut dyn Write) -> anyhow::Result<Ended> {
    let rows = groups.iter().flat_map(|group| group.months.iter().map(move |row| (&group.group, row)));
    let header = [
        "month", "provider", "product", "", "opening", "captures", "refunds", "fees", "fee VAT", "other", "paid out",
        "closing", "invoiced",
    ];
    let rows: Vec<[String; 13]> = rows
        .map(|(group, row)| {
            let show = |minor: i64| MajorUnits::new(minor, exponent(&group.provider, group.currency)).to_string();
            let happened = &row.happened;
            let other = happened.chargeback_minor + happened.reserve_minor + happened.adjustment_minor;
            [
                row.month.to_string(),
                group.provider.clone(),
                group.payment_product.clone().unwrap_or_else(|| "-".to_owned()),
                group.currency.to_string(),
                show(row.opening_minor),
                show(happened.capture_minor),
                show(happened.refund_minor),
                show(happened.fee_minor),
                show(happened.fee_vat_minor),
                show(other),
                show(row.paid_out_minor),
                show(row.closing_minor),
                show(row.invoiced_fee_minor + row.invoiced_fee_vat_minor),
            ]
        })
        .collect();
    writeln!(out, "In transit when the month began, what happened in it, and what was paid out in it")?;
    show::table(out, "  ", &header, |column| column < 4, &rows)?;
    Ok(Ended::Well)
}

/// Terms under their column names.
fn terms(terms: &Terms) -> Value {
    terms.named().iter().map(|(name, minor)| (format!("{name}_minor"), json!(minor))).collect()
}
