//! The implementations of the ports, one module for each port.

use std::sync::Arc;

use jiff::Timestamp;

#[cfg(feature = "aws")]
pub mod aws;
pub mod http;
pub mod mailer;
pub mod objects;
pub mod queue;
pub mod secrets;
pub mod state;
#[cfg(feature = "aws")]
pub mod traced;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
