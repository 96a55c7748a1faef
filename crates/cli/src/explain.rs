//! `avstem explain`: everything that happened to what a word names.

use std::io::Write;

use adapters::app::App;
use pipeline::current::notice;
use pipeline::operate::explain::{self, ExplainedLine, Explanation};
use serde_json::json;
use settlement::{MajorUnits, Proof, Transaction, exponent};
use store::ReportState;

use crate::home::Opened;
use crate::{Ended, HomeArguments, show};

#[derive(clap::Args)]
pub(crate) struct ExplainArguments {
    /// Settlement id, `merchant/settlement`, beginning of a report id, file name, order or transaction
    word: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

pub(crate) async fn run(arguments: &ExplainArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let ExplainArguments { word, json, home } = arguments;
    let Opened { app, account } = home.open_to_read().await?;
    let found = explain::run(&app.ports, &account, word, &app.scratch).await?;
    anyhow::ensure!(
        !found.is_empty(),
        "Found nothing of {word:?} in account {account}, expected a settlement id, the beginning of a report id (four digits or \
         more), a whole file name, an order reference or a transaction id"
    );
    if *json {
        writeln!(out, "{}", json_of(&found))?;
    } else {
        show_found(&app, &found, out).await?;
    }
    Ok(Ended::Well)
}

async fn show_found(app: &App, found: &Explanation, out: &mut dyn Write) -> anyhow::Result<()> {
    found.lines.iter().try_for_each(|line| show_line(line, out))?;
    found.transactions.iter().try_for_each(|transaction| show_transaction(transaction, out))?;
    for (key, settlement) in &found.settlements {
        writeln!(out, "settlement {key}")?;
        for version in &settlement.versions {
            writeln!(out, "  version {} from report {} ({})", version.version, version.report.short(), version.format)?;
            show::settlements(out, "    ", std::slice::from_ref(&version.settlement))?;
        }
        if let Some(version) = settlement.versions.last().filter(|version| version.settlement.proof != Proof::Exact) {
            let check = notice::check(&app.ports, key, version, &app.scratch).await?;
            show::notice_check(out, "  ", key, &check)?;
        }
    }
    for report in &found.reports {
        writeln!(out, "report {}  {}  {}", report.report, show::text(&report.name), report.state.word())?;
        if let Some(problem) = &report.first_problem {
            writeln!(out, "  {problem}")?;
        }
        match &report.state {
            ReportState::Dismissed { by, why, .. } => {
                writeln!(out, "  dismissed by {}: {}", show::text(by), show::text(why))?;
            }
            state if state.held_kind().is_some() => {
                writeln!(out, "  it waits: avstem held show {}", report.report.short())?;
            }
            _ => {}
        }
    }
    if !found.journal.is_empty() {
        writeln!(out, "journal")?;
    }
    for entry in &found.journal {
        writeln!(out, "  {:.0}  {}", entry.at, entry.what)?;
    }
    Ok(())
}

fn show_line(found: &ExplainedLine, out: &mut dyn Write) -> anyhow::Result<()> {
    let ExplainedLine { settlement: key, line, matched } = found;
    let net = MajorUnits::new(line.terms.net_minor().unwrap_or(0), exponent(&key.provider, key.currency));
    let (merchant, settlement, number) = (&key.merchant_number, &key.settlement_id, line.line_no);
    let order = line.order_reference.as_deref().map_or_else(|| "no order".to_owned(), show::text);
    writeln!(
        out,
        "line {number} of settlement {merchant}/{settlement} ({order}): {} with net {net} {}",
        line.kind.as_str(),
        key.currency
    )?;
    match matched {
        Some(row) => writeln!(out, "  {}: {}", row.state, show::text(&row.reason))?,
        None => writeln!(out, "  it was not matched yet")?,
    }
    Ok(())
}

fn show_transaction(transaction: &Transaction, out: &mut dyn Write) -> anyhow::Result<()> {
    let Transaction { id, merchant_reference, status, payment_product_type, currency, .. } = transaction;
    let amount = MajorUnits::new(transaction.amount_minor, exponent("dintero", *currency));
    let order = show::text(merchant_reference);
    writeln!(out, "transaction {id} (order {order}): {payment_product_type}, {amount} {currency}")?;
    writeln!(out, "  {}", status.explained())?;
    Ok(())
}

fn json_of(found: &Explanation) -> serde_json::Value {
    json!({
        "settlements": found.settlements.iter().map(|(key, item)| json!({
            "settlement": key.to_string(),
            "versions": item.versions.iter().map(|version| json!({
                "version": version.version,
                "report_id": version.report,
                "format": version.format,
                "payout_on": version.settlement.head.payout_on,
                "payout_minor": version.settlement.payout_minor,
                "lines": version.settlement.lines,
                "proof": version.settlement.proof,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "reports": found.reports.iter().map(|report| json!({
            "report_id": report.report,
            "file": report.name,
            "state": report.state.word(),
            "first_problem": report.first_problem,
        })).collect::<Vec<_>>(),
        "lines": found.lines.iter().map(|found| json!({
            "settlement": found.settlement.to_string(),
            "line_no": found.line.line_no,
            "kind": found.line.kind.as_str(),
            "order_reference": found.line.order_reference,
            "net_minor": found.line.terms.net_minor(),
            "currency": found.settlement.currency,
            "match_state": found.matched.as_ref().map(|row| &row.state),
            "match_reason": found.matched.as_ref().map(|row| &row.reason),
            "transaction_id": found.matched.as_ref().and_then(|row| row.transaction_id.as_ref()),
        })).collect::<Vec<_>>(),
        "transactions": found.transactions.iter().map(|transaction| json!({
            "transaction_id": transaction.id,
            "merchant_reference": transaction.merchant_reference,
            "status": transaction.status,
            "amount_minor": transaction.amount_minor,
            "currency": transaction.currency,
        })).collect::<Vec<_>>(),
        "journal": found.journal.iter().map(|entry| json!({ "at": entry.at, "what": entry.what })).collect::<Vec<_>>(),
    })
}
