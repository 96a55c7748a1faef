//! Sweep: finds what nobody goes on with any more, and tells whoever does. A notification can be lost, a worker end behind any call, a
//! message be given up; what is told once too often has no second effect.
//!
//! Uploads are found by listing them, and all else by the reports that they were: nothing that a step has to write first can be missing.
//! So that the work stays bounded, every sweep looks at an upload for a day, and after that two sweeps a day do, twelve hours apart,
//! at a quarter-hour that its own name decides: what is open is never lost, however old. What a person has to do with, reports that were ever held, is always looked at.

mod find;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use matching::MissingReport;
use settlement::{AccountId, Defect, is_seeded};
use sha2::{Digest, Sha256};
use store::Queue;

pub use self::find::find;
use crate::messages::{MirrorBehind, ReportReady, Uploaded};
use crate::{Ports, StepError};

/// The sweep runs this often.
pub const EVERY: SignedDuration = SignedDuration::from_mins(15);

/// Uploads are looked at by every sweep for so long.
const YOUNG: SignedDuration = SignedDuration::from_hours(24);

/// A day has so many turns.
const TURNS: i64 = 96;

/// A mirror that reaches to then is behind: nobody else has brought it up to date since the account's last turn.
const MIRROR_BEHIND: SignedDuration = SignedDuration::from_hours(12);

/// What waits in a queue is handed out again within this time: behind it nobody has in hand what is open.
const IN_HAND: SignedDuration = SignedDuration::from_mins(15);

/// Look for what nobody goes on with.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Of one account; of all, and of whatever lies where no report may lie, when none is named.
    pub account: Option<AccountId>,
    /// The time.
    pub now: Timestamp,
    /// Uploads are given this time to be read by themselves.
    pub patience: SignedDuration,
    /// Whether old uploads are looked at now as well, whosever turn it is.
    pub is_thorough: bool,
    /// Whether Dintero can be reached, so that accounts which post can be posted for.
    pub posts: bool,
    /// Whether reports are told that are missed because payouts took longer than they may, and mirrors that are behind, which would
    /// not show it.
    pub asks_for_missing: bool,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// Where it is told.
#[derive(Clone)]
pub struct Queues {
    /// To the step that parses.
    pub parse: Arc<dyn Queue>,
    /// To the step that reconciles.
    pub reconcile: Arc<dyn Queue>,
}

/// An upload that has not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The upload.
    pub upload: Uploaded,
    /// How far it has come.
    pub stands: Stands,
}

/// How far an upload has come that is not at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stands {
    /// Nobody has read it.
    Unread {
        /// When it was put, where that is known.
        since: Option<Timestamp>,
    },
    /// A worker reads it, or has ended in the middle.
    Claimed {
        /// Since when.
        since: Timestamp,
        /// Until then nobody else may.
        lease_until: Timestamp,
    },
    /// A person let it through; it is to be read again.
    Released {
        /// Since when.
        since: Timestamp,
    },
    /// Its report counts, and not everything is done that follows.
    Committed {
        /// The report.
        report: ReportReady,
        /// Since when.
        since: Timestamp,
        /// What is left.
        left: Vec<Left>,
    },
}

impl Stands {
    /// The word for people.
    pub fn word(&self) -> &'static str {
        match self {
            Stands::Unread { .. } => "never read",
            Stands::Claimed { .. } => "CLAIMED",
            Stands::Released { .. } => "RELEASED",
            Stands::Committed { .. } => "COMMITTED",
        }
    }
}

/// What is left to be done of a settlement that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Its Dintero report is not written.
    Documents,
    /// Nothing of it is planned to be posted.
    Outbox,
    /// A batch has not ended.
    Batch {
        /// Whoever has it in hand waits until then.
        until: Option<Timestamp>,
    },
    /// It may be that nothing can be done: its notice may not agree, or Dintero may not know the transaction of a line.
    Perhaps {
        /// Whether it is its turn to be tried.
        is_turn: bool,
    },
}

impl Left {
    /// Whether nobody goes on with it by themselves.
    fn is_due(self, since: Timestamp, now: Timestamp) -> bool {
        let is_over = |from: Timestamp| now.duration_since(from) >= IN_HAND;
        match self {
            Left::Documents | Left::Outbox => is_over(since),
            Left::Batch { until } => is_over(until.unwrap_or(since)),
            Left::Perhaps { is_turn } => is_turn,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Uploads that have not come to their end.
    pub open: Vec<Open>,
    /// Reports that are missed, of the accounts whose turn it was.
    pub missing: Vec<(AccountId, MissingReport)>,
    /// Mirrors that are behind, of the accounts whose turn it was.
    pub mirrors: Vec<MirrorBehind>,
    /// How many uploads were looked at.
    pub looked_at: usize,
}

/// What is to be told, and how old the oldest is that has not come to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Uploads that are to be read, as a notification would have told.
    pub parse: Vec<Uploaded>,
    /// Reports that are to be gone on with.
    pub reconcile: Vec<ReportReady>,
    /// For how long the oldest upload has not been read to its end.
    pub unprocessed_for: SignedDuration,
    /// For how long the oldest report has counted without all that follows.
    pub unposted_for: SignedDuration,
}

/// Decides what is told: whatever nobody has in hand.
pub fn plan(open: &[Open], now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    for Open { upload, stands } in open {
        let age = |since: &Timestamp| now.duration_since(*since);
        let (is_due, unprocessed_for) = match stands {
            Stands::Unread { since } => (true, since.as_ref().map_or(SignedDuration::ZERO, age)),
            Stands::Released { since } => (true, age(since)),
            Stands::Claimed { since, lease_until } => {
                let is_over = *lease_until <= now && !is_seeded(Defect::SweepIgnoresExpired);
                (is_over || is_seeded(Defect::SweepTakesLiveLease), age(since))
            }
            Stands::Committed { report, since, left } => {
                if left.iter().any(|left| left.is_due(*since, now)) {
                    plan.reconcile.push(report.clone());
                }
                if left.iter().any(|left| !matches!(left, Left::Perhaps { .. })) {
                    plan.unposted_for = plan.unposted_for.max(age(since));
                }
                continue;
            }
        };
        if is_due {
            plan.parse.push(upload.clone());
        }
        plan.unprocessed_for = plan.unprocessed_for.max(unprocessed_for);
    }
    plan
}

/// Whether something with that name is looked at by the sweep of that time. It has two turns a day, twelve hours apart: what one
/// sweep leaves out, the next one finds half a day later.
pub fn is_turn(name: &str, now: Timestamp) -> bool {
    let digest = Sha256::digest(name);
    let own = digest.iter().take(4).fold(0, |number, byte| number * 256 + i64::from(*byte)).rem_euclid(TURNS);
    let turn = now.as_second().div_euclid(EVERY.as_secs());
    [turn, turn - TURNS / 2].iter().any(|turn| turn.rem_euclid(TURNS) == own)
}

/// Looks at everything, and tells what nobody has in hand. Running it again tells the same once more, until somebody has done it.
///
/// # Errors
/// When a port fails; what was told before is told.
pub async fn run(ports: &Ports, queues: &Queues, command: &Sweep) -> Result<(Plan, Found), StepError> {
    let found = find(ports, command).await?;
    let plan = plan(&found.open, command.now);
    for upload in &plan.parse {
        send(&*queues.parse, upload).await?;
    }
    for report in &plan.reconcile {
        send(&*queues.reconcile, report).await?;
    }
    for mirror in &found.mirrors {
        send(&*queues.reconcile, mirror).await?;
    }
    Ok((plan, found))
}

async fn send(queue: &dyn Queue, message: &impl serde::Serialize) -> Result<(), StepError> {
    let message = serde_json::to_string(message)
        .map_err(|error| StepError::Refused(format!("Cannot write the message as JSON: {error}")))?;
    Ok(queue.send(&message, SignedDuration::ZERO).await?)
}

impl std::fmt::Debug for Queues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queues")
    }
}
