//! The merchant's transactions at Dintero, and the mirror of them that lines are matched with.

pub mod client;
pub mod mirror;
pub mod sync;
