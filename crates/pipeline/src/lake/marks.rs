//! Marks of days that are to be made anew.

use std::collections::BTreeSet;

use jiff::civil::Date;
use settlement::{AccountId, ReportId};

use super::versions::{all_days, days_of};
use crate::StepError;
use crate::items::{self, DirtyItem, Place, mark_dirty};
use crate::parse::settlements_of;
use crate::ports::{Expect, PortErrorKind, Ports, Put, Query};

/// A mark as it was read.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    place: Place,
    revision: u64,
    /// The days that it means.
    pub(super) days: BTreeSet<Date>,
}

/// All marks of an account that are not worked off.
pub(super) async fn read(ports: &Ports, account: &AccountId) -> Result<Vec<Mark>, StepError> {
    let mut marks = Vec::new();
    for item in items::all(ports, Query::all(format!("DIRTY#{account}"))).await? {
        let DirtyItem { is_dirty } = items::decode(&item)?;
        if !is_dirty {
            continue;
        }
        let mut days = BTreeSet::new();
        if let Some(sort) = item.sort.strip_prefix("SETTLEMENT#") {
            let place = Place { partition: format!("SETTLEMENT#{account}"), sort: sort.to_owned() };
            days = days_of(ports, &place).await?;
        } else if let Some(report) = item.sort.strip_prefix("REPORT#") {
            let report = ReportId::try_from(report.to_owned()).map_err(|reason| unreadable(&item.sort, reason))?;
            for listed in settlements_of(ports, report, account).await? {
                days.extend(days_of(ports, &Place::settlement(&listed.key)).await?);
            }
        } else {
            let day = item.sort.parse().map_err(|error: jiff::Error| unreadable(&item.sort, error.to_string()))?;
            days.insert(day);
        }
        let place = Place { partition: item.partition, sort: item.sort };
        marks.push(Mark { place, revision: item.revision, days });
    }
    Ok(marks)
}

fn unreadable(sort: &str, reason: String) -> StepError {
    StepError::Item { item: format!("DIRTY {sort}"), reason }
}

/// Marks every day that the lake shows or should show.
pub(super) async fn mark_all(ports: &Ports, account: &AccountId) -> Result<(), StepError> {
    let mut days = all_days(ports, account).await?;
    days.extend(super::records::days(ports, account).await?.into_iter().map(|(day, _)| day));
    let marks: Vec<Put> = days.into_iter().map(|day| mark_dirty(account, day)).collect();
    Ok(ports.state.put_many(&marks).await?)
}

/// Takes marks away that are as they were read; whether all of them were.
pub(super) async fn clear(ports: &Ports, marks: &[Mark]) -> Result<bool, StepError> {
    let mut cleared = true;
    for Mark { place, revision, .. } in marks {
        let write = place.put(&DirtyItem { is_dirty: false }, Expect::Revision(*revision));
        match ports.state.put_if(&write).await {
            Err(error) if error.kind == PortErrorKind::Conflict => cleared = false,
            written => written?,
        }
    }
    Ok(cleared)
}

/// Marks the days of marks again, whatever others have done with the marks.
pub(super) async fn renew(ports: &Ports, account: &AccountId, marks: &[Mark]) -> Result<(), StepError> {
    let days: BTreeSet<Date> = marks.iter().flat_map(|mark| mark.days.iter().copied()).collect();
    let marks: Vec<Put> = days.into_iter().map(|day| mark_dirty(account, day)).collect();
    Ok(ports.state.put_many(&marks).await?)
}
