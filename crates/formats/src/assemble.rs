//! Entries of one ledger from several files, put together: what closes with a payout becomes a report of its own.
//!
//! Files overlap, come in any order and hold any part of a ledger. Entries that follow one another in a file are a run.
//! Runs with entries in common are joined. Runs that only meet, one beginning on the day after the other and with its last
//! balance, are tried together. A payout is taken when the chain of balances holds from
//! an empty balance, or from the payout before it, to its own row.
//!
//! Some reports leave fees to a report of their own. Their payouts wait until the fees of each of their days are known and
//! are those that were taken out.

mod fees;
mod runs;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use settlement::{LedgerEntry, LedgerEntryKind, PaidDays, WaitingEntries, WaitingReason};

use self::fees::TransactionFees;
use self::runs::{chains, joined, runs_of, without_paid};
use crate::ledger::{Break, Chain, Closed, Entry, EntryKind, Remainder};

/// Entries that follow one another in a ledger, each with the balance that the one before it leads to.
pub type Run = Vec<LedgerEntry>;

/// So many entries of one ledger may wait.
pub const WAITING_ENTRIES_MAX: usize = 100_000;

/// A payout that can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssembledPayout {
    /// Its entries, and what their proof needs before them.
    pub entries: Run,
    /// The booking days that it pays out.
    pub days: PaidDays,
}

/// What the entries of one ledger come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assembly {
    /// The payouts that can be taken.
    pub payouts: Vec<AssembledPayout>,
    /// All entries that no settlement in force has, those of `payouts` too.
    pub runs: Vec<Run>,
    /// The entries that wait for another file.
    pub waiting: Vec<WaitingEntries>,
    /// Entries that were left out, since more than [`WAITING_ENTRIES_MAX`] wait.
    pub left_out: u64,
}

/// Puts together the runs `known` of one ledger and the entries `added` by a file.
///
/// Entries booked on `paid` days belong to settlements in force and are left out. In whatever order files come, the
/// same payouts are taken.
pub fn assemble(known: Vec<Run>, added: Vec<LedgerEntry>, paid: &[PaidDays]) -> Assembly {
    let is_paid = |day: Date| paid.iter().any(|paid| paid.holds(day));
    let (known_fees, known) = known.into_iter().partition(|run| run.first().is_some_and(fees::is_fee));
    let (added_fees, added): (Run, Run) = added.into_iter().partition(fees::is_fee);
    let fees = TransactionFees::joined(known_fees, &added_fees, &is_paid);
    let runs = joined(known, runs_of(added));
    let mut runs: Vec<Run> = runs.iter().flat_map(|run| without_paid(run, &is_paid)).collect();
    let left_out = leave_out_oldest(&mut runs);
    let mut assembly = Assembly { left_out, ..Assembly::default() };
    for chain in chains(&runs) {
        let chain: Vec<Run> = chain.iter().map(|run| run.iter().map(|entry| fees.completed(entry)).collect()).collect();
        if assembly.take(&chain.concat(), &is_paid).is_ok() {
            continue;
        }
        // Where runs that only meet do not fit, each stands by itself.
        for run in &chain {
            if assembly.take(run, &is_paid).is_err() {
                assembly.wait(run);
            }
        }
    }
    assembly.runs = runs;
    assembly.runs.extend(fees.into_run());
    assembly
}

impl Assembly {
    /// Takes the payouts that a chain closes; nothing of a chain that does not fit.
    fn take(&mut self, chain: &[LedgerEntry], is_paid: &impl Fn(Date) -> bool) -> Result<(), Break> {
        let mut ledger = Chain::with_fees_apart();
        for (place, entry) in (0..).zip(chain) {
            ledger.take(&entry_at(place, entry))?;
        }
        ledger.end();
        let open = ledger.closed.iter().filter(|closed| closed.is_whole && !is_paid(closed.booked_on));
        self.payouts.extend(open.filter_map(|closed| entries_of(chain, closed)));
        let Some(first) = chain.first() else { return Ok(()) };
        let remainders = ledger.remainders.iter().filter(|left| !(is_paid(left.from) && is_paid(left.to)));
        let of_first = |left: &Remainder| left.of(&first.merchant_number, first.currency, first.exponent);
        self.waiting.extend(remainders.map(of_first));
        Ok(())
    }

    /// Counts entries that fit no chain: another file may say what is missing among them.
    fn wait(&mut self, run: &[LedgerEntry]) {
        let days = run.iter().map(|entry| entry.booked_on);
        let (Some(first), Some((from, to))) = (run.first(), days.clone().min().zip(days.max())) else { return };
        let left = Remainder {
            reason: WaitingReason::Beginning,
            entries: run.len() as u64,
            sum_minor: run.iter().map(|entry| i128::from(entry.amount_minor)).sum(),
            opening_minor: first.balance_before_minor().unwrap_or(i64::MAX),
            from,
            to,
        };
        self.waiting.push(left.of(&first.merchant_number, first.currency, first.exponent));
    }
}

fn entry_at(place: u32, entry: &LedgerEntry) -> Entry {
    let is_refund = entry.kind == LedgerEntryKind::Refund;
    let kind = match (entry.kind, entry.fee_minor) {
        (LedgerEntryKind::Capture | LedgerEntryKind::Refund, Some(fee_minor)) => {
            EntryKind::Payment { fee_minor: fee_minor.saturating_neg(), is_refund }
        }
        (LedgerEntryKind::Refund, None) => EntryKind::Payment { fee_minor: 0, is_refund },
        (LedgerEntryKind::Capture, None) => EntryKind::PaymentOfUnknownFee,
        (LedgerEntryKind::Fees, _) => EntryKind::Fees,
        (LedgerEntryKind::Payout, _) => EntryKind::Payout { place },
        (LedgerEntryKind::TransactionFee | LedgerEntryKind::Unknown, _) => EntryKind::Unknown,
    };
    let LedgerEntry { time, booked_on, amount_minor, balance_minor, .. } = *entry;
    Entry { row: place, time, booked_on, amount_minor, balance_minor, kind }
}

/// The entries of a payout, which prove it by themselves: from an empty balance on, or from the payout before it.
fn entries_of(chain: &[LedgerEntry], closed: &Closed) -> Option<AssembledPayout> {
    let last = closed.row as usize;
    let up_to = chain.get(..=last)?;
    let days = PaidDays { from: closed.from, to: closed.booked_on };
    let first = up_to.iter().position(|entry| days.holds(entry.booked_on))?;
    let before = up_to.get(first)?.balance_before_minor();
    let payout_before = chain.get(..last)?.iter().rposition(|entry| entry.kind == LedgerEntryKind::Payout);
    let first = if before == Some(0) { first } else { payout_before.map_or(0, |payout| payout.min(first)) };
    Some(AssembledPayout { entries: up_to.get(first..)?.to_vec(), days })
}

/// Leaves out the oldest entries where there are too many, and says how many.
fn leave_out_oldest(runs: &mut Vec<Run>) -> u64 {
    let total: usize = runs.iter().map(Vec::len).sum();
    let left_out = total.saturating_sub(WAITING_ENTRIES_MAX);
    let mut beyond = left_out;
    for run in runs.iter_mut() {
        let from_run = beyond.min(run.len());
        run.drain(..from_run);
        beyond -= from_run;
    }
    runs.retain(|run| !run.is_empty());
    left_out as u64
}
