//! `avstem waiting`: entries of ledgers that are in no settlement yet.

use std::io::Write;

use pipeline::current::ledgers::{self, KnownLedger};
use serde_json::json;
use settlement::{MajorUnits, WaitingEntries, WaitingReason};

use crate::home::Opened;
use crate::{Ended, HomeArguments, show, summary};

#[derive(clap::Args)]
pub(crate) struct WaitingArguments {
    /// One JSON object per ledger and line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

pub(crate) async fn run(arguments: &WaitingArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = arguments.home.open().await?;
    let all = ledgers::all(&app.ports, &account).await?;
    anyhow::ensure!(
        !all.is_empty() || summary::has_settlements(&app, &account).await?,
        "Found no report of account {account}, so that nothing was looked at"
    );
    if arguments.json {
        all.iter().try_for_each(|ledger| writeln!(out, "{}", ledger_json(ledger)))?;
        return Ok(Ended::Well);
    }
    let rows: Vec<[String; 7]> = all
        .iter()
        .flat_map(|ledger| ledger.item.waiting.iter().map(move |waiting| row(&ledger.provider, waiting)))
        .collect();
    if rows.is_empty() {
        writeln!(out, "No entry waits for its payout or for another report; ledgers looked at: {}", all.len())?;
    } else {
        let header = ["provider", "merchant", "from", "to", "entries", "sum", "waits for"];
        show::table(out, "", &header, |column| column != 4 && column != 5, &rows)?;
    }
    for ledger in &all {
        let more = ledger.item.waiting_count.saturating_sub(ledger.item.waiting.len() as u64);
        if more > 0 {
            writeln!(out, "… and {more} more of merchant {}", ledger.merchant_number)?;
        }
        if ledger.item.left_out > 0 {
            writeln!(
                out,
                "{} entries of merchant {} were left out, since too many wait: upload a report that has all of a payout",
                ledger.item.left_out, ledger.merchant_number
            )?;
        }
    }
    Ok(Ended::Well)
}

fn row(provider: &str, waiting: &WaitingEntries) -> [String; 7] {
    let WaitingEntries { merchant_number, currency, exponent, reason, entries, sum_minor, opening_minor, from, to } =
        waiting;
    let waits_for = match reason {
        WaitingReason::Payout => "their payout".to_owned(),
        WaitingReason::Beginning => {
            format!("a report from before {from}: the balance is {} then", MajorUnits::new(*opening_minor, *exponent))
        }
        WaitingReason::Fees => "the report of their fees".to_owned(),
        WaitingReason::UnknownType { .. } => "a newer version: a type of entry is not known".to_owned(),
    };
    [
        provider.to_owned(),
        merchant_number.to_string(),
        from.to_string(),
        to.to_string(),
        entries.to_string(),
        format!("{} {currency}", MajorUnits::new(*sum_minor, *exponent)),
        waits_for,
    ]
}

fn ledger_json(ledger: &KnownLedger) -> serde_json::Value {
    let KnownLedger { provider, merchant_number, currency, item } = ledger;
    json!({
        "provider": provider,
        "merchant_number": merchant_number,
        "currency": currency,
        "waiting": item.waiting,
        "waiting_count": item.waiting_count,
        "left_out": item.left_out,
    })
}
