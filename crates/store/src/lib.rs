#![doc = include_str!("../README.md")]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::float_arithmetic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod error;
pub mod keys;
pub mod memory;
mod place;
mod ports;
mod records;

pub use error::{PortError, PortErrorKind, RecordError};
pub use place::{ITEM_BYTES_MAX, ITEM_SCHEMA, Pager, Place, all, decode, unreadable};
pub use ports::{
    Envelope, Expect, HttpClient, Item, ListedVersion, Mailer, NotSent, NotSentKind, ObjectMeta, ObjectPager, Objects,
    Page, Put, PutNew, Query, Queue, Secrets, State, TRANSACT_WRITES_MAX, VersionPage,
};
pub use records::*;
