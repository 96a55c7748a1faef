//! Marks of days that are to be made anew.

use std::collections::BTreeSet;

use jiff::civil::Date;
use settlement::AccountId;
use store::{DirtyItem, DirtyMark, Expect, Place, PortErrorKind, Put, Query, dirty_mark, mark_dirty};

use super::versions::{all_days, days_of};
use crate::current::versions::settlements_of;
use crate::{Ports, StepError};

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
    for item in store::all(&*ports.state, Query::dirty(account)).await? {
        let mut days = BTreeSet::new();
        match dirty_mark(&item)? {
            None => continue,
            Some(DirtyMark::Day(day)) => {
                days.insert(day);
            }
            Some(DirtyMark::Settlement(place)) => days = days_of(ports, &place).await?,
            Some(DirtyMark::Report(report)) => {
                for listed in settlements_of(ports, report, account).await? {
                    days.extend(days_of(ports, &Place::settlement(&listed.key)).await?);
                }
            }
        }
        let place = Place { partition: item.partition, sort: item.sort };
        marks.push(Mark { place, revision: item.revision, days });
    }
    Ok(marks)
}

/// Marks every day that the lake shows or should show.
pub(super) async fn mark_all(ports: &Ports, account: &AccountId) -> Result<(), StepError> {
    let mut days = all_days(ports, account).await?;
    days.extend(super::bridge::days(ports, account).await?.into_iter().map(|(day, _)| day));
    let marks: Vec<Put> = days.into_iter().map(|day| mark_dirty(account, day)).collect::<Result<_, _>>()?;
    Ok(ports.state.put_many(&marks).await?)
}

/// Takes marks away that are as they were read; whether all of them were.
pub(super) async fn clear(ports: &Ports, marks: &[Mark]) -> Result<bool, StepError> {
    let mut cleared = true;
    for Mark { place, revision, .. } in marks {
        let write = place.put(&DirtyItem { is_dirty: false }, Expect::Revision(*revision))?;
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
    let marks: Vec<Put> = days.into_iter().map(|day| mark_dirty(account, day)).collect::<Result<_, _>>()?;
    Ok(ports.state.put_many(&marks).await?)
}
