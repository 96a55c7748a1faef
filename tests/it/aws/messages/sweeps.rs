//! The sweep as a function: what a schedule calls, what it says of itself, and what the others make of what it tells.

use adapters::inbound::function::Again;
use adapters::inbound::lambda::Scheduled;
use adapters::inbound::sweep::Sweeper;
use pipeline::operate::sweep::Queues;

use super::*;

impl World {
    /// The function, so many minutes after the time of the others, and the queue of the step that parses.
    fn sweeper(&self, minutes: i64) -> (Sweeper, Arc<MemoryQueue>) {
        let parse = Arc::new(MemoryQueue::default());
        let now = NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes);
        let sweeper = Sweeper {
            function: Function::new(
                "sweep",
                self.ports.clone(),
                self.worker.function.scratch.clone(),
                Arc::new(move || now),
                self.lines.clone(),
            ),
            queues: Queues { parse: parse.clone(), reconcile: self.queue.clone() },
            posts: false,
        };
        (sweeper, parse)
    }
}

fn invocation() -> Invocation {
    let deadline = NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(5);
    Invocation { deadline, trace_id: Some("1-abc".to_owned()) }
}

/// T13: S3 told nobody. The sweep does, in a message that the step which parses takes as one of S3.
#[tokio::test]
async fn what_the_sweep_tells_is_carried_out_as_if_it_had_been_told_by_s3() {
    let world = World::new().await;
    world.uploaded("Oppgjør 1+2%20.csv", &portal_csv(&sample(1))).await;
    let (sweeper, parse) = world.sweeper(0);
    sweeper.carry_out(&invocation()).await.unwrap();
    let (message, delay) = parse.take().unwrap();
    assert!(parse.take().is_none() && world.queue.take().is_none() && delay.is_zero());
    assert!(world.deliver(&[message]).await.is_empty());
    assert_eq!((world.lines.sum("AcceptedReports"), world.lines.sum("Misconfigurations")), (1, 0));
    let handed_on = world.queue.take().unwrap().0;
    // What was handed on is lost as well, and told again once nobody has it in hand.
    for (minutes, told) in [(14, None), (15, Some(handed_on))] {
        let (sweeper, parse) = world.sweeper(minutes);
        sweeper.carry_out(&invocation()).await.unwrap();
        assert_eq!((parse.take(), world.queue.take().map(|(message, _)| message)), (None, told));
    }
}

/// Every sweep tells that it came about, and how old the oldest is that has not come to its end.
#[tokio::test]
async fn a_sweep_tells_how_it_went_in_numbers() {
    let world = World::new().await;
    let (sweeper, _) = world.sweeper(0);
    sweeper.carry_out(&invocation()).await.unwrap();
    let lines = world.lines.read();
    let numbers = lines.iter().find(|line| line.get("_aws").is_some()).unwrap();
    for metric in ["TakenUp", "OldestUnprocessedObjectAge", "OldestCommittedUnpostedAge", "ExpectedReportMissing"] {
        assert_eq!(numbers[metric], 0, "{metric}");
    }
    assert_eq!((&numbers["Sweeps"], &numbers["fn"]), (&json!(1), &json!("sweep")));
    let unit = |line: &Value, metric: &str| {
        let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().clone();
        metrics.iter().find(|known| known["Name"] == metric).unwrap()["Unit"].clone()
    };
    assert_eq!(
        (unit(numbers, "Sweeps"), unit(numbers, "OldestUnprocessedObjectAge")),
        (json!("Count"), json!("Seconds"))
    );

    let record = world.uploaded("a.csv", &portal_csv(&sample(1))).await;
    assert!(world.deliver(&[message(&[record])]).await.is_empty());
    let (sweeper, _) = world.sweeper(130);
    sweeper.carry_out(&invocation()).await.unwrap();
    assert_eq!((world.lines.sum("OldestCommittedUnpostedAge"), world.lines.sum("TakenUp")), (130 * 60, 1));
    assert_eq!(world.lines.said("a report was left and is taken up"), 1);
}

/// A sweep that could not look at everything is called again, and counts for none.
#[tokio::test]
async fn a_sweep_that_fails_is_called_again_and_is_no_heartbeat() {
    let world = World::new().await;
    let (sweeper, _) = world.sweeper(0);
    let ports = Ports { state: Arc::new(Down), ..world.ports.clone() };
    let sweeper = Sweeper { function: Function { ports, ..sweeper.function }, ..sweeper };
    assert_eq!(sweeper.carry_out(&invocation()).await, Err(Again));
    assert_eq!((world.lines.sum("Sweeps"), world.lines.said("not everything could be looked over")), (0, 1));
}

/// State that does not answer.
struct Down;

#[async_trait]
impl State for Down {
    async fn get(&self, _: &str, _: &str) -> Result<Option<Item>, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "Cannot read the state", "throttled"))
    }

    async fn query(&self, _: &Query) -> Result<Page, PortError> {
        Err(PortError::new(PortErrorKind::Unavailable, "Cannot read the state", "throttled"))
    }

    async fn transact(&self, _: &[Put]) -> Result<(), PortError> {
        unreachable!("a sweep writes nothing")
    }
}
