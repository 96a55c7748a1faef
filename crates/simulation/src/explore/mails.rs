//! Runs of mails alone: everything else has ended, and every call of sending is disturbed.

use std::path::Path;

use super::FailedRun;
use crate::faults::{Mode, Script};
use crate::run::{QUIET_ORDER, mailing};
use crate::scenario::Scenario;
use crate::violation::Violation;

/// A worker is held up after every second call.
const HELD_UP_EACH: usize = 2;

/// Effects that are further apart belong to different mails.
const APART_MAX: usize = 8;

/// Sends mails without faults, holds a worker up after its calls, and lets several workers send at once in the order of each
/// seed; gives the number of runs.
///
/// # Errors
/// With the first run that violated a rule.
pub fn some_mails(scenario: &Scenario, scratch: &Path, seeds: u64) -> Result<usize, FailedRun> {
    let world = mailing::before_mails(scenario, scratch).map_err(found("before mails".to_owned()))?;
    let quiet = mailing::mails_of(&world, scenario, scratch, QUIET_ORDER, &mut |_| Script::quiet());
    quiet.map_err(found("mails undisturbed".to_owned()))?;
    let mut runs = 1;
    for seed in 0..seeds {
        mailing::seeded_mails(&world, scenario, scratch, seed).map_err(found(format!("mails, seed {seed}")))?;
        runs += 1;
    }
    for calls in (0..).step_by(HELD_UP_EACH) {
        let held_up = mailing::held_up_mailing(&world, scenario, scratch, calls);
        if !held_up.map_err(found(format!("mailing held up after {calls} calls")))? {
            break;
        }
        runs += 1;
    }
    Ok(runs)
}

/// Disturbs every call of sending mails in every way, and every two effects that are near; gives the number of runs.
///
/// # Errors
/// With the first run that violated a rule.
pub fn mails(scenario: &Scenario, scratch: &Path) -> Result<usize, FailedRun> {
    let world = mailing::before_mails(scenario, scratch).map_err(found("before mails".to_owned()))?;
    let (first_call, first_effect) = (world.calls(), world.effects());
    let quiet = mailing::mails_of(&world, scenario, scratch, QUIET_ORDER, &mut |_| Script::quiet());
    let (calls, effects) = quiet.map_err(found("mails undisturbed".to_owned()))?;
    let mut runs = 1;
    for call in first_call..first_call + calls {
        for mode in Mode::ALL {
            let mut script = |_| Script::at([(call, mode.clone())]);
            let ran = mailing::mails_of(&world, scenario, scratch, QUIET_ORDER, &mut script);
            ran.map_err(found(format!("mails, call {call}, {mode:?}")))?;
            runs += 1;
        }
    }
    for first in first_effect..first_effect + effects {
        for second in first + 1..(first + APART_MAX).min(first_effect + effects) {
            let modes = [(first, Mode::Lost), (second, Mode::Lost)];
            let mut script = |_| Script::at_effects(modes.iter().cloned());
            let ran = mailing::mails_of(&world, scenario, scratch, QUIET_ORDER, &mut script);
            ran.map_err(found(format!("mails, effects {modes:?}")))?;
            runs += 1;
        }
    }
    Ok(runs)
}

fn found(which: String) -> impl FnOnce(Violation) -> FailedRun {
    move |violation| FailedRun { which, violation }
}
