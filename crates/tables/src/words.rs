//! A text column of few words, written as a dictionary and its codes.
//!
//! The `parquet` crate would hash the word of every line to find its code. Most columns of text here know less than
//! ten words, which are found sooner by comparing; their codes are a few bits each and are not packed any further.

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

use crate::TableError;
use crate::encoded::Encoded;

/// A column of more words is none of few.
const WORDS_MAX: usize = 32;
/// Values that are packed together, each in as many bits as the largest takes.
const GROUP: usize = 8;

/// The words of a column in one row group.
#[derive(Debug, Default)]
pub(crate) struct Words {
    words: Vec<String>,
    /// The place of each line's word, or [`NO_WORD`].
    codes: Vec<u8>,
}

const NO_WORD: u8 = u8::MAX;

impl Words {
    /// Adds the words of further lines, of which an empty one is none; `false` where that were too many words, and then
    /// nothing is added.
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

    /// The column as it lies in a file, in pages of `page_lines` lines.
    ///
    /// # Errors
    /// When a line has no word in a column where each must have one.
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

/// The bytes of one page: which lines have a word, where some may lack it, and the codes of those that do.
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

/// Writes codes of `width` bits: a long run of one as its length, others in groups of eight.
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

/// How many codes at the front are the same.
fn run(codes: &[u8]) -> usize {
    codes.iter().take_while(|code| Some(*code) == codes.first()).count()
}

fn run_is_short(codes: &[u8]) -> bool {
    run(codes.get(..GROUP).unwrap_or(codes)) < GROUP
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_schema::{DataType, Field, Schema};
    use parquet::file::metadata::PageIndexPolicy;
    use parquet::file::properties::WriterProperties;
    use proptest::prelude::*;

    use super::*;
    use crate::parquet_file::{Cells, ParquetFile};
    use crate::testing::read_behind;

    /// Writes batches of texts as one column and reads them back, without those lines at the front.
    fn behind(skipped: usize, batches: &[Vec<String>], nullable: bool, group_lines_max: usize) -> Vec<Option<String>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let schema = Arc::new(Schema::new(vec![Field::new("word", DataType::Utf8, nullable)]));
        let properties = WriterProperties::builder().set_data_page_row_count_limit(20).build();
        let mut table = ParquetFile::create(file.reopen().unwrap(), schema, properties, group_lines_max).unwrap();
        for batch in batches {
            let words = batch.iter().map(String::as_str).collect();
            table.write(batch.len(), vec![Cells::Words(words)]).unwrap();
        }
        table.close().unwrap();
        let [with_places, without] = [PageIndexPolicy::Required, PageIndexPolicy::Skip].map(|pages| {
            let read = read_behind(file.as_file(), pages, skipped);
            let texts = read.iter().flat_map(|batch| batch.column(0).as_string::<i32>());
            texts.map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
        });
        assert_eq!(with_places, without);
        with_places
    }

    fn through_a_file(batches: &[Vec<String>], nullable: bool, group_lines_max: usize) -> Vec<Option<String>> {
        behind(0, batches, nullable, group_lines_max)
    }

    fn as_read(batches: &[Vec<String>]) -> Vec<Option<String>> {
        batches.iter().flatten().map(|text| (!text.is_empty()).then(|| text.clone())).collect()
    }

    #[test]
    fn more_words_than_a_few_are_written_all_the_same() {
        let numbered = |count: usize| (0..count).map(|number| format!("word {number}")).collect::<Vec<_>>();
        for few in [1, WORDS_MAX - 1, WORDS_MAX] {
            for more in [0, 1, 2, 50] {
                let batches = [numbered(few), numbered(few + more), numbered(1)];
                assert_eq!(through_a_file(&batches, true, 1_000), as_read(&batches), "{few} and {more} more");
            }
        }
    }

    #[test]
    fn pages_are_left_out_by_their_places() {
        let batches = [(0..200).map(|line| format!("word {}", line / 7)).collect::<Vec<_>>()];
        for skipped in [0, 1, 19, 20, 21, 40, 150, 199, 200] {
            let expected = as_read(&batches).split_off(skipped);
            assert_eq!(behind(skipped, &batches, true, 90), expected, "{skipped}");
        }
    }

    #[test]
    fn a_line_without_a_word_is_refused_where_each_must_have_one() {
        let file = tempfile::tempfile().unwrap();
        let schema = Arc::new(Schema::new(vec![Field::new("word", DataType::Utf8, false)]));
        let mut table = ParquetFile::create(file, schema, WriterProperties::default(), 90).unwrap();
        table.write(2, vec![Cells::Words(vec!["sale", ""])]).unwrap();
        assert!(table.close().unwrap_err().to_string().contains("column word"));
    }

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

    proptest! {
        #[test]
        fn words_are_read_back_as_they_were_written(
            batches in prop::collection::vec(prop::collection::vec("[ab]{1,2}|c", 1..90), 1..6),
            runs in prop::collection::vec((0..8_usize, 1..60_usize), 1..8),
            group_lines_max in 1..200_usize,
        ) {
            let mut batches = batches;
            batches.push(runs.iter().flat_map(|(word, count)| vec![format!("run {word}"); *count]).collect());
            prop_assert_eq!(through_a_file(&batches, false, group_lines_max), as_read(&batches));
            for batch in &mut batches {
                batch.iter_mut().step_by(3).for_each(String::clear);
            }
            prop_assert_eq!(through_a_file(&batches, true, group_lines_max), as_read(&batches));
        }
    }
}
