//! What arrives: messages, the schedule and requests of AWS Lambda, and the log of the functions that carry them out.

#[cfg(feature = "aws")]
pub mod backoffice;
#[cfg(feature = "aws")]
pub mod email_summary;
#[cfg(feature = "aws")]
pub mod events;
#[cfg(feature = "aws")]
pub mod function;
#[cfg(feature = "aws")]
pub mod gateway;
#[cfg(feature = "aws")]
pub mod lambda;
#[cfg(feature = "aws")]
pub mod log;
#[cfg(feature = "aws")]
pub mod mail_events;
#[cfg(feature = "aws")]
pub mod metric;
#[cfg(feature = "aws")]
pub mod parse_report;
#[cfg(feature = "aws")]
pub mod reconcile_settlements;
#[cfg(feature = "aws")]
pub mod sweep;
