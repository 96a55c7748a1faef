//! What must hold for every report there could be.

use fixtures::generate::{Report, Seed, details_csv, portal_csv, report, structured_csv, xml};
use fixtures::workbook::{archive, portal_xlsx};
use formats::{DecimalMark, Limits, parse_minor};
use proptest::prelude::*;
use settlement::{AMOUNT_MINOR_MAX, MajorUnits, SettlementHash};

use crate::judged::judged;

fn hashes(name: &str, bytes: &[u8]) -> Vec<SettlementHash> {
    let judgement = judged(name, bytes);
    assert!(!judgement.problems.has_errors(), "{name}: {:?}", judgement.problems.list());
    judgement.settlements.iter().map(|settlement| settlement.hash.unwrap()).collect()
}

fn turned(report: &Report, seed: &mut Seed) -> Report {
    let mut report = report.clone();
    for settlement in &mut report.settlements {
        for place in (1..settlement.lines.len()).rev() {
            settlement.lines.swap(place, seed.below(place as u64 + 1) as usize);
        }
    }
    report
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn one_report_has_one_hash_in_every_layout_order_and_encoding(seed in any::<u64>()) {
        let mut seed = Seed(seed);
        let settlements = 1 + seed.below(4);
        let report = report(&mut seed, settlements, 40);
        let portal = portal_csv(&report);
        let expected = hashes("a.csv", &portal);
        let utf16: Vec<u8> =
            format!("\u{feff}{}", String::from_utf8_lossy(&portal)).encode_utf16().flat_map(u16::to_le_bytes).collect();
        prop_assert_eq!(&hashes("a.xml", &xml(&report)), &expected);
        prop_assert_eq!(&hashes("a.csv", &structured_csv(&report)), &expected);
        prop_assert_eq!(&hashes("a.csv", &utf16), &expected);
        prop_assert_eq!(&hashes("a.xlsx", &portal_xlsx(&report)), &expected);
        prop_assert_eq!(&hashes("a.csv.zip", &archive([("a.csv", portal)])), &expected);
        // The ledger pays nothing out where more is refunded than captured.
        let pays = report.settlements.iter().all(|settlement| {
            let (capture, refund, fee) = settlement.sums();
            capture + refund - fee > 0
        });
        if pays {
            prop_assert_eq!(&hashes("a.csv", &details_csv(&report)), &expected);
        }
        let turned = turned(&report, &mut seed);
        prop_assert_eq!(&hashes("a.csv", &portal_csv(&turned)), &expected);
        prop_assert_eq!(&hashes("a.xml", &xml(&turned)), &expected);
    }

    #[test]
    fn a_minor_unit_anywhere_changes_the_hash_or_holds_the_file(seed in any::<u64>()) {
        let mut seed = Seed(seed);
        let report = report(&mut seed, 1, 20);
        let mut other = report.clone();
        let place = seed.below(other.settlements[0].lines.len() as u64) as usize;
        let line = &mut other.settlements[0].lines[place];
        if line.capture_minor > 0 { line.capture_minor += 1 } else { line.refund_minor -= 1 }
        prop_assert_ne!(hashes("a.xml", &xml(&report)), hashes("a.xml", &xml(&other)));
    }

    #[test]
    fn money_reads_what_it_prints(minor in -AMOUNT_MINOR_MAX..=AMOUNT_MINOR_MAX, exponent in 0_u8..=3) {
        let dot = MajorUnits::new(minor, exponent).to_string();
        prop_assert_eq!(parse_minor(&dot, DecimalMark::Dot, exponent), Ok(minor));
        prop_assert_eq!(parse_minor(&dot.replace('.', ","), DecimalMark::Comma, exponent), Ok(minor));
    }

    #[test]
    fn text_that_is_read_as_money_has_digits_only(text in "[-+0-9., eE_\u{a0}\u{2212}]{0,16}") {
        if let Ok(minor) = parse_minor(&text, DecimalMark::Comma, 2) {
            // Independent of the reader: the digits of the text are those of the amount, but for zeros at the ends.
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let amount = minor.unsigned_abs().to_string();
            let significant = |text: &str| text.trim_start_matches('0').trim_end_matches('0').to_owned();
            prop_assert_eq!(significant(&digits), significant(&amount));
        }
    }
}

// The bounded run of what the fuzz targets do without end: any bytes after any beginning that a format claims.
proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn no_bytes_after_a_known_beginning_make_a_reader_panic(
        start in 0_usize..3,
        keep in 0_usize..400,
        tail in prop::collection::vec(prop_oneof![
            Just(b"\n".to_vec()), Just(b";".to_vec()), Just(b",".to_vec()), Just(b"\"".to_vec()), Just(b"<".to_vec()),
            Just(b"</".to_vec()), Just(b">".to_vec()), Just(b"&".to_vec()), Just(b"<![CDATA[".to_vec()),
            Just(b"Til utbetaling netto".to_vec()), Just(b"SettlementInfo".to_vec()), Just(b"TransactionInfo".to_vec()),
            Just(b"123456".to_vec()), Just(b"-1,00".to_vec()), Just(b"01.10.2026".to_vec()),
            prop::collection::vec(any::<u8>(), 1..6),
        ], 0..60),
    ) {
        let mut seed = Seed(7);
        let report = report(&mut seed, 1, 3);
        let (name, good) = match start {
            0 => ("a.csv", portal_csv(&report)),
            1 => ("a.xml", xml(&report)),
            _ => ("a.csv", structured_csv(&report)),
        };
        let mut bytes = good[..good.len().saturating_sub(keep)].to_vec();
        bytes.extend(tail.concat());
        let judgement = judged(name, &bytes);
        prop_assert!(judgement.problems.list().len() <= Limits::default().problems_max + 1);
    }
}
