//! The list of an account's settlements at Dintero.

#[cfg(test)]
mod tests;

use serde::Deserialize;

use crate::error::{Unreadable, read};
use crate::http::Response;

/// A settlement as Dintero lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListedSettlement {
    /// Dintero's id.
    pub id: String,
    /// The provider that paid.
    pub provider: Option<String>,
    /// The provider's reference.
    pub provider_reference: Option<String>,
    /// The day of the payout; absent while it is announced or postponed.
    pub settled_at: Option<String>,
    /// The time at which Dintero created it.
    pub created_at: Option<String>,
}

/// The end of a page. The documentation requires both values or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementCursor {
    /// Id of the last settlement.
    pub id: String,
    /// Its day of payout, or the time of its creation when it is not paid out.
    pub date: String,
}

/// One page of settlements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementPage {
    /// The settlements.
    pub items: Vec<ListedSettlement>,
    /// The cursor for the next page; `None` on the last page.
    pub after: Option<SettlementCursor>,
}

#[derive(Deserialize)]
struct PageBody {
    items: Vec<ListedSettlement>,
    last_evaluated_key: Option<LastKey>,
}

#[derive(Deserialize)]
struct LastKey {
    id: Option<String>,
    settled_at: Option<String>,
    created_at: Option<String>,
}

/// Reads a page.
///
/// # Errors
/// When the response does not have the documented form.
pub fn settlements(answer: &Response) -> Result<SettlementPage, Unreadable> {
    let PageBody { items, last_evaluated_key } = read(answer)?;
    let after = last_evaluated_key.and_then(|LastKey { id, settled_at, created_at }| {
        let stated = |text: Option<String>| text.filter(|text| !text.is_empty());
        Some(SettlementCursor { id: stated(id)?, date: stated(settled_at).or(stated(created_at))? })
    });
    Ok(SettlementPage { items, after })
}
