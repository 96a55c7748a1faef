//! What an answer means, and what is done then.

use std::collections::BTreeSet;

use RequestKind::{SettlementEvents, Token, Transactions};
use pipeline::posting::post::switch;
use sandbox::TOKEN_MARK;
use store::EventState;

use super::*;

/// T21: a large settlement goes in three requests, and what is sent again is the same to the byte.
#[tokio::test]
async fn two_hundred_and_five_transactions_are_three_posts_and_a_retry_is_the_same_to_the_byte() {
    let (world, upload) = World::with_sales(205).await;
    for _ in 0..3 {
        world.disturb(SettlementEvents, Fault::LostBefore);
    }
    let posted = world.take(&upload).await;
    assert_eq!(words(&posted.events), BTreeMap::from([("UNKNOWN", 205)]));
    assert_eq!(words(&world.finish().await.events), BTreeMap::from([("POSTED", 205)]));
    let bodies = world.bodies();
    let mut sizes: Vec<usize> = bodies[..3].iter().map(|body| body.matches("\"events\"").count()).collect();
    sizes.sort_unstable();
    assert_eq!((sizes, bodies.len()), (vec![5, 100, 100], 6));
    assert_eq!(bodies[..3].iter().collect::<BTreeSet<_>>(), bodies[3..].iter().collect::<BTreeSet<_>>());
    assert_eq!(world.standing().len(), 205);
}

/// T22: what was done and not answered is unknown, is read back, and is not sent again.
#[tokio::test]
async fn an_answer_that_is_lost_is_read_back_and_never_sent_again() {
    let (world, upload) = World::with_sales(2).await;
    world.disturb(SettlementEvents, Fault::LostAfterApply);
    let posted = world.take(&upload).await;
    assert_eq!(words(&posted.events), BTreeMap::from([("UNKNOWN", 2)]));
    let posted = world.finish().await;
    assert!(posted.events.iter().all(|event| event.state == EventState::Posted { found: true }), "{posted:?}");
    assert_eq!((world.posts(), world.standing().len()), (1, 2));
}

/// T23: a request that is still on its way is waited for twice as long as Dintero may work at it, behind the lease.
#[tokio::test]
async fn a_request_that_comes_about_late_is_not_sent_a_second_time() {
    let (world, upload) = World::with_sales(2).await;
    world.disturb(SettlementEvents, Fault::LateApply { seconds: 30 });
    let due = world.clock.now() + LEASE + seconds(60);
    // It is read back long before it may be sent again.
    assert!(world.take(&upload).await.not_before.is_some_and(|at| world.clock.now() < at && at < due));
    nothing_before(&world, due).await;
    let posted = world.finish().await;
    assert!(posted.events.iter().all(|event| event.state == EventState::Posted { found: true }), "{posted:?}");
    assert_eq!((world.posts(), world.standing().len()), (1, 2));

    // An answer that lacks the transaction shortens no wait.
    let (world, upload) = World::with_sales(1).await;
    world.disturb(SettlementEvents, Fault::LateApply { seconds: 240 });
    world.take(&upload).await;
    world.disturb(Transactions, Fault::MissingInAnswer);
    world.finish().await;
    assert_eq!((world.posts(), world.standing().len()), (1, 1));

    // What never arrives is sent when it could not come about any more.
    let (world, upload) = World::with_sales(2).await;
    world.disturb(SettlementEvents, Fault::LostBefore);
    world.take(&upload).await;
    nothing_before(&world, due).await;
    assert_eq!(words(&world.go_on().await.events), BTreeMap::from([("POSTED", 2)]));
    assert_eq!((world.posts(), world.standing().len()), (2, 2));
}

/// T25: transactions of an answer are recognised by their ids, in any order; those it lacks are read back.
#[tokio::test]
async fn an_answer_in_another_order_and_without_a_transaction_is_read_by_ids() {
    let (world, upload) = World::with_sales(5).await;
    world.disturb(SettlementEvents, Fault::ReorderedAnswer);
    assert_eq!(words(&world.take(&upload).await.events), BTreeMap::from([("POSTED", 5)]));

    let (world, upload) = World::with_sales(5).await;
    world.disturb(SettlementEvents, Fault::MissingInAnswer);
    let posted = world.take(&upload).await;
    assert_eq!(words(&posted.events), BTreeMap::from([("POSTED", 4), ("UNKNOWN", 1)]));
    assert_eq!(posted.events[4].state.word(), "UNKNOWN");

    // Backwards, and without the first that was sent: by their places it would be another.
    let (world, upload) = World::with_sales(5).await;
    world.wire.change(SettlementEvents, |body| {
        let listed = body.as_array_mut().unwrap();
        listed.reverse();
        listed.pop();
    });
    let posted = world.take(&upload).await;
    assert_eq!(words(&posted.events), BTreeMap::from([("POSTED", 4), ("UNKNOWN", 1)]));
    assert_eq!(posted.events[0].state.word(), "UNKNOWN");
    assert_eq!(words(&world.finish().await.events), BTreeMap::from([("POSTED", 5)]));
    assert_eq!((world.posts(), world.standing().len()), (1, 5));
}

/// T26: wherever the one stands that Dintero does not take, the others are posted, and it says why.
#[tokio::test]
async fn one_refused_transaction_of_a_hundred_is_found_by_halves() {
    for place in [0, 1, 37, 50, 99] {
        let (world, upload) = World::with_sales(100).await;
        let refused = id_of(&format!("BUTIKK-1-{place:04}"));
        world.disturb(SettlementEvents, Fault::RefuseTransaction(refused.clone()));
        let posted = world.take(&upload).await;
        assert_eq!(words(&posted.events), BTreeMap::from([("POSTED", 99), ("REFUSED", 1)]), "{place}");
        let event = posted.events.iter().find(|event| event.transaction == refused).unwrap();
        let EventState::Refused { status, message } = &event.state else { panic!("{event:?}") };
        assert!(*status == 422 && message.contains("cannot be settled"), "{status} {message}");
        let further = {
            let sandbox = world.sandbox();
            let first = sandbox.seen().iter().position(|seen| seen.kind == SettlementEvents).unwrap();
            sandbox.seen().len() - first - 1
        };
        assert!(further <= 14, "{place}: {further} further requests");
        assert_eq!(world.standing().len(), 99);
        let posts = world.posts();
        assert_eq!((world.finish().await.not_before, world.posts()), (None, posts));
    }
}

/// T27: a token that is taken back with its secret costs one renewal, with the secret read anew.
#[tokio::test]
async fn a_rotated_secret_is_read_anew_once_and_posting_goes_on() {
    let (world, upload) = World::with_sales(205).await;
    let (vault, sandbox, account) = (world.vault.clone(), world.sandbox.clone(), world.account.clone());
    world.wire.meanwhile(async move {
        vault.rotate("2");
        let mut sandbox = sandbox.lock().unwrap();
        sandbox.add_client(&account, "client", &vault.current());
        sandbox.revoke_tokens(&account);
    });
    assert_eq!(words(&world.take(&upload).await.events), BTreeMap::from([("POSTED", 205)]));
    assert_eq!((world.sandbox().token_calls(), *world.vault.read_anew.lock().unwrap()), (2, 1));
    assert_eq!((world.posts(), world.standing().len()), (3, 205));
}

/// T29: an answer that is no answer leaves open what was done; what is read back decides.
#[tokio::test]
async fn a_page_a_redirect_and_half_of_it_are_read_back() {
    for (fault, posts) in [
        (Fault::HtmlBody, 1),
        (Fault::Redirect, 2),
        (Fault::ServerError(500), 2),
        (Fault::ServerError(502), 2),
        (Fault::HalfApplied, 2),
    ] {
        let (world, upload) = World::with_sales(5).await;
        world.disturb(SettlementEvents, fault.clone());
        let posted = world.take(&upload).await;
        assert_eq!(words(&posted.events), BTreeMap::from([("UNKNOWN", 5)]), "{fault:?}");
        assert_eq!(words(&world.finish().await.events), BTreeMap::from([("POSTED", 5)]), "{fault:?}");
        assert_eq!((world.posts(), world.standing().len()), (posts, 5), "{fault:?}");
    }
}

/// T24: what never left is planned as before, and sent after a while.
#[tokio::test]
async fn without_a_connection_all_stays_planned() {
    let (world, upload) = World::with_sales(5).await;
    world.disturb(SettlementEvents, Fault::NotConnected);
    let posted = world.take(&upload).await;
    assert_eq!(words(&posted.events), BTreeMap::from([("PLANNED", 5)]));
    assert!(posted.not_before.is_some_and(|at| at > world.clock.now()));
    assert_eq!(words(&world.finish().await.events), BTreeMap::from([("POSTED", 5)]));
    assert_eq!((world.posts(), world.standing().len()), (1, 5));
}

/// T32: neither the secret nor a token is in any record, file, error or debug text, whatever went wrong.
#[tokio::test]
async fn neither_secret_nor_token_is_in_anything_that_is_kept_or_shown() {
    let faults = [
        (Token, Fault::ServerError(500)),
        (Token, Fault::HtmlBody),
        (Token, Fault::LostAfterApply),
        (Token, Fault::Unauthorised),
        (Transactions, Fault::ServerError(500)),
        (Transactions, Fault::Unauthorised),
        (SettlementEvents, Fault::Unauthorised),
        (SettlementEvents, Fault::HtmlBody),
        (SettlementEvents, Fault::LostBefore),
        (SettlementEvents, Fault::ServerError(400)),
        (SettlementEvents, Fault::ServerError(409)),
    ];
    for (which, fault) in faults {
        let (world, upload) = World::with_sales(2).await;
        world.disturb(which, fault.clone());
        let mut shown = match world.go(&upload).await {
            Ok(gone) => format!("{gone:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        shown += &format!("{:?} {:?}", world.dintero, world.dintero.account(&world.account));
        shown += &format!("{:?} {:?}", world.finish().await, world.state.all());
        assert!(shown.contains("T00000001"));
        for mark in [SECRET_MARK, TOKEN_MARK, "Bearer", "Basic"] {
            assert!(!shown.contains(mark), "{which:?} {fault:?} shows {mark}");
        }
    }
}

/// Posting that is off only reads from Dintero; posting that is stopped on the way ends with the batch that is sent.
#[tokio::test]
async fn posting_that_is_off_or_stopped_sends_nothing() {
    let (world, upload) = World::with_sales(2).await;
    post::set_posting(&world.ports, &world.account, false, world.clock.now()).await.unwrap();
    assert!(world.take(&upload).await.off.is_some_and(|why| why.contains("off")));
    assert!(world.go_on().await.off.is_some());
    assert_eq!(world.posts(), 0);
    post::set_posting(&world.ports, &world.account, true, world.clock.now()).await.unwrap();
    switch(&world.ports, Some("vakt".into()), "vakt", world.clock.now()).await.unwrap();
    assert!(world.take(&upload).await.off.is_some_and(|why| why.contains("vakt")));
    assert_eq!(world.posts(), 0);
    switch(&world.ports, None, "vakt", world.clock.now()).await.unwrap();
    assert_eq!(words(&world.take(&upload).await.events), BTreeMap::from([("POSTED", 2)]));

    let (world, upload) = World::with_sales(205).await;
    let (ports, now) = (world.ports.clone(), world.clock.now());
    world.wire.meanwhile(async move { switch(&ports, Some("vakt".into()), "vakt", now).await.unwrap() });
    let posted = world.take(&upload).await;
    assert_eq!(
        (world.posts(), posted.count("POSTED"), posted.count("PLANNED")),
        (1, world.standing().len(), 205 - world.standing().len())
    );
    switch(&world.ports, None, "vakt", world.clock.now()).await.unwrap();
    assert_eq!(words(&world.finish().await.events), BTreeMap::from([("POSTED", 205)]));
    assert_eq!(world.standing().len(), 205);
}
