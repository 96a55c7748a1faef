//! How the pages of a file are compressed.

use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};

use crate::error::TableError;

/// How the pages of a file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// With ZSTD at its fastest level: for files that are stored.
    Zstd,
    /// With Snappy, which every reader knows: for files that people take with them.
    Snappy,
    /// Not at all: for temporary files.
    None,
}

impl Packing {
    /// The packing of a file that people take with them, where this one is that of stored files.
    pub fn of_exports(self) -> Packing {
        match self {
            Packing::Zstd | Packing::Snappy => Packing::Snappy,
            Packing::None => Packing::None,
        }
    }

    /// The properties of a writer with this packing.
    pub(crate) fn properties(self) -> Result<WriterPropertiesBuilder, TableError> {
        let compression = match self {
            Packing::Zstd => Compression::ZSTD(ZstdLevel::try_new(1)?),
            Packing::Snappy => Compression::SNAPPY,
            Packing::None => Compression::UNCOMPRESSED,
        };
        let created_by = concat!("avstem tables ", env!("CARGO_PKG_VERSION")).to_owned();
        Ok(WriterProperties::builder().set_compression(compression).set_created_by(created_by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::schema::types::ColumnPath;

    #[test]
    fn each_packing_compresses_with_its_own_codec_and_exports_with_snappy() {
        let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
        for (packing, codec, of_exports) in [
            (Packing::Zstd, zstd, Packing::Snappy),
            (Packing::Snappy, Compression::SNAPPY, Packing::Snappy),
            (Packing::None, Compression::UNCOMPRESSED, Packing::None),
        ] {
            let properties = packing.properties().unwrap().build();
            assert_eq!(properties.compression(&ColumnPath::from("net")), codec);
            assert!(properties.created_by().starts_with("avstem tables "));
            assert_eq!(packing.of_exports(), of_exports);
        }
    }
}
