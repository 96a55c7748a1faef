//! Every exact settlement of a committed report gets its Dintero report.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use documents::{Breakdown, DinteroReport, Language, ReportType};
use settlement::{AccountId, Currency, LineRecord, ReportId, SettleKey};
use store::SettlementVersion;
use store::keys::Key;
use tempfile::NamedTempFile;

use crate::current::lines::{fetch_lines, name_of};
use crate::current::notice::NoticeCheck;
use crate::current::versions::{ExactSettlement, exact_settlements};
use crate::{Ports, StepError};

/// Settlements are written together while they have no more lines than this; the lines are then in memory.
const CHUNK_LINES_MAX: u64 = 200_000;

/// Write the Dintero reports of that report's settlements.
#[derive(Debug, Clone)]
pub struct WriteReports {
    /// The account it was accepted for.
    pub account: AccountId,
    /// The report.
    pub report: ReportId,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// What came of a report's settlements.
#[derive(Debug, Default)]
pub struct WrittenReports {
    /// Keys of the Dintero reports that were written now; what was there before is left out.
    pub written: Vec<Key>,
    /// Settlements that are not exact and therefore do not flow on, with how they stand to their notice.
    pub withheld: Vec<(SettleKey, NoticeCheck)>,
}

/// Writes what is missing of the settlements that are exact; running it again changes nothing.
///
/// # Errors
/// When the report is not committed, or a port or the disk fails.
pub async fn write_reports(ports: &Ports, command: &WriteReports) -> Result<WrittenReports, StepError> {
    let (exact, withheld) = exact_settlements(ports, &command.account, command.report, &command.scratch).await?;
    let mut done = WrittenReports { written: Vec::new(), withheld };
    let mut missing = Vec::new();
    for owned in exact {
        let keys = ReportType::ALL.map(|form| report_key(&owned.key, owned.version.version, form));
        if !are_all_there(ports, &keys).await? {
            missing.push(owned);
        }
    }
    if missing.is_empty() {
        return Ok(done);
    }
    let language = Language::of(&store::account(&*ports.state, &command.account).await?.language);
    let lines = NamedTempFile::new_in(&command.scratch)?;
    fetch_lines(ports, &command.account, command.report, &lines).await?;
    let mut chunk: Vec<ExactSettlement> = Vec::new();
    for owned in missing {
        let size: u64 = chunk.iter().map(|owned| owned.version.settlement.lines).sum();
        if !chunk.is_empty() && size + owned.version.settlement.lines > CHUNK_LINES_MAX {
            write_chunk(ports, command, language, &lines, &chunk, &mut done.written).await?;
            chunk.clear();
        }
        chunk.push(owned);
    }
    write_chunk(ports, command, language, &lines, &chunk, &mut done.written).await?;
    Ok(done)
}

/// Whether all forms of a version's Dintero report are there. A list tells, for which nobody has to be let read them.
pub(crate) async fn has_documents(ports: &Ports, key: &SettleKey, version: u32) -> Result<bool, StepError> {
    let name = |extension| Key::DinteroReport { settlement: key.clone(), version, extension }.to_string();
    // Each is written once, so that one page has them all.
    let page = ports.objects.versions(&name(""), None).await?;
    let is_there = |form: ReportType| page.versions.iter().any(|listed| listed.key == name(form.extension()));
    Ok(ReportType::ALL.into_iter().all(is_there))
}

fn report_key(settlement: &SettleKey, version: u32, form: ReportType) -> Key {
    Key::DinteroReport { settlement: settlement.clone(), version, extension: form.extension() }
}

/// Whether nothing is left to be written: the lines need not be read then.
async fn are_all_there(ports: &Ports, keys: &[Key]) -> Result<bool, StepError> {
    for key in keys {
        if ports.objects.head(key).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads the lines once for all settlements given; one that is too large to be held is read once per form, and once before.
async fn write_chunk(
    ports: &Ports,
    command: &WriteReports,
    language: Language,
    lines: &NamedTempFile,
    chunk: &[ExactSettlement],
    written: &mut Vec<Key>,
) -> Result<(), StepError> {
    if let [owned] = chunk
        && owned.version.settlement.lines > CHUNK_LINES_MAX
    {
        let own = || -> Result<_, StepError> {
            let all = tables::read_lines(File::open(lines.path())?)?;
            Ok(all.filter(|line| line.as_ref().map_or(true, |line| owned.name() == name_of(line))))
        };
        let mut breakdown = Breakdown::of(own()?)?;
        owned.added.iter().for_each(|line| breakdown.add(line));
        for form in ReportType::ALL {
            written.push(write(ports, command, language, owned, &breakdown, form, own()?).await?);
        }
        return Ok(());
    }
    let mut own: Vec<Vec<LineRecord>> = chunk.iter().map(|_| Vec::new()).collect();
    let places: HashMap<(&str, &str, Currency), usize> =
        chunk.iter().enumerate().map(|(place, owned)| (owned.name(), place)).collect();
    for line in tables::read_lines(File::open(lines.path())?)? {
        let line = line?;
        if let Some(own) = places.get(&name_of(&line)).and_then(|place| own.get_mut(*place)) {
            own.push(line);
        }
    }
    for (owned, own) in chunk.iter().zip(own) {
        let mut breakdown = Breakdown::default();
        own.iter().chain(&owned.added).for_each(|line| breakdown.add(line));
        for form in ReportType::ALL {
            let lines = own.iter().cloned().map(Ok::<_, std::convert::Infallible>);
            written.push(write(ports, command, language, owned, &breakdown, form, lines).await?);
        }
    }
    Ok(())
}

async fn write<E: std::error::Error + Send + Sync + 'static>(
    ports: &Ports,
    command: &WriteReports,
    language: Language,
    owned: &ExactSettlement,
    breakdown: &Breakdown,
    form: ReportType,
    lines: impl Iterator<Item = Result<LineRecord, E>>,
) -> Result<Key, StepError> {
    let file = NamedTempFile::new_in(&command.scratch)?;
    let mut out = BufWriter::new(file.reopen()?);
    let lines = lines.chain(owned.added.iter().cloned().map(Ok));
    let SettlementVersion { settlement, version, report, .. } = &owned.version;
    let (version, report) = (*version, *report);
    let key = &owned.key;
    DinteroReport { key, settlement, version, report, breakdown, language }.write(form, lines, &mut out)?;
    out.flush()?;
    drop(out);
    let written = report_key(key, version, form);
    ports.objects.upload_new(&written, file.path()).await?;
    Ok(written)
}
