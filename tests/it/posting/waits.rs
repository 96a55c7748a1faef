//! What stops an account for a while stops all of it.

use RequestKind::SettlementEvents;

use super::*;

/// T27: a token that is refused when it is new stops everything for now, and no batch asks for a token of its own.
#[tokio::test]
async fn a_second_refused_token_stops_and_never_becomes_a_loop() {
    let (world, upload) = World::with_sales(405).await;
    for _ in 0..20 {
        world.disturb(SettlementEvents, Fault::Unauthorised);
    }
    let posted = world.take(&upload).await;
    assert_eq!(words(&posted.events), BTreeMap::from([("PLANNED", 405)]));
    assert!(posted.not_before.is_some_and(|at| at > world.clock.now()), "{:?}", posted.not_before);
    assert!(world.sandbox().token_calls() <= 3, "{} token calls", world.sandbox().token_calls());

    // Credentials that are wrong for good.
    let (world, upload) = World::with_sales(405).await;
    let (sandbox, account) = (world.sandbox.clone(), world.account.clone());
    world.wire.meanwhile(async move {
        let mut sandbox = sandbox.lock().unwrap();
        sandbox.add_client(&account, "client", "another");
        sandbox.revoke_tokens(&account);
    });
    let posted = world.take(&upload).await;
    assert_eq!(words(&posted.events).into_keys().collect::<Vec<_>>(), ["PLANNED", "POSTED"]);
    assert!(world.sandbox().token_calls() <= 3, "{} token calls", world.sandbox().token_calls());
}

/// T28: who is asked to wait waits, with all that is to be sent.
#[tokio::test]
async fn nothing_is_sent_before_the_time_that_was_asked_for() {
    let (world, upload) = World::with_sales(205).await;
    world.disturb(SettlementEvents, Fault::TooManyRequests { seconds: 120 });
    let due = world.clock.now() + seconds(120);
    let posted = world.take(&upload).await;
    assert_eq!(words(&posted.events), BTreeMap::from([("PLANNED", 205)]));
    assert_eq!((posted.not_before, world.posts()), (Some(due), 1));
    nothing_before(&world, due).await;
    assert_eq!(words(&world.finish().await.events), BTreeMap::from([("POSTED", 205)]));
    assert_eq!((world.posts(), world.standing().len()), (4, 205));
}
