//! `avstem sandbox`: the stand-in for Dintero, served on this machine.

use std::io::Write;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use ::sandbox::example::{self, CLIENT_ID, CLIENT_SECRET};
use ::sandbox::{Fault, RequestKind, Sandbox};
use adapters::config;
use adapters::stand_in_server::{Handler, Loopback};
use anyhow::Context;
use jiff::Timestamp;
use settlement::AccountId;

use crate::Ended;

#[derive(clap::Args)]
pub(crate) struct SandboxArguments {
    /// Port on 127.0.0.1; 0 for any free one
    #[arg(long, value_name = "N", default_value_t = 8790)]
    port: u16,
    /// Dintero account of its transactions
    #[arg(long, default_value = "T00000001")]
    account: AccountId,
    /// What goes wrong with the next request of a kind, in the order given: KIND is token, transactions, events or
    /// settlements; FAULT is too-many-requests:SECONDS, unauthorised, server-error:STATUS, lost-before, lost-after-apply,
    /// not-connected, late-apply:SECONDS, half-applied, reordered, missing, html, redirect or refuse:TRANSACTION
    #[arg(long, value_name = "KIND=FAULT")]
    fault: Vec<Disturbance>,
}

/// A fault with the kind of request that it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Disturbance(RequestKind, Fault);

impl FromStr for Disturbance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, fault) = text.split_once('=').ok_or("expected KIND=FAULT, as in events=half-applied")?;
        let kind = match kind {
            "token" => RequestKind::Token,
            "transactions" => RequestKind::Transactions,
            "events" => RequestKind::SettlementEvents,
            "settlements" => RequestKind::Settlements,
            other => return Err(format!("found {other:?}, expected token, transactions, events or settlements")),
        };
        let (name, value) = fault.split_once(':').unwrap_or((fault, ""));
        let number = || {
            value.parse::<u32>().map_err(|_| format!("found {fault:?}, expected {name} with a number, as in {name}:5"))
        };
        let status = || value.parse().ok().filter(|status| (400..600).contains(status));
        let fault = match (name, value) {
            ("too-many-requests", _) => Fault::TooManyRequests { seconds: number()? },
            ("server-error", _) => Fault::ServerError(
                status().ok_or_else(|| format!("found {fault:?}, expected a status from 400 to 599"))?,
            ),
            ("late-apply", _) => Fault::LateApply { seconds: number()? },
            ("refuse", id) if !id.is_empty() => Fault::RefuseTransaction(id.to_owned()),
            ("unauthorised", "") => Fault::Unauthorised,
            ("lost-before", "") => Fault::LostBefore,
            ("lost-after-apply", "") => Fault::LostAfterApply,
            ("not-connected", "") => Fault::NotConnected,
            ("half-applied", "") => Fault::HalfApplied,
            ("reordered", "") => Fault::ReorderedAnswer,
            ("missing", "") => Fault::MissingInAnswer,
            ("html", "") => Fault::HtmlBody,
            ("redirect", "") => Fault::Redirect,
            _ => return Err(format!("found the fault {fault:?}; --help names those that there are")),
        };
        Ok(Disturbance(kind, fault))
    }
}

pub(crate) async fn run(arguments: &SandboxArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let mut sandbox = example::sandbox(&arguments.account);
    for Disturbance(kind, fault) in &arguments.fault {
        sandbox.disturb(*kind, fault.clone());
    }
    let server = Loopback::bind(arguments.port).await;
    let server = server.with_context(|| format!("Cannot listen on port {} of 127.0.0.1", arguments.port))?;
    show(&server.url(), &arguments.account, out)?;
    match server.serve(handler(sandbox)).await {}
}

fn handler(sandbox: Sandbox) -> Handler {
    let sandbox = Mutex::new(sandbox);
    Arc::new(move |request| sandbox.lock().unwrap_or_else(PoisonError::into_inner).answer(request, Timestamp::now()))
}

fn show(url: &str, account: &AccountId, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "A stand-in for Dintero's API, with nothing real in it, at {url}")?;
    writeln!(out, "\nTo let avstem speak with it:")?;
    for (name, value) in [
        (config::ACCOUNT, account.as_str()),
        (config::CLIENT_ID, CLIENT_ID),
        (config::CLIENT_SECRET, CLIENT_SECRET),
        (config::API_URL, url),
        (config::CHECKOUT_URL, url),
    ] {
        writeln!(out, "  export {name}={value}")?;
    }
    writeln!(out)?;
    writeln!(out, "Its transactions")?;
    for transaction in example::transactions(account) {
        let (id, product) = (&transaction.id, &transaction.payment_product_type);
        writeln!(out, "  {id}  {:<11}  {product:<16}  {}", transaction.merchant_reference, transaction.currency)?;
    }
    writeln!(out, "\nA token of it:")?;
    writeln!(out, "  curl -u {CLIENT_ID}:{CLIENT_SECRET} {url}/v1/accounts/{account}/auth/token \\")?;
    let audience = format!("https://api.dintero.com/v1/accounts/{account}");
    writeln!(out, "    -d '{{\"grant_type\":\"client_credentials\",\"audience\":\"{audience}\"}}'")?;
    writeln!(out, "\nIt forgets everything when it ends; end it with Ctrl-C.")?;
    // Nothing more is written while it serves.
    out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_by_their_names() {
        let read = |text: &str| text.parse::<Disturbance>();
        let late = Disturbance(RequestKind::SettlementEvents, Fault::LateApply { seconds: 30 });
        assert_eq!(read("events=late-apply:30"), Ok(late));
        assert_eq!(read("token=unauthorised"), Ok(Disturbance(RequestKind::Token, Fault::Unauthorised)));
        let refused = Fault::RefuseTransaction("T00000001.a".to_owned());
        assert_eq!(read("events=refuse:T00000001.a"), Ok(Disturbance(RequestKind::SettlementEvents, refused)));
        for wrong in [
            "",
            "events",
            "all=html",
            "events=html:1",
            "events=refuse",
            "events=late-apply",
            "events=server-error:200",
            "events=nothing",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
