//! How large a file and its parts may be before it is refused.

/// A format sees this much of a file when it says whether the file is its own.
pub const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Bounds on what a reader takes in; all of them hold whatever the file claims of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Size of a CSV or XML file.
    pub file_bytes_max: u64,
    /// Size of a JSON file, which is read whole.
    pub json_bytes_max: u64,
    /// Number of lines of a settlement file.
    pub lines_max: u64,
    /// Number of settlements in one file.
    pub settlements_max: usize,
    /// Size of one field or XML text.
    pub field_bytes_max: usize,
    /// Size of one row or XML tag.
    pub row_bytes_max: usize,
    /// Number of columns.
    pub columns_max: usize,
    /// Depth of nested XML elements.
    pub xml_depth_max: usize,
    /// Number of attributes of one XML element.
    pub xml_attributes_max: usize,
    /// Size of a ZIP archive or workbook.
    pub archive_bytes_max: u64,
    /// Number of entries of an archive.
    pub archive_entries_max: usize,
    /// Size of one entry when unpacked.
    pub entry_bytes_max: u64,
    /// Size of all entries when unpacked.
    pub unpacked_bytes_max: u64,
    /// How many times its packed size an entry may be.
    pub unpack_ratio_max: u64,
    /// How many times its packed size a large entry may be: those of real reports are six to ten times as large.
    pub large_unpack_ratio_max: u64,
    /// Number of the last row of a sheet.
    pub sheet_rows_max: u32,
    /// Number of the last column of a sheet.
    pub sheet_columns_max: usize,
    /// Size of all shared texts of a workbook.
    pub shared_texts_bytes_max: usize,
    /// Number of problems kept; the rest are counted.
    pub problems_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            file_bytes_max: 2 * 1024 * 1024 * 1024,
            json_bytes_max: 64 * 1024 * 1024,
            lines_max: 20_000_000,
            settlements_max: 100_000,
            field_bytes_max: 64 * 1024,
            row_bytes_max: 256 * 1024,
            columns_max: 128,
            xml_depth_max: 32,
            xml_attributes_max: 64,
            archive_bytes_max: 32 * 1024 * 1024,
            archive_entries_max: 64,
            entry_bytes_max: 64 * 1024 * 1024,
            unpacked_bytes_max: 128 * 1024 * 1024,
            unpack_ratio_max: 100,
            large_unpack_ratio_max: 25,
            sheet_rows_max: 500_000,
            sheet_columns_max: 256,
            shared_texts_bytes_max: 32 * 1024 * 1024,
            problems_max: 1_000,
        }
    }
}
