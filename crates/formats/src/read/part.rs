//! The parts of a workbook: files of XML in its archive, and the texts in them.

use settlement::{Kind, Problem};

use crate::failure::Failure;
use crate::limits::Limits;
use crate::read::archive::{Archive, Unpacked};
use crate::read::shown::shown_name;
use crate::read::text::TextEncoding;
use crate::read::xml::{Foreign, Step, Vocabulary, XmlReader};

/// The elements of sheets, workbooks and shared texts.
pub(super) const SPREADSHEET: Vocabulary = Vocabulary {
    namespaces: &[
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
    ],
    foreign: Foreign::PassedOver,
};
/// The elements that say where parts lie.
pub(super) const RELATIONSHIPS: Vocabulary = Vocabulary {
    namespaces: &["http://schemas.openxmlformats.org/package/2006/relationships"],
    foreign: Foreign::PassedOver,
};

pub(super) const ADVICE: &str = "Download the workbook again; do not edit it";

/// Reads the XML of one part.
pub(super) type PartReader<'a> = XmlReader<Unpacked<'a>>;

/// Opens the part of that name.
pub(super) fn open_part<'a>(
    archive: &'a mut Archive<'_>,
    name: &str,
    vocabulary: Vocabulary,
    limits: &Limits,
) -> Result<XmlReader<Unpacked<'a>>, Failure> {
    let Some(entry) = archive.entry(name).cloned() else {
        let message = format!("Found a workbook without its part {}. {ADVICE}", shown_name(name));
        return Err(Problem::error(Kind::ArchiveMalformed, message).into());
    };
    let mut bytes = archive.unpack(&entry)?;
    let encoding = TextEncoding::of_xml(&mut bytes)?;
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

/// The texts that cells refer to by number, end to end.
#[derive(Default)]
pub(super) struct SharedTexts {
    text: String,
    ends: Vec<u32>,
}

impl SharedTexts {
    /// Reads the first `texts_max` texts of the part.
    pub(super) fn read(xml: &mut PartReader<'_>, bytes_max: usize, texts_max: usize) -> Result<Self, Failure> {
        let mut texts = SharedTexts::default();
        xml.next()?;
        while texts.ends.len() < texts_max {
            match xml.next()? {
                Step::Start if xml.name() == "si" => {
                    push_text(xml, &mut texts.text)?;
                    texts.ends.push(u32::try_from(texts.text.len()).unwrap_or(u32::MAX));
                }
                Step::Start => xml.skip()?,
                Step::End => {}
                Step::Eof => break,
            }
            if texts.text.len() + texts.ends.len() * size_of::<u32>() > bytes_max {
                let message = format!("Found shared texts of more than {bytes_max} bytes");
                return Err(xml.problem(Kind::ArchiveLimits, &message).into());
            }
        }
        Ok(texts)
    }

    /// The text of that number.
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
            Step::Start if xml.name() == "t" => {
                xml.value()?;
                push_unescaped(xml.text(), out);
            }
            Step::Start if xml.name() == "r" => depth += 1,
            Step::Start => xml.skip()?,
            Step::End if depth == 0 => return Ok(()),
            Step::End => depth -= 1,
            Step::Eof => return Ok(()),
        }
    }
}

/// Workbooks write characters that XML cannot have as `_x0000_`.
pub(super) fn push_unescaped(mut text: &str, out: &mut String) {
    while let Some((before, after)) = text.split_once("_x") {
        out.push_str(before);
        let code = after.get(..5).and_then(|code| code.strip_suffix('_'));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(character) => {
                out.push(character);
                text = after.get(5..).unwrap_or("");
            }
            None => {
                out.push_str("_x");
                text = after;
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
