use super::*;
use jiff::civil::date;

fn day(day: i8) -> Date {
    date(2026, 11, day)
}

/// An entry by its row, booking day, amount and balance; its time is a second a row.
fn entry(row: u32, booked: i8, amount_minor: i64, balance_minor: i64, kind: EntryKind) -> Entry {
    let time = day(booked).at(12, 0, i8::try_from(row).unwrap(), 0);
    Entry { row, time, booked_on: day(booked), amount_minor, balance_minor, kind }
}

const fn sale(fee_minor: i64) -> EntryKind {
    EntryKind::Payment { fee_minor, is_refund: false }
}

/// Two days and their payouts, then a sale that waits.
fn two_payouts() -> Vec<Entry> {
    vec![
        entry(1, 2, 1_000, 1_000, sale(-10)),
        entry(2, 2, -10, 990, EntryKind::Fees),
        entry(3, 2, -990, 0, EntryKind::Payout { place: 0 }),
        entry(4, 3, 500, 500, sale(-5)),
        entry(5, 3, 200, 700, sale(-2)),
        entry(6, 3, -7, 693, EntryKind::Fees),
        entry(7, 3, -600, 93, EntryKind::Payout { place: 1 }),
        entry(8, 4, 50, 143, sale(-1)),
    ]
}

fn chain_of(entries: &[Entry]) -> Result<Chain, Break> {
    let mut ledger = Ledger::default();
    entries.iter().for_each(|entry| ledger.take(*entry, true));
    ledger.finish()
}

/// Of each payout its place, opening, closing, number of payments and whether it is whole.
fn closed(chain: &Chain) -> Vec<(u32, i64, i64, u64, bool)> {
    let parts = |c: &Closed| (c.place, c.opening_minor, c.closing_minor, c.payments, c.is_whole);
    chain.closed.iter().map(parts).collect()
}

const EXPECTED: [(u32, i64, i64, u64, bool); 2] = [(0, 0, 0, 1, true), (1, 0, 93, 2, true)];

#[test]
fn a_payout_closes_the_days_up_to_its_own_and_the_rest_waits() {
    let chain = chain_of(&two_payouts()).unwrap();
    assert_eq!(closed(&chain), EXPECTED);
    assert!(chain.closed.iter().all(|closed| closed.fees == Fees::Deducted));
    let [left] = chain.remainders.as_slice() else { panic!("{:?}", chain.remainders) };
    assert_eq!((left.reason, left.entries, left.sum_minor, left.opening_minor), (WaitingReason::Payout, 1, 50, 93));
    assert_eq!(chain.paying(day(1)).map(|closed| closed.place), Some(0));
    assert_eq!(chain.paying(day(3)).map(|closed| closed.place), Some(1));
    assert_eq!(chain.paying(day(4)), None);
}

#[test]
fn entries_in_any_order_are_the_same_ledger() {
    let entries = two_payouts();
    let mut reversed = entries.clone();
    reversed.reverse();
    assert_eq!(closed(&chain_of(&reversed).unwrap()), EXPECTED);
    for by in 0..entries.len() {
        let mut turned = entries.clone();
        turned.rotate_left(by);
        turned.swap(0, 3);
        assert_eq!(closed(&chain_of(&turned).unwrap()), EXPECTED, "turned by {by}");
    }
    // All within one second: the balance alone tells their order.
    let mut tied = entries;
    tied.iter_mut().for_each(|entry| entry.time = day(2).at(0, 25, 59, 0));
    tied.reverse();
    assert_eq!(closed(&chain_of(&tied).unwrap()), EXPECTED);
}

#[test]
fn an_entry_that_is_missing_changed_or_twice_breaks_the_chain() {
    let entries = two_payouts();
    for place in 1..entries.len() - 1 {
        let mut without = entries.clone();
        without.remove(place);
        assert!(matches!(chain_of(&without), Err(Break::Balance { .. })), "without {place}");
    }
    for place in 0..entries.len() {
        let mut twice = entries.clone();
        twice.insert(place, entries[place]);
        assert!(matches!(chain_of(&twice), Err(Break::Balance { .. })), "{place} twice");
        for by in [-1, 1, 100] {
            let mut changed = entries.clone();
            changed[place].amount_minor += by;
            let whole = chain_of(&changed).is_ok_and(|chain| closed(&chain) == EXPECTED && place < 7);
            assert!(!whole, "the amount of {place} changed by {by}");
        }
    }
}

#[test]
fn a_file_that_begins_within_a_payout_leaves_it_waiting() {
    let chain = chain_of(&two_payouts()[1..]).unwrap();
    assert_eq!(closed(&chain), [(0, 1_000, 0, 0, false), (1, 0, 93, 2, true)]);
    assert_eq!(chain.paying(day(2)), None);
    assert_eq!(chain.remainders[0].reason, WaitingReason::Beginning);
}

#[test]
fn an_unknown_type_stops_the_chain_at_its_row() {
    let mut entries = two_payouts();
    entries[4].kind = EntryKind::Unknown;
    let chain = chain_of(&entries).unwrap();
    assert_eq!(closed(&chain), EXPECTED[..1]);
    let [left] = chain.remainders.as_slice() else { panic!("{:?}", chain.remainders) };
    assert_eq!((left.reason, left.entries), (WaitingReason::UnknownType { row: 5 }, 4));
    assert_eq!((left.from, left.to), (day(3), day(4)));
}

#[test]
fn the_fees_of_each_day_are_what_was_taken_for_them_or_invoiced() {
    let mut entries = two_payouts();
    entries[4].kind = sale(-3);
    let broken = Break::Fees { row: 6, booked_on: day(3), rows_minor: -8, taken_minor: -7 };
    assert_eq!(chain_of(&entries).err(), Some(broken));
    let invoiced = [entry(1, 2, 1_000, 1_000, sale(-10)), entry(2, 2, -1_000, 0, EntryKind::Payout { place: 0 })];
    assert_eq!(chain_of(&invoiced).unwrap().closed[0].fees, Fees::Invoiced);
    let free = [entry(1, 2, 1_000, 1_000, sale(0)), entry(2, 2, -1_000, 0, EntryKind::Payout { place: 0 })];
    assert_eq!(chain_of(&free).unwrap().closed[0].fees, Fees::Deducted);
}

#[test]
fn a_sale_after_midnight_may_stand_before_the_payout_of_the_day() {
    let night = |row, booked: i8, minute, amount, balance, kind| Entry {
        time: day(3).at(0, minute, 0, 0),
        ..entry(row, booked, amount, balance, kind)
    };
    let mut entries = vec![
        entry(1, 2, 1_000, 1_000, sale(-10)),
        night(2, 3, 5, 70, 1_070, sale(-1)),
        night(3, 2, 25, -10, 1_060, EntryKind::Fees),
        night(4, 2, 25, -990, 70, EntryKind::Payout { place: 0 }),
    ];
    assert_eq!(closed(&chain_of(&entries).unwrap()), [(0, 0, 0, 1, true)]);
    // The same with a time of the day before shows that a booking day was changed.
    entries[1].time = day(2).at(13, 0, 0, 0);
    assert_eq!(chain_of(&entries).err(), Some(Break::LaterDay { row: 2, booked_on: day(3) }));
    entries[1].time = day(3).at(0, 5, 0, 0);
    entries.push(night(5, 2, 30, 5, 75, sale(0)));
    assert_eq!(chain_of(&entries).err(), Some(Break::PaidOut { row: 5, booked_on: day(2) }));
}
