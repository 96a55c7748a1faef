//! Damaged files are held, or say the same money as before. They never panic.

use std::collections::BTreeMap;

use fixtures::files;
use fixtures::generate::{Seed, portal_csv, report};
use settlement::{Kind, Settlement};

use crate::judged::judged;

/// Small good files, one of each layout and encoding.
const GOOD: &[&str] = &[
    "swedbankpay-sales-xlsx-v1/one-row.xlsx",
    "swedbankpay-sales-xlsx-v2/one-row.xlsx",
    "swedbankpay-sales-xml-v1/one-row.xml",
    "swedbankpay-sales-xml-v2/one-row.xml",
    "swedbankpay-sales-xml-v2/two-currencies.xml",
    "vipps-details-csv/fee-given-back.csv",
    "vipps-details-csv/invoiced-fees.csv",
    "vipps-details-csv/utf-16.csv",
    "vipps-details-xlsx/basic.xlsx",
    "vipps-portal-csv/basic-17.csv",
    "vipps-portal-csv/one-line.csv",
    "vipps-portal-csv/utf-16.csv",
    "vipps-portal-csv/quoted.csv",
    "vipps-portal-csv/windows-1252.csv",
    "vipps-portal-csv/zipped.csv.zip",
    "vipps-portal-xlsx/one-line.xlsx",
    "vipps-portal-xlsx/stored.xlsx",
    "vipps-settlement-xml-v3/one-line.xml",
    "vipps-settlement-xml-v3/references.xml",
    "vipps-settlement-xml-v3/zipped.xml.zip",
    "vipps-structured-csv/basic.csv",
    "vipps-structured-csv/refund-outside-net.csv",
];

/// What a file says, field by field: of each settlement its name, days and money, of each line all it has.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    settlements: Vec<Vec<String>>,
    lines: Vec<Vec<String>>,
}

/// What an accepted file says; `None` when it is held.
fn said(name: &str, bytes: &[u8]) -> Option<Said> {
    let judged = judged(name, bytes);
    if judged.problems.has_errors() {
        return None;
    }
    let fields = |settlement: &Settlement| {
        let Settlement { head, lines, sums, payout_minor, stated, period_from, period_to, .. } = settlement;
        let mut fields =
            vec![head.merchant_number.to_string(), head.settlement_id.to_string(), head.currency.to_string()];
        fields.extend([head.payout_on.to_string(), format!("{period_from:?}"), format!("{period_to:?}")]);
        fields.extend([lines.to_string(), format!("{payout_minor:?}"), format!("{:?}", stated.gross_minor)]);
        fields.extend(sums.named().map(|(_, minor)| minor.to_string()));
        fields
    };
    Some(Said { settlements: judged.settlements.iter().map(fields).collect(), lines: judged.lines })
}

/// Money of each settlement, by its name.
type Money = BTreeMap<Vec<String>, Vec<String>>;

fn money_of(said: &Said) -> Money {
    said.settlements.iter().map(|fields| (fields[..3].to_vec(), fields[6..].to_vec())).collect()
}

fn money(name: &str, bytes: &[u8]) -> Option<Money> {
    said(name, bytes).as_ref().map(money_of)
}

fn good() -> impl Iterator<Item = (&'static str, Vec<u8>, Said)> {
    GOOD.iter().map(|name| {
        let bytes = files::read(name);
        assert!(bytes.len() <= 6 * 1024, "{name} is too large to be damaged everywhere");
        let said = said(name, &bytes).expect("a good file is accepted");
        (*name, bytes, said)
    })
}

fn is_packed(name: &str) -> bool {
    name.ends_with(".xlsx") || name.ends_with(".zip")
}

/// A portal file states no number of settlements: cut between two of them it is a shorter file that is whole.
#[test]
fn a_file_cut_at_any_byte_is_held_or_says_the_same_of_whole_settlements() {
    for (name, bytes, whole) in good() {
        let whole = money_of(&whole);
        let mut accepted = 0;
        for end in 0..bytes.len() {
            let Some(cut) = money(name, &bytes[..end]) else { continue };
            if cut.is_empty() {
                // A header alone is an empty period, and entries of a ledger without their payout wait.
                let is_text = !is_packed(name) && !name.ends_with(".xml") && !name.starts_with("vipps-structured-csv/");
                assert!(is_text, "{name} cut at {end}");
                continue;
            }
            accepted += 1;
            assert!(cut.iter().all(|(key, money)| whole.get(key) == Some(money)), "{name} cut at {end}");
            let lost_only_blanks = bytes[end..].iter().all(u8::is_ascii_whitespace) || name.contains("utf-16");
            assert!(lost_only_blanks || cut.len() < whole.len(), "{name} cut at {end}");
        }
        // One blank at the end may go, and each boundary between settlements has one line end before it.
        let allowed = if is_packed(name) { 0 } else { 4 * whole.len() };
        assert!(accepted <= allowed, "{name}: {accepted} cuts accepted");
    }
}

/// How many fields differ; `None` when there are more or fewer settlements or lines.
fn differing(a: &[Vec<String>], b: &[Vec<String>]) -> Option<usize> {
    let pairs = || a.iter().zip(b);
    let same_shape = a.len() == b.len() && pairs().all(|(a, b)| a.len() == b.len());
    same_shape.then(|| pairs().map(|(a, b)| a.iter().zip(b).filter(|(a, b)| a != b).count()).sum())
}

/// A changed byte of plain text may turn one id or day into another that is as good: no sum guards it. It then changes
/// that and nothing else, and never money. What is packed has a checksum, and so nothing in it may change.
#[test]
fn a_changed_byte_is_held_or_changes_no_money_and_at_most_the_id_or_day_it_stands_in() {
    std::thread::scope(|scope| {
        for (name, bytes, whole) in good() {
            scope.spawn(move || change_every_byte(name, bytes, &whole));
        }
    });
}

fn change_every_byte(name: &str, mut bytes: Vec<u8>, whole: &Said) {
    const VALUES: [u8; 16] = *b"\x00\n\r \";,.-019<A\xc3\xff";
    let amounts = |said: &Said| said.settlements.iter().map(|s| s[6..].to_vec()).collect::<Vec<_>>();
    for place in 0..bytes.len() {
        let kept = bytes[place];
        for value in VALUES.into_iter().chain([kept ^ 1, kept ^ 0x80]) {
            bytes[place] = value;
            let Some(changed) = said(name, &bytes) else { continue };
            if changed.settlements.is_empty() && name.starts_with("vipps-details") {
                // An entry of another merchant: what lacks it waits.
                continue;
            }
            let context = || format!("{name} with {value:#04x} at {place}: {changed:?}");
            assert_eq!(amounts(&changed), amounts(whole), "{}", context());
            let lines = differing(&changed.lines, &as_far_as_named(&changed.lines, &whole.lines))
                .unwrap_or_else(|| panic!("{}", context()));
            let settlements = differing(&changed.settlements, &whole.settlements);
            let settlements = settlements.unwrap_or_else(|| panic!("{}", context()));
            match is_packed(name) {
                true => assert_eq!((settlements, lines), (0, 0), "{}", context()),
                // The time of a line is also its day; an id may be part of another, in every settlement.
                false => assert!(lines <= 2 && settlements <= 2 * whole.settlements.len(), "{}", context()),
            }
        }
        bytes[place] = kept;
    }
}

/// The lines without the provider's methods, where the changed file has none: the head of a column that proves no money may
/// be lost, and its texts with it.
fn as_far_as_named(changed: &[Vec<String>], whole: &[Vec<String>]) -> Vec<Vec<String>> {
    const METHOD: usize = 13;
    let mut whole = whole.to_vec();
    if changed.iter().all(|line| line[METHOD].is_empty()) {
        whole.iter_mut().for_each(|line| line[METHOD].clear());
    }
    whole
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
    let judged = judged("a.csv", &portal_csv(&report));
    let problems = &judged.problems;
    assert_eq!(judged.kind(), Some(Kind::DuplicateTransaction));
    // Every row but the first repeats it; what is alike is listed a few times.
    assert_eq!((problems.count(), problems.list().len()), (2_499, 3));
    assert!(problems.list()[2].message.ends_with("… and 2496 more rows like it"), "{:?}", problems.list()[2]);
}
