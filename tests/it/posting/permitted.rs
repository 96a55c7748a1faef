//! What matching and posting read and write is what the role of their function names: the emulator asks for no leading keys.

use adapters::inbound::lambda::{Invocation, Worker};
use pipeline::intake::parse;
use pipeline::messages::{MirrorOutdated, ReportReady};
use store::{Objects, State};

use super::*;
use crate::aws::roles::may;
use crate::aws::watched::{Kept, Watched};

#[tokio::test]
async fn a_function_that_matches_and_posts_touches_only_what_its_role_names() {
    let (world, upload) = World::with_sales(3).await;
    let parsed = parse::run(&world.ports, &upload).await.unwrap();
    let (kept, own) = (Arc::<Kept>::default(), Arc::new(MemoryQueue::default()));
    let state: Arc<dyn State> = Arc::new(Watched(world.ports.state.clone(), kept.clone()));
    let objects: Arc<dyn Objects> = Arc::new(Watched(world.ports.objects.clone(), kept.clone()));
    let worker = world.worker(Ports { objects, state, packing: Packing::None }, own.clone());
    let account = world.account.clone();
    let goes_on =
        serde_json::to_string(&ReportReady { account: account.clone(), report: parsed.report.unwrap() }).unwrap();
    let behind = serde_json::to_string(&MirrorOutdated { account, reaches: None }).unwrap();
    let mut messages = vec![goes_on, behind, "no message of this queue".to_owned()];
    while let Some(message) = messages.pop() {
        let deadline = world.clock.now() + LEASE;
        worker.carry_out(&message, 1, &Invocation { deadline, trace_id: None }).await.unwrap();
        world.clock.advance(LEASE);
        messages.extend(std::iter::from_fn(|| own.take()).map(|(message, _)| message));
    }
    assert_eq!(world.standing().len(), 3);
    let seen = kept.all();
    for written in ["BATCH#", "DIRTY#", "JOURNAL#", "MATCH#", "OUTBOX#", "REFUSED#", "SYNC#"] {
        let is_written =
            |(action, place): &(&str, String)| *action == "dynamodb:UpdateItem" && place.starts_with(written);
        assert!(seen.iter().any(is_written), "nothing of {written} was written");
    }
    for (action, place) in &seen {
        assert!(may("ReconcileRole", action, place), "ReconcileRole may not {action} on {place}");
    }
}
