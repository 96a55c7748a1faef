//! What tests of the writers share.

use std::fs::File;

use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelector};
use parquet::file::metadata::PageIndexPolicy;

/// The rows of a file after the first `skipped`, found with the index of its pages or without it.
pub(crate) fn read_after(file: &File, pages: PageIndexPolicy, skipped: usize) -> Vec<RecordBatch> {
    let options = ArrowReaderOptions::new().with_page_index_policy(pages);
    let file = file.try_clone().unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).unwrap();
    let mut rows = 0;
    for group in builder.metadata().row_groups() {
        assert!(group.columns().iter().all(|column| column.num_values() == group.num_rows()));
        rows += usize::try_from(group.num_rows()).unwrap();
    }
    let selected = vec![RowSelector::skip(skipped), RowSelector::select(rows - skipped)];
    builder.with_row_selection(selected.into()).build().unwrap().map(Result::unwrap).collect()
}
