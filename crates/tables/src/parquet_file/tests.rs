use arrow_array::RecordBatch;
use arrow_array::types::Decimal128Type;
use arrow_schema::Field;
use parquet::file::metadata::PageIndexPolicy;
use proptest::prelude::*;

use super::*;
use crate::testing::read_after;
use crate::words::WORDS_MAX;

/// Writes batches of two columns of numbers, the second as amounts.
fn write(batches: &[(Vec<i64>, Vec<i64>)], group_lines_max: usize) -> File {
    let file = tempfile::NamedTempFile::new().unwrap();
    let fields = [("minor", DataType::Int64), ("shown", DataType::Decimal128(18, 2))];
    let fields = fields.map(|(name, kind)| Field::new(name, kind, false));
    let properties = WriterProperties::builder().set_data_page_row_count_limit(20).set_write_batch_size(7);
    let properties = properties.set_dictionary_enabled(false).build();
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let mut table = ParquetFile::create(file.reopen().unwrap(), schema, properties, group_lines_max).unwrap();
    for (minor, shown) in batches {
        let cells = |numbers: &[i64]| match numbers.iter().any(|number| *number != 0) {
            true => Cells::Numbers(numbers.to_vec()),
            false => Cells::Same(number_array(&[0], &DataType::Int64).unwrap()),
        };
        table.write(minor.len(), vec![cells(minor), Cells::Numbers(shown.clone())]).unwrap();
    }
    table.close().unwrap();
    file.into_file()
}

/// Reads them back after `skipped` lines, with the index of pages or without.
fn read(file: &File, pages: PageIndexPolicy, skipped: usize) -> Vec<(i64, i64)> {
    let pairs = |batch: RecordBatch| {
        let minor = batch.column(0).as_primitive::<Int64Type>().values().to_vec();
        let shown = batch.column(1).as_primitive::<Decimal128Type>().values().to_vec();
        minor.into_iter().zip(shown.into_iter().map(|shown| i64::try_from(shown).unwrap())).collect::<Vec<_>>()
    };
    read_after(file, pages, skipped).into_iter().flat_map(pairs).collect()
}

/// Writes batches of two columns of days and reads them back after `skipped` lines.
fn days_after(skipped: usize, batches: &[Vec<Days>], group_lines_max: usize) -> Vec<Days> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let fields = ["captured_on", "provider_date"].map(|name| Field::new(name, DataType::Date32, true));
    let properties = WriterProperties::builder().set_data_page_row_count_limit(20).set_dictionary_enabled(false);
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let mut table = ParquetFile::create(file.reopen().unwrap(), schema, properties.build(), group_lines_max).unwrap();
    for batch in batches {
        let cells = |days: Vec<Option<i32>>| match days.iter().map(|day| day.map(i64::from)).collect() {
            Some(numbers) => Cells::Numbers(numbers),
            None => Cells::Each(Arc::new(Date32Array::from(days))),
        };
        let (captured_on, provider_date) = batch.iter().copied().unzip();
        table.write(batch.len(), vec![cells(captured_on), cells(provider_date)]).unwrap();
    }
    table.close().unwrap();
    let pairs = |batch: RecordBatch| {
        let days = |place: usize| batch.column(place).as_primitive::<Date32Type>().iter().collect::<Vec<_>>();
        days(0).into_iter().zip(days(1)).collect::<Vec<_>>()
    };
    read_after(file.as_file(), PageIndexPolicy::Required, skipped).into_iter().flat_map(pairs).collect()
}

/// Two days of a line.
type Days = (Option<i32>, Option<i32>);

#[test]
fn a_day_beyond_the_calendar_of_a_file_is_refused() {
    let schema = Arc::new(Schema::new(vec![Field::new("captured_on", DataType::Date32, true)]));
    let file = tempfile::tempfile().unwrap();
    let mut table = ParquetFile::create(file, schema, WriterProperties::default(), 90).unwrap();
    table.write(1, vec![Cells::Numbers(vec![i64::from(i32::MAX) + 1])]).unwrap();
    assert!(table.close().unwrap_err().to_string().contains("32 bits"));
}

proptest! {
    #[test]
    fn days_are_read_back_whether_some_are_missing_or_not(
        batches in prop::collection::vec((
            prop::collection::vec((-3..3_i32, prop::bool::weighted(0.02), prop::bool::weighted(0.02)), 1..40),
            prop::bool::weighted(0.3),
        ), 1..6),
        group_lines_max in 1..120_usize,
        skipped in 0..200_usize,
    ) {
        let batches: Vec<Vec<Days>> = batches.iter().map(|(lines, is_whole)| {
            let day = |day: i32, is_missing: bool| (!is_missing || *is_whole).then_some(day);
            lines.iter().map(|(number, missing, other)| (day(*number, *missing), day(*number, *other))).collect()
        }).collect();
        let expected: Vec<Days> = batches.iter().flatten().copied().collect();
        let skipped = skipped.min(expected.len());
        let read = days_after(skipped, &batches, group_lines_max);
        prop_assert_eq!(read.as_slice(), &expected[skipped..]);
    }

    #[test]
    fn numbers_are_read_back_whether_two_columns_have_the_same_or_not(
        lines in prop::collection::vec((
            prop::collection::vec((-3_i64..3, prop::bool::weighted(0.05)), 1..40),
            prop::bool::weighted(0.3),
        ), 1..6),
        group_lines_max in 1..120_usize,
        skipped in 0..200_usize,
    ) {
        let batches: Vec<(Vec<i64>, Vec<i64>)> = lines.iter().map(|(lines, zero)| {
            let minor = |minor: i64| if *zero { 0 } else { minor };
            lines.iter().map(|(shown, differs)| (minor(*shown), minor(*shown) + i64::from(*differs))).unzip()
        }).collect();
        let expected: Vec<(i64, i64)> =
            batches.iter().flat_map(|(minor, shown)| minor.iter().copied().zip(shown.iter().copied())).collect();
        let skipped = skipped.min(expected.len());
        let file = write(&batches, group_lines_max);
        for pages in [PageIndexPolicy::Required, PageIndexPolicy::Skip] {
            let read = read(&file, pages, skipped);
            prop_assert_eq!(read.as_slice(), &expected[skipped..]);
        }
    }
}

/// Writes batches of texts as one column and reads them back after `skipped` lines.
fn words_after(skipped: usize, batches: &[Vec<String>], nullable: bool, group_lines_max: usize) -> Vec<Option<String>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let schema = Arc::new(Schema::new(vec![Field::new("word", DataType::Utf8, nullable)]));
    let properties = WriterProperties::builder().set_data_page_row_count_limit(20).build();
    let mut table = ParquetFile::create(file.reopen().unwrap(), schema, properties, group_lines_max).unwrap();
    for batch in batches {
        let words = batch.iter().map(String::as_str).collect();
        table.write(batch.len(), vec![Cells::Words(words)]).unwrap();
    }
    table.close().unwrap();
    let [with_index, without] = [PageIndexPolicy::Required, PageIndexPolicy::Skip].map(|pages| {
        let read = read_after(file.as_file(), pages, skipped);
        let texts = read.iter().flat_map(|batch| batch.column(0).as_string::<i32>());
        texts.map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
    });
    assert_eq!(with_index, without);
    with_index
}

fn words_through_a_file(batches: &[Vec<String>], nullable: bool, group_lines_max: usize) -> Vec<Option<String>> {
    words_after(0, batches, nullable, group_lines_max)
}

fn as_read(batches: &[Vec<String>]) -> Vec<Option<String>> {
    batches.iter().flatten().map(|text| (!text.is_empty()).then(|| text.clone())).collect()
}

#[test]
fn more_words_than_a_few_are_written_all_the_same() {
    let numbered = |count: usize| (0..count).map(|number| format!("word {number}")).collect::<Vec<_>>();
    for few in [1, WORDS_MAX - 1, WORDS_MAX] {
        for more in [0, 1, 2, 50] {
            let batches = [numbered(few), numbered(few + more), numbered(1)];
            assert_eq!(words_through_a_file(&batches, true, 1_000), as_read(&batches), "{few} and {more} more");
        }
    }
}

#[test]
fn pages_are_skipped_by_their_index() {
    let batches = [(0..200).map(|line| format!("word {}", line / 7)).collect::<Vec<_>>()];
    for skipped in [0, 1, 19, 20, 21, 40, 150, 199, 200] {
        let expected = as_read(&batches).split_off(skipped);
        assert_eq!(words_after(skipped, &batches, true, 90), expected, "{skipped}");
    }
}

#[test]
fn a_line_without_a_word_is_refused_where_each_must_have_one() {
    let file = tempfile::tempfile().unwrap();
    let schema = Arc::new(Schema::new(vec![Field::new("word", DataType::Utf8, false)]));
    let mut table = ParquetFile::create(file, schema, WriterProperties::default(), 90).unwrap();
    table.write(2, vec![Cells::Words(vec!["sale", ""])]).unwrap();
    assert!(table.close().unwrap_err().to_string().contains("column word"));
}

proptest! {
    #[test]
    fn words_are_read_back_as_they_were_written(
        batches in prop::collection::vec(prop::collection::vec("[ab]{1,2}|c", 1..90), 1..6),
        runs in prop::collection::vec((0..8_usize, 1..60_usize), 1..8),
        group_lines_max in 1..200_usize,
    ) {
        let mut batches = batches;
        batches.push(runs.iter().flat_map(|(word, count)| vec![format!("run {word}"); *count]).collect());
        prop_assert_eq!(words_through_a_file(&batches, false, group_lines_max), as_read(&batches));
        for batch in &mut batches {
            batch.iter_mut().step_by(3).for_each(String::clear);
        }
        prop_assert_eq!(words_through_a_file(&batches, true, group_lines_max), as_read(&batches));
    }
}
