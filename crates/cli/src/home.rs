//! The home and the account that a command works on.

use std::fmt::Display;
use std::sync::Arc;

use ::formats::Limits;
use adapters::app::{App, Home};
use adapters::config::Config;
use adapters::outbound::http::{HttpLimits, Reqwest};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pipeline::current::accounts;
use pipeline::current::lease::REPORT_LEASE;
use pipeline::intake::parse::ParseReport;
use settlement::AccountId;
use store::keys::LandingKey;

/// The home and the account that a command works on.
#[derive(clap::Args)]
pub(crate) struct HomeArguments {
    /// Directory of all data, or s3://BUCKETS?table=TABLE of a stack
    #[arg(long, value_name = "DIR", env = "AVSTEM_HOME")]
    pub(crate) home: Home,
    /// Dintero account; may be left out where the home has only one
    #[arg(long, env = "AVSTEM_ACCOUNT")]
    account: Option<AccountId>,
}

/// An open home, and the account that is meant.
pub(crate) struct Opened {
    pub(crate) app: App,
    pub(crate) account: AccountId,
}

/// The command that reads an upload of a home.
pub(crate) fn reading(app: &App, landing: LandingKey, version: String) -> ParseReport {
    ParseReport {
        landing,
        version,
        now: Timestamp::now(),
        lease: REPORT_LEASE,
        scratch: app.scratch.clone(),
        limits: Limits::default(),
        adopts_merchants: false,
    }
}

impl HomeArguments {
    /// Opens a home that is there, with an account that it knows.
    pub(crate) async fn open(&self) -> anyhow::Result<Opened> {
        let app = App::open(&self.home).await?;
        let account = self.account_of(&app).await?;
        Ok(Opened { app, account })
    }

    /// The same, to read only.
    pub(crate) async fn open_to_read(&self) -> anyhow::Result<Opened> {
        let app = App::open_to_read(&self.home).await?;
        let account = self.account_of(&app).await?;
        Ok(Opened { app, account })
    }

    /// The same as [`HomeArguments::open`], with a client of Dintero if the environment configures one.
    pub(crate) async fn open_with_dintero(&self) -> anyhow::Result<Opened> {
        let Opened { app, account } = self.open().await?;
        let app = match Config::of_process()?.dintero {
            Some(dintero) => {
                app.with_dintero(Arc::new(Reqwest::new(HttpLimits::default())?), dintero, Arc::new(Timestamp::now))
            }
            None => app,
        };
        Ok(Opened { app, account })
    }

    async fn account_of(&self, app: &App) -> anyhow::Result<AccountId> {
        account_of(app, &self.home, self.account.as_ref()).await
    }
}

/// The time zone that days of an account are counted in.
pub(crate) async fn zone_of(app: &App, account: &AccountId) -> anyhow::Result<TimeZone> {
    Ok(TimeZone::get(&store::account(&*app.ports.state, account).await?.zone)?)
}

/// The account that was named, or the only one that the home has.
pub(crate) async fn account_of(app: &App, home: &dyn Display, named: Option<&AccountId>) -> anyhow::Result<AccountId> {
    let Some(named) = named else {
        let all = accounts::all(&app.ports).await?;
        let names = || all.iter().map(AccountId::to_string).collect::<Vec<_>>().join(", ");
        return match all.as_slice() {
            [only] => Ok(only.clone()),
            [] => anyhow::bail!("Home {home} has no account. Add one with `avstem account add ACCOUNT --home {home}`"),
            _ => anyhow::bail!("Home {home} has the accounts {}. Choose one with --account", names()),
        };
    };
    anyhow::ensure!(
        accounts::is_known(&app.ports, named).await?,
        "Found no account {named} in home {home}. `avstem account list --home {home}` shows those there are; \
         `avstem account add {named} --home {home}` adds it"
    );
    Ok(named.clone())
}
