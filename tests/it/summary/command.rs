//! `avstem summary` as a person or a script uses it.

use std::collections::BTreeSet;
use std::path::Path;

use cli::Ended;
use serde_json::Value;

use crate::cli::avstem;

#[test]
fn the_demo_writes_the_month_and_the_command_says_where_it_lies() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().join("demo");
    let folder = home.to_str().unwrap();
    let (ended, text) = avstem(&["demo", "--exit", "--verbose", "--home", folder]);
    assert_eq!(ended.unwrap(), Ended::Well);
    let (_, text) = text.split_once("In transit when the month began").unwrap();
    assert!(text.contains("2026-10 revision 1\n"), "{text}");
    assert!(
        text.contains("apart: held_report vipps 5-vipps-redigert.csv") && text.contains("QUARANTINED(RowArithmetic)")
    );
    let written: BTreeSet<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("wrote ")).collect();
    assert!(written.len() == 6 && written.iter().all(|file| Path::new(file).is_file()), "{written:?}");

    let (ended, answer) = avstem(&["summary", "--home", folder, "--month", "2026-10", "--json"]);
    assert_eq!(ended.unwrap(), Ended::Well);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let files: BTreeSet<&str> = answer["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert!(answer["is_new"] == false && answer["summary"]["revision"] == 1 && files == written, "{answer}");
    let payouts = answer["summary"]["content"]["payouts"].as_array().unwrap();
    let paid = |currency: &str| {
        let own = payouts.iter().filter(|payout| payout["currency"] == currency);
        own.map(|payout| payout["payout_minor"].as_i64().unwrap()).sum::<i64>()
    };
    // As the demo's own table of proved settlements has them.
    assert_eq!((paid("NOK"), paid("SEK")), (131_928 + 58_427 + 34_387 + 81_960 + 48_764, 224_824));
    // The fee that the notice tells is of no transaction, and nothing that a transaction is missing for.
    let unmatched = |apart: &&Value| apart["kind"] == "unmatched" && apart["state"] == "not_matched";
    assert_eq!(answer["summary"]["content"]["apart"].as_array().unwrap().iter().filter(unmatched).count(), 0);

    let (ended, text) = avstem(&["summary", "--home", folder, "--month", "2026-10"]);
    assert!(ended.unwrap() == Ended::Well && text.starts_with("2026-10 revision 1, as it stands\n"), "{text}");
    let (ended, text) = avstem(&["summary", "--home", folder, "--month", "2999-01"]);
    assert!(ended.unwrap() == Ended::Well && text.contains("the month is not over, and nothing is written"), "{text}");
    assert!(avstem(&["summary", "--home", folder, "--month", "2026-13"]).0.is_err());
}
