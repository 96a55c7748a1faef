//! The zone that an account's days are counted in.

use jiff::tz::TimeZone;
use settlement::AccountId;

use crate::{Ports, StepError};

/// The zone that days of an account are counted in.
pub(crate) async fn zone_of(ports: &Ports, account: &AccountId) -> Result<TimeZone, StepError> {
    let zone = store::account(&*ports.state, account).await?.zone;
    TimeZone::get(&zone)
        .map_err(|_| StepError::Refused(format!("Account {account} has the unknown time zone {zone:?}")))
}
