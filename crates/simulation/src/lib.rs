#![doc = include_str!("../README.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod disturbed;
mod end_state;
pub mod explore;
mod faults;
mod in_force;
mod poll;
mod recipients;
mod run;
pub mod scenario;
mod violation;
mod watch;
mod world;

pub use fixtures::generate;

pub use disturbed::Disturbed;
pub use faults::{Effect, Mode, Script};
pub use run::{HeldUp, Ran, Run, Scripts};
pub use violation::Violation;
pub use watch::{EventName, Watch};
pub use world::{SECRET_MARK, Worker, World};
