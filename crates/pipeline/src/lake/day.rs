//! One day of payouts: its two large tables, streamed from the tables of reports, and the sums that the months are made of.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;

use jiff::civil::Date;
use settlement::{Currency, Line, LineBatch, LineRecord, Sink, TermSums};
use store::{EventState, MatchItem, OutboxItem, Place};
use tables::{DayLines, DayMatches, EventStates, LineTable, Packing, Shown};
use tempfile::NamedTempFile;

use super::files::Fetched;
use super::versions::Version;
use crate::StepError;
use crate::current::events::batches_of;
use store::{DayItem, DayPayout, DaySum, SumOf};

/// The tables of a day on local disk.
pub(super) struct DayFiles {
    pub(super) lines: NamedTempFile,
    pub(super) matches: NamedTempFile,
    /// Without the objects, which are not put yet.
    pub(super) item: DayItem,
}

/// How versions that arrive from another day are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arriving {
    /// As what they are.
    Counts,
    /// As if they did not count yet: the day they come from still shows the version before.
    Waits,
}

/// Makes the tables of a day; its versions are all that are paid out on it.
pub(super) async fn make(
    fetched: &mut Fetched<'_>,
    payout_on: Date,
    versions: &[&Version],
    arriving: Arriving,
) -> Result<DayFiles, StepError> {
    let packing = fetched.ports.packing;
    let lines = NamedTempFile::new_in(fetched.scratch)?;
    let matches = NamedTempFile::new_in(fetched.scratch)?;
    let mut day_lines = DayLines::create(BufWriter::new(lines.reopen()?), payout_on, packing)?;
    let mut day_matches = DayMatches::create(BufWriter::new(matches.reopen()?), payout_on, packing)?;
    let mut by_report: BTreeMap<_, Vec<(usize, &Version)>> = BTreeMap::new();
    for (number, version) in versions.iter().enumerate() {
        let report = (&version.key.provider, version.record.report);
        by_report.entry(report).or_default().push((number, version));
    }
    for ((_, report), of_report) in by_report {
        let counts = |version: &Version| version.is_current && !(arriving == Arriving::Waits && version.arrives());
        let shown: Vec<Shown<'_>> = of_report.iter().map(|(number, v)| v.shown(*number, counts(v))).collect();
        let matched = Place::matches(report, fetched.account).read::<MatchItem>(&*fetched.ports.state).await?;
        let mut matched_file = None;
        let mut about = Vec::new();
        if let Some((item, _)) = matched {
            let is_about =
                |(_, version): &&(usize, &Version)| counts(version) && item.settlements.contains(&version.key);
            about.extend(of_report.iter().filter(is_about).map(|(number, version)| version.shown(*number, true)));
            if !about.is_empty() {
                matched_file = fetched.matches(report, &item.digest).await?;
            }
        }
        if let Some(file) = &matched_file {
            let events = events_of(fetched, &of_report).await?;
            day_matches.add(file.try_clone()?, &about, &events)?;
        }
        let file = fetched.lines(report).await?;
        day_lines.add(file, &shown, matched_file.map(|file| (file, about.as_slice())))?;
        if let Some(file) = added_lines(&of_report)? {
            day_lines.add(file, &shown, None)?;
        }
    }
    day_matches.close()?;
    let (_, rows, sums) = day_lines.close()?;
    let item = item_of(versions, rows, sums)?;
    Ok(DayFiles { lines, matches, item })
}

/// How far the settlement events of versions that count have come.
async fn events_of(fetched: &Fetched<'_>, versions: &[(usize, &Version)]) -> Result<EventStates, StepError> {
    let mut states = EventStates::new();
    for (number, version) in versions.iter().filter(|(_, version)| version.is_current) {
        let outbox = Place::outbox(&version.key).read::<OutboxItem>(&*fetched.ports.state).await?;
        let Some((outbox, _)) = outbox else { continue };
        for (id, batch, _) in batches_of(fetched.ports, &version.key).await? {
            if !outbox.batches.contains(&id) {
                continue;
            }
            let events = batch.events.into_iter().filter(|event| event.state != EventState::Superseded);
            states.extend(events.map(|event| ((*number, event.transaction), event.state.word())));
        }
    }
    Ok(states)
}

/// The lines that notices add, as a table like a report's own; `None` without any.
fn added_lines(versions: &[(usize, &Version)]) -> Result<Option<File>, StepError> {
    let with_lines: Vec<&Version> = versions.iter().map(|(_, v)| *v).filter(|v| !v.added.is_empty()).collect();
    let Some(first) = with_lines.first() else { return Ok(None) };
    let file = tempfile::tempfile()?;
    let owner = first.owner.clone();
    let mut table = LineTable::create(file.try_clone()?, owner, Packing::None)?;
    for (place, version) in (0_u32..).zip(&with_lines) {
        table.open(&version.settlement().head)?;
        let mut batch = LineBatch::default();
        version.added.iter().for_each(|line| batch.push(&borrowed(place, line)));
        table.lines(&batch)?;
    }
    table.seal(&[])?;
    Ok(Some(file))
}

fn borrowed(settlement: u32, line: &LineRecord) -> Line<'_> {
    fn text(value: &Option<String>) -> &str {
        value.as_deref().unwrap_or_default()
    }
    Line {
        settlement,
        row: u32::try_from(line.line_no).unwrap_or_default(),
        kind: line.kind,
        terms: line.terms,
        provider_transaction_id: text(&line.provider_transaction_id),
        original_reference: text(&line.original_reference),
        order_reference: text(&line.order_reference),
        correlation_id: text(&line.correlation_id),
        provider_method: text(&line.provider_method),
        provider_kind: text(&line.provider_kind),
        store_id: text(&line.store_id),
        payout_destination_id: text(&line.payout_destination_id),
        captured_at_us: line.captured_at_us,
        provider_date: line.provider_date,
    }
}

/// Sums over all settlements of a day.
fn item_of(versions: &[&Version], lines: u64, sums: Vec<tables::LineSum>) -> Result<DayItem, StepError> {
    let mut by_kind: BTreeMap<SumOf, (u64, TermSums)> = BTreeMap::new();
    for sum in sums {
        let Some(version) = versions.get(sum.number) else { continue };
        let of = SumOf {
            provider: version.key.provider.to_string(),
            merchant_number: version.key.merchant_number.to_string(),
            payment_product: sum.payment_product,
            state: sum.state,
            currency: version.key.currency,
            fees: version.settlement().fees,
            month: sum.month,
            is_paid: version.is_paid,
        };
        let (lines, terms) = by_kind.entry(of).or_default();
        *lines += sum.lines;
        terms.add(&sum.terms);
    }
    let mut payouts: BTreeMap<(&str, Currency), [i128; 3]> = BTreeMap::new();
    for version in versions.iter().filter(|version| version.is_current && version.is_paid) {
        let settlement = version.settlement();
        let stated = [settlement.opening_minor, settlement.closing_minor, settlement.payout_minor.unwrap_or(0)];
        let sums = payouts.entry((&version.key.provider, version.key.currency)).or_default();
        sums.iter_mut().zip(stated).for_each(|(sum, minor)| *sum += i128::from(minor));
    }
    let beyond = || StepError::Refused("A sum of a day is beyond any amount that is believed".to_owned());
    let sums = by_kind.into_iter().map(|(of, (lines, terms))| Some(DaySum { of, lines, terms: terms.terms()? }));
    let payout = |((provider, currency), [opening, closing, payout]): ((&str, Currency), [i128; 3])| {
        Some(DayPayout {
            provider: provider.to_owned(),
            currency,
            opening_minor: i64::try_from(opening).ok()?,
            closing_minor: i64::try_from(closing).ok()?,
            payout_minor: i64::try_from(payout).ok()?,
        })
    };
    Ok(DayItem {
        objects: BTreeMap::new(),
        lines,
        sums: sums.collect::<Option<_>>().ok_or_else(beyond)?,
        payouts: payouts.into_iter().map(payout).collect::<Option<_>>().ok_or_else(beyond)?,
    })
}
