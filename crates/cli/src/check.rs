//! `avstem check`: the verdict on files, with nothing stored.

use std::io::Write;
use std::path::{Path, PathBuf};

use ::formats::Limits;
use adapters::app::App;
use jiff::Timestamp;
use pipeline::current::notice;
use pipeline::intake::judge::{Judgement, judge};
use pipeline::intake::known::{Case, IncomingReport};
use pipeline::operate::answer::SettlementAnswer;
use pipeline::report_id_of;
use serde::Serialize;
use settlement::{AccountId, Problem, ProviderId, Verdict};
use store::{Place, ReportItem, ReportState};
use tables::{DigestSink, LineTable, Packing, TableOwner};
use tempfile::NamedTempFile;

use crate::progress::Watched;
use crate::{Ended, show};

#[derive(clap::Args)]
pub(crate) struct CheckArguments {
    /// Files to judge
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON object per file and line
    #[arg(long)]
    json: bool,
    /// Also hold the files against what this directory knows
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Dintero account that the files were sent to; whose merchant numbers are its own is known with --home
    #[arg(long)]
    account: Option<AccountId>,
    /// Provider that the files were sent as
    #[arg(long)]
    provider: Option<String>,
}

/// One file and what became of it.
struct Checked {
    file: String,
    verdict: Verdict,
    judgement: Judgement,
}

pub(crate) async fn run(arguments: &CheckArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let app = match &arguments.home {
        Some(home) => {
            anyhow::ensure!(home.is_dir(), "Cannot use {}: it is no directory", home.display());
            Some(App::reading(home)?)
        }
        None => None,
    };
    let mut ended = Ended::Well;
    for path in &arguments.files {
        let checked = match check(arguments, app.as_ref(), path).await {
            Ok(checked) => checked,
            Err(error) => {
                ended = ended.and(Ended::failed(path, &error));
                continue;
            }
        };
        if matches!(checked.verdict, Verdict::Quarantined | Verdict::Rejected) {
            ended = ended.and(Ended::Held);
        }
        if arguments.json {
            writeln!(out, "{}", serde_json::to_string(&Answer::of(&checked))?)?;
        } else {
            report(out, &checked)?;
        }
    }
    Ok(ended)
}

async fn check(arguments: &CheckArguments, app: Option<&App>, path: &Path) -> anyhow::Result<Checked> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let file = path.display().to_string();
    let mut input = Watched::open(path)?;
    let (limits, provider) = (Limits::default(), arguments.provider.as_deref());
    let Some(app) = app else {
        let judgement = judge(&name, &mut input, &limits, provider, |_| Ok(DigestSink::default()))?;
        return Ok(Checked { file, verdict: judgement.verdict(), judgement });
    };
    let account = arguments.account.clone().map_or_else(|| "T00000001".parse(), Ok)?;
    let report = report_id_of(input.file())?;
    let lines = NamedTempFile::new_in(&app.scratch)?;
    let zone = store::account(&*app.ports.state, &account).await?.zone;
    let mut judgement = judge(&name, &mut input, &limits, provider, |format| {
        let owner = TableOwner::new(&account, format.provider.id, format.id, report, &zone);
        LineTable::create(lines.reopen()?, owner, Packing::Zstd)
    })?;
    let Some(format) = judgement.format.filter(|_| !judgement.problems.has_errors()) else {
        return Ok(Checked { file, verdict: judgement.verdict(), judgement });
    };
    let provider = ProviderId::from(format.provider);
    let incoming = IncomingReport {
        ports: &app.ports,
        account: &account,
        provider: &provider,
        report,
        now: Timestamp::now(),
        scratch: &app.scratch,
    };
    if arguments.account.is_some() {
        for problem in incoming.foreign_merchant_numbers(&judgement.settlements).await? {
            judgement.problems.push(problem);
        }
    }
    let before = Place::report(report, &account).read::<ReportItem>(&*app.ports.state).await?;
    let taken = before.is_some_and(|(item, _)| matches!(item.state, ReportState::Committed | ReportState::Duplicate));
    let known = taken || {
        let standings = incoming.compare(&mut judgement, lines.path(), false).await?;
        !standings.is_empty() && standings.iter().all(|standing| matches!(standing.case, Case::Known(_)))
    };
    let settlements = &mut judgement.settlements;
    for problem in notice::hold_against(&app.ports, &account, &provider, settlements, lines.path()).await? {
        judgement.problems.push(problem);
    }
    let verdict = match judgement.verdict() {
        Verdict::Accepted if known => Verdict::Duplicate,
        verdict => verdict,
    };
    Ok(Checked { file, verdict, judgement })
}

fn report(out: &mut dyn Write, checked: &Checked) -> anyhow::Result<()> {
    let format = checked.judgement.format.map_or("no known format", |format| format.id);
    writeln!(out, "{}  {}  {format}", checked.verdict, show::name(Path::new(&checked.file)))?;
    show::settlements(out, "  ", &checked.judgement.settlements)?;
    show::problems(out, "  ", &checked.judgement.problems)?;
    Ok(())
}

/// The stable answer of `check --json`.
#[derive(Serialize)]
struct Answer<'a> {
    file: &'a str,
    verdict: Verdict,
    format: Option<&'a str>,
    kind: Option<settlement::Kind>,
    problems: &'a [Problem],
    settlements: Vec<SettlementAnswer<'a>>,
}

impl<'a> Answer<'a> {
    fn of(checked: &'a Checked) -> Self {
        let Checked { file, verdict, judgement } = checked;
        Answer {
            file,
            verdict: *verdict,
            format: judgement.format.map(|format| format.id),
            kind: judgement.kind(),
            problems: judgement.problems.list(),
            settlements: judgement.settlements.iter().map(SettlementAnswer::of).collect(),
        }
    }
}
