//! Defects that a test switches on to see whether another test catches them. Builds without the feature `defects` have
//! none.
//!
//! Each defect is asked for at the one place that keeps the rule it breaks. A rule that no test watches shows as a
//! defect that no test catches. Only rules about order, conditions, leases and outcomes are here, which a plain test
//! hardly reaches.

/// A rule that a test breaks on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A report is claimed even when its record has changed since it was read.
    ClaimsWithoutCondition,
    /// A settlement is proposed even when its record has changed since it was read.
    ProposesWithoutCondition,
    /// A report is committed by a worker whose claim has ended.
    CommitsWithoutRevision,
    /// A report is read by a second worker before the first one's lease has ended.
    ReportLeaseIgnored,
    /// A message is acknowledged while another worker still reads its report.
    AcknowledgedWhileRead,
    /// A settlement is recognised by the bytes of its report alone, so that other bytes of the same content are
    /// accepted again.
    KnownByBytesOnly,
    /// The newest version of an object is read instead of the version that the message names.
    ReadsLatestVersion,
    /// The sweep leaves out reports whose worker has died.
    SweepIgnoresExpired,
    /// The sweep leaves out uploads that no worker has read, as if no notification were ever lost.
    SweepSkipsUnread,
    /// The sweep takes over from a worker before its lease has ended.
    SweepTakesLiveLease,
    /// The sweep leaves out events that are not posted, or whose outcome is unknown.
    SweepForgetsOutboxes,
    /// A batch is sent before the outbox names it.
    OutboxUnwritten,
    /// The outbox does not count the lines without a transaction.
    OutboxWithoutUnmatched,
    /// A batch is claimed by a second worker before the first one's lease has ended.
    BatchLeaseIgnored,
    /// A batch is written by a worker that has lost its claim.
    BatchUnfenced,
    /// A retried batch is made again from the events that have no outcome.
    BatchRemadeOnRetry,
    /// A batch is sent without reading first which events Dintero already has.
    NoPreflight,
    /// Events are recorded as posted before they are sent.
    PostedBeforePost,
    /// Events are recorded as posted by their places in the answer instead of their ids.
    PostedByPosition,
    /// A request that may have arrived is sent again at once, without the time to arrive.
    UnknownNotWaitedFor,
    /// A posting without an answer is sent again at once.
    RetriesOnTimeout,
    /// A posting that failed at Dintero is sent again at once.
    RetriesOnServerError,
    /// A server error of Dintero is taken for a refusal without effect.
    ServerErrorIsRefusal,
    /// One refused event makes its whole batch refused.
    RefusalFailsBatch,
    /// Halving a refused batch loses the odd one.
    BisectLosesOne,
    /// A request is sent with the token of whichever account got one first.
    TokenOfAnotherAccount,
    /// A run of the sync begins where the last one ended, so that transactions listed late are never read.
    SyncWithoutOverlap,
    /// The sync reads captures alone.
    SyncWithoutRefunds,
    /// The results of two workers that match at the same time are mixed.
    MatchesUnfenced,
    /// An event that was posted before is posted again when a corrected report changes it.
    ChangedEventPosted,
    /// Lines stay matched when no settlement of their report is in force any more.
    FormerMatchesKept,
    /// A mail whose outcome is unknown is sent again at once.
    MailResentOnUnknown,
    /// A mail is sent before its record says so.
    MailSentBeforeSending,
    /// A mail is sent by a worker that has lost its claim.
    MailUnfenced,
    /// A recipient who has not confirmed gets mails about payouts.
    MailToUnconfirmed,
}

/// Whether this thread breaks that rule now.
#[cfg(not(feature = "defects"))]
#[inline(always)]
pub const fn is_seeded(_: Defect) -> bool {
    false
}

#[cfg(feature = "defects")]
pub use seeded::{SEEDED_MARK, is_seeded, seed};

#[cfg(feature = "defects")]
mod seeded {
    use std::cell::Cell;

    use super::Defect;

    thread_local! {
        // Tests run side by side, each in a thread of its own.
        static SEEDED: Cell<Option<Defect>> = const { Cell::new(None) };
    }

    /// Stands in every program that was built with the feature `defects`, so that a test can look for it.
    pub const SEEDED_MARK: &str = "avstem-seeded-defects";

    /// Whether this thread breaks that rule now.
    pub fn is_seeded(defect: Defect) -> bool {
        // Keeps the mark in the program.
        std::hint::black_box(SEEDED_MARK);
        SEEDED.get() == Some(defect)
    }

    /// Makes the code of this thread break that rule, or none.
    pub fn seed(defect: Option<Defect>) {
        SEEDED.set(defect);
    }

    impl Defect {
        /// All defects, in the order in which a report meets them.
        pub const ALL: [Defect; Defect::MailToUnconfirmed as usize + 1] = {
            use Defect::*;
            [
                ClaimsWithoutCondition,
                ProposesWithoutCondition,
                CommitsWithoutRevision,
                ReportLeaseIgnored,
                AcknowledgedWhileRead,
                KnownByBytesOnly,
                ReadsLatestVersion,
                SweepIgnoresExpired,
                SweepSkipsUnread,
                SweepTakesLiveLease,
                SweepForgetsOutboxes,
                OutboxUnwritten,
                OutboxWithoutUnmatched,
                BatchLeaseIgnored,
                BatchUnfenced,
                BatchRemadeOnRetry,
                NoPreflight,
                PostedBeforePost,
                PostedByPosition,
                UnknownNotWaitedFor,
                RetriesOnTimeout,
                RetriesOnServerError,
                ServerErrorIsRefusal,
                RefusalFailsBatch,
                BisectLosesOne,
                TokenOfAnotherAccount,
                SyncWithoutOverlap,
                SyncWithoutRefunds,
                MatchesUnfenced,
                ChangedEventPosted,
                FormerMatchesKept,
                MailResentOnUnknown,
                MailSentBeforeSending,
                MailUnfenced,
                MailToUnconfirmed,
            ]
        };
    }
}
