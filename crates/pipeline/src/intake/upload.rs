//! Reports that a step uploads itself: they are read like any other.

use std::path::Path;

use settlement::ReportId;
use store::keys::{Key, LandingKey};
use store::{ObjectItem, Place, PortError, PutNew};

use crate::{Ports, StepError};

/// A report that a step has uploaded, to be read next. Where uploads are notified of, nobody needs to name it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeUpload {
    /// Where it lies.
    pub landing: LandingKey,
    /// Which version of it.
    pub version: String,
    /// What it was made of.
    pub origin: Origin,
}

/// What a step made a report of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Entries of a ledger in several reports.
    Entries,
    /// An archive of several reports.
    Archive,
}

/// Uploads a payout that was put together, under a name that is its content's alone; what is there already stays.
///
/// # Errors
/// When the objects cannot be written.
pub(crate) async fn upload_payout(
    ports: &Ports,
    landing: LandingKey,
    bytes: &[u8],
) -> Result<Option<MadeUpload>, PortError> {
    let key = Key::Landing(landing.clone());
    let version = match ports.objects.put_new(&key, bytes).await? {
        PutNew::Created(meta) => Some(meta.version),
        PutNew::Exists => ports.objects.head(&key).await?.map(|meta| meta.version),
    };
    Ok(version.map(|version| MadeUpload { landing, version, origin: Origin::Entries }))
}

/// Uploads a report of an archive, under a name that others may have had before; once it has been read there, it stays as it
/// is.
///
/// # Errors
/// When a port fails.
pub(crate) async fn upload_unpacked(
    ports: &Ports,
    landing: LandingKey,
    file: &Path,
    report: ReportId,
) -> Result<MadeUpload, StepError> {
    let key = Key::Landing(landing.clone());
    if let Some(meta) = ports.objects.head(&key).await? {
        let known = Place::object(&key.to_string(), &meta.version).read::<ObjectItem>(&*ports.state).await?;
        if known.is_some_and(|(item, _)| item.report == Some(report)) {
            return Ok(MadeUpload { landing, version: meta.version, origin: Origin::Archive });
        }
    }
    let version = ports.objects.upload(&key, file).await?.version;
    Ok(MadeUpload { landing, version, origin: Origin::Archive })
}
