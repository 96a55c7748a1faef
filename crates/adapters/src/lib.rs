#![doc = include_str!("../README.md")]

pub mod app;
pub mod config;
#[cfg(feature = "aws")]
pub mod fields;
pub mod inbound;
pub mod outbound;
pub mod stand_in_server;
#[cfg(feature = "aws")]
pub mod traces;
