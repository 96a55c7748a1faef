//! A ledger's entries put together: the running balance proves that none is missing, and a payout closes a settlement.
//!
//! The balance of each entry is that of the entry before plus its amount. Entries are taken in the order of the file, and
//! only when that does not hold in the order of their times, since people sort. A payout closes the booking days up to its
//! own; what they hold is one settlement when the file has all of it.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use settlement::{Currency, Fees, MerchantNumber, WaitingEntries, WaitingReason};

/// So many entries are kept to be put in order; a longer file must come in the order of the ledger.
pub(crate) const SORTED_MAX: usize = 100_000;
/// More days than any account has before a payout, and than any report covers.
const OPEN_DAYS_MAX: usize = 1_000;
const DAYS_MAX: usize = 10_000;
/// Entries of one second among which the next is looked for.
const TIED_MAX: usize = 64;

/// One entry as the ledger sees it; money is in minor units and signed as it moves the balance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) row: u32,
    pub(crate) time: DateTime,
    pub(crate) booked_on: Date,
    pub(crate) amount_minor: i64,
    pub(crate) balance_minor: i64,
    pub(crate) kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A capture or refund with its own fee, negative when charged, which does not move the balance.
    Payment { fee_minor: i64, is_refund: bool },
    /// A capture whose fee is in another report.
    PaymentOfUnknownFee,
    /// The fees of one booking day, taken out of the balance.
    Fees,
    /// A payout by its place among those that the reader knows.
    Payout { place: u32 },
    /// A type that nobody knows.
    Unknown,
}

/// A payout and what of the ledger belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    /// Its place among those that the reader knows.
    pub(crate) place: u32,
    pub(crate) row: u32,
    pub(crate) time: DateTime,
    pub(crate) booked_on: Date,
    pub(crate) from: Date,
    pub(crate) payout_minor: i64,
    pub(crate) opening_minor: i64,
    pub(crate) closing_minor: i64,
    pub(crate) payments: u64,
    pub(crate) fees: Fees,
    /// Whether all of it is in the file.
    pub(crate) is_whole: bool,
}

/// Entries that are in no settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remainder {
    pub(crate) reason: WaitingReason,
    pub(crate) entries: u64,
    pub(crate) sum_minor: i128,
    pub(crate) opening_minor: i64,
    pub(crate) from: Date,
    pub(crate) to: Date,
}

impl Remainder {
    /// The entries as those of a merchant.
    pub(crate) fn of(&self, merchant_number: &MerchantNumber, currency: Currency, exponent: u8) -> WaitingEntries {
        WaitingEntries {
            merchant_number: merchant_number.clone(),
            currency,
            exponent,
            reason: self.reason,
            entries: self.entries,
            sum_minor: i64::try_from(self.sum_minor).unwrap_or(i64::MAX),
            opening_minor: self.opening_minor,
            from: self.from,
            to: self.to,
        }
    }
}

/// What a booking day came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DaySums {
    pub(crate) capture_minor: i128,
    pub(crate) refund_minor: i128,
    pub(crate) fees_minor: i128,
    pub(crate) payout_minor: i128,
    /// After the last entry of the day.
    pub(crate) balance_minor: i64,
}

/// Why the entries of one account do not fit one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// The balance before the row is not that after the row before.
    Balance { row: u32, before_minor: i64, after_minor: i64 },
    /// A row of a booking day that an earlier row has paid out.
    PaidOut { row: u32, booked_on: Date },
    /// A row of a later booking day stands before a payout, and its own time does not say why.
    LaterDay { row: u32, booked_on: Date },
    /// The fees of a day's rows are not what was taken out of the balance for them.
    Fees { row: u32, booked_on: Date, rows_minor: i128, taken_minor: i128 },
    /// More days are open than can be put together.
    ManyDays { row: u32 },
    /// A day has a second row of fees.
    FeesTwice { row: u32, booked_on: Date },
}

/// The entries of one account.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    chain: Chain,
    broken: Option<Break>,
    /// All entries, while there are few enough to be sorted.
    kept: Vec<Entry>,
    count: usize,
}

impl Ledger {
    /// Takes the next entry of the file; `keeps` says whether it may be kept to be put in order.
    pub(crate) fn take(&mut self, entry: Entry, keeps: bool) {
        self.count += 1;
        if keeps {
            self.kept.push(entry);
        } else {
            self.kept = Vec::new();
        }
        if self.broken.is_none() {
            self.broken = self.chain.take(&entry).err();
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// How the entries do not fit one another in any order that was tried.
    pub(crate) fn finish(mut self) -> Result<Chain, Break> {
        if let Some(broken) = self.broken {
            if self.kept.len() < self.count {
                return Err(broken);
            }
            // Of the two breaks that of the file's own order is where a person looks.
            self.chain = in_order(&self.kept).map_err(|_| broken)?;
        }
        self.chain.end();
        Ok(self.chain)
    }
}

/// The chain of entries sorted by time.
fn in_order(entries: &[Entry]) -> Result<Chain, Break> {
    let mut chain = Chain::default();
    in_order_of_time(entries).into_iter().try_for_each(|entry| chain.take(entry))?;
    Ok(chain)
}

/// Entries sorted by time; those of one second stand in any order, and the balance tells which is next.
pub(crate) fn in_order_of_time(entries: &[Entry]) -> Vec<&Entry> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| (entry.time, entry.booked_on));
    let before = |entry: &Entry| entry.balance_minor.saturating_sub(entry.amount_minor);
    let mut ordered: Vec<&Entry> = Vec::with_capacity(sorted.len());
    for tied in sorted.chunk_by(|one, next| one.time == next.time) {
        let mut left = tied.to_vec();
        while !left.is_empty() {
            // The first of all most likely follows an empty balance, or else none of the others.
            let balance = ordered.last().map_or(0, |last| last.balance_minor);
            let follows_none =
                |entry: &&Entry| tied.iter().take(TIED_MAX).all(|other| before(entry) != other.balance_minor);
            let mut near = left.iter().copied().take(TIED_MAX);
            let next = near
                .clone()
                .position(|entry| before(entry) == balance)
                .or_else(|| near.position(|entry| follows_none(&entry)));
            ordered.push(left.remove(next.unwrap_or(0)));
        }
    }
    ordered
}

/// A booking day that no payout has closed yet.
#[derive(Debug, Clone, Copy, Default)]
struct Day {
    entries: u64,
    payments: u64,
    amount_minor: i128,
    /// Sum of the fees that its payments state.
    fees_minor: i128,
    /// The fee of one of them is not known.
    lacks_fees: bool,
    /// Sum and row of what was taken out for them.
    taken: Option<(i128, u32)>,
    first_row: u32,
    /// The earliest time of its entries.
    first_time: DateTime,
    /// All its rows were made after the day before it: they may stand before the payout of that day.
    begins_late: bool,
}

/// The entries so far, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    balance_minor: Option<i64>,
    /// Balance before the first entry that no payout has closed.
    opening_minor: i64,
    /// Whether a payout or an empty balance stands before it.
    begins_whole: bool,
    open: BTreeMap<Date, Day>,
    paid_until: Option<Date>,
    stopped: Option<u32>,
    /// Another report may yet say which fees were taken out.
    fees_may_wait: bool,
    /// After the end: the time of the first entry that no payout has closed.
    open_since: Option<DateTime>,
    /// In the order of the ledger, so that their booking days ascend.
    pub(crate) closed: Vec<Closed>,
    pub(crate) remainders: Vec<Remainder>,
    pub(crate) days: BTreeMap<Date, DaySums>,
}

impl Chain {
    /// A chain of entries whose fees may be in other reports.
    pub(crate) fn with_fees_apart() -> Self {
        Chain { fees_may_wait: true, ..Chain::default() }
    }

    /// Takes the next entry of the ledger.
    ///
    /// # Errors
    /// How it does not fit the entries before it.
    pub(crate) fn take(&mut self, entry: &Entry) -> Result<(), Break> {
        let row = entry.row;
        let before = i128::from(entry.balance_minor) - i128::from(entry.amount_minor);
        let before_minor = i64::try_from(before).unwrap_or(i64::MAX);
        match self.balance_minor {
            Some(after_minor) if after_minor != before_minor => {
                return Err(Break::Balance { row, before_minor, after_minor });
            }
            Some(_) => {}
            None => {
                self.opening_minor = before_minor;
                self.begins_whole = before_minor == 0;
            }
        }
        self.balance_minor = Some(entry.balance_minor);
        if self.stopped.is_some() || entry.kind == EntryKind::Unknown {
            self.stopped.get_or_insert(row);
            if matches!(entry.kind, EntryKind::Payout { .. }) {
                return Ok(());
            }
            self.hold_open(entry);
            return self.has_few_days(row);
        }
        self.count_day(entry);
        if let EntryKind::Payout { place } = entry.kind {
            return self.close(entry, place);
        }
        if self.paid_until.is_some_and(|paid| entry.booked_on <= paid) {
            return Err(Break::PaidOut { row, booked_on: entry.booked_on });
        }
        let day = self.hold_open(entry);
        // Fees are taken when their day is over, and so before its payout.
        let is_payment = matches!(entry.kind, EntryKind::Payment { .. } | EntryKind::PaymentOfUnknownFee);
        day.begins_late &= is_payment && entry.time.date() >= entry.booked_on;
        match entry.kind {
            EntryKind::Payment { fee_minor, .. } => {
                day.payments += 1;
                day.fees_minor += i128::from(fee_minor);
            }
            EntryKind::PaymentOfUnknownFee => {
                day.payments += 1;
                day.lacks_fees = true;
            }
            _ if day.taken.is_some() => return Err(Break::FeesTwice { row, booked_on: entry.booked_on }),
            _ => day.taken = Some((i128::from(entry.amount_minor), row)),
        }
        self.has_few_days(row)
    }

    fn has_few_days(&self, row: u32) -> Result<(), Break> {
        let few = self.open.len() <= OPEN_DAYS_MAX && self.days.len() <= DAYS_MAX;
        if few { Ok(()) } else { Err(Break::ManyDays { row }) }
    }

    fn hold_open(&mut self, entry: &Entry) -> &mut Day {
        let fresh = Day { first_row: entry.row, first_time: entry.time, begins_late: true, ..Day::default() };
        let day = self.open.entry(entry.booked_on).or_insert(fresh);
        day.entries += 1;
        day.amount_minor += i128::from(entry.amount_minor);
        day.first_time = day.first_time.min(entry.time);
        day
    }

    fn count_day(&mut self, entry: &Entry) {
        let day = self.days.entry(entry.booked_on).or_default();
        let amount = i128::from(entry.amount_minor);
        day.balance_minor = entry.balance_minor;
        match entry.kind {
            EntryKind::Payment { is_refund: true, .. } => day.refund_minor += amount,
            EntryKind::Payment { .. } | EntryKind::PaymentOfUnknownFee => day.capture_minor += amount,
            EntryKind::Fees => day.fees_minor += amount,
            EntryKind::Payout { .. } => day.payout_minor += amount,
            EntryKind::Unknown => {}
        }
    }

    /// A payout takes the booking days up to its own.
    fn close(&mut self, entry: &Entry, place: u32) -> Result<(), Break> {
        let later = self.open.split_off(&entry.booked_on.tomorrow().unwrap_or(Date::MAX));
        let taken = std::mem::replace(&mut self.open, later);
        // Of a later day only what came before the payout was made, on the same day, may stand before it.
        let is_early = |booked_on: &Date, day: &Day| !day.begins_late || *booked_on < entry.time.date();
        let too_early = self.open.iter().find(|(booked_on, day)| is_early(booked_on, day));
        if let Some((booked_on, day)) = too_early {
            return Err(Break::LaterDay { row: day.first_row, booked_on: *booked_on });
        }
        let later_minor: i128 = self.open.values().map(|day| day.amount_minor).sum();
        let closing = i128::from(entry.balance_minor) - later_minor;
        let closing_minor = i64::try_from(closing).unwrap_or(i64::MAX);
        let mut fees = Fees::Unknown;
        let mut waits = (!self.begins_whole).then_some(WaitingReason::Beginning);
        if waits.is_none() {
            match fees_of(&taken) {
                _ if taken.values().any(|day| day.lacks_fees) => waits = Some(WaitingReason::Fees),
                Ok(known) => fees = known,
                Err(_) if self.fees_may_wait => waits = Some(WaitingReason::Fees),
                Err(broken) => return Err(broken),
            }
        }
        if let Some(reason) = waits {
            self.leave(&taken, reason);
        }
        self.closed.push(Closed {
            place,
            row: entry.row,
            time: entry.time,
            booked_on: entry.booked_on,
            from: taken.keys().next().copied().unwrap_or(entry.booked_on),
            payout_minor: entry.amount_minor.saturating_neg(),
            opening_minor: self.opening_minor,
            closing_minor,
            payments: taken.values().map(|day| day.payments).sum(),
            fees,
            is_whole: waits.is_none(),
        });
        self.opening_minor = closing_minor;
        self.begins_whole = true;
        self.paid_until = Some(entry.booked_on);
        Ok(())
    }

    /// Leaves these days in no settlement.
    fn leave(&mut self, days: &BTreeMap<Date, Day>, reason: WaitingReason) {
        let (Some(from), Some(to)) = (days.keys().next(), days.keys().next_back()) else { return };
        self.remainders.push(Remainder {
            reason,
            entries: days.values().map(|day| day.entries).sum(),
            sum_minor: days.values().map(|day| day.amount_minor).sum(),
            opening_minor: self.opening_minor,
            from: *from,
            to: *to,
        });
    }

    /// Leaves what no payout has closed.
    pub(crate) fn end(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.open_since = open.values().map(|day| day.first_time).min();
        let reason = self.stopped.map_or(WaitingReason::Payout, |row| WaitingReason::UnknownType { row });
        self.leave(&open, reason);
    }

    /// The payout that pays a booking day out, where the file has all of it.
    pub(crate) fn paying(&self, booked_on: Date) -> Option<&Closed> {
        let first = self.closed.partition_point(|closed| closed.booked_on < booked_on);
        self.closed.get(first).filter(|closed| closed.is_whole)
    }

    /// Whether an entry that has its settlement also proves others: it stands before a payout that is not whole, or after
    /// the first entry that no payout has closed, or is the last payout and leaves a balance.
    pub(crate) fn proves_others(&self, row: u32, time: DateTime) -> bool {
        let within = self.closed.first().is_some_and(|closed| !closed.is_whole && time <= closed.time);
        let leaves = self.open_since.is_some() || self.balance_minor != Some(0);
        let is_last = || self.closed.last().is_some_and(|closed| closed.row == row);
        within || self.open_since.is_some_and(|since| since <= time) || (leaves && is_last())
    }
}

/// How the fees of these days were taken: each day's out of the balance, or none at all.
fn fees_of(days: &BTreeMap<Date, Day>) -> Result<Fees, Break> {
    let deducted = days.values().any(|day| day.taken.is_some());
    let charged = days.values().any(|day| day.fees_minor != 0);
    if !deducted {
        return Ok(if charged { Fees::Invoiced } else { Fees::Deducted });
    }
    for (booked_on, day) in days {
        let (taken_minor, row) = day.taken.unwrap_or((0, day.first_row));
        if taken_minor != day.fees_minor {
            return Err(Break::Fees { row, booked_on: *booked_on, rows_minor: day.fees_minor, taken_minor });
        }
    }
    Ok(Fees::Deducted)
}

#[cfg(test)]
mod tests;
