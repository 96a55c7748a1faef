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

/// Confirms one recipient of each kind, sends what is due, shows that a second time sends nothing, and gives how many mails
/// were written.
pub(super) async fn tell(
    app: &App,
    account: &AccountId,
    stand_in: &StandIn,
    home: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<usize> {
    let clock = stand_in.clock();
    let place = Home::from(home);
    let mailing = App::mailing(home, MailConfig::default(), Arc::new(move || clock.now()))?;
    let begun = stand_in.now().saturating_sub(CONFIRMED_BEFORE)?;
    let mut count = 0;
    for (address, name, kind, language, rhythms) in [
        ("regnskap@example.no", Some("Regnskap"), RecipientKind::Person, "nb", [Rhythm::EachPayout, Rhythm::Weekly]),
        ("bilag@example.se", None, RecipientKind::Inbox, "sv", [Rhythm::EachPayout, Rhythm::Monthly]),
    ] {
        let add = AddRecipient {
            account: account.clone(),
            address: address.parse()?,
            name: name.map(HeaderText::new).transpose()?,
            kind: Some(kind),
            language: Some(language.to_owned()),
            rhythms: Some(BTreeSet::from(rhythms)),
            from: Some(date(2026, 10, 1)),
            now: begun,
        };
        let item = recipients::add(&app.ports, &mailing.secret, &add).await?;
        // The first mail has nothing but the code in it, which comes back from whoever reads there.
        let asked = send(app, &mailing, account).await?;
        show(out, "  ", &place, &asked)?;
        count += asked.mails.len();
        let code = mailing.secret.token(account, &item.address, item.generation);
        recipients::confirm(&app.ports, account, &item.address, &code, confirmed_at(begun)).await?;
    }
    let told = send(app, &mailing, account).await?;
    show(out, "  ", &place, &told)?;
    count += told.mails.len();
    let again = send(app, &mailing, account).await?;
    anyhow::ensure!(again.mails.is_empty(), "Mails were sent twice");
    Ok(count)
}

fn confirmed_at(begun: Timestamp) -> Timestamp {
    begun.saturating_add(SignedDuration::from_mins(5)).unwrap_or(begun)
}
