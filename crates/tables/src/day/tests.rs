use arrow_array::cast::AsArray;
use jiff::civil::date as day;
use settlement::{AccountId, Line, LineBatch, LineKind, MatchRow, ReportId, SettlementHead, Sink};

use super::*;
use crate::matches::MatchTable;
use crate::writer::{LineTable, TableOwner};

const DAYS: [Date; 2] = [day(2026, 10, 5), day(2026, 10, 12)];

fn shown(number: usize, version: u32, is_current: bool) -> Shown<'static> {
    let settlement_id = ["2000001", "2000002"][number];
    Shown { number, merchant_number: "123456", settlement_id, currency: Currency::NOK, version, is_current }
}

/// A report's table of two settlements with so many lines each; three lines at a time have one number.
fn report(lines: u32) -> File {
    let file = tempfile::tempfile().unwrap();
    let account: AccountId = "T00000001".parse().unwrap();
    let owner = TableOwner::new(&account, "vipps", "vipps-portal-csv", ReportId::from_sha256([7; 32]), "Europe/Oslo");
    let mut table = LineTable::create(file.try_clone().unwrap(), owner, Packing::None).unwrap();
    for (number, payout_on) in (0_u32..).zip(DAYS) {
        let shown = shown(number as usize, 1, true);
        let (merchant_number, settlement_id) =
            (shown.merchant_number.parse().unwrap(), shown.settlement_id.parse().unwrap());
        let head = SettlementHead { merchant_number, settlement_id, currency: shown.currency, exponent: 2, payout_on };
        table.open(&head).unwrap();
        let mut batch = LineBatch::default();
        for line in 0..lines {
            batch.push(&Line {
                settlement: number,
                row: 1 + line / 3,
                kind: LineKind::Sale,
                terms: Terms { capture_minor: 100 + i64::from(line), ..Terms::default() },
                provider_transaction_id: "",
                original_reference: "",
                order_reference: "",
                correlation_id: "",
                provider_method: "",
                provider_kind: "",
                store_id: "",
                payout_destination_id: "",
                captured_at_us: None,
                provider_date: Some(day(2026, 9, 30)).filter(|_| line % 2 == 0),
            });
            if batch.is_full() {
                table.lines(&batch).unwrap();
                batch.clear();
            }
        }
        table.lines(&batch).unwrap();
    }
    table.seal(&[]).unwrap();
    file
}

/// A match table of the second settlement, of three products in turn.
fn matches(lines: i64, order: impl Fn(&mut Vec<MatchRow>)) -> File {
    let row = |line: i64| MatchRow {
        merchant_number: "123456".into(),
        settlement_id: "2000002".into(),
        currency: Currency::NOK,
        line_no: 1 + line / 3,
        state: "matched".into(),
        reason: "by order".into(),
        transaction_id: Some("T00000001.a".into()),
        transaction_event: (line % 2 == 0).then_some(0),
        payment_product: Some(["vipps", "card", "swish"][(line % 3) as usize].into()),
        payment_product_type: None,
        merchant_reference: None,
        merchant_reference_2: None,
        payout_on: DAYS[1],
    };
    let mut rows: Vec<MatchRow> = (0..lines).map(row).collect();
    order(&mut rows);
    let file = tempfile::tempfile().unwrap();
    let (account, report) = ("T00000001".parse().unwrap(), ReportId::from_sha256([7; 32]));
    let mut table = MatchTable::create(file.try_clone().unwrap(), &account, "vipps", report, Packing::None).unwrap();
    rows.into_iter().for_each(|row| table.add(row).unwrap());
    table.close().unwrap();
    file
}

fn built(lines: u32, order: impl Fn(&mut Vec<MatchRow>)) -> (u64, Vec<LineSum>) {
    let mut table = DayLines::create(Vec::new(), DAYS[1], Packing::None).unwrap();
    let both = [shown(0, 1, true), shown(1, 2, true)];
    table.add(report(lines), &both[1..], Some((matches(i64::from(lines), order), &both[1..]))).unwrap();
    let (_, rows, sums) = table.close().unwrap();
    (rows, sums)
}

#[test]
fn lines_of_one_number_have_each_their_own_product_in_whatever_order_matches_lie() {
    let (rows, sums) = built(12, |_| {});
    assert_eq!((rows, sums.len()), (12, 6));
    let of = |product: &str, month: Date| {
        let found = sums.iter().find(|s| s.payment_product.as_deref() == Some(product) && s.month == month).unwrap();
        (found.lines, found.terms.capture_minor)
    };
    // Lines 0 and 6 have a day of the provider's, 3 and 9 none.
    assert_eq!(of("vipps", day(2026, 9, 1)), (2, 206));
    assert_eq!(of("vipps", day(2026, 10, 1)), (2, 212));
    let by_number = |rows: &mut Vec<MatchRow>| rows.sort_by_key(|row| std::cmp::Reverse(row.line_no));
    assert_eq!(built(12, by_number).1, sums);
}

#[test]
fn only_versions_in_force_are_summed() {
    let mut table = DayLines::create(Vec::new(), DAYS[0], Packing::None).unwrap();
    table.add(report(5), &[shown(0, 3, false)], None).unwrap();
    let (bytes, rows, sums) = table.close().unwrap();
    assert_eq!((rows, sums.len()), (5, 0));
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap().build().unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert_eq!(batch.column_by_name("is_current").unwrap().as_boolean().true_count(), 0);
    assert_eq!(numbers::<Int32Type>(&batch, "report_version").unwrap().values(), &[3; 5]);
    assert_eq!(numbers::<Int32Type>(&batch, "line_part").unwrap().values(), &[1, 2, 3, 1, 2]);
}

#[test]
fn an_event_has_its_state_where_a_line_is_an_event() {
    let mut table = DayMatches::create(Vec::new(), DAYS[1], Packing::None).unwrap();
    let events: EventStates = [((1, "T00000001.a".to_owned()), "POSTED")].into();
    table.add(matches(4, |_| {}), &[shown(1, 1, true)], &events).unwrap();
    let bytes = bytes::Bytes::from(table.close().unwrap());
    let batch = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap().next().unwrap().unwrap();
    let states: Vec<Option<&str>> = texts(&batch, "event_state").unwrap().iter().collect();
    assert_eq!(states, [Some("POSTED"), None, Some("POSTED"), None]);
}

#[test]
fn row_groups_of_other_days_are_skipped() {
    let file = report(70_000);
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(builder.metadata().num_row_groups(), 3);
    assert_eq!(groups_of(builder.metadata(), DAYS[0]), [0, 1]);
    assert_eq!(groups_of(builder.metadata(), DAYS[1]), [1, 2]);
    assert_eq!(groups_of(builder.metadata(), day(2026, 11, 1)), [0; 0]);
}

#[test]
fn a_file_from_before_a_column_was_added_has_it_empty() {
    let builder = ParquetRecordBatchReaderBuilder::try_new(report(3)).unwrap();
    let names = SETTLEMENT_LINE.columns.iter().map(|column| column.name);
    let without = |left_out: &'static str| {
        let mask = ProjectionMask::columns(builder.parquet_schema(), names.clone().filter(|name| *name != left_out));
        let reader = ParquetRecordBatchReaderBuilder::try_new(report(3)).unwrap().with_projection(mask);
        conformed(&reader.build().unwrap().next().unwrap().unwrap(), &SETTLEMENT_LINE)
    };
    assert_eq!(without("store_id").unwrap().column_by_name("store_id").unwrap().null_count(), 6);
    assert!(matches!(without("net_minor"), Err(TableError::Column { column: "net_minor" })));
}
