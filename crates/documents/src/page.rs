//! A document of A4 pages in landscape, each written when it is full. Only the offsets of its objects stay in memory.
//!
//! Pages are written here on top of `pdf-writer`, since a settlement may have millions of lines. `krilla` gives PDF/A and tagged PDF
//! and keeps the whole document in memory; if papers must be PDF/A or tagged, replace this module by `krilla`, do not
//! extend it.
//!
//! Lengths are hundredths of a point, counted from the upper left corner, in whole numbers.

mod content;
mod file;
mod font;
mod grid;

use std::io::Write;

use jiff::civil::Date;
use pdf_writer::writers::{Catalog, DocumentInfo};
use pdf_writer::{Name, Rect, Ref, TextStr};

use self::content::Content;
use self::file::ObjectFile;
use self::font::Weight;
pub(crate) use self::grid::{Grid, GridColumn};
use crate::error::DocumentError;

const WIDTH: i32 = 84_189;
const HEIGHT: i32 = 59_528;
/// The size of a page in points.
const A4: Rect = Rect { x1: 0.0, y1: 0.0, x2: 841.89, y2: 595.28 };
/// The left edge of the text.
pub(crate) const LEFT: i32 = 4_000;
/// The right edge of the text.
pub(crate) const RIGHT: i32 = WIDTH - LEFT;
const TOP: i32 = 4_200;
const BOTTOM: i32 = HEIGHT - 4_600;
const FOOTER_AT: i32 = HEIGHT - 2_900;
const FOOTER_SIZE: i32 = 600;

/// The metadata of a document and the texts on every page.
pub(crate) struct Paper<'a> {
    pub(crate) title: &'a str,
    pub(crate) language: &'a str,
    /// Used in place of the time of writing, so that equal documents have equal bytes.
    pub(crate) created_on: Date,
    /// The unique id of this document; 16 bytes or more.
    pub(crate) id: &'a [u8],
    /// The head of every page but the first.
    pub(crate) running_head: &'a str,
    /// The foot of every page.
    pub(crate) footer: Vec<String>,
    /// Such as `Page {page} of`; the number of pages follows when it is known.
    pub(crate) page_of: &'a str,
    /// About how many pages there will be, which leaves room for their digits.
    pub(crate) pages_about: u64,
}

/// How dark a text or line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Black,
    Grey,
    Light,
}

impl Tone {
    fn gray(self) -> &'static str {
        match self {
            Tone::Black => "0",
            Tone::Grey => "0.35",
            Tone::Light => "0.75",
        }
    }
}

/// The weight, size and tone of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ink {
    weight: Weight,
    size: i32,
    tone: Tone,
}

impl Ink {
    pub(crate) fn regular(size: i32) -> Ink {
        Ink { weight: Weight::Regular, size, tone: Tone::Black }
    }

    pub(crate) fn bold(size: i32) -> Ink {
        Ink { weight: Weight::Bold, size, tone: Tone::Black }
    }

    pub(crate) fn grey(size: i32) -> Ink {
        Ink { weight: Weight::Regular, size, tone: Tone::Grey }
    }

    pub(crate) fn width(&self, text: &str) -> i32 {
        self.weight.font().width(text, self.size)
    }

    /// The text, with an ellipsis where it is wider than `width`.
    pub(crate) fn cut(&self, text: &str, width: i32) -> String {
        self.weight.font().cut(text, self.size, width)
    }
}

/// Objects that other objects refer to before they are written.
struct Refs {
    catalog: Ref,
    pages: Ref,
    info: Ref,
    regular: Ref,
    bold: Ref,
    page_total: Ref,
}

/// A document that is being written.
pub(crate) struct Pages<'a, 'b> {
    file: ObjectFile<'b>,
    paper: &'a Paper<'a>,
    refs: Refs,
    written: Vec<Ref>,
    content: Content,
    /// The vertical position of the next text.
    pub(crate) y: i32,
}

impl<'a, 'b> Pages<'a, 'b> {
    pub(crate) fn begin(out: &'b mut dyn Write, paper: &'a Paper<'a>) -> Result<Self, DocumentError> {
        let mut file = ObjectFile::begin(out)?;
        let mut next = || file.reserve();
        let refs =
            Refs { catalog: next(), pages: next(), info: next(), regular: next(), bold: next(), page_total: next() };
        for (weight, at) in [(Weight::Regular, refs.regular), (Weight::Bold, refs.bold)] {
            weight.font().write(&mut file, at)?;
        }
        Ok(Pages { file, paper, refs, written: Vec::new(), content: Content::of_page(), y: TOP })
    }

    /// Writes a text with its baseline at `y`.
    pub(crate) fn text(&mut self, x: i32, y: i32, ink: Ink, text: &str) {
        self.content.text(x, HEIGHT - y, ink, text);
    }

    /// Writes a text that ends at `right`.
    pub(crate) fn text_right(&mut self, right: i32, y: i32, ink: Ink, text: &str) {
        self.text(right - ink.width(text), y, ink, text);
    }

    /// Draws a line across.
    pub(crate) fn rule(&mut self, left: i32, right: i32, y: i32, tone: Tone) {
        self.content.rule(left, right, HEIGHT - y, tone);
    }

    /// Whether that much more fits on the page.
    pub(crate) fn has_room(&self, height: i32) -> bool {
        self.y + height <= BOTTOM
    }

    /// Ends the page and begins the next.
    pub(crate) fn break_page(&mut self) -> Result<(), DocumentError> {
        self.end_page()?;
        let ink = Ink::grey(700);
        let head = ink.cut(self.paper.running_head, RIGHT - LEFT);
        self.text(LEFT, TOP - 900, ink, &head);
        self.y = TOP + 600;
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), DocumentError> {
        let ink = Ink::grey(FOOTER_SIZE);
        self.rule(LEFT, RIGHT, FOOTER_AT - 900, Tone::Light);
        for (y, text) in (FOOTER_AT..).step_by(800).zip(&self.paper.footer) {
            self.text(LEFT, y, ink, text);
        }
        let number = (self.written.len() + 1).to_string();
        let place = RIGHT - ink.width(&self.paper.pages_about.to_string());
        self.text_right(place - ink.width(" "), FOOTER_AT, ink, &self.paper.page_of.replace("{page}", &number));
        self.content.place("N", place, HEIGHT - FOOTER_AT);
        let content = std::mem::replace(&mut self.content, Content::of_page()).into_bytes();
        let (page, stream) = (self.file.reserve(), self.file.reserve());
        self.file.put_packed(stream, &content, |_| ())?;
        let pages = self.refs.pages;
        self.file.put(|chunk| {
            chunk.page(page).parent(pages).contents(stream);
            page
        })?;
        self.written.push(page);
        Ok(())
    }

    /// Ends the last page and the document.
    pub(crate) fn finish(mut self) -> Result<(), DocumentError> {
        self.end_page()?;
        let Refs { catalog, pages, info, regular, bold, page_total } = self.refs;
        let mut content = Content::default();
        content.text(0, 0, Ink::grey(FOOTER_SIZE), &self.written.len().to_string());
        self.file.put(|chunk| {
            let content = content.into_bytes();
            let mut form = chunk.form_xobject(page_total, &content);
            form.bbox(Rect::new(0.0, -200.0, 4_000.0, 800.0));
            form.resources().fonts().pair(Name(Weight::Regular.resource().as_bytes()), regular);
            page_total
        })?;
        let count = i32::try_from(self.written.len()).unwrap_or(i32::MAX);
        self.file.put(|chunk| {
            let mut tree = chunk.pages(pages);
            tree.kids(self.written.iter().copied()).count(count);
            tree.media_box(A4);
            let mut resources = tree.resources();
            let mut fonts = resources.fonts();
            for (weight, at) in [(Weight::Regular, regular), (Weight::Bold, bold)] {
                fonts.pair(Name(weight.resource().as_bytes()), at);
            }
            drop(fonts);
            resources.x_objects().pair(Name(b"N"), page_total);
            pages
        })?;
        let paper = self.paper;
        self.file.put(|chunk| {
            let mut root = chunk.indirect(catalog).start::<Catalog<'_>>();
            root.pages(pages).lang(TextStr(paper.language));
            root.viewer_preferences().display_doc_title(true);
            catalog
        })?;
        let day = paper.created_on;
        let date = pdf_writer::Date::new(u16::try_from(day.year()).unwrap_or(0))
            .month(day.month().unsigned_abs())
            .day(day.day().unsigned_abs());
        self.file.put(|chunk| {
            let mut about = chunk.indirect(info).start::<DocumentInfo<'_>>();
            about.title(TextStr(paper.title)).producer(TextStr("avstem")).creation_date(date);
            info
        })?;
        self.file.finish(catalog, info, paper.id)
    }
}
