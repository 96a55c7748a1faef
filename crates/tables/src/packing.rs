//! How the pages of a table's file are packed.

use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};

use crate::TableError;

/// How the pages of a table's file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// By ZSTD, quickly: what is stored and read by others.
    Zstd,
    /// Not at all: what is gone again soon.
    None,
}

impl Packing {
    /// Properties of a writer that packs like that.
    pub(crate) fn properties(self) -> Result<WriterPropertiesBuilder, TableError> {
        let compression = match self {
            Packing::Zstd => Compression::ZSTD(ZstdLevel::try_new(1)?),
            Packing::None => Compression::UNCOMPRESSED,
        };
        let created_by = concat!("avstem tables ", env!("CARGO_PKG_VERSION")).to_owned();
        Ok(WriterProperties::builder().set_compression(compression).set_created_by(created_by))
    }
}
