//! Backfill: what lies in the landing of an account, or a part of it, is taken the whole way at a bounded rate.
//!
//! How far it has come is written after each object, so that the next run goes on where this one stops. What is
//! taken twice has no second effect.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::path::PathBuf;

use formats::Limits;
use jiff::{SignedDuration, Timestamp};
use settlement::AccountId;
use store::keys::LandingKey;
use store::{BackfillItem, Expect, ListedVersion, Place, PortErrorKind, TakenObject};

use super::process::{Processed, process_upload};
use crate::intake::parse::ParseReport;
use crate::transactions::client::Dintero;
use crate::{Ports, StepError};

/// Take uploads of an account the whole way.
#[derive(Debug, Clone)]
pub struct BackfillAccount {
    /// The account.
    pub account: AccountId,
    /// What keys below the account begin with, as in `vipps/2025-`; empty for all of them.
    pub prefix: String,
    /// Put at that time or later. What was put at an unknown time is taken as well.
    pub from: Option<Timestamp>,
    /// Put before that time.
    pub until: Option<Timestamp>,
    /// So many objects are begun in a second at most.
    pub per_second: NonZeroU32,
    /// How long nobody else may have what is taken.
    pub lease: SignedDuration,
    /// A directory for temporary files.
    pub scratch: PathBuf,
    /// Bounds on a file.
    pub limits: Limits,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// Nothing before that time: the rate is kept, or another worker has the object.
    Wait(Timestamp),
    /// An object went as far as it may.
    Took(LandingKey, Box<Processed>),
    /// Everything is taken; the next run begins anew.
    Ended,
}

/// A backfill that is under way.
pub struct Backfill<'a> {
    ports: &'a Ports,
    command: &'a BackfillAccount,
    place: Place,
    item: BackfillItem,
    revision: Option<u64>,
    /// Listed and not yet taken.
    due: VecDeque<(LandingKey, ListedVersion)>,
    /// Where the listing goes on; `None` once all of it is in `due`.
    page: Option<Page>,
    not_before: Timestamp,
}

enum Page {
    First,
    After(String),
}

impl<'a> Backfill<'a> {
    /// Goes on where the last run stopped, or begins; nothing is changed yet.
    ///
    /// # Errors
    /// When the state cannot answer.
    pub async fn open(ports: &'a Ports, command: &'a BackfillAccount) -> Result<Self, StepError> {
        let BackfillAccount { account, prefix, from, until, .. } = command;
        let place = Place::backfill(account, *from, *until, prefix);
        let (item, revision) = match place.read::<BackfillItem>(&*ports.state).await? {
            Some((item, revision)) => (item, Some(revision)),
            None => (BackfillItem::default(), None),
        };
        let (due, page, not_before) = (VecDeque::new(), Some(Page::First), Timestamp::MIN);
        Ok(Backfill { ports, command, place, item, revision, due, page, not_before })
    }

    /// How many objects were taken before this run.
    pub fn taken(&self) -> u64 {
        self.item.taken
    }

    /// How many objects are to be taken; nothing is changed.
    ///
    /// # Errors
    /// When the objects cannot be listed.
    pub async fn count(mut self) -> Result<usize, StepError> {
        let mut count = 0;
        while self.list().await? {
            count += self.due.len();
            self.due.clear();
        }
        Ok(count)
    }

    /// Takes the next object when it is time for it.
    ///
    /// # Errors
    /// When a port fails, or another run of the same backfill has gone on; the object is taken by the next run then.
    pub async fn next(&mut self, dintero: Option<&Dintero>, now: Timestamp) -> Result<Next, StepError> {
        if now < self.not_before {
            return Ok(Next::Wait(self.not_before));
        }
        if !self.list().await? {
            // Nothing was ever there, or the end was written down before.
            if self.item != BackfillItem::default() {
                self.note(BackfillItem::default()).await?;
            }
            return Ok(Next::Ended);
        }
        let Some((landing, listed)) = self.due.pop_front() else { return Ok(Next::Ended) };
        let per_second = i32::try_from(self.command.per_second.get()).unwrap_or(i32::MAX);
        self.not_before = now.saturating_add(SignedDuration::from_secs(1) / per_second).unwrap_or(Timestamp::MAX);
        let BackfillAccount { lease, scratch, limits, .. } = self.command;
        let parse = ParseReport {
            landing: landing.clone(),
            version: listed.version.clone(),
            now,
            lease: *lease,
            scratch: scratch.clone(),
            limits: limits.clone(),
            adopts_merchants: false,
        };
        let processed = match process_upload(self.ports, dintero, &parse).await {
            Err(StepError::Busy { until, .. }) => {
                self.due.push_front((landing, listed));
                self.not_before = self.not_before.max(until);
                return Ok(Next::Wait(self.not_before));
            }
            processed => processed?,
        };
        let after = Some(TakenObject { key: listed.key, version: listed.version });
        self.note(BackfillItem { after, taken: self.item.taken + 1 }).await?;
        Ok(Next::Took(landing, Box::new(processed)))
    }

    /// Makes sure that something is due; `false` when nothing is left.
    async fn list(&mut self) -> Result<bool, StepError> {
        let prefix = format!("landing/{}/{}", self.command.account, self.command.prefix);
        while self.due.is_empty() {
            let cursor = match self.page.take() {
                None => return Ok(false),
                Some(Page::First) => None,
                Some(Page::After(cursor)) => Some(cursor),
            };
            let listing = self.ports.objects.versions(&prefix, cursor.as_deref()).await?;
            self.page = listing.cursor.map(Page::After);
            let left = after_last(listing.versions, self.item.after.as_ref());
            self.due.extend(left.into_iter().filter_map(|listed| {
                // What lies there under an impossible name was refused when it came.
                let landing = listed.key.strip_prefix("landing/")?.parse().ok()?;
                self.command.means(&listed).then_some((landing, listed))
            }));
        }
        Ok(true)
    }

    async fn note(&mut self, item: BackfillItem) -> Result<(), StepError> {
        let expect = self.revision.map_or(Expect::Absent, Expect::Revision);
        match self.ports.state.put_if(&self.place.put(&item, expect)?).await {
            Ok(()) => {}
            Err(error) if error.kind == PortErrorKind::Conflict => {
                let message = "Another run of this backfill has gone on meanwhile. Let one of them end".to_owned();
                return Err(StepError::Refused(message));
            }
            Err(error) => return Err(error.into()),
        }
        self.revision = Some(self.revision.unwrap_or(0) + 1);
        self.item = item;
        Ok(())
    }
}

impl BackfillAccount {
    fn means(&self, listed: &ListedVersion) -> bool {
        let Some(at) = listed.at else { return true };
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }
}

/// The versions of a page after the one that was taken last. Where that one is gone, those of its key are taken once more.
fn after_last(versions: Vec<ListedVersion>, after: Option<&TakenObject>) -> Vec<ListedVersion> {
    let Some(after) = after else { return versions };
    let last = versions.iter().position(|listed| listed.key == after.key && listed.version == after.version);
    let first = last.map_or(0, |last| last + 1);
    versions.into_iter().skip(first).filter(|listed| listed.key >= after.key).collect()
}
