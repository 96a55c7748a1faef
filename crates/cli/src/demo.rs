//! `avstem demo`: bundled sample reports on the whole way, from bytes to proved settlements.

mod mails;
mod overview;
mod stand_in;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use ::matching::AllowedWaits;
use adapters::app::{App, Home};
use anyhow::Context;
use pipeline::current::accounts::{self, AccountSettings};
use pipeline::current::notice::{self, NoticeCheck};
use pipeline::intake::notice::{AddNotice, add_notice};
use pipeline::lake::month_figures;
use pipeline::reports::dintero_report::{self, WriteReports};
use settlement::{AccountId, Fees, HeaderText, PayoutNotice, Settlement, Verdict};

use self::stand_in::StandIn;
use crate::run::take;
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
    ("4-vipps-details.csv", include_bytes!("../demo/4-vipps-details.csv")),
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
    /// End when all is shown, which it always does; for scripts that say so
    #[arg(long)]
    exit: bool,
    /// Show every step, every line and every mail
    #[arg(long)]
    verbose: bool,
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
    let named = AccountSettings { name: Some(HeaderText::new(MERCHANT)?), ..AccountSettings::default() };
    accounts::set(&app.ports, &account, &named, stand_in.now()).await?;
    writeln!(out, "avstem demo: {} made-up reports of account {account} ({MERCHANT})\n", REPORTS.len())?;
    let mut steps: Box<dyn Write + '_> =
        if arguments.verbose { Box::new(&mut *out) } else { Box::new(std::io::sink()) };
    let mut all = Vec::new();
    for (name, bytes) in REPORTS {
        let file = inbox.join(name);
        fs::write(&file, bytes).with_context(|| format!("Cannot write {}", file.display()))?;
        let taken = take(&app, &account, &file, stand_in.now(), true).await?;
        taken.report(&mut steps, &place)?;
        writeln!(steps)?;
        all.push(taken);
    }
    let confirmed = tell_notice(&app, &account, &stand_in, &place, &mut steps).await?;
    drop(steps);
    let posted = stand_in.settle(&app, &account).await?;
    overview::reports(&all, confirmed, out)?;
    overview::held(&app, &account, out).await?;
    overview::posting(&posted, out)?;
    if arguments.verbose {
        writeln!(out)?;
        stand_in.show(&app, &account, out).await?;
        writeln!(out, "\nEvery line, and what it is at Dintero")?;
        matching::lines(&app, &account, true, out).await?;
    }
    stand_in.sync(&app, &account).await?;
    let missed = matching::list_missed(&app, &account, stand_in::TODAY, AllowedWaits::default(), &app.scratch).await?;
    overview::open(&app, &account, &missed, out).await?;
    again(&app, &account, &stand_in, &inbox, out).await?;
    if arguments.verbose {
        lake::build(&app, &place, &account, stand_in.now(), out).await?;
    } else {
        lake::build(&app, &place, &account, stand_in.now(), &mut std::io::sink()).await?;
    }
    let now = stand_in.now().max(stand_in::MONTH_AFTER.in_tz("Europe/Oslo")?.timestamp());
    stand_in.clock().set(now);
    writeln!(out)?;
    lake::show_months(&month_figures(&app.ports, &account).await?, out)?;
    for made in crate::summary::make(&app, &account, None, now).await? {
        if arguments.verbose {
            crate::summary::show_month(&place, &made, out)?;
        }
    }
    let mails = if arguments.verbose {
        mails::tell(&app, &account, &stand_in, home, out).await?
    } else {
        mails::tell(&app, &account, &stand_in, home, &mut std::io::sink()).await?
    };
    places(home, mails, out)?;
    writeln!(out, "next: avstem held list --home {}; the demo with --verbose shows every step", home.display())?;
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
    home: &Home,
    out: &mut dyn Write,
) -> anyhow::Result<Option<Settlement>> {
    let evidence = home.directory("The demo has one")?.join("swedbankpay-balance-report.pdf");
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
    let (check, report) = add_notice(&app.ports, &command).await?;
    show::notice_check(out, "  ", &key, &check)?;
    if let Some(report) = report {
        let scratch = app.scratch.clone();
        let command = WriteReports { account: account.clone(), report, scratch };
        let written = dintero_report::write_reports(&app.ports, &command).await?.written;
        show::documents(out, "  ", home, &written)?;
        show::posted(out, "  ", &stand_in.post(app, account, report).await?)?;
    }
    writeln!(out)?;
    Ok(match check {
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
        let taken = take(app, account, &inbox.join(name), stand_in.now(), false).await?;
        effects += usize::from(taken.outcome.verdict == Verdict::Accepted);
    }
    stand_in.settle(app, account).await?;
    let more = stand_in.count() - events;
    writeln!(
        out,
        "All {} files sent once more: {effects} taken in again, {more} settlement events posted again",
        REPORTS.len()
    )?;
    anyhow::ensure!(effects == 0 && more == 0, "Something happened twice");
    Ok(())
}

fn places(home: &Path, mails: usize, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "\nWhere it lies, below {}", home.display())?;
    let outbox = format!("{mails} mails as files, which any mail program opens");
    for (folder, what) in [
        ("landing", "the files as they arrived"),
        ("archive", "the sources of accepted reports, and the document of the notice"),
        ("lake/v1", "Parquet for BI tools: what is in force, by day and month of payout, and as one file per table"),
        ("lake/reports", "Parquet: settlement_line and settlement of each report"),
        ("reports", "Dintero reports and months as XLSX, PDF, CSV, JSON and more; problems of held reports"),
        ("outbox", outbox.as_str()),
        ("state.sqlite", "what is known of every report and settlement, with its journal"),
    ] {
        writeln!(out, "  {folder:<13} {what}")?;
    }
    Ok(())
}
