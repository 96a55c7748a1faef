//! Refuse: a message that can never be carried out is recorded and ends, instead of coming again for days.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::StepError;
use crate::items::{Order, Place, journal};
use crate::ports::{Expect, Ports};

/// So much of a message is kept.
const TEXT_CHARS_MAX: usize = 2_000;

/// A message that was refused, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedItem {
    /// What it said, as far as it is kept, with everything unusual written as an escape.
    pub text: String,
    /// Why it was refused.
    pub why: String,
}

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
    let entry = journal(&place, 1, now, Order::First, format!("refused: {why}"));
    Ok(ports.state.transact(&[place.put(&item, Expect::Any), entry]).await?)
}
