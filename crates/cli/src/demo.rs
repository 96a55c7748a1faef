//! `avstem demo`: bundled sample reports on the whole way, from bytes to proved settlements.

mod mails;
mod stand_in;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use ::matching::Waits;
use adapters::app::{App, Home};
use anyhow::Context;
use pipeline::current::accounts;
use pipeline::current::notice::{self, NoticeCheck};
use pipeline::intake::notice::{AddNotice, add_notice};
use pipeline::lake::month_figures;
use pipeline::reports::dintero_report::{self, WriteReports};
use settlement::{AccountId, Fees, HeaderText, PayoutNotice, Proof, Settlement, Verdict};

use self::stand_in::StandIn;
use crate::run::{Taken, take};
use crate::{Ended, lake, matching, show};

/// Lies in a directory that the demo made and may therefore empty.
const MARK: &str = ".avstem-demo";

/// The merchant as documents and mails call it.
const MERCHANT: &str = "Butikk AS";

/// Sample reports, made up for this purpose, in the order they arrive.
const REPORTS: &[(&str, &[u8])] = &[
    ("1-vipps-oktober.xml", include_bytes!("../demo/1-vipps-oktober.xml")),
    ("2-vipps-oktober-portal.csv", include_bytes!("../demo/2-vipps-oktober-portal.csv")),
    ("3-vipps-brutto.xml", include_bytes!("../demo/3-vipps-brutto.xml")),
    ("4-vipps-structured.csv", include_bytes!("../demo/4-vipps-structured.csv")),
    ("5-vipps-redigert.csv", include_bytes!("../demo/5-vipps-redigert.csv")),
    ("6-swedbankpay.xml", include_bytes!("../demo/6-swedbankpay.xml")),
];

/// The balance report of the list of Swedbank Pay, which has no fees and no payout itself.
const BALANCE_REPORT: &[u8] = include_bytes!("../demo/swedbankpay-balance-report.pdf");

#[derive(clap::Args)]
pub(crate) struct DemoArguments {
    /// Directory for everything the demo writes; emptied first when an earlier demo made it
    #[arg(long, value_name = "DIR", default_value = ".local/demo")]
    home: PathBuf,
    /// End when all is shown
    #[arg(long)]
    exit: bool,
    /// Let the stand-in for Dintero fail in many ways; the end is the same
    #[arg(long)]
    faults: bool,
}

pub(crate) async fn run(arguments: &DemoArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let (home, place) = (&arguments.home, Home::from(arguments.home.as_path()));
    prepare(home)?;
    let inbox = home.join("inbox");
    fs::create_dir_all(&inbox)?;
    let account: AccountId = "T00000001".parse()?;
    let (stand_in, app) = StandIn::connect(App::at_home(home)?, &account, arguments.faults).await?;
    writeln!(
        out,
        "avstem demo: {} sample reports of account {account}, all data in {}\n",
        REPORTS.len(),
        home.display()
    )?;
    let mut all = Vec::new();
    for (name, bytes) in REPORTS {
        let file = inbox.join(name);
        fs::write(&file, bytes).with_context(|| format!("Cannot write {}", file.display()))?;
        let taken = take(&app, &account, &file, stand_in.now()).await?;
        taken.report(out, &place)?;
        writeln!(out)?;
        all.push(taken);
    }
    let confirmed = tell_notice(&app, &account, &stand_in, home, out).await?;
    let posted = stand_in.settle(&app, &account).await?;
    again(&app, &account, &stand_in, &inbox, out).await?;
    summary(&all, confirmed, out)?;
    writeln!(out)?;
    stand_in.show(&app, &account, out).await?;
    writeln!(out, "\nWhat was posted, and what was not")?;
    show::posted(out, "  ", &posted)?;
    writeln!(out, "\nEvery line, and what it is at Dintero")?;
    matching::lines(&app, &account, true, out).await?;
    writeln!(out, "\nCaptured or refunded, and in no settlement on {}", stand_in::TODAY)?;
    let missed = matching::list_missed(&app, &account, stand_in::TODAY, Waits::default(), &app.scratch).await?;
    matching::show_missed(&missed, out)?;
    writeln!(out, "\nThe lake")?;
    lake::build(&app, &place, &account, stand_in.now(), out).await?;
    writeln!(out, "\nThe months of the lake")?;
    lake::show_months(&month_figures(&app.ports, &account).await?, out)?;
    writeln!(out, "\nThe summary of every month that is over on {}", stand_in::MONTH_AFTER)?;
    let now = stand_in.now().max(stand_in::MONTH_AFTER.in_tz("Europe/Oslo")?.timestamp());
    stand_in.clock().set(now);
    accounts::set_name(&app.ports, &account, &HeaderText::new(MERCHANT)?, now).await?;
    for made in crate::summary::make(&app, &account, None, now).await? {
        crate::summary::told(&place, &made, out)?;
    }
    writeln!(out, "\nMails")?;
    mails::tell(&app, &account, &stand_in, home, out).await?;
    places(home, out)?;
    if !arguments.exit {
        writeln!(
            out,
            "\nThe files stay where they are; run `avstem explain 2000461 --home {}` to see why.",
            home.display()
        )?;
    }
    Ok(Ended::Well)
}

/// Empties a directory of an earlier demo, and no other.
fn prepare(home: &Path) -> anyhow::Result<()> {
    if home.join(MARK).exists() {
        fs::remove_dir_all(home).with_context(|| format!("Cannot empty {}", home.display()))?;
    }
    let used = home.exists() && fs::read_dir(home)?.next().is_some();
    anyhow::ensure!(!used, "Found {} in use by something else, expected an empty directory", home.display());
    fs::create_dir_all(home).with_context(|| format!("Cannot make {}", home.display()))?;
    fs::write(home.join(MARK), "made by avstem demo\n")?;
    Ok(())
}

/// What a person reads in the balance report makes the list exact.
async fn tell_notice(
    app: &App,
    account: &AccountId,
    stand_in: &StandIn,
    home: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<Option<Settlement>> {
    let evidence = home.join("swedbankpay-balance-report.pdf");
    fs::write(&evidence, BALANCE_REPORT).with_context(|| format!("Cannot write {}", evidence.display()))?;
    let key = notice::key_of(account, "swedbankpay", "R4321/R4321-0012", "SEK".parse()?);
    let notice = PayoutNotice {
        key: key.context("The key of the demo's notice is one")?,
        exponent: 2,
        amount_minor: 231_825,
        fee_minor: 5_600,
        fee_vat_minor: 1_401,
        fees: Fees::Deducted,
        payout_minor: 224_824,
        elsewhere: Vec::new(),
    };
    let key = notice.key.clone();
    let (now, scratch) = (stand_in.now(), app.scratch.clone());
    let command = AddNotice { notice, evidence, by: "demo".to_owned(), now, scratch };
    writeln!(out, "Payout notice of 2318.25 less fees 56.00 and VAT 14.01, transferred 2248.24 SEK")?;
    let (together, report) = add_notice(&app.ports, &command).await?;
    show::together(out, "  ", &key, &together)?;
    if let Some(report) = report {
        let scratch = app.scratch.clone();
        let command = WriteReports { account: account.clone(), report, scratch };
        for key in dintero_report::write_reports(&app.ports, &command).await?.written {
            writeln!(out, "  wrote {}", home.join(key.to_string()).display())?;
        }
        show::posted(out, "  ", &stand_in.post(app, account, report).await?)?;
    }
    writeln!(out)?;
    Ok(match together {
        NoticeCheck::Agree(confirmed) => Some(confirmed.settlement),
        _ => None,
    })
}

/// Everything once more: nothing may happen a second time.
async fn again(
    app: &App,
    account: &AccountId,
    stand_in: &StandIn,
    inbox: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut effects = 0;
    let events = stand_in.count();
    for (name, _) in REPORTS {
        let taken = take(app, account, &inbox.join(name), stand_in.now()).await?;
        effects += usize::from(taken.outcome.verdict == Verdict::Accepted);
    }
    stand_in.settle(app, account).await?;
    let more = stand_in.count() - events;
    writeln!(
        out,
        "All {} files sent once more: {effects} taken in again, {more} settlement events posted again\n",
        REPORTS.len()
    )?;
    anyhow::ensure!(effects == 0 && more == 0, "Something happened twice");
    Ok(())
}

fn summary(all: &[Taken], confirmed: Option<Settlement>, out: &mut dyn Write) -> anyhow::Result<()> {
    let exact = all.iter().flat_map(Taken::new_settlements).filter(|settlement| settlement.proof == Proof::Exact);
    let settlements: Vec<Settlement> = exact.cloned().chain(confirmed).collect();
    writeln!(out, "Proved settlements")?;
    show::settlements(out, "  ", &settlements)?;
    let held: Vec<&Taken> = all.iter().filter(|taken| taken.is_held()).collect();
    writeln!(out, "\nHeld reports: {}", held.len())?;
    for taken in &held {
        let first = taken.outcome.judgement.problems.first_error();
        let why = first.map(|problem| format!("{}: {}", problem.kind, problem.message)).unwrap_or_default();
        writeln!(out, "  {}\n    {why}", show::name(&taken.file))?;
    }
    Ok(())
}

fn places(home: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "\nWhere it lies")?;
    for (folder, what) in [
        ("landing", "the files as they arrived"),
        ("archive", "the sources of accepted reports, and the document of the notice"),
        ("lake/v1", "Parquet for BI tools: what counts, by day and month of payout, and as one file per table"),
        ("lake/reports", "Parquet: settlement_line and settlement of each report"),
        ("reports", "Dintero reports and months as XLSX, PDF, CSV, JSON and more; problems of held reports"),
        ("outbox", "mails as files, which any mail program opens"),
        ("state.sqlite", "what is known of every report and settlement, with its journal"),
    ] {
        writeln!(out, "  {:<32} {what}", home.join(folder).display())?;
    }
    Ok(())
}
