//! Single cases of the lake.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::date;
use pipeline::lake::{self, BuildLake};
use settlement::{ReportId, SettleKey};
use simulation::{Disturbed, Mode, Script};
use store::keys::Key;
use store::{Expect, MatchItem, Place, mark_dirty};
use tables::{MatchRow, MatchTable, Packing};
use tests::generate::{Seed, portal_csv};
use tests::lake::{World, current_of, is_busy, parquet_bytes};

use super::{Swap, corrected, of, paid_on};

#[tokio::test]
async fn settlements_that_change_days_with_each_other_are_never_there_twice() {
    let Swap { world, first, second } = Swap::new();
    world.take(&world.ports, "a.csv", &first).await;
    assert_eq!(world.marks(), ["2026-10-05", "2026-10-12"]);
    world.built().await;
    world.take(&world.ports, "b.csv", &second).await;
    assert_eq!(world.marks(), ["2026-10-05", "2026-10-12"]);
    world.built().await;
    assert_eq!(world.marks(), [""; 0]);
    let (looks, short) = *world.seen.looks.lock().unwrap();
    assert!(looks >= 5 && short >= 1, "{looks} puts, {short} with a settlement missing");

    // The day that a settlement left still shows what it was.
    let lake = world.lake().await;
    let old = &lake["lake/v1/T00000001/settlement_line/payout_month=2026-10/2026-10-05.parquet"];
    let current: Vec<String> =
        current_of(parquet_bytes(old)).into_keys().map(|(_, settlement, _)| settlement).collect();
    assert_eq!(current, ["2000002", "2000003"]);
    let lines = tables::read_lines(parquet_bytes(old)).unwrap().map(Result::unwrap);
    assert_eq!(lines.filter(|line| line.settlement_id == "2000001").count(), 4);
}

/// Every call of the builder is cut off once, before and after it had its effect; the next one ends in the same bytes.
#[tokio::test]
async fn a_builder_that_ends_at_any_call_leaves_nothing_that_the_next_one_does_not_heal() {
    let Swap { world, first, second } = Swap::new();
    world.take(&world.ports, "a.csv", &first).await;
    world.built().await;
    world.take(&world.ports, "b.csv", &second).await;
    let whole = async |plan: std::sync::Arc<Disturbed>| {
        let world = world.fork();
        let cut = lake::run(&plan.ports(&world.ports), &world.build()).await;
        if let Err(error) = cut {
            assert!(error.is_retryable(), "{error}");
        }
        let later = BuildLake { now: world.now + SignedDuration::from_hours(1), ..world.build() };
        let healed = lake::run(&world.ports, &later).await.unwrap();
        assert!(!healed.is_unfinished && world.marks().is_empty());
        world.lake().await
    };
    let plan = Disturbed::by(Script::quiet());
    let expected = whole(std::sync::Arc::clone(&plan)).await;
    assert_eq!(expected.len(), 13, "{:?}", expected.keys());
    for at in 0..plan.calls() {
        for fault in [Mode::Before, Mode::After, Mode::Refused] {
            let found = whole(Disturbed::by(Script::at([(at, fault.clone())]))).await;
            assert!(found == expected, "{fault:?} call {at}");
        }
    }
}

#[tokio::test]
async fn one_builder_at_a_time_and_building_again_puts_nothing() {
    let Swap { world, first, second } = Swap::new();
    world.take(&world.ports, "a.csv", &first).await;
    world.take(&world.ports, "b.csv", &second).await;
    // A builder that ends while it has the lease keeps others away until the lease is over.
    let plan = Disturbed::by(Script::at([(12, Mode::Before)]));
    lake::run(&plan.ports(&world.ports), &world.build()).await.unwrap_err();
    assert!(is_busy(&lake::run(&world.ports, &world.build()).await));
    let later = BuildLake { now: world.now + SignedDuration::from_mins(15), ..world.build() };
    assert!(lake::run(&world.ports, &later).await.unwrap().objects > 0);
    let lake = world.lake().await;
    for all in [false, true, true] {
        let again = lake::run(&world.ports, &BuildLake { all, ..later.clone() }).await.unwrap();
        assert_eq!((again.objects, again.days.len()), (0, if all { 2 } else { 0 }));
    }
    assert!(world.lake().await == lake);
    let fresh = world.without_lake().await;
    lake::run(&fresh.ports, &BuildLake { all: true, ..fresh.build() }).await.unwrap();
    assert!(fresh.lake().await == lake, "{:?}", fresh.lake().await.keys());
}

/// A worker that is held up behind its lease before any of its calls puts nothing old in place of what another has made.
#[tokio::test]
async fn a_builder_that_wakes_behind_its_lease_puts_nothing_old_in_place() {
    let Swap { world: first_taken, first, second } = Swap::new();
    first_taken.take(&first_taken.ports, "a.csv", &first).await;
    let expected = {
        let world = first_taken.fork();
        world.take(&world.ports, "b.csv", &second).await;
        world.built().await;
        world.lake().await
    };
    for at in 0.. {
        let world = std::sync::Arc::new(first_taken.fork());
        let second = second.clone();
        let meanwhile = std::sync::Arc::clone(&world);
        let plan = Disturbed::held_up(at, async move {
            meanwhile.take(&meanwhile.ports, "b.csv", &second).await;
            let later = BuildLake { now: meanwhile.now + SignedDuration::from_hours(1), ..meanwhile.build() };
            lake::run(&meanwhile.ports, &later).await.unwrap();
        });
        lake::run(&plan.ports(&world.ports), &world.build()).await.ok();
        if plan.calls() <= at {
            assert!(at > 30, "{at}");
            break;
        }
        world.built().await;
        assert!(world.lake().await == expected, "call {at}");
    }
}

/// A settlement that is committed to another day while that day is made, and its old one is not, waits for its old day.
#[tokio::test]
async fn a_settlement_waits_for_an_old_day_that_was_marked_behind_the_reading_of_marks() {
    let Swap { world: built, first, second } = Swap::new();
    built.take(&built.ports, "a.csv", &first).await;
    built.built().await;
    for at in 0.. {
        let world = std::sync::Arc::new(built.fork());
        world.ports.state.put_if(&mark_dirty(&world.account, date(2026, 10, 12)).unwrap()).await.unwrap();
        let (meanwhile, second) = (std::sync::Arc::clone(&world), second.clone());
        let plan = Disturbed::held_up(at, async move {
            meanwhile.take(&meanwhile.ports, "b.csv", &second).await;
        });
        // What must never be seen is looked at behind every put.
        lake::run(&plan.ports(&world.ports), &world.build()).await.unwrap();
        if plan.calls() <= at {
            assert!(at > 30, "{at}");
            break;
        }
        world.built().await;
        assert_eq!(world.marks(), [""; 0], "call {at}");
    }
}

/// More days than a transaction holds are marked all the same.
#[tokio::test]
async fn a_report_of_more_days_than_a_transaction_holds_is_in_the_lake_whole() {
    let world = World::default();
    let mut seed = Seed(9);
    let settlements: Vec<_> = (0..150)
        .map(|number| {
            let day = date(2026, 1, 1).saturating_add(jiff::Span::new().days(number as i64));
            paid_on(&mut seed, number, 1, day)
        })
        .collect();
    let report = of(123_456, &settlements.iter().collect::<Vec<_>>());
    let taken = world.take(&world.ports, "a.csv", &portal_csv(&report)).await;
    assert_eq!(world.marks(), [format!("REPORT#{}", taken.report.unwrap())]);
    assert_eq!(world.built().await.days.len(), 150);
    let lake = world.lake().await;
    let lines = &lake["lake/v1/T00000001/export/settlement_line.parquet"];
    assert_eq!(current_of(parquet_bytes(lines)).len(), 150);
}

/// Writes what the lines of a report were matched with: every second line with Vipps, the others with a card.
pub(crate) async fn matched(world: &World, report: ReportId, settlements: &[SettleKey]) {
    let key = Key::Lines { account: world.account.clone(), report, parser_version: pipeline::PARSER_VERSION.into() };
    let version = world.ports.objects.head(&key).await.unwrap().unwrap().version;
    let mut lines = tempfile::tempfile().unwrap();
    world.ports.objects.fetch(&key, &version, &mut lines).await.unwrap();
    let mut days = BTreeMap::new();
    for key in settlements {
        let (item, _) =
            Place::settlement(key).read::<store::SettlementItem>(&*world.ports.state).await.unwrap().unwrap();
        days.insert(tests::lake::name_of(key), item.versions.last().unwrap().settlement.head.payout_on);
    }
    let mut table = MatchTable::create(Vec::new(), &world.account, "vipps", report, Packing::Zstd).unwrap();
    for line in tables::read_lines(lines).unwrap().map(Result::unwrap) {
        let name = (line.merchant_number.clone(), line.settlement_id.clone(), line.currency.to_string());
        let Some(payout_on) = days.get(&name) else { continue };
        let product = if line.line_no % 2 == 0 { "vipps" } else { "payex.creditcard" };
        let row = MatchRow {
            merchant_number: line.merchant_number,
            settlement_id: line.settlement_id,
            currency: line.currency,
            line_no: line.line_no,
            state: "matched".into(),
            reason: "by order".into(),
            transaction_id: Some(format!("T00000001.{}", line.provider_transaction_id.unwrap_or_default())),
            transaction_event: Some(1),
            payment_product: Some(product.into()),
            payment_product_type: None,
            merchant_reference: line.order_reference,
            merchant_reference_2: None,
            payout_on: *payout_on,
        };
        table.add(row).unwrap();
    }
    // Whatever names it is its own.
    let digest = report.to_string();
    let key = Key::Matches { account: world.account.clone(), report, digest: digest.clone() };
    world.ports.objects.put_new(&key, &table.close().unwrap()).await.unwrap();
    let item = MatchItem {
        report,
        digest,
        settlements: settlements.to_vec(),
        added_lines: 0,
        payout_days: days.values().copied().collect(),
        states: BTreeMap::new(),
    };
    let mut writes = vec![Place::matches(report, &world.account).put(&item, Expect::Any).unwrap()];
    writes.extend(item.payout_days.iter().map(|day| mark_dirty(&world.account, *day).unwrap()));
    world.ports.state.transact(&writes).await.unwrap();
}

/// A settlement that another report has corrected since has no match of the old report in the lake.
#[tokio::test]
async fn lines_are_matched_by_the_report_that_counts() {
    let world = World::default();
    let mut seed = Seed(21);
    let day = date(2026, 10, 5);
    let [one, two] = [1, 2].map(|number| paid_on(&mut seed, number, 4, day));
    let taken = world.take(&world.ports, "a.csv", &portal_csv(&of(123_456, &[&one, &two]))).await;
    let keys: Vec<SettleKey> = taken.settlements.iter().map(|listed| listed.key.clone()).collect();
    matched(&world, taken.report.unwrap(), &keys).await;
    world.built().await;
    let rows = async |world: &World| {
        let lake = world.lake().await;
        let bytes = &lake["lake/v1/T00000001/match/payout_month=2026-10/2026-10-05.parquet"];
        tables::read_matches(parquet_bytes(bytes)).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(rows(&world).await.len(), 8);
    let products = |figures: &[matching::GroupBridge]| {
        figures.iter().map(|group| group.group.payment_product.clone()).collect::<Vec<_>>()
    };
    let figures = lake::month_figures(&world.ports, &world.account).await.unwrap();
    assert_eq!(products(&figures), [Some("payex.creditcard".to_owned()), Some("vipps".to_owned())]);

    world.take(&world.ports, "b.csv", &portal_csv(&of(123_456, &[&corrected(&one, day)]))).await;
    world.built().await;
    let rows = rows(&world).await;
    assert!(rows.len() == 4 && rows.iter().all(|row| row.settlement_id == "2000002"), "{rows:?}");
    let figures = lake::month_figures(&world.ports, &world.account).await.unwrap();
    assert_eq!(products(&figures)[0], None);
}
