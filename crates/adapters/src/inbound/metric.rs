//! The numbers that alarms and the dashboard are made of.

use std::fmt;

use tracing::info;

/// The namespace of all numbers.
pub const NAMESPACE: &str = "avstem";

/// The target of the events that carry numbers.
pub(super) const NUMBERS: &str = "avstem::numbers";

/// Declares each number once: its name, its unit, and a field of the event that carries it.
macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident in $unit:literal,)*) => {
        /// A number that alarms and the dashboard are made of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $($(#[$doc])* $name,)*
        }

        impl Metric {
            /// Every number, in its order on a line.
            pub const ALL: &'static [Metric] = &[$(Metric::$name,)*];

            /// The unit in which CloudWatch shows it.
            pub(super) fn unit(self) -> &'static str {
                match self {
                    $(Metric::$name => $unit,)*
                }
            }
        }

        /// Makes an event with the numbers that are given.
        pub(super) fn event(numbers: &[(Metric, usize)]) {
            let of = |metric| numbers.iter().find(|(known, _)| *known == metric).map(|(_, number)| *number);
            info!(target: NUMBERS, $($name = of(Metric::$name),)*);
        }
    };
}

metrics! {
    /// Reports that were accepted.
    AcceptedReports in "Count",
    /// Reports whose content is known already.
    DuplicateReports in "Count",
    /// Reports that were read and cannot be proved.
    QuarantinedReports in "Count",
    /// Files that are not a readable report.
    RejectedReports in "Count",
    /// Files that ended the process of their reader again and again.
    CrashedReports in "Count",
    /// Messages and uploads that can never be carried out.
    RefusedMessages in "Count",
    /// Messages that show a wrong setup.
    Misconfigurations in "Count",
    /// Messages that went back to their queue.
    FailedMessages in "Count",
    /// Settlement events that Dintero has.
    PostedEvents in "Count",
    /// Settlement events that Dintero may or may not have.
    UnknownEvents in "Count",
    /// Settlement events that wait for a person.
    HumanEvents in "Count",
    /// Settlement events that Dintero refused.
    RefusedEvents in "Count",
    /// Lines without a transaction at Dintero.
    UnmatchedLines in "Count",
    /// Months that got a new revision.
    SummarisedMonths in "Count",
    /// Mails that were sent.
    MailSent in "Count",
    /// Mails that were not taken for now and are sent later.
    MailWaiting in "Count",
    /// Mails that may or may not have left.
    MailUnknown in "Count",
    /// Mails that wait for a person.
    MailHuman in "Count",
    /// Mails that were refused for good.
    MailRefused in "Count",
    /// Mails that a recipient's own service did not take.
    Bounce in "Count",
    /// Mails that a recipient marked as unwanted.
    Complaint in "Count",
    /// Sweeps that were completed.
    Sweeps in "Count",
    /// Uploads and reports that were left unfinished and got a new message.
    TakenUp in "Count",
    /// The age of the oldest upload that is not parsed yet.
    OldestUnprocessedObjectAge in "Seconds",
    /// The age of the oldest committed report for which a step is still missing.
    OldestCommittedUnpostedAge in "Seconds",
    /// Reports that are expected from a provider and have not arrived.
    ExpectedReportMissing in "Count",
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
