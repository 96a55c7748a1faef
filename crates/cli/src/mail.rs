//! `avstem mail` and `avstem recipient`: who is told by mail, and sending what is due.

use std::io::Write;
use std::sync::Arc;

use adapters::app::{App, Home};
use adapters::config::Config;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use pipeline::mail::recipients::{self, AddRecipient};
use pipeline::mail::{self, MailAccount, Mailed, Mailing};
use serde_json::json;
use settlement::{AccountId, Address, HeaderText, Rhythm};
use store::{MailItem, MailState, RecipientItem, RecipientKind};

use crate::home::Opened;
use crate::{Ended, HomeArguments};

/// Nobody else sends a mail for this long.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

#[derive(clap::Args)]
pub(crate) struct MailArguments {
    /// One JSON object per mail and line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

#[derive(clap::Subcommand)]
pub(crate) enum RecipientCommand {
    /// Tell somebody of the account by mail, as soon as they confirm; of a known address, change what is named
    Add(AddArguments),
    /// Confirm an address with the code that was sent there
    Confirm {
        /// The address
        address: Address,
        /// The code
        code: String,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// List who is told
    List {
        /// One JSON object per recipient and line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Send nothing more to an address
    Remove {
        /// The address
        address: Address,
        #[command(flatten)]
        home: HomeArguments,
    },
}

#[derive(clap::Args)]
pub(crate) struct AddArguments {
    /// One address
    address: Address,
    /// Who reads there
    #[arg(long, value_parser = HeaderText::new)]
    name: Option<HeaderText>,
    /// A person gets paper and workbook, an inbox of an accounting system paper alone; somebody new is a person
    #[arg(long)]
    kind: Option<Kind>,
    /// Language of the mails; for somebody new, the account's
    #[arg(long, value_parser = ["nb", "sv", "da", "fi", "en"])]
    language: Option<String>,
    /// How often, one or several; somebody new is told of each payout
    #[arg(long, value_delimiter = ',')]
    rhythm: Vec<Often>,
    /// Payouts from this day on; for somebody new, from today
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    #[command(flatten)]
    home: HomeArguments,
}

/// Who reads at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Person,
    Inbox,
}

/// How often somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Often {
    Payout,
    Daily,
    Weekly,
    Monthly,
}

impl From<Often> for Rhythm {
    fn from(often: Often) -> Rhythm {
        match often {
            Often::Payout => Rhythm::EachPayout,
            Often::Daily => Rhythm::Daily,
            Often::Weekly => Rhythm::Weekly,
            Often::Monthly => Rhythm::Monthly,
        }
    }
}

fn mailing(home: &Home) -> anyhow::Result<Mailing> {
    let home = home.directory("Mails of the cloud become no files of this machine")?;
    Ok(App::mailing(home, Config::of_process()?.mail, Arc::new(Timestamp::now))?)
}

pub(crate) async fn run(arguments: &MailArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let home = &arguments.home.home;
    let Opened { app, account } = arguments.home.open().await?;
    let account = &account;
    let told = recipients::list(&app.ports, account).await?;
    anyhow::ensure!(
        !told.is_empty(),
        "Nobody is told of account {account} by mail, so that nothing was looked at. Add somebody with `avstem recipient add`"
    );
    // Whoever waits for a month waits for its summary; whoever waits for payouts does not.
    if let Err(error) = crate::summary::make(&app, account, None, Timestamp::now()).await {
        // Standard output is for the mails alone where a program reads it.
        eprintln!("avstem: No month can be summarised now, and so none is told: {}", crate::show::error(&error));
    }
    let mailed = send(&app, &mailing(home)?, account).await?;
    if arguments.json {
        return show_json(out, home, &mailed);
    }
    if mailed.mails.is_empty() {
        let confirmed = told.iter().filter(|recipient| recipient.is_confirmed()).count();
        writeln!(out, "Nothing is due for {confirmed} confirmed of {} recipients", told.len())?;
    }
    show(out, "", home, &mailed)
}

/// Sends what is due of an account.
pub(crate) async fn send(app: &App, mailing: &Mailing, account: &AccountId) -> anyhow::Result<Mailed> {
    let (account, scratch) = (account.clone(), app.scratch.clone());
    let command = MailAccount { account, lease: LEASE, scratch };
    Ok(mail::run(&app.ports, mailing, &command).await?)
}

/// The word for the state of a mail; one that became a file of a directory was sent to nobody yet.
fn word(home: &Home, item: &MailItem) -> &'static str {
    match (home, &item.state) {
        (Home::Directory(_), MailState::Sent { .. }) => "WRITTEN",
        (_, state) => state.word(),
    }
}

fn needs_person(item: &MailItem) -> bool {
    matches!(item.state, MailState::Refused { .. } | MailState::Human { .. })
}

/// The same for programs, one object per mail.
fn show_json(out: &mut dyn Write, home: &Home, mailed: &Mailed) -> anyhow::Result<Ended> {
    for (id, item) in &mailed.mails {
        let file = match &item.state {
            MailState::Sent { message_id } => Some(home.place(format_args!("outbox/{message_id}"))),
            _ => None,
        };
        let object = json!({
            "mail_id": id, "state": word(home, item), "recipient": item.recipient, "subject": item.subject, "file": file,
        });
        writeln!(out, "{object}")?;
    }
    let failed = mailed.mails.iter().any(|(_, item)| needs_person(item));
    Ok(if failed { Ended::Failed } else { Ended::Well })
}

/// Shows mails with what they came to; one that needs a person is a command that did not do all.
pub(crate) fn show(out: &mut dyn Write, indent: &str, home: &Home, mailed: &Mailed) -> anyhow::Result<Ended> {
    let failed = mailed.mails.iter().any(|(_, item)| needs_person(item));
    for (_, item) in &mailed.mails {
        writeln!(out, "{indent}{:<9} {}  {}", word(home, item), item.recipient, item.subject)?;
        match &item.state {
            MailState::Sent { message_id } => {
                writeln!(out, "{indent}          {}", home.place(format_args!("outbox/{message_id}")))?;
            }
            MailState::Refused { why }
            | MailState::Human { why }
            | MailState::Unknown { why, .. }
            | MailState::Withdrawn { why } => writeln!(out, "{indent}          {why}")?,
            MailState::Planned { .. } | MailState::Sending { .. } => {}
        }
    }
    if let Some(until) = mailed.not_before {
        writeln!(out, "{indent}the rest waits: run `avstem mail` again after {until:.0}")?;
    }
    Ok(if failed { Ended::Failed } else { Ended::Well })
}

pub(crate) async fn recipient(command: &RecipientCommand, out: &mut dyn Write) -> anyhow::Result<Ended> {
    match command {
        RecipientCommand::Add(arguments) => add(arguments, out).await,
        RecipientCommand::Confirm { address, code, home } => {
            let Opened { app, account } = home.open().await?;
            let is_new = recipients::confirm(&app.ports, &account, address, code, Timestamp::now()).await?;
            writeln!(out, "{address} {}", if is_new { "is confirmed" } else { "was confirmed before" })?;
            Ok(Ended::Well)
        }
        RecipientCommand::List { json, home } => list(home, *json, out).await,
        RecipientCommand::Remove { address, home } => {
            let Opened { app, account } = home.open().await?;
            let was_there = recipients::remove(&app.ports, &account, address, Timestamp::now()).await?;
            anyhow::ensure!(was_there, "Found no recipient {address} of account {account}");
            writeln!(out, "Nothing more is sent to {address}")?;
            Ok(Ended::Well)
        }
    }
}

async fn add(arguments: &AddArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let AddArguments { address, name, kind, language, rhythm, from, home } = arguments;
    let Opened { app, account } = home.open().await?;
    let before = recipients::list(&app.ports, &account).await?.into_iter().find(|item| item.address == *address);
    let command = AddRecipient {
        account: account.clone(),
        address: address.clone(),
        name: name.clone(),
        kind: kind.map(|kind| match kind {
            Kind::Person => RecipientKind::Person,
            Kind::Inbox => RecipientKind::Inbox,
        }),
        language: language.clone(),
        rhythms: (!rhythm.is_empty()).then(|| rhythm.iter().map(|often| Rhythm::from(*often)).collect()),
        from: *from,
        now: Timestamp::now(),
    };
    let secret = home.home.token_secret().await?;
    let item = recipients::add(&app.ports, &secret, &command).await?;
    if let Some(before) = &before {
        let is_same = described(before) == described(&item);
        writeln!(out, "{address} was known: {}", if is_same { "nothing changed" } else { "changed" })?;
    }
    writeln!(out, "{address}  {}", described(&item))?;
    if item.is_confirmed() {
        return Ok(Ended::Well);
    }
    writeln!(
        out,
        "Nothing is sent before the address is confirmed: `avstem recipient confirm {address} CODE` with the code of the mail \
         that is sent there"
    )?;
    if let Home::Cloud { .. } = &home.home {
        writeln!(out, "The mail leaves next morning; at once when the function email-summary is called before")?;
        return Ok(Ended::Well);
    }
    let mut mailed = send(&app, &mailing(&home.home)?, &account).await?;
    mailed.mails.retain(|(_, item)| item.recipient == *address);
    show(out, "  ", &home.home, &mailed)
}

async fn list(home: &HomeArguments, as_json: bool, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = home.open_to_read().await?;
    let all = recipients::list(&app.ports, &account).await?;
    if as_json {
        for item in &all {
            let object = json!({
                "address": item.address, "name": item.name, "kind": item.kind, "language": item.language,
                "rhythms": item.rhythms, "from": item.from, "confirmed_at": item.confirmed_at,
            });
            writeln!(out, "{object}")?;
        }
        return Ok(Ended::Well);
    }
    if all.is_empty() {
        writeln!(out, "Nobody is told of account {account} by mail")?;
    }
    all.iter().try_for_each(|item| writeln!(out, "{}  {}", item.address, described(item)))?;
    Ok(Ended::Well)
}

/// How a recipient is told, in words.
fn described(item: &RecipientItem) -> String {
    let kind = match item.kind {
        RecipientKind::Person => "person",
        RecipientKind::Inbox => "inbox",
    };
    let rhythms: Vec<&str> = item.rhythms.iter().map(|rhythm| rhythm.as_str()).collect();
    let confirmed = item.confirmed_at.map_or_else(|| "not confirmed".to_owned(), |at| format!("confirmed {at:.0}"));
    format!("{kind}, {}, {}, from {}, {confirmed}", item.language, rhythms.join(" and "), item.from)
}
