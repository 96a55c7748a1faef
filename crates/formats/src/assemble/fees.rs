//! Fees of transactions that a report of their own states.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use settlement::{LedgerEntry, LedgerEntryIdentity, LedgerEntryKind};

use super::Run;

/// Whether an entry is one of a ledger of fees.
pub(super) fn is_fee(entry: &LedgerEntry) -> bool {
    entry.kind == LedgerEntryKind::TransactionFee
}

/// The fees that are known, each entry once.
pub(super) struct TransactionFees {
    entries: Run,
    /// What each transaction costs, in minor units: above zero when charged.
    by_transaction: HashMap<String, i64>,
    /// Booking days of which fees are known.
    days: HashSet<Date>,
}

impl TransactionFees {
    /// Those known and those added, without those of days that are paid out.
    pub(super) fn joined(known: Vec<Run>, added: &[LedgerEntry], is_paid: &impl Fn(Date) -> bool) -> Self {
        let known: Run = known.into_iter().flatten().collect();
        let mut left: HashMap<LedgerEntryIdentity<'_>, usize> = HashMap::new();
        known.iter().for_each(|entry| *left.entry(entry.identity()).or_default() += 1);
        let mut new = Run::new();
        for entry in added {
            match left.get_mut(&entry.identity()) {
                // What one file has twice is twice there.
                Some(count) if *count > 0 => *count -= 1,
                _ => new.push(entry.clone()),
            }
        }
        let mut entries: Run = known.iter().cloned().chain(new).filter(|entry| !is_paid(entry.booked_on)).collect();
        entries.sort_by(|one, other| {
            let place = |entry: &LedgerEntry| (entry.time, entry.booked_on, entry.balance_minor);
            place(one).cmp(&place(other)).then_with(|| one.transaction_id.cmp(&other.transaction_id))
        });
        let (mut by_transaction, mut days) = (HashMap::new(), HashSet::new());
        for entry in &entries {
            let fee_minor: &mut i64 = by_transaction.entry(entry.transaction_id.clone()).or_default();
            *fee_minor = fee_minor.saturating_sub(entry.amount_minor);
            days.insert(entry.booked_on);
        }
        TransactionFees { entries, by_transaction, days }
    }

    /// The entry with its fee, where another report states it.
    ///
    /// Once a fee of its day is known, one without an entry costs nothing: the fees of a day are reported together.
    pub(super) fn completed(&self, entry: &LedgerEntry) -> LedgerEntry {
        let is_payment = matches!(entry.kind, LedgerEntryKind::Capture | LedgerEntryKind::Refund);
        if !is_payment || entry.fee_minor.is_some() {
            return entry.clone();
        }
        let stated = self.by_transaction.get(&entry.transaction_id).copied();
        let fee_minor = stated.or_else(|| self.days.contains(&entry.booked_on).then_some(0));
        LedgerEntry { fee_minor, ..entry.clone() }
    }

    pub(super) fn into_run(self) -> Option<Run> {
        (!self.entries.is_empty()).then_some(self.entries)
    }
}
