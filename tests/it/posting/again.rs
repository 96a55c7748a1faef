//! Everything once more: replays, a state from before, and what has vanished at Dintero.

use RequestKind::SettlementEvents;
use jiff::civil::date;
use pipeline::intake::replay::{self, Replay};
use pipeline::posting::audit;
use store::EventState;

use super::*;

impl World {
    /// Takes all that is due the whole way once more.
    async fn replay(&self, which: &Replay) -> usize {
        let due = replay::find(&self.ports, &self.account, which).await.unwrap();
        for replay::Due { landing, version, .. } in &due {
            let (landing, version, now) = (landing.clone(), version.clone(), self.clock.now());
            let (limits, scratch) = (Limits::default(), self.scratch.path().to_owned());
            let command = ParseReport { landing, version, now, lease: LEASE, scratch, limits, adopts_merchants: false };
            self.go(&command).await.unwrap();
        }
        due.len()
    }

    /// All records but the journal.
    fn records(&self) -> Vec<(String, String, Value)> {
        let records = self.state.all().into_iter().filter(|item| !item.partition.starts_with("JOURNAL#"));
        records.map(|item| (item.partition, item.sort, item.body)).collect()
    }

    /// The state is as it was in that copy.
    fn restore(&mut self, copy: MemoryState) {
        self.state = Arc::new(copy);
        self.ports.state = self.state.clone();
    }
}

/// T20: everything replayed three times has no new effect: no request to post, no file, no other record.
#[tokio::test]
async fn everything_replayed_three_times_has_no_new_effect() {
    let (world, upload) = World::with_sales(105).await;
    let other = report(vec![settlement(1, 105), settlement(2, 3)]);
    world.pays(&report(vec![settlement(2, 3)]));
    let uploads = [upload, world.upload("b.csv", portal_csv(&other)), world.upload("c.csv", b"nothing".to_vec())];
    for upload in &uploads {
        world.go(upload).await.unwrap();
    }
    world.finish().await;
    let before = (world.standing(), world.posts(), world.objects.keys(), world.records());
    assert_eq!(before.0.len(), 108);
    for _ in 0..3 {
        world.clock.advance(SignedDuration::from_hours(1));
        assert_eq!(world.replay(&Replay::Since(beginning())).await, 3);
        assert!(uploads.len() == 3 && world.finish().await.off.is_none());
    }
    let after = (world.standing(), world.posts(), world.objects.keys(), world.records());
    assert_eq!((after.0, after.1, after.2), (before.0, before.1, before.2));
    for (after, before) in after.3.iter().zip(&before.3) {
        assert_eq!(after, before);
    }
    assert_eq!(after.3.len(), before.3.len());
}

/// T69: a state from before the posting finds at Dintero what it has forgotten, and sends only what is not there.
#[tokio::test]
async fn a_state_restored_to_an_earlier_copy_finds_what_it_has_forgotten() {
    // From before the report came, from before anything was sent, and while it was being sent.
    for copied in 0..3 {
        let (mut world, upload) = World::with_sales(105).await;
        let mut copy = MemoryState::clone(&world.state);
        if copied == 1 {
            world.disturb(SettlementEvents, Fault::NotConnected);
            world.take(&upload).await;
            copy = MemoryState::clone(&world.state);
        }
        if copied == 2 {
            let (state, kept) = (world.state.clone(), Arc::new(Mutex::new(None)));
            let keeps = kept.clone();
            world.wire.meanwhile(async move { *keeps.lock().unwrap() = Some(MemoryState::clone(&state)) });
            world.take(&upload).await;
            copy = kept.lock().unwrap().take().unwrap();
        }
        world.take(&upload).await;
        world.finish().await;
        let (standing, posts) = (world.standing(), world.posts());
        assert_eq!((standing.len(), posts), (105, 2), "{copied}");

        world.restore(copy);
        world.replay(&Replay::Since(beginning())).await;
        let posted = world.finish().await;
        assert!(posted.events.iter().all(|event| event.state == EventState::Posted { found: true }), "{copied}");
        assert_eq!((world.standing(), world.posts(), posted.events.len()), (standing, posts, 105), "{copied}");
    }
}

/// What is recorded as posted and has vanished at Dintero is named, and everything else is confirmed.
#[tokio::test]
async fn an_audit_confirms_what_stands_and_names_what_has_vanished() {
    let (world, upload) = World::with_sales(105).await;
    world.take(&upload).await;
    let month = date(2026, 11, 1);
    let audit = async |month| audit::run(&world.ports, &world.dintero, &world.account, month).await;
    let whole = audit(month).await.unwrap();
    assert_eq!((whole.settlements, whole.confirmed, whole.differences.len()), (1, 105, 0));
    assert_eq!(audit(date(2026, 10, 31)).await.unwrap(), audit::Audit::default());

    let id = id_of("BUTIKK-1-0044");
    world.sandbox().add_transaction(MadeTransaction::new(&id, "BUTIKK-1-0044", "vipps", "NOK", 10_044));
    let found = audit(month).await.unwrap();
    let [(key, what)] = &found.differences[..] else { panic!("{found:?}") };
    assert!(key.settlement_id == "2000001" && what.contains(&id) && what.contains("no such event"), "{what}");
    assert_eq!((found.settlements, found.confirmed), (1, 104));

    // The same event with other money, and one that stands there though it is recorded otherwise.
    let other = SettlementEvent {
        settlement_id: "2000001".into(),
        provider_reference: "2000001".into(),
        event_correlation_id: None,
        amount_minor: 1,
        capture_minor: 1,
        refund_minor: 0,
        fee_minor: 0,
    };
    world.sandbox().add_settlement_event(&id, &other);
    let found = audit(month).await.unwrap();
    assert!(
        found.differences[0].1.contains("with 0.01 (capture 0.01, refund 0.00, fee 0.00), expected 98.69"),
        "{found:?}"
    );

    let (world, upload) = World::with_sales(2).await;
    world.disturb(SettlementEvents, Fault::LostAfterApply);
    world.take(&upload).await;
    let found = audit::run(&world.ports, &world.dintero, &world.account, month).await.unwrap();
    assert_eq!((found.confirmed, found.differences.len()), (0, 2));
    assert!(found.differences[0].1.contains("recorded as UNKNOWN"), "{found:?}");
}
