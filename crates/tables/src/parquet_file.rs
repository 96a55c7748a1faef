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
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray, UInt32Array};
use arrow_schema::{FieldRef, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnDescPtr;

use crate::TableError;
use crate::encoded::{Encoded, unexpected};
use crate::words::Words;

/// The cells of one column in one batch.
pub(crate) enum Cells<'a> {
    /// One value for each line.
    Each(ArrayRef),
    /// A number of each line.
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
        Ok(ParquetFile { writer, factories, schema, group_lines_max, lines: 0, groups: 0, columns, encoded })
    }

    /// Adds a batch of `lines` lines; `cells` are in the order of the schema.
    pub(crate) fn write(&mut self, lines: usize, cells: Vec<Cells<'_>>) -> Result<(), TableError> {
        let fields = self.schema.fields().iter();
        let columns = self.columns.iter_mut().zip(&self.factories);
        for (((column, factory), field), cells) in columns.zip(fields).zip(cells) {
            let Some((before, cells)) = column.take(cells, self.lines, lines)? else { continue };
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
                    numbers_before = Some((numbers, descriptor, encoded));
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
        lines_before: usize,
        lines: usize,
    ) -> Result<Option<(Option<ArrayRef>, ArrayRef)>, TableError> {
        let (before, cells) = match (&mut *self, cells) {
            (Column::Empty, Cells::Same(value)) => {
                *self = Column::Same(value);
                return Ok(None);
            }
            (Column::Same(before), Cells::Same(value)) if **before == *value => return Ok(None),
            (Column::Empty, Cells::Numbers(numbers)) => {
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
            (Column::Numbers(numbers), cells) => (Some(number_array(std::mem::take(numbers))), cells),
            (Column::Empty | Column::Varied(_), cells) => (None, cells),
        };
        let cells = match cells {
            Cells::Each(array) => array,
            Cells::Numbers(numbers) => number_array(numbers),
            Cells::Words(texts) => texts_or_none(&texts),
            Cells::Same(value) => repeated(&value, lines)?,
        };
        Ok(Some((before, cells)))
    }
}

fn is_encoded_alike(properties: &WriterProperties, one: &ColumnDescPtr, other: &ColumnDescPtr) -> bool {
    let (one, other) = (one.path(), other.path());
    properties.compression(one) == properties.compression(other)
        && properties.encoding(one) == properties.encoding(other)
        && properties.dictionary_enabled(one) == properties.dictionary_enabled(other)
        && properties.statistics_enabled(one) == properties.statistics_enabled(other)
}

/// The number that all lines have.
fn number(value: &ArrayRef) -> Result<i64, TableError> {
    let array = value.as_primitive_opt::<Int64Type>().filter(|array| array.is_valid(0));
    array.map(|array| array.value(0)).ok_or_else(|| unexpected(value.data_type()))
}

fn number_array(numbers: Vec<i64>) -> ArrayRef {
    Arc::new(Int64Array::from(numbers))
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
    use arrow_schema::{DataType, Field};
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
                false => Cells::Same(number_array(vec![0])),
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

    proptest! {
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
