//! `avstem`: settlement reports from the command line, on the same steps that run in the cloud.

mod check;
mod convert;
mod demo;
mod formats;
mod progress;
mod records;
mod run;
mod show;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
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
    /// Manage accounts
    #[command(subcommand)]
    Account(records::AccountCommand),
    /// Let a report through that changes a known settlement
    Release(records::ReleaseArguments),
    /// Tell everything that happened to a settlement or report
    Explain(records::ExplainArguments),
}

/// Where a person's own data lie, and whose they are.
#[derive(clap::Args)]
struct HomeArguments {
    /// Directory of all data
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Dintero account
    #[arg(long, default_value = "T00000001")]
    account: AccountId,
}

/// How a command ended that could run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    /// At least one report is held.
    Held,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(arguments.command)),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Held) => ExitCode::from(2),
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("avstem: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> anyhow::Result<Ended> {
    let out = &mut io::BufWriter::new(io::stdout().lock());
    let ended = match command {
        Command::Check(arguments) => check::run(&arguments, out).await,
        Command::Run(arguments) => run::run(&arguments, out).await,
        Command::Demo(arguments) => demo::run(&arguments, out).await,
        Command::Convert(arguments) => convert::run(&arguments, out),
        Command::Formats(arguments) => formats::run(&arguments, out),
        Command::Account(command) => records::account(&command, out).await,
        Command::Release(arguments) => records::release(&arguments, out).await,
        Command::Explain(arguments) => records::explain(&arguments, out).await,
    };
    io::Write::flush(out)?;
    ended
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
