//! Commands on what is recorded: accounts, releases, explanations.

use std::io::Write;

use ::formats::Limits;
use adapters::app::App;
use jiff::{SignedDuration, Timestamp};
use pipeline::current::accounts::{AddMerchant, add_merchant, set_name};
use pipeline::current::notice;
use pipeline::intake::parse::ParseReport;
use pipeline::intake::release::{self, ReleaseReport};
use pipeline::operate::explain;
use pipeline::operate::process::{self, Processed};
use pipeline::posting::post;
use settlement::{HeaderText, Proof, ReportId, Verdict};
use store::Release;

use crate::{Ended, HomeArguments, show};

#[derive(clap::Subcommand)]
pub(crate) enum AccountCommand {
    /// Register a provider's merchant number as the account's own
    AddMerchant {
        /// Provider, as `avstem formats` names it
        provider: String,
        /// The provider's number of the merchant
        number: String,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Say what people call the merchant
    Name {
        /// As mails begin
        #[arg(value_parser = HeaderText::new)]
        name: HeaderText,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Change how an account is treated
    Set {
        /// Whether Dintero is told of its settlements
        #[arg(long, value_name = "on|off")]
        post: Switch,
        #[command(flatten)]
        home: HomeArguments,
    },
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(clap::Args)]
pub(crate) struct ReleaseArguments {
    /// Report id in full, as `avstem explain` prints it
    report: String,
    #[command(flatten)]
    home: HomeArguments,
    /// Who releases it
    #[arg(long)]
    by: String,
    /// Why
    #[arg(long)]
    why: String,
}

#[derive(clap::Args)]
pub(crate) struct ExplainArguments {
    /// Settlement id, `merchant/settlement`, or report id in full
    word: String,
    #[command(flatten)]
    home: HomeArguments,
}

pub(crate) async fn account(command: &AccountCommand, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let (provider, number, home) = match command {
        AccountCommand::AddMerchant { provider, number, home } => (provider, number, home),
        AccountCommand::Name { name, home } => {
            let app = App::open(&home.home).await?;
            set_name(&app.ports, &home.account, name, Timestamp::now()).await?;
            writeln!(out, "Account {} is called {name}", home.account)?;
            return Ok(Ended::Well);
        }
        AccountCommand::Set { post, home } => {
            let app = App::open(&home.home).await?;
            post::set_posting(&app.ports, &home.account, *post == Switch::On, Timestamp::now()).await?;
            let word = if *post == Switch::On { "on" } else { "off" };
            writeln!(out, "Posting to Dintero is {word} for account {}", home.account)?;
            return Ok(Ended::Well);
        }
    };
    let known = ::formats::FORMATS.iter().any(|format| format.provider.id == provider);
    anyhow::ensure!(known, "Found provider {provider:?}, expected one that `avstem formats` lists");
    let app = App::open(&home.home).await?;
    let account = home.account.clone();
    let command = AddMerchant { account, provider: provider.clone(), number: number.clone(), now: Timestamp::now() };
    let new = add_merchant(&app.ports, &command).await?;
    let what = if new { "is registered" } else { "was registered before" };
    writeln!(out, "Merchant number {number} of {provider} {what} to account {}", home.account)?;
    Ok(Ended::Well)
}

pub(crate) async fn release(arguments: &ReleaseArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let ReleaseArguments { report, home, by, why } = arguments;
    let report = ReportId::try_from(report.clone()).map_err(anyhow::Error::msg)?;
    let app = crate::home(home).await?;
    let (account, now) = (home.account.clone(), Timestamp::now());
    let release = Release { by: by.clone(), why: why.clone() };
    let item = release::run(&app.ports, &ReleaseReport { account, report, release, now }).await?;
    let landing = item.object_key.strip_prefix("landing/").unwrap_or_default().parse()?;
    let command = ParseReport {
        landing,
        version: item.object_version,
        now: Timestamp::now(),
        lease: SignedDuration::from_mins(15),
        scratch: app.scratch.clone(),
        limits: Limits::default(),
        adopts_merchants: false,
    };
    let Processed { outcome, reports, posted } =
        process::process_upload(&app.ports, app.dintero.as_deref(), &command).await?;
    writeln!(out, "{}  {}", outcome.verdict, item.name)?;
    show::settlements(out, "  ", &outcome.judgement.settlements)?;
    show::problems(out, "  ", &outcome.judgement.problems)?;
    for key in &reports.written {
        writeln!(out, "  wrote {}", home.home.place(key))?;
    }
    for (key, together) in &reports.withheld {
        show::together(out, "  ", key, together)?;
    }
    show::posted_or_not(out, "  ", &posted)?;
    Ok(if outcome.verdict == Verdict::Accepted { Ended::Well } else { Ended::Held })
}

pub(crate) async fn explain(arguments: &ExplainArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let ExplainArguments { word, home } = arguments;
    let app = App::open(&home.home).await?;
    let found = explain::run(&app.ports, &home.account, word).await?;
    anyhow::ensure!(
        !found.journal.is_empty(),
        "Found nothing of {word:?} in account {}, expected a settlement id or a whole report id",
        home.account
    );
    for (key, settlement) in &found.settlements {
        writeln!(out, "settlement {key}")?;
        for version in &settlement.versions {
            writeln!(out, "  version {} from report {} ({})", version.version, version.report, version.format)?;
            show::settlements(out, "    ", std::slice::from_ref(&version.settlement))?;
        }
        if let Some(version) = settlement.versions.last().filter(|version| version.settlement.proof != Proof::Exact) {
            let together = notice::check(&app.ports, key, version, &app.scratch).await?;
            show::together(out, "  ", key, &together)?;
        }
    }
    for report in &found.reports {
        writeln!(out, "report {}  {}  {}", report.report, report.name, report.state.word())?;
        if let Some(problem) = &report.first_problem {
            writeln!(out, "  {problem}")?;
        }
    }
    writeln!(out, "journal")?;
    for entry in &found.journal {
        writeln!(out, "  {:.0}  {}", entry.at, entry.what)?;
    }
    Ok(Ended::Well)
}
