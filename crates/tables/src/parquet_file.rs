//! A Parquet file written column by column, where a column with one value in a whole row group costs almost nothing.
//!
//! A report's table has many such columns: account, report, currency, terms that a provider never uses. The `parquet`
//! crate would hash every one of their cells; here such a column is counted, encoded once for a row group of its
//! length, and the encoded bytes are used again for the next.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int8Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_schema::{DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves};
use parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer};
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};

use crate::TableError;

/// The cells of one column in one batch.
pub(crate) enum Cells {
    /// One value for each line.
    Each(ArrayRef),
    /// The one value of all lines, as an array of one.
    Same(ArrayRef),
}

/// What a column holds in the open row group.
enum Column {
    Empty,
    Same(ArrayRef),
    Varied(Box<ArrowColumnWriter>),
}

/// A column of one value as it lies in a file.
struct Encoded {
    value: ArrayRef,
    lines: usize,
    bytes: Bytes,
    close: ColumnCloseResult,
}

/// A file that is being written, one row group at a time.
pub(crate) struct ParquetFile {
    writer: SerializedFileWriter<BufWriter<File>>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    group_lines_max: usize,
    lines: usize,
    groups: usize,
    columns: Vec<Column>,
    unused: Vec<Option<ArrowColumnWriter>>,
    encoded: Vec<Option<Encoded>>,
}

impl ParquetFile {
    pub(crate) fn create(
        file: File,
        schema: SchemaRef,
        properties: WriterProperties,
        group_lines_max: usize,
    ) -> Result<Self, TableError> {
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(BufWriter::new(file), Arc::clone(&schema), options)?;
        let (writer, factory) = writer.into_serialized_writer()?;
        let width = schema.fields().len();
        let encoded = std::iter::repeat_with(|| None).take(width).collect();
        let columns = std::iter::repeat_with(|| Column::Empty).take(width).collect();
        let unused = Vec::new();
        Ok(ParquetFile { writer, factory, schema, group_lines_max, lines: 0, groups: 0, columns, unused, encoded })
    }

    /// Adds a batch of `lines` lines; `cells` are in the order of the schema.
    pub(crate) fn write(&mut self, lines: usize, cells: Vec<Cells>) -> Result<(), TableError> {
        if self.lines == 0 {
            self.unused = self.factory.create_column_writers(self.groups)?.into_iter().map(Some).collect();
        }
        let fields = self.schema.fields().iter();
        let columns = self.columns.iter_mut().zip(self.unused.iter_mut());
        for (((column, unused), field), cells) in columns.zip(fields).zip(cells) {
            let write = |writer: &mut ArrowColumnWriter, array: &ArrayRef| -> Result<(), ParquetError> {
                compute_leaves(field, array)?.iter().try_for_each(|leaf| writer.write(leaf))
            };
            let before = match (&*column, &cells) {
                (Column::Varied(_), _) => None,
                (Column::Empty, Cells::Same(value)) => {
                    *column = Column::Same(Arc::clone(value));
                    continue;
                }
                (Column::Same(before), Cells::Same(value)) if **before == **value => continue,
                (Column::Same(before), _) => Some(repeated(before, self.lines)?),
                (Column::Empty, Cells::Each(_)) => None,
            };
            if let Some(writer) = unused.take() {
                *column = Column::Varied(Box::new(writer));
            }
            let Column::Varied(writer) = column else { continue };
            if let Some(before) = before {
                write(writer, &before)?;
            }
            match cells {
                Cells::Each(array) => write(writer, &array)?,
                Cells::Same(value) => write(writer, &repeated(&value, lines)?)?,
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
        let columns = self.columns.iter_mut().zip(self.encoded.iter_mut()).zip(descriptors);
        for ((column, encoded), descriptor) in columns {
            match std::mem::replace(column, Column::Empty) {
                Column::Varied(writer) => writer.close()?.append_to_row_group(&mut group)?,
                Column::Same(value) => {
                    let usable = encoded.take().filter(|e| e.lines == self.lines && *e.value == *value);
                    let same = match usable {
                        Some(same) => same,
                        None => {
                            let mut sink = TrackedWrite::new(Vec::new());
                            let pages = Box::new(SerializedPageWriter::new(&mut sink));
                            let writer = get_column_writer(descriptor, Arc::clone(&properties), pages);
                            let close = write_same(writer, &value, self.lines)?;
                            Encoded { value, lines: self.lines, bytes: sink.into_inner()?.into(), close }
                        }
                    };
                    group.append_column(&same.bytes, same.close.clone())?;
                    *encoded = Some(same);
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

fn repeated(value: &ArrayRef, lines: usize) -> Result<ArrayRef, TableError> {
    Ok(arrow_select::take::take(value, &UInt32Array::from_value(0, lines), None)?)
}

/// Writes `lines` times the one value of an array to a column of that type.
fn write_same(mut writer: ColumnWriter<'_>, value: &ArrayRef, lines: usize) -> Result<ColumnCloseResult, TableError> {
    let nullable = match &writer {
        ColumnWriter::BoolColumnWriter(writer) => writer.get_descriptor().max_def_level(),
        ColumnWriter::Int32ColumnWriter(writer) => writer.get_descriptor().max_def_level(),
        ColumnWriter::Int64ColumnWriter(writer) => writer.get_descriptor().max_def_level(),
        ColumnWriter::ByteArrayColumnWriter(writer) => writer.get_descriptor().max_def_level(),
        _ => 0,
    };
    let present = value.is_valid(0);
    let levels = (nullable > 0).then(|| vec![i16::from(present); lines]);
    let levels = levels.as_deref();
    let count = if present { lines } else { 0 };
    let unusable =
        || TableError::Parquet(ParquetError::General(format!("A column of {} is not expected", value.data_type())));
    match &mut writer {
        ColumnWriter::BoolColumnWriter(writer) => {
            let value = value.as_boolean_opt().ok_or_else(unusable)?.value(0);
            writer.write_batch(&vec![value; count], levels, None)?;
        }
        ColumnWriter::Int32ColumnWriter(writer) => {
            let value = match value.data_type() {
                DataType::Int8 => i32::from(value.as_primitive::<Int8Type>().value(0)),
                DataType::Date32 => value.as_primitive::<Date32Type>().value(0),
                DataType::Int32 => value.as_primitive::<Int32Type>().value(0),
                _ => return Err(unusable()),
            };
            writer.write_batch(&vec![value; count], levels, None)?;
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            // An instant is the same in all lines only where there is none.
            let value = value.as_primitive_opt::<Int64Type>().map_or(0, |array| array.value(0));
            writer.write_batch(&vec![value; count], levels, None)?;
        }
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let text = value.as_string_opt::<i32>().ok_or_else(unusable)?.value(0);
            // The values are cheap to hold but not to copy: a short slice of them is written again and again.
            let values = vec![ByteArray::from(text); count.min(1_024)];
            for written in (0..lines).step_by(1_024) {
                let part = 1_024.min(lines - written);
                let levels = levels.and_then(|levels| levels.get(written..written + part));
                writer.write_batch(values.get(..part).unwrap_or_default(), levels, None)?;
            }
        }
        _ => return Err(unusable()),
    }
    Ok(writer.close()?)
}
