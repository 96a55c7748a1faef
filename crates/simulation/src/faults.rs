//! Which calls of a worker are disturbed, and how: by number, or as a seed decides.

use crate::generate::Seed;
use sandbox::{Fault, RequestKind};

/// What kind of call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A record or an object is read.
    Read,
    /// A record or an object is written.
    Write,
    /// A request is sent to Dintero.
    Http(RequestKind),
    /// A mail is sent.
    Mail,
}

/// How a call is disturbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The worker ends before the call.
    Before,
    /// The call takes effect, and the worker ends before it has the result.
    After,
    /// The call takes effect, and the worker gets an error.
    Lost,
    /// The worker gets an error, and the call takes effect much later.
    Late,
    /// The call has no effect, and the worker gets an error and runs on.
    Refused,
    /// The request fails at Dintero in this way.
    Api(Fault),
}

impl Mode {
    /// The modes in which every call is disturbed.
    pub const ALL: [Mode; 5] = [Mode::Before, Mode::After, Mode::Lost, Mode::Late, Mode::Refused];
}

/// Decides which calls of a worker are disturbed.
#[derive(Debug, Clone)]
pub struct Script {
    calls: usize,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    Quiet,
    At(Vec<(usize, Mode)>),
    AtEffects(Vec<(usize, Mode)>),
    Postings(Fault),
    Random { seed: Seed, one_in: u64, may_end: bool },
}

impl Script {
    /// Nothing is disturbed.
    pub fn quiet() -> Self {
        Script { calls: 0, rule: Rule::Quiet }
    }

    /// The calls with these numbers are disturbed; calls of all workers are counted together, from 0.
    pub fn at(calls: impl IntoIterator<Item = (usize, Mode)>) -> Self {
        Script { calls: 0, rule: Rule::At(calls.into_iter().collect()) }
    }

    /// As [`Script::at`], counting only calls that are not reads: to end at a read is to end after the effect before it.
    pub fn at_effects(effects: impl IntoIterator<Item = (usize, Mode)>) -> Self {
        Script { calls: 0, rule: Rule::AtEffects(effects.into_iter().collect()) }
    }

    /// Every posting fails at Dintero in this way.
    pub fn postings(fault: Fault) -> Self {
        Script { calls: 0, rule: Rule::Postings(fault) }
    }

    /// One call in `one_in` is disturbed as the seed decides; the worker ends in the middle only if `may_end`.
    pub fn random(seed: u64, one_in: u64, may_end: bool) -> Self {
        Script { calls: 0, rule: Rule::Random { seed: Seed(seed), one_in, may_end } }
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// How a call is disturbed, from its number among all calls and its number among those that are not reads.
    pub(crate) fn next(&mut self, call: usize, effects: usize, effect: Effect) -> Option<Mode> {
        self.calls += 1;
        match &mut self.rule {
            Rule::Quiet => None,
            Rule::At(modes) => modes.iter().find(|(at, _)| *at == call).map(|(_, mode)| mode.clone()),
            Rule::AtEffects(_) if effect == Effect::Read => None,
            Rule::AtEffects(modes) => modes.iter().find(|(at, _)| *at == effects).map(|(_, mode)| mode.clone()),
            Rule::Postings(fault) => {
                (effect == Effect::Http(RequestKind::SettlementEvents)).then(|| Mode::Api(fault.clone()))
            }
            Rule::Random { seed, one_in, may_end } => {
                if seed.below(*one_in) != 0 {
                    return None;
                }
                let drawn = usize::try_from(seed.below(5)).unwrap_or_default();
                let mode = Mode::ALL.into_iter().nth(drawn)?;
                let mode = match (mode, *may_end) {
                    (Mode::Before | Mode::After, false) => Mode::Refused,
                    (mode, _) => mode,
                };
                match (effect, &mode) {
                    (Effect::Http(_), Mode::Lost | Mode::Late | Mode::Refused) => Some(Mode::Api(fault(seed))),
                    _ => Some(mode),
                }
            }
        }
    }
}

/// Every way in which a request fails at Dintero.
pub(crate) const FAULTS: [Fault; 13] = [
    Fault::TooManyRequests { seconds: 120 },
    Fault::Unauthorised,
    Fault::ServerError(500),
    Fault::ServerError(503),
    Fault::LostAfterApply,
    Fault::LostBefore,
    Fault::NotConnected,
    Fault::LateApply { seconds: 30 },
    Fault::HalfApplied,
    Fault::ReorderedAnswer,
    Fault::MissingInAnswer,
    Fault::FirstNotApplied,
    Fault::HtmlBody,
];

fn fault(seed: &mut Seed) -> Fault {
    let drawn = usize::try_from(seed.below(FAULTS.len() as u64)).unwrap_or_default();
    FAULTS.into_iter().nth(drawn).unwrap_or(Fault::HtmlBody)
}
