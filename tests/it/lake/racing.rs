//! Two hundred reports in any order, corrections and repetitions among them, while builders race.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::civil::{Date, date};
use pipeline::Packing;
use pipeline::lake::{self, BuildLake};
use settlement::{SettleKey, Terms};
use simulation::Disturbed;
use store::{Place, Query, SettlementItem};
use tests::generate::{Report, Seed, portal_csv, xml};
use tests::lake::{Name, World, name_of};

use super::{corrected, of, paid_on};

/// Merchants with the currency of each.
const MERCHANTS: [(u64, &str); 4] = [(123_456, "NOK"), (654_321, "DKK"), (222_333, "EUR"), (777_888, "NOK")];
const REPORTS: u64 = 200;

/// The files of an account with fourteen months of payouts, in any order.
pub(super) fn files(seed: &mut Seed) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let day = |number: u64| date(2026, 1, 5).saturating_add(jiff::Span::new().days((number * 2 % 425) as i64));
    for number in 0..REPORTS {
        let (merchant, currency) = MERCHANTS[(number % 4) as usize];
        let settlements: Vec<_> = (0..1 + number % 3)
            .map(|part| {
                let lines = 1 + seed.below(9);
                paid_on(seed, 3 * number + part, lines, day(number + part))
            })
            .collect();
        let report = of(merchant, &settlements.iter().collect::<Vec<_>>());
        files.push(in_any_layout(number, &report, currency, seed.below(2) == 0));
        let moved = |settlement: &tests::generate::Settlement, day: Date| corrected(settlement, day);
        match number % 16 {
            3 => files.push(in_any_layout(1_000 + number, &report, currency, true)),
            5 => {
                // Another day, in the same month or the next.
                let later = settlements[0].payout_on.saturating_add(jiff::Span::new().days(3));
                let report = of(merchant, &[&moved(&settlements[0], later)]);
                files.push(in_any_layout(2_000 + number, &report, currency, true));
            }
            8 => {
                // Days that change places.
                let (one, two) = (&settlements[0], &settlements[1 % settlements.len()]);
                let report = of(merchant, &[&moved(one, two.payout_on), &moved(two, one.payout_on)]);
                if one.id != two.id {
                    files.push(in_any_layout(3_000 + number, &report, currency, true));
                }
            }
            13 => {
                let report = of(merchant, &[&moved(&settlements[0], settlements[0].payout_on)]);
                files.push(in_any_layout(4_000 + number, &report, currency, true));
            }
            _ => {}
        }
    }
    for place in (1..files.len()).rev() {
        files.swap(place, seed.below(place as u64 + 1) as usize);
    }
    files
}

/// Vipps' portal knows NOK alone.
fn in_any_layout(number: u64, report: &Report, currency: &str, as_csv: bool) -> (String, Vec<u8>) {
    if currency == "NOK" && as_csv {
        return (format!("{number}.csv"), portal_csv(report));
    }
    let text = String::from_utf8(xml(report)).unwrap();
    (format!("{number}.xml"), text.replace(">NOK<", &format!(">{currency}<")).into_bytes())
}

/// The versions that count, as the state has them.
pub(super) async fn truth(world: &World) -> BTreeMap<Name, (Date, u64, Terms)> {
    let items = store::all(&*world.ports.state, Query::all(format!("SETTLEMENT#{}", world.account))).await.unwrap();
    let last = |item: &store::Item| {
        let SettlementItem { versions } = store::decode(item).unwrap();
        let settlement = versions.last().unwrap().settlement.clone();
        let name = name_of(&SettleKey::new(&world.account, &"vipps".parse().unwrap(), &settlement.head));
        (name, (settlement.head.payout_on, settlement.lines, settlement.sums))
    };
    items.iter().map(last).collect()
}

/// What each settlement may be at any time: what any file says of it.
fn allow(world: &World, files: &[(String, Vec<u8>)]) {
    let limits = formats::Limits::default();
    let mut allowed: BTreeMap<Name, BTreeSet<_>> = BTreeMap::new();
    for (name, bytes) in files {
        let mut input = std::io::Cursor::new(bytes);
        let judged = pipeline::intake::judge::judge(name, &mut input, &limits, Some("vipps"), |_| {
            Ok::<_, tables::TableError>(tables::DigestSink::default())
        })
        .unwrap();
        for settlement in judged.settlements {
            let name = name_of(&SettleKey::new(&world.account, &"vipps".parse().unwrap(), &settlement.head));
            let Terms { capture_minor, refund_minor, fee_minor, .. } = settlement.sums;
            let sums = [settlement.lines as i64, capture_minor, refund_minor, fee_minor];
            allowed.entry(name).or_default().insert(sums);
        }
    }
    *world.seen.allowed.lock().unwrap() = allowed;
}

/// The world when all is taken in twice and built.
pub(super) async fn taken_and_built(number: u64, packing: Packing) -> World {
    let mut seed = Seed(number);
    let files = files(&mut seed);
    assert!(files.len() > 230, "{}", files.len());
    let mut world = World::default();
    world.ports.packing = packing;
    allow(&world, &files);
    // The very same files once more, and beside all of it builders that hold one another's leases for over.
    let rounds: Vec<&[(String, Vec<u8>)]> = files.chunks(40).chain(files.chunks(120)).collect();
    for (round, files) in (0_u64..).zip(rounds) {
        let [intake, first, second] =
            [0, 1, 2].map(|part| Disturbed::by_turns(number * 1_000 + round * 3 + part).ports(&world.ports));
        let later = BuildLake { now: world.now + SignedDuration::from_hours(round as i64), ..world.build() };
        let much_later = BuildLake { now: later.now + SignedDuration::from_mins(16), ..later.clone() };
        tokio::join!(
            async {
                for (name, bytes) in files {
                    world.take(&intake, name, bytes).await;
                }
            },
            async { drop(lake::run(&first, &later).await) },
            async {
                for _ in 0..2 {
                    drop(lake::run(&second, &much_later).await);
                }
            }
        );
        if round == 2 {
            let taken = truth_reports(&world).await;
            for (report, keys) in taken.into_iter().take(20) {
                super::cases::matched(&world, report, &keys).await;
            }
        }
    }
    let last = BuildLake { now: world.now + SignedDuration::from_hours(1_000), ..world.build() };
    while lake::run(&world.ports, &last).await.unwrap().is_unfinished {}
    assert_eq!(world.marks(), [""; 0]);
    world
}

/// The reports that count with the settlements that they are the last version of.
async fn truth_reports(world: &World) -> BTreeMap<settlement::ReportId, Vec<SettleKey>> {
    let items = store::all(&*world.ports.state, Query::all(format!("SETTLEMENT#{}", world.account))).await.unwrap();
    let mut found: BTreeMap<_, Vec<SettleKey>> = BTreeMap::new();
    for item in &items {
        let SettlementItem { versions } = store::decode(item).unwrap();
        let last = versions.last().unwrap();
        let key = SettleKey::new(&world.account, &"vipps".parse().unwrap(), &last.settlement.head);
        found.entry(last.report).or_default().push(key);
    }
    found
}

#[tokio::test]
async fn two_hundred_reports_in_any_order_are_the_lake_to_the_ore_while_builders_race() {
    let world = taken_and_built(31, Packing::None).await;
    let truth = truth(&world).await;
    assert!(truth.len() > 350, "{}", truth.len());
    let lake = world.lake().await;
    let mut found = BTreeMap::new();
    for (key, bytes) in lake.iter().filter(|(key, _)| key.contains("/settlement_line/")) {
        for (name, (sums, _)) in tests::lake::current_of(tests::lake::parquet_bytes(bytes)) {
            let day: Date = key.rsplit('/').next().unwrap().strip_suffix(".parquet").unwrap().parse().unwrap();
            assert!(found.insert(name, (day, sums)).is_none());
        }
    }
    let expected: BTreeMap<_, _> = truth
        .iter()
        .map(|(name, (day, lines, sums))| {
            let Terms { capture_minor, refund_minor, fee_minor, .. } = *sums;
            (name.clone(), (*day, [*lines as i64, capture_minor, refund_minor, fee_minor]))
        })
        .collect();
    assert!(found == expected);
    let (looks, short) = *world.seen.looks.lock().unwrap();
    assert!(looks > 200 && short > 3, "{looks} puts, {short} with a settlement missing");

    // However it came about, the bytes are those of a lake that is built at once.
    let fresh = world.without_lake().await;
    lake::run(&fresh.ports, &BuildLake { all: true, ..fresh.build() }).await.unwrap();
    let rebuilt = fresh.lake().await;
    let differing: Vec<&String> =
        lake.keys().chain(rebuilt.keys()).filter(|key| lake.get(*key) != rebuilt.get(*key)).collect();
    assert!(differing.is_empty(), "{differing:?}");
    let place = Place::lake_lease(&world.account);
    assert!(place.read::<store::LeaseItem>(&*world.ports.state).await.unwrap().is_some());
}
