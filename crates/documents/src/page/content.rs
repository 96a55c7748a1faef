//! The drawing operators of one page; whole numbers only.

use super::font::Weight;
use super::{Ink, Tone};

/// The operators of a page in drawing order.
#[derive(Debug, Default)]
pub(super) struct Content {
    bytes: Vec<u8>,
    /// The font and tone in effect, which need not be repeated for every text.
    font: Option<(Weight, i32)>,
    tone: Option<Tone>,
}

impl Content {
    /// An empty page, in hundredths of a point.
    pub(super) fn of_page() -> Content {
        Content { bytes: b"0.01 0 0 0.01 0 0 cm\n".to_vec(), ..Content::default() }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A text with its baseline at `y` from below. A character that the font lacks is drawn as a replacement, and copied
    /// out as itself.
    pub(super) fn text(&mut self, x: i32, y: i32, ink: Ink, text: &str) {
        if text.is_empty() {
            return;
        }
        let glyphs = ink.weight.font().encode(text);
        if self.tone != Some(ink.tone) {
            self.tone = Some(ink.tone);
            self.push(&format!("{} g\n", ink.tone.gray()));
        }
        if glyphs.lacks_some {
            let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            self.push("/Span<</ActualText<FEFF");
            self.hexadecimal(&utf_16);
            self.push(">>>BDC\n");
        }
        self.push("BT");
        if self.font != Some((ink.weight, ink.size)) {
            self.font = Some((ink.weight, ink.size));
            self.push(&format!("/{} {} Tf", ink.weight.resource(), ink.size));
        }
        self.push(&format!(" {x} {y} Td<"));
        self.hexadecimal(&glyphs.bytes);
        self.push(">Tj ET\n");
        if glyphs.lacks_some {
            self.push("EMC\n");
        }
    }

    /// A thin line across.
    pub(super) fn rule(&mut self, left: i32, right: i32, y: i32, tone: Tone) {
        self.push(&format!("50 w {} G {left} {y} m {right} {y} l S\n", tone.gray()));
    }

    /// A drawing from elsewhere, with its origin at a point of this page.
    pub(super) fn place(&mut self, name: &str, x: i32, y: i32) {
        self.push(&format!("q 1 0 0 1 {x} {y} cm/{name} Do Q\n"));
    }

    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn hexadecimal(&mut self, bytes: &[u8]) {
        let digit = |half: u8| if half < 10 { b'0' + half } else { b'A' + half - 10 };
        self.bytes.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
    }
}
