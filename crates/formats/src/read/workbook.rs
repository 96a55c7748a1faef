//! An XLSX workbook with one sheet, opened in memory bounded by limits and never by what the workbook claims.
//!
//! Why not a crate for workbooks: those that exist allocate what a file claims of itself (a count of shared texts, the
//! address of a far cell) and take the cached value of a formula for a value.

use settlement::{Kind, Problem};

use crate::format::{Failure, ReadSeek};
use crate::limits::Limits;
use crate::read::archive::{Archive, Unpacked};
use crate::read::row::{Row, Rows};
use crate::read::sheet::SheetRows;
use crate::read::text::TextEncoding;
use crate::read::xml::{Foreign, Step, Vocabulary, XmlReader};

const SPREADSHEET: Vocabulary = Vocabulary {
    namespaces: &[
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
    ],
    foreign: Foreign::PassedOver,
};
const RELATIONSHIPS: Vocabulary = Vocabulary {
    namespaces: &["http://schemas.openxmlformats.org/package/2006/relationships"],
    foreign: Foreign::PassedOver,
};

/// The first rows of a sheet are written with the first texts of a workbook, in any order among so many.
const GLANCE_TEXTS_MAX: usize = 10_000;

const WORKBOOK: &str = "xl/workbook.xml";
const WORKBOOK_RELATIONSHIPS: &str = "xl/_rels/workbook.xml.rels";
pub(super) const ADVICE: &str = "Download the workbook again; do not edit it";

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
        let sheet_id = in_part(WORKBOOK, the_sheet(&mut part(&mut archive, WORKBOOK, SPREADSHEET, limits)?))?;
        let mut relations = part(&mut archive, WORKBOOK_RELATIONSHIPS, RELATIONSHIPS, limits)?;
        let targets = in_part(WORKBOOK_RELATIONSHIPS, Targets::read(&mut relations, &sheet_id))?;
        drop(relations);
        let texts = match &targets.texts {
            Some(name) => {
                let mut texts = part(&mut archive, name, SPREADSHEET, limits)?;
                in_part(name, SharedTexts::read(&mut texts, limits.shared_texts_bytes_max, texts_max))?
            }
            None => SharedTexts::default(),
        };
        Ok(Workbook { archive, sheet: targets.sheet, texts, limits: limits.clone() })
    }

    /// The rows of its sheet, from the first.
    pub(crate) fn rows(&mut self) -> Result<SheetRows<'_>, Failure> {
        let xml = part(&mut self.archive, &self.sheet, SPREADSHEET, &self.limits)?;
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

fn part<'a>(
    archive: &'a mut Archive<'_>,
    name: &str,
    vocabulary: Vocabulary,
    limits: &Limits,
) -> Result<XmlReader<Unpacked<'a>>, Failure> {
    let Some(entry) = archive.entry(name).cloned() else {
        let message = format!("Found a workbook without its part {name:?}. {ADVICE}");
        return Err(Problem::error(Kind::ArchiveMalformed, message).into());
    };
    let mut bytes = archive.unpack(&entry)?;
    let encoding = TextEncoding::unicode_of(&mut bytes)?;
    Ok(XmlReader::new(bytes, encoding, vocabulary, limits))
}

/// Names the part of the workbook that a problem of XML is in: its line there is no row of the sheet.
pub(super) fn in_part<T>(part: &str, read: Result<T, Failure>) -> Result<T, Failure> {
    let Err(Failure::Held(held)) = read else { return read };
    let Some(problem) = held.problems.first_error().filter(|problem| problem.column.is_none()) else {
        return Err(Failure::Held(held));
    };
    Err(Problem::error(problem.kind, format!("In the workbook's part {part}: {}", problem.message)).into())
}

pub(super) type PartReader<'a> = XmlReader<Unpacked<'a>>;

/// The relationship id of the only sheet.
fn the_sheet(xml: &mut PartReader<'_>) -> Result<String, Failure> {
    let mut sheets = Vec::new();
    loop {
        match xml.next()? {
            Step::Open if xml.name() == "sheet" => {
                let id = xml.attributes().find(|(name, _)| name.ends_with(":id")).map(|(_, id)| id.to_owned());
                sheets.push(id.unwrap_or_default());
                xml.skip()?;
            }
            Step::Open if xml.name() == "externalReferences" => {
                return Err(xml.problem(Kind::ArchiveUnsafe, "Found links to other workbooks").into());
            }
            Step::Open | Step::Close => {}
            Step::End => break,
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
                Step::Open if xml.name() == "Relationship" => {
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
                Step::Open | Step::Close => {}
                Step::End => break,
            }
        }
        let sheet =
            sheet.ok_or_else(|| xml.problem(Kind::ArchiveMalformed, "Found no place of the workbook's sheet"))?;
        Ok(Targets { sheet, texts })
    }
}

/// The texts that cells refer to by number, end to end.
#[derive(Default)]
pub(super) struct SharedTexts {
    text: String,
    ends: Vec<u32>,
}

impl SharedTexts {
    fn read(xml: &mut PartReader<'_>, bytes_max: usize, texts_max: usize) -> Result<Self, Failure> {
        let mut texts = SharedTexts::default();
        xml.next()?;
        while texts.ends.len() < texts_max {
            match xml.next()? {
                Step::Open if xml.name() == "si" => {
                    push_text(xml, &mut texts.text)?;
                    texts.ends.push(u32::try_from(texts.text.len()).unwrap_or(u32::MAX));
                }
                Step::Open => xml.skip()?,
                Step::Close => {}
                Step::End => break,
            }
            if texts.text.len() + texts.ends.len() * size_of::<u32>() > bytes_max {
                let message = format!("Found shared texts of more than {bytes_max} bytes");
                return Err(xml.problem(Kind::ArchiveLimits, &message).into());
            }
        }
        Ok(texts)
    }

    pub(super) fn get(&self, number: &str) -> Option<&str> {
        let number = number.parse::<usize>().ok()?;
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start as usize..end as usize)
    }
}

/// Appends the text of the element that has just begun, which may be cut into runs; how it is pronounced is left out.
pub(super) fn push_text(xml: &mut PartReader<'_>, out: &mut String) -> Result<(), Failure> {
    let mut depth = 0;
    loop {
        match xml.next()? {
            Step::Open if xml.name() == "t" => {
                xml.value()?;
                push_unescaped(xml.text(), out);
            }
            Step::Open if xml.name() == "r" => depth += 1,
            Step::Open => xml.skip()?,
            Step::Close if depth == 0 => return Ok(()),
            Step::Close => depth -= 1,
            Step::End => return Ok(()),
        }
    }
}

/// Workbooks write characters that XML cannot have as `_x0000_`.
pub(super) fn push_unescaped(mut text: &str, out: &mut String) {
    while let Some((before, behind)) = text.split_once("_x") {
        out.push_str(before);
        let code = behind.get(..5).and_then(|code| code.strip_suffix('_'));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(character) => {
                out.push(character);
                text = behind.get(5..).unwrap_or("");
            }
            None => {
                out.push_str("_x");
                text = behind;
            }
        }
    }
    out.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_xml_cannot_have_are_given_back() {
        let mut out = String::new();
        push_unescaped("a_x000D_b_x0000_c_xZZZZ_d_x00", &mut out);
        assert_eq!(out, "a\rb\0c_xZZZZ_d_x00");
    }
}
