//! Damaged files are held, or say the same money as before. They never panic.

use std::collections::BTreeMap;
use std::path::Path;

use settlement::Kind;
use tests::generate::{Seed, portal_csv, report};
use tests::verdicts::judged;

/// Small good files, one of each layout and encoding.
const GOOD: &[&str] = &[
    "vipps-portal-csv/basic-17.csv",
    "vipps-portal-csv/one-line.csv",
    "vipps-portal-csv/utf-16.csv",
    "vipps-portal-csv/quoted.csv",
    "vipps-portal-csv/windows-1252.csv",
    "vipps-settlement-xml-v3/one-line.xml",
    "vipps-settlement-xml-v3/references.xml",
    "vipps-structured-csv/basic.csv",
    "vipps-structured-csv/refund-outside-net.csv",
];

/// Money of each settlement: lines, captures, refunds, fees, payout.
type Money = BTreeMap<(String, String), (u64, i64, i64, i64, Option<i64>)>;

/// What an accepted file says; `None` when it is held.
fn money(name: &str, bytes: &[u8]) -> Option<Money> {
    let judgement = judged(name, bytes);
    if judgement.problems.has_errors() {
        return None;
    }
    let settlements = judgement.settlements.iter().map(|settlement| {
        let (head, sums) = (&settlement.head, &settlement.sums);
        let key = (head.merchant_number.clone(), head.settlement_id.clone());
        (key, (settlement.lines, sums.capture_minor, sums.refund_minor, sums.fee_minor, settlement.payout_minor))
    });
    Some(settlements.collect())
}

fn good() -> impl Iterator<Item = (&'static str, Vec<u8>, Money)> {
    GOOD.iter().map(|name| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports").join(name);
        let bytes = std::fs::read(path).unwrap();
        let money = money(name, &bytes).expect("a good file is accepted");
        (*name, bytes, money)
    })
}

/// A portal file states no number of settlements: cut between two of them it is a shorter file that is whole.
#[test]
fn a_file_cut_at_any_byte_is_held_or_says_the_same_of_whole_settlements() {
    for (name, bytes, whole) in good() {
        let mut accepted = 0;
        for end in 0..bytes.len() {
            let Some(cut) = money(name, &bytes[..end]) else { continue };
            accepted += 1;
            assert!(
                !cut.is_empty() && cut.iter().all(|(key, money)| whole.get(key) == Some(money)),
                "{name} cut at {end}"
            );
            let lost_only_blanks = bytes[end..].iter().all(u8::is_ascii_whitespace) || name.contains("utf-16");
            assert!(lost_only_blanks || cut.len() < whole.len(), "{name} cut at {end}");
        }
        // One blank at the end may go, and each boundary between settlements has one line end before it.
        assert!(accepted <= 4 * whole.len(), "{name}: {accepted} cuts accepted");
    }
}

/// Totals that one byte can change together do not exist in these layouts; ids and dates are not money.
#[test]
fn a_changed_byte_is_held_or_leaves_all_money_as_it_was() {
    const VALUES: [u8; 16] = *b"\x00\n\r \";,.-019<A\xc3\xff";
    for (name, mut bytes, whole) in good() {
        let amounts = |money: &Money| money.values().copied().collect::<Vec<_>>();
        for place in 0..bytes.len() {
            let kept = bytes[place];
            for value in VALUES.into_iter().chain([kept ^ 1, kept ^ 0x80]) {
                bytes[place] = value;
                if let Some(changed) = money(name, &bytes) {
                    let same = amounts(&changed) == amounts(&whole);
                    assert!(same, "{name} with {value:#04x} at {place}: {changed:?}");
                }
            }
            bytes[place] = kept;
        }
    }
}

#[test]
fn a_row_twice_or_left_out_is_held() {
    for (name, bytes, _) in good().filter(|(name, ..)| name.ends_with("-17.csv") || name.contains("structured")) {
        let text = String::from_utf8(bytes).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        let is_line =
            |row: &str| row.contains(";Salg;") || row.contains(";Refundering;") || row.starts_with("TransactionInfo,1");
        for (place, row) in rows.iter().enumerate().filter(|(_, row)| is_line(row)) {
            let mut twice = rows.clone();
            twice.insert(place, row);
            assert_eq!(money(name, twice.join("\n").as_bytes()), None, "{name} row {place} twice");
            let mut without = rows.clone();
            without.remove(place);
            assert_eq!(money(name, without.join("\n").as_bytes()), None, "{name} row {place} left out");
        }
    }
}

#[test]
fn problems_that_are_not_listed_are_counted() {
    let mut report = report(&mut Seed(1), 1, 1);
    let line = report.settlements[0].lines[0].clone();
    report.settlements[0].lines = vec![line; 2_500];
    let judgement = judged("a.csv", &portal_csv(&report));
    let problems = &judgement.problems;
    assert_eq!(judgement.kind(), Some(Kind::DuplicateTransaction));
    // Every row but the first repeats it.
    assert_eq!(problems.list().len() as u64 + problems.beyond_limit(), 2_499);
}
