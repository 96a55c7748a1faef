//! The command line `avstem`, as a function from arguments to output, so that a test can call it as a person would.

mod backfill;
mod check;
mod convert;
mod demo;
mod formats;
mod lake;
mod mail;
mod matching;
mod notice;
mod post;
mod progress;
mod records;
mod replay;
mod run;
mod sandbox;
mod show;
mod summary;
mod undone;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use adapters::app::{App, Home};
use adapters::config::Config;
use adapters::outbound::http::{HttpLimits, Reqwest};
use clap::{Parser, Subcommand};
use jiff::Timestamp;
use settlement::AccountId;

/// Reconcile payment providers' settlement reports: every øre proved.
#[derive(Parser)]
#[command(name = "avstem", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judge files without storing anything
    Check(check::CheckArguments),
    /// Take every file of a folder through the whole way: parse, prove, Parquet, Dintero report
    Run(run::RunArguments),
    /// Show the whole way on bundled sample reports
    Demo(demo::DemoArguments),
    /// Turn one report into a Parquet file of its lines
    Convert(convert::ConvertArguments),
    /// List the reports that can be read
    Formats(formats::FormatsArguments),
    /// Build the tables that BI tools read
    #[command(subcommand)]
    Lake(lake::LakeCommand),
    /// Show an account's money by month, from what was in transit to what is
    Months(lake::MonthsArguments),
    /// Write the summary of a month, or of every month that is over and has changed
    Summary(summary::SummaryArguments),
    /// Manage accounts
    #[command(subcommand)]
    Account(records::AccountCommand),
    /// Send the mails that are due
    Mail(mail::MailArguments),
    /// Manage who is told by mail
    #[command(subcommand)]
    Recipient(mail::RecipientCommand),
    /// Tell what balance reports say
    #[command(subcommand)]
    Notice(notice::NoticeCommand),
    /// Tell Dintero what settlements paid out, and go on with what has not ended
    Post(post::PostArguments),
    /// Bring what is known of Dintero's transactions up to date
    Sync(matching::SyncArguments),
    /// Match the lines of all settlements with transactions, and say why where that fails
    Match(matching::MatchArguments),
    /// List what was captured and never paid out, and reports that are missed
    Unsettled(matching::UnsettledArguments),
    /// Stop all posting, or let it go on
    #[command(subcommand)]
    Posting(post::PostingCommand),
    /// Decide about a settlement event that waits for a person
    Resolve(post::ResolveArguments),
    /// Show what Dintero has of a transaction, in words
    Transaction(post::TransactionArguments),
    /// Take uploaded reports the whole way once more; only shows which, unless told to do it
    Replay(replay::ReplayArguments),
    /// Take everything that was uploaded the whole way, at a bounded rate; goes on where it stopped
    Backfill(backfill::BackfillArguments),
    /// Hold a month's posted events against Dintero
    Audit(replay::AuditArguments),
    /// Let a report through that changes a known settlement
    Release(records::ReleaseArguments),
    /// Tell everything that happened to a settlement or report
    Explain(records::ExplainArguments),
    /// Serve a stand-in for Dintero's API on this machine
    Sandbox(sandbox::SandboxArguments),
}

/// Where a person's own data lie, and whose they are.
#[derive(clap::Args)]
struct HomeArguments {
    /// Directory of all data, or s3://BUCKETS?table=TABLE of a stack
    #[arg(long, value_name = "DIR")]
    home: Home,
    /// Dintero account
    #[arg(long, default_value = "T00000001")]
    account: AccountId,
}

/// How a command ended that could run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything was accepted or known.
    Well,
    /// At least one report is held.
    Held,
    /// At least one file could not be read or stored; the others were.
    Failed,
}

impl Ended {
    /// The graver of two ends.
    fn and(self, other: Ended) -> Ended {
        match (self, other) {
            (Ended::Failed, _) | (_, Ended::Failed) => Ended::Failed,
            (Ended::Held, _) | (_, Ended::Held) => Ended::Held,
            (Ended::Well, Ended::Well) => Ended::Well,
        }
    }

    /// How a file ended that could not be taken: said at once, so that the next one can be.
    fn failed(file: &Path, error: &anyhow::Error) -> Ended {
        eprintln!("avstem: {}: {error:#}", show::name(file));
        Ended::Failed
    }
}

/// Carries out one command line and writes what it prints to `out`.
///
/// # Errors
/// When the command cannot run; a held report is no error but [`Ended::Held`].
pub fn run(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let arguments = Arguments::try_parse_from(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(dispatch(arguments.command, out))
}

/// Opens a home, speaking with Dintero when the environment says how.
async fn home(arguments: &HomeArguments) -> anyhow::Result<App> {
    let app = App::open(&arguments.home).await?;
    let config = Config::of_process()?;
    Ok(match config.dintero {
        Some(dintero) => {
            app.with_dintero(Arc::new(Reqwest::new(HttpLimits::default())?), dintero, Arc::new(Timestamp::now))
        }
        None => app,
    })
}

async fn dispatch(command: Command, out: &mut dyn Write) -> anyhow::Result<Ended> {
    match command {
        Command::Check(arguments) => check::run(&arguments, out).await,
        Command::Run(arguments) => run::run(&arguments, out).await,
        Command::Demo(arguments) => demo::run(&arguments, out).await,
        Command::Convert(arguments) => convert::run(&arguments, out),
        Command::Formats(arguments) => formats::run(&arguments, out),
        Command::Lake(command) => lake::run(&command, out).await,
        Command::Months(arguments) => lake::months(&arguments, out).await,
        Command::Summary(arguments) => summary::run(&arguments, out).await,
        Command::Account(command) => records::account(&command, out).await,
        Command::Mail(arguments) => mail::run(&arguments, out).await,
        Command::Recipient(command) => mail::recipient(&command, out).await,
        Command::Notice(command) => notice::run(&command, out).await,
        Command::Post(arguments) => post::run(&arguments, out).await,
        Command::Sync(arguments) => matching::sync(&arguments, out).await,
        Command::Match(arguments) => matching::match_lines(&arguments, out).await,
        Command::Unsettled(arguments) => matching::unsettled(&arguments, out).await,
        Command::Posting(command) => post::posting(&command, out).await,
        Command::Resolve(arguments) => post::resolve(&arguments, out).await,
        Command::Transaction(arguments) => post::transaction(&arguments, out).await,
        Command::Replay(arguments) => replay::run(&arguments, out).await,
        Command::Backfill(arguments) => backfill::run(&arguments, out).await,
        Command::Audit(arguments) => replay::audit(&arguments, out).await,
        Command::Release(arguments) => records::release(&arguments, out).await,
        Command::Explain(arguments) => records::explain(&arguments, out).await,
        Command::Sandbox(arguments) => sandbox::run(&arguments, out).await,
    }
}
