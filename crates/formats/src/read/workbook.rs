//! An XLSX workbook with one sheet, opened in memory bounded by limits and never by what the workbook claims.
//!
//! Why not the `calamine` crate: it returns numbers as `f64`. Money is never a float here, so the reader needs the exact
//! text of `<v>`, which `number.rs` brings to minor units digit by digit. The limits on unpacked bytes, shared texts, rows
//! and columns, and the refusal of macros, links and formulas, would have to stand before that crate in any case.

use settlement::Kind;

use crate::failure::{Failure, ReadSeek};
use crate::limits::Limits;
use crate::read::archive::Archive;
use crate::read::part::{PartReader, RELATIONSHIPS, SPREADSHEET, SharedTexts, in_part, open_part};
use crate::read::row::{Row, Rows};
use crate::read::sheet::SheetRows;
use crate::read::xml::Step;

/// The first rows of a sheet are written with the first texts of a workbook, in any order among so many.
const GLANCE_TEXTS_MAX: usize = 10_000;

/// The namespace of the attribute that names a relationship, in each spelling that is in use.
const RELATIONSHIP_IDS: &[&str] = &[
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
];

const WORKBOOK: &str = "xl/workbook.xml";
const WORKBOOK_RELATIONSHIPS: &str = "xl/_rels/workbook.xml.rels";

/// A workbook with its shared texts read.
pub(crate) struct Workbook<'i> {
    archive: Archive<'i>,
    sheet: String,
    texts: SharedTexts,
    limits: Limits,
}

impl<'i> Workbook<'i> {
    /// Opens the workbook that `input` is.
    pub(crate) fn open(input: &'i mut dyn ReadSeek, limits: &Limits) -> Result<Self, Failure> {
        Workbook::with_texts(input, limits, usize::MAX)
    }

    /// Opens the workbook for a look at its first rows: of its shared texts only as many are read as those can need.
    pub(crate) fn glance(input: &'i mut dyn ReadSeek, limits: &Limits) -> Result<Self, Failure> {
        Workbook::with_texts(input, limits, GLANCE_TEXTS_MAX)
    }

    fn with_texts(input: &'i mut dyn ReadSeek, limits: &Limits, texts_max: usize) -> Result<Self, Failure> {
        let mut archive = Archive::open(input, limits)?;
        let sheet_id = in_part(WORKBOOK, the_sheet(&mut open_part(&mut archive, WORKBOOK, SPREADSHEET, limits)?))?;
        let mut relations = open_part(&mut archive, WORKBOOK_RELATIONSHIPS, RELATIONSHIPS, limits)?;
        let targets = in_part(WORKBOOK_RELATIONSHIPS, Targets::read(&mut relations, &sheet_id))?;
        drop(relations);
        let texts = match &targets.texts {
            Some(name) => {
                let mut texts = open_part(&mut archive, name, SPREADSHEET, limits)?;
                in_part(name, SharedTexts::read(&mut texts, limits.shared_texts_bytes_max, texts_max))?
            }
            None => SharedTexts::default(),
        };
        Ok(Workbook { archive, sheet: targets.sheet, texts, limits: limits.clone() })
    }

    /// The rows of its sheet, from the first.
    pub(crate) fn rows(&mut self) -> Result<SheetRows<'_>, Failure> {
        let xml = open_part(&mut self.archive, &self.sheet, SPREADSHEET, &self.limits)?;
        Ok(SheetRows::new(xml, &self.sheet, &self.texts, &self.limits))
    }

    /// The first rows as text, to tell what the workbook is.
    pub(crate) fn first_rows(&mut self, rows_max: usize) -> Result<Vec<Vec<String>>, Failure> {
        let mut rows = self.rows()?;
        let mut first = Vec::new();
        while first.len() < rows_max {
            match rows.next()? {
                Row::Record(record) => first.push(record.iter().map(str::to_owned).collect()),
                Row::Bad(_) => first.push(Vec::new()),
                Row::End => break,
            }
        }
        Ok(first)
    }
}

/// The relationship id of the only sheet.
fn the_sheet(xml: &mut PartReader<'_>) -> Result<String, Failure> {
    let mut sheets = Vec::new();
    loop {
        match xml.next()? {
            Step::Start if xml.name() == "sheet" => {
                sheets.push(xml.attribute_of(RELATIONSHIP_IDS, "id").unwrap_or_default().to_owned());
                xml.skip()?;
            }
            Step::Start if xml.name() == "externalReferences" => {
                return Err(xml.problem(Kind::ArchiveUnsafe, "Found links to other workbooks").into());
            }
            Step::Start | Step::End => {}
            Step::Eof => break,
        }
        if sheets.len() > 1 {
            let message = "Found more than one sheet, expected the one that the provider writes";
            return Err(xml.problem(Kind::ArchiveLimits, message).into());
        }
    }
    sheets.pop().ok_or_else(|| xml.problem(Kind::Empty, "Found no sheet").into())
}

/// Where the parts of a workbook lie.
struct Targets {
    sheet: String,
    texts: Option<String>,
}

impl Targets {
    fn read(xml: &mut PartReader<'_>, sheet_id: &str) -> Result<Self, Failure> {
        let (mut sheet, mut texts) = (None, None);
        loop {
            match xml.next()? {
                Step::Start if xml.name() == "Relationship" => {
                    let attribute = |name| xml.attribute(name).unwrap_or_default();
                    if attribute("TargetMode") == "External" {
                        return Err(xml.problem(Kind::ArchiveUnsafe, "Found a link out of the workbook").into());
                    }
                    let target = attribute("Target");
                    let path = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
                    if attribute("Id") == sheet_id {
                        sheet = Some(path);
                    } else if attribute("Type").ends_with("/sharedStrings") {
                        texts = Some(path);
                    }
                }
                Step::Start | Step::End => {}
                Step::Eof => break,
            }
        }
        let sheet =
            sheet.ok_or_else(|| xml.problem(Kind::ArchiveMalformed, "Found no place of the workbook's sheet"))?;
        Ok(Targets { sheet, texts })
    }
}
