//! Defects that a test seeds to see whether anything catches them: no build has them without the feature `defects`.
//!
//! Each stands at the one place of the code whose rule it breaks, so that a rule nobody watches shows up as a defect that
//! nobody catches.

/// A rule broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A report is claimed whatever has become of its record since it was read.
    ClaimsWithoutCondition,
    /// A settlement is proposed whatever has become of its record since it was read.
    ProposesWithoutCondition,
    /// A report is committed by a worker whose claim is over.
    CommitsWithoutRevision,
    /// A report is read by a second worker while the first one's lease is in force.
    ReportLeaseIgnored,
    /// A message is acknowledged while another worker still reads its report.
    AcknowledgedWhileRead,
    /// A settlement is known by the bytes of its report alone, so that other bytes of the same content count again.
    KnownByBytesOnly,
    /// The hash of a settlement says nothing of its currency.
    HashWithoutCurrency,
    /// The newest version of an object is read instead of the one that was announced.
    ReadsLatestVersion,
    /// The sweep leaves out reports whose worker has ended.
    SweepIgnoresExpired,
    /// The sweep leaves out uploads that nobody has read, as if their notifications were sure to come.
    SweepSkipsUnread,
    /// The sweep takes a worker for ended whose lease is in force.
    SweepTakesLiveLease,
    /// The sweep leaves out what is not posted, or of unknown outcome.
    SweepForgetsOutboxes,
    /// A batch is sent before the outbox names it.
    OutboxUnwritten,
    /// The outbox leaves the lines without a transaction out of its account.
    OutboxWithoutUnmatched,
    /// A batch has one event more than Dintero takes.
    ChunkOf101,
    /// A settlement without events gets a batch all the same.
    EmptyBatch,
    /// The amount of an event still has the fee in it.
    EventWithoutFee,
    /// Events are told with a correlation id of our own, which nobody else would recognise.
    OwnCorrelationId,
    /// A batch is taken up by a second worker while the first one's lease is in force.
    BatchLeaseIgnored,
    /// A batch is written by a worker that has lost it.
    BatchUnfenced,
    /// A batch that is taken up again is made anew of what has not ended.
    BatchRemadeOnRetry,
    /// Nobody looks what stands at Dintero before a batch is sent.
    NoPreflight,
    /// Events are noted as posted before they are sent.
    PostedBeforePost,
    /// Events are noted as posted by their places in the answer, not by their ids.
    PostedByPosition,
    /// What may have arrived is sent again without the time to arrive.
    UnknownNotWaitedFor,
    /// A posting without an answer is sent again at once.
    RetriesOnTimeout,
    /// A posting that failed at Dintero is sent again at once.
    RetriesOnServerError,
    /// A failure of Dintero counts as a refusal that has left nothing behind.
    ServerErrorIsRefusal,
    /// One event that Dintero refuses takes its whole batch with it.
    RefusalFailsBatch,
    /// Halving a refused batch loses the odd one.
    BisectLosesOne,
    /// A request is sent with the token of whichever account got one first.
    TokenOfAnotherAccount,
    /// Accounts of a test are spoken for in production.
    OtherEnvironment,
    /// A row that cannot be read is skipped.
    SkipsBadRows,
    /// An amount that cannot be read is zero.
    BadAmountIsZero,
    /// The row with the payout is counted as a line.
    PayoutRowIsLine,
    /// A total may be one minor unit off.
    ToleratesOneOre,
    /// The payout of a settlement paid gross is held against its net.
    GrossCheckedOnNet,
    /// Fees of the XML are taken with the sign that they have in the CSV.
    XmlFeeSign,
    /// A run of the sync begins where the last one ended, so that what is listed late is never read.
    SyncWithoutOverlap,
    /// The sync reads captures alone.
    SyncWithoutRefunds,
    /// What two workers matched at the same time is mixed.
    MatchesUnfenced,
    /// An event that was told before is told again when a corrected report changes it.
    ChangedEventPosted,
    /// Lines of a report of which nothing counts any more stay matched.
    FormerMatchesKept,
    /// The lake counts a settlement in each of its versions.
    FormerVersionCounts,
    /// A mail whose outcome is open is sent again at once.
    MailResentOnUnknown,
    /// A mail is sent before it is noted that it is being sent.
    MailSentBeforeSending,
    /// A mail is sent by a worker that has lost it.
    MailUnfenced,
    /// A recipient who has not confirmed is told of payouts.
    MailToUnconfirmed,
}

/// Whether the code is to break that rule now.
#[cfg(not(feature = "defects"))]
#[inline(always)]
pub const fn is_seeded(_: Defect) -> bool {
    false
}

#[cfg(feature = "defects")]
pub use seeded::{is_seeded, seed};

#[cfg(feature = "defects")]
mod seeded {
    use std::cell::Cell;

    use super::Defect;

    thread_local! {
        // Tests run side by side, each in a thread of its own.
        static SEEDED: Cell<Option<Defect>> = const { Cell::new(None) };
    }

    /// Whether the code is to break that rule now.
    pub fn is_seeded(defect: Defect) -> bool {
        SEEDED.get() == Some(defect)
    }

    /// Lets the code of this thread break that rule from now on, or none.
    pub fn seed(defect: Option<Defect>) {
        SEEDED.set(defect);
    }

    impl Defect {
        /// All of them, in the order of a report's way.
        pub const ALL: [Defect; Defect::MailToUnconfirmed as usize + 1] = {
            use Defect::*;
            [
                ClaimsWithoutCondition,
                ProposesWithoutCondition,
                CommitsWithoutRevision,
                ReportLeaseIgnored,
                AcknowledgedWhileRead,
                KnownByBytesOnly,
                HashWithoutCurrency,
                ReadsLatestVersion,
                SweepIgnoresExpired,
                SweepSkipsUnread,
                SweepTakesLiveLease,
                SweepForgetsOutboxes,
                OutboxUnwritten,
                OutboxWithoutUnmatched,
                ChunkOf101,
                EmptyBatch,
                EventWithoutFee,
                OwnCorrelationId,
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
                OtherEnvironment,
                SkipsBadRows,
                BadAmountIsZero,
                PayoutRowIsLine,
                ToleratesOneOre,
                GrossCheckedOnNet,
                XmlFeeSign,
                SyncWithoutOverlap,
                SyncWithoutRefunds,
                MatchesUnfenced,
                ChangedEventPosted,
                FormerMatchesKept,
                FormerVersionCounts,
                MailResentOnUnknown,
                MailSentBeforeSending,
                MailUnfenced,
                MailToUnconfirmed,
            ]
        };
    }
}
