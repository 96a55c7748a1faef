//! Explain: everything that happened to a report or a settlement, from the journal.

use settlement::{AccountId, SettleKey};
use store::{JournalItem, Place, Query, ReportItem, SettlementItem, settlement_key};

use crate::current::events::batches_of;
use crate::{Ports, StepError};

/// What the state tells of one report or settlement.
#[derive(Debug, Default)]
pub struct Explanation {
    /// The settlements that the word names, with their keys.
    pub settlements: Vec<(SettleKey, SettlementItem)>,
    /// The reports that brought them, or that the word names.
    pub reports: Vec<ReportItem>,
    /// What happened, in the order of time.
    pub journal: Vec<JournalItem>,
}

/// Finds what `word` names in the account: a settlement id, a merchant number with it (`123456/2000461`), or a report id.
///
/// # Errors
/// When the state cannot answer.
pub async fn run(ports: &Ports, account: &AccountId, word: &str) -> Result<Explanation, StepError> {
    let mut explanation = Explanation::default();
    let (mut places, mut reports) = (Vec::new(), Vec::new());
    for item in store::all(&*ports.state, Query::settlements(account)).await? {
        if !names(&item.sort, word) {
            continue;
        }
        let settlement: SettlementItem = store::decode(&item)?;
        for version in &settlement.versions {
            reports.push(version.report);
            places.push(Place::report(version.report, account));
            places.push(Place::matches(version.report, account));
        }
        let key = settlement_key(&item)?;
        places.extend([Place::settlement(&key), Place::notice(&key), Place::outbox(&key)]);
        if !settlement.versions.is_empty() {
            for (batch, _, _) in batches_of(ports, &key).await? {
                places.push(Place::batch(&key, &batch));
            }
            explanation.settlements.push((key, settlement));
        }
    }
    if let Ok(report) = settlement::ReportId::try_from(word.to_owned()) {
        reports.push(report);
        places.push(Place::report(report, account));
    }
    for report in reports {
        let known = Place::report(report, account).read::<ReportItem>(&*ports.state).await?;
        explanation.reports.extend(known.map(|(report, _)| report));
    }
    places.dedup();
    for place in &places {
        let entries = Query::journal(place);
        for item in store::all(&*ports.state, entries).await? {
            explanation.journal.push(store::decode(&item)?);
        }
    }
    explanation.journal.sort_by_key(|entry| (entry.at, entry.order));
    Ok(explanation)
}

/// Whether `word` is the settlement id of a sort key `<provider>/<merchant>/<id>/<currency>`, alone or with what is before.
fn names(sort: &str, word: &str) -> bool {
    let Some((without_currency, _)) = sort.rsplit_once('/') else { return false };
    without_currency == word || without_currency.ends_with(&format!("/{word}")) || sort == word
}
