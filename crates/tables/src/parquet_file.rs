//! A Parquet file written column by column, where a column with one value in a whole row group costs almost nothing.
//!
//! The table of a report has many such columns: account, report, currency, terms that a provider never uses.
//! `parquet::arrow::ArrowWriter` hashes every one of their cells and takes about twice the time for ten million rows
//! (arrow-rs issue 10465; pull request 10862 is open). Here such a column is counted and encoded once for a row group of
//! its length, and the next row group uses the same bytes. Numbers are gathered and encoded by the crate's own column
//! writers when their row group ends, few words by `words.rs`; all other cells go through Arrow.

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

use crate::encoded::{Encoded, narrow, unexpected};
use crate::error::TableError;
use crate::words::Words;

/// The cells of one column in one batch.
pub(crate) enum Cells<'a> {
    /// One value for each line.
    Each(ArrayRef),
    /// A number of each line; a day is the number of days since 1970.
    Numbers(Vec<i64>),
    /// A text of each line, mostly one of few; an empty text is no text.
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
    /// One for each column: few columns need a writer, and to make one costs more than to write a column of one value.
    factories: Vec<ArrowRowGroupWriterFactory>,
    schema: SchemaRef,
    group_lines_max: usize,
    lines: usize,
    groups: usize,
    columns: Vec<Column>,
    encoded: Vec<Option<EncodedSame>>,
    /// Memory of numbers of earlier row groups, which costs more to allocate than to fill.
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

    /// Writes the rest and the footer.
    pub(crate) fn close(mut self) -> Result<(), TableError> {
        if self.lines > 0 {
            self.end_group()?;
        }
        self.writer.close()?;
        Ok(())
    }
}

impl Column {
    /// Takes the cells of the next `lines` lines. When they need a writer, returns the cells, and the earlier cells unless
    /// a writer has them already.
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
mod tests;
