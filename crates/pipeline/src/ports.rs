//! What every step is given.

use std::fmt;
use std::sync::Arc;

use store::{Objects, State};
use tables::Packing;

/// Where a step reads and writes, and how it packs what it writes.
#[derive(Clone)]
pub struct Ports {
    /// Files.
    pub objects: Arc<dyn Objects>,
    /// Records with conditions.
    pub state: Arc<dyn State>,
    /// How tables are packed that are stored for long.
    pub packing: Packing,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports")
    }
}
