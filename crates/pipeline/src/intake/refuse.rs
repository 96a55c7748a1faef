//! Refuse: a message that can never be carried out is recorded and ends, instead of coming again for days.

use jiff::Timestamp;
use store::{Expect, Order, Place, RefusedItem, journal};

use crate::{Ports, StepError};

/// So much of a message is kept.
const TEXT_CHARS_MAX: usize = 2_000;

/// Records a message, or the part of it that is wrong; doing it again changes nothing.
///
/// # Errors
/// When the state cannot be written.
pub async fn run(ports: &Ports, text: &str, why: &str, now: Timestamp) -> Result<(), StepError> {
    let place = Place::refused(text);
    if place.read::<RefusedItem>(&*ports.state).await?.is_some() {
        return Ok(());
    }
    let kept: String = text.chars().take(TEXT_CHARS_MAX).collect();
    let item = RefusedItem { text: format!("{kept:?}"), why: why.to_owned() };
    let entry = journal(&place, 1, now, Order::First, format!("refused: {why}"))?;
    Ok(ports.state.transact(&[place.put(&item, Expect::Any)?, entry]).await?)
}
