//! Explain: everything that happened to what a word names, from the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use settlement::{AccountId, Currency, LineRecord, ReportId, SettleKey, Transaction};
use store::keys::LandingKey;
use store::{HeldItem, JournalItem, ObjectItem, ObjectPager, Place, Query, ReportItem, SettlementItem, settlement_key};
use tables::MatchRow;
use tempfile::NamedTempFile;

use crate::current::events::batches_of;
use crate::current::lines::fetch_lines;
use crate::current::match_rows;
use crate::current::versions::Versions;
use crate::transactions::mirror;
use crate::{Ports, StepError};

/// So many digits of a report's id name it.
const ID_DIGITS_MIN: usize = 4;

/// What is known of what a word names.
#[derive(Debug, Default)]
pub struct Explanation {
    /// The settlements that it names, or that hold a line that it names, with their keys.
    pub settlements: Vec<(SettleKey, SettlementItem)>,
    /// The reports that brought them, or that it names.
    pub reports: Vec<ReportItem>,
    /// The lines that it names as an order or a transaction.
    pub lines: Vec<ExplainedLine>,
    /// Dintero's transactions that it names, as far as they were synchronised.
    pub transactions: Vec<Transaction>,
    /// What happened, in the order of time.
    pub journal: Vec<JournalItem>,
}

impl Explanation {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.settlements.is_empty() && self.reports.is_empty() && self.transactions.is_empty()
    }
}

/// A line of a settlement in force, with what it was last matched with.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedLine {
    /// The settlement.
    pub settlement: SettleKey,
    /// The line.
    pub line: LineRecord,
    /// What it was last matched with; `None` where it never was.
    pub matched: Option<MatchRow>,
}

/// Finds what `word` names in the account: a settlement id, a merchant number with it (`123456/2000461`), the beginning of a
/// report id, a file name; and where it names none of these, an order or a transaction.
///
/// Orders and transactions are looked for in every line of the account.
///
/// # Errors
/// When the state cannot answer, or a table is gone.
pub async fn run(ports: &Ports, account: &AccountId, word: &str, scratch: &Path) -> Result<Explanation, StepError> {
    let mut found = Finder { ports, account, found: Explanation::default(), places: Vec::new(), reports: Vec::new() };
    let mut known = BTreeSet::new();
    for item in store::all(&*ports.state, Query::settlements(account)).await? {
        let settlement: SettlementItem = store::decode(&item)?;
        known.extend(settlement.versions.iter().map(|version| version.report));
        if names(&item.sort, word) {
            found.add_settlement(settlement_key(&item)?, settlement).await?;
        }
    }
    // Each further place costs more to look at, and is looked at where nothing was found before.
    if found.is_empty() {
        for entry in store::all(&*ports.state, Query::held(account)).await? {
            known.insert(store::decode::<HeldItem>(&entry)?.report);
        }
        found.reports.extend(named_by_id(&known, word));
    }
    if found.is_empty() {
        found.reports.extend(uploaded_as(ports, account, word).await?);
    }
    if found.is_empty() {
        found.look_for_reference(word, scratch).await?;
    }
    found.end().await
}

/// What is gathered of a word.
struct Finder<'a> {
    ports: &'a Ports,
    account: &'a AccountId,
    found: Explanation,
    /// The records whose journal is shown.
    places: Vec<Place>,
    reports: Vec<ReportId>,
}

impl Finder<'_> {
    fn is_empty(&self) -> bool {
        self.places.is_empty() && self.reports.is_empty()
    }

    async fn add_settlement(&mut self, key: SettleKey, settlement: SettlementItem) -> Result<(), StepError> {
        for version in &settlement.versions {
            self.reports.push(version.report);
            self.places.push(Place::matches(version.report, self.account));
        }
        self.places.extend([Place::settlement(&key), Place::notice(&key), Place::outbox(&key)]);
        if !settlement.versions.is_empty() {
            for (batch, _, _) in batches_of(self.ports, &key).await? {
                self.places.push(Place::batch(&key, &batch));
            }
            self.found.settlements.push((key, settlement));
        }
        Ok(())
    }

    /// Looks for an order or a transaction in all lines and in the mirror of transactions.
    async fn look_for_reference(&mut self, word: &str, scratch: &Path) -> Result<(), StepError> {
        let (ports, account) = (self.ports, self.account);
        let is_word = |reference: &Option<String>| reference.as_deref() == Some(word);
        let mut rows: BTreeMap<LineName, MatchRow> = BTreeMap::new();
        match_rows::rows(ports, account, scratch, |_, row| -> Result<(), StepError> {
            if is_word(&row.transaction_id) || is_word(&row.merchant_reference) || is_word(&row.merchant_reference_2) {
                rows.insert((row.merchant_number.clone(), row.settlement_id.clone(), row.currency, row.line_no), row);
            }
            Ok(())
        })
        .await?;
        let mut reports: BTreeMap<ReportId, Vec<SettleKey>> = BTreeMap::new();
        for (key, version) in Versions::new(ports, account).all().await? {
            reports.entry(version.report).or_default().push(key);
        }
        for (report, keys) in reports {
            let file = NamedTempFile::new_in(scratch)?;
            fetch_lines(ports, account, report, &file).await?;
            for line in tables::read_lines(File::open(file.path())?)? {
                let line = line?;
                let matched = rows.get(&line_name(&line));
                let is_named = is_word(&line.order_reference)
                    || is_word(&line.provider_transaction_id)
                    || is_word(&line.original_reference);
                if matched.is_none() && !is_named {
                    continue;
                }
                let own = |key: &&SettleKey| {
                    *key.merchant_number == *line.merchant_number
                        && *key.settlement_id == *line.settlement_id
                        && key.currency == line.currency
                };
                if let Some(key) = keys.iter().find(own) {
                    let matched = matched.cloned();
                    self.found.lines.push(ExplainedLine { settlement: key.clone(), line, matched });
                }
            }
        }
        let keys: BTreeSet<SettleKey> = self.found.lines.iter().map(|line| line.settlement.clone()).collect();
        for key in keys {
            if let Some((item, _)) = Place::settlement(&key).read::<SettlementItem>(&*ports.state).await? {
                self.add_settlement(key, item).await?;
            }
        }
        let lines = &self.found.lines;
        let matched: BTreeSet<&str> =
            lines.iter().filter_map(|line| line.matched.as_ref()?.transaction_id.as_deref()).collect();
        let mut transactions = Vec::new();
        mirror::read(ports, account, |transaction| {
            let references = [Some(&transaction.merchant_reference), transaction.merchant_reference_2.as_ref()];
            let is_named = transaction.id == word || references.into_iter().flatten().any(|known| known == word);
            if is_named || matched.contains(transaction.id.as_str()) {
                transactions.push(transaction);
            }
            Ok(())
        })
        .await?;
        self.found.transactions = transactions;
        Ok(())
    }

    /// Reads the reports and the journal of all that was found.
    async fn end(mut self) -> Result<Explanation, StepError> {
        let mut seen = BTreeSet::new();
        for report in std::mem::take(&mut self.reports) {
            let place = Place::report(report, self.account);
            if !seen.insert(report) {
                continue;
            }
            let known = place.read::<ReportItem>(&*self.ports.state).await?;
            self.found.reports.extend(known.map(|(report, _)| report));
            self.places.push(place);
        }
        let mut shown = BTreeSet::new();
        for place in &self.places {
            if !shown.insert((place.partition.clone(), place.sort.clone())) {
                continue;
            }
            for item in store::all(&*self.ports.state, Query::journal(place)).await? {
                self.found.journal.push(store::decode(&item)?);
            }
        }
        self.found.journal.sort_by_key(|entry| (entry.at, entry.order));
        Ok(self.found)
    }
}

/// A line within an account: merchant number, settlement, currency and line number.
type LineName = (String, String, Currency, i64);

fn line_name(line: &LineRecord) -> LineName {
    (line.merchant_number.clone(), line.settlement_id.clone(), line.currency, line.line_no)
}

/// Whether `word` is the settlement id of a sort key `<provider>/<merchant>/<id>/<currency>`, alone or with what is before.
fn names(sort: &str, word: &str) -> bool {
    let Some((without_currency, _)) = sort.rsplit_once('/') else { return false };
    without_currency == word || without_currency.ends_with(&format!("/{word}")) || sort == word
}

/// The reports whose id begins so; one that is not listed is still found by its whole id.
fn named_by_id(known: &BTreeSet<ReportId>, word: &str) -> Vec<ReportId> {
    if let Ok(report) = ReportId::try_from(word.to_owned()) {
        return vec![report];
    }
    let (word, is_id) = (word.to_lowercase(), word.len() >= ID_DIGITS_MIN);
    known.iter().filter(|report| is_id && report.to_string().starts_with(&word)).copied().collect()
}

/// The reports that were uploaded under that file name, as long as the uploads are kept.
async fn uploaded_as(ports: &Ports, account: &AccountId, name: &str) -> Result<Vec<ReportId>, StepError> {
    let mut found = Vec::new();
    let mut listing = ObjectPager::new(&*ports.objects, format!("landing/{account}/"));
    while let Some(listed) = listing.next().await? {
        let landing = listed.key.strip_prefix("landing/").and_then(|key| key.parse::<LandingKey>().ok());
        if landing.is_some_and(|landing| landing.name == name) {
            let object = Place::object(&listed.key, &listed.version).read::<ObjectItem>(&*ports.state).await?;
            found.extend(object.and_then(|(object, _)| object.report));
        }
    }
    Ok(found)
}
