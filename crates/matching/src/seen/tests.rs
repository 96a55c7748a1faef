use settlement::{Terms, Transaction};

use super::*;
use crate::ladder::match_line;
use crate::testing::{capture, index, line, refund, transaction, within};

fn with_id(id: &str, line: LineRecord) -> LineRecord {
    LineRecord { provider_transaction_id: Some(id.into()), order_reference: Some("A-1".into()), ..line }
}

fn paid(captures: &[i64], refunds: &[i64]) -> [Transaction; 1] {
    let events = captures.iter().map(|minor| capture(*minor)).chain(refunds.iter().map(|minor| refund(*minor)));
    let mut paid = transaction("a", 1_000, events.collect());
    paid.merchant_reference = "A-1".into();
    [paid]
}

#[test]
fn a_run_goes_on_from_lines_that_an_earlier_run_matched() {
    let index = index(&paid(&[500, 500], &[200]));
    let sale = with_id("7", line(500));
    let mut seen = Seen::default();
    assert!(seen.remember(&index, "vipps", &sale, "a", 0));
    assert!(!seen.remember(&index, "vipps", &sale, "a", 9) && !seen.remember(&index, "vipps", &sale, "b", 0));
    // The other capture of that amount is not the remembered line's.
    let again = match_line(&index, "vipps", &within("2", &sale), &mut seen);
    assert_eq!(again.as_str(), "duplicate_across_settlements");
    assert!(seen.has(&index, 0, 0) && !seen.has(&index, 0, 1) && !seen.has(&index, 1, 0));
    let settled = seen.settled(&index);
    assert!(settled.contains("a", 0) && !settled.contains("a", 1) && !settled.contains("b", 0));
    assert_eq!((settled.len(), settled.is_empty()), (1, false));
    let refund = LineRecord { original_reference: Some("7".into()), ..within("2", &line(-200)) };
    assert_eq!(match_line(&index, "vipps", &refund, &mut seen).as_str(), "matched");
    assert!(seen.settled(&index).contains("a", 2));
}

#[test]
fn a_capture_and_a_refund_with_one_id_are_no_duplicates() {
    let index = index(&paid(&[500], &[500]));
    let mut seen = Seen::default();
    for line in [with_id("7", line(500)), within("2", &with_id("7", line(-500)))] {
        assert_eq!(match_line(&index, "vipps", &line, &mut seen).as_str(), "matched", "{line:?}");
    }
    let euro = LineRecord { currency: "EUR".parse().unwrap(), ..within("3", &with_id("7", line(500))) };
    assert_eq!(match_line(&index, "vipps", &euro, &mut seen).as_str(), "currency_differs");
}

#[test]
fn settlements_are_told_apart_by_everything_that_names_them() {
    let one = line(500);
    let others = [
        ("swish", one.clone()),
        ("vipps", within("2", &one)),
        ("vipps", LineRecord { merchant_number: "654321".into(), ..one.clone() }),
        ("vipps", LineRecord { currency: "EUR".parse().unwrap(), ..one.clone() }),
    ];
    let mut seen = Seen::default();
    assert_eq!(seen.settlement("vipps", &one), 1);
    for (number, (provider, other)) in (2_u32..).zip(&others) {
        assert_eq!(seen.settlement(provider, other), number);
        assert_eq!(seen.settlement("vipps", &one), 1);
    }
    let later = LineRecord { line_no: 9, terms: Terms::default(), ..others[3].1.clone() };
    assert_eq!(seen.settlement("vipps", &later), 5);
    assert_eq!(seen.name(5).map(ToString::to_string).unwrap(), "settlement 1 of merchant 123456 at vipps in EUR");
    assert_eq!((seen.name(0), seen.name(6)), (None, None));
}

#[test]
fn later_lines_are_found_by_references_of_sales_only() {
    let index = index(&paid(&[500], &[100, 200]));
    let mut seen = Seen::default();
    let refund = with_id("R", line(-100));
    assert_eq!(match_line(&index, "vipps", &refund, &mut seen).as_str(), "matched");
    let later = LineRecord { original_reference: Some("R".into()), ..line(-200) };
    assert_eq!(match_line(&index, "vipps", &later, &mut seen).as_str(), "transaction_unknown");
}
