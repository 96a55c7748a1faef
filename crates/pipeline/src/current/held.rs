//! Held reports: those that wait for a person, which of them a word names, and what is wrong with one.

use serde::Deserialize;
use settlement::{AccountId, Kind, Problem};
use store::keys::Key;
use store::{HeldItem, Place, Query, ReportItem};

use crate::{Ports, StepError};

/// A report that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldReport {
    /// What became of it.
    pub report: ReportItem,
    /// Why it is held; `None` when reading it crashed.
    pub kind: Option<Kind>,
    /// Since when, and with which settlements.
    pub held: HeldItem,
}

impl HeldReport {
    /// Whether `word` names it: the beginning of its id (four digits or more) or of its file name, or a settlement of it,
    /// alone or after its merchant number, as in `123456/2000461`.
    pub fn is_named(&self, word: &str) -> bool {
        let word_lowercase = word.to_lowercase();
        let by_id = word.len() >= 4 && self.report.report.to_string().starts_with(&word_lowercase);
        let by_settlement = || {
            self.held.settlements.iter().any(|settlement| {
                let (merchant, id) = (settlement.merchant_number.as_str(), settlement.settlement_id.as_str());
                id == word || word.strip_suffix(id).and_then(|rest| rest.strip_suffix('/')) == Some(merchant)
            })
        };
        by_id || self.report.name.to_lowercase().starts_with(&word_lowercase) || by_settlement()
    }
}

/// The reports of an account that are held now, the longest held first.
///
/// # Errors
/// When the state cannot answer.
pub async fn all(ports: &Ports, account: &AccountId) -> Result<Vec<HeldReport>, StepError> {
    let mut reports = Vec::new();
    for entry in store::all(&*ports.state, Query::held(account)).await? {
        let held: HeldItem = store::decode(&entry)?;
        let Some((report, _)) = Place::report(held.report, account).read::<ReportItem>(&*ports.state).await? else {
            continue;
        };
        if let Some(kind) = report.state.held_kind() {
            reports.push(HeldReport { report, kind, held });
        }
    }
    reports.sort_by(|a, b| (a.held.at, &a.report.name).cmp(&(b.held.at, &b.report.name)));
    Ok(reports)
}

/// Whether any report of an account was ever held.
///
/// # Errors
/// When the state cannot answer.
pub async fn is_any_known(ports: &Ports, account: &AccountId) -> Result<bool, StepError> {
    let query = Query { limit: 1, ..Query::held(account) };
    Ok(store::Pager::new(&*ports.state, query).next().await?.is_some())
}

/// The one held report that `word` names.
///
/// # Errors
/// When it names none or several, or the state cannot answer.
pub async fn named(ports: &Ports, account: &AccountId, word: &str) -> Result<HeldReport, StepError> {
    let all = all(ports, account).await?;
    let count = all.len();
    let mut named: Vec<HeldReport> = all.into_iter().filter(|held| held.is_named(word)).collect();
    // The same file name may have come twice: an id in full still names one.
    if let Some(exact) = named.iter().position(|held| held.report.report.to_string() == word) {
        return Ok(named.swap_remove(exact));
    }
    match named.len() {
        1 => Ok(named.swap_remove(0)),
        0 => Err(StepError::Refused(format!(
            "Found no held report {word:?} in account {account}, which has {count}. `avstem held list` shows them; name one by the \
             beginning of its id or file name, or by its settlement"
        ))),
        _ => {
            let names = named.iter().map(|held| format!("{} ({})", held.report.report.short(), held.report.name));
            let names: Vec<String> = names.collect();
            Err(StepError::Refused(format!("{word:?} names {} held reports: {}", names.len(), names.join(", "))))
        }
    }
}

/// What is wrong with a held report, as it was found last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct HeldProblems {
    /// The problems, notes among them.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub beyond_limit: u64,
}

/// Reads what is wrong with a held report; nothing is found of one whose reading crashed.
///
/// # Errors
/// When the objects cannot be read.
pub async fn problems(ports: &Ports, held: &HeldReport) -> Result<HeldProblems, StepError> {
    let (account, report) = (held.report.account.clone(), held.report.report);
    let key = |attempt: u32| Key::Problems { account: account.clone(), report, attempt };
    let first = key(1).to_string();
    let prefix = first.trim_end_matches("1.json");
    let page = ports.objects.versions(prefix, None).await?;
    let attempts = page.versions.iter().filter_map(|listed| {
        let attempt = listed.key.strip_prefix(prefix)?.strip_suffix(".json")?.parse::<u32>().ok()?;
        Some((attempt, &listed.version))
    });
    let Some((attempt, version)) = attempts.max() else { return Ok(HeldProblems::default()) };
    let mut json = Vec::new();
    ports.objects.fetch(&key(attempt), version, &mut json).await?;
    serde_json::from_slice(&json).map_err(|error| StepError::Refused(format!("Cannot read {}: {error}", key(attempt))))
}
