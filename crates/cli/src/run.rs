//! `avstem run`: a folder of reports through the whole way, into a home directory.

use std::io::Write;
use std::path::{Path, PathBuf};

use ::formats::Limits;
use adapters::app::{App, Home};
use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use pipeline::StepError;
use pipeline::current::notice::NoticeCheck;
use pipeline::intake::judge::provider_of;
use pipeline::intake::parse::{Outcome, ParseReport};
use pipeline::operate::process::{self, Processed};
use pipeline::posting::post::Posted;
use pipeline::reports::dintero_report::WrittenReports;
use settlement::{AccountId, SettleKey, Settlement, Verdict};
use store::keys::{Key, LandingKey};

use crate::progress::Watched;
use crate::{Ended, HomeArguments, lake, show};

/// A file that no format claims lies under this name instead of a provider's.
const NO_PROVIDER: &str = "unknown";

#[derive(clap::Args)]
pub(crate) struct RunArguments {
    /// Folder with reports, searched with all folders in it
    #[arg(long, value_name = "DIR")]
    inbox: PathBuf,
    #[command(flatten)]
    home: HomeArguments,
}

pub(crate) async fn run(arguments: &RunArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let home = arguments.home.home.directory("Upload reports to the landing bucket")?;
    let app = crate::home(&arguments.home).await?;
    let files = files_of(&arguments.inbox, home)?;
    anyhow::ensure!(!files.is_empty(), "Found no file in {}", arguments.inbox.display());
    let mut ended = Ended::Well;
    for file in &files {
        match take(&app, &arguments.home.account, file, Timestamp::now()).await {
            Ok(taken) => {
                if taken.is_held() {
                    ended = ended.and(Ended::Held);
                }
                taken.report(out, &arguments.home.home)?;
            }
            Err(error) => ended = ended.and(Ended::failed(file, &error)),
        }
    }
    let HomeArguments { home, account } = &arguments.home;
    Ok(ended.and(lake::build(&app, home, account, Timestamp::now(), out).await?))
}

/// All files below a folder, sorted, so that every run takes them in the same order.
///
/// Hidden files are passed over, and so is the home directory, should it lie in the folder.
fn files_of(folder: &Path, home: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let home = home.canonicalize()?;
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| format!("Cannot read {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if hidden {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if entry.path().canonicalize()? != home {
                    folders.push(entry.path());
                }
            } else if entry.path().is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// A file that went the whole way, or as far as it may.
pub(crate) struct Taken {
    pub(crate) file: PathBuf,
    pub(crate) outcome: Outcome,
    /// Dintero reports of its settlements, and which of them do not flow on.
    pub(crate) reports: WrittenReports,
    /// What Dintero was told of them.
    pub(crate) posted: Result<Posted, StepError>,
}

/// Uploads a local file and takes it the whole way.
///
/// A merchant number that nobody has is registered to the account on its first use: on a person's own machine there is
/// nobody else it could belong to.
pub(crate) async fn take(app: &App, account: &AccountId, file: &Path, now: Timestamp) -> anyhow::Result<Taken> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let provider = provider_of(&name, &mut Watched::open(file)?, &Limits::default())?.unwrap_or(NO_PROVIDER);
    let landing = LandingKey::new(account.clone(), provider, &name)?;
    let object = app.ports.objects.upload(&Key::Landing(landing.clone()), file).await?;
    let command = ParseReport {
        landing,
        version: object.version,
        now,
        lease: SignedDuration::from_mins(15),
        scratch: app.scratch.clone(),
        limits: Limits::default(),
        adopts_merchants: true,
    };
    let Processed { outcome, reports, posted } =
        process::process_upload(&app.ports, app.dintero.as_deref(), &command).await?;
    Ok(Taken { file: file.to_owned(), outcome, reports, posted })
}

impl Taken {
    /// The settlements that this file brought as a new version.
    pub(crate) fn new_settlements(&self) -> impl Iterator<Item = &Settlement> {
        let pairs = self.outcome.judgement.settlements.iter().zip(&self.outcome.settlements);
        pairs.filter(|(_, listed)| listed.version.is_some()).map(|(settlement, _)| settlement)
    }

    pub(crate) fn is_held(&self) -> bool {
        let contradicted = |(_, together): &(SettleKey, NoticeCheck)| matches!(together, NoticeCheck::Disagree(_));
        matches!(self.outcome.verdict, Verdict::Quarantined | Verdict::Rejected)
            || self.reports.withheld.iter().any(contradicted)
    }

    pub(crate) fn report(&self, out: &mut dyn Write, home: &Home) -> anyhow::Result<()> {
        let Outcome { report, verdict, judgement, .. } = &self.outcome;
        let format = judgement.format.map_or("", |format| format.id);
        let id = report.map(|report| report.short()).unwrap_or_default();
        writeln!(out, "{verdict:<11}  {}  {format}  report {id}", show::name(&self.file))?;
        show::settlements(out, "  ", &judgement.settlements)?;
        show::problems(out, "  ", &judgement.problems)?;
        for known in self.outcome.settlements.iter().filter(|_| *verdict == Verdict::Accepted) {
            if known.version.is_none() {
                writeln!(
                    out,
                    "  settlement {} is known with the same content; nothing happens again",
                    known.key.settlement_id
                )?;
            }
        }
        if *verdict == Verdict::Duplicate {
            writeln!(out, "  the same content is known already; nothing happens again")?;
        }
        if *verdict == Verdict::Accepted {
            for key in &self.reports.written {
                writeln!(out, "  wrote {}", home.place(key))?;
            }
        }
        for (key, together) in &self.reports.withheld {
            show::together(out, "  ", key, together)?;
        }
        show::posted_or_not(out, "  ", &self.posted)?;
        Ok(())
    }
}
