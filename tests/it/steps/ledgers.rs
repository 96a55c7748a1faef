//! A ledger in several files: the payout that they come to is a report like any other, whatever fails in between.

use std::sync::Arc;

use jiff::SignedDuration;
use pipeline::Ports;
use pipeline::current::ledgers;
use pipeline::intake::parse::{self, Outcome, ParseReport};
use pipeline::intake::upload::MadeUpload;
use settlement::{Kind, ReportId, Verdict};
use simulation::{Disturbed, Mode, Script};
use store::ReportState;
use tests::generate::{Seed, details_csv, report, xml};

use super::{World, id, sample};

/// The rows of one file in two, which have a row in common.
fn halves(bytes: &[u8]) -> [Vec<u8>; 2] {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let middle = rows.len() / 2;
    [&rows[..middle], &rows[middle - 1..]].map(|rows| format!("{head}\n{}\n", rows.join("\n")).into_bytes())
}

/// Reads an upload and all that it makes; another worker takes over where the first ends.
async fn read_all(world: &World, ports: &mut Ports, command: ParseReport) -> Vec<Outcome> {
    let mut left = vec![command];
    let mut outcomes = Vec::new();
    while let Some(command) = left.pop() {
        let outcome = match parse::run(ports, &command).await {
            Ok(outcome) => outcome,
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                *ports = world.app.ports.clone();
                let later = ParseReport { now: command.now + SignedDuration::from_hours(1), ..command.clone() };
                parse::run(ports, &later).await.unwrap()
            }
        };
        for MadeUpload { landing, version, .. } in outcome.uploads.clone() {
            left.push(ParseReport { landing, version, ..command.clone() });
        }
        outcomes.push(outcome);
    }
    outcomes
}

#[tokio::test]
async fn a_payout_in_two_files_is_taken_in_whatever_order_they_come() {
    let whole = details_csv(&sample(3));
    for turned in [false, true] {
        let world = World::with_merchant().await;
        let mut parts = halves(&whole);
        if turned {
            parts.reverse();
        }
        let mut ports = world.app.ports.clone();
        let mut taken = Vec::new();
        for (name, part) in ["a.csv", "b.csv"].into_iter().zip(&parts) {
            taken.extend(read_all(&world, &mut ports, world.upload(name, part).await).await);
        }
        let settlements: usize = taken.iter().map(|outcome| outcome.settlements.len()).sum();
        assert_eq!(settlements, sample(3).settlements.len(), "turned: {turned}");
        assert!(taken.iter().all(|outcome| outcome.verdict == Verdict::Accepted));
        let ledger = &ledgers::all(&world.app.ports, &world.account).await.unwrap()[0];
        assert_eq!((ledger.item.entry_count, ledger.item.payouts, ledger.item.waiting_count), (0, 0, 0));
        // The whole file brings nothing new, and neither does a part of it.
        assert_eq!(world.take("whole.csv", &whole).await.verdict, Verdict::Duplicate);
        let again = world.take("again.csv", &parts[0]).await;
        assert_eq!((again.verdict, again.uploads.len()), (Verdict::Duplicate, 0));
    }
}

/// Known from the provider's XML before, it is the same settlement.
#[tokio::test]
async fn a_payout_that_is_known_from_another_format_is_a_duplicate_in_parts_too() {
    let (known, world) = (report(&mut Seed(3), 1, 5), World::with_merchant().await);
    assert_eq!(world.take("a.xml", &xml(&known)).await.verdict, Verdict::Accepted);
    let mut ports = world.app.ports.clone();
    let mut verdicts = Vec::new();
    for (name, part) in ["b.csv", "c.csv"].into_iter().zip(halves(&details_csv(&known))) {
        let taken = read_all(&world, &mut ports, world.upload(name, &part).await).await;
        verdicts.extend(taken.iter().map(|outcome| outcome.verdict));
    }
    assert_eq!(verdicts, [Verdict::Accepted, Verdict::Accepted, Verdict::Duplicate]);
    let ledger = &ledgers::all(&world.app.ports, &world.account).await.unwrap()[0];
    assert_eq!((ledger.item.entry_count, ledger.item.payouts), (0, 0));
}

/// Entries of a merchant number that is another account's are none of this one's business.
#[tokio::test]
async fn entries_that_wait_are_held_where_their_merchant_is_unknown() {
    let world = World::new();
    let [part, _] = halves(&details_csv(&report(&mut Seed(3), 1, 5)));
    let outcome = world.take("a.csv", &part).await;
    assert_eq!(outcome.judgement.kind(), Some(Kind::MerchantUnknown));
    assert_eq!(ledgers::all(&world.app.ports, &world.account).await.unwrap(), []);
}

#[tokio::test]
async fn a_worker_that_ends_at_any_call_loses_no_entry_and_takes_each_payout_once() {
    let parts = halves(&details_csv(&report(&mut Seed(5), 1, 6)));
    let whole = |world: World, plan: Arc<Disturbed>| {
        let parts = &parts;
        async move {
            let mut ports: Ports = plan.ports(&world.app.ports);
            let mut reports: Vec<ReportId> = Vec::new();
            for (name, part) in ["a.csv", "b.csv"].into_iter().zip(parts) {
                let taken = read_all(&world, &mut ports, world.upload(name, part).await).await;
                reports.extend(taken.iter().map(id));
            }
            reports.sort_unstable();
            reports.dedup();
            let mut states = Vec::new();
            for report in &reports {
                states.push(world.report_item(*report).await.state);
            }
            let ledgers = ledgers::all(&world.app.ports, &world.account).await.unwrap();
            let left: Vec<_> = ledgers.iter().map(|l| (l.item.entry_count, l.item.payouts)).collect();
            (world.records(&reports).await, states, left, plan.calls())
        }
    };
    let (expected, states, left, calls) = whole(World::with_merchant().await, Disturbed::by(Script::quiet())).await;
    assert_eq!((states.as_slice(), left.as_slice()), (&[const { ReportState::Committed }; 3][..], &[(0, 0)][..]));
    assert!(calls > 40, "{calls}");
    for at in 0..calls {
        for fault in [Mode::Before, Mode::After, Mode::Refused] {
            let plan = Disturbed::by(Script::at([(at, fault.clone())]));
            let (found, found_states, found_left, _) = whole(World::with_merchant().await, plan).await;
            assert_eq!((found_states, found_left), (states.clone(), left.clone()), "{fault:?} call {at}");
            assert_eq!(found, expected, "{fault:?} call {at}");
        }
    }
}
