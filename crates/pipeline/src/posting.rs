//! What an exact settlement paid out is told to Dintero as settlement events, each once in effect.

pub mod audit;
mod plan;
pub mod post;
mod resolve;
mod send;

pub use self::resolve::{Decision, Resolve, resolve};
