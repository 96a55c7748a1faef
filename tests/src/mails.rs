//! Who is told by mail, and mails as Python's own parser reads them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use jiff::Timestamp;
use pipeline::Ports;
use pipeline::mail::Mailing;
use pipeline::mail::recipients::{self, AddRecipient};
use sandbox::Clock;
use serde_json::Value;
use settlement::{AccountId, Address, Mailbox, Rhythm};
use store::TokenSecret;
use store::memory::MemoryMailer;
use store::{Mailer, RecipientItem, RecipientKind};

use crate::python::python;

fn secret() -> TokenSecret {
    TokenSecret::new(*b"for tests alone")
}

/// Mails that leave through `mailer`.
pub fn mailing(mailer: Arc<dyn Mailer>, clock: &Clock) -> Mailing {
    let clock = clock.clone();
    let from = Mailbox::from("avstem@example.no".parse::<Address>().unwrap());
    Mailing::new(mailer, from, secret(), Arc::new(move || clock.now()))
}

/// A recipient of payouts from October 2026 on, who has not confirmed yet.
pub async fn add(
    ports: &Ports,
    account: &AccountId,
    (address, kind): (&str, RecipientKind),
    rhythms: &[Rhythm],
    now: Timestamp,
) -> RecipientItem {
    let command = AddRecipient {
        account: account.clone(),
        address: address.parse().unwrap(),
        name: None,
        kind: Some(kind),
        language: None,
        rhythms: Some(rhythms.iter().copied().collect()),
        from: Some(jiff::civil::date(2026, 10, 1)),
        now,
    };
    recipients::add(ports, &secret(), &command).await.unwrap()
}

/// The recipient says that the mails are wanted.
pub async fn confirm(ports: &Ports, account: &AccountId, item: &RecipientItem, now: Timestamp) {
    let token = secret().token(account, &item.address, item.generation);
    recipients::confirm(ports, account, &item.address, &token, now).await.unwrap();
}

/// What Python makes of every mail that left, in their order; the folder is for the messages.
pub fn read(mailer: &MemoryMailer, folder: &Path) -> Vec<Value> {
    let mut files = Vec::new();
    for (number, mail) in mailer.all().iter().enumerate() {
        let path = folder.join(format!("{number}.eml"));
        fs::write(&path, &mail.message).unwrap();
        files.push(path);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracles/read_mail.py");
    let read = Command::new(python()).arg(script).args(&files).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let answers = String::from_utf8(read.stdout).unwrap();
    answers.lines().map(|answer| serde_json::from_str(answer).unwrap()).collect()
}
