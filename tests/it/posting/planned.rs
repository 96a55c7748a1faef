//! What is told of a settlement at all, what stands there already, and what a person has to say.

use RequestKind::{SettlementEvents, Transactions};
use pipeline::intake::release::{self, ReleaseReport};
use pipeline::posting::{Decision, Resolve, resolve};
use settlement::{Kind, Verdict};
use store::{EventState, OutboxItem};

use super::*;

/// Events, what is not postable and what is unmatched are the lines, whatever was planned.
fn conserved(outbox: &OutboxItem) {
    let parts = outbox.events_minor + outbox.not_postable_minor + outbox.unmatched_minor;
    assert_eq!(outbox.lines_minor, parts, "{outbox:?}");
}

fn event(settlement_id: &str, [amount_minor, capture_minor, refund_minor, fee_minor]: [i64; 4]) -> SettlementEvent {
    SettlementEvent {
        settlement_id: settlement_id.to_owned(),
        provider_reference: settlement_id.to_owned(),
        event_correlation_id: None,
        amount_minor,
        capture_minor,
        refund_minor,
        fee_minor,
    }
}

fn human(posted: &Posted) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for event in &posted.events {
        if let EventState::Human { why } = &event.state {
            found.push((event.transaction.as_str(), why.as_str()));
        }
    }
    found
}

/// T31: an account of the other environment is refused before anything is asked.
#[tokio::test]
async fn an_account_of_the_other_environment_is_refused_before_any_call() {
    let (mut world, upload) = World::with_sales(2).await;
    let gone = world.go(&upload).await.unwrap();
    let asked = world.sandbox().seen().len();
    let production: AccountId = "P00000001".parse().unwrap();
    post::set_posting(&world.ports, &production, true, world.clock.now()).await.unwrap();
    let command = PostReport { account: production.clone(), ..world.command(&gone) };
    let refused = post::run(&world.ports, &world.dintero, &command).await.unwrap_err();
    assert!(matches!(refused, StepError::Refused(_)) && refused.to_string().contains("nothing was sent"), "{refused}");
    let (now, lease) = (world.clock.now(), LEASE);
    let scratch = world.scratch.path().to_owned();
    let command = PostAccount { account: production, now, lease, scratch };
    assert!(matches!(post::go_on(&world.ports, &world.dintero, &command).await, Err(StepError::Refused(_))));
    // And the other way round: what is of a test on an installation for production.
    world.dintero.environment = Environment::Production;
    assert!(matches!(world.go(&upload).await.unwrap().posted, Err(StepError::Refused(_))));
    assert_eq!(world.sandbox().seen().len(), asked);
}

/// T31: a transaction of another account is never told anything, even when Dintero lists it.
#[tokio::test]
async fn a_transaction_of_another_account_is_never_posted() {
    let (world, upload) = World::with_sales(2).await;
    world.wire.change(Transactions, |body| {
        let first = &mut body.as_array_mut().unwrap()[0]["id"];
        *first = first.as_str().unwrap().replace("T00000001", "T00000002").into();
    });
    // The list is read by captures and by refunds; the first holds both payments.
    let posted = world.take(&upload).await;
    let [outbox] = &posted.outboxes[..] else { panic!("{posted:?}") };
    conserved(outbox);
    assert_eq!((outbox.unmatched_lines, posted.events.len()), (1, 1));
    assert!(outbox.unmatched[0].why.contains("another account"), "{:?}", outbox.unmatched);
    assert!(world.bodies().iter().all(|body| !body.contains("T00000002")));
    assert_eq!(world.standing().len(), 1);
}

/// T31b: an event that stands at Dintero already is found without sending; one with other money is a person's.
#[tokio::test]
async fn events_that_stand_there_already_are_found_and_others_with_their_id_are_for_a_person() {
    let (world, upload) = World::with_sales(2).await;
    let [first, second] = [id_of("BUTIKK-1-0000"), id_of("BUTIKK-1-0001")];
    assert!(world.sandbox().add_settlement_event(&first, &event("2000001", [9_825, 10_000, 0, 175])));
    assert!(world.sandbox().add_settlement_event(&second, &event("2000001", [9_826, 10_001, 0, 175])));
    let posted = world.take(&upload).await;
    assert!(posted.events.iter().all(|event| event.state == EventState::Posted { found: true }), "{posted:?}");
    assert_eq!((world.posts(), world.standing().len()), (0, 2));

    for other in [[9_725, 9_900, 0, 175], [9_825, 10_001, 0, 176], [9_825, 10_100, 100, 175]] {
        let (world, upload) = World::with_sales(2).await;
        world.sandbox().add_settlement_event(&first, &event("2000001", other));
        let posted = world.take(&upload).await;
        assert_eq!(human(&posted).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [first.as_str()]);
        assert_eq!(posted.count("POSTED"), 1);
        assert_eq!(world.bodies().iter().filter(|body| body.contains(&first)).count(), 0);
        assert_eq!(world.standing().len(), 2);
    }

    // What stands there of another settlement is another event.
    let (world, upload) = World::with_sales(2).await;
    world.sandbox().add_settlement_event(&first, &event("1999999", [9_825, 10_000, 0, 175]));
    assert_eq!(words(&world.take(&upload).await.events), BTreeMap::from([("POSTED", 2)]));
    assert_eq!(world.standing().len(), 3);
}

/// T48: a part refunded and a refund in a later settlement are events of their own, at one transaction.
#[tokio::test]
async fn a_partial_refund_and_a_later_one_are_two_events_of_one_transaction() {
    let world = World::new().await;
    let (mut first, mut second) = (settlement(1, 2), settlement(2, 1));
    let sold = first.lines[0].clone();
    first.lines.push(refund(&sold, 1, 7, 1_500));
    second.lines.push(refund(&sold, 2, 7, 2_500));
    world.pays(&report(vec![Settlement { lines: [&first.lines[..], &second.lines[..]].concat(), ..first.clone() }]));
    let earlier = world.take(&world.upload("a.csv", portal_csv(&report(vec![first])))).await;
    let later = world.take(&world.upload("b.csv", portal_csv(&report(vec![second])))).await;
    for posted in [&earlier, &later] {
        conserved(&posted.outboxes[0]);
        assert_eq!((posted.outboxes[0].unmatched_lines, words(&posted.events)), (0, BTreeMap::from([("POSTED", 2)])));
    }
    let id = id_of(&sold.order);
    let at_it = |(at, settlement, money): (String, String, [i64; 4])| (at == id).then_some((settlement, money));
    let found: Vec<_> = world.standing().into_iter().filter_map(at_it).collect();
    let expected = [("2000001", [8_325, 10_000, 1_500, 175]), ("2000002", [-2_500, 0, 2_500, 0])];
    assert_eq!(found, expected.map(|(settlement, money)| (settlement.to_owned(), money)));
    let ids = |posted: &Posted| posted.events.iter().find(|event| event.transaction == id).unwrap().id.clone();
    assert_ne!(ids(&earlier), ids(&later));
}

/// T48: two captures of one order in a settlement are one event that sums them.
#[tokio::test]
async fn two_captures_of_one_order_are_one_event_with_both() {
    let world = World::new().await;
    let mut both = settlement(1, 1);
    both.lines.push(Line { order: both.lines[0].order.clone(), ..sale(1, 1, 5_000) });
    let report = report(vec![both]);
    world.pays(&report);
    let posted = world.take(&world.upload("a.csv", portal_csv(&report))).await;
    assert_eq!(posted.events.iter().map(|event| event.lines).collect::<Vec<_>>(), [2]);
    assert_eq!(world.standing(), [(id_of("BUTIKK-1-0000"), "2000001".to_owned(), [14_738, 15_000, 0, 262])]);
}

/// Lines whose transactions Dintero does not know are counted, and posted when it comes to know them.
#[tokio::test]
async fn a_line_without_a_transaction_is_counted_and_posted_when_it_is_known() {
    let world = World::new().await;
    let report = report(vec![settlement(1, 4)]);
    let mut known = report.clone();
    known.settlements[0].lines.truncate(3);
    world.pays(&known);
    let upload = world.upload("a.csv", portal_csv(&report));
    let posted = world.take(&upload).await;
    let net = |lines: &[Line]| lines.iter().map(|line| line.capture_minor - line.fee_minor).sum::<i64>();
    let lines = &report.settlements[0].lines;
    let outbox = &posted.outboxes[0];
    conserved(outbox);
    assert_eq!((outbox.lines_minor, outbox.events_minor), (net(lines), net(&lines[..3])));
    assert_eq!((outbox.unmatched_lines, outbox.unmatched_minor), (1, net(&lines[3..])));
    assert_eq!(outbox.unmatched[0].order_reference.as_deref(), Some("BUTIKK-1-0003"));
    assert_eq!(world.standing().len(), 3);

    world.sandbox().add_transaction(
        MadeTransaction::new(&id_of("BUTIKK-1-0003"), "BUTIKK-1-0003", "vipps", "NOK", 10_003).with(MadeEvent::new(
            TransactionEventKind::Capture,
            10_003,
            "2026-10-30T11:00:00Z".parse().unwrap(),
        )),
    );
    for _ in 0..2 {
        let posted = world.take(&upload).await;
        let outbox = &posted.outboxes[0];
        conserved(outbox);
        assert_eq!((outbox.unmatched_lines, outbox.events_minor, outbox.batches.len()), (0, net(lines), 2));
        assert!(outbox.changed.is_empty());
        assert_eq!(words(&posted.events), BTreeMap::from([("POSTED", 4)]));
        assert_eq!((world.posts(), world.standing().len()), (2, 4));
    }
}

/// Whatever a person decides about an event is done, written down, and only about what waits for a person.
#[tokio::test]
async fn a_person_says_posted_or_again() {
    let (world, upload) = World::with_sales(2).await;
    let [first, second] = [id_of("BUTIKK-1-0000"), id_of("BUTIKK-1-0001")];
    world.sandbox().add_settlement_event(&first, &event("2000001", [1, 1, 0, 0]));
    world.disturb(SettlementEvents, Fault::ServerError(409));
    let posted = world.take(&upload).await;
    assert_eq!(words(&posted.events), BTreeMap::from([("HUMAN", 2)]));
    assert_eq!((world.finish().await.not_before, world.posts()), (None, 1));
    let decide = |transaction: &str, decision| Resolve {
        settlement: posted.outboxes[0].settlement.clone(),
        transaction: transaction.to_owned(),
        decision,
        by: "kari".to_owned(),
        now: world.clock.now(),
    };
    assert_eq!(resolve(&world.ports, &decide(&first, Decision::Posted)).await.unwrap(), 1);
    assert_eq!(resolve(&world.ports, &decide(&second, Decision::Again)).await.unwrap(), 1);
    let posted = world.finish().await;
    let state = |id: &str| posted.events.iter().find(|event| event.transaction == id).unwrap().state.clone();
    assert_eq!([state(&first), state(&second)], [true, false].map(|found| EventState::Posted { found }));
    assert_eq!((world.posts(), world.standing().len()), (2, 2));
    assert!(world.bodies().last().is_some_and(|body| body.contains(&second) && !body.contains(&first)));
    for id in [first.as_str(), second.as_str(), "T00000001.unknown"] {
        let refused = resolve(&world.ports, &decide(id, Decision::Again)).await;
        assert!(matches!(refused, Err(StepError::Refused(_))), "{id}");
    }
}

/// Takes a corrected report the whole way: held as a conflict, let through by a person, taken again.
pub(super) async fn corrected(world: &World, report: &Report) -> Posted {
    let upload = world.upload("corrected.csv", portal_csv(report));
    let held = world.go(&upload).await.unwrap();
    assert_eq!(held.outcome.judgement.kind(), Some(Kind::SettlementConflict));
    let command = ReleaseReport {
        account: world.account.clone(),
        report: held.outcome.report.unwrap(),
        release: store::Release { by: "kari".into(), why: "provider corrected it".into() },
        now: world.clock.now(),
    };
    release::run(&world.ports, &command).await.unwrap();
    let gone = world.go(&upload).await.unwrap();
    assert_eq!(gone.outcome.verdict, Verdict::Accepted);
    gone.posted.unwrap()
}

/// T48: what a correction changes is listed for a person and never sent; only what is new is.
#[tokio::test]
async fn a_corrected_settlement_posts_what_is_new_and_lists_what_changed() {
    for is_posted in [true, false] {
        let world = World::new().await;
        let before = report(vec![settlement(1, 3)]);
        let mut after = before.clone();
        let lines = &mut after.settlements[0].lines;
        lines[0].fee_minor += 50;
        lines.remove(1);
        lines.push(sale(1, 9, 7_000));
        world.pays(&before);
        world.pays(&report(vec![Settlement { lines: vec![sale(1, 9, 7_000)], ..settlement(1, 0) }]));
        if !is_posted {
            world.disturb(SettlementEvents, Fault::NotConnected);
        }
        let first = world.take(&world.upload("a.csv", portal_csv(&before))).await;
        assert_eq!(first.count("POSTED"), if is_posted { 3 } else { 0 });
        let posted = corrected(&world, &after).await;
        let outbox = &posted.outboxes[0];
        conserved(outbox);
        let mut changed: Vec<_> =
            outbox.changed.iter().map(|it| (it.transaction.clone(), it.before_minor, it.now_minor)).collect();
        changed.sort();
        let [first, gone] = ["BUTIKK-1-0000", "BUTIKK-1-0001"].map(id_of);
        let posted = world.finish().await;
        let standing = world.standing();
        if is_posted {
            assert_eq!(changed, [(first.clone(), 9_825, 9_775), (gone.clone(), 9_826, 0)]);
            assert_eq!(words(&posted.events), BTreeMap::from([("POSTED", 4)]));
            assert_eq!(standing.len(), 4);
            assert!(standing.contains(&(first.clone(), "2000001".into(), [9_825, 10_000, 0, 175])));
        } else {
            // What was never sent makes room for what the lines say now.
            assert_eq!(changed, []);
            assert_eq!(words(&posted.events), BTreeMap::from([("SUPERSEDED", 2), ("POSTED", 3)]));
            assert_eq!((standing.len(), standing.iter().all(|(at, ..)| at != &gone)), (3, true));
            assert!(standing.contains(&(first.clone(), "2000001".into(), [9_775, 10_000, 0, 225])));
        }
    }
}

/// What a correction changed stays as it was, and a line of it whose transaction comes later is posted all the same.
#[tokio::test]
async fn a_late_transaction_of_a_corrected_settlement_is_posted_beside_what_changed() {
    let world = World::new().await;
    let before = report(vec![settlement(1, 3)]);
    let mut after = before.clone();
    after.settlements[0].lines[0].fee_minor += 50;
    after.settlements[0].lines.extend([sale(1, 8, 6_000), sale(1, 9, 7_000)]);
    world.pays(&before);
    world.take(&world.upload("a.csv", portal_csv(&before))).await;
    let planned = corrected(&world, &after).await.outboxes.remove(0);
    assert_eq!((planned.changed.len(), planned.unmatched_lines), (1, 2));
    for (known, place, minor) in [(1, 8, 6_000), (2, 9, 7_000)] {
        world.pays(&report(vec![Settlement { lines: vec![sale(1, place, minor)], ..settlement(1, 0) }]));
        let posted = world.go_on().await;
        let outbox = &posted.outboxes[0];
        conserved(outbox);
        assert_eq!((outbox.lines_minor, outbox.unmatched_lines), (planned.lines_minor, 2 - known));
        assert_eq!(outbox.changed, planned.changed);
        assert_eq!((posted.count("POSTED") as u64, world.standing().len() as u64), (3 + known, 3 + known));
    }
    let (asked, state) = (world.sandbox().seen().len(), world.state.all());
    world.go_on().await;
    assert_eq!((world.sandbox().seen().len(), world.state.all()), (asked, state), "nothing is left to be done");
}

/// A refund that Dintero hears of late, of a sale that was posted before: the event stays, and a person adds the refund.
#[tokio::test]
async fn a_late_line_of_a_posted_event_is_listed_for_a_person() {
    let world = World::new().await;
    let mut all = settlement(1, 2);
    let sold = all.lines[0].clone();
    world.pays(&report(vec![all.clone()]));
    all.lines.push(refund(&sold, 1, 7, 1_500));
    let upload = world.upload("a.csv", portal_csv(&report(vec![all.clone()])));
    let planned = world.take(&upload).await.outboxes.remove(0);
    assert_eq!((planned.unmatched_lines, planned.unmatched_minor), (1, -1_500));
    world.pays(&report(vec![Settlement { lines: vec![sold.clone(), all.lines[2].clone()], ..all }]));
    world.sandbox().add_settlement_event(&id_of(&sold.order), &event("2000001", [9_825, 10_000, 0, 175]));
    world.clock.advance(SignedDuration::from_hours(1));
    let posted = world.go_on().await;
    let outbox = &posted.outboxes[0];
    conserved(outbox);
    assert_eq!((outbox.lines_minor, outbox.unmatched_lines), (planned.lines_minor, 0));
    let changed: Vec<_> = outbox.changed.iter().map(|it| (&*it.transaction, it.before_minor, it.now_minor)).collect();
    assert_eq!(changed, [(&*id_of(&sold.order), 9_825, 8_325)]);
    assert_eq!((posted.count("POSTED"), world.posts(), outbox.batches.len()), (2, 1, 1));
}

#[tokio::test]
async fn what_is_told_of_a_settlement_marks_its_days_for_the_lake() {
    let (world, upload) = World::with_sales(2).await;
    let posted = world.take(&upload).await;
    let place = store::Place::dirty_settlement(&posted.outboxes[0].settlement);
    let mark = place.read::<store::DirtyItem>(&*world.ports.state).await.unwrap();
    assert!(mark.is_some_and(|(mark, _)| mark.is_dirty));
}
