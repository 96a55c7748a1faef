//! The lines of one report on their way into its match table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use matching::{MatchState, Seen, match_line};
use settlement::{Currency, LineRecord, SettleKey};
use store::MatchItem;
use tables::{MatchRow, MatchTable};
use tempfile::NamedTempFile;

use super::known::{Known, MatchAccount, ReportInForce};
use crate::current::lines::{fetch_lines, name_of};
use crate::{Ports, StepError, report_id_of};

/// The lines of a report, and whom they are matched for.
pub(super) struct ReportLines<'a> {
    pub(super) ports: &'a Ports,
    pub(super) command: &'a MatchAccount,
    pub(super) report: &'a ReportInForce,
    /// What notices add, by settlement.
    pub(super) added: Vec<(SettleKey, Vec<LineRecord>)>,
}

/// A match table on local disk, and its record.
pub(super) struct Written {
    pub(super) item: MatchItem,
    pub(super) file: NamedTempFile,
}

impl ReportLines<'_> {
    /// Matches the lines in the order of the report, then what notices add, and writes what they came to.
    pub(super) async fn write(self, known: &Known, seen: &mut Seen) -> Result<Written, StepError> {
        let ReportLines { ports, command, report, added } = self;
        let MatchAccount { account, scratch, .. } = command;
        let lines = NamedTempFile::new_in(scratch)?;
        fetch_lines(ports, account, report.report, &lines).await?;
        let provider = report.settlements.keys().next().map(|key| key.provider.to_string()).unwrap_or_default();
        let payouts: BTreeMap<(&str, &str, Currency), Date> = report
            .settlements
            .iter()
            .map(|(key, version)| {
                let name = (key.merchant_number.as_str(), key.settlement_id.as_str(), key.currency);
                (name, version.settlement.head.payout_on)
            })
            .collect();
        let file = NamedTempFile::new_in(scratch)?;
        let mut table = MatchTable::create(file.reopen()?, account, &provider, report.report, ports.packing)?;
        let mut states: BTreeMap<String, u64> = BTreeMap::new();
        let mut add = |line: &LineRecord| -> Result<(), StepError> {
            let Some(payout_on) = payouts.get(&name_of(line)) else { return Ok(()) };
            let row = row(known, &provider, line, *payout_on, seen);
            *states.entry(row.state.clone()).or_default() += 1;
            Ok(table.add(row)?)
        };
        for line in tables::read_lines(File::open(lines.path())?)? {
            add(&line?)?;
        }
        let mut added_lines = 0;
        for line in added.iter().flat_map(|(_, lines)| lines) {
            add(line)?;
            added_lines += 1;
        }
        table.close()?;
        let digest = report_id_of(&mut File::open(file.path())?)?.to_string();
        let payout_days: BTreeSet<Date> = payouts.values().copied().collect();
        let settlements = report.settlements.keys().cloned().collect();
        let item = MatchItem { report: report.report, digest, settlements, added_lines, payout_days, states };
        Ok(Written { item, file })
    }
}

fn row(known: &Known, provider: &str, line: &LineRecord, payout_on: Date, seen: &mut Seen) -> MatchRow {
    let state = match_line(&known.index, provider, line, seen);
    let position = state.transaction_id().and_then(|id| known.index.position(id));
    let references = position.and_then(|position| known.references.get(position as usize));
    let product = position.and_then(|position| known.index.payment_product(position));
    let event = match &state {
        MatchState::Matched(matched) => i32::try_from(matched.event).ok(),
        _ => None,
    };
    MatchRow {
        merchant_number: line.merchant_number.clone(),
        settlement_id: line.settlement_id.clone(),
        currency: line.currency,
        line_no: line.line_no,
        state: state.as_str().to_owned(),
        reason: state.explained(provider),
        transaction_id: state.transaction_id().map(str::to_owned),
        transaction_event: event,
        payment_product: product.map(|(product, _)| product.to_owned()),
        payment_product_type: product.map(|(_, kind)| kind.to_owned()),
        merchant_reference: references.map(|(first, _)| first.to_string()),
        merchant_reference_2: references.and_then(|(_, second)| second.as_deref()).map(str::to_owned),
        payout_on,
    }
}

/// The first and last time of the lines; `None` when no line has any.
pub(super) fn days_of(lines: &NamedTempFile) -> Result<Option<(Timestamp, Timestamp)>, StepError> {
    let mut times: Option<(Timestamp, Timestamp)> = None;
    for line in tables::read_lines(File::open(lines.path())?)? {
        let line = line?;
        let noon = |day: Date| day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).ok();
        let at = line.captured_at_us.and_then(|us| Timestamp::from_microsecond(us).ok());
        let at = at.or_else(|| Some(noon(line.captured_on.or(line.provider_date)?)?.timestamp()));
        if let Some(at) = at {
            times = Some(times.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
    }
    Ok(times)
}
