//! Runs of entries: cut out of a file, joined where they overlap, and lined up where they meet.

use jiff::civil::Date;
use settlement::{LedgerEntry, LedgerEntryKind};

use super::{Run, entry_at};
use crate::ledger;

/// The runs of one file's entries: in its own order, or in that of their times where more of them follow one another so.
pub(super) fn runs_of(entries: Vec<LedgerEntry>) -> Vec<Run> {
    let in_file = cut(entries);
    if in_file.len() <= 1 {
        return in_file;
    }
    let entries: Vec<LedgerEntry> = in_file.iter().flatten().cloned().collect();
    let by_place: Vec<_> = (0..).zip(&entries).map(|(place, entry)| entry_at(place, entry)).collect();
    let order = ledger::in_order_of_time(&by_place);
    let sorted = cut(order.iter().filter_map(|entry| entries.get(entry.row as usize).cloned()).collect());
    if sorted.len() < in_file.len() { sorted } else { in_file }
}

fn cut(entries: Vec<LedgerEntry>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for entry in entries {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| last.leads_to(&entry)) => run.push(entry),
            _ => runs.push(vec![entry]),
        }
    }
    runs
}

/// All runs, those with entries in common made one.
pub(super) fn joined(known: Vec<Run>, added: Vec<Run>) -> Vec<Run> {
    let mut all = known;
    for mut run in added {
        let mut place = 0;
        while let Some(other) = all.get(place) {
            match overlapping(other, &run).or_else(|| overlapping(&run, other)) {
                Some(union) => {
                    run = union;
                    all.remove(place);
                    // What was looked at before may overlap with the longer run.
                    place = 0;
                }
                None => place += 1,
            }
        }
        all.push(run);
    }
    all.sort_by_key(|run| run.first().map(|first| (first.time, first.booked_on, first.balance_minor)));
    all
}

/// Both runs as one, where `late` begins within `early` and both say the same as far as they overlap.
fn overlapping(early: &[LedgerEntry], late: &[LedgerEntry]) -> Option<Run> {
    let first = late.first()?.identity();
    let begins = early.iter().enumerate().filter(|(_, entry)| entry.identity() == first);
    begins.map(|(place, _)| early.split_at(place)).find_map(|(before, within)| {
        let agree = within.iter().zip(late).all(|(one, other)| one.identity() == other.identity());
        let longer = if within.len() >= late.len() { within } else { late };
        agree.then(|| before.iter().chain(longer).cloned().collect())
    })
}

/// Leaves out the entries that settlements in force have, but for those that prove others: the payout before them, what
/// stands among them or before their payout, and a last payout that leaves a balance to what comes next.
pub(super) fn without_paid(run: &[LedgerEntry], is_paid: &impl Fn(Date) -> bool) -> Vec<Run> {
    let parts: Vec<&[LedgerEntry]> =
        run.chunk_by(|one, next| is_paid(one.booked_on) == is_paid(next.booked_on)).collect();
    let mut kept: Vec<Run> = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| parts.get(place));
        let next = parts.get(place + 1);
        let payout = part.last().filter(|entry| entry.kind == LedgerEntryKind::Payout);
        let is_own = part.first().is_some_and(|entry| !is_paid(entry.booked_on));
        // What the part before still needs: a payout after it, of its days or of none.
        let goes_on = before.is_some_and(|before| match next {
            Some(next) => payout.is_none() || share_days(before, next),
            None => before.last().is_none_or(|last| last.kind != LedgerEntryKind::Payout),
        });
        if is_own || goes_on {
            kept.extend(kept.is_empty().then(Run::new));
            kept.last_mut().into_iter().for_each(|run| run.extend_from_slice(part));
        } else if let Some(next) = next {
            kept.push(end_before(part, next).to_vec());
        } else if let Some(payout) = payout.filter(|payout| leaves_to_unpaid(payout, is_paid)) {
            kept.push(vec![payout.clone()]);
        }
    }
    kept.retain(|run| !run.is_empty());
    kept
}

/// The end of a part that the next one needs: entries of later days, which stand before its payout, and a payout before it.
fn end_before<'p>(part: &'p [LedgerEntry], next: &[LedgerEntry]) -> &'p [LedgerEntry] {
    let first = next.first().map(|entry| entry.booked_on);
    let is_payout = |entry: &LedgerEntry| entry.kind == LedgerEntryKind::Payout;
    let ends = part.iter().rposition(|entry| Some(entry.booked_on) <= first || is_payout(entry));
    let from = ends.map_or(0, |ends| if part.get(ends).is_some_and(is_payout) { ends } else { ends + 1 });
    part.get(from..).unwrap_or_default()
}

fn leaves_to_unpaid(payout: &LedgerEntry, is_paid: &impl Fn(Date) -> bool) -> bool {
    payout.balance_minor != 0 && payout.booked_on.tomorrow().is_ok_and(|tomorrow| !is_paid(tomorrow))
}

/// Whether entries of one booking day stand in both parts.
fn share_days(before: &[LedgerEntry], after: &[LedgerEntry]) -> bool {
    let last = before.iter().map(|entry| entry.booked_on).max();
    last >= after.iter().map(|entry| entry.booked_on).min()
}

/// Lines up runs, the oldest first, each after the last one that it meets.
pub(super) fn chains(runs: &[Run]) -> Vec<Vec<&Run>> {
    let mut chains: Vec<Vec<&Run>> = Vec::new();
    for run in runs {
        let meeting = chains.iter_mut().rfind(|chain| meets(chain, run));
        match meeting {
            Some(chain) => chain.push(run),
            None => chains.push(vec![run]),
        }
    }
    chains
}

/// Whether nothing can be missing between a chain and a run: the balance goes on, the run begins on the next booking day,
/// and the numbers of payouts go on where both are known.
///
/// Of a day in two files, or of a day in none, nobody could know whether it has entries that come to nothing.
fn meets(chain: &[&Run], run: &Run) -> bool {
    let (Some(last), Some(first)) = (chain.last().and_then(|run| run.last()), run.first()) else { return false };
    let is_next_day = last.booked_on.tomorrow().is_ok_and(|tomorrow| first.booked_on == tomorrow);
    if !is_next_day || !last.leads_to(first) || first.time < last.time {
        return false;
    }
    let before = chain.iter().rev().find_map(|run| run.iter().rev().find_map(number));
    let next = run.iter().find_map(number);
    before.zip(next).is_none_or(|(before, next)| before.checked_add(1) == Some(next))
}

/// The number of a payout, where its id is one.
fn number(entry: &LedgerEntry) -> Option<u64> {
    entry.payout.as_ref()?.settlement_id.parse().ok()
}
