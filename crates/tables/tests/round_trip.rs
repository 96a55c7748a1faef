//! Lines come back from Parquet as they were written, whatever they are.

use std::fs::File;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use settlement::{Currency, Line, LineBatch, LineKind, LineRecord, SettlementHead, Sink, Terms};
use tables::{LineTable, Packing, TableOwner, read_lines};

const ZONE: &str = "Europe/Oslo";

/// What a line is made of: settlement, kind, money, texts and times.
type Made = (usize, usize, [i64; 7], [String; 8], Option<i64>, Option<i16>);

fn made() -> impl Strategy<Value = Made> {
    let money = prop::array::uniform7(prop_oneof![3 => Just(0_i64), 2 => -1_000_000_i64..1_000_000]);
    // Texts that are mostly missing, few words, and many different ones.
    let text = prop_oneof![2 => Just(String::new()), 2 => "[ab]", 1 => "[a-zæøå =;\"]{1,12}"];
    let texts = prop::array::uniform8(text);
    let day = prop::option::of(-300_i16..300);
    (0_usize..3, 0_usize..LineKind::ALL.len(), money, texts, prop::option::of(0_i64..4_000_000_000_000_000), day)
}

fn head(number: usize) -> SettlementHead {
    SettlementHead {
        merchant_number: ["123456", "654321", "123456"][number].parse().unwrap(),
        settlement_id: format!("200000{number}").parse().unwrap(),
        currency: [Currency::NOK, Currency::NOK, "SEK".parse().unwrap()][number],
        exponent: 2,
        payout_on: date(2026, 10, 5 + number as i8),
    }
}

fn day(number: i16) -> Date {
    date(2026, 6, 1).checked_add(jiff::Span::new().days(i64::from(number))).unwrap()
}

/// The line as it must be read back, as row `row` of the report.
fn expected(row: usize, made: &Made) -> LineRecord {
    let (settlement, kind, [capture, refund, fee, fee_vat, chargeback, reserve, adjustment], texts, at, on) = made;
    let SettlementHead { merchant_number, settlement_id, currency, .. } = head(*settlement);
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    let [transaction, original, order, correlation, method, word, store, destination] = texts;
    let provider_date = on.map(day);
    let zone = TimeZone::get(ZONE).unwrap();
    let captured_on = at.map(|at| zone.to_datetime(jiff::Timestamp::from_microsecond(at).unwrap()).date());
    LineRecord {
        merchant_number: merchant_number.to_string(),
        settlement_id: settlement_id.to_string(),
        currency,
        line_no: row as i64,
        kind: LineKind::ALL[*kind].0,
        terms: Terms {
            capture_minor: *capture,
            refund_minor: *refund,
            fee_minor: *fee,
            fee_vat_minor: *fee_vat,
            chargeback_minor: *chargeback,
            reserve_minor: *reserve,
            adjustment_minor: *adjustment,
        },
        provider_transaction_id: some(transaction),
        original_reference: some(original),
        order_reference: some(order),
        correlation_id: some(correlation),
        provider_method: some(method),
        provider_kind: some(word),
        store_id: some(store),
        payout_destination_id: some(destination),
        captured_at_us: *at,
        captured_on: captured_on.or(provider_date),
        provider_date,
    }
}

/// Writes the lines in batches of `batch_lines` and reads them back.
fn through_a_file(lines: &[Made], batch_lines: usize, packing: Packing) -> Vec<LineRecord> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.parquet");
    let owner = TableOwner {
        account_id: "T00000001".into(),
        provider: "vipps".into(),
        format: "vipps-portal-csv".into(),
        report_id: "0".repeat(64),
        zone: ZONE.into(),
    };
    let mut table = LineTable::create(File::create(&path).unwrap(), owner, packing).unwrap();
    (0..3).for_each(|number| table.open(&head(number)).unwrap());
    for (first, lines) in (0..).step_by(batch_lines).zip(lines.chunks(batch_lines)) {
        let mut batch = LineBatch::default();
        for (row, made) in (first..).zip(lines) {
            let record = expected(row, made);
            let (settlement, _, _, texts, at, _) = made;
            let [transaction, original, order, correlation, method, word, store, destination] = texts;
            batch.push(&Line {
                settlement: *settlement as u32,
                row: row as u32,
                kind: record.kind,
                terms: record.terms,
                provider_transaction_id: transaction,
                original_reference: original,
                order_reference: order,
                correlation_id: correlation,
                provider_method: method,
                provider_kind: word,
                store_id: store,
                payout_destination_id: destination,
                captured_at_us: *at,
                provider_date: record.provider_date,
            });
        }
        table.lines(&batch).unwrap();
    }
    table.seal(&[]).unwrap();
    read_lines(File::open(&path).unwrap()).unwrap().map(Result::unwrap).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn lines_come_back_as_they_were_written(
        lines in prop::collection::vec(made(), 0..200),
        batch_lines in 1_usize..90,
        is_packed in any::<bool>(),
    ) {
        let packing = if is_packed { Packing::Zstd } else { Packing::None };
        let expected: Vec<LineRecord> = lines.iter().enumerate().map(|(row, made)| expected(row, made)).collect();
        prop_assert_eq!(through_a_file(&lines, batch_lines, packing), expected);
    }
}

/// More lines than a row group has, so that columns are encoded again and again.
#[test]
fn lines_of_several_row_groups_come_back() {
    let texts = |row: usize| [row % 5, row, row % 2, 0, row % 3, row % 40, row / 1_000, 0];
    let text = |number: usize| if number == 0 { String::new() } else { format!("text {number}") };
    let made = |row: usize| -> Made {
        let money = [100 + row as i64, 0, (row % 2) as i64, 0, 0, 0, 0];
        (row / 70_000, row % 2, money, texts(row).map(text), None, Some((row % 30) as i16))
    };
    let lines: Vec<Made> = (0..150_000).map(made).collect();
    let expected: Vec<LineRecord> = lines.iter().enumerate().map(|(row, made)| expected(row, made)).collect();
    assert!(through_a_file(&lines, 1_024, Packing::None) == expected);
}
