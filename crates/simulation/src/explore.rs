//! Which runs are made: every call disturbed in every way, every pair of them, and as many seeds as there is time for.

mod mails;

use std::path::Path;

pub use self::mails::{mails, some_mails};
use crate::faults::{FAULTS, Mode, Script};
use crate::run::{HeldUp, QUIET_ORDER, Ran, Run, Violation, now};
use crate::scenario::{Scenario, Size};
use sandbox::Fault;

/// A run that went wrong, and how to see it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{which}: {violation}")]
pub struct Found {
    /// Which run it was.
    pub which: String,
    /// What was wrong.
    pub violation: Violation,
}

/// The scenario that every call of is disturbed.
///
/// # Errors
/// When it cannot be set up.
pub fn canonical(size: Size) -> Result<Scenario, Violation> {
    now(Scenario::canonical(1, size)).map_err(|error| Violation(error.to_string()))
}

/// Runs a scenario without any disturbance.
///
/// # Errors
/// With what is wrong even then.
pub fn quiet(scenario: &Scenario, scratch: &Path) -> Result<Ran, Violation> {
    Run::new(scenario, scratch, QUIET_ORDER, &mut |_| Script::quiet()).go()
}

/// Disturbs every call from a `first` one on in every way, one in each run; gives the number of runs.
///
/// # Errors
/// With the first run that went wrong.
pub fn singles(scenario: &Scenario, first: usize, scratch: &Path) -> Result<usize, Found> {
    let found = |violation| Found { which: "undisturbed".to_owned(), violation };
    let calls = quiet(scenario, scratch).map_err(found)?.calls;
    for call in first..calls {
        for mode in Mode::ALL {
            disturbed(scenario, scratch, call, &mode)?;
        }
    }
    Ok(calls.saturating_sub(first) * Mode::ALL.len())
}

/// Lets Dintero disturb the first posting of every batch, in each of its ways in a run of its own; gives the number of runs.
///
/// # Errors
/// With the first run that went wrong.
pub fn postings(scenario: &Scenario, scratch: &Path) -> Result<usize, Found> {
    each_fault(scenario, scratch, |run| run.hasty())
}

/// The same where nobody goes on with postings but whom sweeps tell.
///
/// # Errors
/// As [`postings`].
pub fn swept_postings(scenario: &Scenario, scratch: &Path) -> Result<usize, Found> {
    each_fault(scenario, scratch, |run| run.swept())
}

fn each_fault(scenario: &Scenario, scratch: &Path, how: fn(Run<'_>) -> Run<'_>) -> Result<usize, Found> {
    let messages = scenario.uploads.len();
    for fault in &FAULTS {
        // Nobody who brings a message can post: one process then goes on with all that is left.
        let mut scripts = |number: usize| match number {
            number if number < messages => Script::postings(fault.clone()),
            _ => Script::quiet(),
        };
        let found = |violation| Found { which: format!("postings, {fault:?}"), violation };
        how(Run::new(scenario, scratch, QUIET_ORDER, &mut scripts)).go().map_err(found)?;
    }
    Ok(FAULTS.len())
}

/// Disturbs every two effects; gives the number of runs. Ending behind an effect is ending before the next one.
///
/// # Errors
/// With the first run that went wrong.
pub fn pairs(scenario: &Scenario, scratch: &Path) -> Result<usize, Found> {
    const MODES: [Mode; 2] = [Mode::Before, Mode::Lost];
    let found = |violation| Found { which: "undisturbed".to_owned(), violation };
    let effects = quiet(scenario, scratch).map_err(found)?.effects;
    let mut runs = 0;
    for first in 0..effects {
        for one in MODES {
            for other in MODES {
                // What is left to do grows by what has to be done again, until nothing is left to disturb.
                for second in first + 1.. {
                    let modes = [(first, one.clone()), (second, other.clone())];
                    let script = |_| Script::at_effects(modes.iter().cloned());
                    let ran = Run::new(scenario, scratch, QUIET_ORDER, &mut script.clone()).go();
                    let ran = ran.map_err(|violation| Found { which: format!("effects {modes:?}"), violation })?;
                    runs += 1;
                    if second >= ran.effects {
                        break;
                    }
                }
            }
        }
    }
    Ok(runs)
}

/// A builder makes many calls that read: it is held up behind one of so many.
const BUILDING_CALLS_EACH: usize = 3;

/// Holds a worker up behind its calls, while others go on; gives how many calls it makes.
///
/// # Errors
/// With the first run that went wrong.
pub fn held_up(scenario: &Scenario, at: HeldUp, scratch: &Path) -> Result<usize, Found> {
    let messages = scenario.uploads.len();
    let each = if at == HeldUp::Building { BUILDING_CALLS_EACH } else { 1 };
    for calls in (0..).step_by(each) {
        let found = |violation| Found { which: format!("{at:?} held up behind call {calls}"), violation };
        let mut scripts = |number: usize| match at {
            // Something has to be left for those who go on.
            HeldUp::Posting if number < messages => Script::postings(Fault::NotConnected),
            _ => Script::quiet(),
        };
        if !Run::new(scenario, scratch, QUIET_ORDER, &mut scripts).held_up(at, calls).map_err(found)? {
            return Ok(calls);
        }
    }
    Ok(0)
}

fn disturbed(scenario: &Scenario, scratch: &Path, call: usize, mode: &Mode) -> Result<Ran, Found> {
    let found = |violation| Found { which: format!("call {call}, {mode:?}"), violation };
    Run::new(scenario, scratch, QUIET_ORDER, &mut |_| Script::at([(call, mode.clone())])).go().map_err(found)
}

/// One run that a seed decides: its scenario, who goes first, and what goes wrong.
///
/// # Errors
/// With the first thing that must never be.
pub fn seeded(seed: u64, scratch: &Path) -> Result<Ran, Found> {
    let found = |violation| Found { which: format!("seed {seed}"), violation };
    let sales = 1 + crate::generate::Seed(seed).below(12);
    let scenario = now(Scenario::canonical(seed, Size { sales, alone: false, is_released: seed.is_multiple_of(2) }))
        .map_err(|error| found(Violation(error.to_string())))?;
    let mut scripts = |number: usize| {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(number as u64);
        // Behind some workers the world comes to rest, so that everything can come to its end.
        match number {
            0..24 => Script::random(seed, 12, number < 12),
            _ => Script::quiet(),
        }
    };
    Run::new(&scenario, scratch, seed | 1 << 63, &mut scripts).go().map_err(found)
}
