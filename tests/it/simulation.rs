//! Everything in a world of its own, disturbed in every way: nothing is lost, and nothing happens twice.

use std::time::{Duration, Instant};

use simulation::scenario::Size;
use simulation::{HeldUp, explore};

/// Seeds are tried for this long; the program `simulate` tries more.
const SEEDS_FOR: Duration = Duration::from_secs(10);

/// Files that live for a moment, in memory where there is a folder of it: a disk takes a third of the time otherwise.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[test]
fn a_large_settlement_is_posted_in_batches_and_everything_twice_changes_nothing() {
    let scratch = scratch();
    let scenario = explore::canonical(Size { sales: 205, alone: false, is_released: true }).unwrap();
    explore::quiet(&scenario, scratch.path()).unwrap();
}

#[test]
fn every_call_may_be_disturbed_in_every_way() {
    let scratch = scratch();
    let scenario = explore::canonical(Size { sales: 2, alone: true, is_released: false }).unwrap();
    let runs = explore::singles(&scenario, 0, scratch.path()).unwrap();
    assert!(runs > 300, "{runs} runs");
}

/// Whatever is cut off or lost while a person lets a correction through: it counts once, and what was told is not told again.
#[test]
fn every_call_behind_a_correction_may_be_disturbed_in_every_way() {
    let scratch = scratch();
    let [before, scenario] =
        [false, true].map(|is_released| explore::canonical(Size { sales: 1, alone: true, is_released }).unwrap());
    let first = explore::quiet(&before, scratch.path()).unwrap().calls;
    let runs = explore::singles(&scenario, first, scratch.path()).unwrap();
    assert!(runs > 400, "{runs} runs");
}

#[test]
fn whoever_is_held_up_at_any_call_harms_nothing() {
    let scratch = scratch();
    let scenario = explore::canonical(Size { sales: 1, alone: false, is_released: false }).unwrap();
    for at in [HeldUp::Reading, HeldUp::Posting, HeldUp::Matching, HeldUp::Building] {
        let runs = explore::held_up(&scenario, at, scratch.path()).unwrap();
        assert!(runs > 20, "{at:?}: {runs} runs");
    }
}

#[test]
fn every_two_effects_may_be_disturbed() {
    let scratch = scratch();
    let scenario = explore::canonical(Size { sales: 1, alone: true, is_released: false }).unwrap();
    let runs = explore::pairs(&scenario, scratch.path()).unwrap();
    assert!(runs > 1_000, "{runs} runs");
}

#[test]
fn mails_are_sent_once_whatever_is_disturbed() {
    let scratch = scratch();
    let scenario = explore::canonical(Size { sales: 1, alone: true, is_released: false }).unwrap();
    let some = explore::some_mails(&scenario, scratch.path(), 60).unwrap();
    let runs = some + explore::mails(&scenario, scratch.path()).unwrap();
    assert!(runs > 500, "{runs} runs");
}

#[test]
fn seeds_find_nothing_and_the_same_seed_goes_the_same_way() {
    let scratch = scratch();
    let begun = Instant::now();
    let mut seed = 0;
    while seed < 20 || begun.elapsed() < SEEDS_FOR {
        let ran = explore::seeded(seed, scratch.path()).unwrap();
        if seed % 10 == 0 {
            assert_eq!(explore::seeded(seed, scratch.path()).unwrap(), ran, "seed {seed}");
        }
        seed += 1;
    }
    println!("{seed} seeds");
}
