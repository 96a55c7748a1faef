//! Sweep: finds work that was left unfinished, and sends a message to the step that finishes it.
//!
//! A notification can be lost, a worker can end after any call, and a queue can give a message up. Every step may get a
//! message twice: the second one has no effect.
//!
//! Uploads are found by listing the landing bucket, and everything else by the reports that were read from them, so that no
//! step has to note its work first. Every sweep looks at the uploads of the last day, and at each older one in two sweeps a
//! day, twelve hours apart; a hash of its name decides which. Reports that were ever held are looked at by every sweep, as a
//! person may release one at any time.

mod find;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use matching::MissingReport;
use settlement::{AccountId, Defect, is_seeded};
use sha2::{Digest, Sha256};
use store::Queue;

pub use self::find::find;
use crate::messages::{MirrorOutdated, ReportReady, Uploaded};
use crate::{Ports, StepError};

/// The sweep runs this often.
pub const EVERY: SignedDuration = SignedDuration::from_mins(15);

/// Uploads are looked at by every sweep for so long.
const YOUNG: SignedDuration = SignedDuration::from_hours(24);

/// A day has so many turns.
const TURNS: i64 = 96;

/// A mirror that ends this long ago is out of date: nothing has updated it since the account's last turn.
const MIRROR_AGE_MAX: SignedDuration = SignedDuration::from_hours(12);

/// A queue delivers a message again within this time. After it, no worker is busy with the work of a message.
const IN_HAND: SignedDuration = SignedDuration::from_mins(15);

/// Look for unfinished work.
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
    /// Whether to report payouts that took longer than they may, and mirrors that are out of date and would not show them.
    pub asks_for_missing: bool,
    /// A directory for temporary files.
    pub scratch: PathBuf,
}

/// The queues of the steps that finish it.
#[derive(Clone)]
pub struct Queues {
    /// To the step that parses.
    pub parse: Arc<dyn Queue>,
    /// To the step that reconciles.
    pub reconcile: Arc<dyn Queue>,
}

/// An upload whose work is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The upload.
    pub upload: Uploaded,
    /// How far it has come.
    pub progress: Progress,
}

/// How far an unfinished upload has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Nobody has read it.
    Unread {
        /// When it was put, where that is known.
        since: Option<Timestamp>,
    },
    /// A worker reads it, or ended while reading it.
    Claimed {
        /// Since when.
        since: Timestamp,
        /// When another worker may claim it.
        lease_until: Timestamp,
    },
    /// A person released it, and it is to be read again.
    Released {
        /// Since when.
        since: Timestamp,
    },
    /// Its report is committed, and some of the work that follows is not done.
    Committed {
        /// The report.
        report: ReportReady,
        /// Since when.
        since: Timestamp,
        /// What is left.
        remaining: Vec<Remaining>,
    },
}

impl Progress {
    /// The word for people.
    pub fn word(&self) -> &'static str {
        match self {
            Progress::Unread { .. } => "never read",
            Progress::Claimed { .. } => "CLAIMED",
            Progress::Released { .. } => "RELEASED",
            Progress::Committed { .. } => "COMMITTED",
        }
    }
}

/// What is left to be done of a settlement in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remaining {
    /// Its Dintero report is not written.
    Documents,
    /// Nothing of it is planned to be posted.
    Outbox,
    /// A batch has not ended.
    Batch {
        /// When a worker may take it up again.
        until: Option<Timestamp>,
    },
    /// Work that may have to wait for someone else: its notice does not agree, or Dintero does not know the transaction of a
    /// line.
    Retry {
        /// Whether this sweep tries it again.
        is_turn: bool,
    },
}

impl Remaining {
    /// Whether no worker will finish it without a message.
    fn is_due(self, since: Timestamp, now: Timestamp) -> bool {
        let is_over = |from: Timestamp| now.duration_since(from) >= IN_HAND;
        match self {
            Remaining::Documents | Remaining::Outbox => is_over(since),
            Remaining::Batch { until } => is_over(until.unwrap_or(since)),
            Remaining::Retry { is_turn } => is_turn,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Uploads whose work is not finished.
    pub open: Vec<Unfinished>,
    /// Missing reports of the accounts whose turn it was.
    pub missing: Vec<(AccountId, MissingReport)>,
    /// Mirrors that are out of date, of the accounts whose turn it was.
    pub mirrors: Vec<MirrorOutdated>,
    /// How many uploads were looked at.
    pub looked_at: usize,
}

/// The messages to send, and the age of the oldest unfinished work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Uploads to read.
    pub parse: Vec<Uploaded>,
    /// Committed reports to go on with.
    pub reconcile: Vec<ReportReady>,
    /// How long the oldest upload has waited to be read.
    pub unprocessed_for: SignedDuration,
    /// How long the oldest committed report has waited for the work that follows.
    pub unposted_for: SignedDuration,
}

/// Decides which messages to send: those for work that no worker is busy with.
pub fn plan(open: &[Unfinished], now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    for Unfinished { upload, progress } in open {
        let age = |since: &Timestamp| now.duration_since(*since);
        let (is_due, unprocessed_for) = match progress {
            Progress::Unread { since } => (true, since.as_ref().map_or(SignedDuration::ZERO, age)),
            Progress::Released { since } => (true, age(since)),
            Progress::Claimed { since, lease_until } => {
                let is_over = *lease_until <= now && !is_seeded(Defect::SweepIgnoresExpired);
                (is_over || is_seeded(Defect::SweepTakesLiveLease), age(since))
            }
            Progress::Committed { report, since, remaining } => {
                if remaining.iter().any(|remaining| remaining.is_due(*since, now)) {
                    plan.reconcile.push(report.clone());
                }
                if remaining.iter().any(|remaining| !matches!(remaining, Remaining::Retry { .. })) {
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

/// Whether the sweep of that time looks at the item of that name. Each name has two turns a day, twelve hours apart.
pub fn is_turn(name: &str, now: Timestamp) -> bool {
    let digest = Sha256::digest(name);
    let own = digest.iter().take(4).fold(0, |number, byte| number * 256 + i64::from(*byte)).rem_euclid(TURNS);
    let turn = now.as_second().div_euclid(EVERY.as_secs());
    [turn, turn - TURNS / 2].iter().any(|turn| turn.rem_euclid(TURNS) == own)
}

/// Finds unfinished work and sends its messages. Running it again sends the same messages until the work is done.
///
/// # Errors
/// When a port fails. The messages sent before it stay sent.
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
