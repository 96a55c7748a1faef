//! Finds unfinished work in the uploads and the state. It changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use matching::AllowedWaits;
use settlement::{AccountId, Defect, Proof, ReportId, SettleKey, is_seeded};
use store::keys::LandingKey;
use store::{
    HeldItem, JournalItem, ListedVersion, NoticeItem, ObjectItem, ObjectPager, OutboxItem, Pager, Place, Query,
    ReportItem, ReportState, SettlementVersion, SyncItem,
};

use super::{Found, MIRROR_AGE_MAX, Progress, Remaining, Sweep, Unfinished, YOUNG, is_turn};
use crate::current::events::{batches_of, switched_off};
use crate::current::versions::versions_of;
use crate::current::zone::zone_of;
use crate::current::{accounts, versions};
use crate::matching::unsettled::{self, ListUnsettled};
use crate::messages::{MirrorOutdated, ReportReady, Uploaded};
use crate::reports::dintero_report;
use crate::{Ports, StepError};

/// Finds the unfinished work of one account, or of all.
///
/// # Errors
/// When a port fails.
pub async fn find(ports: &Ports, command: &Sweep) -> Result<Found, StepError> {
    let mut look = Look { ports, command, found: Found::default(), seen: BTreeSet::new(), posts: BTreeMap::new() };
    let (prefix, accounts) = match &command.account {
        Some(account) => (format!("landing/{account}/"), vec![account.clone()]),
        None => ("landing/".to_owned(), accounts::all(ports).await?),
    };
    let mut listing = ObjectPager::new(&*ports.objects, prefix);
    while let Some(listed) = listing.next().await? {
        if look.is_due(&listed) {
            look.at_upload(&listed).await?;
        }
    }
    for account in &accounts {
        look.at_held(account).await?;
        look.at_missing(account).await?;
        look.at_mirror(account).await?;
    }
    Ok(look.found)
}

struct Look<'a> {
    ports: &'a Ports,
    command: &'a Sweep,
    found: Found,
    /// Reports that were looked at: one may have been uploaded often.
    seen: BTreeSet<(AccountId, ReportId)>,
    /// Whether accounts post.
    posts: BTreeMap<AccountId, bool>,
}

impl Look<'_> {
    /// Whether an upload is looked at now.
    fn is_due(&self, listed: &ListedVersion) -> bool {
        let Sweep { now, patience, is_thorough, .. } = self.command;
        let Some(age) = listed.at.map(|at| now.duration_since(at)) else { return true };
        let is_young = age < YOUNG;
        age >= *patience && (*is_thorough || is_young || is_turn(&format!("{}#{}", listed.key, listed.version), *now))
    }

    async fn at_upload(&mut self, listed: &ListedVersion) -> Result<(), StepError> {
        self.found.looked_at += 1;
        let state = &*self.ports.state;
        let below = listed.key.strip_prefix("landing/").unwrap_or(&listed.key);
        let upload = Uploaded { key: below.to_owned(), version: listed.version.clone() };
        let unread = Progress::Unread { since: listed.at };
        let Ok(landing) = below.parse::<LandingKey>() else {
            // It is refused, and recorded, once somebody is told of it.
            let refused = Place::refused(below);
            if state.get(&refused.partition, &refused.sort).await?.is_none() {
                self.found.open.push(Unfinished { upload, progress: unread });
            }
            return Ok(());
        };
        match Place::object(&listed.key, &listed.version).read::<ObjectItem>(state).await? {
            None if is_seeded(Defect::SweepSkipsUnread) => {}
            None => self.found.open.push(Unfinished { upload, progress: unread }),
            Some((ObjectItem { report: None, .. }, _)) => {}
            Some((ObjectItem { report: Some(report), .. }, _)) => {
                match Place::report(report, &landing.account).read::<ReportItem>(state).await? {
                    None => self.found.open.push(Unfinished { upload, progress: unread }),
                    Some((item, _)) => self.at_report(upload, item).await?,
                }
            }
        }
        Ok(())
    }

    async fn at_report(&mut self, upload: Uploaded, item: ReportItem) -> Result<(), StepError> {
        let (account, report) = (item.account.clone(), item.report);
        if !self.seen.insert((account.clone(), report)) {
            return Ok(());
        }
        let remaining = match item.state {
            ReportState::Claimed { .. } | ReportState::Released => Vec::new(),
            ReportState::Committed => self.remaining(&account, report).await?,
            ReportState::Duplicate
            | ReportState::Unpacked { .. }
            | ReportState::Quarantined { .. }
            | ReportState::Rejected { .. }
            | ReportState::Crashed
            | ReportState::Dismissed { .. } => return Ok(()),
        };
        if item.state == ReportState::Committed && remaining.is_empty() {
            return Ok(());
        }
        let since = self.last_change(&Place::report(report, &account)).await?;
        let progress = match item.state {
            ReportState::Claimed { lease_until } => Progress::Claimed { since, lease_until },
            ReportState::Released => Progress::Released { since },
            _ => Progress::Committed { report: ReportReady { account, report }, since, remaining },
        };
        self.found.open.push(Unfinished { upload, progress });
        Ok(())
    }

    /// When something last happened to a record.
    async fn last_change(&self, place: &Place) -> Result<Timestamp, StepError> {
        let query = Query { backwards: true, limit: 1, ..Query::journal(place) };
        let last = Pager::new(&*self.ports.state, query).next().await?;
        let last = last.as_ref().map(store::decode::<JournalItem>).transpose()?;
        Ok(last.map_or(self.command.now, |entry| entry.at))
    }

    /// What is left to be done of the settlements that a committed report brought.
    async fn remaining(&mut self, account: &AccountId, report: ReportId) -> Result<Vec<Remaining>, StepError> {
        let posts = self.posts(account).await?;
        let mut remaining = Vec::new();
        for (key, version) in versions_of(self.ports, account, report).await? {
            let has_notice = Place::notice(&key).read::<NoticeItem>(&*self.ports.state).await?.is_some();
            let is_exact = version.settlement.proof == Proof::Exact && !has_notice;
            // What only a notice makes exact is written when it is added.
            if is_exact && !dintero_report::has_documents(self.ports, &key, version.version).await? {
                remaining.push(Remaining::Documents);
            }
            if posts && !is_seeded(Defect::SweepForgetsOutboxes) {
                remaining.extend(self.unposted(&key, &version, is_exact, has_notice).await?);
            }
        }
        Ok(remaining)
    }

    /// What of a version is to be posted, when it is the one in force.
    async fn unposted(
        &self,
        key: &SettleKey,
        version: &SettlementVersion,
        is_exact: bool,
        has_notice: bool,
    ) -> Result<Vec<Remaining>, StepError> {
        let retry = Remaining::Retry {
            is_turn: self.command.is_thorough || is_turn(&Place::outbox(key).sort, self.command.now),
        };
        let current = versions::in_force(self.ports, key).await?;
        if current.is_none_or(|current| current.version != version.version) {
            return Ok(Vec::new());
        }
        let outbox = Place::outbox(key).read::<OutboxItem>(&*self.ports.state).await?;
        let Some((outbox, _)) = outbox.filter(|(outbox, _)| outbox.version >= version.version) else {
            let remaining = if is_exact { Some(Remaining::Outbox) } else { has_notice.then_some(retry) };
            return Ok(remaining.into_iter().collect());
        };
        let batches = batches_of(self.ports, key).await?;
        let open = batches.into_iter().filter(|(id, batch, _)| outbox.batches.contains(id) && !batch.is_ended());
        let mut remaining: Vec<Remaining> =
            open.map(|(_, batch, _)| Remaining::Batch { until: batch.not_before.max(batch.lease_until) }).collect();
        if outbox.unmatched_lines > 0 {
            remaining.push(retry);
        }
        Ok(remaining)
    }

    async fn posts(&mut self, account: &AccountId) -> Result<bool, StepError> {
        if let Some(posts) = self.posts.get(account) {
            return Ok(*posts);
        }
        let posts = self.command.posts && switched_off(self.ports, account).await?.is_none();
        self.posts.insert(account.clone(), posts);
        Ok(posts)
    }

    /// Reports that were ever held: a person may have let one through, however old its upload is.
    async fn at_held(&mut self, account: &AccountId) -> Result<(), StepError> {
        for entry in store::all(&*self.ports.state, Query::held(account)).await? {
            let HeldItem { report, .. } = store::decode(&entry)?;
            if self.seen.contains(&(account.clone(), report)) {
                continue;
            }
            let item = Place::report(report, account).read::<ReportItem>(&*self.ports.state).await?;
            if let Some((item, _)) = item {
                let key = item.object_key.strip_prefix("landing/").unwrap_or_default().to_owned();
                self.at_report(Uploaded { key, version: item.object_version.clone() }, item).await?;
            }
        }
        Ok(())
    }

    /// Whether what is known of an account's transactions is looked at now.
    fn is_turn_of(&self, account: &AccountId) -> bool {
        let Sweep { now, is_thorough, asks_for_missing, .. } = self.command;
        *asks_for_missing && (*is_thorough || is_turn(account.as_str(), *now))
    }

    /// The mirror of an account that posts, or whose mirror was ever begun, when nobody has brought it up to date since its last turn.
    async fn at_mirror(&mut self, account: &AccountId) -> Result<(), StepError> {
        if !self.command.posts || !self.is_turn_of(account) {
            return Ok(());
        }
        let known = Place::sync(account).read::<SyncItem>(&*self.ports.state).await?;
        let reaches = known.map(|(item, _)| item.until);
        let is_outdated = match reaches {
            None => self.posts(account).await?,
            Some(until) => self.command.now.duration_since(until) >= MIRROR_AGE_MAX,
        };
        if is_outdated {
            self.found.mirrors.push(MirrorOutdated { account: account.clone(), reaches });
        }
        Ok(())
    }

    /// Reports that are missed of an account, when it is its turn: all its transactions have to be read.
    async fn at_missing(&mut self, account: &AccountId) -> Result<(), StepError> {
        if !self.is_turn_of(account) {
            return Ok(());
        }
        let Sweep { now, scratch, .. } = self.command;
        let today = now.to_zoned(zone_of(self.ports, account).await?).date();
        let (account, waits, scratch) = (account.clone(), AllowedWaits::default(), scratch.clone());
        let command = ListUnsettled { account, today, waits, scratch };
        let missed = unsettled::run(self.ports, &command).await?;
        self.found.missing.extend(missed.reports.into_iter().map(|report| (command.account.clone(), report)));
        Ok(())
    }
}
