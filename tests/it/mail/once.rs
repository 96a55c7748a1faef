//! Each mail once in effect, whatever breaks off, comes twice, or is not answered.

use simulation::{Disturbed, Mode, Script};

use super::*;

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// T33.
#[tokio::test]
async fn a_schedule_that_fires_a_hundred_and_eighty_five_times_sends_one_mail() {
    let world = World::with_payout(2).await;
    for _ in 0..185 {
        world.send().await;
        world.clock.advance(SignedDuration::from_secs(20));
    }
    assert_eq!((world.left(), world.items().await.len()), (1, 1));
}

/// T33: two that fire at once, in every order of their calls that a seed decides.
#[tokio::test]
async fn schedules_that_fire_together_send_one_mail() {
    for seed in 0..60 {
        let world = World::with_payout(1).await;
        let ports = [seed, seed + 1_000, seed + 2_000].map(|seed| Disturbed::by_turns(seed).ports(&world.ports));
        let (mailing, command) = (world.mailing(), world.command());
        let [one, other, third] = ports.each_ref().map(|ports| mail::run(ports, &mailing, &command));
        let ended = tokio::join!(one, other, third);
        for ended in [ended.0, ended.1, ended.2] {
            assert!(ended.is_ok_and(|mailed| mailed.mails.len() <= 1), "seed {seed}");
        }
        assert_eq!(world.left(), 1, "seed {seed}");
    }
}

/// T34: a worker that ends at any call, also between sending and noting it, leaves one mail to be found.
#[tokio::test]
async fn a_worker_that_ends_at_any_call_sends_no_second_mail() {
    let plan = Disturbed::by(Script::quiet());
    let world = World::with_payout(1).await;
    mail::run(&plan.ports(&world.ports), &world.mailing(), &world.command()).await.unwrap();
    let calls = plan.calls();
    assert!(calls > 15, "{calls}");
    let mut found_by_trace = 0;
    for call in 0..calls {
        for fault in [Mode::Before, Mode::After, Mode::Refused] {
            let world = World::with_payout(1).await;
            let plan = Disturbed::by(Script::at([(call, fault.clone())]));
            let _ = mail::run(&plan.ports(&world.ports), &world.mailing(), &world.command()).await;
            let left_before = world.left();
            for _ in 0..8 {
                world.clock.advance(minutes(6));
                world.send().await;
            }
            let items = world.items().await;
            assert_eq!((world.left(), items.len()), (1, 1), "call {call}, {fault:?}");
            assert!(matches!(items[0].state, MailState::Sent { .. }), "call {call}, {fault:?}: {:?}", items[0].state);
            found_by_trace += usize::from(left_before == 1 && items[0].unknown_times == 1);
        }
    }
    assert!(found_by_trace > 0, "no worker ended between sending and noting it");
}

/// T35.
#[tokio::test]
async fn a_throttled_mail_is_sent_again_and_one_without_an_answer_is_asked_for() {
    let world = World::with_payout(1).await;
    world.answers(&[Answer::Throttled, Answer::LostBehind]);
    let mailed = world.send().await;
    assert_eq!((mailed.count("PLANNED"), world.left()), (1, 0));
    assert_eq!(world.send().await.count("PLANNED"), 1);
    assert_eq!(*world.service.calls.lock().unwrap(), 1, "nothing is sent before it is time");
    world.clock.set(mailed.not_before.unwrap());
    // The answer is lost, and the trace is there.
    assert_eq!(world.send().await.count("SENT"), 1);
    assert_eq!(world.items().await[0].unknown_times, 1);
    assert_eq!((world.left(), *world.service.calls.lock().unwrap()), (1, 2));
}

/// T35: without a trace there is one more try behind a quarter of an hour, and then a person.
#[tokio::test]
async fn a_mail_without_a_trace_is_tried_once_more_and_then_left_to_a_person() {
    let world = World::with_payout(1).await;
    world.answers(&[Answer::Lost, Answer::Lost]);
    world.send().await;
    for _ in 0..14 {
        world.clock.advance(minutes(1));
        assert_eq!(world.send().await.count("UNKNOWN"), 1);
    }
    assert_eq!(*world.service.calls.lock().unwrap(), 1);
    world.clock.advance(minutes(1));
    assert_eq!(world.send().await.count("UNKNOWN"), 1);
    assert_eq!(*world.service.calls.lock().unwrap(), 2);
    world.clock.advance(minutes(15));
    assert_eq!(world.send().await.count("HUMAN"), 1);
    world.clock.advance(minutes(60));
    assert_eq!(world.send().await.mails, []);
    assert_eq!((world.left(), *world.service.calls.lock().unwrap()), (0, 2));
}

#[tokio::test]
async fn a_refused_mail_is_shown_and_never_sent_again() {
    let world = World::with_payout(1).await;
    world.answers(&[Answer::Refused]);
    assert_eq!(world.send().await.count("REFUSED"), 1);
    world.clock.advance(minutes(60));
    assert_eq!((world.send().await.mails, world.left()), (Vec::new(), 0));
}

#[tokio::test]
async fn a_worker_that_has_a_mail_is_left_alone_until_its_lease_is_over() {
    let world = World::with_payout(1).await;
    let plan = Disturbed::by(Script::quiet());
    mail::run(&plan.ports(&world.ports), &world.mailing(), &world.command()).await.unwrap();
    let last = plan.calls() - 1;
    let world = World::with_payout(1).await;
    let plan = Disturbed::by(Script::at([(last, Mode::Before)]));
    mail::run(&plan.ports(&world.ports), &world.mailing(), &world.command()).await.unwrap_err();
    assert_eq!((world.left(), world.send().await.count("SENDING")), (1, 1));
    world.clock.advance(minutes(5));
    assert_eq!((world.send().await.count("SENT"), world.left()), (1, 1));
}

#[tokio::test]
async fn nobody_is_told_before_they_confirm_or_behind_their_removal() {
    let world = World::new().await;
    let item = world.add("regnskap@example.no", RecipientKind::Person, &[Rhythm::EachPayout]).await;
    world.take("vipps", "a.csv", portal_csv(&report(vec![settlement(1, 1)]))).await;
    world.send().await;
    world.send().await;
    let asked = world.service.inner.all();
    let text = String::from_utf8(asked[0].message.clone()).unwrap();
    let token = secret().token(&world.account, &item.address, 1);
    assert_eq!((asked.len(), text.contains(&token), text.contains("2000001")), (1, true, false));
    assert!(!format!("{:?}", world.items().await).contains(&token) && item.token_hash != token);
    let (account, address) = (world.account.clone(), item.address.clone());
    for wrong in ["", "0", &token[1..], &item.token_hash] {
        let refused = recipients::confirm(&world.ports, &account, &address, wrong, world.clock.now()).await;
        assert!(refused.is_err(), "{wrong:?}");
    }
    world.confirm(&item).await;
    world.answers(&[Answer::Throttled]);
    assert_eq!(world.send().await.count("PLANNED"), 1);
    assert!(recipients::remove(&world.ports, &account, &address, world.clock.now()).await.unwrap());
    world.clock.advance(minutes(2));
    assert_eq!((world.send().await.count("WITHDRAWN"), world.left()), (1, 1));
    // Whoever comes back is asked again, with another code.
    let again = world.add("regnskap@example.no", RecipientKind::Person, &[Rhythm::EachPayout]).await;
    assert_eq!((again.generation, again.is_confirmed()), (2, false));
    assert!(recipients::confirm(&world.ports, &account, &address, &token, world.clock.now()).await.is_err());
    world.send().await;
    assert_eq!(world.left(), 2);
}
