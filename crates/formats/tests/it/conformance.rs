//! Files that nobody here wrote, when `AVSTEM_SAMPLES` names the folder they lie in, and made-up ones with traits of real
//! files, when `AVSTEM_CASES` names the folder that they and their `expected.json` lie in.

use std::path::PathBuf;

use settlement::{Kind, Proof, Verdict};

use crate::judged::judged;

/// Each file with its verdict, its first kind and row, and the payouts it proves in minor units.
type Expected = (&'static str, Verdict, Option<(Kind, Option<u64>)>, &'static [(&'static str, i64)]);

const VIPPS: &[Expected] = &[
    ("details-2026-03-one-day.REDACTED.csv", Verdict::Accepted, None, &[("2000167", 265_275)]),
    ("Example-Net.xml", Verdict::Accepted, None, &[("2000001", 1_500), ("2000002", 200)]),
    (
        "portal-17col-2019-04.REDACTED.csv",
        Verdict::Quarantined,
        Some((Kind::RowArithmetic, Some(23))),
        &[
            ("2000105", 34_387),
            ("2000106", 44_212),
            ("2000107", 4_912),
            ("2000108", 4_912),
            ("2000007", 9_825),
            ("2000110", 39_300),
            ("2000111", 24_562),
            ("2000112", 9_825),
            ("2000008", 982),
            ("2000113", 34_387),
            ("2000114", 4_912),
            ("2000115", 4_912),
        ],
    ),
    ("settlement-report.2018-10-13.csv", Verdict::Quarantined, Some((Kind::DuplicateTransaction, Some(13))), &[]),
    ("SettlementReport-2.0.xsd", Verdict::Rejected, Some((Kind::UnknownLayout, None)), &[]),
    ("SettlementReport-3.0.xsd", Verdict::Rejected, Some((Kind::UnknownLayout, None)), &[]),
    ("report-api-ledgers.TRANSCRIBED.json", Verdict::Rejected, Some((Kind::UnknownLayout, None)), &[]),
];

/// Number of lines, captures and refunds in minor units; none of these lists states a payout.
const SWEDBANK_PAY: &[(&str, &str, u64, i64, i64)] = &[
    ("R1234-0001-Redovisningsservice.xml", "swedbankpay-sales-xml-v2", 134, 12_584_000, -89_000),
    ("R1234-0001-Redovisningsservice.xlsx", "swedbankpay-sales-xlsx-v2", 134, 12_584_000, -89_000),
    ("transaktionsstatistik-redovisningsservice.xml", "swedbankpay-sales-xml-v1", 239, 9_019_100, -136_800),
];

#[test]
fn lists_of_swedbank_pay_are_proved_as_far_as_they_go() {
    let Some(samples) = std::env::var_os("AVSTEM_SAMPLES").map(PathBuf::from) else {
        println!("AVSTEM_SAMPLES is not set: nothing to hold against");
        return;
    };
    let mut hashes = Vec::new();
    for (name, format, lines, capture_minor, refund_minor) in SWEDBANK_PAY {
        let judgement = judged(name, &std::fs::read(samples.join("swedbankpay").join(name)).unwrap());
        assert_eq!(judgement.problems.verdict(), Verdict::Accepted, "{name}: {:?}", judgement.problems.list());
        assert_eq!(judgement.format.map(|format| format.id), Some(*format));
        let [settlement] = judgement.settlements.as_slice() else { panic!("{name} is one settlement") };
        assert_eq!((settlement.lines, settlement.proof), (*lines, Proof::GrossOnly), "{name}");
        assert_eq!(settlement.sums.capture_minor, *capture_minor, "{name}");
        assert_eq!(settlement.sums.refund_minor, *refund_minor, "{name}");
        hashes.push(settlement.hash);
    }
    assert_eq!(hashes[0], hashes[1], "XML and workbook of one list say the same");
    for name in ["R1234-0001-Redovisningsservice.pdf", "r1234-0001-redov.service.pdf"] {
        let judgement = judged(name, &std::fs::read(samples.join("swedbankpay").join(name)).unwrap());
        assert_eq!(judgement.kind(), Some(Kind::UnknownLayout), "{name}");
    }
}

#[test]
fn samples_of_others_get_the_verdict_they_deserve() {
    let Some(samples) = std::env::var_os("AVSTEM_SAMPLES").map(PathBuf::from) else {
        println!("AVSTEM_SAMPLES is not set: nothing to hold against");
        return;
    };
    for (name, verdict, first, payouts) in VIPPS {
        let bytes = std::fs::read(samples.join("vipps").join(name)).unwrap();
        let judgement = judged(name, &bytes);
        assert_eq!(judgement.problems.verdict(), *verdict, "{name}");
        let error = judgement.problems.first_error().map(|problem| (problem.kind, problem.row));
        assert_eq!(error, *first, "{name}");
        let proved = judgement.settlements.iter().filter(|settlement| settlement.difference_minor() == Some(0));
        let found: Vec<(&str, i64)> =
            proved.map(|s| (s.head.settlement_id.as_str(), s.payout_minor.unwrap())).collect();
        assert_eq!(found, *payouts, "{name}");
    }
}

/// What of a settlement the expectations state, by their words.
fn stated(settlement: &settlement::Settlement, word: &str) -> serde_json::Value {
    match word {
        "settlement_id" => settlement.head.settlement_id.as_str().into(),
        "merchant_number" => settlement.head.merchant_number.as_str().into(),
        "lines" => settlement.lines.into(),
        "capture" => settlement.sums.capture_minor.into(),
        "refund" => settlement.sums.refund_minor.into(),
        "fee" => settlement.sums.fee_minor.into(),
        "payout" => settlement.payout_minor.into(),
        word => panic!("nothing is known of {word}"),
    }
}

#[test]
fn cases_of_others_get_their_verdict_and_their_sums() {
    let Some(cases) = std::env::var_os("AVSTEM_CASES").map(PathBuf::from) else {
        println!("AVSTEM_CASES is not set: nothing to hold against");
        return;
    };
    let expected = std::fs::read(cases.join("expected.json")).unwrap();
    let expected: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&expected).unwrap();
    for (name, case) in &expected {
        let judgement = judged(name, &std::fs::read(cases.join(name)).unwrap());
        let verdict = judgement.problems.verdict().to_string();
        let allowed: Vec<&str> = case["verdict"].as_str().unwrap().split('|').collect();
        assert!(allowed.contains(&verdict.as_str()), "{name} is {verdict}: {:?}", judgement.problems.list());
        let settlements = case["settlements"].as_array().filter(|_| verdict == "ACCEPTED");
        for (place, expected) in settlements.into_iter().flatten().enumerate() {
            for (word, value) in expected.as_object().unwrap() {
                assert_eq!(&stated(&judgement.settlements[place], word), value, "{name}: {word}");
            }
        }
        assert!(settlements.is_none_or(|all| all.len() == judgement.settlements.len()), "{name}");
    }
}
