//! Everything that lies in the landing, taken at a rate, stopped and gone on with.

use std::num::NonZeroU32;

use pipeline::operate::backfill::{Backfill, BackfillAccount, Next};
use store::memory::MemoryState;

use super::*;

const PER_SECOND: u32 = 5;

/// An account with uploads, and what was done to them when.
struct Landing {
    world: World,
    state: Arc<MemoryState>,
    ports: Ports,
    now: Timestamp,
    begun_at: Vec<Timestamp>,
}

impl Landing {
    /// So many small objects: of each ten two are a sale of their own, seven are copies of these, and one is no report.
    async fn with(objects: u64) -> Self {
        let mut world = World::new();
        let state = Arc::<MemoryState>::default();
        world.app.ports.state = state.clone();
        world.add_merchant("T00000001").await.unwrap();
        for number in 0..objects {
            let bytes = match number % 10 {
                9 => format!("nothing {number}").into_bytes(),
                _ => portal_csv(&sale(number - number % 5)),
            };
            world.upload(&format!("{number:04}.csv"), &bytes).await;
        }
        let (ports, now) = (world.app.ports.clone(), world.now);
        Landing { world, state, ports, now, begun_at: Vec::new() }
    }

    fn command(&self, prefix: &str) -> BackfillAccount {
        BackfillAccount {
            account: self.world.account.clone(),
            prefix: prefix.to_owned(),
            from: None,
            until: None,
            per_second: NonZeroU32::new(PER_SECOND).unwrap(),
            lease: SignedDuration::from_mins(15),
            scratch: self.world.app.scratch.clone(),
            limits: Limits::default(),
        }
    }

    /// Runs until so many objects are taken, at most; gives how many were, and whether that was all.
    async fn run(&mut self, at_most: usize) -> Result<(usize, bool), StepError> {
        let command = self.command("");
        let ports = self.ports.clone();
        let mut backfill = Backfill::open(&ports, &command).await?;
        let mut taken = 0;
        while taken < at_most {
            match backfill.next(None, self.now).await? {
                Next::Wait(until) => {
                    assert!(until > self.now, "it asks to wait until {until}, and it is {}", self.now);
                    self.now = until;
                }
                Next::Took(..) => {
                    self.begun_at.push(self.now);
                    taken += 1;
                }
                Next::Ended => return Ok((taken, true)),
            }
        }
        Ok((taken, false))
    }

    /// Every record, but when what happened and how far the backfill has come.
    fn records(&self) -> Vec<(String, String, serde_json::Value)> {
        let apart = |item: &Item| ["JOURNAL#", "BACKFILL#"].iter().any(|part| item.partition.starts_with(part));
        let records = self.state.all().into_iter().filter(|item| !apart(item));
        records
            .map(|mut item| {
                // How often it was begun, and when it came to be held, is another thing than what it came to.
                for name in ["attempts", "at"] {
                    item.body.as_object_mut().map(|body| body.remove(name));
                }
                (item.partition, item.sort, item.body)
            })
            .collect()
    }
}

fn sale(number: u64) -> Report {
    let mut report = report(&mut Seed(number + 1), 1, 1);
    report.settlements.iter_mut().for_each(|settlement| settlement.id += number * 10);
    report
}

/// T68: a thousand objects, stopped half way and started again, come to the records of one straight run, at the rate that was
/// asked for.
#[tokio::test]
async fn a_backfill_that_is_stopped_goes_on_to_the_same_end_at_its_rate() {
    let mut straight = Landing::with(1_000).await;
    assert_eq!(straight.run(usize::MAX).await.unwrap(), (1_000, true));
    let mut stopped = Landing::with(1_000).await;
    assert_eq!(stopped.run(500).await.unwrap(), (500, false));
    assert_eq!(Backfill::open(&stopped.ports, &stopped.command("")).await.unwrap().taken(), 500);
    assert_eq!(stopped.run(usize::MAX).await.unwrap(), (500, true));
    let records = straight.records();
    assert!(records.len() > 1_500, "{}", records.len());
    assert_eq!(stopped.records(), records);
    for begun_at in [&straight.begun_at, &stopped.begun_at[..500].to_vec(), &stopped.begun_at[500..].to_vec()] {
        let window = usize::try_from(PER_SECOND).unwrap();
        for first in begun_at.windows(window + 1) {
            assert!(first[window].duration_since(first[0]) >= SignedDuration::from_secs(1), "{first:?}");
        }
        // It is a bound, and no nap: everything is taken as soon as it may be.
        let (first, last) = (begun_at[0], begun_at[begun_at.len() - 1]);
        let seconds = last.duration_since(first).as_secs();
        assert!(seconds <= i64::try_from(begun_at.len()).unwrap() / i64::from(PER_SECOND) + 1, "{seconds} s");
    }
    // It has ended: the next run begins anew, and has no effect.
    let revisions = |landing: &Landing| {
        let apart = |item: &Item| item.partition.starts_with("BACKFILL#");
        landing.state.all().into_iter().filter(|item| !apart(item)).collect::<Vec<_>>()
    };
    let before = revisions(&stopped);
    assert_eq!(stopped.run(20).await.unwrap(), (20, false));
    assert_eq!(revisions(&stopped), before);
}

/// Whichever call it ends at, the next run comes to the same end: what was taken and not noted is taken again without effect,
/// and what is leased is waited for.
#[tokio::test]
async fn a_backfill_that_ends_at_any_call_is_gone_on_with() {
    let mut straight = Landing::with(2).await;
    let counted = Disturbed::by(Script::quiet());
    let ports = straight.world.app.ports.clone();
    straight.ports = counted.ports(&ports);
    straight.run(usize::MAX).await.unwrap();
    assert!(counted.calls() > 40, "{}", counted.calls());
    for fault in [Mode::Before, Mode::After] {
        for call in 0..counted.calls() {
            let mut landing = Landing::with(2).await;
            let ports = landing.world.app.ports.clone();
            landing.ports = Disturbed::by(Script::at([(call, fault.clone())])).ports(&ports);
            let ended = landing.run(usize::MAX).await;
            landing.ports = ports;
            if ended.is_err() {
                landing.run(usize::MAX).await.unwrap();
            }
            assert_eq!(landing.records(), straight.records(), "{fault:?} call {call}");
        }
    }
}

/// Two runs of one backfill: one of them is told, and nothing is taken back.
#[tokio::test]
async fn two_runs_of_one_backfill_do_not_overtake_each_other() {
    let landing = Landing::with(4).await;
    let command = landing.command("");
    let mut one = Backfill::open(&landing.ports, &command).await.unwrap();
    let mut other = Backfill::open(&landing.ports, &command).await.unwrap();
    assert!(matches!(one.next(None, landing.now).await, Ok(Next::Took(..))));
    let error = other.next(None, landing.now).await.unwrap_err();
    assert!(error.to_string().contains("Another run"), "{error}");
    assert_eq!(Backfill::open(&landing.ports, &command).await.unwrap().taken(), 1);
    // Another part is another backfill.
    let part = landing.command("vipps/0003");
    assert_eq!(Backfill::open(&landing.ports, &part).await.unwrap().count().await.unwrap(), 1);
    let nothing = landing.command("swish/");
    let mut backfill = Backfill::open(&landing.ports, &nothing).await.unwrap();
    assert!(matches!(backfill.next(None, landing.now).await, Ok(Next::Ended)));
}
