//! `avstem payouts`: what was paid out, with filters and totals.

use std::collections::BTreeMap;
use std::io::Write;

use adapters::app::App;
use jiff::civil::Date;
use pipeline::operate::listing::{self, LISTED_MAX, ListSettlements, ListedSettlement, ListedState};
use pipeline::operate::settlement_json::SettlementJson;
use serde::Serialize;
use settlement::{AccountId, Currency, Fees, MajorUnits, Month};

use crate::home::Opened;
use crate::{Ended, HomeArguments, show, summary};

#[derive(clap::Args)]
pub(crate) struct PayoutsArguments {
    /// Paid out on this day or later, as in 2026-10-01
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Paid out on this day or earlier
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// Paid out in this month, as in 2026-10
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["from", "to"])]
    month: Option<Month>,
    /// Of this provider alone
    #[arg(long)]
    provider: Option<String>,
    /// Of this merchant number alone
    #[arg(long, value_name = "NUMBER")]
    merchant: Option<String>,
    /// In this state alone: exact, waits-for-notice, noticed, disagrees
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<ListedState>,
    /// Of this payout alone, as on a bank statement: 2248.24 or 2248,24
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// One JSON object per payout and line
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// CSV with amounts in minor units
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    home: HomeArguments,
}

/// A payout as programs get it.
#[derive(Serialize)]
struct PayoutJson<'a> {
    provider: &'a str,
    payout_on: Date,
    state: ListedState,
    report_id: String,
    version: u32,
    #[serde(flatten)]
    settlement: SettlementJson<'a>,
}

/// What payouts of one currency come to, in minor units.
#[derive(Default)]
struct Total {
    exponent: u8,
    payouts: u64,
    lines: u64,
    gross_minor: i128,
    /// Those that the payouts are less by.
    fees_minor: i128,
    invoiced_minor: i128,
    payout_minor: i128,
}

pub(crate) async fn run(arguments: &PayoutsArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let Opened { app, account } = arguments.home.open().await?;
    anyhow::ensure!(
        summary::has_settlements(&app, &account).await?,
        "Found no accepted settlement of account {account}, so that nothing was looked at"
    );
    let mut found = all(&app, &account, arguments).await?;
    found.sort_by(|one, other| (payout_on(one), &one.key).cmp(&(payout_on(other), &other.key)));
    if arguments.json {
        found.iter().try_for_each(|payout| {
            Ok::<_, anyhow::Error>(writeln!(out, "{}", serde_json::to_string(&json(payout))?)?)
        })?;
    } else if arguments.csv {
        csv(&found, out)?;
    } else {
        table(&found, out)?;
    }
    Ok(Ended::Well)
}

fn payout_on(payout: &ListedSettlement) -> Date {
    payout.version.settlement.head.payout_on
}

/// Every payout that is asked for, page by page.
async fn all(app: &App, account: &AccountId, arguments: &PayoutsArguments) -> anyhow::Result<Vec<ListedSettlement>> {
    let days = arguments.month.map(|month| (month.first_day(), month.last_day()));
    let mut command = ListSettlements {
        account: account.clone(),
        from: days.map(|(from, _)| from).or(arguments.from),
        to: days.map(|(_, to)| to).or(arguments.to),
        provider: arguments.provider.clone(),
        state: arguments.state,
        limit: LISTED_MAX,
        cursor: None,
    };
    let mut found = Vec::new();
    loop {
        let page = listing::run(&app.ports, &command).await?;
        found.extend(page.settlements.into_iter().filter(|payout| arguments.wants(payout)));
        // Reports that are held come after the last settlement, and are no payouts.
        match page.cursor {
            Some(cursor @ listing::Cursor::Settlement(_)) => command.cursor = Some(cursor),
            _ => return Ok(found),
        }
    }
}

impl PayoutsArguments {
    fn wants(&self, payout: &ListedSettlement) -> bool {
        let settlement = &payout.version.settlement;
        let merchant = self.merchant.as_ref().is_none_or(|number| *number == *settlement.head.merchant_number);
        let paid = settlement.payout_minor.map(|minor| MajorUnits::new(minor, settlement.head.exponent).to_string());
        let amount = self.amount.as_ref().is_none_or(|amount| paid.is_some_and(|paid| is_amount(amount, &paid)));
        merchant && amount
    }
}

/// Whether a person's amount is this one: blanks between thousands and either decimal mark are taken.
fn is_amount(typed: &str, amount: &str) -> bool {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect::<String>().replace(',', ".");
    typed == amount || amount.strip_suffix(".00") == Some(typed.as_str())
}

fn state(word: &str) -> Result<ListedState, String> {
    let wanted = word.to_uppercase().replace('-', "_");
    let states = ListedState::ALL.iter().filter(|state| **state != ListedState::Held);
    states.clone().find(|state| state.as_str() == wanted).copied().ok_or_else(|| {
        let words: Vec<String> = states.map(|state| state.as_str().to_lowercase().replace('_', "-")).collect();
        format!("expected one of {}; reports that are held are listed by `avstem held list`", words.join(", "))
    })
}

fn json(payout: &ListedSettlement) -> PayoutJson<'_> {
    PayoutJson {
        provider: &payout.key.provider,
        payout_on: payout_on(payout),
        state: payout.state,
        report_id: payout.version.report.to_string(),
        version: payout.version.version,
        settlement: SettlementJson::of(&payout.version.settlement),
    }
}

/// Writes the fields of the JSON as columns.
fn csv(found: &[ListedSettlement], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    for (place, payout) in found.iter().enumerate() {
        let row = serde_json::to_value(json(payout))?;
        let fields = row.as_object().into_iter().flatten();
        if place == 0 {
            writer.write_record(fields.clone().map(|(name, _)| name))?;
        }
        writer.write_record(fields.map(|(_, value)| match value {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        }))?;
    }
    Ok(writer.flush()?)
}

/// Writes a line for each payout and the total of each currency; amounts are towards the shop, so that fees are negative.
fn table(found: &[ListedSettlement], out: &mut dyn Write) -> anyhow::Result<()> {
    if found.is_empty() {
        return Ok(writeln!(out, "No payout is as asked for")?);
    }
    let mut totals: BTreeMap<Currency, Total> = BTreeMap::new();
    let mut rows = Vec::new();
    for payout in found {
        let settlement = &payout.version.settlement;
        let head = &settlement.head;
        let gross_minor = i128::from(settlement.sums.capture_minor) + i128::from(settlement.sums.refund_minor);
        let fees_minor = -(i128::from(settlement.sums.fee_minor) + i128::from(settlement.sums.fee_vat_minor));
        let total = totals.entry(head.currency).or_default();
        total.exponent = head.exponent;
        total.payouts += 1;
        total.lines += settlement.lines;
        total.gross_minor += gross_minor;
        let is_invoiced = settlement.fees == Fees::Invoiced;
        *(if is_invoiced { &mut total.invoiced_minor } else { &mut total.fees_minor }) += fees_minor;
        total.payout_minor += settlement.payout_minor.map_or(0, i128::from);
        let show = |minor: i128| shown(minor, head.exponent);
        rows.push([
            head.payout_on.to_string(),
            payout.key.provider.to_string(),
            head.merchant_number.to_string(),
            head.settlement_id.to_string(),
            settlement.lines.to_string(),
            show(gross_minor),
            if is_invoiced { format!("{} invoiced", show(fees_minor)) } else { show(fees_minor) },
            settlement.payout_minor.map_or_else(|| "not stated".to_owned(), |minor| show(i128::from(minor))),
            head.currency.to_string(),
            payout.state.as_str().to_lowercase().replace('_', " "),
        ]);
    }
    for (currency, total) in totals {
        let show = |minor: i128| shown(minor, total.exponent);
        let payouts = if total.payouts == 1 { "1 payout".to_owned() } else { format!("{} payouts", total.payouts) };
        rows.push([
            "total".to_owned(),
            payouts,
            String::new(),
            String::new(),
            total.lines.to_string(),
            show(total.gross_minor),
            match total.invoiced_minor {
                0 => show(total.fees_minor),
                invoiced_minor => format!("{}, {} invoiced", show(total.fees_minor), show(invoiced_minor)),
            },
            show(total.payout_minor),
            currency.to_string(),
            String::new(),
        ]);
    }
    let header =
        ["paid out", "provider", "merchant", "settlement", "lines", "gross", "fees", "payout", "currency", "state"];
    Ok(show::table(out, "", &header, |column| !(4..=7).contains(&column), &rows)?)
}

/// An amount in major units; sums of many payouts may leave the range of one.
fn shown(minor: i128, exponent: u8) -> String {
    i64::try_from(minor)
        .map_or_else(|_| format!("{minor} minor units"), |minor| MajorUnits::new(minor, exponent).to_string())
}
