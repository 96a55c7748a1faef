//! The two fonts of the program, parsed and compressed once.

use std::sync::LazyLock;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Name, Rect, Ref, Str};
use ttf_parser::Face;

use super::file::{ObjectFile, packed};
use crate::error::DocumentError;

/// A weight of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

static REGULAR: LazyLock<Font> = LazyLock::new(|| {
    let bytes = include_bytes!("../../fonts/NotoSans-SemiCondensedRegular.ttf");
    Font::of("AVSTEM+NotoSans-SemiCondensedRegular", bytes)
});
static BOLD: LazyLock<Font> = LazyLock::new(|| {
    let bytes = include_bytes!("../../fonts/NotoSans-SemiCondensedBold.ttf");
    Font::of("AVSTEM+NotoSans-SemiCondensedBold", bytes)
});

impl Weight {
    pub(super) fn font(self) -> &'static Font {
        match self {
            Weight::Regular => &REGULAR,
            Weight::Bold => &BOLD,
        }
    }

    /// The name of the font in pages.
    pub(super) fn resource(self) -> &'static str {
        match self {
            Weight::Regular => "R",
            Weight::Bold => "B",
        }
    }
}

const SYSTEM: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// A font with what documents need of it.
#[derive(Debug, Default)]
pub(super) struct Font {
    name: &'static str,
    bytes: usize,
    packed: Vec<u8>,
    packed_unicode: Vec<u8>,
    /// Characters in order, each with its glyph.
    signs: Vec<(char, u16)>,
    /// Advance of each glyph in thousandths of the font's size.
    advances: Vec<u16>,
    ascent: i16,
    descent: i16,
    cap_height: i16,
    bbox: [i16; 4],
    /// Drawn for a character that the font lacks.
    replacement: u16,
}

/// A text as glyphs of a font.
pub(super) struct Glyphs {
    /// Two bytes for each.
    pub(super) bytes: Vec<u8>,
    /// Whether the font lacks a character of the text.
    pub(super) lacks_some: bool,
}

impl Font {
    /// The font in `bytes`, whose em is a thousand units; empty when the bytes are not a font, which a test rules out.
    fn of(name: &'static str, bytes: &'static [u8]) -> Font {
        let Ok(face) = Face::parse(bytes, 0) else { return Font::default() };
        let mut signs: Vec<(char, u16)> = Vec::new();
        for table in face.tables().cmap.iter().flat_map(|cmap| cmap.subtables).filter(|table| table.is_unicode()) {
            table.codepoints(|code| {
                let glyph = table.glyph_index(code).map(|glyph| glyph.0);
                signs.extend(char::from_u32(code).zip(glyph));
            });
        }
        signs.sort_unstable();
        signs.dedup();
        let advances = (0..face.number_of_glyphs())
            .map(|glyph| face.glyph_hor_advance(ttf_parser::GlyphId(glyph)).unwrap_or(0))
            .collect();
        let mut unicode = UnicodeCmap::new(Name(b"Avstem"), SYSTEM);
        let mut named: Vec<u16> = Vec::new();
        for (sign, glyph) in &signs {
            // The first of the signs that share a glyph is the plain one: a space, a hyphen.
            if !named.contains(glyph) {
                named.push(*glyph);
                unicode.pair(*glyph, *sign);
            }
        }
        let bounds = face.global_bounding_box();
        let mut font = Font {
            name,
            bytes: bytes.len(),
            packed: packed(bytes).unwrap_or_default(),
            packed_unicode: packed(&unicode.finish()).unwrap_or_default(),
            signs,
            advances,
            ascent: face.ascender(),
            descent: face.descender(),
            cap_height: face.capital_height().unwrap_or(714),
            bbox: [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max],
            replacement: 0,
        };
        font.replacement = font.glyph(char::REPLACEMENT_CHARACTER).unwrap_or(0);
        font
    }

    pub(super) fn glyph(&self, sign: char) -> Option<u16> {
        let place = self.signs.binary_search_by_key(&sign, |(sign, _)| *sign).ok()?;
        self.signs.get(place).map(|(_, glyph)| *glyph)
    }

    fn advance(&self, sign: char) -> i32 {
        let glyph = self.glyph(sign).unwrap_or(self.replacement);
        self.advances.get(usize::from(glyph)).copied().map_or(0, i32::from)
    }

    /// Width of the text.
    pub(super) fn width(&self, text: &str, size: i32) -> i32 {
        text.chars().map(|sign| self.advance(sign)).sum::<i32>().saturating_mul(size) / 1_000
    }

    /// The byte at which the text becomes wider than `width`, or its end.
    pub(super) fn end_within(&self, text: &str, size: i32, width: i32) -> usize {
        let mut sum: i32 = 0;
        for (place, sign) in text.char_indices() {
            sum = sum.saturating_add(self.advance(sign));
            if sum.saturating_mul(size) / 1_000 > width {
                return place;
            }
        }
        text.len()
    }

    /// The text, with an ellipsis where it is wider than `width`.
    pub(super) fn cut(&self, text: &str, size: i32, width: i32) -> String {
        if self.end_within(text, size, width) == text.len() {
            return text.to_owned();
        }
        let end = self.end_within(text, size, width - self.width("…", size));
        format!("{}…", text.get(..end).unwrap_or_default())
    }

    pub(super) fn encode(&self, text: &str) -> Glyphs {
        let mut glyphs = Glyphs { bytes: Vec::with_capacity(text.len() * 2), lacks_some: false };
        for sign in text.chars() {
            let glyph = self.glyph(sign);
            glyphs.lacks_some |= glyph.is_none();
            glyphs.bytes.extend(glyph.unwrap_or(self.replacement).to_be_bytes());
        }
        glyphs
    }

    /// Writes the font with all its objects.
    pub(super) fn write(&self, file: &mut ObjectFile<'_>, id: Ref) -> Result<(), DocumentError> {
        let [descendant, descriptor, program, unicode] = std::array::from_fn(|_| file.reserve());
        let name = Name(self.name.as_bytes());
        file.put(|chunk| {
            let mut font = chunk.type0_font(id);
            font.base_font(name).encoding_predefined(Name(b"Identity-H"));
            font.descendant_font(descendant).to_unicode(unicode);
            id
        })?;
        file.put(|chunk| {
            let mut font = chunk.cid_font(descendant);
            font.subtype(CidFontType::Type2).base_font(name).system_info(SYSTEM).font_descriptor(descriptor);
            font.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
            font.widths().consecutive(0, self.advances.iter().map(|advance| f32::from(*advance)));
            descendant
        })?;
        file.put(|chunk| {
            let [left, bottom, right, top] = self.bbox.map(f32::from);
            let mut font = chunk.font_descriptor(descriptor);
            font.name(name).flags(FontFlags::NON_SYMBOLIC).bbox(Rect::new(left, bottom, right, top));
            font.italic_angle(0.0).ascent(f32::from(self.ascent)).descent(f32::from(self.descent));
            font.cap_height(f32::from(self.cap_height)).stem_v(90.0).font_file2(program);
            descriptor
        })?;
        file.put(|chunk| {
            let length = i32::try_from(self.bytes).unwrap_or(i32::MAX);
            chunk.stream(program, &self.packed).filter(Filter::FlateDecode).pair(Name(b"Length1"), length);
            program
        })?;
        file.put(|chunk| {
            chunk.stream(unicode, &self.packed_unicode).filter(Filter::FlateDecode);
            unicode
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fonts_have_every_sign_of_the_languages_and_digits_of_one_width() {
        for weight in [Weight::Regular, Weight::Bold] {
            let font = weight.font();
            for sign in "æøåäöéÆØÅÄÖÉüß−-–…, .\u{a0}%/()€".chars() {
                assert!(font.glyph(sign).is_some(), "{weight:?} lacks {sign:?}");
            }
            let widths: Vec<i32> = ('0'..='9').map(|digit| font.advance(digit)).collect();
            assert!(widths.iter().all(|width| *width == widths[0] && *width > 0), "{widths:?}");
            for language in crate::Language::ALL {
                let labels = format!("{:?}", language.labels());
                assert!(labels.chars().all(|sign| font.glyph(sign).is_some()), "{labels}");
            }
        }
    }

    #[test]
    fn signs_that_a_font_lacks_are_noticed_and_widths_add_up() {
        let font = Weight::Regular.font();
        assert!(font.encode("a🛒b").lacks_some && !font.encode("Ærlig").lacks_some);
        assert_eq!(font.width("000", 1_000), 3 * font.advance('0'));
        assert_eq!(font.end_within("0000", 1_000, 2 * font.advance('0')), 2);
        let cut = font.cut("0000000000", 1_000, 5 * font.advance('0'));
        assert!(cut.ends_with('…') && font.width(&cut, 1_000) <= 5 * font.advance('0'), "{cut}");
    }
}
