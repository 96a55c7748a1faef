//! Several workers at once, in every order of their calls that a seed decides, and one that wakes too late.

use std::task::{Context, Poll, Waker};

use simulation::{Disturbed, Mode, Script, Watch, Worker};
use store::{EventState, Place, ReportItem, ReportState, SettlementItem};
use tests::generate::Seed;

use super::*;

type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Lets tasks go on by turns, as the seed draws them, until all have ended.
fn by_turns<T>(seed: &mut Seed, tasks: Vec<Task<T>>) -> Vec<T> {
    let (mut live, mut ended) = (tasks, Vec::new());
    while !live.is_empty() {
        let place = usize::try_from(seed.below(live.len() as u64)).unwrap();
        if let Poll::Ready(result) = live[place].as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            ended.push(result);
            drop(live.swap_remove(place));
        }
    }
    ended
}

/// The same objects, records and Dintero, where every call of a worker gives the others their turn.
fn shared(world: &World) -> Arc<simulation::World> {
    let mut sandbox = world.sandbox().clone();
    sandbox.add_client(
        &world.account,
        &format!("client-{}", world.account),
        &format!("{SECRET_MARK}-{}", world.account),
    );
    let mut shared = simulation::World::new(world.clock.now(), sandbox, Watch::default());
    shared.objects = MemoryObjects::clone(&world.objects);
    shared.state = MemoryState::clone(&world.state);
    Arc::new(shared)
}

/// One delivery of an upload to a worker of its own.
fn delivery(
    shared: &Arc<simulation::World>,
    number: usize,
    upload: &ParseReport,
) -> Task<Result<Processed, StepError>> {
    let worker = Worker::new(shared, number, Script::quiet());
    let command = ParseReport { now: shared.clock.now(), ..upload.clone() };
    Box::pin(async move { process::process_upload(&worker.ports(), Some(&worker.dintero()), &command).await })
}

/// T04: one notification five times, three workers at once: one report, one version, each event once.
#[tokio::test]
async fn one_upload_at_three_workers_five_times_has_one_set_of_effects() {
    for seed in 1..=60 {
        let (world, upload) = World::with_sales(2).await;
        let (account, shared) = (world.account.clone(), shared(&world));
        let mut seed = Seed(seed);
        let mut report = None;
        for workers in [3, 2] {
            let tasks = (0..workers).map(|number| delivery(&shared, number, &upload)).collect();
            for ended in by_turns(&mut seed, tasks) {
                match ended {
                    Ok(gone) => assert_eq!(*report.get_or_insert(gone.outcome.report), gone.outcome.report),
                    Err(error) => assert!(error.is_retryable(), "{error}"),
                }
            }
            shared.clock.advance(SignedDuration::from_mins(10));
        }
        let report = report.flatten().expect("one of five comes to its end");
        let item = Place::report(report, &account).read::<ReportItem>(&shared.state).await.unwrap().unwrap().0;
        assert_eq!(item.state, ReportState::Committed);
        let records = shared.state.all();
        let of = |partition: &str| records.iter().filter(|item| item.partition.starts_with(partition)).count();
        assert_eq!((of("OBJECT#"), of("SETTLEMENT#"), of("OUTBOX#"), of("BATCH#")), (1, 1, 1, 1));
        let settlement = records.iter().find(|item| item.partition.starts_with("SETTLEMENT#")).unwrap();
        assert_eq!(store::decode::<SettlementItem>(settlement).unwrap().versions.len(), 1);
        let sandbox = shared.sandbox.lock().unwrap();
        assert_eq!((sandbox.settlement_events().count(), sandbox.requests(RequestKind::SettlementEvents)), (2, 1));
    }
}

/// T30: two workers that post one report by turns send one request.
#[tokio::test]
async fn two_workers_on_one_batch_send_one_post() {
    for seed in 1..=60 {
        let (world, upload) = World::with_sales(3).await;
        post::set_posting(&world.ports, &world.account, false, world.clock.now()).await.unwrap();
        let gone = world.go(&upload).await.unwrap();
        post::set_posting(&world.ports, &world.account, true, world.clock.now()).await.unwrap();
        let (command, shared) = (world.command(&gone), shared(&world));
        let task = |number| -> Task<Result<Posted, StepError>> {
            let (worker, command) = (Worker::new(&shared, number, Script::quiet()), command.clone());
            Box::pin(async move { post::run(&worker.ports(), &worker.dintero(), &command).await })
        };
        for ended in by_turns(&mut Seed(seed), vec![task(1), task(2)]) {
            assert!(ended.is_ok() || ended.is_err_and(|error| error.is_retryable()), "seed {seed}");
        }
        let sandbox = shared.sandbox.lock().unwrap();
        assert_eq!((sandbox.requests(RequestKind::SettlementEvents), sandbox.settlement_events().count()), (1, 3));
    }
}

/// T30: a worker that is held up at any call until another has its batch, at once or when its lease is over, sends nothing
/// that the other has sent or will send.
#[tokio::test]
async fn a_worker_that_wakes_when_another_has_its_batch_sends_nothing() {
    let counted = Disturbed::by(Script::quiet());
    let (probe, upload) = World::with_sales(3).await;
    let run = async |world: &World, upload: &ParseReport, plan: &Arc<Disturbed>| {
        let command = ParseReport { now: world.clock.now(), ..upload.clone() };
        process::process_upload(&plan.ports(&world.ports), Some(&world.dintero), &command).await
    };
    run(&probe, &upload, &counted).await.unwrap();
    assert!(counted.calls() > 20, "{}", counted.calls());
    for (at, later) in (0..counted.calls()).flat_map(|at| [(at, 0), (at, 4), (at, 10)]) {
        let (world, upload) = World::with_sales(3).await;
        let (ports, clock, account) = (world.ports.clone(), world.clock.clone(), world.account.clone());
        let other = dintero_of(&world.wire, &world.vault, &world.clock);
        let (command, scratch) = (upload.clone(), world.scratch.path().to_owned());
        let plan = Disturbed::held_up(at, async move {
            clock.advance(SignedDuration::from_mins(later));
            let command = ParseReport { now: clock.now(), ..command };
            let _ = process::process_upload(&ports, Some(&other), &command).await;
            let command = PostAccount { account, now: clock.now(), lease: LEASE, scratch };
            post::go_on(&ports, &other, &command).await.unwrap();
        });
        if let Err(error) = run(&world, &upload, &plan).await {
            assert!(error.is_retryable(), "call {at}, {later} min: {error}");
        }
        world.clock.advance(SignedDuration::from_mins(10));
        world.take(&upload).await;
        let posted = world.finish().await;
        assert!(posted.events.iter().all(|event| matches!(event.state, EventState::Posted { .. })), "{posted:?}");
        assert_eq!((world.posts(), world.standing().len()), (1, 3), "call {at}, {later} min");
    }
}

/// T23: what a worker sent that ended before its answer came may come about behind its lease, and is waited for as well.
#[tokio::test]
async fn a_request_of_a_worker_that_ended_is_waited_for_behind_its_lease() {
    let counted = Disturbed::by(Script::quiet());
    let (probe, upload) = World::with_sales(3).await;
    process::process_upload(&counted.ports(&probe.ports), Some(&probe.dintero), &upload).await.unwrap();
    for at in 0..counted.calls() {
        let (world, upload) = World::with_sales(3).await;
        world.disturb(RequestKind::SettlementEvents, Fault::LateApply { seconds: 330 });
        let plan = Disturbed::by(Script::at([(at, Mode::Before)]));
        let _ = process::process_upload(&plan.ports(&world.ports), Some(&world.dintero), &upload).await;
        world.clock.advance(LEASE);
        let _ = world.go(&upload).await;
        world.finish().await;
        assert_eq!((world.posts(), world.standing().len()), (1, 3), "call {at}");
    }
}
