//! Revisions: what makes one, what it says, and that none is lost, overwritten or mixed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use documents::{ApartKind, Change, DifferenceOf, MonthSummary};
use jiff::civil::date;
use pipeline::months::{self, Summarise};
use settlement::SettleKey;
use simulation::{Disturbed, Mode, Script};
use store::{EventState, Place, SummaryItem};
use tests::generate::{Seed, portal_csv};
use tests::lake::World;

use super::{AFTER_OCTOBER, command, month, summarised};
use crate::lake::{corrected, of, paid_on};

const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/swedbankpay-sales-xml-v2/basic.xml");
const LATER: &str = "2026-11-10T06:00:00Z";

async fn item(world: &World) -> SummaryItem {
    let place = Place::month_summary(&world.account, month("2026-10"));
    place.read::<SummaryItem>(&*world.ports.state).await.unwrap().map(|(item, _)| item).unwrap_or_default()
}

/// Every form of every revision that is named, and nothing written that is not whole: editions with fewer forms are named by none.
async fn named_files(world: &World) -> BTreeMap<String, Vec<u8>> {
    let item = item(world).await;
    let mut files = world.all_objects("reports/T00000001/months/2026-10/").await;
    let named: BTreeSet<String> = item.revisions.iter().map(|r| format!("/v{}-{}/", r.revision, r.edition)).collect();
    files.retain(|key, _| named.iter().any(|name| key.contains(name.as_str())));
    assert_eq!(files.len(), 6 * named.len());
    for revision in &item.revisions {
        let folder = format!("/v{}-{}/month-summary.json", revision.revision, revision.edition);
        let (_, json) = files.iter().find(|(key, _)| key.ends_with(&folder)).unwrap();
        let summary = MonthSummary::read(json).unwrap();
        assert_eq!(summary.revision, revision.revision);
    }
    files
}

#[tokio::test]
async fn a_settlement_that_comes_late_makes_the_next_revision_and_leaves_the_one_before() {
    let world = World::default();
    let mut seed = Seed(51);
    let [one, late, next] =
        [(1, 5), (2, 29), (3, 30)].map(|(number, day)| paid_on(&mut seed, number, 3, date(2026, 10, day)));
    let next = tests::generate::Settlement { payout_on: date(2026, 11, 2), ..next };
    world.take(&world.ports, "one.csv", &portal_csv(&of(123_456, &[&one]))).await;
    let first = summarised(&world, "2026-10", AFTER_OCTOBER).await;
    assert!(first.is_new && first.summary.revision == 1 && first.summary.differences.is_empty());
    let files = named_files(&world).await;

    world.take(&world.ports, "late.csv", &portal_csv(&of(123_456, &[&late]))).await;
    let second = summarised(&world, "2026-10", LATER).await;
    assert!(second.is_new && second.summary.revision == 2 && second.summary.changes_payouts());
    let (capture, refund, fee) = late.sums();
    let brought: Vec<_> = second.summary.differences.iter().filter(|d| d.of == DifferenceOf::Payout).collect();
    let [brought] = brought.as_slice() else { panic!("{brought:?}") };
    assert_eq!((brought.change, brought.subject.as_str()), (Change::New, late.id.to_string().as_str()));
    assert_eq!((brought.before_minor, brought.after_minor), (None, Some(capture + refund - fee)));
    let paid_out = second.summary.differences.iter().find(|d| d.of == DifferenceOf::Figures && d.term == "paid_out");
    let (before, after) = paid_out.map(|d| (d.before_minor.unwrap(), d.after_minor.unwrap())).unwrap();
    assert_eq!(after - before, capture + refund - fee);
    let both = named_files(&world).await;
    assert!(files.iter().all(|(key, bytes)| both.get(key) == Some(bytes)) && both.len() == 12);

    // What a later payout tells of the month changes what was in transit, and not what was paid out.
    world.take(&world.ports, "next.csv", &portal_csv(&of(123_456, &[&next]))).await;
    let third = summarised(&world, "2026-10", LATER).await;
    assert!(third.is_new && !third.summary.changes_payouts());
    let left: Vec<_> = third.summary.differences.iter().filter(|d| d.of == DifferenceOf::InTransit).collect();
    let [left] = left.as_slice() else { panic!("{left:?}") };
    assert_eq!((left.subject.as_str(), left.day), (next.id.to_string().as_str(), Some(date(2026, 11, 2))));

    // A correction shows both amounts.
    let after = corrected(&late, late.payout_on);
    world.take(&world.ports, "corrected.csv", &portal_csv(&of(123_456, &[&after]))).await;
    let fourth = summarised(&world, "2026-10", LATER).await;
    let payout = fourth.summary.differences.iter().find(|d| d.of == DifferenceOf::Payout && d.term == "paid_out");
    let payout = payout.unwrap();
    assert_eq!((fourth.summary.revision, payout.change, payout.version), (4, Change::Changed, Some(2)));
    assert_eq!(
        payout.after_minor.unwrap() - payout.before_minor.unwrap(),
        after.sums().0 - capture + after.sums().1 - refund
    );
    assert_eq!(named_files(&world).await.len(), 24);
    let again = summarised(&world, "2026-10", LATER).await;
    assert!(!again.is_new && again.summary == fourth.summary && again.files == fourth.files);
    assert_eq!(months::last(&world.ports, &world.account, month("2026-10")).await.unwrap(), Some(again));
}

/// A batch of events of a settlement, each in a state.
async fn tell(world: &World, key: &SettleKey, states: impl IntoIterator<Item = (i64, EventState)>) {
    let events = states.into_iter().enumerate();
    world.tell(key, "named", events.map(|(number, (minor, state))| (number.to_string(), minor, state))).await;
}

#[tokio::test]
async fn what_is_held_unknown_unmatched_or_not_exact_stands_in_lines_of_its_own() {
    let mut world = World::default();
    world.now = "2026-10-21T06:00:00Z".parse().unwrap();
    let mut seed = Seed(52);
    let [one, two] = [1, 2].map(|number| paid_on(&mut seed, number, 3, date(2026, 10, 5 + number as i8)));
    let taken = world.take(&world.ports, "one.csv", &portal_csv(&of(123_456, &[&one]))).await;
    let key = taken.settlements[0].key.clone();
    let clean = summarised(&world, "2026-10", AFTER_OCTOBER).await.summary;

    // One øre more on one line: the report is held.
    let text = String::from_utf8(portal_csv(&of(123_456, &[&two]))).unwrap();
    let paid = tests::generate::dot(two.lines[0].capture_minor + two.lines[0].refund_minor).replace('.', ",");
    let more = tests::generate::dot(two.lines[0].capture_minor + two.lines[0].refund_minor + 1).replace('.', ",");
    let command = world.upload("vipps", "two.csv", text.replacen(&paid, &more, 1).as_bytes()).await;
    assert_eq!(
        pipeline::intake::parse::run(&world.ports, &command).await.unwrap().verdict,
        settlement::Verdict::Quarantined
    );
    let list = std::fs::read(LIST).unwrap();
    let command = world.upload("swedbankpay", "list.xml", &list).await;
    let listed = pipeline::intake::parse::run(&world.ports, &command).await.unwrap();
    let listed = &listed.judgement.settlements[0];
    let unknown = EventState::Unknown { until: world.now, why: "no answer".into() };
    let human = EventState::Human { why: "decide".into() };
    let posted = EventState::Posted { found: false };
    tell(&world, &key, [(700, unknown.clone()), (11, unknown), (40, human), (5_000, posted)]).await;

    let in_list = settlement::Month::of(listed.head.payout_on).to_string();
    let summary = summarised(&world, "2026-10", AFTER_OCTOBER).await.summary;
    let of = |kind: ApartKind| summary.content.apart.iter().filter(move |apart| apart.kind == kind).collect::<Vec<_>>();
    let held = of(ApartKind::HeldReport);
    assert!(held.len() == 1 && held[0].reference.starts_with("two.csv") && held[0].state.starts_with("QUARANTINED("));
    assert_eq!((held[0].amount_minor, held[0].day), (None, Some(date(2026, 10, 21))));
    let unmatched = of(ApartKind::Unmatched);
    let (capture, refund, fee) = one.sums();
    assert_eq!(unmatched.iter().map(|apart| apart.amount_minor.unwrap()).sum::<i64>(), capture + refund - fee);
    let mut events: Vec<_> = of(ApartKind::Event).iter().map(|e| (e.state.as_str(), e.count, e.amount_minor)).collect();
    events.sort_unstable();
    assert_eq!(events, [("HUMAN", Some(1), Some(40)), ("UNKNOWN", Some(2), Some(711))]);
    let whole = |summary: &MonthSummary| (summary.content.figures.clone(), summary.content.payouts.clone());
    assert_eq!(whole(&summary), whole(&clean), "what stands apart is in no total");

    let summary = summarised(&world, &in_list, LATER).await.summary;
    let not_exact: Vec<_> = summary.content.apart.iter().filter(|apart| apart.kind == ApartKind::NotExact).collect();
    let [not_exact] = not_exact.as_slice() else { panic!("{not_exact:?}") };
    assert_eq!((not_exact.state.as_str(), not_exact.amount_minor), ("gross_only", listed.net_minor()));
    assert!(summary.content.payouts.iter().all(|payout| payout.provider != "swedbankpay"));
    assert!(summary.content.figures.iter().all(|row| row.provider != "swedbankpay"));
}

/// A world with one settlement summarised and a late one that is not.
async fn with_a_late_settlement() -> (World, Vec<u8>) {
    let world = World::default();
    let mut seed = Seed(53);
    let [one, late] = [(1, 5), (2, 29)].map(|(number, day)| paid_on(&mut seed, number, 2, date(2026, 10, day)));
    world.take(&world.ports, "one.csv", &portal_csv(&of(123_456, &[&one]))).await;
    summarised(&world, "2026-10", AFTER_OCTOBER).await;
    (world, portal_csv(&of(123_456, &[&late])))
}

#[tokio::test]
async fn a_summariser_that_ends_at_any_call_leaves_nothing_that_the_next_one_does_not_heal() {
    let (world, late) = with_a_late_settlement().await;
    world.take(&world.ports, "late.csv", &late).await;
    let whole = async |plan: Arc<Disturbed>| {
        let world = world.fork();
        let cut = months::run(&plan.ports(&world.ports), &command(&world, None, LATER)).await;
        if let Err(error) = cut {
            assert!(error.is_retryable(), "{error}");
        }
        months::run(&world.ports, &command(&world, None, "2026-11-10T07:00:00Z")).await.unwrap();
        let revisions = item(&world).await.revisions.into_iter().map(|r| (r.revision, r.content, r.edition));
        (revisions.collect::<Vec<_>>(), named_files(&world).await)
    };
    let plan = Disturbed::by(Script::quiet());
    let expected = whole(Arc::clone(&plan)).await;
    assert!(expected.0.len() == 2 && plan.calls() > 40, "{} calls", plan.calls());
    for at in 0..plan.calls() {
        for fault in [Mode::Before, Mode::After, Mode::Refused] {
            assert!(whole(Disturbed::by(Script::at([(at, fault.clone())]))).await == expected, "{fault:?} call {at}");
        }
    }
}

#[tokio::test]
async fn a_summariser_that_is_overtaken_never_puts_what_it_knew_behind_what_is_newer() {
    let (first, late) = with_a_late_settlement().await;
    let expected = {
        let world = first.fork();
        world.take(&world.ports, "late.csv", &late).await;
        summarised(&world, "2026-10", LATER).await.summary
    };
    for at in 0.. {
        let world = Arc::new(first.fork());
        // A change of its own, so that there is something to be written before the late settlement comes.
        let key = SettleKey { settlement_id: "2000001".parse().unwrap(), ..key_of(&world).await };
        tell(&world, &key, [(1, EventState::Human { why: "decide".into() })]).await;
        let (meanwhile, late) = (Arc::clone(&world), late.clone());
        let plan = Disturbed::held_up(at, async move {
            meanwhile.take(&meanwhile.ports, "late.csv", &late).await;
            months::run(&meanwhile.ports, &command(&meanwhile, None, "2026-11-10T07:00:00Z")).await.unwrap();
        });
        months::run(&plan.ports(&world.ports), &command(&world, None, LATER)).await.ok();
        if plan.calls() <= at {
            assert!(at > 40, "{at}");
            break;
        }
        months::run(&world.ports, &command(&world, None, "2026-11-10T08:00:00Z")).await.unwrap();
        let item = item(&world).await;
        let numbers: Vec<u32> = item.revisions.iter().map(|revision| revision.revision).collect();
        assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>(), "call {at}");
        named_files(&world).await;
        let last = months::last(&world.ports, &world.account, month("2026-10")).await.unwrap().unwrap().summary;
        assert_eq!(last.content.payouts, expected.content.payouts, "call {at}");
        // Never back to what was known before, nor the same twice.
        assert!(item.revisions.len() <= 3 && item.revisions.windows(2).all(|two| two[0].content != two[1].content));
    }
}

/// A settlement that is committed at any call of a summariser is in its revision whole or not at all.
#[tokio::test]
async fn a_revision_never_mixes_what_was_known_before_a_commit_with_what_is_known_behind_it() {
    let (first, late) = with_a_late_settlement().await;
    let whole = |summary: &MonthSummary| (summary.content.figures.clone(), summary.content.payouts.clone());
    let last = async |world: &World| {
        let last = months::last(&world.ports, &world.account, month("2026-10")).await.unwrap().unwrap();
        (last.summary.revision, whole(&last.summary))
    };
    let (_, before) = last(&first).await;
    let after = {
        let world = first.fork();
        world.take(&world.ports, "late.csv", &late).await;
        whole(&summarised(&world, "2026-10", LATER).await.summary)
    };
    let mut said = BTreeSet::new();
    for at in 0.. {
        let world = Arc::new(first.fork());
        // A change of its own, so that a revision is written also where the settlement comes too late for it.
        tell(&world, &key_of(&world).await, [(1, EventState::Human { why: "decide".into() })]).await;
        let (meanwhile, late) = (Arc::clone(&world), late.clone());
        let plan = Disturbed::held_up(at, async move {
            meanwhile.take(&meanwhile.ports, "late.csv", &late).await;
        });
        months::run(&plan.ports(&world.ports), &command(&world, None, LATER)).await.unwrap();
        if plan.calls() <= at {
            break;
        }
        let (revision, whole) = last(&world).await;
        assert!(revision == 2 && (whole == before || whole == after), "call {at}: {whole:?}");
        said.insert(whole == after);
    }
    assert_eq!(said.len(), 2, "it never came before, or never behind");
}

async fn key_of(world: &World) -> SettleKey {
    let summary = months::last(&world.ports, &world.account, month("2026-10")).await.unwrap().unwrap().summary;
    let payout = &summary.content.payouts[0];
    SettleKey {
        account_id: world.account.clone(),
        provider: payout.provider.parse().unwrap(),
        merchant_number: payout.merchant_number.parse().unwrap(),
        settlement_id: payout.settlement_id.parse().unwrap(),
        currency: payout.currency,
    }
}

#[tokio::test]
async fn two_summarisers_at_once_make_one_revision() {
    let (first, late) = with_a_late_settlement().await;
    first.take(&first.ports, "late.csv", &late).await;
    for seed in 0..20 {
        let world = first.fork();
        let [one, two] = [2 * seed, 2 * seed + 1].map(|seed| Disturbed::by_turns(seed).ports(&world.ports));
        let early: Summarise = command(&world, None, LATER);
        // As if the first one's lease on the lake were over.
        let later: Summarise = command(&world, None, "2026-11-10T06:30:00Z");
        let (one, two) = tokio::join!(months::run(&one, &early), months::run(&two, &later));
        let made = [one, two].into_iter().filter_map(Result::ok).flatten().filter(|made| made.is_new).count();
        assert!(made <= 1, "seed {seed}");
        months::run(&world.ports, &command(&world, None, "2026-11-10T09:00:00Z")).await.unwrap();
        assert_eq!(item(&world).await.revisions.len(), 2, "seed {seed}");
        named_files(&world).await;
    }
}
