//! The ports: what the steps need of the outside world, a file each. One contract test holds every implementation of a port.

mod http;
mod mailer;
mod objects;
mod queue;
mod secrets;
mod state;

pub use http::HttpClient;
pub use mailer::{Envelope, Mailer, NotSent, NotSentKind};
pub use objects::{ListedVersion, ObjectMeta, ObjectPager, Objects, PutNew, VersionPage};
pub use queue::Queue;
pub use secrets::Secrets;
pub use state::{Expect, Item, Page, Put, Query, State, TRANSACT_WRITES_MAX};
