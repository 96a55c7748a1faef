//! Tables written batch by batch, from other tables of the same name or from rows.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow_array::{RecordBatch, new_null_array};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;

use crate::error::TableError;
use crate::packing::Packing;
use crate::schema::{SETTLEMENT_LINE, Table};
use crate::writer;

/// Rows that are read at a time.
pub(crate) const BATCH_ROWS: usize = 8 * 1024;
/// Rows of one row group, whose buffers the writer holds in memory.
const ROW_GROUP_ROWS: usize = 64 * 1024;

/// A table that is being written.
pub struct TableStream<W: Write + Send> {
    table: &'static Table,
    writer: ArrowWriter<W>,
    rows: u64,
}

impl<W: Write + Send> TableStream<W> {
    /// An empty table that goes to `output` with that packing.
    ///
    /// # Errors
    /// When the output or Parquet refuses.
    pub fn create(output: W, table: &'static Table, packing: Packing) -> Result<Self, TableError> {
        let properties = match *table == SETTLEMENT_LINE {
            true => writer::properties(packing)?,
            false => packing.properties()?.set_max_row_group_row_count(Some(ROW_GROUP_ROWS)).build(),
        };
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(output, table.schema(), options)?;
        Ok(TableStream { table, writer, rows: 0 })
    }

    /// Adds all rows of a file of this table, a batch in memory at a time.
    ///
    /// # Errors
    /// When the file is not such a table, or the output or Parquet refuses.
    pub fn append(&mut self, file: File) -> Result<(), TableError> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(BATCH_ROWS).build()?;
        for batch in reader {
            let batch = conformed(&batch?, self.table)?;
            self.write(&batch)?;
        }
        Ok(())
    }

    /// Writes the rest and the footer; returns the output and its number of rows.
    ///
    /// # Errors
    /// When the output or Parquet refuses.
    pub fn close(self) -> Result<(W, u64), TableError> {
        Ok((self.writer.into_inner()?, self.rows))
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        self.rows += batch.num_rows() as u64;
        Ok(self.writer.write(batch)?)
    }
}

/// The batch with the columns of `table` in its order: by name, and empty where an older file lacks one.
pub(crate) fn conformed(batch: &RecordBatch, table: &'static Table) -> Result<RecordBatch, TableError> {
    let columns = table.columns.iter().map(|column| {
        let found = batch.column_by_name(column.name);
        match found {
            Some(found) if *found.data_type() == column.kind.arrow() => Ok(Arc::clone(found)),
            None if column.is_nullable => Ok(new_null_array(&column.kind.arrow(), batch.num_rows())),
            _ => Err(TableError::Column { column: column.name }),
        }
    });
    Ok(RecordBatch::try_new(table.schema(), columns.collect::<Result<_, _>>()?)?)
}
