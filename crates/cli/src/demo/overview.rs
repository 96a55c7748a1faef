//! What the demo shows of all its reports, in two screens.

use std::io::Write;

use ::matching::{Overdue, Unsettled};
use adapters::app::App;
use pipeline::current::held;
use pipeline::matching::matched_lines;
use pipeline::matching::unsettled::Missed;
use pipeline::posting::post::Posted;
use settlement::{AccountId, MajorUnits, Proof, Settlement, TransactionEventKind, exponent};

use crate::home::zone_of;
use crate::run::Taken;
use crate::{held as held_reports, show};

/// Every report with its verdict, and the settlements that are proved.
pub(super) fn reports(all: &[Taken], confirmed: Option<Settlement>, out: &mut dyn Write) -> anyhow::Result<()> {
    for taken in all {
        let judgement = &taken.outcome.judgement;
        let format = judgement.format.map_or("", |format| format.id);
        let name = taken.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let report = taken.outcome.report.map(|report| report.short()).unwrap_or_default();
        writeln!(out, "  {}  {name:<27} {format:<25} report {report}", show::verdict(taken.outcome.verdict))?;
    }
    let exact = all.iter().flat_map(Taken::new_settlements).filter(|settlement| settlement.proof == Proof::Exact);
    let settlements: Vec<Settlement> = exact.cloned().chain(confirmed).collect();
    writeln!(out, "\nProved settlements")?;
    Ok(show::settlements(out, "  ", &settlements)?)
}

/// The reports that wait for a person.
pub(super) async fn held(app: &App, account: &AccountId, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "\nHeld reports")?;
    held_reports::table(&held::all(&app.ports, account).await?, &zone_of(app, account).await?, "  ", out)
}

/// What Dintero was told of each settlement, and what it was not.
pub(super) fn posting(posted: &Posted, out: &mut dyn Write) -> anyhow::Result<()> {
    let count = posted.count("POSTED");
    writeln!(out, "\nTold to Dintero, a stand-in of its API in this process: {count} settlement events")?;
    let rows: Vec<[String; 5]> = posted
        .outboxes
        .iter()
        .map(|outbox| {
            let key = &outbox.settlement;
            let show = |minor| MajorUnits::new(minor, exponent(&key.provider, key.currency)).to_string();
            [
                key.settlement_id.to_string(),
                format!("{} {}", show(outbox.lines_minor), key.currency),
                show(outbox.events_minor),
                show(outbox.not_postable_minor),
                show(outbox.unmatched_minor),
            ]
        })
        .collect();
    let header = ["settlement", "lines", "= events", "+ not postable", "+ without a transaction"];
    Ok(show::table(out, "  ", &header, |column| column == 0, &rows)?)
}

/// Lines without a payment, and payments without a line.
pub(super) async fn open(app: &App, account: &AccountId, missed: &Missed, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "\nPaid out, and no payment known (`avstem match` says more)")?;
    matched_lines::read(&app.ports, account, &app.scratch, |item, line, row| -> anyhow::Result<()> {
        let Some(line) = line.filter(|_| row.state != "matched" && row.state != "not_a_transaction") else {
            return Ok(());
        };
        let provider = item.settlements.first().map_or("", |key| key.provider.as_str());
        let net = MajorUnits::new(line.terms.net_minor().unwrap_or(0), exponent(provider, line.currency)).to_string();
        // What follows a semicolon is advice.
        let reason = row.reason.split(';').next().unwrap_or_default();
        let (settlement, order) = (&row.settlement_id, line.order_reference.as_deref().unwrap_or("no order"));
        Ok(writeln!(out, "  {settlement:<11} row {:<3} {order:<10} {net:>8} {}  {reason}", row.line_no, line.currency)?)
    })
    .await?;
    writeln!(out, "\nPaid by buyers, and not paid out in time (`avstem unsettled`)")?;
    missed.unsettled.iter().try_for_each(|one| writeln!(out, "  {}", short(one)))?;
    Ok(())
}

fn short(one: &Unsettled) -> String {
    let Unsettled { transaction_id, provider, currency, .. } = one;
    let what = if one.kind == TransactionEventKind::Refund { "refund" } else { "capture" };
    let amount = MajorUnits::new(one.amount_minor.unwrap_or(0), exponent(provider, *currency));
    let late = match one.why {
        Overdue::Since { due_on, days, .. } => format!("due on {due_on}, {days} days ago"),
        Overdue::TimeUnknown => "at an unknown time".to_owned(),
    };
    format!("{provider:<11} {what} {:>8} {currency}  {late}  {transaction_id}", amount.to_string())
}
