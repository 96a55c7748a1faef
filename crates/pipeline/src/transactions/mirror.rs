//! The mirror of an account's transactions: one table for each day of first captures, so that matching never waits for
//! Dintero. What matching does not need was dropped before it came here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use settlement::{AccountId, Transaction, TransactionEvent, TransactionEventKind};
use store::keys::Key;
use store::{ObjectMeta, ObjectPager, PortErrorKind, PutNew};
use tempfile::NamedTempFile;

use crate::{Ports, StepError};

/// Others may replace a day this often while one is being merged.
const TRIES_MAX: usize = 8;

/// Merges transactions into the mirror: each replaces what was known of it. Gives the number of days that changed.
///
/// # Errors
/// When a port or the disk fails; what was merged before stays, and merging again changes nothing.
pub async fn merge(
    ports: &Ports,
    account: &AccountId,
    transactions: Vec<Transaction>,
    scratch: &Path,
) -> Result<usize, StepError> {
    let mut by_day: BTreeMap<Option<Date>, BTreeMap<String, Transaction>> = BTreeMap::new();
    for transaction in transactions {
        by_day.entry(captured_on(&transaction)).or_default().insert(transaction.id.clone(), transaction);
    }
    let mut changed = 0;
    let mut left: BTreeMap<Date, BTreeSet<String>> = BTreeMap::new();
    for (captured_on, new) in by_day {
        let later: Vec<(Date, String)> = new.values().flat_map(later_days).collect();
        if merge_day(ports, account, captured_on, new, scratch).await? {
            changed += 1;
            later.into_iter().for_each(|(day, id)| {
                left.entry(day).or_default().insert(id);
            });
        }
    }
    // After the copies of their new days: whoever ends in between leaves two copies, of which `read` gives the newer one.
    for (captured_on, ids) in left {
        take_out(ports, account, captured_on, &ids, scratch).await?;
    }
    Ok(changed)
}

/// The day in UTC on which money was first taken, or given back where nothing was taken.
fn captured_on(transaction: &Transaction) -> Option<Date> {
    let first = |kind| {
        let of_kind = |event: &&TransactionEvent| event.success && event.kind == kind;
        transaction.events.iter().filter(of_kind).filter_map(|event| event.at).min()
    };
    let at: Option<Timestamp> = first(TransactionEventKind::Capture).or_else(|| first(TransactionEventKind::Refund));
    Some(TimeZone::UTC.to_datetime(at?).date())
}

/// The later days with a capture of a transaction, each with its id. It lies under one of them where the capture of that day
/// was the first to succeed.
fn later_days(transaction: &Transaction) -> Vec<(Date, String)> {
    let captures =
        transaction.events.iter().filter(|event| event.success && event.kind == TransactionEventKind::Capture);
    let days: BTreeSet<Date> =
        captures.filter_map(|event| event.at).map(|at| TimeZone::UTC.to_datetime(at).date()).collect();
    days.into_iter().skip(1).map(|day| (day, transaction.id.clone())).collect()
}

/// How many events of a transaction succeeded: events are only ever added, so that the newer of two copies has more.
fn succeeded(transaction: &Transaction) -> usize {
    transaction.events.iter().filter(|event| event.success).count()
}

async fn merge_day(
    ports: &Ports,
    account: &AccountId,
    captured_on: Option<Date>,
    new: BTreeMap<String, Transaction>,
    scratch: &Path,
) -> Result<bool, StepError> {
    let key = Key::Mirror { account: account.clone(), captured_on };
    for _ in 0..TRIES_MAX {
        let (known, before) = read_day(ports, &key).await?;
        let known = known.into_iter().map(|transaction| (transaction.id.clone(), transaction));
        let mut all: BTreeMap<String, Transaction> = known.collect();
        // Whoever read a transaction first may merge it last: an older copy never takes the place of a newer one.
        let is_news = |(id, transaction): &(&String, &Transaction)| {
            all.get(*id).is_none_or(|known| known != *transaction && succeeded(known) <= succeeded(transaction))
        };
        let news: Vec<(String, Transaction)> =
            new.iter().filter(is_news).map(|(id, transaction)| (id.clone(), transaction.clone())).collect();
        if news.is_empty() {
            return Ok(false);
        }
        all.extend(news);
        if replace_day(ports, account, &key, &all, before.as_ref(), scratch).await? {
            return Ok(true);
        }
    }
    Err(replaced_too_often(&key))
}

/// Takes transactions out of a day that they have left for an earlier one.
async fn take_out(
    ports: &Ports,
    account: &AccountId,
    captured_on: Date,
    ids: &BTreeSet<String>,
    scratch: &Path,
) -> Result<(), StepError> {
    let key = Key::Mirror { account: account.clone(), captured_on: Some(captured_on) };
    for _ in 0..TRIES_MAX {
        let (known, before) = read_day(ports, &key).await?;
        let count = known.len();
        let known = known.into_iter().filter(|transaction| !ids.contains(&transaction.id));
        let kept: BTreeMap<String, Transaction> =
            known.map(|transaction| (transaction.id.clone(), transaction)).collect();
        if kept.len() == count || replace_day(ports, account, &key, &kept, before.as_ref(), scratch).await? {
            return Ok(());
        }
    }
    Err(replaced_too_often(&key))
}

/// Writes a day when it is as it was read; whether it was.
async fn replace_day(
    ports: &Ports,
    account: &AccountId,
    key: &Key,
    transactions: &BTreeMap<String, Transaction>,
    before: Option<&ObjectMeta>,
    scratch: &Path,
) -> Result<bool, StepError> {
    let file = NamedTempFile::new_in(scratch)?;
    let rows: Vec<&Transaction> = transactions.values().collect();
    tables::write_transactions(file.reopen()?, account, &rows, ports.packing)?;
    Ok(matches!(ports.objects.upload_if(key, file.path(), before).await?, PutNew::Created(_)))
}

fn replaced_too_often(key: &Key) -> StepError {
    let message = format!("{key} was replaced by others {TRIES_MAX} times while it was being merged. Try again later");
    StepError::Refused(message)
}

/// Transactions in the order of their ids, and the object that they lie in.
type Day = (Vec<Transaction>, Option<ObjectMeta>);

async fn read_day(ports: &Ports, key: &Key) -> Result<Day, StepError> {
    for _ in 0..TRIES_MAX {
        let Some(meta) = ports.objects.head(key).await? else { return Ok((Vec::new(), None)) };
        let mut bytes = Vec::new();
        match ports.objects.fetch(key, &meta.version, &mut bytes).await {
            // Replaced since it was looked at: only the newest version is kept.
            Err(error) if error.kind == PortErrorKind::NotFound => continue,
            fetched => fetched?,
        };
        let read = tables::read_transactions(bytes)?;
        return Ok((read.collect::<Result<_, _>>()?, Some(meta)));
    }
    Err(StepError::Refused(format!("{key} was replaced {TRIES_MAX} times while it was being read. Try again later")))
}

/// Whether any transaction of an account was ever stored.
///
/// # Errors
/// When the objects cannot be listed.
pub async fn is_begun(ports: &Ports, account: &AccountId) -> Result<bool, StepError> {
    Ok(!ports.objects.versions(&format!("mirror/{account}/"), None).await?.versions.is_empty())
}

/// Hands every transaction of the mirror to `each`, in the order of days and ids, each once.
///
/// # Errors
/// When a port or the disk fails, or `each` does.
pub async fn read(
    ports: &Ports,
    account: &AccountId,
    mut each: impl FnMut(Transaction) -> Result<(), StepError>,
) -> Result<(), StepError> {
    let prefix = format!("mirror/{account}/");
    let mut days = BTreeSet::new();
    let mut listing = ObjectPager::new(&*ports.objects, &*prefix);
    while let Some(listed) = listing.next().await? {
        let name = listed.key.strip_prefix(&prefix).and_then(|name| name.strip_suffix(".parquet"));
        days.extend(name.map(|name| name.parse::<Date>().ok()));
    }
    // One whose day came to be known lies there twice, and the dated one is the newer.
    let mut undated: BTreeMap<String, Transaction> = BTreeMap::new();
    if days.remove(&None) {
        let key = Key::Mirror { account: account.clone(), captured_on: None };
        undated.extend(read_day(ports, &key).await?.0.into_iter().map(|known| (known.id.clone(), known)));
    }
    // One whose first capture moved to an earlier day may lie under the later one as well. The copy of the earlier day comes
    // first and is the newer one, since it knows both captures.
    let mut of_several_days: BTreeSet<String> = BTreeSet::new();
    for captured_on in days {
        let key = Key::Mirror { account: account.clone(), captured_on };
        for transaction in read_day(ports, &key).await?.0 {
            undated.remove(&transaction.id);
            if of_several_days.contains(&transaction.id) {
                continue;
            }
            if !later_days(&transaction).is_empty() {
                of_several_days.insert(transaction.id.clone());
            }
            each(transaction)?;
        }
    }
    undated.into_values().try_for_each(each)
}
