//! What the steps reach out to: one module per port, its implementations side by side.

pub mod http;
pub mod mailer;
pub mod objects;
pub mod secrets;
pub mod state;
