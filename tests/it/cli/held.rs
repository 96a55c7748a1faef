//! A person decides about held reports with nothing but what the screen shows.

use std::path::Path;

use cli::Ended;

use super::{answers, avstem, fixture, folders, run};

/// An inbox whose second report changes what the first brought.
fn corrected(inbox: &Path) {
    let base = std::fs::read_to_string(fixture("vipps-portal-csv/basic-14.csv")).unwrap();
    let changed = base.replace("899,00;-15,73;883,27", "900,00;-15,73;884,27").replace("584,27", "585,27");
    std::fs::write(inbox.join("a first.csv"), &base).unwrap();
    std::fs::write(inbox.join("b second.csv"), &changed).unwrap();
}

/// What stands in backticks or after a colon as a command.
fn command_in<'t>(text: &'t str, beginning: &str) -> Vec<&'t str> {
    let line = text.lines().rev().find_map(|line| line.find(beginning).map(|at| &line[at..])).expect(beginning);
    line.trim_end_matches('`').split_whitespace().skip(1).collect()
}

#[test]
fn a_corrected_report_is_released_by_typing_what_the_screen_shows() {
    let (_folder, inbox, home) = folders();
    corrected(&inbox);
    let (ended, text) = run(&inbox, &home);
    assert_eq!(ended.unwrap(), Ended::Held);
    assert!(text.contains("1 accepted, 1 held\n"), "{text}");
    let (ended, listed) = avstem(&command_in(&text, "avstem held list"));
    assert_eq!(ended.unwrap(), Ended::Held);
    assert!(listed.contains("b second.csv") && listed.contains("SettlementConflict"), "{listed}");
    let show = command_in(&text, "avstem held show");
    let (_, shown) = avstem(&show);
    for expected in ["capture was 899.00 and is 900.00", "585.27 NOK, 584.27 in the version in force", "What to do"] {
        assert!(shown.contains(expected), "{expected} is not in {shown}");
    }
    let mut release = command_in(&shown, "avstem held release");
    release.extend(["--home", &home]);
    let (ended, text) = avstem(&release);
    assert!(ended.unwrap() == Ended::Well && text.contains("2000462-NOK/v2"), "{text}");
    let (ended, text) = avstem(&["held", "list", "--home", &home]);
    assert!(ended.unwrap() == Ended::Well && text == "No report of account T00000001 is held\n", "{text}");
}

#[test]
fn a_held_report_is_named_by_id_file_or_settlement_and_an_ambiguous_word_is_refused() {
    let (_folder, inbox, home) = folders();
    corrected(&inbox);
    std::fs::write(inbox.join("b third.csv"), "a note;and no report\n").unwrap();
    run(&inbox, &home).0.unwrap();
    let show = |word: &str| avstem(&["held", "show", word, "--json", "--home", &home]);
    let all = answers(&avstem(&["held", "list", "--json", "--home", &home]).1);
    assert_eq!(all.len(), 2);
    for held in &all {
        let (id, file) = (held["report_id"].as_str().unwrap(), held["file"].as_str().unwrap());
        for word in [id, &id[..12], &id[..5].to_uppercase(), file, &file[..4]] {
            let (ended, text) = show(word);
            assert_eq!(ended.map_err(|error| error.to_string()), Ok(Ended::Held), "{word}");
            assert_eq!(answers(&text)[0]["report_id"], id, "{word}");
        }
    }
    let conflict = all.iter().find(|held| held["kind"] == "SettlementConflict").unwrap();
    let settlement = &conflict["settlements"][0];
    let id = settlement["settlement_id"].as_str().unwrap();
    assert_eq!(answers(&show(&format!("123456/{id}")).1)[0]["report_id"], conflict["report_id"]);
    let refused = show("b ").0.unwrap_err().to_string();
    assert!(refused.contains("names 2 held reports") && refused.contains("b third.csv"), "{refused}");
    assert!(show("nothing").0.unwrap_err().to_string().contains("which has 2"));
    assert!(show("").0.is_err());
}

#[test]
fn a_dismissed_report_waits_no_more_and_can_be_held_again() {
    let (_folder, inbox, home) = folders();
    std::fs::copy(fixture("vipps-portal-csv/row-arithmetic.csv"), inbox.join("edited.csv")).unwrap();
    run(&inbox, &home).0.unwrap();
    let decide =
        |word: &str| avstem(&["held", word, "edited.csv", "--by", "Kari", "--why", "edited by hand", "--home", &home]);
    assert!(decide("reopen").0.is_err());
    assert!(decide("release").0.unwrap_err().to_string().contains("nothing else can be released"));
    assert_eq!(decide("dismiss").0.unwrap(), Ended::Well);
    assert_eq!(avstem(&["held", "list", "--home", &home]).0.unwrap(), Ended::Well);
    let (ended, text) = run(&inbox, &home);
    assert!(ended.unwrap() == Ended::Well && text.contains("Kari dismissed this report: edited by hand"), "{text}");
    let (_, text) = avstem(&["explain", "edited.csv", "--home", &home]);
    assert!(text.contains("DISMISSED by Kari: edited by hand"), "{text}");
    assert_eq!(decide("reopen").0.unwrap(), Ended::Held);
    assert_eq!(avstem(&["held", "list", "--home", &home]).0.unwrap(), Ended::Held);
}

#[test]
fn explain_finds_settlements_reports_files_and_orders() {
    let (_folder, inbox, home) = folders();
    corrected(&inbox);
    run(&inbox, &home).0.unwrap();
    let explain = |word: &str| avstem(&["explain", word, "--home", &home]);
    let held = answers(&avstem(&["held", "list", "--json", "--home", &home]).1).remove(0);
    let short = &held["report_id"].as_str().unwrap()[..6];
    for word in [short, "b second.csv"] {
        let (ended, text) = explain(word);
        assert!(ended.unwrap() == Ended::Well && text.contains("it waits: avstem held show"), "{text}");
    }
    let (_, text) = explain("2000462");
    assert!(text.contains("settlement T00000001/vipps/123456/2000462/NOK"), "{text}");
    let (_, text) = explain("5629911801");
    assert!(text.contains("of settlement 123456/2000462") && text.contains("it was not matched yet"), "{text}");
    let answer = answers(&avstem(&["explain", "5629911801", "--json", "--home", &home]).1).remove(0);
    assert_eq!(answer["lines"][0]["net_minor"], 88_327);
    assert!(explain("nothing").0.is_err() && explain("abc").0.is_err());
}

#[test]
fn a_held_report_stays_in_its_month_after_its_upload_has_expired() {
    let (folder, inbox, home) = folders();
    std::fs::copy(fixture("vipps-settlement-xml-v3/gross.xml"), inbox.join("a.xml")).unwrap();
    std::fs::copy(fixture("vipps-portal-csv/row-arithmetic.csv"), inbox.join("b.csv")).unwrap();
    run(&inbox, &home).0.unwrap();
    let now = jiff::Timestamp::now().in_tz("Europe/Oslo").unwrap();
    let month = now.strftime("%Y-%m").to_string();
    let apart = || {
        let (_, text) = avstem(&["summary", "--month", &month, "--json", "--home", &home]);
        answers(&text).remove(0)["summary"]["content"]["apart"].clone()
    };
    let before = apart();
    assert!(before.to_string().contains("b.csv"), "{before}");
    std::fs::remove_dir_all(folder.path().join("home/landing")).unwrap();
    assert_eq!(apart(), before);
}
