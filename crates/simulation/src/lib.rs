//! Stand-ins for the world outside, the same in every run: no clock, no network and no chance of their own.
//!
//! [`sandbox`] is Dintero's API as far as avstem uses it; [`in_process`] puts it behind the port of HTTP;
//! [`made_up`] fills it with an example.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod end;
pub mod explore;
mod faults;
pub mod in_process;
pub mod made_up;
mod run;
pub mod sandbox;
pub mod scenario;
mod told;
mod watch;
mod world;

pub use fixtures::generate;

pub use faults::{Effect, Mode, Script};
pub use in_process::{Clock, InProcess};
pub use run::{HeldUp, Ran, Run, Scripts, Violation};
pub use sandbox::{Fault, RequestKind, Sandbox};
pub use watch::{EventName, Watch};
pub use world::{SECRET_MARK, Worker, World};
