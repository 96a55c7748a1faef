//! Lake: what is in force, as plain Parquet for any BI tool; a view that can be made again from reports and state.
//!
//! Whatever changes what a day of payouts shows marks the day in the same transaction. One builder at a time makes the marked days
//! anew: it looks at the objects in place, then reads the state, then puts each table in place of exactly what it saw. Whoever
//! is overtaken begins again with reading, so that no old view takes the place of a newer one. A settlement that moves to another
//! day leaves the old day first: it is missing for a moment, and never there twice. The mark goes last.

mod bridge;
mod day;
mod exports;
mod files;
mod marks;
mod months;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use matching::{BridgeError, GroupBridge};
use settlement::{AccountId, Month};
use store::keys::Key;
use store::{Expect, MatchingItem, ObjectMeta, Place, PortErrorKind};
use tables::{MATCH, SETTLEMENT_LINE};

use self::day::{Arriving, DayFiles};
use self::files::{Fetched, Replaced, replace};
use self::marks::Mark;
use self::versions::Version;
use crate::{Ports, StepError};
use store::{BuiltItem, DayItem, LeaseItem};

/// A builder begins again this often when days change under it; then the rest is left to the next one.
const PASSES_MAX: usize = 8;

/// Build what has changed of an account's lake.
#[derive(Debug, Clone)]
pub struct BuildLake {
    /// The account.
    pub account: AccountId,
    /// The time.
    pub now: Timestamp,
    /// How long nobody else may build it.
    pub lease: SignedDuration,
    /// A directory for temporary files.
    pub scratch: PathBuf,
    /// Every day, whether or not anything of it has changed.
    pub all: bool,
}

/// What came of building.
#[derive(Debug, Default)]
pub struct Built {
    /// The days that were made.
    pub days: BTreeSet<Date>,
    /// How many objects were put; what would have been the same was not.
    pub objects: u64,
    /// Why there is no bridge of the months: the one before stays in place.
    pub no_bridge: Option<BridgeError>,
    /// Days changed faster than they were made: the next builder goes on.
    pub is_unfinished: bool,
}

/// Makes every marked day anew, and what is made of all days. Running it again changes nothing.
///
/// # Errors
/// `Busy` when somebody else builds it, else when a port or the disk fails.
pub async fn run(ports: &Ports, command: &BuildLake) -> Result<Built, StepError> {
    let revision = take_lease(ports, command).await?;
    let built = Builder { ports, command, built: Built::default() }.build().await;
    // Where this fails, the lease ends by itself.
    let lease = Place::lake_lease(&command.account).put(&LeaseItem::default(), Expect::Revision(revision))?;
    let _ = ports.state.put_if(&lease).await;
    built
}

/// The money of an account by calendar month, of all that the lake holds and of what waits for a settlement.
///
/// # Errors
/// When the months do not come out even, or the state cannot answer.
pub async fn month_figures(ports: &Ports, account: &AccountId) -> Result<Vec<GroupBridge>, StepError> {
    let days = bridge::days(ports, account).await?;
    Ok(bridge::bridge(ports, account, &days).await?.0?)
}

/// The days of the lake, and the months of an account's money that they and what waits for a settlement make.
///
/// # Errors
/// As [`month_figures`].
pub(crate) async fn days_and_months(
    ports: &Ports,
    account: &AccountId,
) -> Result<(Vec<(Date, DayItem)>, Vec<GroupBridge>), StepError> {
    let days = bridge::days(ports, account).await?;
    let months = bridge::bridge(ports, account, &days).await?.0?;
    Ok((days, months))
}

async fn take_lease(ports: &Ports, command: &BuildLake) -> Result<u64, StepError> {
    let place = Place::lake_lease(&command.account);
    let known = place.read::<LeaseItem>(&*ports.state).await?;
    let what = || format!("The lake of account {}", command.account);
    if let Some((LeaseItem { until: Some(until) }, _)) = known
        && until > command.now
    {
        return Err(StepError::Busy { what: what(), until });
    }
    let revision = known.map_or(0, |(_, revision)| revision);
    let expect = if revision == 0 { Expect::Absent } else { Expect::Revision(revision) };
    let until = command.now + command.lease;
    match ports.state.put_if(&place.put(&LeaseItem { until: Some(until) }, expect)?).await {
        Ok(()) => Ok(revision + 1),
        Err(error) if error.kind == PortErrorKind::Conflict => Err(StepError::Busy { what: what(), until }),
        Err(error) => Err(error.into()),
    }
}

/// What stands in place of what is to be made, looked at before anything of the state is read.
#[derive(Debug, Default)]
struct Before {
    objects: BTreeMap<Key, ObjectMeta>,
    days: BTreeMap<Date, Option<u64>>,
}

/// Whether a pass came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Done,
    /// Somebody else has put something, or marked a day again: from the beginning.
    Overtaken,
}

struct Builder<'a> {
    ports: &'a Ports,
    command: &'a BuildLake,
    built: Built,
}

impl Builder<'_> {
    async fn build(mut self) -> Result<Built, StepError> {
        let (ports, account) = (self.ports, &self.command.account);
        if self.command.all {
            marks::mark_all(ports, account).await?;
        }
        for _ in 0..PASSES_MAX {
            let marks = marks::read(ports, account).await?;
            let all_is_made = marks.is_empty() && self.is_up_to_date().await?;
            let pass = match all_is_made {
                // Exports are of all days, and known by what they were made of: they need no mark.
                true => self.build_exports().await?,
                false => self.pass(&marks).await?,
            };
            match pass {
                Pass::Done if all_is_made => return Ok(self.built),
                Pass::Done => {}
                Pass::Overtaken => self.doubt(&marks).await?,
            }
        }
        self.built.is_unfinished = true;
        Ok(self.built)
    }

    /// What a builder that was overtaken has put last may be older than what another one had made and taken for done: days are marked
    /// again, and what is made of all days is made again.
    async fn doubt(&self, marks: &[Mark]) -> Result<(), StepError> {
        let (ports, account) = (self.ports, &self.command.account);
        marks::renew(ports, account, marks).await?;
        let place = Place::lake_built(account);
        loop {
            let Some((built, revision)) = place.read::<BuiltItem>(&*ports.state).await? else { return Ok(()) };
            let built = BuiltItem { matching: u64::MAX, exports: BTreeMap::new(), ..built };
            match ports.state.put_if(&place.put(&built, Expect::Revision(revision))?).await {
                Err(error) if error.kind == PortErrorKind::Conflict => {}
                written => return Ok(written?),
            }
        }
    }

    /// Whether what is made of all days was made with the last matching.
    async fn is_up_to_date(&self) -> Result<bool, StepError> {
        let account = &self.command.account;
        let matching = Place::matching(account).read::<MatchingItem>(&*self.ports.state).await?;
        let built = Place::lake_built(account).read::<BuiltItem>(&*self.ports.state).await?;
        Ok(matching.map_or(0, |(_, revision)| revision) == built.map_or(0, |(built, _)| built.matching))
    }

    async fn pass(&mut self, marks: &[Mark]) -> Result<Pass, StepError> {
        let (ports, command) = (self.ports, self.command);
        let days: BTreeSet<Date> = marks.iter().flat_map(|mark| mark.days.iter().copied()).collect();
        let months: BTreeSet<Month> = days.iter().copied().map(Month::of).collect();
        let before = self.look(&days, &months).await?;
        let mut versions = match days.is_empty() {
            true => Vec::new(),
            false => versions::of_months(ports, &command.account, &months, &command.scratch).await?,
        };
        // What was committed since the marks were read may come from a day that is not made now; its new day is marked again.
        let marked_since = marks::read(ports, &command.account).await?.into_iter().flat_map(|mark| mark.days);
        let later: BTreeSet<Date> = marked_since.filter(|day| !days.contains(day)).collect();
        versions.iter_mut().for_each(|version| version.wait_for(&later));
        if self.build_days(&days, &versions, &before).await? == Pass::Overtaken {
            return Ok(Pass::Overtaken);
        }
        if self.build_months(&months, &versions, &before).await? == Pass::Overtaken {
            return Ok(Pass::Overtaken);
        }
        self.built.days.extend(days);
        Ok(if marks::clear(ports, marks).await? { Pass::Done } else { Pass::Overtaken })
    }

    /// Objects and records of days as they stand before the state is read: whatever is put in their place is not older.
    async fn look(&self, days: &BTreeSet<Date>, months: &BTreeSet<Month>) -> Result<Before, StepError> {
        let account = &self.command.account;
        let mut before = Before::default();
        let large = days.iter().flat_map(|day| [&SETTLEMENT_LINE, &MATCH].map(|table| self.day_key(table.name, *day)));
        let small = months.iter().flat_map(|month| months::TABLES.map(|table| self.month_key(table.name, *month)));
        for key in large.chain(small) {
            if let Some(meta) = self.ports.objects.head(&key).await? {
                before.objects.insert(key, meta);
            }
        }
        for day in days {
            let record = Place::lake_day(account, *day).read::<DayItem>(&*self.ports.state).await?;
            before.days.insert(*day, record.map(|(_, revision)| revision));
        }
        Ok(before)
    }

    fn day_key(&self, table: &'static str, payout_on: Date) -> Key {
        Key::LakeDay { account: self.command.account.clone(), table, payout_on }
    }

    fn month_key(&self, table: &'static str, payout_month: Month) -> Key {
        Key::LakeMonth { account: self.command.account.clone(), table, payout_month }
    }

    /// Makes the days in two rounds, so that a settlement has left its old day before it arrives at the new one, also where
    /// settlements change places.
    async fn build_days(
        &mut self,
        days: &BTreeSet<Date>,
        versions: &[Version],
        before: &Before,
    ) -> Result<Pass, StepError> {
        let mut fetched = Fetched::new(self.ports, &self.command.account, &self.command.scratch);
        let mut seen = before.objects.clone();
        let of = |day: Date| versions.iter().filter(move |version| version.payout_on() == day).collect::<Vec<_>>();
        for day in days {
            let own = of(*day);
            if !own.iter().any(|version| version.leaves()) {
                continue;
            }
            let mut files = day::make(&mut fetched, *day, &own, Arriving::Counts).await?;
            if own.iter().any(|version| version.arrives()) && !self.stands(*day, &files, &seen).await? {
                files = day::make(&mut fetched, *day, &own, Arriving::Waits).await?;
            }
            if self.put_day(*day, &files, &mut seen).await?.is_none() {
                return Ok(Pass::Overtaken);
            }
        }
        for day in days {
            let own = of(*day);
            if own.is_empty() && !before.objects.contains_key(&self.day_key(SETTLEMENT_LINE.name, *day)) {
                continue;
            }
            let files = day::make(&mut fetched, *day, &own, Arriving::Counts).await?;
            let Some(objects) = self.put_day(*day, &files, &mut seen).await? else { return Ok(Pass::Overtaken) };
            let revision = before.days.get(day).copied().flatten();
            let expect = revision.map_or(Expect::Absent, Expect::Revision);
            let record =
                Place::lake_day(&self.command.account, *day).put(&DayItem { objects, ..files.item }, expect)?;
            match self.ports.state.put_if(&record).await {
                Err(error) if error.kind == PortErrorKind::Conflict => return Ok(Pass::Overtaken),
                written => written?,
            }
        }
        Ok(Pass::Done)
    }

    /// Whether both tables of a day stand in place as they were made.
    async fn stands(&self, day: Date, files: &DayFiles, seen: &BTreeMap<Key, ObjectMeta>) -> Result<bool, StepError> {
        for (table, file) in [(SETTLEMENT_LINE.name, &files.lines), (MATCH.name, &files.matches)] {
            let key = self.day_key(table, day);
            let same = files::is_same(self.ports, &key, file, seen.get(&key), &self.command.scratch).await?;
            if same.flatten().is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts both tables of a day in place and gives their versions; `None` when somebody else has.
    async fn put_day(
        &mut self,
        day: Date,
        files: &DayFiles,
        seen: &mut BTreeMap<Key, ObjectMeta>,
    ) -> Result<Option<BTreeMap<String, String>>, StepError> {
        let mut objects = BTreeMap::new();
        for (table, file) in [(SETTLEMENT_LINE.name, &files.lines), (MATCH.name, &files.matches)] {
            let key = self.day_key(table, day);
            let replaced = replace(self.ports, &key, file, seen.get(&key), &self.command.scratch).await?;
            let version = match replaced {
                Replaced::Overtaken => return Ok(None),
                Replaced::Same(version) => version,
                Replaced::Put(meta) => {
                    self.built.objects += 1;
                    let version = meta.version.clone();
                    seen.insert(key, meta);
                    version
                }
            };
            objects.insert(table.to_owned(), version);
        }
        Ok(Some(objects))
    }
}
