//! A text column of few words, written as a dictionary and its codes.
//!
//! This does what `parquet::arrow::ArrowWriter` does, and only for its speed. The crate hashes the word of every line to
//! find its code, so that it takes about twice the time for ten million rows (arrow-rs issue 10465). Most columns of text
//! here have less than ten words, which are found sooner by comparing. Delete this file when arrow-rs pull request 10862,
//! or another one that makes the crate as fast, is released.
//!
//! Codes are a few bits each and are not compressed further. Pages have no statistics.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use settlement::push_varint;

use crate::encoded::Encoded;
use crate::error::TableError;

/// A column of more words is written by Arrow.
pub(crate) const WORDS_MAX: usize = 32;
/// Codes are packed in groups of this size, each in as many bits as the largest code takes.
const GROUP: usize = 8;

/// The words of a column in one row group.
#[derive(Debug, Default)]
pub(crate) struct Words {
    words: Vec<String>,
    /// The position of each line's word, or [`NO_WORD`].
    codes: Vec<u8>,
}

const NO_WORD: u8 = u8::MAX;

impl Words {
    /// Adds the words of further lines; an empty word is no word. Returns `false` and adds nothing when the words
    /// become too many.
    pub(crate) fn extend(&mut self, words: &[&str]) -> bool {
        let lines = self.codes.len();
        let few = words.iter().all(|word| self.push(word));
        if !few {
            self.codes.truncate(lines);
        }
        few
    }

    #[inline]
    fn push(&mut self, word: &str) -> bool {
        let code = match self.words.iter().position(|known| known == word) {
            _ if word.is_empty() => NO_WORD,
            Some(place) => place as u8,
            None if self.words.len() < WORDS_MAX => {
                self.words.push(word.to_owned());
                self.words.len() as u8 - 1
            }
            None => return false,
        };
        self.codes.push(code);
        true
    }

    /// The words line by line.
    pub(crate) fn to_array(&self) -> ArrayRef {
        let words = self.codes.iter().map(|code| self.words.get(usize::from(*code)));
        Arc::new(words.collect::<StringArray>())
    }

    /// The column as bytes of a file, in pages of `page_lines` lines.
    ///
    /// # Errors
    /// When a line has no word in a column that requires one.
    pub(crate) fn encode(&self, column: ColumnDescPtr, page_lines: usize) -> Result<Encoded, TableError> {
        let nullable = column.max_def_level() > 0;
        if !nullable && self.codes.contains(&NO_WORD) {
            let message = format!("Found a line without a word in column {}, expected one in each", column.name());
            return Err(ParquetError::General(message).into());
        }
        let mut sink = TrackedWrite::new(Vec::new());
        let mut pages = SerializedPageWriter::new(&mut sink);
        let mut places = OffsetIndexBuilder::new();
        let words: Vec<u8> = self.words.iter().flat_map(|word| plain(word)).collect();
        let num_values = self.words.len() as u32;
        let page = Page::DictionaryPage { buf: words.into(), num_values, encoding: Encoding::PLAIN, is_sorted: false };
        let dictionary = pages.write_page(uncompressed(page))?;
        let width = u8::BITS - (self.words.len().saturating_sub(1) as u8).leading_zeros();
        for codes in self.codes.chunks(page_lines) {
            let page = Page::DataPage {
                buf: data(codes, nullable, width).into(),
                num_values: codes.len() as u32,
                encoding: Encoding::RLE_DICTIONARY,
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            };
            let written = pages.write_page(uncompressed(page))?;
            places.append_row_count(codes.len() as i64);
            places.append_offset_and_size(written.offset as i64, written.bytes_written as i32);
        }
        let bytes = sink.into_inner()?;
        let size = bytes.len() as i64;
        let metadata = ColumnChunkMetaData::builder(column)
            .set_compression(Compression::UNCOMPRESSED)
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_num_values(self.codes.len() as i64)
            .set_total_compressed_size(size)
            .set_total_uncompressed_size(size)
            .set_dictionary_page_offset(Some(dictionary.offset as i64))
            .set_data_page_offset(dictionary.bytes_written as i64)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.codes.len() as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(places.build()),
        };
        Ok(Encoded { bytes: bytes.into(), close })
    }
}

fn uncompressed(page: Page) -> CompressedPage {
    let size = page.buffer().len();
    CompressedPage::new(page, size)
}

/// A word of the dictionary: its length, then its bytes.
fn plain(word: &str) -> impl Iterator<Item = u8> {
    (word.len() as u32).to_le_bytes().into_iter().chain(word.bytes())
}

/// The bytes of one page: which lines have a word, if the column is nullable, and the codes of those that have one.
fn data(codes: &[u8], nullable: bool, width: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !nullable {
        bytes.push(width as u8);
        push_codes(codes, width, &mut bytes);
        return bytes;
    }
    let mut levels = Vec::new();
    let present: Vec<u8> = codes.iter().map(|code| u8::from(*code != NO_WORD)).collect();
    push_codes(&present, 1, &mut levels);
    bytes.extend((levels.len() as u32).to_le_bytes());
    bytes.extend(levels);
    bytes.push(width as u8);
    if present.contains(&0) {
        let codes: Vec<u8> = codes.iter().copied().filter(|code| *code != NO_WORD).collect();
        push_codes(&codes, width, &mut bytes);
    } else {
        push_codes(codes, width, &mut bytes);
    }
    bytes
}

/// Writes codes of `width` bits: a long run of one code as its length, other codes in groups of eight.
fn push_codes(mut codes: &[u8], width: u32, bytes: &mut Vec<u8>) {
    while let Some(first) = codes.first() {
        let run = run(codes);
        if run >= GROUP || width == 0 {
            push_varint(bytes, (run as u64) << 1);
            bytes.extend((width > 0).then_some(*first));
            codes = codes.get(run..).unwrap_or_default();
            continue;
        }
        let mut rest = codes;
        let mut groups = 0;
        while !rest.is_empty() && run_is_short(rest) {
            rest = rest.get(GROUP..).unwrap_or_default();
            groups += 1;
        }
        push_varint(bytes, groups << 1 | 1);
        let (packed, _) = codes.split_at(codes.len() - rest.len());
        for group in packed.chunks(GROUP) {
            let bits = (0..).step_by(width as usize).zip(group);
            let bits = bits.fold(0_u64, |bits, (shift, code)| bits | u64::from(*code) << shift);
            bytes.extend(bits.to_le_bytes().iter().take(width as usize));
        }
        codes = rest;
    }
}

/// The number of equal codes at the front.
fn run(codes: &[u8]) -> usize {
    codes.iter().take_while(|code| Some(*code) == codes.first()).count()
}

fn run_is_short(codes: &[u8]) -> bool {
    run(codes.get(..GROUP).unwrap_or(codes)) < GROUP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_take_as_many_bits_as_the_words_need() {
        let texts: Vec<String> =
            (0..300).map(|line| ["sale", "refund"][usize::from(line % 7 == 0)].to_owned()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut words = Words::default();
        assert!(words.extend(&texts));
        let page = data(&words.codes, false, 1);
        assert!(page.len() <= 300 / 8 + 8, "{}", page.len());
        assert_eq!(data(&[0; 10_000], false, 0), [0, 0xa0, 0x9c, 0x01]);
    }
}
