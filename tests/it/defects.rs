//! Does anything bite: every rule is broken on purpose, one at a time, and something must see it.

use std::path::Path;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use pipeline::messages::Uploaded;
use pipeline::operate::sweep::{self, Progress, Unfinished};
use settlement::{Defect, seed};
use simulation::scenario::{Scenario, Size};
use simulation::{HeldUp, explore};

/// Seeds in which a defect must show itself.
const SEEDS: u64 = 60;

/// What may see a defect, from the cheapest on.
type Catcher<'a> = (&'static str, Box<dyn Fn() -> Result<(), String> + 'a>);

struct Scenarios {
    alone: Scenario,
    small: Scenario,
    large: Scenario,
}

fn catchers<'a>(scenarios: &'a Scenarios, scratch: &'a Path) -> Vec<Catcher<'a>> {
    let quiet = |scenario: &'a Scenario| {
        Box::new(move || explore::quiet(scenario, scratch).map(drop).map_err(|error| error.to_string()))
    };
    let held_up = |at: HeldUp| -> Box<dyn Fn() -> Result<(), String>> {
        Box::new(move || explore::held_up(&scenarios.small, at, scratch).map(drop).map_err(|error| error.to_string()))
    };
    vec![
        ("values", Box::new(values)),
        ("one report undisturbed", quiet(&scenarios.alone)),
        ("everything undisturbed", quiet(&scenarios.small)),
        ("a hundred and one sales", quiet(&scenarios.large)),
        (
            "every fault of Dintero",
            Box::new(move || explore::postings(&scenarios.small, scratch).map(drop).map_err(|error| error.to_string())),
        ),
        (
            "mails",
            Box::new(move || {
                explore::some_mails(&scenarios.alone, scratch, 10).map(drop).map_err(|error| error.to_string())
            }),
        ),
        (
            "every fault of Dintero, swept",
            Box::new(move || {
                explore::swept_postings(&scenarios.alone, scratch).map(drop).map_err(|error| error.to_string())
            }),
        ),
        ("reading held up", held_up(HeldUp::Reading)),
        ("posting held up", held_up(HeldUp::Posting)),
        ("matching held up", held_up(HeldUp::Matching)),
        (
            "seeds",
            Box::new(move || {
                (0..SEEDS)
                    .try_for_each(|seed| explore::seeded(seed, scratch).map(drop))
                    .map_err(|error| error.to_string())
            }),
        ),
    ]
}

/// The rule that no run of a scenario can break.
fn values() -> Result<(), String> {
    let now = Timestamp::UNIX_EPOCH;
    let upload = Uploaded { key: "T00000001/vipps/a.csv".to_owned(), version: "1".to_owned() };
    let lease_until = now + SignedDuration::from_secs(1);
    let read = sweep::plan(&[Unfinished { upload, progress: Progress::Claimed { since: now, lease_until } }], now);
    if !read.parse.is_empty() {
        return Err("a report is taken from the worker that reads it".to_owned());
    }
    Ok(())
}

#[test]
fn every_seeded_defect_is_caught() {
    let scratch = tempfile::tempdir().unwrap();
    let canonical = |sales, alone| explore::canonical(Size { sales, alone, is_released: !alone }).unwrap();
    let scenarios = Scenarios { alone: canonical(1, true), small: canonical(2, false), large: canonical(101, true) };
    let catchers = catchers(&scenarios, scratch.path());
    for (name, catcher) in &catchers {
        let begun = Instant::now();
        assert_eq!(catcher(), Ok(()), "{name} fails without any defect");
        println!("no defect: {name} in {:?}", begun.elapsed());
    }
    let mut missed = Vec::new();
    for defect in Defect::ALL {
        let begun = Instant::now();
        seed(Some(defect));
        let caught = catchers.iter().find_map(|(name, catcher)| Some((name, catcher().err()?)));
        seed(None);
        match caught {
            Some((name, what)) => println!("{defect:?}: caught by {name}: {what} ({:?})", begun.elapsed()),
            None => missed.push(defect),
        }
    }
    assert_eq!(missed, []);
}
