//! The lake: what counts, once, whatever races and breaks off; the same bytes however it came about.

pub(crate) mod cases;
mod racing;
mod readers;
mod sql;
mod told;

use jiff::civil::Date;
use tests::generate::{Report, Seed, Settlement, settlement};
use tests::lake::World;

/// A settlement of `lines` lines that is paid out on that day.
pub(crate) fn paid_on(seed: &mut Seed, number: u64, lines: u64, payout_on: Date) -> Settlement {
    let mut settlement = settlement(seed, number, lines);
    let later = settlement.payout_on.until(payout_on).unwrap();
    for line in &mut settlement.lines {
        line.captured_on = line.captured_on.saturating_add(later);
    }
    Settlement { payout_on, ..settlement }
}

pub(crate) fn of(merchant: u64, settlements: &[&Settlement]) -> Report {
    Report { merchant, settlements: settlements.iter().map(|settlement| (*settlement).clone()).collect() }
}

/// The same settlement with other money, on another day.
pub(crate) fn corrected(before: &Settlement, payout_on: Date) -> Settlement {
    let mut after = Settlement { payout_on, ..before.clone() };
    let line = &mut after.lines[0];
    if line.refund_minor < 0 {
        line.refund_minor -= 700
    } else {
        line.capture_minor += 700
    }
    after
}

/// A lake of few settlements, two of which change days with each other.
struct Swap {
    world: World,
    first: Vec<u8>,
    second: Vec<u8>,
}

impl Swap {
    fn new() -> Self {
        let days = [5, 12].map(|day| jiff::civil::date(2026, 10, day));
        let mut seed = Seed(4);
        let [one, two] = [1, 2].map(|number| paid_on(&mut seed, number, 4, days[number as usize - 1]));
        let third = paid_on(&mut seed, 3, 3, days[0]);
        let first = tests::generate::portal_csv(&of(123_456, &[&one, &two, &third]));
        let (one, two) = (corrected(&one, days[1]), corrected(&two, days[0]));
        let second = tests::generate::portal_csv(&of(123_456, &[&one, &two]));
        Swap { world: World::default(), first, second }
    }
}
