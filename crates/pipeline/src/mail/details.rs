//! What the lines of a settlement are made of and were matched with: read once per report.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;

use documents::Breakdown;
use documents::mail::{LineToSee, Matched};
use settlement::{AccountId, Currency, LineRecord, ReportId};
use store::MatchItem;
use tempfile::NamedTempFile;

use crate::current::lines::{fetch_lines, name_of};
use crate::current::match_rows;
use crate::current::versions::ExactSettlement;
use crate::{Ports, StepError};

/// Merchant number, settlement id and currency: a settlement within its report.
type Name = (String, String, Currency);

/// What is told of the lines of one settlement.
#[derive(Debug, Clone, Default)]
pub(super) struct Details {
    pub(super) breakdown: Breakdown,
    /// `None` where nothing was matched.
    pub(super) matched: Option<Matched>,
    /// Net of the lines that are no transaction for certain, in minor units.
    pub(super) open_minor: i64,
}

impl Details {
    fn add(&mut self, line: &LineRecord, states: Option<&BTreeMap<i64, String>>) {
        self.breakdown.add(line);
        let Some(matched) = &mut self.matched else { return };
        // Lines that are matched are not kept by their numbers.
        let state = states.and_then(|states| states.get(&line.line_no)).map_or("matched", String::as_str);
        let net_minor = line.terms.net_minor();
        if !matches!(state, "matched" | "not_a_transaction") {
            self.open_minor = self.open_minor.saturating_add(net_minor.unwrap_or(0));
        }
        matched.add(state, || LineToSee {
            line_no: line.line_no,
            order_reference: line.order_reference.clone(),
            net_minor,
            state: state.to_owned(),
        });
    }
}

/// All settlements of the report that was read last: mails come report by report.
#[derive(Debug, Default)]
pub(super) struct Cache {
    report: Option<ReportId>,
    details: HashMap<Name, Details>,
    states: HashMap<Name, BTreeMap<i64, String>>,
}

impl Cache {
    /// The details of a settlement, with the lines that its notice adds.
    pub(super) async fn of(
        &mut self,
        ports: &Ports,
        account: &AccountId,
        scratch: &Path,
        owned: &ExactSettlement,
    ) -> Result<Details, StepError> {
        let report = owned.version.report;
        if self.report != Some(report) {
            *self = read(ports, account, scratch, report).await?;
        }
        let (merchant, settlement, currency) = owned.name();
        let name = (merchant.to_owned(), settlement.to_owned(), currency);
        let mut details = self.details.get(&name).cloned().unwrap_or_default();
        owned.added.iter().for_each(|line| details.add(line, self.states.get(&name)));
        Ok(details)
    }
}

async fn read(ports: &Ports, account: &AccountId, scratch: &Path, report: ReportId) -> Result<Cache, StepError> {
    let mut cache = Cache { report: Some(report), ..Cache::default() };
    let known: Option<MatchItem> = match_rows::known(ports, account, report).await?;
    if let Some(item) = &known {
        let file = NamedTempFile::new_in(scratch)?;
        match_rows::fetch(ports, account, item, &file).await?;
        for row in tables::read_matches(File::open(file.path())?)? {
            let row = row?;
            let states = cache.states.entry((row.merchant_number, row.settlement_id, row.currency)).or_default();
            if row.state != "matched" {
                states.insert(row.line_no, row.state);
            }
        }
    }
    let lines = NamedTempFile::new_in(scratch)?;
    fetch_lines(ports, account, report, &lines).await?;
    for line in tables::read_lines(File::open(lines.path())?)? {
        let line = line?;
        let (merchant, settlement, currency) = name_of(&line);
        let name = (merchant.to_owned(), settlement.to_owned(), currency);
        // A settlement of which another version is in force now is not in the table of matches.
        let states = cache.states.get(&name);
        let details = cache
            .details
            .entry(name)
            .or_insert_with(|| Details { matched: states.map(|_| Matched::default()), ..Details::default() });
        details.add(&line, states);
    }
    Ok(cache)
}
