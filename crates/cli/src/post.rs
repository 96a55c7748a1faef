//! Commands that speak with Dintero, or say whether anything may.

use std::io::Write;
use std::sync::Arc;

use adapters::app::App;
use anyhow::Context;
use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};
use pipeline::current::events::waiting_for;
use pipeline::current::notice;
use pipeline::posting::post::{self, PostAccount, Posted};
use pipeline::posting::{Decision, Resolve};
use pipeline::transactions::client::Dintero;
use settlement::SettlementStatus;

use crate::{Ended, HomeArguments, show};

/// A worker keeps a batch for itself this long.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_mins(5);

#[derive(clap::Args)]
pub(crate) struct PostArguments {
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
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Let posting go on
    Go {
        /// Who lets it go on
        #[arg(long)]
        by: String,
        #[command(flatten)]
        home: HomeArguments,
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
    let app = crate::home(&arguments.home).await?;
    let dintero = reachable(&app)?;
    let account = &arguments.home.account;
    let (account, scratch) = (account.clone(), app.scratch.clone());
    let command = PostAccount { account, now: Timestamp::now(), lease: LEASE, scratch };
    let posted = post::go_on(&app.ports, &dintero, &command).await?;
    show::posted(out, "", &posted)?;
    Ok(ended(&posted))
}

/// Held when something waits for a person.
fn ended(posted: &Posted) -> Ended {
    let waits = posted.count("HUMAN") + posted.count("REFUSED") > 0;
    let unmatched = posted.outboxes.iter().any(|outbox| outbox.unmatched_lines > 0 || !outbox.changed.is_empty());
    if waits || unmatched { Ended::Held } else { Ended::Well }
}

pub(crate) async fn posting(command: &PostingCommand, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let (stopped_by, by, home) = match command {
        PostingCommand::Stop { by, home } => (Some(by.clone()), by, home),
        PostingCommand::Go { by, home } => (None, by, home),
    };
    let app = App::open(&home.home).await?;
    let what = if stopped_by.is_some() { "All posting is stopped" } else { "Posting goes on" };
    post::switch(&app.ports, stopped_by, by, Timestamp::now()).await?;
    writeln!(out, "{what}")?;
    Ok(Ended::Well)
}

pub(crate) async fn resolve(arguments: &ResolveArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let ResolveArguments { provider, settlement, transaction, currency, posted, by, home, .. } = arguments;
    let app = App::open(&home.home).await?;
    let key = notice::key_of(&home.account, provider, settlement, currency.parse()?).with_context(|| {
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
    let TransactionArguments { id, home } = arguments;
    let app = crate::home(home).await?;
    let dintero = reachable(&app)?;
    let client = dintero.account(&home.account)?;
    anyhow::ensure!(client.owns(id), "Transaction {id} is not of account {}", home.account);
    let found = client.transactions_by_id(&[id]).await?;
    let transaction = found.first().with_context(|| format!("Dintero has no transaction {id}"))?;
    let pending = waiting_for(&app.ports, &home.account, id).await?;
    let status = transaction.derived_settlement_status(pending);
    let decimals = settlement::exponent("dintero", transaction.currency);
    let show = |minor| settlement::MajorUnits::new(minor, decimals);
    writeln!(out, "{id}  order {}", transaction.merchant_reference)?;
    writeln!(
        out,
        "  {:?} {} {}: {}",
        transaction.payment_product_type,
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
