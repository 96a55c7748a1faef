//! `avstem check`: the verdict on files, with nothing stored.

use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use ::formats::{Limits, ReadSeek, reports_in, unpack};
use adapters::app::App;
use jiff::Timestamp;
use pipeline::current::notice;
use pipeline::intake::judge::{Judgement, judge, refused};
use pipeline::intake::known::{Case, IncomingReport};
use pipeline::operate::settlement_json::SettlementJson;
use pipeline::report_id_of;
use serde::Serialize;
use settlement::{AccountId, Problem, ProviderId, ReportId, Verdict};
use store::{Place, ReportItem, ReportState};
use tables::{DigestSink, LineTable, Packing, TableOwner};
use tempfile::NamedTempFile;

use crate::home::{self, Opened};
use crate::progress::Watched;
use crate::{Ended, show};

#[derive(clap::Args)]
pub(crate) struct CheckArguments {
    /// Files to judge; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON object per file and line
    #[arg(long)]
    json: bool,
    /// Also hold the files against what this directory knows
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Dintero account of that home that the files were sent to
    #[arg(long, requires = "home")]
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
    let opened = match &arguments.home {
        Some(home) => {
            let app = App::reading(home)?;
            let account = home::account_of(&app, &home.display(), arguments.account.as_ref()).await?;
            Some(Opened { app, account })
        }
        None => None,
    };
    let mut ended = Ended::Well;
    for path in &arguments.files {
        let all = match check_all(arguments, opened.as_ref(), path).await {
            Ok(all) => all,
            Err(error) => {
                ended = ended.and(Ended::failed(path, &error));
                continue;
            }
        };
        for checked in &all {
            if matches!(checked.verdict, Verdict::Quarantined | Verdict::Rejected) {
                ended = ended.and(Ended::Held);
            }
            if arguments.json {
                let Checked { file, verdict, judgement } = checked;
                writeln!(out, "{}", serde_json::to_string(&Answer::of(file, *verdict, judgement))?)?;
            } else {
                report(out, checked)?;
            }
        }
    }
    Ok(ended)
}

/// Judges a file, or each report of an archive that holds several.
async fn check_all(arguments: &CheckArguments, opened: Option<&Opened>, path: &Path) -> anyhow::Result<Vec<Checked>> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let file = path.display().to_string();
    let mut input = Watched::open_or_stdin(path)?;
    let limits = Limits::default();
    // What cannot be unpacked is judged as it is, and its problem said then.
    let names = reports_in(&name, &mut input, &limits).unwrap_or_default();
    let mut unpacked = Vec::new();
    for report in &names {
        let inside = NamedTempFile::new()?;
        if let Err(failure) = unpack(report, &mut input, &limits, &mut inside.as_file()) {
            let judgement = refused(failure)?;
            return Ok(vec![Checked { file, verdict: judgement.verdict(), judgement }]);
        }
        unpacked.push((format!("{file}!{report}"), report, inside));
    }
    if unpacked.is_empty() {
        let report = report_id_of(input.file())?;
        return Ok(vec![check(arguments, opened, &name, file, report, &mut input).await?]);
    }
    let mut all = Vec::new();
    for (file, name, inside) in unpacked {
        let report = report_id_of(&mut inside.reopen()?)?;
        all.push(check(arguments, opened, name, file, report, &mut BufReader::new(inside.reopen()?)).await?);
    }
    Ok(all)
}

async fn check(
    arguments: &CheckArguments,
    opened: Option<&Opened>,
    name: &str,
    file: String,
    report: ReportId,
    input: &mut dyn ReadSeek,
) -> anyhow::Result<Checked> {
    let (limits, provider) = (Limits::default(), arguments.provider.as_deref());
    let Some(Opened { app, account }) = opened else {
        let judgement = judge(name, input, &limits, provider, |_| Ok(DigestSink::default()))?;
        return Ok(Checked { file, verdict: judgement.verdict(), judgement });
    };
    let lines = NamedTempFile::new_in(&app.scratch)?;
    let zone = store::account(&*app.ports.state, account).await?.zone;
    let mut judgement = judge(name, input, &limits, provider, |format| {
        let owner = TableOwner::new(account, format.provider.id, format.id, report, &zone);
        LineTable::create(lines.reopen()?, owner, Packing::Zstd)
    })?;
    let Some(format) = judgement.format.filter(|_| !judgement.problems.has_errors()) else {
        return Ok(Checked { file, verdict: judgement.verdict(), judgement });
    };
    let provider = ProviderId::from(format.provider);
    let incoming = IncomingReport {
        ports: &app.ports,
        account,
        provider: &provider,
        report,
        now: Timestamp::now(),
        scratch: &app.scratch,
    };
    for problem in incoming.foreign_merchant_numbers(&judgement).await? {
        judgement.problems.push(problem);
    }
    let before = Place::report(report, account).read::<ReportItem>(&*app.ports.state).await?;
    let taken = before.is_some_and(|(item, _)| matches!(item.state, ReportState::Committed | ReportState::Duplicate));
    let known = taken || {
        let compared = incoming.compare(&mut judgement, lines.path(), false).await?;
        !compared.is_empty() && compared.iter().all(|one| matches!(one.case, Case::Known(_)))
    };
    let settlements = &mut judgement.settlements;
    for problem in notice::hold_against(&app.ports, account, &provider, settlements, lines.path()).await? {
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
    writeln!(out, "{}  {}  {format}", show::verdict(checked.verdict), show::name(Path::new(&checked.file)))?;
    show::settlements(out, "  ", &checked.judgement.settlements)?;
    show::problems(out, "  ", &checked.judgement.problems)?;
    Ok(())
}

/// The stable answer of `check --json`.
#[derive(Serialize)]
pub(crate) struct Answer<'a> {
    file: &'a str,
    verdict: Verdict,
    format: Option<&'a str>,
    kind: Option<settlement::Kind>,
    problems: &'a [Problem],
    settlements: Vec<SettlementJson<'a>>,
}

impl<'a> Answer<'a> {
    pub(crate) fn of(file: &'a str, verdict: Verdict, judgement: &'a Judgement) -> Self {
        Answer {
            file,
            verdict,
            format: judgement.format.map(|format| format.id),
            kind: judgement.kind(),
            problems: judgement.problems.list(),
            settlements: judgement.settlements.iter().map(SettlementJson::of).collect(),
        }
    }
}
