//! What was paid out, as a person and a program ask for it.

use cli::Ended;

use super::{answers, avstem, fixture, folders, run};

/// A home with the settlements of two merchants.
fn home() -> (tempfile::TempDir, String) {
    let (folder, inbox, home) = folders();
    std::fs::copy(fixture("vipps-portal-csv/one-line.csv"), inbox.join("a.csv")).unwrap();
    std::fs::copy(fixture("vipps-details-csv/three-units.csv"), inbox.join("b.csv")).unwrap();
    run(&inbox, &home).0.unwrap();
    (folder, home)
}

fn payouts(home: &str, arguments: &[&str]) -> String {
    let (ended, text) = avstem(&[&["payouts", "--home", home], arguments].concat());
    assert_eq!(ended.map_err(|error| error.to_string()), Ok(Ended::Well), "{arguments:?}");
    text
}

#[test]
fn payouts_are_listed_by_day_with_a_total_of_each_currency() {
    let (_folder, home) = home();
    let text = payouts(&home, &[]);
    let all = answers(&payouts(&home, &["--json"]));
    for currency in ["NOK", "DKK"] {
        let of = |field: &str, is_invoiced: bool| -> i64 {
            let own = all.iter().filter(|p| p["currency"] == currency && (p["fees"] == "invoiced") == is_invoiced);
            own.map(|payout| payout[field].as_i64().unwrap()).sum()
        };
        let both = |field: &str| of(field, false) + of(field, true);
        let fees = |is_invoiced| -of("fee_minor", is_invoiced) - of("fee_vat_minor", is_invoiced);
        let shown = |minor: i64| settlement::MajorUnits::new(minor, 2).to_string();
        let mut expected = format!("{}  {}", shown(both("capture_minor") + both("refund_minor")), shown(fees(false)));
        if fees(true) != 0 {
            expected.push_str(&format!(", {} invoiced", shown(fees(true))));
        }
        expected.push_str(&format!("  {}  {currency}", shown(both("payout_minor"))));
        let total = text.lines().find(|line| line.starts_with("total") && line.ends_with(currency)).unwrap();
        let apart = |line: &str| {
            line.split("  ").filter(|cell| !cell.is_empty()).map(|c| c.trim().to_owned()).collect::<Vec<_>>()
        };
        assert!(apart(total).ends_with(&apart(&expected)), "{total}: {expected}");
    }
    let days: Vec<&str> = all.iter().map(|payout| payout["payout_on"].as_str().unwrap()).collect();
    assert!(days.is_sorted() && all.len() == 4, "{days:?}");
}

#[test]
fn each_filter_leaves_what_is_asked_for() {
    let (_folder, home) = home();
    let all = answers(&payouts(&home, &["--json"]));
    let count = |arguments: &[&str]| answers(&payouts(&home, &[&["--json"], arguments].concat())).len();
    let with = |field: &str, value: &str| all.iter().filter(|payout| payout[field] == value).count();
    assert_eq!(count(&["--merchant", "654321"]), with("merchant_number", "654321"));
    assert_eq!(
        count(&["--month", "2026-11"]),
        all.iter().filter(|p| p["payout_on"].as_str().unwrap() >= "2026-11").count()
    );
    assert_eq!(count(&["--from", "2026-11-04", "--to", "2026-11-04"]), with("payout_on", "2026-11-04"));
    assert_eq!((count(&["--provider", "vipps"]), count(&["--provider", "swedbankpay"])), (all.len(), 0));
    assert_eq!((count(&["--state", "exact"]), count(&["--state", "disagrees"])), (all.len(), 0));
    // As it stands on a bank statement.
    for typed in ["294.75", "294,75"] {
        assert_eq!(count(&["--amount", typed]), all.iter().filter(|p| p["payout_minor"] == 29_475).count(), "{typed}");
    }
    assert_eq!((count(&["--amount", "300"]), count(&["--amount", "294.7"])), (1, 0));
    assert_eq!(payouts(&home, &["--amount", "1.00"]), "No payout is as asked for\n");
    let (ended, _) = avstem(&["payouts", "--state", "held", "--home", &home]);
    assert!(ended.is_err());
}

#[test]
fn csv_has_the_fields_of_the_json() {
    let (_folder, home) = home();
    let text = payouts(&home, &["--csv"]);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let all = answers(&payouts(&home, &["--json"]));
    assert_eq!(rows.len(), all.len());
    for (row, payout) in rows.iter().zip(&all) {
        let fields = payout.as_object().unwrap();
        assert_eq!(head, fields.keys().cloned().collect::<Vec<_>>());
        for (cell, value) in row.iter().zip(fields.values()) {
            assert_eq!(cell, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
    }
}
