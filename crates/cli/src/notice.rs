//! `avstem notice`: what a balance report says, told by a person, with the report kept as evidence.

use std::io::Write;
use std::path::PathBuf;

use ::formats::{DecimalMark, parse_minor};
use adapters::app::App;
use clap::Subcommand;
use jiff::Timestamp;
use pipeline::StepError;
use pipeline::current::notice::{self, NoticeCheck};
use pipeline::intake::notice::{AddNotice, add_notice};
use pipeline::posting::post::{self, PostReport, Posted};
use pipeline::reports::dintero_report::{self, WriteReports};
use serde_json::{Value, json};
use settlement::{AccountId, Currency, Fees, Kind, PayoutNotice, SettleKey, exponent};
use store::keys::Key;

use crate::home::Opened;
use crate::post::LEASE;
use crate::{Ended, HomeArguments, show};

#[derive(Subcommand)]
pub(crate) enum NoticeCommand {
    /// Tell what the balance report of a settlement says, so that a list without fees and payout becomes exact
    Add(AddArguments),
}

#[derive(clap::Args)]
pub(crate) struct AddArguments {
    /// Provider, as `avstem formats` names it
    provider: String,
    /// Merchant number and settlement id, as in R1234/R1234-0001
    #[arg(value_name = "MERCHANT/SETTLEMENT")]
    settlement: String,
    /// Currency of the settlement
    #[arg(long)]
    currency: String,
    /// Amount before fees, in major units, as the report prints it
    #[arg(long)]
    amount: String,
    /// Fees as a cost, without a minus
    #[arg(long)]
    fees: String,
    /// Value added tax on the fees, without a minus
    #[arg(long)]
    vat: String,
    /// Amount transferred to the bank
    #[arg(long)]
    transferred: String,
    /// The fees are invoiced apart, and not taken from the amount
    #[arg(long)]
    invoiced: bool,
    /// A method of the list that others pay out, as the list writes it; as often as needed
    #[arg(long, value_name = "METHOD")]
    elsewhere: Vec<String>,
    /// The balance report; it is kept
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
    /// Who read the figures
    #[arg(long)]
    by: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArguments,
}

pub(crate) async fn run(command: &NoticeCommand, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let NoticeCommand::Add(arguments) = command;
    anyhow::ensure!(
        arguments.evidence.is_file(),
        "Found no file {}, expected the balance report",
        arguments.evidence.display()
    );
    let Opened { app, account } = arguments.home.open_with_dintero().await?;
    let notice = arguments.notice(&account)?;
    add(&app, arguments, notice, out).await
}

async fn add(app: &App, arguments: &AddArguments, notice: PayoutNotice, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let key = notice.key.clone();
    let command = AddNotice {
        notice,
        evidence: arguments.evidence.clone(),
        by: arguments.by.clone(),
        now: Timestamp::now(),
        scratch: app.scratch.clone(),
    };
    let (check, report) = add_notice(&app.ports, &command).await?;
    let (mut written, mut posted) = (Vec::new(), Ok(Posted::default()));
    if let Some(report) = report.filter(|_| matches!(check, NoticeCheck::Agree(_))) {
        let command = WriteReports { account: key.account_id.clone(), report, scratch: app.scratch.clone() };
        written = dintero_report::write_reports(&app.ports, &command).await?.written;
        if let Some(dintero) = &app.dintero {
            let (account, scratch, now) = (key.account_id.clone(), app.scratch.clone(), Timestamp::now());
            let command = PostReport { account, report, now, lease: LEASE, scratch };
            posted = post::run(&app.ports, dintero, &command).await;
        }
    }
    if arguments.json {
        writeln!(out, "{}", json_of(&key, &check, &written, &posted))?;
    } else {
        show::notice_check(out, "", &key, &check)?;
        show::documents(out, "  ", &arguments.home.home, &written)?;
        show::posted_or_not(out, "  ", &posted)?;
    }
    Ok(if matches!(check, NoticeCheck::Disagree(_)) { Ended::Held } else { Ended::Well })
}

fn json_of(key: &SettleKey, check: &NoticeCheck, written: &[Key], posted: &Result<Posted, StepError>) -> Value {
    let (state, problems) = match check {
        NoticeCheck::WaitsForNotice => ("waits_for_notice", &[][..]),
        NoticeCheck::WaitsForList => ("waits_for_list", &[][..]),
        NoticeCheck::Agree(_) => ("agrees", &[][..]),
        NoticeCheck::Disagree(found) => ("disagrees", found.as_slice()),
    };
    json!({
        "settlement": key.to_string(),
        "state": state,
        "problems": problems,
        "documents": written.iter().map(Key::to_string).collect::<Vec<_>>(),
        "posting": show::posted_json(posted),
    })
}

impl AddArguments {
    /// The figures as they were typed.
    fn notice(&self, account: &AccountId) -> anyhow::Result<PayoutNotice> {
        let known = ::formats::FORMATS.iter().any(|format| format.provider.id == self.provider);
        anyhow::ensure!(known, "Found provider {:?}, expected one that `avstem formats` lists", self.provider);
        let currency: Currency = self
            .currency
            .parse()
            .map_err(|_| anyhow::anyhow!("Found currency {:?}, expected a code such as SEK", self.currency))?;
        let key = notice::key_of(account, &self.provider, &self.settlement, currency).ok_or_else(|| {
            anyhow::anyhow!(
                "Found {:?}, expected merchant number and settlement id, as R1234/R1234-0001",
                self.settlement
            )
        })?;
        let exponent = exponent(&self.provider, currency);
        let amount = |text: &str| minor(text, exponent);
        Ok(PayoutNotice {
            key,
            exponent,
            amount_minor: amount(&self.amount)?,
            fee_minor: amount(&self.fees)?,
            fee_vat_minor: amount(&self.vat)?,
            fees: if self.invoiced { Fees::Invoiced } else { Fees::Deducted },
            payout_minor: amount(&self.transferred)?,
            elsewhere: self.elsewhere.clone(),
        })
    }
}

/// Minor units of an amount that a person typed, with a dot or a comma.
fn minor(text: &str, exponent: u8) -> anyhow::Result<i64> {
    let read = match parse_minor(text.trim(), DecimalMark::Dot, exponent) {
        Err(Kind::Amount) => parse_minor(text.trim(), DecimalMark::Comma, exponent),
        read => read,
    };
    read.map_err(|kind| {
        anyhow::anyhow!("Found {text:?} ({kind}), expected an amount that reads one way only, as 2981.80")
    })
}
