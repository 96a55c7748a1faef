//! `avstem mail` and `avstem recipient`: who is told by mail, and sending what is due.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use adapters::app::{App, Home};
use adapters::config::Config;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use pipeline::mail::recipients::{self, AddRecipient};
use pipeline::mail::{self, MailAccount, Mailed, Mailing};
use settlement::{AccountId, Address, HeaderText, Rhythm};
use store::{MailState, RecipientKind};

use crate::{Ended, HomeArguments};

/// Nobody else sends a mail for this long.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

#[derive(clap::Args)]
pub(crate) struct MailArguments {
    #[command(flatten)]
    home: HomeArguments,
}

#[derive(clap::Subcommand)]
pub(crate) enum RecipientCommand {
    /// Tell somebody of the account by mail, as soon as they confirm
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
    List(HomeArguments),
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
    /// A person gets paper and workbook, an inbox of an accounting system paper alone
    #[arg(long, default_value = "person")]
    kind: Kind,
    /// nb, sv, da, fi or en; the account's language otherwise
    #[arg(long, value_parser = ["nb", "sv", "da", "fi", "en"])]
    language: Option<String>,
    /// How often, one or several
    #[arg(long, value_delimiter = ',', default_value = "payout")]
    rhythm: Vec<Often>,
    /// Payouts from this day on; from today otherwise
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
    let HomeArguments { home, account } = &arguments.home;
    let app = App::open(home).await?;
    // Whoever waits for a month waits for its summary; whoever waits for payouts does not.
    if let Err(error) = crate::summary::make(&app, account, None, Timestamp::now()).await {
        writeln!(out, "No month can be summarised now, and so none is told: {error:#}")?;
    }
    let mailed = send(&app, &mailing(home)?, account).await?;
    if mailed.mails.is_empty() {
        writeln!(out, "Nothing is due. `avstem recipient list` says who is told")?;
    }
    show(out, "", home, &mailed)
}

/// Sends what is due of an account.
pub(crate) async fn send(app: &App, mailing: &Mailing, account: &AccountId) -> anyhow::Result<Mailed> {
    let (account, scratch) = (account.clone(), app.scratch.clone());
    let command = MailAccount { account, lease: LEASE, scratch };
    Ok(mail::run(&app.ports, mailing, &command).await?)
}

/// Shows mails with what they came to; one that needs a person is a command that did not do all.
pub(crate) fn show(out: &mut dyn Write, indent: &str, home: &Home, mailed: &Mailed) -> anyhow::Result<Ended> {
    let mut ended = Ended::Well;
    for (_, item) in &mailed.mails {
        writeln!(out, "{indent}{:<9} {}  {}", item.state.word(), item.recipient, item.subject)?;
        match &item.state {
            MailState::Sent { message_id } => {
                writeln!(out, "{indent}          {}", home.place(format_args!("outbox/{message_id}")))?;
            }
            MailState::Refused { why } | MailState::Human { why } => {
                writeln!(out, "{indent}          {why}")?;
                ended = Ended::Failed;
            }
            MailState::Unknown { why, .. } | MailState::Withdrawn { why } => writeln!(out, "{indent}          {why}")?,
            MailState::Planned { .. } | MailState::Sending { .. } => {}
        }
    }
    if let Some(until) = mailed.not_before {
        writeln!(out, "{indent}the rest waits: run `avstem mail` again after {until:.0}")?;
    }
    Ok(ended)
}

pub(crate) async fn recipient(command: &RecipientCommand, out: &mut dyn Write) -> anyhow::Result<Ended> {
    match command {
        RecipientCommand::Add(arguments) => add(arguments, out).await,
        RecipientCommand::Confirm { address, code, home } => {
            let app = App::open(&home.home).await?;
            let is_new = recipients::confirm(&app.ports, &home.account, address, code, Timestamp::now()).await?;
            writeln!(out, "{address} {}", if is_new { "is confirmed" } else { "was confirmed before" })?;
            Ok(Ended::Well)
        }
        RecipientCommand::List(home) => list(home, out).await,
        RecipientCommand::Remove { address, home } => {
            let app = App::open(&home.home).await?;
            let was_there = recipients::remove(&app.ports, &home.account, address, Timestamp::now()).await?;
            anyhow::ensure!(was_there, "Found no recipient {address} of account {}", home.account);
            writeln!(out, "Nothing more is sent to {address}")?;
            Ok(Ended::Well)
        }
    }
}

async fn add(arguments: &AddArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let AddArguments { address, name, kind, language, rhythm, from, home } = arguments;
    let app = App::open(&home.home).await?;
    let command = AddRecipient {
        account: home.account.clone(),
        address: address.clone(),
        name: name.clone(),
        kind: match kind {
            Kind::Person => RecipientKind::Person,
            Kind::Inbox => RecipientKind::Inbox,
        },
        language: language.clone(),
        rhythms: rhythm.iter().map(|often| Rhythm::from(*often)).collect::<BTreeSet<_>>(),
        from: *from,
        now: Timestamp::now(),
    };
    let secret = home.home.token_secret().await?;
    let item = recipients::add(&app.ports, &secret, &command).await?;
    if item.is_confirmed() {
        writeln!(out, "{address} is told of payouts from {} on", item.from)?;
        return Ok(Ended::Well);
    }
    writeln!(
        out,
        "{address} is told of payouts from {} on, once confirmed: `avstem recipient confirm {address} CODE` with the code \
         of the mail that is sent there",
        item.from
    )?;
    if let Home::Cloud { .. } = &home.home {
        writeln!(out, "The mail leaves next morning; at once when the function email-summary is called before")?;
        return Ok(Ended::Well);
    }
    let mut mailed = send(&app, &mailing(&home.home)?, &home.account).await?;
    mailed.mails.retain(|(_, item)| item.recipient == *address);
    show(out, "  ", &home.home, &mailed)
}

async fn list(home: &HomeArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let app = App::open_to_read(&home.home).await?;
    let all = recipients::list(&app.ports, &home.account).await?;
    if all.is_empty() {
        writeln!(out, "Nobody is told of account {} by mail", home.account)?;
    }
    for item in &all {
        let kind = match item.kind {
            RecipientKind::Person => "person",
            RecipientKind::Inbox => "inbox",
        };
        let rhythms: Vec<&str> = item.rhythms.iter().map(|rhythm| rhythm.as_str()).collect();
        let confirmed = item.confirmed_at.map_or_else(|| "not confirmed".to_owned(), |at| format!("confirmed {at:.0}"));
        writeln!(
            out,
            "{}  {kind}, {}, {}, from {}, {confirmed}",
            item.address,
            item.language,
            rhythms.join(" and "),
            item.from
        )?;
    }
    Ok(Ended::Well)
}
