use jiff::civil::date;
use settlement::{Currency, LedgerPayout};

use super::*;

/// An entry of a day by its amount, after which the balance is what is named.
fn entry(day: i8, hour: i8, kind: LedgerEntryKind, amount_minor: i64, balance_minor: i64) -> LedgerEntry {
    LedgerEntry {
        merchant_number: "123456".parse().unwrap(),
        currency: Currency::NOK,
        exponent: 2,
        kind,
        provider_kind: String::new(),
        time: date(2026, 10, day).at(hour, 0, 0, 0),
        booked_on: date(2026, 10, day),
        amount_minor,
        balance_minor,
        fee_minor: Some(0),
        transaction_id: format!("{day}{hour}"),
        order_reference: String::new(),
        method: String::new(),
        payout: None,
    }
}

fn sale(day: i8, hour: i8, amount_minor: i64, balance_minor: i64) -> LedgerEntry {
    entry(day, hour, LedgerEntryKind::Capture, amount_minor, balance_minor)
}

fn payout(day: i8, number: u32, amount_minor: i64, balance_minor: i64) -> LedgerEntry {
    let payout = LedgerPayout {
        settlement_id: number.to_string().parse().unwrap(),
        paid_on: date(2026, 10, day + 1),
        account: None,
    };
    LedgerEntry { payout: Some(payout), ..entry(day, 23, LedgerEntryKind::Payout, -amount_minor, balance_minor) }
}

fn days(from: i8, to: i8) -> PaidDays {
    PaidDays { from: date(2026, 10, from), to: date(2026, 10, to) }
}

/// How many entries each payout has that two files come to, whichever of them is first.
fn payouts(one: &[LedgerEntry], other: &[LedgerEntry]) -> Vec<usize> {
    let of = |first: &[LedgerEntry], second: &[LedgerEntry]| {
        let known = assemble(Vec::new(), first.to_vec(), &[]).runs;
        assemble(known, second.to_vec(), &[]).payouts.iter().map(|payout| payout.entries.len()).collect()
    };
    let found: Vec<usize> = of(one, other);
    assert_eq!(found, of(other, one), "the order of the files makes a difference");
    found
}

#[test]
fn files_that_share_an_entry_or_meet_between_two_days_are_put_together() {
    let shared = sale(1, 10, 200, 300);
    assert_eq!(payouts(&[sale(1, 9, 100, 100), shared.clone()], &[shared, payout(1, 7, 300, 0)]), [3]);
    assert_eq!(payouts(&[sale(1, 9, 100, 100)], &[sale(2, 9, 50, 150), payout(2, 7, 150, 0)]), [3]);
}

/// Entries that come to nothing may be missing where the balance goes on.
#[test]
fn files_that_meet_within_a_day_or_leave_one_out_are_not_put_together() {
    assert_eq!(payouts(&[sale(1, 9, 100, 100)], &[sale(1, 12, 50, 150), payout(1, 7, 150, 0)]), [0; 0]);
    assert_eq!(payouts(&[sale(1, 9, 100, 100)], &[sale(3, 9, 50, 150), payout(3, 7, 150, 0)]), [0; 0]);
}

#[test]
fn files_with_a_payout_missing_between_them_are_not_put_together() {
    let before = [sale(1, 8, 10, 10), payout(1, 6, 10, 0), sale(2, 9, 100, 100)];
    assert_eq!(payouts(&before, &[sale(3, 9, 50, 150), payout(3, 7, 150, 0)]), [2, 3]);
    assert_eq!(payouts(&before, &[sale(3, 9, 50, 150), payout(3, 8, 150, 0)]), [2]);
}

#[test]
fn what_is_paid_out_is_left_out_but_for_the_payout_that_leaves_a_balance() {
    let all = [sale(1, 9, 100, 100), payout(1, 6, 70, 30), sale(2, 9, 50, 80), payout(2, 7, 80, 0)];
    let assembly = assemble(Vec::new(), all.to_vec(), &[days(1, 1)]);
    assert_eq!(assembly.runs, [all[1..].to_vec()]);
    assert_eq!(assembly.payouts, [AssembledPayout { entries: all[1..].to_vec(), days: days(2, 2) }]);
    assert_eq!(assemble(Vec::new(), all.to_vec(), &[days(1, 2)]).runs, Vec::<Run>::new());
    assert_eq!(assemble(Vec::new(), all[..2].to_vec(), &[days(1, 1)]).runs, [all[1..2].to_vec()]);
}

#[test]
fn entries_without_a_payout_or_a_beginning_wait_and_are_counted() {
    let waiting = assemble(Vec::new(), vec![sale(1, 9, 100, 100), sale(1, 10, 20, 120)], &[]).waiting;
    let [waits] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert_eq!((waits.reason, waits.entries, waits.sum_minor), (WaitingReason::Payout, 2, 120));
    let waiting = assemble(Vec::new(), vec![sale(1, 9, 100, 150), payout(1, 6, 150, 0)], &[]).waiting;
    let [waits] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert_eq!((waits.reason, waits.entries, waits.opening_minor), (WaitingReason::Beginning, 1, 50));
}

/// A row of an unknown type stops the ledger: what stands after it is in no payout.
#[test]
fn nothing_after_an_unknown_type_is_taken() {
    let unknown = entry(1, 10, LedgerEntryKind::Unknown, -5, 95);
    let assembly = assemble(Vec::new(), vec![sale(1, 9, 100, 100), unknown, payout(1, 6, 95, 0)], &[]);
    assert_eq!(assembly.payouts, []);
    assert!(matches!(assembly.waiting[0].reason, WaitingReason::UnknownType { .. }), "{:?}", assembly.waiting);
}

#[test]
fn of_too_many_entries_the_oldest_are_left_out_and_counted() {
    let beyond = 3;
    let total = i64::try_from(WAITING_ENTRIES_MAX + beyond).unwrap();
    let mut entries: Vec<LedgerEntry> = (1..=total).map(|number| sale(1, 9, 1, number)).collect();
    entries.iter_mut().for_each(|entry| entry.transaction_id = entry.balance_minor.to_string());
    let assembly = assemble(Vec::new(), entries, &[]);
    assert_eq!((assembly.left_out, assembly.runs[0].len()), (beyond as u64, WAITING_ENTRIES_MAX));
    assert_eq!(assembly.runs[0][0].balance_minor, 1 + beyond as i64);
}

/// Where fees are invoiced nothing is taken out, so that only the report of fees can say that they are known.
#[test]
fn a_payout_of_invoiced_fees_waits_for_the_report_of_fees() {
    let capture = LedgerEntry { fee_minor: None, ..sale(1, 9, 100, 100) };
    let funds = vec![capture.clone(), payout(1, 6, 100, 0)];
    let alone = assemble(Vec::new(), funds, &[]);
    assert_eq!((alone.payouts.len(), alone.waiting[0].reason), (0, WaitingReason::Fees));
    let fee = LedgerEntry { fee_minor: None, ..entry(1, 9, LedgerEntryKind::TransactionFee, -3, -3) };
    let together = assemble(alone.runs, vec![fee], &[]);
    assert_eq!(together.payouts[0].entries[0], LedgerEntry { fee_minor: Some(3), ..capture });
    assert_eq!(together.waiting, []);
}
