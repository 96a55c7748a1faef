//! Columns of a row group as bytes of a file, encoded at once by the column writers of the `parquet` crate.
//!
//! `parquet::arrow::ArrowWriter` hashes every cell for its dictionaries (arrow-rs issue 10465), which is most of its time.

use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int8Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer};
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use crate::error::TableError;

/// The bytes of a column with its metadata.
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    pub(crate) close: ColumnCloseResult,
}

impl Encoded {
    /// A column of numbers or days, one for each line.
    pub(crate) fn of_numbers(
        column: ColumnDescPtr,
        properties: &WriterPropertiesPtr,
        numbers: &[i64],
    ) -> Result<Self, TableError> {
        let levels = levels(&column, true, numbers.len());
        let levels = levels.as_deref();
        Encoded::by(column, properties, |writer| {
            match writer {
                ColumnWriter::Int64ColumnWriter(writer) => writer.write_batch(numbers, levels, None)?,
                ColumnWriter::Int32ColumnWriter(writer) => writer.write_batch(&narrow(numbers)?, levels, None)?,
                _ => return Err(unexpected("numbers")),
            };
            Ok(())
        })
    }

    /// A column that has the one value of an array in all of its `lines` lines.
    pub(crate) fn of_same(
        column: ColumnDescPtr,
        properties: &WriterPropertiesPtr,
        value: &ArrayRef,
        lines: usize,
    ) -> Result<Self, TableError> {
        let levels = levels(&column, value.is_valid(0), lines);
        Encoded::by(column, properties, |writer| write_same(writer, value, lines, levels.as_deref()))
    }

    fn by(
        column: ColumnDescPtr,
        properties: &WriterPropertiesPtr,
        write: impl FnOnce(&mut ColumnWriter<'_>) -> Result<(), TableError>,
    ) -> Result<Self, TableError> {
        let mut sink = TrackedWrite::new(Vec::new());
        let pages = Box::new(SerializedPageWriter::new(&mut sink));
        let mut writer = get_column_writer(column, properties.clone(), pages);
        write(&mut writer)?;
        let close = writer.close()?;
        Ok(Encoded { bytes: sink.into_inner()?.into(), close })
    }

    /// The same bytes as another column with the same encoding.
    pub(crate) fn as_column(&self, column: ColumnDescPtr) -> Result<Self, TableError> {
        let ColumnCloseResult { metadata, .. } = &self.close;
        let mut builder = ColumnChunkMetaData::builder(column)
            .set_compression_codec(metadata.compression_codec())
            .set_encodings_mask(*metadata.encodings_mask())
            .set_num_values(metadata.num_values())
            .set_total_compressed_size(metadata.compressed_size())
            .set_total_uncompressed_size(metadata.uncompressed_size())
            .set_dictionary_page_offset(metadata.dictionary_page_offset())
            .set_data_page_offset(metadata.data_page_offset());
        if let Some(statistics) = metadata.statistics() {
            builder = builder.set_statistics(statistics.clone());
        }
        if let Some(pages) = metadata.page_encoding_stats() {
            builder = builder.set_page_encoding_stats(pages.clone());
        }
        let close = ColumnCloseResult { metadata: builder.build()?, ..self.close.clone() };
        Ok(Encoded { bytes: self.bytes.clone(), close })
    }

    /// Adds it to a row group as its next column.
    pub(crate) fn append_to<W: Write + Send>(
        &self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), TableError> {
        Ok(group.append_column(&self.bytes, self.close.clone())?)
    }
}

/// The error for a column of a type that no table has.
pub(crate) fn unexpected(found: impl std::fmt::Display) -> TableError {
    TableError::Parquet(ParquetError::General(format!("A column of {found} is not expected")))
}

/// The definition levels of `lines` cells that are all present or all missing; `None` for a required column.
fn levels(column: &ColumnDescPtr, present: bool, lines: usize) -> Option<Vec<i16>> {
    (column.max_def_level() > 0).then(|| vec![i16::from(present); lines])
}

/// The numbers in 32 bits, as days are written.
pub(crate) fn narrow(numbers: &[i64]) -> Result<Vec<i32>, TableError> {
    let narrow = numbers.iter().map(|number| i32::try_from(*number).ok());
    narrow.collect::<Option<_>>().ok_or_else(|| unexpected("numbers beyond 32 bits"))
}

/// Writes `lines` times the one value of an array to a column of that type.
fn write_same(
    writer: &mut ColumnWriter<'_>,
    value: &ArrayRef,
    lines: usize,
    levels: Option<&[i16]>,
) -> Result<(), TableError> {
    let count = if value.is_valid(0) { lines } else { 0 };
    let unusable = || unexpected(value.data_type());
    match writer {
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
    Ok(())
}
