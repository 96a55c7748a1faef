#![doc = include_str!("../README.md")]

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
mod resume;
mod run;
mod sandbox;
mod show;
mod summary;

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
    /// Process every file of a folder: parse, prove, store as Parquet, match, write the Dintero report
    Run(run::RunArguments),
    /// Process bundled sample reports and show the results
    Demo(demo::DemoArguments),
    /// Write the lines of one report to a Parquet file
    Convert(convert::ConvertArguments),
    /// List the report formats that can be read
    Formats(formats::FormatsArguments),
    /// Build the tables that BI tools read
    #[command(subcommand)]
    Lake(lake::LakeCommand),
    /// Show the account's money in transit month by month: opening, changes, closing
    Months(lake::MonthsArguments),
    /// Write the summary of one month, or of every past month that has changed
    Summary(summary::SummaryArguments),
    /// Manage accounts
    #[command(subcommand)]
    Account(records::AccountCommand),
    /// Send the mails that are due
    Mail(mail::MailArguments),
    /// Manage the recipients of mails
    #[command(subcommand)]
    Recipient(mail::RecipientCommand),
    /// Enter the fees and payouts that balance reports state
    #[command(subcommand)]
    Notice(notice::NoticeCommand),
    /// Post settlement events to Dintero, and resume postings that have not ended
    Post(post::PostArguments),
    /// Update the local copy of Dintero's transactions
    Sync(matching::SyncArguments),
    /// Match the lines of all settlements with transactions, and give the reason where that fails
    Match(matching::MatchArguments),
    /// List what was captured and never paid out, and reports that are missing
    Unsettled(matching::UnsettledArguments),
    /// Stop all posting, or start it again
    #[command(subcommand)]
    Posting(post::PostingCommand),
    /// Decide about a settlement event that waits for a person
    Resolve(post::ResolveArguments),
    /// Show what Dintero knows of a transaction
    Transaction(post::TransactionArguments),
    /// Process uploaded reports once more; without --apply, only show which
    Replay(replay::ReplayArguments),
    /// Process every upload at a limited rate; run it again to continue where it stopped
    Backfill(backfill::BackfillArguments),
    /// Compare a month's posted events with Dintero
    Audit(replay::AuditArguments),
    /// Release a held report that changes a known settlement
    Release(records::ReleaseArguments),
    /// Show everything that happened to a settlement or report
    Explain(records::ExplainArguments),
    /// Serve a stand-in for Dintero's API on this machine
    Sandbox(sandbox::SandboxArguments),
}

/// The home and the account that a command works on.
#[derive(clap::Args)]
struct HomeArguments {
    /// Directory of all data, or s3://BUCKETS?table=TABLE of a stack
    #[arg(long, value_name = "DIR")]
    home: Home,
    /// Dintero account
    #[arg(long, default_value = "T00000001")]
    account: AccountId,
}

/// How a command that could run ended.
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
    /// The more serious of the two.
    fn and(self, other: Ended) -> Ended {
        match (self, other) {
            (Ended::Failed, _) | (_, Ended::Failed) => Ended::Failed,
            (Ended::Held, _) | (_, Ended::Held) => Ended::Held,
            (Ended::Well, Ended::Well) => Ended::Well,
        }
    }

    /// Reports a file that could not be processed at once, so that the next one can be.
    fn failed(file: &Path, error: &anyhow::Error) -> Ended {
        eprintln!("avstem: {}: {error:#}", show::name(file));
        Ended::Failed
    }
}

/// Carries out one command line and writes what it prints to `out`.
///
/// # Errors
/// When the command cannot run; a held report is not an error but [`Ended::Held`].
pub fn run(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let arguments = Arguments::try_parse_from(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(dispatch(arguments.command, out))
}

/// Opens a home, with a client of Dintero if the environment configures one.
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
