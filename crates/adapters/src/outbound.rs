//! What the steps reach out to: one module per port, its implementations side by side.

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
