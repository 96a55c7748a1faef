//! Dintero in the demo: a stand-in in the same process, with the shop's transactions, and a clock that the demo moves.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use adapters::app::App;
use adapters::config::DinteroConfig;
use anyhow::Context;
use dintero::{Credentials, Hosts, Secret};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use pipeline::posting::post::{self, PostAccount, PostReport, Posted};
use pipeline::transactions::sync::{self, SyncTransactions};
use sandbox::example::{self, CLIENT_ID, CLIENT_SECRET};
use sandbox::{Clock, Fault, InProcess, RequestKind, Sandbox};
use settlement::{AccountId, MajorUnits, ReportId, SettlementEvent, TransactionEventKind};

/// The day that payouts are missed on: soon after the last report.
pub(super) const TODAY: Date = jiff::civil::date(2026, 10, 21);

/// The day that the months before are over on.
pub(super) const MONTH_AFTER: Date = jiff::civil::date(2026, 11, 1);

/// What goes wrong in a demo with faults, in this order.
const FAULTS: &[(RequestKind, Fault)] = &[
    (RequestKind::Token, Fault::TooManyRequests { seconds: 120 }),
    (RequestKind::SettlementEvents, Fault::LostAfterApply),
    (RequestKind::SettlementEvents, Fault::LateApply { seconds: 30 }),
    (RequestKind::SettlementEvents, Fault::HalfApplied),
    (RequestKind::SettlementEvents, Fault::ReorderedAnswer),
    (RequestKind::Transactions, Fault::ServerError(500)),
    (RequestKind::SettlementEvents, Fault::Unauthorised),
];

/// A worker keeps a batch for itself this long.
const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// Nothing in the demo needs more rounds than this.
const ROUNDS_MAX: usize = 40;

pub(super) struct StandIn {
    sandbox: Arc<Mutex<Sandbox>>,
    clock: Clock,
}

impl StandIn {
    /// Connects an app to the stand-in and turns on posting for its account.
    pub(super) async fn connect(app: App, account: &AccountId, with_faults: bool) -> anyhow::Result<(Self, App)> {
        let clock = Clock::at(TODAY.in_tz("Europe/Oslo")?.timestamp());
        let mut sandbox = example::sandbox(account);
        for (kind, fault) in FAULTS.iter().filter(|_| with_faults) {
            sandbox.disturb(*kind, fault.clone());
        }
        let sandbox = Arc::new(Mutex::new(sandbox));
        let http = Arc::new(InProcess::new(Arc::clone(&sandbox), clock.clone()));
        let credentials = Credentials { client_id: CLIENT_ID.into(), client_secret: Secret::new(CLIENT_SECRET) };
        let config = DinteroConfig { account: account.clone(), credentials, hosts: Hosts::default() };
        let time = clock.clone();
        let app = app.with_dintero(http, config, Arc::new(move || time.now()));
        post::set_posting(&app.ports, account, true, clock.now()).await?;
        Ok((StandIn { sandbox, clock }, app))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The clock that the demo moves.
    pub(super) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Tells Dintero of a report whose settlement has become exact.
    pub(super) async fn post(&self, app: &App, account: &AccountId, report: ReportId) -> anyhow::Result<Posted> {
        let dintero = app.dintero.as_deref().context("The demo has a stand-in")?;
        let (account, scratch) = (account.clone(), app.scratch.clone());
        let command = PostReport { account, report, now: self.now(), lease: LEASE, scratch };
        Ok(post::run(&app.ports, dintero, &command).await?)
    }

    /// Lets time pass until nothing waits any more.
    pub(super) async fn settle(&self, app: &App, account: &AccountId) -> anyhow::Result<Posted> {
        let dintero = app.dintero.as_deref().context("The demo has a stand-in")?;
        for _ in 0..ROUNDS_MAX {
            let (account, scratch) = (account.clone(), app.scratch.clone());
            let command = PostAccount { account, now: self.now(), lease: LEASE, scratch };
            let posted = match post::go_on(&app.ports, dintero, &command).await {
                Err(error) if error.is_retryable() => {
                    self.clock.advance(LEASE);
                    continue;
                }
                posted => posted?,
            };
            match posted.not_before {
                None => return Ok(posted),
                Some(until) => self.clock.set(until.max(self.now().saturating_add(SignedDuration::from_secs(1))?)),
            }
        }
        anyhow::bail!("Events wait after {ROUNDS_MAX} rounds, expected all of them to have ended")
    }

    /// Gets every transaction of the last weeks, so that what was never paid out is known too.
    pub(super) async fn sync(&self, app: &App, account: &AccountId) -> anyhow::Result<()> {
        let dintero = app.dintero.as_deref().context("The demo has a stand-in")?;
        for _ in 0..ROUNDS_MAX {
            let (account, scratch, now) = (account.clone(), app.scratch.clone(), self.now());
            let command = SyncTransactions { account, from: None, now, deadline: Timestamp::MAX, scratch };
            match sync::run(&app.ports, dintero, &command).await {
                Err(error) if error.is_retryable() => self.clock.advance(LEASE),
                synced => match synced?.go_on_at {
                    None => return Ok(()),
                    Some(until) => self.clock.set(until.max(self.now().saturating_add(SignedDuration::from_secs(1))?)),
                },
            }
        }
        anyhow::bail!("Transactions wait after {ROUNDS_MAX} rounds, expected all of them to be known")
    }

    /// How many settlement events stand at Dintero.
    pub(super) fn count(&self) -> usize {
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner).settlement_events().count()
    }

    /// Shows every transaction with its settlement events, as the merchant would find them.
    pub(super) async fn show(&self, app: &App, account: &AccountId, out: &mut dyn Write) -> anyhow::Result<()> {
        let dintero = app.dintero.as_deref().context("The demo has a stand-in")?;
        let known = example::transactions(account);
        let orders: BTreeMap<&str, &str> =
            known.iter().map(|known| (known.id.as_str(), known.merchant_reference.as_str())).collect();
        let ids: Vec<&str> = orders.keys().copied().collect();
        let client = dintero.account(account)?;
        writeln!(out, "Settlement events at Dintero (a stand-in of its API in this process)")?;
        writeln!(out, "  order        settlement   amount   = capture - refund - fee       status of the transaction")?;
        let mut transactions = client.transactions_by_id(&ids).await?;
        transactions.sort_by(|a, b| a.merchant_reference.cmp(&b.merchant_reference));
        for transaction in &transactions {
            let status = transaction.derived_settlement_status(false);
            let refunded = transaction.sum_minor(TransactionEventKind::Refund).unwrap_or(0) > 0;
            let status = format!("{status}{}", if refunded { ", with a refund" } else { "" });
            let mut first = Some(status.as_str());
            for event in transaction.all_settlement_events() {
                line(out, &transaction.merchant_reference, event, first.take().unwrap_or_default())?;
            }
            if let Some(status) = first {
                writeln!(out, "  {:<12} {:<56}{status}", transaction.merchant_reference, "none")?;
            }
        }
        Ok(())
    }
}

fn line(out: &mut dyn Write, order: &str, event: &SettlementEvent, status: &str) -> io::Result<()> {
    let [amount, capture, refund, fee] = event.money().map(|minor| MajorUnits::new(minor, 2).to_string());
    writeln!(
        out,
        "  {order:<12} {:<10} {amount:>9} {capture:>11} {refund:>8} {fee:>7}       {status}",
        event.settlement_id
    )
}
