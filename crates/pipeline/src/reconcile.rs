//! Reconcile: every settlement of a committed report gets its Dintero report.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use documents::{DinteroReport, ReportType};
use settlement::{AccountId, Currency, LineRecord, ReportId, SettleKey};
use tempfile::NamedTempFile;

use crate::StepError;
use crate::items::{Place, ReportItem, ReportState, SettlementItem, SettlementVersion};
use crate::keys::Key;
use crate::notice::{self, Together};
use crate::parse::settlements_of;
use crate::ports::Ports;
use crate::standing::fetch_lines;

/// Settlements are written together while they have no more lines than this; the lines are then in memory.
const LINES_TOGETHER_MAX: u64 = 200_000;

/// Write the Dintero reports of that report's settlements.
#[derive(Debug, Clone)]
pub struct ReconcileReport {
    /// The account it was accepted for.
    pub account: AccountId,
    /// The report.
    pub report: ReportId,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// What came of a report's settlements.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// Keys of the Dintero reports that are written.
    pub written: Vec<Key>,
    /// Settlements that are not exact and therefore do not flow on, with how they stand to their notice.
    pub withheld: Vec<(SettleKey, Together)>,
}

/// Writes what is missing of the settlements that are exact; running it again changes nothing.
///
/// # Errors
/// When the report is not committed, or a port or the disk fails.
pub async fn run(ports: &Ports, command: &ReconcileReport) -> Result<Reconciled, StepError> {
    let place = Place::report(command.report, &command.account);
    let report = place.read::<ReportItem>(&*ports.state).await?.map(|(item, _)| item);
    if report.as_ref().map(|item| &item.state) != Some(&ReportState::Committed) {
        let message = format!("Report {} is not committed, so that nothing of it may flow on", command.report.short());
        return Err(StepError::Refused(message));
    }
    let lines = NamedTempFile::new_in(&command.scratch)?;
    fetch_lines(ports, &command.account, command.report, &lines).await?;
    let mut done = Reconciled::default();
    let mut together: Vec<Owned> = Vec::new();
    for mut owned in owned_settlements(ports, command).await? {
        match notice::together(ports, &owned.key, &owned.version, &command.scratch).await? {
            Together::Agree(confirmed) => {
                owned.version.settlement = confirmed.settlement;
                owned.added = confirmed.added;
            }
            other => {
                done.withheld.push((owned.key, other));
                continue;
            }
        }
        let size: u64 = together.iter().map(|owned| owned.version.settlement.lines).sum();
        if !together.is_empty() && size + owned.version.settlement.lines > LINES_TOGETHER_MAX {
            write_together(ports, command, &lines, &together, &mut done.written).await?;
            together.clear();
        }
        together.push(owned);
    }
    write_together(ports, command, &lines, &together, &mut done.written).await?;
    Ok(done)
}

/// A settlement version that this report made.
struct Owned {
    key: SettleKey,
    version: SettlementVersion,
    /// Lines that its notice adds.
    added: Vec<LineRecord>,
}

impl Owned {
    fn name(&self) -> (&str, &str, Currency) {
        (&self.key.merchant_number, &self.key.settlement_id, self.key.currency)
    }

    fn has(&self, line: &LineRecord) -> bool {
        self.name() == (line.merchant_number.as_str(), line.settlement_id.as_str(), line.currency)
    }
}

async fn owned_settlements(ports: &Ports, command: &ReconcileReport) -> Result<Vec<Owned>, StepError> {
    let mut owned = Vec::new();
    for listed in settlements_of(ports, command.report, &command.account).await? {
        let Some(version) = listed.version else { continue };
        let record = Place::settlement(&listed.key).read::<SettlementItem>(&*ports.state).await?;
        let versions = record.map(|(item, _)| item.versions).unwrap_or_default();
        let own = versions.into_iter().find(|v| v.version == version && v.report == command.report);
        if let Some(version) = own {
            owned.push(Owned { key: listed.key, version, added: Vec::new() });
        }
    }
    Ok(owned)
}

/// Reads the lines once for all settlements given; one that is too large to be held is read once per form.
async fn write_together(
    ports: &Ports,
    command: &ReconcileReport,
    lines: &NamedTempFile,
    together: &[Owned],
    written: &mut Vec<Key>,
) -> Result<(), StepError> {
    if let [owned] = together
        && owned.version.settlement.lines > LINES_TOGETHER_MAX
    {
        for form in ReportType::ALL {
            let own = tables::read_lines(File::open(lines.path())?)?
                .filter(|line| line.as_ref().map_or(true, |line| owned.has(line)));
            written.push(write(ports, command, owned, form, own).await?);
        }
        return Ok(());
    }
    let mut own: Vec<Vec<LineRecord>> = together.iter().map(|_| Vec::new()).collect();
    let places: HashMap<(&str, &str, Currency), usize> =
        together.iter().enumerate().map(|(place, owned)| (owned.name(), place)).collect();
    for line in tables::read_lines(File::open(lines.path())?)? {
        let line = line?;
        let name = (line.merchant_number.as_str(), line.settlement_id.as_str(), line.currency);
        if let Some(own) = places.get(&name).and_then(|place| own.get_mut(*place)) {
            own.push(line);
        }
    }
    for (owned, own) in together.iter().zip(own) {
        for form in ReportType::ALL {
            let lines = own.iter().cloned().map(Ok::<_, std::convert::Infallible>);
            written.push(write(ports, command, owned, form, lines).await?);
        }
    }
    Ok(())
}

async fn write<E: std::error::Error + Send + Sync + 'static>(
    ports: &Ports,
    command: &ReconcileReport,
    owned: &Owned,
    form: ReportType,
    lines: impl Iterator<Item = Result<LineRecord, E>>,
) -> Result<Key, StepError> {
    let key = Key::DinteroReport {
        settlement: owned.key.clone(),
        version: owned.version.version,
        extension: form.extension(),
    };
    let file = NamedTempFile::new_in(&command.scratch)?;
    let mut out = BufWriter::new(file.reopen()?);
    let lines = lines.chain(owned.added.iter().cloned().map(Ok));
    DinteroReport { key: &owned.key, settlement: &owned.version.settlement }.write(form, lines, &mut out)?;
    out.flush()?;
    drop(out);
    ports.objects.upload_new(&key, file.path()).await?;
    Ok(key)
}
