//! All integration tests in one binary.

mod architecture;
mod aws;
mod cli;
mod contracts;
mod defects;
mod documents;
mod homes;
mod http;
mod injection;
mod lake;
mod mail;
mod notices;
mod posting;
mod privacy;
mod properties;
mod refusal;
mod simulation;
mod steps;
mod summary;
