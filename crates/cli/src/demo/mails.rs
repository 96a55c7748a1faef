//! Mails in the demo: a person and an accounting system's inbox are told, in the clock of the demo.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use adapters::app::{App, Home};
use adapters::config::MailConfig;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use pipeline::mail::recipients::{self, AddRecipient};
use settlement::{AccountId, HeaderText, Rhythm};
use store::RecipientKind;

use super::stand_in::StandIn;
use crate::mail::{send, show};

/// Long enough ago for a week to be over.
const CONFIRMED_BEFORE: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Confirms one recipient of each kind, sends what is due, and shows that a second time sends nothing.
pub(super) async fn tell(
    app: &App,
    account: &AccountId,
    stand_in: &StandIn,
    home: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let clock = stand_in.clock();
    let place = Home::from(home);
    let mailing = App::mailing(home, MailConfig::default(), Arc::new(move || clock.now()))?;
    let begun = stand_in.now().saturating_sub(CONFIRMED_BEFORE)?;
    for (address, name, kind, language, rhythms) in [
        ("regnskap@example.no", Some("Regnskap"), RecipientKind::Person, "nb", [Rhythm::EachPayout, Rhythm::Weekly]),
        ("bilag@example.se", None, RecipientKind::Inbox, "sv", [Rhythm::EachPayout, Rhythm::Monthly]),
    ] {
        let add = AddRecipient {
            account: account.clone(),
            address: address.parse()?,
            name: name.map(HeaderText::new).transpose()?,
            kind,
            language: Some(language.to_owned()),
            rhythms: BTreeSet::from(rhythms),
            from: Some(date(2026, 10, 1)),
            now: begun,
        };
        let item = recipients::add(&app.ports, &mailing.secret, &add).await?;
        // The first mail has nothing but the code in it, which comes back from whoever reads there.
        show(out, "  ", &place, &send(app, &mailing, account).await?)?;
        let code = mailing.secret.token(account, &item.address, item.generation);
        recipients::confirm(&app.ports, account, &item.address, &code, confirmed_at(begun)).await?;
    }
    show(out, "  ", &place, &send(app, &mailing, account).await?)?;
    let again = send(app, &mailing, account).await?;
    anyhow::ensure!(again.mails.is_empty(), "Mails were sent twice");
    Ok(())
}

fn confirmed_at(begun: Timestamp) -> Timestamp {
    begun.saturating_add(SignedDuration::from_mins(5)).unwrap_or(begun)
}
