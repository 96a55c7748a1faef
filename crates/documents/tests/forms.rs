//! Every form of the Dintero report that programs read, in every language and with every kind of money, summed anew.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Read;

use documents::{Breakdown, DinteroReport, Language, ReportType};
use jiff::civil::date;
use settlement::{Fees, LineKind, LineRecord, Proof, ReportId, SettleKey, Settlement, SettlementHead, TermSums, Terms};

const TERMS: [&str; 7] = ["capture", "refund", "fee", "fee_vat", "chargeback", "reserve", "adjustment"];

fn lines(currency: &str) -> Vec<LineRecord> {
    let mut kinds = vec![
        (LineKind::Refund, Terms { refund_minor: -60_000_001, ..Terms::default() }),
        (LineKind::Chargeback, Terms { chargeback_minor: -99_900, fee_minor: 250, ..Terms::default() }),
        (LineKind::ReserveHold, Terms { reserve_minor: -5_001, ..Terms::default() }),
        (LineKind::Adjustment, Terms { adjustment_minor: 33, ..Terms::default() }),
        (LineKind::Fee, Terms { fee_minor: 4_321, fee_vat_minor: 1_080, ..Terms::default() }),
    ];
    for number in 0..130 {
        let terms = Terms { capture_minor: 10_007 * (number % 90 + 1), fee_minor: 175 + number, ..Terms::default() };
        kinds.push((LineKind::Sale, terms));
    }
    let line = |(number, (kind, terms)): (usize, (LineKind, Terms))| LineRecord {
        merchant_number: "123456".into(),
        settlement_id: "2000461".into(),
        currency: currency.parse().unwrap(),
        line_no: number as i64 + 2,
        kind,
        terms,
        provider_transaction_id: Some(format!("{number:020}")),
        original_reference: None,
        order_reference: Some(["=cmd()", "<b>&amp;", "to\r\nlinjer", "\"sitat\"", "x;=1+1", "007"][number % 6].into()),
        correlation_id: None,
        provider_method: Some(["Visa", "Swish"][number % 2].into()),
        provider_kind: None,
        store_id: None,
        payout_destination_id: None,
        captured_at_us: None,
        captured_on: Some(date(2026, 10, 1 + (number % 28) as i8)),
        provider_date: None,
    };
    kinds.into_iter().enumerate().map(line).collect()
}

fn settlement(lines: &[LineRecord], currency: &str, exponent: u8) -> Settlement {
    let mut sums = TermSums::default();
    lines.iter().for_each(|line| sums.add(&line.terms));
    let head = SettlementHead {
        merchant_number: "123456".parse().unwrap(),
        settlement_id: "2000461".parse().unwrap(),
        currency: currency.parse().unwrap(),
        exponent,
        payout_on: date(2026, 11, 3),
    };
    let settlement = Settlement {
        lines: lines.len() as u64,
        sums: sums.terms().unwrap(),
        opening_minor: -1_234,
        closing_minor: 700,
        fees: Fees::Invoiced,
        proof: Proof::Exact,
        ..Settlement::new(head)
    };
    Settlement { payout_minor: settlement.payable_minor(), ..settlement }
}

fn written(form: ReportType, settlement: &Settlement, lines: &[LineRecord], language: Language) -> Vec<u8> {
    let key = SettleKey::new(&"T00000001".parse().unwrap(), &"vipps".parse().unwrap(), &settlement.head);
    let all = || lines.iter().cloned().map(Ok::<_, Infallible>);
    let breakdown = Breakdown::of(all()).unwrap();
    let report = ReportId::from_sha256([0xab; 32]);
    let report = DinteroReport { key: &key, settlement, version: 2, report, breakdown: &breakdown, language };
    let mut out = Vec::new();
    report.write(form, all(), &mut out).unwrap();
    out
}

/// Major units as minor units, by the digits alone.
fn minor(text: &str, exponent: u8) -> i64 {
    let decimals = text.split_once(['.', ',']).map_or(0, |(_, decimals)| decimals.len());
    assert_eq!(decimals, usize::from(exponent), "{text}");
    text.replace(['.', ','], "").parse().unwrap()
}

/// Amounts of the lines and of the last row in the CSV for programs, by column.
fn csv_sums(csv: &[u8], exponent: u8) -> (BTreeMap<String, i64>, BTreeMap<String, i64>) {
    let mut reader = csv::Reader::from_reader(csv);
    let header = reader.headers().unwrap().clone();
    let (mut sums, mut proof) = (BTreeMap::new(), BTreeMap::new());
    for record in reader.records() {
        let record = record.unwrap();
        let target = if &record[0] == "proof" { &mut proof } else { &mut sums };
        for (name, cell) in header.iter().zip(&record).filter(|(name, _)| TERMS.contains(name) || *name == "amount") {
            *target.entry(name.to_owned()).or_insert(0) += minor(cell, exponent);
        }
    }
    (sums, proof)
}

#[test]
fn forms_for_programs_sum_to_the_settlement() {
    for (currency, exponent) in [("NOK", 2), ("ISK", 0), ("KWD", 3)] {
        let lines = lines(currency);
        let settlement = settlement(&lines, currency, exponent);
        let sums = settlement.sums;
        // Signs are Dintero's: what goes back to buyers is positive.
        let positive = ["refund", "chargeback"];
        let mut expected: BTreeMap<String, i64> = sums
            .named()
            .map(|(name, minor)| (name.to_owned(), if positive.contains(&name) { -minor } else { minor }))
            .into();
        expected.insert("amount".into(), sums.net_minor().unwrap());
        let write = |form| written(form, &settlement, &lines, Language::Nb);
        let (found, proof) = csv_sums(&write(ReportType::Csv), exponent);
        assert_eq!((&found, &proof), (&expected, &expected), "{currency}");
        let json: serde_json::Value = serde_json::from_slice(&write(ReportType::Json)).unwrap();
        let rows = json["transactions"].as_array().unwrap();
        for (name, minor) in &expected {
            assert_eq!(rows.iter().map(|row| row[name].as_i64().unwrap()).sum::<i64>(), *minor, "{name}");
            assert_eq!(json["proof"][name], *minor, "{name}");
        }
        assert_eq!(json["proof"]["difference"], 0);
        assert_eq!(json["settlement_reference"], "2000461");
        let xml = String::from_utf8(write(ReportType::Xml)).unwrap();
        let amounts = xml.split("<TransactionAmount>").skip(1).map(|rest| rest.split('<').next().unwrap());
        assert_eq!(amounts.map(|text| minor(text, exponent)).sum::<i64>(), expected["amount"]);
        for form in [ReportType::Csv, ReportType::Json, ReportType::Xml] {
            assert_eq!(write(form), written(form, &settlement, &lines, Language::Fi), "{form:?} has a language");
        }
    }
}

#[test]
fn the_spreadsheet_form_sums_to_its_row_of_totals_in_every_language() {
    let lines = lines("NOK");
    let settlement = settlement(&lines, "NOK", 2);
    let signed = settlement.sums.named().map(|(name, minor)| if name.starts_with("fee") { -minor } else { minor });
    let expected: Vec<i64> = signed.into_iter().chain(settlement.sums.net_minor()).collect();
    for language in Language::ALL {
        let csv = written(ReportType::SemicolonCsv, &settlement, &lines, language);
        let csv = csv.strip_prefix(b"\xef\xbb\xbf").unwrap();
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(csv);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let amounts = |row: &csv::StringRecord| (9..17).map(|column| minor(&row[column], 2)).collect::<Vec<_>>();
        let (total, rows) = rows.split_last().unwrap();
        let sum = rows.iter().map(amounts).reduce(|sums, row| sums.iter().zip(row).map(|(a, b)| a + b).collect());
        assert_eq!((rows.len(), sum.unwrap(), amounts(total)), (lines.len(), expected.clone(), expected.clone()));
        assert_eq!(&rows[0][3], "'=cmd()");
    }
}

#[test]
fn a_workbook_has_every_line_and_no_full_stop_in_a_name_that_formulas_use() {
    let lines = lines("NOK");
    let settlement = settlement(&lines, "NOK", 2);
    for language in Language::ALL {
        let book = written(ReportType::Xlsx, &settlement, &lines, language);
        let mut book = zip::ZipArchive::new(std::io::Cursor::new(book)).unwrap();
        let mut part = |name: &str| {
            let mut text = String::new();
            book.by_name(name).unwrap().read_to_string(&mut text).unwrap();
            text
        };
        let sheet = part("xl/worksheets/sheet3.xml");
        // The header, the lines and the totals.
        assert_eq!(sheet.matches("<row ").count(), lines.len() + 2, "{language:?}");
        let formulas: Vec<&str> = sheet.split("<f>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
        assert_eq!(formulas.len(), 8, "{language:?}");
        assert!(
            formulas.iter().all(|f| f.starts_with("SUBTOTAL(109,Transactions[") && !f.contains('.')),
            "{formulas:?}"
        );
        let table = part("xl/tables/table3.xml");
        for formula in formulas {
            let column = formula.split(['[', ']']).nth(1).unwrap();
            assert!(table.contains(&format!("name=\"{column}\"")), "{column} in {table}");
        }
    }
}

/// No line, no payout: each form says so and none is empty.
#[test]
fn a_settlement_without_lines_is_written_in_every_form() {
    let empty = Settlement { payout_minor: Some(0), opening_minor: 0, closing_minor: 0, ..settlement(&[], "NOK", 2) };
    for language in Language::ALL {
        for form in ReportType::ALL {
            assert!(!written(form, &empty, &[], language).is_empty(), "{form:?} {language:?}");
        }
        let csv = String::from_utf8(written(ReportType::Csv, &empty, &[], language)).unwrap();
        assert_eq!(csv.lines().count(), 2, "{csv}");
    }
}
