#![doc = include_str!("../README.md")]

mod account;
mod ask;
mod backfill;
mod check;
mod completions;
mod convert;
mod demo;
mod explain;
mod formats;
mod held;
mod home;
mod inbox;
mod lake;
mod mail;
mod matching;
mod notice;
mod payouts;
mod post;
mod progress;
mod replay;
mod resume;
mod run;
mod sandbox;
mod show;
mod summary;
mod waiting;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use clap::{Parser, Subcommand};

pub(crate) use home::HomeArguments;

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
    /// Manage accounts: names, language, time zone, posting, merchant numbers
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// List and decide about the reports that are held
    #[command(subcommand)]
    Held(held::HeldCommand),
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
    /// List what was paid out, by day, month, provider, merchant, state or amount, with totals
    Payouts(payouts::PayoutsArguments),
    /// List entries of reports that wait for their payout or for another report
    Waiting(waiting::WaitingArguments),
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
    /// Show everything that happened to a settlement, report, order or transaction
    Explain(explain::ExplainArguments),
    /// Serve a stand-in for Dintero's API on this machine
    Sandbox(sandbox::SandboxArguments),
    /// Print what completes the commands of avstem in a shell
    Completions(completions::CompletionsArguments),
    /// Write the manual, one page per command
    Man(completions::ManArguments),
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
        eprintln!("avstem: {}: {}", show::name(file), show::error(error));
        Ended::Failed
    }
}

/// Colours what stands for a state from now on, where `on`: only for a terminal.
pub fn set_colours(on: bool) {
    show::set_colours(on);
}

/// An error as a person reads it: each cause is said once.
pub fn explained(error: &anyhow::Error) -> String {
    show::error(error)
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
        Command::Account(command) => account::run(&command, out).await,
        Command::Held(command) => held::run(&command, out).await,
        Command::Mail(arguments) => mail::run(&arguments, out).await,
        Command::Recipient(command) => mail::recipient(&command, out).await,
        Command::Notice(command) => notice::run(&command, out).await,
        Command::Post(arguments) => post::run(&arguments, out).await,
        Command::Sync(arguments) => matching::sync(&arguments, out).await,
        Command::Match(arguments) => matching::match_lines(&arguments, out).await,
        Command::Payouts(arguments) => payouts::run(&arguments, out).await,
        Command::Waiting(arguments) => waiting::run(&arguments, out).await,
        Command::Unsettled(arguments) => matching::unsettled(&arguments, out).await,
        Command::Posting(command) => post::posting(&command, out).await,
        Command::Resolve(arguments) => post::resolve(&arguments, out).await,
        Command::Transaction(arguments) => post::transaction(&arguments, out).await,
        Command::Replay(arguments) => replay::run(&arguments, out).await,
        Command::Backfill(arguments) => backfill::run(&arguments, out).await,
        Command::Audit(arguments) => replay::audit(&arguments, out).await,
        Command::Explain(arguments) => explain::run(&arguments, out).await,
        Command::Sandbox(arguments) => sandbox::run(&arguments, out).await,
        Command::Completions(arguments) => Ok(completions::run(&arguments, out)),
        Command::Man(arguments) => completions::man(&arguments, out),
    }
}
