//! The lines of an account beside what they were last matched with.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use settlement::{AccountId, LineRecord};
use store::MatchItem;
use tables::MatchRow;
use tempfile::NamedTempFile;

use crate::current::lines::{fetch_lines, name_of};
use crate::current::match_rows;
use crate::{Ports, StepError};

/// Hands every row of what an account's lines were last matched with to `each`, report by report, with its line; a line that a
/// payout notice adds is in no report, and `None`.
///
/// # Errors
/// When a table is gone or cannot be read, or `each` fails.
pub async fn read<E: From<StepError>>(
    ports: &Ports,
    account: &AccountId,
    scratch: &Path,
    mut each: impl FnMut(&MatchItem, Option<&LineRecord>, MatchRow) -> Result<(), E>,
) -> Result<(), E> {
    for item in match_rows::all_known(ports, account).await? {
        let file = NamedTempFile::new_in(scratch).map_err(StepError::from)?;
        match_rows::fetch(ports, account, &item, &file).await?;
        let opened = File::open(file.path()).map_err(StepError::from)?;
        let mut rows = tables::read_matches(opened).map_err(StepError::from)?;
        let own: BTreeSet<_> = item
            .settlements
            .iter()
            .map(|key| (key.merchant_number.as_str(), key.settlement_id.as_str(), key.currency))
            .collect();
        let lines = NamedTempFile::new_in(scratch).map_err(StepError::from)?;
        fetch_lines(ports, account, item.report, &lines).await?;
        let opened = File::open(lines.path()).map_err(StepError::from)?;
        // The rows have the order of the lines; those of notices come last.
        for line in tables::read_lines(opened).map_err(StepError::from)? {
            let line = line.map_err(StepError::from)?;
            if !own.contains(&name_of(&line)) {
                continue;
            }
            let Some(row) = rows.next() else { break };
            each(&item, Some(&line), row.map_err(StepError::from)?)?;
        }
        for row in rows {
            each(&item, None, row.map_err(StepError::from)?)?;
        }
    }
    Ok(())
}
