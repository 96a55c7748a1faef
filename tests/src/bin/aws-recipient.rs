//! Tells somebody of an account by mail, in the cloud that a function's own environment names.
//!
//! `aws-recipient add ACCOUNT ADDRESS person|inbox FROM-DAY`, for the months from that day on;
//! `aws-recipient confirm ACCOUNT ADDRESS CODE`

use std::collections::BTreeSet;

use adapters::app::Cloud;
use adapters::config::CloudConfig;
use anyhow::{Context, bail};
use documents::mail::{Address, Rhythm};
use jiff::Timestamp;
use pipeline::recipients::{self, AddRecipient, RecipientKind};
use settlement::AccountId;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let cloud = Cloud::open(CloudConfig::of_process()?).await?;
    let now = Timestamp::now();
    match words.as_slice() {
        ["add", account, address, kind, from] => {
            let mailing = cloud.mailing().await?.context("no mails are sent here")?;
            let command = AddRecipient {
                account: account.parse::<AccountId>()?,
                address: address.parse::<Address>()?,
                name: None,
                kind: if *kind == "inbox" { RecipientKind::Inbox } else { RecipientKind::Person },
                language: None,
                rhythms: BTreeSet::from([Rhythm::Monthly]),
                from: Some(from.parse()?),
                now,
            };
            recipients::add(&cloud.ports, &mailing.secret, &command).await?;
        }
        ["confirm", account, address, code] => {
            recipients::confirm(&cloud.ports, &account.parse()?, &address.parse()?, code, now).await?;
        }
        _ => bail!("expected add ACCOUNT ADDRESS person|inbox FROM-DAY, or confirm ACCOUNT ADDRESS CODE"),
    }
    Ok(())
}
