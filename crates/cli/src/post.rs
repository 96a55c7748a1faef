//! Commands that speak with Dintero, or say whether anything may.

use std::io::Write;
use std::sync::Arc;

use adapters::app::{App, Home};
use anyhow::Context;
use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use pipeline::current::events::waiting_for;
use pipeline::current::notice;
use pipeline::posting::post::{self, PostAccount, Posted};
use pipeline::posting::{Decision, Resolve};
use pipeline::transactions::client::Dintero;
use settlement::SettlementStatus;

use crate::home::Opened;
use crate::{Ended, HomeArguments, show, summary};

/// A worker keeps a batch for itself this long.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_mins(5);

#[derive(clap::Args)]
pub(crate) struct PostArguments {
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

#[derive(Subcommand)]
pub(crate) enum PostingCommand {
    /// Stop all posting of all accounts
    Stop {
        /// Who stops it
        #[arg(long)]
        by: String,
        /// Directory of all data, or s3://BUCKETS?table=TABLE of a stack
        #[arg(long, value_name = "DIR", env = "AVSTEM_HOME")]
        home: Home,
    },
    /// Let posting go on
    Go {
        /// Who lets it go on
        #[arg(long)]
        by: String,
        /// Directory of all data, or s3://BUCKETS?table=TABLE of a stack
        #[arg(long, value_name = "DIR", env = "AVSTEM_HOME")]
        home: Home,
    },
}

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("decision").required(true).args(["posted", "again"])))]
pub(crate) struct ResolveArguments {
    /// Provider, as `avstem formats` names it
    provider: String,
    /// Merchant number and settlement id, as in 123456/2000461
    #[arg(value_name = "MERCHANT/SETTLEMENT")]
    settlement: String,
    /// Dintero's id of the transaction
    transaction: String,
    /// Currency of the settlement
    #[arg(long, default_value = "NOK")]
    currency: String,
    /// It stands at Dintero as it should
    #[arg(long)]
    posted: bool,
    /// It does not stand there; send it again
    #[arg(long)]
    again: bool,
    /// Who found it
    #[arg(long)]
    by: String,
    #[command(flatten)]
    home: HomeArguments,
}

#[derive(clap::Args)]
pub(crate) struct TransactionArguments {
    /// Dintero's id of the transaction
    id: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

/// Dintero's API, which a command cannot do without.
pub(crate) fn reachable(app: &App) -> anyhow::Result<Arc<Dintero>> {
    app.dintero.clone().context(
        "Dintero's API is not configured. Set AVSTEM_DINTERO_ACCOUNT, AVSTEM_DINTERO_CLIENT_ID and \
         AVSTEM_DINTERO_CLIENT_SECRET to those of an API client of the account",
    )
}

/// Plans what is not planned yet, then goes on with whatever has not ended.
pub(crate) async fn run(arguments: &PostArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = arguments.home.open_with_dintero().await?;
    let dintero = reachable(&app)?;
    anyhow::ensure!(
        summary::has_settlements(&app, &account).await?,
        "Found no accepted settlement of account {account}, so that there is nothing to post"
    );
    let scratch = app.scratch.clone();
    let command = PostAccount { account, now: Timestamp::now(), lease: LEASE, scratch };
    let posted = post::go_on(&app.ports, &dintero, &command).await?;
    let ended = ended(&posted);
    if arguments.json {
        writeln!(out, "{}", show::posted_json(&Ok(posted)))?;
        return Ok(ended);
    }
    show::posted(out, "", &posted)?;
    if posted.off.is_none() && posted.events.is_empty() {
        writeln!(out, "Nothing is left to post; {} settlements were looked at", posted.outboxes.len())?;
    }
    Ok(ended)
}

/// Held when something waits for a person or posting is off.
fn ended(posted: &Posted) -> Ended {
    let waits = posted.count("HUMAN") + posted.count("REFUSED") > 0;
    let unmatched = posted.outboxes.iter().any(|outbox| outbox.unmatched_lines > 0 || !outbox.changed.is_empty());
    if waits || unmatched || posted.off.is_some() { Ended::Held } else { Ended::Well }
}

pub(crate) async fn posting(command: &PostingCommand, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let (stopped_by, by, home) = match command {
        PostingCommand::Stop { by, home } => (Some(by.clone()), by, home),
        PostingCommand::Go { by, home } => (None, by, home),
    };
    let app = App::open(home).await?;
    let what = if stopped_by.is_some() {
        "Posting is stopped for all accounts"
    } else {
        "Posting is not stopped any more; each account posts as `avstem account set --post` says"
    };
    post::switch(&app.ports, stopped_by, by, Timestamp::now()).await?;
    writeln!(out, "{what}")?;
    Ok(Ended::Well)
}

pub(crate) async fn resolve(arguments: &ResolveArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let ResolveArguments { provider, settlement, transaction, currency, posted, by, home, .. } = arguments;
    let Opened { app, account } = home.open().await?;
    let key = notice::key_of(&account, provider, settlement, currency.parse()?).with_context(|| {
        format!("Found {settlement:?}, expected merchant number and settlement, as in 123456/2000461")
    })?;
    let decision = if *posted { Decision::Posted } else { Decision::Again };
    let (transaction, by) = (transaction.clone(), by.clone());
    let command = Resolve { settlement: key, transaction, decision, by, now: Timestamp::now() };
    let decided = pipeline::posting::resolve(&app.ports, &command).await?;
    writeln!(out, "{decided} settlement events of {} resolved", command.transaction)?;
    Ok(Ended::Well)
}

/// Shows what Dintero has of a transaction, in words.
pub(crate) async fn transaction(arguments: &TransactionArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let TransactionArguments { id, json, home } = arguments;
    let Opened { app, account } = home.open_with_dintero().await?;
    let dintero = reachable(&app)?;
    let client = dintero.account(&account)?;
    anyhow::ensure!(client.owns(id), "Transaction {id} is not of account {account}");
    let found = client.transactions_by_id(&[id]).await?;
    let transaction = found.first().with_context(|| format!("Dintero has no transaction {id}"))?;
    let pending = waiting_for(&app.ports, &account, id).await?;
    let status = transaction.derived_settlement_status(pending);
    if *json {
        let object = serde_json::json!({
            "transaction_id": transaction.id,
            "merchant_reference": transaction.merchant_reference,
            "merchant_reference_2": transaction.merchant_reference_2,
            "payment_product_type": transaction.payment_product_type,
            "amount_minor": transaction.amount_minor,
            "currency": transaction.currency,
            "status": transaction.status,
            "settlement_status": status,
            "settlement_status_at_dintero": transaction.settlement_status,
            "settlement_events": transaction.all_settlement_events().collect::<Vec<_>>(),
        });
        writeln!(out, "{object}")?;
        return Ok(Ended::Well);
    }
    let decimals = settlement::exponent("dintero", transaction.currency);
    let show = |minor| settlement::MajorUnits::new(minor, decimals);
    writeln!(out, "{id}  order {}", transaction.merchant_reference)?;
    writeln!(
        out,
        "  {} {} {}: {}",
        show::text(&transaction.payment_product_type),
        show(transaction.amount_minor),
        transaction.currency,
        transaction.status.explained()
    )?;
    writeln!(out, "  {status}: {}", status.explained())?;
    if let Some(theirs) = transaction.settlement_status.filter(|theirs| *theirs != status) {
        let pending = status == SettlementStatus::PendingSettlement;
        let why = if pending { "it is not told yet" } else { "their sums differ" };
        writeln!(out, "  Dintero itself says {theirs}: {why}")?;
    }
    for event in transaction.all_settlement_events() {
        writeln!(
            out,
            "  settlement {}: {} = capture {} - refund {} - fee {}",
            event.settlement_id,
            show(event.amount_minor),
            show(event.capture_minor),
            show(event.refund_minor),
            show(event.fee_minor)
        )?;
    }
    Ok(Ended::Well)
}
