//! A Parquet file written column by column, where a column with one value in a whole row group costs almost nothing.
//!
//! A report's table has many such columns: account, report, currency, terms that a provider never uses. The `parquet`
//! crate would hash every one of their cells; here such a column is counted, encoded once for a row group of its
//! length, and the encoded bytes are used again for the next. Numbers and few words are gathered and encoded when their
//! row group ends; what is left goes through Arrow.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Date32Array, Int64Array, StringArray, UInt32Array};
use arrow_schema::{DataType, FieldRef, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnDescPtr;

use crate::TableError;
use crate::encoded::{Encoded, narrow, unexpected};
use crate::words::Words;

/// The cells of one column in one batch.
pub(crate) enum Cells<'a> {
    /// One value for each line.
    Each(ArrayRef),
    /// A number of each line; a day is the number of days since 1970.
    Numbers(Vec<i64>),
    /// A text of each line that is mostly one of few; an empty one is none.
    Words(Vec<&'a str>),
    /// The one value of all lines, as an array of one.
    Same(ArrayRef),
}

/// What a column holds in the open row group.
enum Column {
    Empty,
    Same(ArrayRef),
    Numbers(Vec<i64>),
    Words(Words),
    Varied(Box<ArrowColumnWriter>),
}

/// A column of one value, kept for the next row group.
struct EncodedSame {
    value: ArrayRef,
    lines: usize,
    encoded: Encoded,
}

/// A file that is being written, one row group at a time.
pub(crate) struct ParquetFile {
    writer: SerializedFileWriter<BufWriter<File>>,
    /// Of each column alone: few of them need a writer, which is more to make than a column of one value takes.
    factories: Vec<ArrowRowGroupWriterFactory>,
    schema: SchemaRef,
    group_lines_max: usize,
    lines: usize,
    groups: usize,
    columns: Vec<Column>,
    encoded: Vec<Option<EncodedSame>>,
    /// Memory of numbers in row groups before, which costs more to get than to fill.
    spare: Vec<Vec<i64>>,
}

impl ParquetFile {
    pub(crate) fn create(
        file: File,
        schema: SchemaRef,
        properties: WriterProperties,
        group_lines_max: usize,
    ) -> Result<Self, TableError> {
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let factory = |field: &FieldRef| {
            let schema = Arc::new(Schema::new(vec![Arc::clone(field)]));
            let column = ArrowWriter::try_new_with_options(std::io::sink(), schema, options.clone())?;
            Ok(column.into_serialized_writer()?.1)
        };
        let factories = schema.fields().iter().map(factory).collect::<Result<_, ParquetError>>()?;
        let writer = ArrowWriter::try_new_with_options(BufWriter::new(file), Arc::clone(&schema), options)?;
        let (writer, _) = writer.into_serialized_writer()?;
        let width = schema.fields().len();
        let encoded = std::iter::repeat_with(|| None).take(width).collect();
        let columns = std::iter::repeat_with(|| Column::Empty).take(width).collect();
        let (lines, groups, spare) = (0, 0, Vec::new());
        Ok(ParquetFile { writer, factories, schema, group_lines_max, lines, groups, columns, encoded, spare })
    }

    /// Adds a batch of `lines` lines; `cells` are in the order of the schema.
    pub(crate) fn write(&mut self, lines: usize, cells: Vec<Cells<'_>>) -> Result<(), TableError> {
        let fields = self.schema.fields().iter();
        let columns = self.columns.iter_mut().zip(&self.factories);
        for (((column, factory), field), cells) in columns.zip(fields).zip(cells) {
            let before = (self.lines, &mut self.spare);
            let Some((before, cells)) = column.take(cells, lines, field.data_type(), before)? else { continue };
            if !matches!(column, Column::Varied(_)) {
                let writer = factory.create_column_writers(self.groups)?.pop();
                *column = Column::Varied(Box::new(writer.ok_or_else(|| unexpected(field.data_type()))?));
            }
            let Column::Varied(writer) = column else { continue };
            for array in before.into_iter().chain([cells]) {
                compute_leaves(field, &array)?.iter().try_for_each(|leaf| writer.write(leaf))?;
            }
        }
        self.lines += lines;
        if self.lines >= self.group_lines_max {
            self.end_group()?;
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), TableError> {
        let descriptors = self.writer.schema_descr().columns().to_vec();
        let properties = Arc::clone(self.writer.properties());
        let mut group = self.writer.next_row_group()?;
        let mut numbers_before: Option<(Vec<i64>, ColumnDescPtr, Encoded)> = None;
        let columns = self.columns.iter_mut().zip(self.encoded.iter_mut()).zip(descriptors);
        for ((column, same), descriptor) in columns {
            match std::mem::replace(column, Column::Empty) {
                Column::Varied(writer) => writer.close()?.append_to_row_group(&mut group)?,
                Column::Numbers(numbers) => {
                    let alike = |(before, column, _): &&(Vec<i64>, ColumnDescPtr, Encoded)| {
                        *before == numbers && is_encoded_alike(&properties, column, &descriptor)
                    };
                    let encoded = match numbers_before.as_ref().filter(alike) {
                        Some((_, _, encoded)) => encoded.as_column(Arc::clone(&descriptor))?,
                        None => Encoded::of_numbers(Arc::clone(&descriptor), &properties, &numbers)?,
                    };
                    encoded.append_to(&mut group)?;
                    let before = numbers_before.replace((numbers, descriptor, encoded));
                    self.spare.extend(before.map(|(numbers, ..)| numbers));
                }
                Column::Words(words) => {
                    words.encode(descriptor, properties.data_page_row_count_limit())?.append_to(&mut group)?;
                }
                Column::Same(value) => {
                    let usable = same.take().filter(|same| same.lines == self.lines && *same.value == *value);
                    let usable = match usable {
                        Some(usable) => usable,
                        None => {
                            let encoded = Encoded::of_same(descriptor, &properties, &value, self.lines)?;
                            EncodedSame { value, lines: self.lines, encoded }
                        }
                    };
                    usable.encoded.append_to(&mut group)?;
                    *same = Some(usable);
                }
                Column::Empty => {}
            }
        }
        self.spare.extend(numbers_before.map(|(numbers, ..)| numbers));
        group.close()?;
        self.groups += 1;
        self.lines = 0;
        Ok(())
    }

    /// Writes what is left and the footer.
    pub(crate) fn close(mut self) -> Result<(), TableError> {
        if self.lines > 0 {
            self.end_group()?;
        }
        self.writer.close()?;
        Ok(())
    }
}

impl Column {
    /// Takes the cells of further `lines` lines behind those before them. Where it would need a writer for that, gives
    /// back what was before, unless a writer has it already, and the cells.
    fn take(
        &mut self,
        cells: Cells<'_>,
        lines: usize,
        kind: &DataType,
        (lines_before, spare): (usize, &mut Vec<Vec<i64>>),
    ) -> Result<Option<(Option<ArrayRef>, ArrayRef)>, TableError> {
        let (before, cells) = match (&mut *self, cells) {
            (Column::Empty, Cells::Same(value)) => {
                *self = Column::Same(value);
                return Ok(None);
            }
            (Column::Same(before), Cells::Same(value)) if **before == *value => return Ok(None),
            (Column::Empty, Cells::Numbers(more)) => {
                let mut numbers = spare.pop().unwrap_or_default();
                numbers.clear();
                numbers.extend(more);
                *self = Column::Numbers(numbers);
                return Ok(None);
            }
            (Column::Same(before), Cells::Numbers(more)) => {
                let mut numbers = vec![number(before)?; lines_before];
                numbers.extend(more);
                *self = Column::Numbers(numbers);
                return Ok(None);
            }
            (Column::Numbers(numbers), Cells::Numbers(more)) => {
                numbers.extend(more);
                return Ok(None);
            }
            (Column::Numbers(numbers), Cells::Same(value)) => {
                numbers.resize(lines_before + lines, number(&value)?);
                return Ok(None);
            }
            (Column::Empty, Cells::Words(texts)) => {
                let mut words = Words::default();
                if words.extend(&texts) {
                    *self = Column::Words(words);
                    return Ok(None);
                }
                (None, Cells::Words(texts))
            }
            (Column::Words(words), Cells::Words(texts)) => {
                if words.extend(&texts) {
                    return Ok(None);
                }
                (Some(words.to_array()), Cells::Words(texts))
            }
            (Column::Words(words), cells) => (Some(words.to_array()), cells),
            (Column::Same(before), cells) => (Some(repeated(before, lines_before)?), cells),
            (Column::Numbers(numbers), cells) => (Some(number_array(numbers, kind)?), cells),
            (Column::Empty | Column::Varied(_), cells) => (None, cells),
        };
        let cells = match cells {
            Cells::Each(array) => array,
            Cells::Numbers(numbers) => number_array(&numbers, kind)?,
            Cells::Words(texts) => texts_or_none(&texts),
            Cells::Same(value) => repeated(&value, lines)?,
        };
        Ok(Some((before, cells)))
    }
}

fn is_encoded_alike(properties: &WriterProperties, one: &ColumnDescPtr, other: &ColumnDescPtr) -> bool {
    let is_of_one_type = one.physical_type() == other.physical_type() && one.max_def_level() == other.max_def_level();
    let (one, other) = (one.path(), other.path());
    is_of_one_type
        && properties.compression(one) == properties.compression(other)
        && properties.encoding(one) == properties.encoding(other)
        && properties.dictionary_enabled(one) == properties.dictionary_enabled(other)
        && properties.statistics_enabled(one) == properties.statistics_enabled(other)
}

/// The number that all lines have.
fn number(value: &ArrayRef) -> Result<i64, TableError> {
    let number = value.as_primitive_opt::<Int64Type>().map(|array| array.value(0));
    let day = || value.as_primitive_opt::<Date32Type>().map(|array| i64::from(array.value(0)));
    let number = number.or_else(day).filter(|_| value.is_valid(0));
    number.ok_or_else(|| unexpected(value.data_type()))
}

fn number_array(numbers: &[i64], kind: &DataType) -> Result<ArrayRef, TableError> {
    Ok(match kind {
        DataType::Date32 => Arc::new(Date32Array::from(narrow(numbers)?)),
        DataType::Int64 => Arc::new(Int64Array::from(numbers.to_vec())),
        _ => return Err(unexpected(kind)),
    })
}

fn texts_or_none(texts: &[&str]) -> ArrayRef {
    Arc::new(texts.iter().map(|text| Some(*text).filter(|text| !text.is_empty())).collect::<StringArray>())
}

fn repeated(value: &ArrayRef, lines: usize) -> Result<ArrayRef, TableError> {
    Ok(arrow_select::take::take(value, &UInt32Array::from_value(0, lines), None)?)
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatch;
    use arrow_array::types::Decimal128Type;
    use arrow_schema::Field;
    use parquet::file::metadata::PageIndexPolicy;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::read_behind;

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

    /// Reads them back behind `skipped` lines, with the places of pages or without.
    fn read(file: &File, pages: PageIndexPolicy, skipped: usize) -> Vec<(i64, i64)> {
        let pairs = |batch: RecordBatch| {
            let minor = batch.column(0).as_primitive::<Int64Type>().values().to_vec();
            let shown = batch.column(1).as_primitive::<Decimal128Type>().values().to_vec();
            minor.into_iter().zip(shown.into_iter().map(|shown| i64::try_from(shown).unwrap())).collect::<Vec<_>>()
        };
        read_behind(file, pages, skipped).into_iter().flat_map(pairs).collect()
    }

    /// Writes batches of two columns of days and reads them back behind `skipped` lines.
    fn days_behind(skipped: usize, batches: &[Vec<Days>], group_lines_max: usize) -> Vec<Days> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let fields = ["captured_on", "provider_date"].map(|name| Field::new(name, DataType::Date32, true));
        let properties = WriterProperties::builder().set_data_page_row_count_limit(20).set_dictionary_enabled(false);
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let mut table =
            ParquetFile::create(file.reopen().unwrap(), schema, properties.build(), group_lines_max).unwrap();
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
        read_behind(file.as_file(), PageIndexPolicy::Required, skipped).into_iter().flat_map(pairs).collect()
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
            let read = days_behind(skipped, &batches, group_lines_max);
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
}
