//! `avstem account`: which accounts a home has, what is said of them, and the merchant numbers that are their own.

use std::io::Write;

use adapters::app::{App, Home};
use jiff::Timestamp;
use pipeline::Ports;
use pipeline::current::accounts::{self, AccountSettings, AddMerchant, MoveMerchant};
use serde_json::json;
use settlement::{Account, AccountId, HeaderText};

use crate::home::Opened;
use crate::{Ended, HomeArguments, show};

#[derive(clap::Subcommand)]
pub(crate) enum AccountCommand {
    /// Add an account; the first one makes the home
    Add {
        /// The account at Dintero: P or T and eight digits
        account: AccountId,
        /// Directory of all data, or s3://BUCKETS?table=TABLE of a stack
        #[arg(long, value_name = "DIR", env = "AVSTEM_HOME")]
        home: Home,
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// List the accounts of a home
    List {
        /// One JSON object per account and line
        #[arg(long)]
        json: bool,
        /// Directory of all data, or s3://BUCKETS?table=TABLE of a stack
        #[arg(long, value_name = "DIR", env = "AVSTEM_HOME")]
        home: Home,
    },
    /// Show what is said of an account, and its merchant numbers
    Show {
        /// One JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Change what is said of an account; what is not named stays as it is
    Set {
        #[command(flatten)]
        settings: SettingsArguments,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Register a provider's merchant number as the account's own
    AddMerchant {
        /// Provider, as `avstem formats` names it
        provider: String,
        /// The provider's number of the merchant
        number: String,
        #[command(flatten)]
        home: HomeArguments,
    },
    /// Give a merchant number to another account, as long as nothing of it is accepted
    MoveMerchant {
        /// Provider, as `avstem formats` names it
        provider: String,
        /// The provider's number of the merchant
        number: String,
        /// The account that gets it
        #[arg(long, value_name = "ACCOUNT")]
        to: AccountId,
        #[command(flatten)]
        home: HomeArguments,
    },
}

/// What can be said of an account.
#[derive(clap::Args)]
pub(crate) struct SettingsArguments {
    /// What people call the merchant; mails begin with it
    #[arg(long, value_parser = HeaderText::new)]
    name: Option<HeaderText>,
    /// The name that the merchant is registered under
    #[arg(long, value_parser = HeaderText::new)]
    legal_name: Option<HeaderText>,
    /// The number that the merchant is registered under
    #[arg(long, value_name = "NUMBER", value_parser = HeaderText::new)]
    organisation_number: Option<HeaderText>,
    /// Postal address, in one line
    #[arg(long, value_parser = HeaderText::new)]
    address: Option<HeaderText>,
    /// Language of documents and mails
    #[arg(long, value_parser = ["nb", "sv", "da", "fi", "en"])]
    language: Option<String>,
    /// Time zone that days are counted in, as in Europe/Stockholm
    #[arg(long)]
    zone: Option<String>,
    /// Whether Dintero is told of its settlements
    #[arg(long, value_name = "on|off")]
    post: Option<Switch>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

impl From<&SettingsArguments> for AccountSettings {
    fn from(arguments: &SettingsArguments) -> Self {
        let SettingsArguments { name, legal_name, organisation_number, address, language, zone, post } = arguments;
        AccountSettings {
            name: name.clone(),
            legal_name: legal_name.clone(),
            organisation_number: organisation_number.clone(),
            address: address.clone(),
            zone: zone.clone(),
            language: language.clone(),
            posts: post.map(|post| post == Switch::On),
        }
    }
}

pub(crate) async fn run(command: &AccountCommand, out: &mut dyn Write) -> anyhow::Result<Ended> {
    match command {
        AccountCommand::Add { account, home, settings } => {
            let app = App::open_or_begin(home).await?;
            let added = accounts::add(&app.ports, account, &settings.into(), Timestamp::now()).await?;
            writeln!(out, "Account {account} is added to home {home}")?;
            show_account(&added, out)?;
        }
        AccountCommand::List { json, home } => list(&App::open_to_read(home).await?, home, *json, out).await?,
        AccountCommand::Show { json, home } => {
            let Opened { app, account } = home.open_to_read().await?;
            let account = store::account(&*app.ports.state, &account).await?;
            if *json {
                writeln!(out, "{}", json_of(&account))?;
            } else {
                writeln!(out, "Account {}", account.id)?;
                show_account(&account, out)?;
            }
        }
        AccountCommand::Set { settings, home } => {
            let settings = AccountSettings::from(settings);
            anyhow::ensure!(
                settings != AccountSettings::default(),
                "Found nothing to set. `avstem account set --help` lists what can be set"
            );
            let Opened { app, account } = home.open().await?;
            let changes = accounts::set(&app.ports, &account, &settings, Timestamp::now()).await?;
            if changes.is_empty() {
                writeln!(out, "Account {account} is as it was")?;
            }
            changes.iter().try_for_each(|change| writeln!(out, "Account {account}: {change}"))?;
            if settings.zone.is_some() && !changes.is_empty() {
                writeln!(out, "Reports that were read before keep the days that they have")?;
            }
        }
        AccountCommand::AddMerchant { provider, number, home } => {
            is_provider(provider)?;
            let Opened { app, account } = home.open().await?;
            let what = if register(&app.ports, &account, provider, number).await? {
                "is registered"
            } else {
                "was registered before"
            };
            writeln!(out, "Merchant number {number} of {provider} {what} to account {account}")?;
        }
        AccountCommand::MoveMerchant { provider, number, to, home } => {
            is_provider(provider)?;
            let Opened { app, account } = home.open().await?;
            let (provider, number, now) = (provider.clone(), number.clone(), Timestamp::now());
            let command = MoveMerchant { provider, number, from: account, to: to.clone(), now };
            accounts::move_merchant(&app.ports, &command).await?;
            let MoveMerchant { provider, number, from, to, .. } = command;
            writeln!(out, "Merchant number {number} of {provider} moved from account {from} to {to}")?;
        }
    }
    Ok(Ended::Well)
}

/// Registers a merchant number; `true` when it is new.
pub(crate) async fn register(ports: &Ports, account: &AccountId, provider: &str, number: &str) -> anyhow::Result<bool> {
    let (account, provider, number) = (account.clone(), provider.to_owned(), number.to_owned());
    let command = AddMerchant { account, provider, number, now: Timestamp::now() };
    Ok(accounts::add_merchant(ports, &command).await?)
}

fn is_provider(provider: &str) -> anyhow::Result<()> {
    let known = ::formats::FORMATS.iter().any(|format| format.provider.id == provider);
    anyhow::ensure!(known, "Found provider {provider:?}, expected one that `avstem formats` lists");
    Ok(())
}

async fn list(app: &App, home: &Home, as_json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for id in accounts::all(&app.ports).await? {
        all.push(store::account(&*app.ports.state, &id).await?);
    }
    if as_json {
        return Ok(all.iter().try_for_each(|account| writeln!(out, "{}", json_of(account)))?);
    }
    if all.is_empty() {
        writeln!(out, "Home {home} has no account")?;
        return Ok(());
    }
    let rows: Vec<[String; 6]> = all
        .iter()
        .map(|account| {
            let numbers = account.merchant_numbers.values().map(|numbers| numbers.len()).sum::<usize>();
            [
                account.id.to_string(),
                account.name.as_deref().map(show::text).unwrap_or_default(),
                account.language.clone(),
                account.zone.clone(),
                if account.posts { "on" } else { "off" }.to_owned(),
                numbers.to_string(),
            ]
        })
        .collect();
    let header = ["account", "name", "language", "zone", "posting", "merchant numbers"];
    Ok(show::table(out, "", &header, |column| column < 5, &rows)?)
}

fn show_account(account: &Account, out: &mut dyn Write) -> anyhow::Result<()> {
    let posting = if account.posts { "on" } else { "off" };
    let fields = [
        ("name", account.name.as_deref()),
        ("legal name", account.legal_name.as_deref()),
        ("organisation number", account.organisation_number.as_deref()),
        ("address", account.address.as_deref()),
        ("language", Some(account.language.as_str())),
        ("time zone", Some(account.zone.as_str())),
        ("posting to Dintero", Some(posting)),
    ];
    for (what, value) in fields {
        let value = value.map_or_else(|| "not set".to_owned(), show::text);
        writeln!(out, "  {what:<20} {value}")?;
    }
    for (provider, numbers) in &account.merchant_numbers {
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        writeln!(out, "  {:<20} {}", format!("numbers at {provider}"), numbers.join(", "))?;
    }
    Ok(())
}

fn json_of(account: &Account) -> serde_json::Value {
    json!({
        "account_id": account.id,
        "name": account.name,
        "legal_name": account.legal_name,
        "organisation_number": account.organisation_number,
        "address": account.address,
        "language": account.language,
        "zone": account.zone,
        "posts": account.posts,
        "merchant_numbers": account.merchant_numbers,
    })
}
