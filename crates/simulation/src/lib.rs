#![doc = include_str!("../README.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod end;
pub mod explore;
mod faults;
mod run;
pub mod scenario;
mod told;
mod watch;
mod world;

pub use fixtures::generate;

pub use faults::{Effect, Mode, Script};
pub use run::{HeldUp, Ran, Run, Scripts, Violation};
pub use watch::{EventName, Watch};
pub use world::{SECRET_MARK, Worker, World};
