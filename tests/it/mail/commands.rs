//! The commands about mails, as a person uses them.

use std::fs;
use std::path::{Path, PathBuf};

use cli::Ended;

use crate::cli::{avstem, begin, run};

fn outbox(home: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.join("outbox")).map(|entries| entries.map(|entry| entry.unwrap().path()));
    entries.map(Iterator::collect).unwrap_or_default()
}

#[test]
fn a_recipient_is_added_confirms_is_told_once_and_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, home) = (folder.path().join("inbox"), folder.path().join("home"));
    fs::create_dir_all(&inbox).unwrap();
    let report = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/vipps-settlement-xml-v3/gross.xml");
    fs::copy(report, inbox.join("gross.xml")).unwrap();
    let home_text = home.display().to_string();
    let at_home = |arguments: &[&str]| avstem(&[arguments, &["--home", &home_text]].concat());
    begin(&home_text);
    assert_eq!(run(&inbox, &home_text).0.unwrap(), Ended::Well);
    assert!(at_home(&["account", "set", "--name", "Butikk\r\nBcc: x@example.no"]).0.is_err());
    assert_eq!(at_home(&["account", "set", "--name", "Butikk AS"]).0.unwrap(), Ended::Well);
    for wrong in ["a@example.no,b@example.no", "nobody", "a@example.no\r\nBcc: b@example.no"] {
        assert!(at_home(&["recipient", "add", wrong]).0.is_err(), "{wrong:?}");
    }
    let add = ["recipient", "add", "Regnskap@Example.no", "--from", "2020-01-01", "--rhythm", "payout,weekly"];
    let (ended, text) = at_home(&add);
    assert_eq!(ended.unwrap(), Ended::Well);
    assert!(text.contains("WRITTEN   regnskap@example.no  Butikk AS – bekreft"), "{text}");
    assert_eq!((at_home(&["mail"]).0.unwrap(), outbox(&home).len()), (Ended::Well, 1));
    let question = fs::read_to_string(&outbox(&home)[0]).unwrap();
    let is_code = |line: &&str| line.len() == 32 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = question.lines().find(is_code).expect("a code");
    assert!(at_home(&["recipient", "confirm", "regnskap@example.no", "0123"]).0.is_err());
    assert!(at_home(&["recipient", "list"]).1.contains("not confirmed"));
    assert_eq!(at_home(&["recipient", "confirm", "regnskap@example.no", code]).0.unwrap(), Ended::Well);
    let (_, text) = at_home(&["recipient", "list"]);
    assert!(
        text.starts_with("regnskap@example.no  person, nb, payout and weekly, from 2020-01-01, confirmed "),
        "{text}"
    );
    let (ended, text) = at_home(&["mail"]);
    assert_eq!(ended.unwrap(), Ended::Well);
    assert!(text.contains("Butikk AS – Vipps utbetaling 20. okt. 2026 – 819,60 NOK (2000090)"), "{text}");
    assert_eq!(outbox(&home).len(), 2);
    assert!(at_home(&["mail"]).1.starts_with("Nothing is due for 1 confirmed of 1 recipients"));
    // What is not named stays as it is.
    let (_, text) = at_home(&["recipient", "add", "regnskap@example.no", "--language", "sv"]);
    assert!(
        text.contains("was known: changed") && text.contains("person, sv, payout and weekly, from 2020-01-01"),
        "{text}"
    );
    assert!(at_home(&["recipient", "add", "regnskap@example.no"]).1.contains("nothing changed"));
    assert_eq!(
        (at_home(&["recipient", "remove", "regnskap@example.no"]).0.unwrap(), outbox(&home).len()),
        (Ended::Well, 2)
    );
    assert!(at_home(&["recipient", "remove", "regnskap@example.no"]).0.is_err());
    assert!(at_home(&["recipient", "list"]).1.starts_with("Nobody is told"));
    assert!(at_home(&["mail"]).0.unwrap_err().to_string().contains("nothing was looked at"));
}
