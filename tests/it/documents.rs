//! Every form of the Dintero report, read back by programs that nobody here wrote and summed anew.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use documents::{Breakdown, DinteroReport, Language, ReportType, inert};
use serde_json::{Value, json};
use settlement::{Fees, LineKind, LineRecord, Proof, ReportId, SettleKey, Settlement, SettlementHead, TermSums, Terms};
use tempfile::TempDir;
use tests::python::python;

/// Order references that a careless writer would break on.
const ODD: [&str; 8] = ["=cmd()", "🛒 kurv", "<b>&amp;", "to\r\nlinjer", "\"sitat\"", "x;=1+1", "007", "Ærø-Åse-ÖÄ"];

fn line(number: usize, currency: &str, kind: LineKind, terms: Terms) -> LineRecord {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    LineRecord {
        merchant_number: "123456".parse().unwrap(),
        settlement_id: "2000461".parse().unwrap(),
        currency: currency.parse().unwrap(),
        line_no: number as i64 + 2,
        kind,
        terms,
        provider_transaction_id: Some(format!("{:020}", 5_001_145_476 + number)),
        original_reference: None,
        order_reference: Some(ODD[number % ODD.len()].to_owned()),
        correlation_id: None,
        provider_method: some(["Visa", "Swish", ""][number % 3]),
        provider_kind: None,
        store_id: some(["Oslo", "Åre"][number % 2]),
        payout_destination_id: some(["", "seller-1", "seller-2", ""][number % 4]),
        captured_at_us: None,
        captured_on: Some(jiff::civil::date(2026, 10, 1 + (number % 28) as i8)),
        provider_date: None,
    }
}

/// Every kind of money, fees that are invoiced, and more given back than was sold.
fn lines(currency: &str) -> Vec<LineRecord> {
    let mut kinds = vec![
        (LineKind::Refund, Terms { refund_minor: -60_000_001, ..Terms::default() }),
        (LineKind::Chargeback, Terms { chargeback_minor: -99_900, fee_minor: 250, ..Terms::default() }),
        (LineKind::ChargebackReversal, Terms { chargeback_minor: 900, ..Terms::default() }),
        (LineKind::ReserveHold, Terms { reserve_minor: -5_001, ..Terms::default() }),
        (LineKind::Adjustment, Terms { adjustment_minor: 33, ..Terms::default() }),
        (LineKind::Fee, Terms { fee_minor: 4_321, fee_vat_minor: 1_080, ..Terms::default() }),
    ];
    for number in 0..130 {
        let terms = Terms { capture_minor: 10_007 * (number % 90 + 1), fee_minor: 175 + number, ..Terms::default() };
        kinds.push((LineKind::Sale, terms));
    }
    let mut lines: Vec<LineRecord> =
        kinds.into_iter().enumerate().map(|(number, (kind, terms))| line(number, currency, kind, terms)).collect();
    lines[1].original_reference = lines[8].provider_transaction_id.clone();
    lines[4].order_reference = None;
    // Nobody can find this sale.
    (lines[9].order_reference, lines[9].provider_transaction_id) = (None, None);
    lines
}

fn settlement(lines: &[LineRecord], currency: &str, exponent: u8) -> Settlement {
    let mut sums = TermSums::default();
    lines.iter().for_each(|line| sums.add(&line.terms));
    let head = SettlementHead {
        merchant_number: "123456".parse().unwrap(),
        settlement_id: "2000461".parse().unwrap(),
        currency: currency.parse().unwrap(),
        exponent,
        payout_on: jiff::civil::date(2026, 11, 3),
    };
    let settlement = Settlement {
        organisation_number: Some("999888777".into()),
        period_from: Some(jiff::civil::date(2026, 10, 1)),
        period_to: Some(jiff::civil::date(2026, 10, 31)),
        lines: lines.len() as u64,
        sums: sums.terms().unwrap(),
        opening_minor: -1_234,
        closing_minor: 700,
        fees: Fees::Invoiced,
        proof: Proof::Exact,
        bank_account: Some("7891".into()),
        bank_reference: Some("VIPPS 2000461".into()),
        ..Settlement::new(head)
    };
    Settlement { payout_minor: settlement.payable_minor(), ..settlement }
}

/// All forms of one settlement in a folder, as they would be given out.
fn write(folder: &Path, settlement: &Settlement, lines: &[LineRecord], language: Language) {
    let key = SettleKey::new(&"T00000001".parse().unwrap(), &"vipps".parse().unwrap(), &settlement.head);
    let all = || lines.iter().cloned().map(Ok::<_, Infallible>);
    let breakdown = Breakdown::of(all()).unwrap();
    let report = DinteroReport {
        key: &key,
        settlement,
        version: 2,
        report: ReportId::from_sha256([0xab; 32]),
        breakdown: &breakdown,
        language,
    };
    for form in ReportType::ALL {
        let mut file = File::create(folder.join(format!("dintero-report.{}", form.extension()))).unwrap();
        report.write(form, all(), &mut file).unwrap();
    }
    let about = json!({ "exponent": settlement.head.exponent, "language": language.tag() });
    fs::write(folder.join("about.json"), about.to_string()).unwrap();
}

/// What readers that nobody here wrote make of the folders.
fn read_back(folders: &[&TempDir]) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracles/read_documents.py");
    let read = Command::new(python()).arg(script).args(folders.iter().map(|folder| folder.path())).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let answers = String::from_utf8(read.stdout).unwrap();
    answers.lines().map(|answer| serde_json::from_str(answer).unwrap()).collect()
}

/// The sums as people are shown them: signed towards the merchant.
fn signed(sums: &Terms) -> Vec<(&'static str, i64)> {
    let costs = ["fee", "fee_vat"];
    let towards = |(name, minor): (&'static str, i64)| (name, if costs.contains(&name) { -minor } else { minor });
    sums.named().into_iter().map(towards).chain([("net", sums.net_minor().unwrap())]).collect()
}

#[test]
fn every_form_in_every_language_sums_to_the_settlement_in_readers_of_others() {
    let settlements = [("NOK", 2), ("ISK", 0), ("KWD", 3)].map(|(currency, exponent)| {
        let lines = lines(currency);
        (settlement(&lines, currency, exponent), lines)
    });
    let every = Language::ALL.into_iter().flat_map(|language| settlements.iter().map(move |one| (language, one)));
    let every: Vec<_> = every.map(|(language, one)| (language, one, TempDir::new().unwrap())).collect();
    for (language, (settlement, lines), folder) in &every {
        write(folder.path(), settlement, lines, *language);
    }
    let answers = read_back(&every.iter().map(|(_, _, folder)| folder).collect::<Vec<_>>());
    assert_eq!(answers.len(), every.len());
    for ((language, (settlement, lines), _), found) in every.iter().zip(answers) {
        let name = format!("{language:?} {}", settlement.head.currency);
        assert!(settlement.payout_minor.unwrap() < 0 && settlement.difference_minor() == Some(0), "{name}");
        let signed = signed(&settlement.sums);
        let sums: BTreeMap<&str, i64> = signed.iter().copied().collect();
        for form in ["csv", "json", "xml", "semicolon.csv", "xlsx"] {
            assert_eq!(found[form]["lines"], settlement.lines, "{name} {form}");
            assert_eq!(found[form]["sums"], json!(sums), "{name} {form}");
            assert_eq!(found[form]["totals"], json!(sums), "{name} {form}");
        }
        let row: Vec<i64> = signed.iter().map(|(_, minor)| *minor).collect();
        let pdf = &found["pdf"];
        assert_eq!((&pdf["lines"], &pdf["columns"]), (&json!(settlement.lines), &json!(row)), "{name}");
        assert_eq!(pdf["totals"], json!(row), "{name}");
        assert!(pdf["pages"].as_i64().unwrap() > 3, "{name}");
        is_the_way_to_the_payout(&found["xlsx"], settlement, &row);
        // By method, by store and by payout destination.
        assert_eq!(found["xlsx"]["parts"], json!([[sums, sums, sums]]), "{name}");
        assert_eq!(found["xlsx"]["sheets"], 4, "{name}");
        assert_eq!(found["xlsx"]["deviations"], deviations(lines), "{name}");
        keeps_references(&found, lines);
    }
}

/// Lines that are no everyday sale, refund or fee, and those that nobody can find: row, reference, payment, amount.
fn deviations(lines: &[LineRecord]) -> Value {
    let is_everyday = |line: &&LineRecord| {
        matches!(line.kind, LineKind::Sale | LineKind::Refund | LineKind::Fee)
            && (line.order_reference.is_some() || line.provider_transaction_id.is_some())
    };
    let row = |line: &LineRecord| {
        let reference = line.order_reference.as_deref().or(line.provider_transaction_id.as_deref());
        let reference = reference.map(|text| text.replace('\r', "_x000D_"));
        json!([line.line_no, reference, line.original_reference, line.terms.net_minor()])
    };
    lines.iter().filter(|line| !is_everyday(line)).map(row).collect()
}

/// The summary's rows lead from the lines to the payout, and each sum among them is one.
fn is_the_way_to_the_payout(workbook: &Value, settlement: &Settlement, row: &[i64]) {
    let balance: Vec<i64> = serde_json::from_value(workbook["balance"].clone()).unwrap();
    let (terms, rest) = balance.split_at(8);
    assert_eq!(terms, row);
    let invoiced = settlement.sums.fee_minor + settlement.sums.fee_vat_minor;
    let payout = settlement.payout_minor.unwrap();
    // The merchant owes the provider: an amount above zero, under another name.
    assert_eq!(rest, [invoiced, settlement.opening_minor, -settlement.closing_minor, -payout]);
    assert_eq!(terms[7] + rest[..3].iter().sum::<i64>(), payout);
    let zero = ["0,00", "0.00", "0"].iter().any(|zero| workbook["proof"].as_str().unwrap().ends_with(zero));
    assert!(zero && workbook["proof"].as_str().unwrap().contains("136"), "{}", workbook["proof"]);
}

/// References come through as text: inert in CSV, as they are elsewhere, as far as the form can hold them.
fn keeps_references(found: &Value, lines: &[LineRecord]) {
    let texts: Vec<&str> = lines.iter().map(|line| line.order_reference.as_deref().unwrap_or_default()).collect();
    let inert: Vec<String> = texts.iter().map(|text| inert(text).into_owned()).collect();
    assert_eq!((&found["json"]["references"], &found["xml"]["references"]), (&json!(texts), &json!(texts)));
    assert_eq!((&found["csv"]["references"], &found["semicolon.csv"]["references"]), (&json!(inert), &json!(inert)));
    let as_excel: Vec<String> = texts.iter().map(|text| text.replace('\r', "_x000D_")).collect();
    assert_eq!(found["xlsx"]["references"], json!(as_excel));
}

#[test]
fn a_settlement_without_lines_is_a_document_all_the_same() {
    let folder = TempDir::new().unwrap();
    let empty = Settlement { payout_minor: Some(0), opening_minor: 0, closing_minor: 0, ..settlement(&[], "NOK", 2) };
    write(folder.path(), &empty, &[], Language::Sv);
    let found = &read_back(&[&folder])[0];
    for form in ["csv", "json", "xml", "semicolon.csv"] {
        assert_eq!(found[form]["lines"], 0, "{form}");
    }
    assert_eq!((&found["pdf"]["lines"], &found["pdf"]["pages"]), (&json!(0), &json!(1)));
    assert_eq!((&found["xlsx"]["sheets"], &found["xlsx"]["deviations"]), (&json!(3), &json!([])));
}

#[test]
fn paper_can_be_searched_and_copied_from() {
    if Command::new("pdftotext").arg("-v").output().is_err() {
        eprintln!("pdftotext is not here: the text of a PDF was read by pypdf alone");
        return;
    }
    let folder = TempDir::new().unwrap();
    let lines = lines("NOK");
    write(folder.path(), &settlement(&lines, "NOK", 2), &lines, Language::Nb);
    let paper = folder.path().join("dintero-report.pdf");
    let read = Command::new("pdftotext").arg("-layout").arg(&paper).arg("-").output().unwrap();
    assert!(read.status.success() && read.stderr.is_empty(), "{}", String::from_utf8_lossy(&read.stderr));
    let text = String::from_utf8(read.stdout).unwrap().replace('\u{a0}', " ");
    for expected in
        ["Oppgjørsspesifikasjon", "🛒 kurv", "<b>&amp;", "=cmd()", "Ærø-Åse-ÖÄ", "VIPPS 2000461", "•••• 7891"]
    {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    let pages = text.matches('\u{c}').count();
    for page in 1..=pages {
        assert!(text.contains(&format!("Side {page} av {pages}")), "{page}\n{text}");
    }
    assert!(text.contains(&"ab".repeat(32)) && text.contains("-600 000,01"), "{text}");
}
