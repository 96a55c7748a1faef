//! What the lines of reports were last matched with.

use std::fs::File;
use std::path::Path;

use settlement::{AccountId, ReportId};
use store::keys::Key;
use store::{MatchItem, Place, Query};
use tables::MatchRow;
use tempfile::NamedTempFile;

use crate::{Ports, StepError};

/// What the lines of a report were last matched with.
///
/// # Errors
/// When the state cannot answer.
pub async fn known(ports: &Ports, account: &AccountId, report: ReportId) -> Result<Option<MatchItem>, StepError> {
    Ok(Place::matches(report, account).read::<MatchItem>(&*ports.state).await?.map(|(item, _)| item))
}

/// What the lines of each report of an account were last matched with, in the order of payouts.
///
/// # Errors
/// When the state cannot answer.
pub async fn all_known(ports: &Ports, account: &AccountId) -> Result<Vec<MatchItem>, StepError> {
    let items = store::all(&*ports.state, Query::matches(account)).await?;
    let mut known: Vec<MatchItem> = items.iter().map(store::decode).collect::<Result<_, _>>()?;
    known.sort_by(|a, b| (a.payout_days.first(), a.report).cmp(&(b.payout_days.first(), b.report)));
    Ok(known)
}

/// Hands every row of what an account's lines were last matched with to `each`, report by report.
///
/// # Errors
/// When a table is gone or cannot be read, or `each` fails.
pub async fn rows<E: From<StepError>>(
    ports: &Ports,
    account: &AccountId,
    scratch: &Path,
    mut each: impl FnMut(&MatchItem, MatchRow) -> Result<(), E>,
) -> Result<(), E> {
    for item in all_known(ports, account).await? {
        let file = NamedTempFile::new_in(scratch).map_err(StepError::from)?;
        fetch(ports, account, &item, &file).await?;
        let opened = File::open(file.path()).map_err(StepError::from)?;
        for row in tables::read_matches(opened).map_err(StepError::from)? {
            each(&item, row.map_err(StepError::from)?)?;
        }
    }
    Ok(())
}

/// Copies a report's match table to a local file.
///
/// # Errors
/// When it is gone or cannot be read.
pub(crate) async fn fetch(
    ports: &Ports,
    account: &AccountId,
    item: &MatchItem,
    into: &NamedTempFile,
) -> Result<(), StepError> {
    let (report, digest) = (item.report, item.digest.clone());
    let key = Key::Matches { account: account.clone(), report, digest };
    let Some(meta) = ports.objects.head(&key).await? else {
        return Err(StepError::Refused(format!("What report {} was matched with is gone from {key}", report.short())));
    };
    ports.objects.fetch(&key, &meta.version, &mut into.reopen()?).await?;
    Ok(())
}
