//! Who gets mails in every simulated world.

use jiff::Timestamp;
use pipeline::mail::recipients::{self, AddRecipient};
use pipeline::{Ports, StepError};
use settlement::{AccountId, Rhythm};
use store::{RecipientKind, TokenSecret};

use crate::world::{REFUSED_AT, SECRET_MARK};

/// The secret that recipients' codes are made with.
pub(crate) fn secret() -> TokenSecret {
    TokenSecret::new(SECRET_MARK.as_bytes())
}

/// Adds the recipients of every world to each account: a person and an inbox, a person who never confirms, and an address
/// that the mail service refuses.
pub(crate) async fn add(ports: &Ports, accounts: [&AccountId; 2], at: Timestamp) -> Result<(), StepError> {
    for account in accounts {
        for (address, kind, rhythms, confirms) in [
            ("regnskap@example.no", RecipientKind::Person, vec![Rhythm::EachPayout, Rhythm::Daily], true),
            ("bilag@example.no", RecipientKind::Inbox, vec![Rhythm::EachPayout], true),
            ("fremmed@example.no", RecipientKind::Person, vec![Rhythm::EachPayout], false),
            (REFUSED_AT, RecipientKind::Inbox, vec![Rhythm::Weekly, Rhythm::Daily], true),
        ] {
            let address = address.parse().map_err(|error| StepError::Refused(format!("{error}")))?;
            let command = AddRecipient {
                account: account.clone(),
                address,
                name: None,
                kind: Some(kind),
                language: None,
                rhythms: Some(rhythms.into_iter().collect()),
                from: None,
                now: at,
            };
            let item = recipients::add(ports, &secret(), &command).await?;
            if confirms {
                let token = secret().token(account, &item.address, item.generation);
                recipients::confirm(ports, account, &item.address, &token, at).await?;
            }
        }
    }
    Ok(())
}
