//! `avstem run`: a folder of reports through the whole way, into a home directory.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use ::formats::Limits;
use adapters::app::{App, Home};
use jiff::Timestamp;
use pipeline::StepError;
use pipeline::current::accounts;
use pipeline::current::notice::NoticeCheck;
use pipeline::intake::judge::{UNKNOWN_PROVIDER, provider_of};
use pipeline::intake::known::merchant_numbers;
use pipeline::intake::parse::{Outcome, ParseReport};
use pipeline::intake::upload::Origin;
use pipeline::operate::process::{self, MadeReport, Processed};
use pipeline::posting::post::Posted;
use pipeline::reports::dintero_report::WrittenReports;
use serde_json::{Value, json};
use settlement::{AccountId, Kind, SettleKey, Settlement, Verdict};
use store::keys::{Key, LandingKey};

use crate::check::Answer;
use crate::home::{Opened, reading};
use crate::inbox::Inbox;
use crate::progress::Watched;
use crate::{Ended, HomeArguments, account, ask, lake, show};

#[derive(clap::Args)]
pub(crate) struct RunArguments {
    /// Folder with reports, searched with all folders in it
    #[arg(long, value_name = "DIR")]
    inbox: PathBuf,
    /// Register merchant numbers that no account has to this one, without asking
    #[arg(long)]
    register_merchants: bool,
    /// One JSON object per file and line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

/// How many files came to what.
#[derive(Default)]
struct Counts {
    accepted: u64,
    known: u64,
    held: u64,
    failed: u64,
}

pub(crate) async fn run(arguments: &RunArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let RunArguments { inbox, register_merchants, json, home } = arguments;
    let directory = home.home.directory("Upload reports to the landing bucket")?;
    let Opened { app, account } = home.open_with_dintero().await?;
    let inbox = Inbox::open(inbox, directory)?;
    let passed_over = inbox.passed_over();
    anyhow::ensure!(
        !inbox.files.is_empty(),
        "Found no report in {}{}",
        arguments.inbox.display(),
        passed_over.as_ref().map_or_else(String::new, |named| format!("; passed over: {named}"))
    );
    let (mut ended, mut counts) = (Ended::Well, Counts::default());
    for file in &inbox.files {
        match take_asking(&app, &account, file, *register_merchants).await {
            Ok(taken) => {
                for taken in taken.with_made() {
                    ended = ended.and(counts.count(taken));
                    if *json {
                        writeln!(out, "{}", taken.json()?)?;
                    } else {
                        taken.report(out, &home.home)?;
                    }
                }
            }
            Err(error) => {
                counts.failed += 1;
                ended = ended.and(Ended::failed(file, &error));
            }
        }
    }
    let built = lake::build(&app, &home.home, &account, Timestamp::now(), &mut std::io::sink()).await?;
    if !json {
        counts.show(passed_over, &home.home, &account, out)?;
    }
    Ok(ended.and(built))
}

impl Counts {
    fn count(&mut self, taken: &Taken) -> Ended {
        match taken.outcome.verdict {
            _ if taken.is_held() => self.held += 1,
            Verdict::Duplicate => self.known += 1,
            _ => self.accepted += 1,
        }
        if taken.is_held() { Ended::Held } else { Ended::Well }
    }

    fn show(
        &self,
        passed_over: Option<String>,
        home: &Home,
        account: &AccountId,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let Counts { accepted, known, held, failed } = *self;
        let words = [(accepted, "accepted"), (known, "known before"), (held, "held"), (failed, "failed")];
        let words: Vec<String> =
            words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        writeln!(out, "{}", words.join(", "))?;
        if let Some(named) = passed_over {
            writeln!(out, "passed over: {named}")?;
        }
        if held > 0 {
            writeln!(out, "next: avstem held list --home {home} --account {account}")?;
        }
        Ok(())
    }
}

/// Takes a file; where only its merchant numbers are unknown, asks a person whether they are the account's.
async fn take_asking(app: &App, account: &AccountId, file: &Path, registers: bool) -> anyhow::Result<Taken> {
    let taken = take(app, account, file, Timestamp::now(), registers).await?;
    let judgement = &taken.outcome.judgement;
    if judgement.kind() != Some(Kind::MerchantUnknown) {
        return Ok(taken);
    }
    let Some(provider) = judgement.format.map(|format| format.provider.id) else { return Ok(taken) };
    let mut numbers: BTreeSet<&str> = BTreeSet::new();
    for number in merchant_numbers(judgement) {
        if accounts::owner_of(&app.ports, provider, number).await?.is_none() {
            numbers.insert(number);
        }
    }
    for number in &numbers {
        let name = store::account(&*app.ports.state, account)
            .await?
            .name
            .map_or_else(String::new, |name| format!(" ({})", show::text(&name)));
        let question = format!(
            "{}: merchant number {number} of {provider} is registered to no account. Is it {account}{name}?",
            show::name(file)
        );
        if ask::yes(&question)? != Some(true) {
            return Ok(taken);
        }
    }
    for number in &numbers {
        account::register(&app.ports, account, provider, number).await?;
    }
    take(app, account, file, Timestamp::now(), false).await
}

/// A file that went the whole way, or as far as it may.
pub(crate) struct Taken {
    pub(crate) file: PathBuf,
    pub(crate) outcome: Outcome,
    /// Dintero reports of its settlements, and which of them do not flow on.
    pub(crate) reports: WrittenReports,
    /// What Dintero was told of them.
    pub(crate) posted: Result<Posted, StepError>,
    /// The reports that it was found to hold or to complete.
    made: Vec<Taken>,
    /// Where it was made by a step: what of.
    origin: Option<Origin>,
}

/// Uploads a local file and takes it the whole way. A merchant number that nobody has becomes the account's when it
/// `registers`.
pub(crate) async fn take(
    app: &App,
    account: &AccountId,
    file: &Path,
    now: Timestamp,
    registers: bool,
) -> anyhow::Result<Taken> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let provider = provider_of(&name, &mut Watched::open(file)?, &Limits::default())?.unwrap_or(UNKNOWN_PROVIDER);
    let landing = LandingKey::new(account.clone(), provider, &name)?;
    let object = app.ports.objects.upload(&Key::Landing(landing.clone()), file).await?;
    let command = ParseReport { now, adopts_merchants: registers, ..reading(app, landing, object.version) };
    let processed = process::process_upload(&app.ports, app.dintero.as_deref(), &command).await?;
    Ok(Taken::of(file.to_owned(), processed))
}

impl Taken {
    pub(crate) fn of(file: PathBuf, processed: Processed) -> Self {
        let Processed { outcome, reports, posted, made } = processed;
        let made = made.into_iter().map(|MadeReport { name, origin, processed }| Taken {
            origin: Some(origin),
            ..Taken::of(name.into(), processed)
        });
        Taken { file, outcome, reports, posted, made: made.collect(), origin: None }
    }

    /// The file, and the reports that it was found to hold or to complete.
    pub(crate) fn with_made(&self) -> impl Iterator<Item = &Taken> {
        std::iter::once(self).chain(&self.made)
    }

    /// The settlements that this file brought as a new version.
    pub(crate) fn new_settlements(&self) -> impl Iterator<Item = &Settlement> {
        let pairs = self.outcome.judgement.settlements.iter().zip(&self.outcome.settlements);
        pairs.filter(|(_, listed)| listed.version.is_some()).map(|(settlement, _)| settlement)
    }

    pub(crate) fn is_held(&self) -> bool {
        let contradicted = |(_, check): &(SettleKey, NoticeCheck)| matches!(check, NoticeCheck::Disagree(_));
        matches!(self.outcome.verdict, Verdict::Quarantined | Verdict::Rejected)
            || self.reports.withheld.iter().any(contradicted)
    }

    pub(crate) fn report(&self, out: &mut dyn Write, home: &Home) -> anyhow::Result<()> {
        let Outcome { report, verdict, judgement, .. } = &self.outcome;
        let format = match judgement.format {
            Some(format) => format.id,
            None if *verdict == Verdict::Accepted => "an archive of several reports",
            None => "no known format",
        };
        let id = report.map_or_else(|| "-".to_owned(), |report| report.short());
        writeln!(out, "{}  {}  {format}  report {id}", show::verdict(*verdict), show::name(&self.file))?;
        if self.origin == Some(Origin::Entries) {
            writeln!(out, "  put together from several reports")?;
        }
        show::settlements(out, "  ", &judgement.settlements)?;
        show::problems(out, "  ", &judgement.problems)?;
        for known in self.outcome.settlements.iter().filter(|_| *verdict == Verdict::Accepted) {
            if known.version.is_none() {
                let settlement = &known.key.settlement_id;
                writeln!(out, "  settlement {settlement} is known with the same content; nothing happens again")?;
            }
        }
        let finishes = !self.reports.written.is_empty();
        if *verdict == Verdict::Duplicate && finishes {
            writeln!(out, "  accepted before by a run that did not end; what was left is done now")?;
        } else if *verdict == Verdict::Duplicate && judgement.problems.list().is_empty() {
            writeln!(out, "  the same content is known already; nothing happens again")?;
        }
        show::documents(out, "  ", home, &self.reports.written)?;
        for (key, check) in &self.reports.withheld {
            show::notice_check(out, "  ", key, check)?;
        }
        show::posted_or_not(out, "  ", &self.posted)?;
        if let (Some(report), true) = (report, matches!(verdict, Verdict::Quarantined | Verdict::Rejected)) {
            writeln!(out, "  what to do: avstem held show {} --home {home}", report.short())?;
        }
        Ok(())
    }

    /// The answer of `check --json`, with what became of the report.
    fn json(&self) -> anyhow::Result<Value> {
        let Outcome { report, verdict, judgement, .. } = &self.outcome;
        let file = self.file.display().to_string();
        let mut object = serde_json::to_value(Answer::of(&file, *verdict, judgement))?;
        if let Some(fields) = object.as_object_mut() {
            let documents: Vec<String> = self.reports.written.iter().map(Key::to_string).collect();
            fields.insert("report_id".to_owned(), json!(report));
            fields.insert("documents".to_owned(), json!(documents));
            fields.insert("posting".to_owned(), show::posted_json(&self.posted));
        }
        Ok(object)
    }
}
