//! The outside world behind the ports, real things and their local stand-ins side by side.
//!
//! [`app`] is the only place that chooses between them, by URL scheme. No business rule lives here.

pub mod app;
pub mod config;
#[cfg(feature = "aws")]
pub mod fields;
pub mod inbound;
pub mod outbound;
pub mod stand_in_server;
#[cfg(feature = "aws")]
pub mod traces;
