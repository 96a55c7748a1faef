//! The fields that a log line and a span may have.

use serde_json::Value;
use tracing::{Level, event};

/// The target of the events that become log lines.
pub(crate) const LINES: &str = "avstem::lines";

/// Declares each field once: as a part of [`Fields`], by its name, and as a field of the event that becomes a line.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident: $kind:ty,)*) => {
        /// What a line or a span is about. A field that is not known is left out.
        #[derive(Debug, Clone, Default)]
        pub struct Fields {
            $($(#[$doc])* pub $name: Option<$kind>,)*
        }

        impl Fields {
            /// The names of all fields, in their order on a line.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];

            /// The fields that are known, by name.
            pub fn known(&self) -> impl Iterator<Item = (&'static str, Value)> {
                let all = [$((stringify!($name), self.$name.clone().map(Value::from)),)*];
                all.into_iter().filter_map(|(name, value)| Some((name, value?)))
            }

            /// Makes the event that becomes a line.
            pub(crate) fn event(&self, level: Level, msg: &'static str) {
                match level {
                    Level::ERROR => event!(target: LINES, Level::ERROR, msg, $($name = self.$name,)*),
                    Level::WARN => event!(target: LINES, Level::WARN, msg, $($name = self.$name,)*),
                    _ => event!(target: LINES, Level::INFO, msg, $($name = self.$name,)*),
                }
            }
        }
    };
}

fields! {
    /// The trace, or X-Ray's id of the request where there is no trace.
    trace_id: String,
    /// The report.
    report_id: String,
    /// The account.
    account: String,
    /// The mail.
    mail_id: String,
    /// The provider.
    provider: String,
    /// The step.
    step: &'static str,
    /// How often the message was delivered.
    attempt: u32,
    /// How long it took.
    duration_ms: i64,
    /// How it ended.
    outcome: String,
    /// What was wrong with the report or with the step.
    kind: String,
}

impl Fields {
    /// The name of the field that joins lines with spans.
    pub const TRACE_ID: &str = "trace_id";
}
