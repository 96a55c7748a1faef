use std::collections::BTreeSet;
use std::convert::Infallible;

use settlement::{Fees, LineKind};

use super::statement::line_columns;
use super::*;
use crate::breakdown::PartName;
use crate::testing::{self, head};

fn settlement() -> Settlement {
    let sums = Terms { capture_minor: 10_000, refund_minor: -2_500, fee_minor: 175, ..Terms::default() };
    Settlement { lines: 2, sums, fees: Fees::Deducted, payout_minor: Some(7_325), ..Settlement::new(head()) }
}

fn line(kind: LineKind, terms: Terms, order: &str) -> LineRecord {
    LineRecord {
        provider_transaction_id: Some("5001145476".into()),
        captured_on: Some(jiff::civil::date(2026, 10, 29)),
        ..testing::line(9, kind, terms, Some(order))
    }
}

fn lines() -> Vec<LineRecord> {
    vec![
        line(LineKind::Sale, Terms { capture_minor: 10_000, fee_minor: 175, ..Terms::default() }, "=1+1\"<&>"),
        line(LineKind::Refund, Terms { refund_minor: -2_500, ..Terms::default() }, "A,1"),
    ]
}

fn written(form: ReportType, lines: Vec<LineRecord>) -> Result<String, DocumentError> {
    bytes(form, lines).map(|bytes| String::from_utf8(bytes).unwrap())
}

fn bytes(form: ReportType, lines: Vec<LineRecord>) -> Result<Vec<u8>, DocumentError> {
    let settlement = settlement();
    let key = SettleKey::new(&"T00000001".parse().unwrap(), &"vipps".parse().unwrap(), &settlement.head);
    let mut out = Vec::new();
    // What the lines are made of is read from those that were proved, as the caller does.
    let breakdown = Breakdown::of(self::lines().into_iter().map(Ok::<_, Infallible>)).unwrap();
    let report = report(&key, &settlement, &breakdown);
    report.write(form, lines.into_iter().map(Ok::<_, Infallible>), &mut out)?;
    Ok(out)
}

fn report<'a>(key: &'a SettleKey, settlement: &'a Settlement, breakdown: &'a Breakdown) -> DinteroReport<'a> {
    let (report, language) = (ReportId::from_sha256([7; 32]), Language::Nb);
    DinteroReport { key, settlement, version: 1, report, breakdown, language }
}

#[test]
fn csv_has_positive_amounts_inert_text_and_the_proof_row() {
    let text = written(ReportType::Csv, lines()).unwrap();
    let rows: Vec<&str> = text.split("\r\n").collect();
    assert!(rows[0].starts_with("record_type,transaction_type,transaction_date,amount,vat,capture,refund,fee"));
    assert!(rows[1].starts_with("\"transaction\",\"settlement\",2026-10-29,98.25,0.00,100.00,0.00,1.75,0.00,\"NOK\","));
    assert!(rows[1].contains("\"'=1+1\"\"<&>\""), "{}", rows[1]);
    assert!(rows[2].contains(",-25.00,0.00,0.00,25.00,0.00,") && rows[2].contains("\"A,1\""), "{}", rows[2]);
    assert!(rows[3].starts_with("\"proof\",,,73.25,,100.00,25.00,1.75"), "{}", rows[3]);
    assert!(rows[3].ends_with("73.25,0.00,\"rows_only\""), "{}", rows[3]);
}

#[test]
fn json_is_minor_units_and_adds_up() {
    let json: serde_json::Value = serde_json::from_str(&written(ReportType::Json, lines()).unwrap()).unwrap();
    assert_eq!((&json["amount"], &json["capture"], &json["refund"]), (&7_325.into(), &10_000.into(), &2_500.into()));
    let sum: i64 = json["transactions"].as_array().unwrap().iter().map(|row| row["amount"].as_i64().unwrap()).sum();
    assert_eq!(sum, 7_325);
    assert_eq!(json["proof"]["difference"], 0);
    assert_eq!(json["transactions"][0]["reference"], "=1+1\"<&>");
    assert_eq!(json["dintero_settlement_id"].as_str().map(str::len), Some(40));
}

#[test]
fn xml_keeps_the_known_element_order_and_escapes_text() {
    let xml = written(ReportType::Xml, lines()).unwrap();
    let known = [
        "ReportDateFrom",
        "ReportDateTo",
        "SettlementCurrencyCode",
        "ReportReferenceNum",
        "DinteroSettlementId",
        "SettlementAccountNum",
        "SettlementInfo",
        "SettlementDate",
        "SettlementPeriodStart",
        "SettlementPeriodEnd",
        "SettlementProvider",
        "AccountId",
        "SettlementReference",
        "TransactionInfo",
        "TransactionType",
        "TransactionTime",
        "TransactionAmount",
        "TransactionVatAmount",
        "TransactionCapture",
        "TransactionRefund",
        "TransactionFee",
        "TransactionChargeback",
        "TransactionID",
        "Reference",
    ];
    let places: Vec<usize> = known.iter().map(|name| xml.find(&format!("<{name}>")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(xml.contains("<Reference>=1+1&quot;&lt;&amp;&gt;</Reference>"));
    assert!(xml.contains("<ReportDateFrom></ReportDateFrom>") && xml.contains("<Difference>0.00</Difference>"));
}

#[test]
fn lines_other_than_the_proved_ones_are_refused() {
    for form in ReportType::ALL {
        let error = bytes(form, lines().split_off(1)).unwrap_err();
        assert!(matches!(error, DocumentError::Disagrees { found: 1, expected: 2, .. }), "{error}");
        let error = bytes(form, [lines(), lines()].concat()).unwrap_err();
        assert!(matches!(error, DocumentError::Disagrees { found: 4, expected: 2, .. }), "{error}");
    }
}

#[test]
fn a_breakdown_of_other_lines_is_refused() {
    let settlement = settlement();
    let key = SettleKey::new(&"T00000001".parse().unwrap(), &"vipps".parse().unwrap(), &settlement.head);
    let other = Breakdown::default();
    let report = report(&key, &settlement, &other);
    let lines = || lines().into_iter().map(Ok::<_, Infallible>);
    assert!(matches!(report.write(ReportType::Pdf, lines(), &mut Vec::new()), Err(DocumentError::Disagrees { .. })));
}

#[test]
fn the_same_settlement_is_the_same_bytes_in_every_form() {
    for form in ReportType::ALL {
        let (first, second) = (bytes(form, lines()).unwrap(), bytes(form, lines()).unwrap());
        assert!(!first.is_empty() && first == second, "{form:?}");
    }
}

#[test]
fn csv_for_people_is_marked_and_has_the_language_of_the_account_and_a_row_of_totals() {
    let text = written(ReportType::SemicolonCsv, lines()).unwrap();
    let rows: Vec<&str> = text.split("\r\n").collect();
    assert!(rows[0].starts_with("\u{feff}\"Kilderad\";\"Dato\";\"Type\";\"Ordre\""), "{}", rows[0]);
    assert!(rows[1].starts_with("9;2026-10-29;\"Salg\";\"'=1+1\"\"<&>\";\"5001145476\";"), "{}", rows[1]);
    assert!(rows[1].ends_with(";100,00;0,00;-1,75;0,00;0,00;0,00;0,00;98,25;\"NOK\""), "{}", rows[1]);
    assert!(rows[3].starts_with("\"Sum\";;;") && rows[3].contains(";100,00;-25,00;-1,75;"), "{}", rows[3]);
}

/// A line of a payment method, store and payout destination.
fn part(method: &str, store: &str, destination: &str, capture_minor: i64) -> LineRecord {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    LineRecord {
        provider_method: some(method),
        store_id: some(store),
        payout_destination_id: some(destination),
        ..line(LineKind::Sale, Terms { capture_minor, fee_minor: 1, ..Terms::default() }, "A")
    }
}

#[test]
fn parts_sum_to_the_whole_however_the_settlement_is_parted() {
    let mut breakdown = Breakdown::default();
    let (mut capture_minor, mut lines) = (0, 0);
    for number in 0..3_000 {
        let line = part(["card", "", "vipps"][number % 3], &format!("store {number}"), "", 100 + number as i64);
        capture_minor += line.terms.capture_minor;
        lines += 1;
        breakdown.add(&line);
    }
    for (parts, names) in [(breakdown.methods(), 3), (breakdown.stores(), 2_001)] {
        assert_eq!(parts.len(), names);
        assert_eq!(parts.iter().map(|part| part.lines).sum::<u64>(), lines);
        assert_eq!(parts.iter().map(|part| part.sums.unwrap().capture_minor).sum::<i64>(), capture_minor);
        assert_eq!(parts.iter().map(|part| part.sums.unwrap().fee_minor).sum::<i64>(), 3_000);
    }
    assert_eq!(breakdown.methods()[2].name, PartName::Unnamed);
    assert_eq!(breakdown.stores().last().map(|part| (&part.name, part.lines)), Some((&PartName::Others, 1_000)));
    assert_eq!(breakdown.destinations(), []);
}

#[test]
fn no_two_columns_of_lines_have_one_name() {
    for language in Language::ALL {
        let names: BTreeSet<&str> = line_columns().iter().map(|column| (column.name)(language.labels())).collect();
        assert_eq!(names.len(), line_columns().len(), "{names:?}");
    }
}

/// Two lines whose captures together leave the range of `i64`.
#[test]
fn sums_beyond_i64_are_refused_and_never_shown_as_zero() {
    let terms = Terms { capture_minor: i64::MAX, ..Terms::default() };
    let lines = || [line(LineKind::Sale, terms, "A"), line(LineKind::Sale, terms, "B")].into_iter();
    let settlement = Settlement { lines: 2, payout_minor: Some(0), ..Settlement::new(head()) };
    let key = SettleKey::new(&"T00000001".parse().unwrap(), &"vipps".parse().unwrap(), &settlement.head);
    let breakdown = Breakdown::of(lines().map(Ok::<_, Infallible>)).unwrap();
    assert_eq!(breakdown.methods()[0].sums, None);
    let report = report(&key, &settlement, &breakdown);
    for form in ReportType::ALL {
        let error = report.write(form, lines().map(Ok::<_, Infallible>), &mut Vec::new()).unwrap_err();
        assert!(matches!(error, DocumentError::NotCountable { .. }), "{form:?}: {error}");
    }
}

/// A line whose net leaves the range of `i64` though the sums of the settlement do not.
#[test]
fn a_line_beyond_i64_is_refused() {
    let beyond = Terms { capture_minor: i64::MAX, fee_minor: -1, ..Terms::default() };
    let back = Terms { fee_minor: 1, ..Terms::default() };
    let lines = || [line(LineKind::Adjustment, beyond, "A"), line(LineKind::Fee, back, "B")].into_iter();
    let sums = Terms { capture_minor: i64::MAX, ..Terms::default() };
    let settlement = Settlement { lines: 2, sums, payout_minor: Some(i64::MAX), ..Settlement::new(head()) };
    let key = SettleKey::new(&"T00000001".parse().unwrap(), &"vipps".parse().unwrap(), &settlement.head);
    let breakdown = Breakdown::of(lines().map(Ok::<_, Infallible>)).unwrap();
    let (first, _) = breakdown.deviations.first(1);
    assert_eq!(first[0].net_minor, None);
    let report = report(&key, &settlement, &breakdown);
    for form in ReportType::ALL {
        let error = report.write(form, lines().map(Ok::<_, Infallible>), &mut Vec::new()).unwrap_err();
        assert!(matches!(error, DocumentError::NotCountable { .. }), "{form:?}: {error}");
    }
}

/// Programs and spreadsheets read these files: a change of a byte must be a decision.
#[test]
fn csv_forms_are_the_bytes_that_they_were() {
    for (form, expected) in [
        (ReportType::Csv, include_str!("../../tests/csv/dintero-report.csv")),
        (ReportType::SemicolonCsv, include_str!("../../tests/csv/dintero-report.semicolon.csv")),
    ] {
        assert_eq!(written(form, lines()).unwrap(), expected);
    }
}
