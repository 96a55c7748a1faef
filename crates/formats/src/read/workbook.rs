//! An XLSX workbook, opened in memory bounded by limits and never by what the workbook claims.
//!
//! Why not the `calamine` crate: it returns numbers as `f64`. Money is never a float here, so the reader needs the exact
//! text of `<v>`, which `number.rs` brings to minor units digit by digit. The limits on unpacked bytes, shared texts, rows
//! and columns, and the refusal of macros, links and formulas, would have to stand before that crate in any case.

use settlement::{Kind, Problem};

use crate::failure::{Failure, ReadSeek};
use crate::limits::Limits;
use crate::read::archive::Archive;
use crate::read::part::{ADVICE, PartReader, RELATIONSHIPS, SPREADSHEET, SharedTexts, in_part, open_part};
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

/// More sheets than any report has.
const SHEETS_MAX: usize = 8;

/// A workbook with its shared texts read.
pub(crate) struct Workbook<'i> {
    archive: Archive<'i>,
    /// Name and part of each sheet.
    sheets: Vec<(String, String)>,
    texts: SharedTexts,
    limits: Limits,
    /// Days that are kept as numbers are not those that other workbooks keep.
    pub(crate) days_from_1904: bool,
}

/// The first rows of a sheet as text.
pub(crate) type FirstRows = Vec<Vec<String>>;

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
        let (named, days_from_1904) =
            in_part(WORKBOOK, sheets_of(&mut open_part(&mut archive, WORKBOOK, SPREADSHEET, limits)?))?;
        let mut relations = open_part(&mut archive, WORKBOOK_RELATIONSHIPS, RELATIONSHIPS, limits)?;
        let targets = in_part(WORKBOOK_RELATIONSHIPS, Targets::read(&mut relations, &named))?;
        drop(relations);
        let texts = match &targets.texts {
            Some(name) => {
                let mut texts = open_part(&mut archive, name, SPREADSHEET, limits)?;
                in_part(name, SharedTexts::read(&mut texts, limits.shared_texts_bytes_max, texts_max))?
            }
            None => SharedTexts::default(),
        };
        let sheets = named.into_iter().map(|(name, _)| name).zip(targets.sheets).collect();
        Ok(Workbook { archive, sheets, texts, limits: limits.clone(), days_from_1904 })
    }

    /// The rows of its only sheet, from the first.
    pub(crate) fn rows(&mut self) -> Result<SheetRows<'_>, Failure> {
        self.rows_of(0)
    }

    /// The rows of the sheet at that place, from the first.
    pub(crate) fn rows_of(&mut self, place: usize) -> Result<SheetRows<'_>, Failure> {
        let Some((_, part)) = self.sheets.get(place) else {
            return Err(Problem::error(Kind::Empty, format!("Found no sheet. {ADVICE}")).into());
        };
        let xml = open_part(&mut self.archive, part, SPREADSHEET, &self.limits)?;
        Ok(SheetRows::new(xml, part, &self.texts, &self.limits))
    }

    /// The first rows of each sheet as text, to tell what the workbook is.
    pub(crate) fn first_rows(&mut self, rows_max: usize) -> Result<Vec<FirstRows>, Failure> {
        (0..self.sheets.len()).map(|place| self.first_rows_of(place, rows_max)).collect()
    }

    fn first_rows_of(&mut self, place: usize, rows_max: usize) -> Result<FirstRows, Failure> {
        let mut rows = self.rows_of(place)?;
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

/// Name and relationship id of each sheet, and whether days are counted from 1904.
fn sheets_of(xml: &mut PartReader<'_>) -> Result<(Vec<(String, String)>, bool), Failure> {
    let (mut sheets, mut from_1904) = (Vec::new(), false);
    loop {
        match xml.next()? {
            Step::Start if xml.name() == "sheet" => {
                let id = xml.attribute_of(RELATIONSHIP_IDS, "id").unwrap_or_default().to_owned();
                sheets.push((xml.attribute("name").unwrap_or_default().to_owned(), id));
                xml.skip()?;
            }
            Step::Start if xml.name() == "workbookPr" => {
                from_1904 = matches!(xml.attribute("date1904"), Some("1" | "true" | "on"));
                xml.skip()?;
            }
            Step::Start if xml.name() == "externalReferences" => {
                return Err(xml.problem(Kind::ArchiveUnsafe, "Found links to other workbooks").into());
            }
            Step::Start | Step::End => {}
            Step::Eof => break,
        }
        if sheets.len() > SHEETS_MAX {
            let message = format!("Found more than {SHEETS_MAX} sheets, expected those that the provider writes");
            return Err(xml.problem(Kind::ArchiveLimits, &message).into());
        }
    }
    if sheets.is_empty() {
        return Err(xml.problem(Kind::Empty, "Found no sheet").into());
    }
    Ok((sheets, from_1904))
}

/// Where the parts of a workbook lie.
struct Targets {
    /// In the order of the sheets.
    sheets: Vec<String>,
    texts: Option<String>,
}

impl Targets {
    fn read(xml: &mut PartReader<'_>, named: &[(String, String)]) -> Result<Self, Failure> {
        let (mut sheets, mut texts) = (vec![None; named.len()], None);
        loop {
            match xml.next()? {
                Step::Start if xml.name() == "Relationship" => {
                    let attribute = |name| xml.attribute(name).unwrap_or_default();
                    if attribute("TargetMode") == "External" {
                        return Err(xml.problem(Kind::ArchiveUnsafe, "Found a link out of the workbook").into());
                    }
                    let path = part_at(attribute("Target"));
                    let id = attribute("Id");
                    if let Some(slot) = named.iter().position(|(_, own)| own == id).and_then(|at| sheets.get_mut(at)) {
                        *slot = Some(path);
                    } else if attribute("Type").ends_with("/sharedStrings") {
                        texts = Some(path);
                    }
                }
                Step::Start | Step::End => {}
                Step::Eof => break,
            }
        }
        let sheets: Option<Vec<String>> = sheets.into_iter().collect();
        let sheets =
            sheets.ok_or_else(|| xml.problem(Kind::ArchiveMalformed, "Found no place of the workbook's sheet"))?;
        Ok(Targets { sheets, texts })
    }
}

/// The name of the part that a target of the workbook's own folder leads to.
fn part_at(target: &str) -> String {
    let (mut folders, target) = match target.strip_prefix('/') {
        Some(from_root) => (Vec::new(), from_root),
        None => (vec!["xl"], target),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(folders.pop()),
            part => folders.push(part),
        }
    }
    folders.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_lead_from_the_folder_of_the_workbook_or_from_the_root() {
        for target in ["worksheets/a.xml", "/xl/worksheets/a.xml", "./worksheets/a.xml", "../xl/worksheets/./a.xml"] {
            assert_eq!(part_at(target), "xl/worksheets/a.xml");
        }
    }
}
