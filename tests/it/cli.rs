//! The command line as a person or a script uses it.

mod accounts;
mod archives;
mod held;
mod inbox;
mod looked;
mod payouts;
mod waiting;

use std::path::{Path, PathBuf};

use cli::Ended;
use serde_json::Value;

pub(crate) fn avstem(arguments: &[&str]) -> (anyhow::Result<Ended>, String) {
    let mut out = Vec::new();
    let arguments = std::iter::once("avstem").chain(arguments.iter().copied()).map(Into::into);
    let ended = cli::run(arguments, &mut out);
    (ended, String::from_utf8(out).unwrap())
}

/// Makes a home with the account T00000001.
pub(crate) fn begin(home: &str) {
    assert_eq!(avstem(&["account", "add", "T00000001", "--home", home]).0.unwrap(), Ended::Well);
}

/// Runs the files of a folder into a home; what no account has becomes the account's.
pub(crate) fn run(inbox: &Path, home: &str) -> (anyhow::Result<Ended>, String) {
    avstem(&["run", "--register-merchants", "--inbox", inbox.to_str().unwrap(), "--home", home])
}

/// A folder with an inbox and a home beside it.
fn folders() -> (tempfile::TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, home) = (folder.path().join("inbox"), folder.path().join("home").display().to_string());
    std::fs::create_dir(&inbox).unwrap();
    begin(&home);
    (folder, inbox, home)
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports").join(name).display().to_string()
}

fn answers(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// All files below a folder with their content, but for the database and what is temporary.
pub(crate) fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else if !path.display().to_string().contains("state.sqlite") {
            found.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn check_answers_one_json_object_per_file_and_ends_with_held() {
    let (good, held) = (fixture("vipps-settlement-xml-v3/gross.xml"), fixture("vipps-portal-csv/row-arithmetic.csv"));
    let (ended, text) = avstem(&["check", "--json", &good, &held]);
    assert_eq!(ended.unwrap(), Ended::Held);
    let answers = answers(&text);
    let keys: Vec<&String> = answers[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["file", "verdict", "format", "kind", "problems", "settlements"]);
    assert_eq!((&answers[0]["verdict"], &answers[0]["kind"]), (&"ACCEPTED".into(), &Value::Null));
    let expected = serde_json::json!({
        "settlement_id": "2000090", "merchant_number": "222333", "currency": "NOK", "lines": 3,
        "capture_minor": 91_960, "refund_minor": -10_000, "fee_minor": 1_609, "fee_vat_minor": 0,
        "chargeback_minor": 0, "reserve_minor": 0, "adjustment_minor": 0, "net_minor": 80_351,
        "opening_minor": 0, "closing_minor": 0, "payout_minor": 81_960, "fees": "invoiced", "proof": "exact",
    });
    assert_eq!(answers[0]["settlements"], serde_json::json!([expected]));
    assert_eq!((&answers[1]["verdict"], &answers[1]["kind"]), (&"QUARANTINED".into(), &"RowArithmetic".into()));
    let problem = answers[1]["problems"][0].as_object().unwrap();
    assert_eq!(problem.keys().collect::<Vec<_>>(), ["kind", "severity", "row", "column", "message"]);
    assert_eq!((&problem["row"], &problem["column"]), (&9.into(), &"Netto".into()));
}

#[test]
fn check_against_a_home_knows_what_came_before_and_writes_nothing() {
    let (home, inbox, home_text) = folders();
    std::fs::copy(fixture("vipps-settlement-xml-v3/basic.xml"), inbox.join("a.xml")).unwrap();
    assert_eq!(run(&inbox, &home_text).0.unwrap(), Ended::Well);
    avstem(&["account", "add", "T00000002", "--home", &home_text]).0.unwrap();
    let add = ["account", "add-merchant", "vipps", "654321", "--account", "T00000001", "--home", &home_text];
    avstem(&add).0.unwrap();
    let before = tree(home.path());
    let verdict = |file: &str, more: &[&str]| {
        let account = if more.contains(&"--account") { &[][..] } else { &["--account", "T00000001"] };
        let (ended, text) = avstem(&[&["check", "--json", file, "--home", &home_text], account, more].concat());
        ended.unwrap();
        let answer = answers(&text).remove(0);
        (answer["verdict"].as_str().unwrap().to_owned(), answer["kind"].as_str().map(str::to_owned))
    };
    let duplicate = ("DUPLICATE".to_owned(), None);
    assert_eq!(verdict(&fixture("vipps-settlement-xml-v3/basic.xml"), &[]), duplicate);
    assert_eq!(verdict(&fixture("vipps-settlement-xml-v3/prefixed.xml"), &[]), duplicate);
    // Two settlements more than are known.
    assert_eq!(verdict(&fixture("vipps-portal-csv/basic-17.csv"), &[]), ("ACCEPTED".to_owned(), None));
    let unknown = verdict(&fixture("vipps-settlement-xml-v3/gross.xml"), &["--account", "T00000001"]);
    assert_eq!(unknown, ("QUARANTINED".to_owned(), Some("MerchantUnknown".to_owned())));
    let foreign = verdict(&fixture("vipps-portal-csv/basic-14.csv"), &["--account", "T00000002"]);
    assert_eq!(foreign, ("REJECTED".to_owned(), Some("TenantMismatch".to_owned())));
    let wrong = verdict(&fixture("vipps-portal-csv/basic-14.csv"), &["--provider", "swish"]);
    assert_eq!(wrong, ("REJECTED".to_owned(), Some("WrongProvider".to_owned())));
    assert_eq!(tree(home.path()), before);
}

#[test]
fn one_file_that_cannot_be_read_keeps_no_other_from_being_judged() {
    let good = fixture("vipps-structured-csv/basic.csv");
    let (ended, text) = avstem(&["check", "--json", &good, "/nowhere/a.csv", &good]);
    assert_eq!(ended.unwrap(), Ended::Failed);
    assert_eq!(answers(&text).len(), 2);

    let (_folder, inbox, home) = folders();
    std::fs::copy(&good, inbox.join("a\u{1b}[2J.csv")).unwrap();
    std::fs::copy(&good, inbox.join("b.csv")).unwrap();
    for closing in ["1 accepted, 1 failed", "1 known before, 1 failed"] {
        let (ended, text) = run(&inbox, &home);
        assert_eq!(ended.unwrap(), Ended::Failed);
        assert!(text.ends_with(&format!("{closing}\n")), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn a_report_of_another_account_registers_nothing() {
    let (_folder, inbox, home) = folders();
    for account in ["T00000002", "T00000003"] {
        avstem(&["account", "add", account, "--home", &home]).0.unwrap();
    }
    let of = |account| ["--account", account, "--home", &home];
    avstem(&[&["account", "add-merchant", "vipps", "654321"], &of("T00000001")[..]].concat()).0.unwrap();
    std::fs::copy(fixture("vipps-portal-csv/basic-17.csv"), inbox.join("a.csv")).unwrap();
    let run = ["run", "--register-merchants", "--inbox", inbox.to_str().unwrap()];
    let (ended, text) = avstem(&[&run[..], &of("T00000002")].concat());
    assert_eq!(ended.unwrap(), Ended::Held);
    assert!(text.contains("TenantMismatch"), "{text}");
    // The number that was nobody's still is.
    let add = [&["account", "add-merchant", "vipps", "123456"], &of("T00000003")[..]].concat();
    assert!(avstem(&add).1.contains("is registered"));
}

#[test]
fn demo_proves_its_reports_and_holds_one_and_can_be_run_again() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("demo");
    let mut events = Vec::new();
    for faults in [&[][..], &["--faults"]] {
        let arguments = [&["demo", "--exit", "--verbose", "--home", folder.to_str().unwrap()], faults].concat();
        let (ended, text) = avstem(&arguments);
        assert_eq!(ended.unwrap(), Ended::Well);
        let (_, posted) = text.split_once("Settlement events at Dintero").unwrap();
        events.push(posted.lines().skip(2).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"));
        assert!(text.contains("12 settlement events") && text.contains("0 settlement events posted again"), "{text}");
        let (_, summary) = text.split_once("Proved settlements").unwrap();
        let proved: Vec<&str> = summary.lines().skip(2).take_while(|line| !line.is_empty()).collect();
        assert_eq!(proved.len(), 6);
        let is_exact = |line: &&str| line.split_whitespace().rev().take(2).eq(["exact", "0.00"]);
        assert!(proved.iter().all(is_exact), "{proved:?}");
        assert!(text.contains("5-vipps-redigert.csv  2000464") && text.contains("sent once more: 0 taken in again"));
    }
    let (_, text) = avstem(&["demo", "--exit", "--home", folder.to_str().unwrap()]);
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(text.lines().count() <= 60 && widest <= Some(120), "{widest:?}\n{text}");
    assert!(events[0].lines().count() == 14 && events[0].contains("A-0877"), "{}", events[0]);
    assert_eq!(events[0], events[1], "faults change nothing of the end");
    let (ended, _) = avstem(&["demo", "--exit", "--home", home.path().to_str().unwrap()]);
    assert!(ended.unwrap_err().to_string().contains("in use by something else"));
}

#[test]
fn convert_writes_the_lines_of_a_proved_report_only() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("lines.parquet");
    let output = target.to_str().unwrap();
    let (ended, _) = avstem(&["convert", &fixture("vipps-portal-csv/bad-total.csv"), "-o", output]);
    assert_eq!(ended.unwrap(), Ended::Held);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let (ended, text) = avstem(&["convert", &fixture("vipps-portal-csv/basic-17.csv"), "-o", output]);
    assert_eq!(ended.unwrap(), Ended::Well);
    assert!(text.contains("lines: 8, settlements: 3") && text.contains("every payout is proved"), "{text}");
    let (_, of_list) =
        avstem(&["convert", &fixture("swedbankpay-sales-xml-v2/basic.xml"), "-o", &format!("{output}.2")]);
    assert!(of_list.contains("settlements without a proved payout: 1"), "{of_list}");
    let lines = tables::read_lines(std::fs::File::open(target).unwrap()).unwrap();
    assert_eq!(lines.map(|line| line.unwrap().terms.net_minor().unwrap()).sum::<i64>(), 131_928 + 58_427 + 34_387);
}

#[test]
fn formats_lists_every_format_with_its_keys() {
    let (ended, text) = avstem(&["formats", "--json"]);
    assert_eq!(ended.unwrap(), Ended::Well);
    let entries = answers(&text);
    assert_eq!(entries.len(), formats::FORMATS.len());
    for entry in &entries {
        let keys: Vec<&String> = entry.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "provider", "payment_products", "file_types", "proof", "surety", "source"]);
    }
}

#[test]
fn a_changed_report_is_held_with_its_rows_released_and_explained() {
    let (_folder, inbox, home_text) = folders();
    let run = || run(&inbox, &home_text);
    let base = std::fs::read_to_string(fixture("vipps-portal-csv/basic-14.csv")).unwrap();
    std::fs::write(inbox.join("first.csv"), &base).unwrap();
    assert_eq!(run().0.unwrap(), Ended::Well);
    std::fs::remove_file(inbox.join("first.csv")).unwrap();
    let changed = base.replace("899,00;-15,73;883,27", "900,00;-15,73;884,27").replace("584,27", "585,27");
    std::fs::write(inbox.join("second.csv"), &changed).unwrap();
    let (ended, text) = run();
    assert_eq!(ended.unwrap(), Ended::Held);
    assert!(
        text.contains(
            "SettlementConflict: row 15: The sale of transaction 5629911801: capture was 899.00 and is 900.00"
        ),
        "{text}"
    );

    let (_, text) = avstem(&["check", "--json", inbox.join("second.csv").to_str().unwrap(), "--home", &home_text]);
    assert_eq!(answers(&text)[0]["kind"], "SettlementConflict");
    let release =
        ["held", "release", "second", "--home", &home_text, "--by", "regnskap", "--why", "Vipps corrected it"];
    let (ended, text) = avstem(&release);
    assert_eq!(ended.unwrap(), Ended::Well, "{text}");
    assert!(text.contains("json") && text.contains("2000462-NOK/v2"), "{text}");
    assert!(!text.contains("2000461-NOK/v2"), "{text}");
    assert!(avstem(&release).0.unwrap_err().to_string().contains("Found no held report"));

    let (ended, text) = avstem(&["explain", "123456/2000462", "--home", &home_text]);
    assert_eq!(ended.unwrap(), Ended::Well);
    for expected in [
        "version 1 from report",
        "version 2 from report",
        "SettlementConflict",
        "RELEASED by regnskap: Vipps corrected it",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert!(avstem(&["explain", "nothing", "--home", &home_text]).0.is_err());
}

#[test]
fn a_merchant_number_belongs_to_one_account() {
    let (_folder, _, home) = folders();
    let home = home.as_str();
    avstem(&["account", "add", "T00000002", "--home", home]).0.unwrap();
    let add =
        |account: &str| avstem(&["account", "add-merchant", "vipps", "123456", "--home", home, "--account", account]);
    assert!(add("T00000001").1.contains("is registered"));
    assert!(add("T00000001").1.contains("was registered before"));
    assert!(add("T00000002").0.unwrap_err().to_string().contains("another account"));
}

#[test]
fn a_notice_told_before_its_list_is_held_against_it() {
    let (folder, inbox, home_text) = folders();
    avstem(&["account", "add-merchant", "swedbankpay", "R4321", "--home", &home_text]).0.unwrap();
    let evidence = folder.path().join("balance.pdf").display().to_string();
    std::fs::write(&evidence, "%PDF-1.4 made up").unwrap();
    let notice = |amount: &str, transferred: &str| {
        let (ended, text) = avstem(&[
            "notice",
            "add",
            "swedbankpay",
            "R4321/R4321-0007",
            "--currency",
            "SEK",
            "--amount",
            amount,
            "--fees",
            "56,00",
            "--vat",
            "14.01",
            "--transferred",
            transferred,
            "--evidence",
            &evidence,
            "--by",
            "regnskap",
            "--home",
            &home_text,
        ]);
        (ended.map_err(|error| error.to_string()), text)
    };
    let list = fixture("swedbankpay-sales-xml-v2/basic.xml");
    let check = || {
        let (ended, text) = avstem(&["check", "--json", &list, "--home", &home_text]);
        (ended.unwrap(), answers(&text).remove(0))
    };
    assert!(notice("2 318,25", "2 248.25").0.unwrap_err().contains("difference -0.01"));
    assert!(notice("2.318", "2 248.24").0.unwrap_err().contains("AmountAmbiguous"));
    let (ended, text) = notice("2 318,26", "2 248.25");
    assert!(ended == Ok(Ended::Well) && text.contains("waits for its list"), "{text}");
    let (ended, answer) = check();
    assert_eq!((ended, &answer["kind"]), (Ended::Held, &"SecondDocument".into()));

    std::fs::copy(&list, inbox.join("list.xml")).unwrap();
    let run = || run(&inbox, &home_text);
    let (ended, text) = run();
    assert!(ended.unwrap() == Ended::Held && text.contains("difference 0.01") && !text.contains("wrote"), "{text}");

    let (ended, text) = notice("2 318,25", "2 248.24");
    assert!(ended == Ok(Ended::Well) && text.contains("exact") && text.contains("wrote csv, json"), "{text}");
    assert_eq!(run().0.unwrap(), Ended::Well);
    let (_, answer) = check();
    assert_eq!(answer["verdict"], "DUPLICATE");
    let settlement = &answer["settlements"][0];
    assert_eq!((&settlement["proof"], &settlement["payout_minor"]), (&"exact".into(), &224_824.into()));
    let (_, text) = avstem(&["explain", "R4321-0007", "--home", &home_text]);
    assert!(text.contains("payout notice by regnskap") && text.contains("agrees with its list"), "{text}");
}

#[test]
fn the_lake_is_built_after_a_run_and_months_are_shown_from_it() {
    let (home, inbox, home_text) = folders();
    std::fs::copy(fixture("vipps-settlement-xml-v3/gross.xml"), inbox.join("a.xml")).unwrap();
    assert_eq!(run(&inbox, &home_text).0.unwrap(), Ended::Well);
    let before = tree(home.path());
    let (ended, text) = avstem(&["lake", "rebuild", "--home", &home_text]);
    assert_eq!(ended.unwrap(), Ended::Well);
    assert!(
        text.contains("1 days of payouts built, 0 files changed") && text.contains("SELECT payout_month"),
        "{text}"
    );
    assert_eq!(tree(home.path()), before);

    let (ended, text) = avstem(&["months", "--home", &home_text]);
    assert_eq!(ended.unwrap(), Ended::Well);
    assert!(text.contains("819.60") && text.contains("2026-10") && text.contains("16.09"), "{text}");
    let (ended, text) = avstem(&["months", "--json", "--home", &home_text]);
    assert_eq!(ended.unwrap(), Ended::Well);
    let paid: i64 = answers(&text).iter().map(|month| month["paid_out_minor"].as_i64().unwrap()).sum();
    assert_eq!(paid, 81_960);
}
