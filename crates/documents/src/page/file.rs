//! PDF objects written one by one, with the table of their offsets at the end.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::{Chunk, Filter, Ref, Stream};

use crate::error::DocumentError;

/// A PDF file that is being written.
pub(super) struct ObjectFile<'b> {
    out: &'b mut dyn Write,
    bytes: u64,
    /// The offset of each object, by number from 1; zero for an object that is not written yet.
    places: Vec<u64>,
}

impl<'b> ObjectFile<'b> {
    pub(super) fn begin(out: &'b mut dyn Write) -> Result<Self, DocumentError> {
        let mut file = ObjectFile { out, bytes: 0, places: Vec::new() };
        // By the second line, programs that transfer the file see that it is not text.
        file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")?;
        Ok(file)
    }

    /// A number for an object that is written later.
    pub(super) fn reserve(&mut self) -> Ref {
        self.places.push(0);
        Ref::new(i32::try_from(self.places.len()).unwrap_or(i32::MAX))
    }

    /// Writes one object that `build` makes.
    pub(super) fn put(&mut self, build: impl FnOnce(&mut Chunk) -> Ref) -> Result<(), DocumentError> {
        let mut chunk = Chunk::new();
        let id = build(&mut chunk);
        if let Some(place) = usize::try_from(id.get() - 1).ok().and_then(|number| self.places.get_mut(number)) {
            *place = self.bytes;
        }
        self.write(chunk.as_bytes())
    }

    /// Writes a compressed stream, with what `describe` adds to its dictionary.
    pub(super) fn put_packed(
        &mut self,
        id: Ref,
        bytes: &[u8],
        describe: impl FnOnce(&mut Stream<'_>),
    ) -> Result<(), DocumentError> {
        let packed = packed(bytes)?;
        self.put(|chunk| {
            let mut stream = chunk.stream(id, &packed);
            stream.filter(Filter::FlateDecode);
            describe(&mut stream);
            id
        })
    }

    /// Writes the table of offsets and the trailer.
    pub(super) fn finish(mut self, root: Ref, info: Ref, id: &[u8]) -> Result<(), DocumentError> {
        let start = self.bytes;
        let size = self.places.len() + 1;
        let mut table = format!("xref\n0 {size}\n0000000000 65535 f\r\n");
        for place in &self.places {
            table.push_str(&format!("{place:010} 00000 n\r\n"));
        }
        let id = settlement::hexadecimal(id);
        table.push_str(&format!("trailer\n<</Size {size}/Root {} 0 R/Info {} 0 R", root.get(), info.get()));
        table.push_str(&format!("/ID[<{id}><{id}>]>>\nstartxref\n{start}\n%%EOF\n"));
        self.write(table.as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DocumentError> {
        self.out.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// The bytes compressed at the lowest level, which takes a third of the time of the default level.
pub(super) fn packed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}
