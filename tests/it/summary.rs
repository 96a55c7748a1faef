//! The month summary: the months of generated reports computed once more by themselves, every form read by others, revisions.

mod command;
mod forms;
mod revisions;

use std::collections::BTreeMap;

use documents::{FiguresOf, MonthSummary};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use pipeline::months::{self, Summarise, Summarised};
use settlement::{Month, Terms};
use tests::generate::{Report, Seed, Settlement, portal_csv, xml};
use tests::lake::World;

use crate::lake::{of, paid_on};

/// Merchant, currency: Vipps' portal knows NOK alone.
const MERCHANTS: [(u64, &str); 3] = [(123_456, "NOK"), (654_321, "DKK"), (222_333, "EUR")];

/// The night after October in Oslo, which is still October elsewhere.
const AFTER_OCTOBER: &str = "2026-10-31T23:30:00Z";

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn command(world: &World, month: Option<Month>, now: &str) -> Summarise {
    let build = world.build();
    let now: Timestamp = now.parse().unwrap();
    Summarise { account: world.account.clone(), month, now, lease: build.lease, scratch: build.scratch }
}

async fn summarised(world: &World, text: &str, now: &str) -> Summarised {
    let mut made = months::run(&world.ports, &command(world, Some(month(text)), now)).await.unwrap();
    assert_eq!(made.len(), 1);
    made.remove(0)
}

/// A report in a layout that knows the currency.
fn file(number: usize, merchant: u64, currency: &str, settlement: &Settlement) -> (String, Vec<u8>) {
    let report: Report = of(merchant, &[settlement]);
    if currency == "NOK" {
        return (format!("{number}.csv"), portal_csv(&report));
    }
    let text = String::from_utf8(xml(&report)).unwrap().replace(">NOK<", &format!(">{currency}<"));
    (format!("{number}.xml"), text.into_bytes())
}

/// Settlements of three merchants from September to November, each in its currency.
fn generated(seed: u64) -> Vec<(u64, &'static str, Settlement)> {
    let mut seed = Seed(seed);
    let days = |step: i64| (0..).map(move |n| date(2026, 9, 2).saturating_add(jiff::Span::new().days(n * step)));
    let mut all = Vec::new();
    for (place, (merchant, currency)) in MERCHANTS.into_iter().enumerate() {
        for payout_on in days(5 + place as i64).take_while(|day| *day < date(2026, 11, 20)) {
            let lines = 1 + seed.below(12);
            all.push((merchant, currency, paid_on(&mut seed, all.len() as u64, lines, payout_on)));
        }
    }
    all
}

async fn take_all(world: &World, all: &[(u64, &'static str, Settlement)]) {
    for (number, (merchant, currency, settlement)) in all.iter().enumerate() {
        let (name, bytes) = file(number, *merchant, currency, settlement);
        world.take(&world.ports, &name, &bytes).await;
    }
}

/// What a month comes to in one currency, made of the generated reports alone.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Expected {
    payouts: u64,
    lines: u64,
    /// Capture, refund and fee of what was paid out.
    paid: [i64; 3],
    /// The same of what happened.
    happened: [i64; 3],
    opening: i64,
    closing: i64,
}

fn expected<'a>(
    all: impl Iterator<Item = (&'a str, &'a Settlement)>,
    first: Date,
    next: Date,
) -> BTreeMap<String, Expected> {
    let mut found: BTreeMap<String, Expected> = BTreeMap::new();
    let within = |day: Date| day >= first && day < next;
    for (currency, settlement) in all {
        let sums = found.entry(currency.to_owned()).or_default();
        sums.payouts += u64::from(within(settlement.payout_on));
        for line in &settlement.lines {
            let money = [line.capture_minor, line.refund_minor, line.fee_minor];
            let net = line.capture_minor + line.refund_minor - line.fee_minor;
            if within(settlement.payout_on) {
                sums.lines += 1;
                sums.paid.iter_mut().zip(money).for_each(|(sum, minor)| *sum += minor);
            }
            if within(line.captured_on) {
                sums.happened.iter_mut().zip(money).for_each(|(sum, minor)| *sum += minor);
            }
            for (ends, sum) in [(first, &mut sums.opening), (next, &mut sums.closing)] {
                let (has_happened, is_paid) = (line.captured_on < ends, settlement.payout_on < ends);
                *sum += net * (i64::from(has_happened) - i64::from(is_paid));
            }
        }
    }
    found
}

fn three(terms: &Terms) -> [i64; 3] {
    let Terms { capture_minor, refund_minor, fee_minor, .. } = *terms;
    [capture_minor, refund_minor, fee_minor]
}

/// The same of a summary.
fn found(summary: &MonthSummary) -> BTreeMap<String, Expected> {
    let content = &summary.content;
    let mut found: BTreeMap<String, Expected> = BTreeMap::new();
    for row in &content.figures {
        let sums = found.entry(row.currency.to_string()).or_default();
        sums.lines += row.lines;
        sums.paid.iter_mut().zip(three(&row.sums)).for_each(|(sum, minor)| *sum += minor);
    }
    for payout in &content.payouts {
        found.entry(payout.currency.to_string()).or_default().payouts += 1;
    }
    for row in &content.bridge {
        let sums = found.entry(row.currency.to_string()).or_default();
        sums.happened.iter_mut().zip(three(&row.happened)).for_each(|(sum, minor)| *sum += minor);
        sums.opening += row.opening_minor;
        sums.closing += row.closing_minor;
    }
    found
}

#[tokio::test]
async fn every_month_is_what_the_reports_themselves_come_to_to_the_ore() {
    let (world, all) = (World::default(), generated(41));
    take_all(&world, &all).await;
    let reports: Vec<_> = pipeline::current::match_rows::all_known(&world.ports, &world.account).await.unwrap();
    assert!(reports.is_empty());
    let made = months::run(&world.ports, &command(&world, None, "2027-01-01T06:00:00Z")).await.unwrap();
    let months: Vec<String> = made.iter().map(|made| made.summary.month.to_string()).collect();
    // Sales of the last day of August are paid out in September.
    assert_eq!(months, ["2026-08", "2026-09", "2026-10", "2026-11"]);
    let mut before: BTreeMap<String, i64> = BTreeMap::new();
    for Summarised { summary, files, is_new } in &made {
        let (first, next) = (summary.month.first_day(), summary.month.next().first_day());
        let mut expected = expected(all.iter().map(|(_, currency, s)| (*currency, s)), first, next);
        expected.retain(|_, sums| *sums != Expected::default());
        assert_eq!(found(summary), expected, "{}", summary.month);
        assert!(*is_new && summary.revision == 1 && files.len() == 6);
        for (currency, sums) in &expected {
            assert_eq!(before.insert(currency.clone(), sums.closing).unwrap_or(0), sums.opening, "{currency}");
        }
        // Nobody has held these lines against transactions: they stand in rows of their own.
        assert!(summary.content.figures.iter().all(|row| row.of == FiguresOf::Unmatched));
        let unmatched: u64 = summary.content.apart.iter().filter_map(|apart| apart.count).sum();
        assert_eq!(unmatched, expected.values().map(|sums| sums.lines).sum::<u64>());
    }
    assert!(made.iter().any(|made| made.summary.content.in_transit.len() >= 3));
    let again = months::run(&world.ports, &command(&world, None, "2027-01-01T07:00:00Z")).await.unwrap();
    assert_eq!(again, []);
}

#[tokio::test]
async fn matched_lines_stand_by_product_and_the_rest_apart() {
    let (world, all) = (World::default(), generated(42));
    for (number, (merchant, currency, settlement)) in all.iter().enumerate() {
        let (name, bytes) = file(number, *merchant, currency, settlement);
        let taken = world.take(&world.ports, &name, &bytes).await;
        if number % 3 > 0 {
            let keys: Vec<_> = taken.settlements.iter().map(|listed| listed.key.clone()).collect();
            crate::lake::cases::matched(&world, taken.report.unwrap(), &keys).await;
        }
    }
    let summary = summarised(&world, "2026-10", AFTER_OCTOBER).await.summary;
    let (first, next) = (date(2026, 10, 1), date(2026, 11, 1));
    assert_eq!(found(&summary), expected(all.iter().map(|(_, currency, s)| (*currency, s)), first, next));
    let of_month = |(number, (.., settlement)): &(usize, &(u64, &str, Settlement))| {
        number % 3 == 0 && settlement.payout_on >= first && settlement.payout_on < next
    };
    let unmatched = all.iter().enumerate().filter(of_month).map(|(_, (_, _, s))| s.lines.len() as u64).sum::<u64>();
    let apart: u64 = summary.content.apart.iter().filter_map(|apart| apart.count).sum();
    let row = |of| summary.content.figures.iter().filter(move |row| row.of == of).map(|row| row.lines).sum::<u64>();
    assert!(unmatched > 0 && row(FiguresOf::Product) > unmatched);
    assert_eq!((apart, row(FiguresOf::Unmatched)), (unmatched, unmatched));
}

#[tokio::test]
async fn the_half_hour_around_midnight_belongs_to_the_month_that_it_is_in_oslo() {
    let world = World::default();
    let settlement = paid_on(&mut Seed(43), 1, 2, date(2026, 11, 3));
    let text = String::from_utf8(xml(&of(123_456, &[&settlement]))).unwrap();
    let noon = |line: usize| format!("{}T12:00:00.000+01:00", settlement.lines[line].captured_on);
    let text = text.replacen(&noon(0), "2026-10-31T22:30:00.000+00:00", 1);
    let text = text.replacen(&noon(1), "2026-10-31T23:30:00.000+00:00", 1);
    world.take(&world.ports, "midnight.xml", text.as_bytes()).await;
    let [october, november] = [("2026-10", AFTER_OCTOBER), ("2026-11", "2026-12-01T06:00:00Z")];
    for (place, (month, now)) in [october, november].into_iter().enumerate() {
        let summary = summarised(&world, month, now).await.summary;
        let line = &settlement.lines[place];
        let happened: Vec<[i64; 3]> = summary.content.bridge.iter().map(|row| three(&row.happened)).collect();
        assert_eq!(happened, [[line.capture_minor, line.refund_minor, line.fee_minor]], "{month}");
        // The payout is November's alone.
        assert_eq!(summary.content.payouts.len(), place, "{month}");
    }
    // Half an hour before, October is not over in Oslo, though nothing of it is left out.
    let so_far = months::run(&world.ports, &command(&world, Some(month("2026-11")), AFTER_OCTOBER)).await.unwrap();
    assert!(so_far[0].summary.is_so_far() && so_far[0].files.is_empty());
}
