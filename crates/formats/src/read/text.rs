//! Bytes to UTF-8: by byte order mark, as UTF-8, or as Windows-1252 where the first words show it. Never lossy.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};
use settlement::{Kind, Problem};

use crate::failure::{Failure, ReadSeek};
use crate::limits::HEAD_BYTES_MAX;

/// How a file encodes its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextEncoding {
    Utf8,
    Utf8WithMark,
    Utf16Le,
    Utf16Be,
    /// Only a guess: the first line that is not ASCII is not UTF-8. A format may accept it when its own words then appear.
    Windows1252,
}

/// Stands for bytes that have no meaning in the file's encoding: it is never part of UTF-8, so it is found later.
const MALFORMED: u8 = 0xff;

impl TextEncoding {
    /// The encoding that the first bytes show.
    ///
    /// # Errors
    /// [`Kind::Encoding`] for UTF-32 and for UTF-16 without its mark.
    pub(crate) fn sniff(head: &[u8]) -> Result<Self, Problem> {
        match head {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err(refused("UTF-32")),
            [0xff, 0xfe, ..] => Ok(TextEncoding::Utf16Le),
            [0xfe, 0xff, ..] => Ok(TextEncoding::Utf16Be),
            [0xef, 0xbb, 0xbf, ..] => Ok(TextEncoding::Utf8WithMark),
            [0, _, ..] | [_, 0, ..] => Err(refused("UTF-16 without byte order mark, or binary data")),
            _ => {
                let mut lines = head.split(|byte| *byte == b'\n');
                let line = lines.find(|line| !line.is_ascii()).unwrap_or_default();
                match std::str::from_utf8(line) {
                    Err(error) if error.error_len().is_some() => Ok(TextEncoding::Windows1252),
                    _ => Ok(TextEncoding::Utf8),
                }
            }
        }
    }

    /// The encoding of a file and its first bytes as text; leaves the file at its start.
    pub(crate) fn with_head(input: &mut dyn ReadSeek) -> Result<(Self, String), Failure> {
        let mut head = Vec::new();
        io::Read::take(&mut *input, HEAD_BYTES_MAX as u64).read_to_end(&mut head)?;
        input.rewind()?;
        let encoding = TextEncoding::sniff(&head)?;
        Ok((encoding, encoding.decode_head(&head)))
    }

    /// The encoding of a file of XML: by its mark, or as its declaration says.
    pub(crate) fn of_xml(input: &mut dyn ReadSeek) -> Result<Self, Failure> {
        let mut head = Vec::new();
        io::Read::take(&mut *input, HEAD_BYTES_MAX as u64).read_to_end(&mut head)?;
        input.rewind()?;
        Ok(match TextEncoding::sniff(&head)? {
            // Nothing but the declaration can say so.
            TextEncoding::Windows1252 | TextEncoding::Utf8 if declares_one_byte(&head) => TextEncoding::Windows1252,
            TextEncoding::Windows1252 => TextEncoding::Utf8,
            encoding => encoding,
        })
    }

    /// Whether XML that declares this encoding is read in it.
    pub(crate) fn is_read_as_declared(declared: &str) -> bool {
        let declared = declared.to_ascii_lowercase();
        declared.starts_with("utf-") || declared == "us-ascii" || ONE_BYTE.contains(&declared.as_str())
    }

    /// The head as text, up to the first byte that is none.
    pub(crate) fn decode_head(self, head: &[u8]) -> String {
        let mut bytes = Vec::new();
        // Reading from a slice cannot fail.
        let _ = Utf8Reader::new(head, self).read_to_end(&mut bytes);
        let valid = match std::str::from_utf8(&bytes) {
            Ok(_) => bytes.len(),
            Err(error) => error.valid_up_to(),
        };
        bytes.truncate(valid);
        String::from_utf8(bytes).unwrap_or_default()
    }

    fn mark_bytes(self) -> usize {
        match self {
            TextEncoding::Utf8WithMark => 3,
            TextEncoding::Utf8 | TextEncoding::Utf16Le | TextEncoding::Utf16Be | TextEncoding::Windows1252 => 0,
        }
    }

    fn decoder(self) -> Option<Decoder> {
        match self {
            TextEncoding::Utf8 | TextEncoding::Utf8WithMark => None,
            // The decoder takes the mark off by itself.
            TextEncoding::Utf16Le => Some(UTF_16LE.new_decoder_with_bom_removal()),
            TextEncoding::Utf16Be => Some(UTF_16BE.new_decoder_with_bom_removal()),
            TextEncoding::Windows1252 => Some(WINDOWS_1252.new_decoder_without_bom_handling()),
        }
    }
}

/// Encodings of one byte a letter that XML may declare, all read as Windows-1252, which has more letters than the others.
const ONE_BYTE: [&str; 3] = ["iso-8859-1", "latin1", "windows-1252"];

/// Whether the declaration of XML at the start says so.
fn declares_one_byte(head: &[u8]) -> bool {
    let end = head.windows(2).position(|pair| pair == b"?>").unwrap_or(0);
    let Some(declaration) = head.get(..end).and_then(|head| std::str::from_utf8(head).ok()) else { return false };
    let quoted = declaration.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split_once("encoding"));
    let value = quoted.map(|(_, rest)| rest.trim_start_matches([' ', '=']).trim_matches(['"', '\'', ' ']));
    value.is_some_and(|value| {
        let name: String = value.chars().take_while(|c| !matches!(c, '"' | '\'' | ' ')).collect();
        ONE_BYTE.contains(&name.to_ascii_lowercase().as_str())
    })
}

fn refused(what: &str) -> Problem {
    let message =
        format!("Found {what}, expected UTF-8, UTF-16 with its mark, or Windows-1252. Download the file again");
    Problem::error(Kind::Encoding, message)
}

/// Reads any of the encodings as UTF-8; a byte 0xFF in its output marks a place that was malformed.
pub(crate) struct Utf8Reader<R> {
    input: R,
    decoder: Option<Decoder>,
    skip_bytes: usize,
    raw: Vec<u8>,
    decoded: Vec<u8>,
    served: usize,
    ended: bool,
}

impl<R: Read> Utf8Reader<R> {
    pub(crate) fn new(input: R, encoding: TextEncoding) -> Self {
        Utf8Reader {
            input,
            decoder: encoding.decoder(),
            skip_bytes: encoding.mark_bytes(),
            raw: Vec::new(),
            decoded: Vec::new(),
            served: 0,
            ended: false,
        }
    }

    fn skip_mark(&mut self) -> io::Result<()> {
        let mut mark = [0_u8; 3];
        while self.skip_bytes > 0 {
            let wanted = mark.get_mut(..self.skip_bytes).unwrap_or_default();
            match self.input.read(wanted)? {
                0 => break,
                read => self.skip_bytes -= read,
            }
        }
        Ok(())
    }

    /// Decodes the next piece of input.
    fn decode(&mut self, decoder: &mut Decoder) -> io::Result<()> {
        self.raw.resize(16 * 1024, 0);
        let read = self.input.read(&mut self.raw)?;
        self.ended = read == 0;
        self.served = 0;
        // Three bytes of UTF-8 for each byte in, and room for a mark.
        self.decoded.resize(3 * read + 16, 0);
        let (mut used, mut written) = (0, 0);
        loop {
            let raw = self.raw.get(used..read).unwrap_or_default();
            let target = self.decoded.get_mut(written..).unwrap_or_default();
            let (result, more_used, more) = decoder.decode_to_utf8_without_replacement(raw, target, self.ended);
            used += more_used;
            written += more;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => self.decoded.resize(self.decoded.len() + 1_024, 0),
                DecoderResult::Malformed(..) => {
                    self.decoded.insert(written, MALFORMED);
                    written += 1;
                }
            }
        }
        self.decoded.truncate(written);
        Ok(())
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.skip_mark()?;
        let Some(mut decoder) = self.decoder.take() else { return self.input.read(out) };
        let mut decoded = Ok(());
        while decoded.is_ok() && self.served == self.decoded.len() && !self.ended {
            decoded = self.decode(&mut decoder);
        }
        self.decoder = Some(decoder);
        decoded?;
        let mut ready = self.decoded.get(self.served..).unwrap_or_default();
        let read = ready.read(out)?;
        self.served += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Option<String> {
        let encoding = TextEncoding::sniff(bytes).ok()?;
        let mut all = Vec::new();
        Utf8Reader::new(bytes, encoding).read_to_end(&mut all).unwrap();
        String::from_utf8(all).ok()
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn marked_encodings_are_read_exactly() {
        let text = "Oppgjørs-ID;€;🎉\n".repeat(3_000);
        assert_eq!(decode(text.as_bytes()).as_deref(), Some(text.as_str()));
        assert_eq!(decode(&[b"\xef\xbb\xbf", text.as_bytes()].concat()).as_deref(), Some(text.as_str()));
        assert_eq!(decode(&utf16(&text, false)).as_deref(), Some(text.as_str()));
        assert_eq!(decode(&utf16(&text, true)).as_deref(), Some(text.as_str()));
    }

    #[test]
    fn a_first_line_that_is_not_utf8_is_taken_for_windows_1252() {
        assert_eq!(decode(b"Oppgj\xf8rsrapport;\x80\n").as_deref(), Some("Oppgjørsrapport;€\n"));
    }

    #[test]
    fn a_raw_byte_after_a_utf8_line_stays_visible_as_malformed() {
        assert_eq!(decode(b"Oppgj\xc3\xb8rsrapport\n\xf8re\n"), None);
    }

    #[test]
    fn lone_surrogates_and_half_units_are_malformed() {
        let mut bytes = utf16("a", false);
        bytes.extend([0x00, 0xd8]);
        assert_eq!(decode(&bytes), None);
        let mut odd = utf16("abc", false);
        odd.pop();
        assert_eq!(decode(&odd), None);
    }

    #[test]
    fn utf32_and_unmarked_utf16_are_refused() {
        for bytes in [&b"\xff\xfe\0\0a\0\0\0"[..], b"\0\0\xfe\xff\0\0\0a", b"a\0b\0", b"\0a\0b"] {
            assert_eq!(TextEncoding::sniff(bytes).map_err(|p| p.kind), Err(Kind::Encoding));
        }
    }
}
