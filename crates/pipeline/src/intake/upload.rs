//! Reports that a step uploads itself: they are read like any other.

use store::keys::{Key, LandingKey};
use store::{PortError, PutNew};

use crate::Ports;

/// A report that a step has uploaded, to be read next. Where uploads are notified of, nobody needs to name it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeUpload {
    /// Where it lies.
    pub landing: LandingKey,
    /// Which version of it.
    pub version: String,
}

/// Uploads bytes under a name that is theirs alone; what is there already stays.
///
/// # Errors
/// When the objects cannot be written.
pub(crate) async fn upload(ports: &Ports, landing: LandingKey, bytes: &[u8]) -> Result<Option<MadeUpload>, PortError> {
    let key = Key::Landing(landing.clone());
    let version = match ports.objects.put_new(&key, bytes).await? {
        PutNew::Created(meta) => Some(meta.version),
        PutNew::Exists => ports.objects.head(&key).await?.map(|meta| meta.version),
    };
    Ok(version.map(|version| MadeUpload { landing, version }))
}
