//! Replay: which uploaded objects to take the whole way once more. Taking them again has no second effect.

use jiff::Timestamp;
use settlement::{AccountId, ReportId};
use store::keys::LandingKey;
use store::{ListedVersion, ObjectItem, ObjectPager, Place, ReportItem};

use crate::{Ports, StepError};

/// Which objects are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// Every version of one object.
    Object(LandingKey),
    /// The object that a report was read from.
    Report(ReportId),
    /// Everything that was put since then, and everything whose time is not known.
    Since(Timestamp),
}

/// An object that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Where it lies.
    pub landing: LandingKey,
    /// Its version.
    pub version: String,
    /// What is known of it so far, in words.
    pub known: String,
}

/// Finds the objects of an account; nothing is changed.
///
/// # Errors
/// When a port fails, or a report that was asked for is not known.
pub async fn find(ports: &Ports, account: &AccountId, which: &Replay) -> Result<Vec<Due>, StepError> {
    if let Replay::Report(report) = which {
        let place = Place::report(*report, account);
        let Some((item, _)) = place.read::<ReportItem>(&*ports.state).await? else {
            let message = format!("Found no report {} of account {account}", report.short());
            return Err(StepError::Refused(message));
        };
        let bad = |_| StepError::Refused(format!("Report {} lies at no landing key", report.short()));
        let landing = item.object_key.strip_prefix("landing/").unwrap_or_default().parse().map_err(bad)?;
        return Ok(vec![Due { landing, version: item.object_version, known: item.state.word() }]);
    }
    let prefix = match which {
        Replay::Object(landing) => store::keys::Key::Landing(landing.clone()).to_string(),
        _ => format!("landing/{account}/"),
    };
    let mut due = Vec::new();
    let mut listing = ObjectPager::new(&*ports.objects, prefix);
    while let Some(listed) = listing.next().await? {
        due.extend(judge(ports, account, which, &listed).await?);
    }
    Ok(due)
}

async fn judge(
    ports: &Ports,
    account: &AccountId,
    which: &Replay,
    listed: &ListedVersion,
) -> Result<Option<Due>, StepError> {
    // What lies there under an impossible name was refused when it came.
    let Some(Ok(landing)) = listed.key.strip_prefix("landing/").map(str::parse::<LandingKey>) else { return Ok(None) };
    let meant = match which {
        Replay::Object(meant) => landing == *meant,
        Replay::Since(since) => listed.at.is_none_or(|at| at >= *since),
        Replay::Report(_) => false,
    };
    if !meant {
        return Ok(None);
    }
    let object = Place::object(&listed.key, &listed.version).read::<ObjectItem>(&*ports.state).await?;
    let known = match object {
        None => "never read".to_owned(),
        Some((ObjectItem { report: Some(report), .. }, _)) => {
            let item = Place::report(report, account).read::<ReportItem>(&*ports.state).await?;
            item.map_or_else(|| "its report is not known".to_owned(), |(item, _)| item.state.word())
        }
        Some((ObjectItem { kind, .. }, _)) => kind.map_or_else(String::new, |kind| kind.to_string()),
    };
    Ok(Some(Due { landing, version: listed.version.clone(), known }))
}
