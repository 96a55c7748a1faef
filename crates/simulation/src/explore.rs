//! The runs that are made: every call disturbed in every way, every pair of effects, and as many seeds as there is time for.

mod mails;

use std::path::Path;

pub use self::mails::{mails, some_mails};
use crate::faults::{FAULTS, Mode, Script};
use crate::poll::to_end;
use crate::run::{HeldUp, QUIET_ORDER, Ran, Run};
use crate::scenario::{Scenario, Size};
use crate::violation::Violation;
use sandbox::Fault;

/// A run that violated a rule, and how to repeat it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{which}: {violation}")]
pub struct FailedRun {
    /// Which run it was, so that it can be repeated.
    pub which: String,
    /// The rule that did not hold.
    pub violation: Violation,
}

/// The scenario in which calls are disturbed.
///
/// # Errors
/// When it cannot be set up.
pub fn canonical(size: Size) -> Result<Scenario, Violation> {
    to_end(Scenario::canonical(1, size)).map_err(|error| Violation(error.to_string()))
}

/// Runs a scenario without any fault.
///
/// # Errors
/// With the first rule that did not hold.
pub fn quiet(scenario: &Scenario, scratch: &Path) -> Result<Ran, Violation> {
    Run::new(scenario, scratch, QUIET_ORDER, &mut |_| Script::quiet()).make()
}

/// Disturbs every call from `first` on in every way, one in each run; gives the number of runs.
///
/// # Errors
/// With the first run that violated a rule.
pub fn singles(scenario: &Scenario, first: usize, scratch: &Path) -> Result<usize, FailedRun> {
    let found = |violation| FailedRun { which: "undisturbed".to_owned(), violation };
    let calls = quiet(scenario, scratch).map_err(found)?.calls;
    for call in first..calls {
        for mode in Mode::ALL {
            disturbed(scenario, scratch, call, &mode)?;
        }
    }
    Ok(calls.saturating_sub(first) * Mode::ALL.len())
}

/// Lets the first posting of every batch fail at Dintero, one fault in each run; gives the number of runs.
///
/// # Errors
/// With the first run that violated a rule.
pub fn postings(scenario: &Scenario, scratch: &Path) -> Result<usize, FailedRun> {
    each_fault(scenario, scratch, |run| run.hasty())
}

/// The same where only sweeps resume postings.
///
/// # Errors
/// As [`postings`].
pub fn swept_postings(scenario: &Scenario, scratch: &Path) -> Result<usize, FailedRun> {
    each_fault(scenario, scratch, |run| run.swept())
}

fn each_fault(scenario: &Scenario, scratch: &Path, how: fn(Run<'_>) -> Run<'_>) -> Result<usize, FailedRun> {
    let messages = scenario.uploads.len();
    for fault in &FAULTS {
        // The workers of messages cannot post: one process resumes all postings later.
        let mut scripts = |number: usize| match number {
            number if number < messages => Script::postings(fault.clone()),
            _ => Script::quiet(),
        };
        let found = |violation| FailedRun { which: format!("postings, {fault:?}"), violation };
        how(Run::new(scenario, scratch, QUIET_ORDER, &mut scripts)).make().map_err(found)?;
    }
    Ok(FAULTS.len())
}

/// Disturbs every two effects; gives the number of runs. A worker that ends after an effect ends before the next one.
///
/// # Errors
/// With the first run that violated a rule.
pub fn pairs(scenario: &Scenario, scratch: &Path) -> Result<usize, FailedRun> {
    const MODES: [Mode; 2] = [Mode::Before, Mode::Lost];
    let found = |violation| FailedRun { which: "undisturbed".to_owned(), violation };
    let effects = quiet(scenario, scratch).map_err(found)?.effects;
    let mut runs = 0;
    for first in 0..effects {
        for one in MODES {
            for other in MODES {
                // The first fault adds effects, because work is repeated.
                for second in first + 1.. {
                    let modes = [(first, one.clone()), (second, other.clone())];
                    let script = |_| Script::at_effects(modes.iter().cloned());
                    let ran = Run::new(scenario, scratch, QUIET_ORDER, &mut script.clone()).make();
                    let ran = ran.map_err(|violation| FailedRun { which: format!("effects {modes:?}"), violation })?;
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

/// Building makes many calls that read: a worker is held up after every third call.
const BUILDING_CALLS_EACH: usize = 3;

/// Holds a worker up after each of its calls, while others run on; gives the number of its calls.
///
/// # Errors
/// With the first run that violated a rule.
pub fn held_up(scenario: &Scenario, at: HeldUp, scratch: &Path) -> Result<usize, FailedRun> {
    let messages = scenario.uploads.len();
    let each = if at == HeldUp::Building { BUILDING_CALLS_EACH } else { 1 };
    for calls in (0..).step_by(each) {
        let found = |violation| FailedRun { which: format!("{at:?} held up after {calls} calls"), violation };
        let mut scripts = |number: usize| match at {
            // Leaves the postings to the worker that is held up.
            HeldUp::Posting if number < messages => Script::postings(Fault::NotConnected),
            _ => Script::quiet(),
        };
        if !Run::new(scenario, scratch, QUIET_ORDER, &mut scripts).held_up(at, calls).map_err(found)? {
            return Ok(calls);
        }
    }
    Ok(0)
}

fn disturbed(scenario: &Scenario, scratch: &Path, call: usize, mode: &Mode) -> Result<Ran, FailedRun> {
    let found = |violation| FailedRun { which: format!("call {call}, {mode:?}"), violation };
    Run::new(scenario, scratch, QUIET_ORDER, &mut |_| Script::at([(call, mode.clone())])).make().map_err(found)
}

/// One run for which a seed decides the scenario, the order of calls, and the faults.
///
/// # Errors
/// With the first rule that did not hold.
pub fn seeded(seed: u64, scratch: &Path) -> Result<Ran, FailedRun> {
    let found = |violation| FailedRun { which: format!("seed {seed}"), violation };
    let sales = 1 + crate::generate::Seed(seed).below(12);
    let scenario = to_end(Scenario::canonical(seed, Size { sales, alone: false, is_released: seed.is_multiple_of(2) }))
        .map_err(|error| found(Violation(error.to_string())))?;
    let mut scripts = |number: usize| {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(number as u64);
        // Later workers are not disturbed, so that everything can end.
        match number {
            0..24 => Script::random(seed, 12, number < 12),
            _ => Script::quiet(),
        }
    };
    Run::new(&scenario, scratch, seed | 1 << 63, &mut scripts).make().map_err(found)
}
