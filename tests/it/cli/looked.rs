//! A command that looked at nothing never says that all is well, and makes nothing.

use std::path::Path;

use cli::Ended;

use super::{avstem, fixture, folders, run};

/// Every command that looks at a home, with arguments that are right.
const COMMANDS: &[&[&str]] = &[
    &["run", "--inbox", "."],
    &["held", "list"],
    &["held", "show", "a"],
    &["held", "release", "a", "--by", "a", "--why", "b"],
    &["held", "dismiss", "a", "--by", "a", "--why", "b"],
    &["held", "reopen", "a", "--by", "a", "--why", "b"],
    &["lake", "build"],
    &["lake", "rebuild"],
    &["months"],
    &["summary"],
    &["account", "show"],
    &["account", "set", "--name", "a"],
    &["account", "add-merchant", "vipps", "123456"],
    &["account", "move-merchant", "vipps", "123456", "--to", "T00000002"],
    &["mail"],
    &["recipient", "list"],
    &["recipient", "add", "a@example.no"],
    &["recipient", "confirm", "a@example.no", "00"],
    &["recipient", "remove", "a@example.no"],
    &["post"],
    &["sync"],
    &["match"],
    &["unsettled"],
    &["resolve", "vipps", "123456/1", "T1.x", "--posted", "--by", "a"],
    &["transaction", "T1.x"],
    &["replay", "--undone"],
    &["backfill"],
    &["audit", "--month", "2026-10"],
    &["explain", "a"],
];

#[test]
fn an_unknown_home_is_an_error_and_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("typo");
    let of_home = [&["posting", "stop", "--by", "a"][..], &["posting", "go", "--by", "a"], &["account", "list"]];
    for command in COMMANDS.iter().chain(&of_home) {
        let (ended, text) = avstem(&[command, &["--home", home.to_str().unwrap()][..]].concat());
        let error = cli::explained(&ended.expect_err(&command.join(" ")));
        assert!(error.contains("Found no home of avstem") && text.is_empty(), "{command:?}: {error}");
    }
    let report = fixture("vipps-settlement-xml-v3/gross.xml");
    assert!(avstem(&["check", &report, "--home", home.to_str().unwrap()]).0.is_err());
    assert!(avstem(&["check", &report, "--account", "T00000001"]).0.is_err());
    assert!(!home.exists());
}

#[test]
fn an_unknown_account_is_an_error_and_is_not_made() {
    let (_folder, _, home) = folders();
    for command in COMMANDS {
        let (ended, text) = avstem(&[command, &["--home", &home, "--account", "T00000009"][..]].concat());
        let error = ended.expect_err(&command.join(" ")).to_string();
        assert!(error.contains("Found no account T00000009") && text.is_empty(), "{command:?}: {error}");
    }
    assert!(!avstem(&["account", "list", "--home", &home]).1.contains("T00000009"));
}

#[test]
fn an_account_without_reports_is_no_all_clear() {
    let (_folder, _, home) = folders();
    for (command, why) in [
        (&["held", "list"][..], "nothing was looked at"),
        (&["months"], "nothing to show"),
        (&["summary"], "nothing to summarise"),
        (&["mail"], "nothing was looked at"),
        (&["match"], "nothing was looked at"),
        (&["unsettled"], "nothing was looked at"),
        (&["replay", "--undone"], "none was looked at"),
        (&["replay", "--since", "2020-01-01"], "Found no upload"),
        (&["backfill"], "nothing to take in"),
        (&["backfill", "--apply"], "nothing was taken in"),
        (&["lake", "build"], "nothing to build"),
        (&["lake", "rebuild"], "nothing to build"),
    ] {
        let (ended, _) = avstem(&[command, &["--home", &home]].concat());
        let error = ended.expect_err(&command.join(" ")).to_string();
        assert!(error.contains(why), "{command:?}: {error}");
    }
}

#[test]
fn without_transactions_nothing_is_matched_and_nothing_is_missing() {
    let (_folder, inbox, home) = folders();
    std::fs::copy(fixture("vipps-settlement-xml-v3/gross.xml"), inbox.join("a.xml")).unwrap();
    assert_eq!(run(&inbox, &home).0.unwrap(), Ended::Well);
    for command in ["match", "unsettled"] {
        let (ended, text) = avstem(&[command, "--home", &home]);
        assert!(ended.unwrap_err().to_string().contains("avstem sync") && text.is_empty(), "{text}");
    }
}

#[test]
fn what_is_missing_says_what_was_looked_at_and_fails_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("demo").display().to_string();
    avstem(&["demo", "--exit", "--home", &home]).0.unwrap();
    let (ended, text) = avstem(&["unsettled", "--today", "2026-10-21", "--home", &home]);
    assert_eq!(ended.unwrap(), Ended::Held);
    assert!(text.contains("looked at: 12 transactions from ") && text.contains("6 settlements"), "{text}");
    let (ended, _) = avstem(&["unsettled", "--today", "2026-12-21", "--home", &home]);
    assert!(ended.unwrap_err().to_string().contains("known until"));
    let (ended, text) = avstem(&["match", "--home", &home]);
    assert_eq!(ended.unwrap(), Ended::Held);
    assert!(text.contains("A-1003") && text.contains("323.00 SEK") && text.contains("held against"), "{text}");
}

#[test]
fn an_error_says_each_cause_once() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("state.sqlite"), "no database").unwrap();
    let (ended, _) = avstem(&["held", "list", "--home", home.to_str().unwrap()]);
    let error = cli::explained(&ended.unwrap_err());
    assert_eq!(error.matches("not a database").count(), 1, "{error}");
    let (ended, _) = avstem(&["check", Path::new(env!("CARGO_MANIFEST_DIR")).to_str().unwrap()]);
    assert_eq!(ended.unwrap(), Ended::Failed);
}
