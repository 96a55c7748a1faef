//! What reaches the lake behind a report: its notice, and how far its settlement events have come.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use jiff::SignedDuration;
use jiff::civil::date;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pipeline::current::notice::{self, NoticeCheck};
use pipeline::intake::notice::{AddNotice, add_notice};
use pipeline::lake::{self, BuildLake};
use settlement::{Fees, PayoutNotice, SettleKey};
use simulation::Disturbed;
use store::EventState;
use tests::generate::{Seed, Settlement, portal_csv};
use tests::lake::{World, parquet_bytes};

use super::cases::matched;
use super::{of, paid_on};

const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/swedbankpay-sales-xml-v2/basic.xml");

/// A text column of the only object of a table.
async fn texts(world: &World, table: &str, column: &str) -> Vec<Option<String>> {
    let lake = world.lake().await;
    let bytes = &lake[&format!("lake/v1/T00000001/export/{table}.parquet")];
    let batches = ParquetRecordBatchReaderBuilder::try_new(parquet_bytes(bytes)).unwrap().build().unwrap();
    let of = |batch: arrow_array::RecordBatch| {
        let cells = batch.column_by_name(column).unwrap().as_string::<i32>().clone();
        cells.iter().map(|cell| cell.map(str::to_owned)).collect::<Vec<_>>()
    };
    batches.map(Result::unwrap).flat_map(of).collect()
}

#[tokio::test]
async fn a_list_is_in_transit_until_its_notice_makes_it_exact() {
    let world = World::default();
    let command = world.upload("swedbankpay", "list.xml", &std::fs::read(Path::new(LIST)).unwrap()).await;
    pipeline::intake::parse::run(&world.ports, &command).await.unwrap();
    world.built().await;
    assert_eq!(texts(&world, "settlement", "proof").await, [Some("gross_only".to_owned())]);
    let before = lake::month_figures(&world.ports, &world.account).await.unwrap();
    let total = |figures: &[matching::GroupBridge]| figures.iter().map(|g| g.total).collect::<Vec<_>>();
    assert_eq!(
        total(&before).iter().map(|row| (row.paid_out_minor, row.closing_minor)).collect::<Vec<_>>(),
        [(0, 231_825)]
    );

    let evidence = world.scratch.join("balance.pdf");
    std::fs::write(&evidence, "%PDF-1.4 made up").unwrap();
    let key = notice::key_of(&world.account, "swedbankpay", "R4321/R4321-0007", "SEK".parse().unwrap()).unwrap();
    let notice = PayoutNotice {
        key: key.clone(),
        exponent: 2,
        amount_minor: 231_825,
        fee_minor: 5_600,
        fee_vat_minor: 1_401,
        fees: Fees::Deducted,
        payout_minor: 224_824,
        elsewhere: Vec::new(),
    };
    let (now, scratch) = (world.now, world.scratch.clone());
    let add = AddNotice { notice, evidence, by: "regnskap".into(), now, scratch };
    let (together, _) = add_notice(&world.ports, &add).await.unwrap();
    assert!(matches!(together, NoticeCheck::Agree(_)));
    assert_eq!(world.marks(), ["SETTLEMENT#swedbankpay/R4321/R4321-0007/SEK"]);
    world.built().await;
    assert_eq!(texts(&world, "settlement", "proof").await, [Some("exact".to_owned())]);
    let after = lake::month_figures(&world.ports, &world.account).await.unwrap();
    assert_eq!(
        total(&after).iter().map(|row| (row.paid_out_minor, row.closing_minor)).collect::<Vec<_>>(),
        [(224_824, 0)]
    );
    assert!(texts(&world, "settlement_line", "provider_kind").await.contains(&Some("payout notice".to_owned())));
}

/// A batch of a settlement's events, one for each line; only the one called `named` is in the outbox.
async fn tell(world: &World, key: &SettleKey, name: &str, settlement: &Settlement, states: [EventState; 2]) {
    let lines = settlement.lines.iter().zip(states);
    world.tell(key, name, lines.map(|(line, state)| (line.transaction.to_string(), 0, state))).await;
}

#[tokio::test]
async fn the_lake_tells_how_far_settlement_events_have_come() {
    let world = World::default();
    let settlement = paid_on(&mut Seed(21), 1, 2, date(2026, 10, 5));
    let taken = world.take(&world.ports, "a.csv", &portal_csv(&of(123_456, &[&settlement]))).await;
    let keys: Vec<SettleKey> = taken.settlements.iter().map(|listed| listed.key.clone()).collect();
    matched(&world, taken.report.unwrap(), &keys).await;
    world.built().await;
    assert_eq!(texts(&world, "match", "event_state").await, [None, None]);

    tell(&world, &keys[0], "named", &settlement, [EventState::Posted { found: false }, EventState::Superseded]).await;
    tell(&world, &keys[0], "unnamed", &settlement, [EventState::Planned, EventState::Planned]).await;
    world.built().await;
    assert_eq!(texts(&world, "match", "event_state").await, [Some("POSTED".to_owned()), None]);
    let states: BTreeMap<_, _> = [("match", 2), ("settlement_line", 2)].into();
    for (table, rows) in states {
        assert_eq!(texts(&world, table, "settlement_id").await.len(), rows, "{table}");
    }
}

/// A builder that was held up puts what was true for a while in place of what is true again; it must not trust that another one has
/// taken the mark away.
#[tokio::test]
async fn a_builder_that_puts_what_is_over_makes_the_day_again() {
    let world = World::default();
    let settlement = paid_on(&mut Seed(21), 1, 2, date(2026, 10, 5));
    let taken = world.take(&world.ports, "a.csv", &portal_csv(&of(123_456, &[&settlement]))).await;
    let key = taken.settlements[0].key.clone();
    matched(&world, taken.report.unwrap(), std::slice::from_ref(&key)).await;
    tell(&world, &key, "named", &settlement, [EventState::Planned, EventState::Planned]).await;
    world.built().await;
    let expected = world.lake().await;
    let base = world;
    for at in 0.. {
        let world = Arc::new(base.fork());
        tell(&world, &key, "named", &settlement, [EventState::InFlight, EventState::Planned]).await;
        let (meanwhile, settlement, key) = (Arc::clone(&world), settlement.clone(), key.clone());
        let plan = Disturbed::held_up(at, async move {
            tell(&meanwhile, &key, "named", &settlement, [EventState::Planned, EventState::Planned]).await;
            let later = BuildLake { now: meanwhile.now + SignedDuration::from_hours(1), ..meanwhile.build() };
            lake::run(&meanwhile.ports, &later).await.unwrap();
        });
        let built = lake::run(&plan.ports(&world.ports), &world.build()).await;
        if plan.calls() <= at {
            assert!(at > 30, "{at}");
            break;
        }
        assert!(built.is_ok_and(|built| !built.is_unfinished) || at < 3, "call {at}");
        assert!(world.lake().await == expected, "call {at}");
    }
}
