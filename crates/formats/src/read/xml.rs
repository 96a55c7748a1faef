//! XML as a stream of elements, strictly: known namespaces, no document type, no entities but the five of XML itself.

use std::io::{self, BufRead, BufReader, Read};

use memchr::memchr_iter;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use settlement::{Kind, Problem};

use crate::format::{Failure, FileFault};
use crate::limits::Limits;
use crate::read::text::{TextEncoding, Utf8Reader};

/// Which elements a document is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vocabulary {
    /// The namespace of its own elements, in each spelling that is in use.
    pub(crate) namespaces: &'static [&'static str],
    /// What to do with elements of any other namespace.
    pub(crate) foreign: Foreign,
}

/// What to do with elements that are not of the document's own namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// They hold the file.
    Refused,
    /// They are passed over with all they hold.
    PassedOver,
}

/// What the reader stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// An element begins; [`XmlReader::name`] is its name.
    Open,
    /// An element ends; [`XmlReader::text`] is the text directly in it.
    Close,
    /// The root element has ended and nothing but blanks follows.
    End,
}

/// Reads one element after another; text split by comments, references or CDATA is put together again.
pub(crate) struct XmlReader<R: Read> {
    reader: Reader<EventCap<BufReader<Utf8Reader<R>>>>,
    vocabulary: Vocabulary,
    prefix: String,
    depth: usize,
    /// Depth of the foreign element that is being passed over.
    foreign_depth: Option<usize>,
    root_ended: bool,
    depth_max: usize,
    attributes_max: usize,
    text_bytes_max: usize,
    event: Vec<u8>,
    event_bytes_max: usize,
    row: u32,
    name: String,
    attributes: Attributes,
    text: String,
    /// Text in front of the element that begins here.
    before: String,
    at: Step,
}

impl<R: Read> XmlReader<R> {
    /// A reader for documents of that vocabulary.
    pub(crate) fn new(input: R, encoding: TextEncoding, vocabulary: Vocabulary, limits: &Limits) -> Self {
        let input = EventCap { input: BufReader::with_capacity(64 * 1024, Utf8Reader::new(input, encoding)), left: 0 };
        let mut reader = Reader::from_reader(input);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = true;
        config.check_comments = true;
        XmlReader {
            reader,
            vocabulary,
            prefix: String::new(),
            depth: 0,
            foreign_depth: None,
            root_ended: false,
            depth_max: limits.xml_depth_max,
            attributes_max: limits.xml_attributes_max,
            text_bytes_max: limits.field_bytes_max,
            event: Vec::new(),
            event_bytes_max: limits.row_bytes_max,
            row: 1,
            name: String::new(),
            attributes: Attributes::default(),
            text: String::new(),
            before: String::new(),
            at: Step::End,
        }
    }

    /// Name of the element at [`Step::Open`], without its prefix.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The value of that attribute at [`Step::Open`].
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All attributes at [`Step::Open`] but declarations of namespaces.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter()
    }

    /// Text of the element at [`Step::Close`].
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Text between the step before and this one.
    pub(crate) fn text_before(&self) -> &str {
        match self.at {
            Step::Open => &self.before,
            Step::Close | Step::End => &self.text,
        }
    }

    /// Line of the file, counted from 1.
    pub(crate) fn row(&self) -> u32 {
        self.row
    }

    /// A problem of the document at this line.
    pub(crate) fn problem(&self, kind: Kind, message: &str) -> Problem {
        let advice = "Ask the provider for the report again";
        Problem::error(kind, format!("{message}. {advice}")).at_row(u64::from(self.row))
    }

    /// Goes to the next begin or end of an element.
    pub(crate) fn next(&mut self) -> Result<Step, Failure> {
        if self.at == Step::Close {
            // Text of an element that has ended is no text of the one around it.
            self.text.clear();
        }
        loop {
            let mut buffer = std::mem::take(&mut self.event);
            buffer.clear();
            self.reader.get_mut().left = self.event_bytes_max;
            let event = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(error) => return Err(self.unreadable(error)),
            };
            let lines = count_lines(&event);
            let step = self.take(event);
            self.row = self.row.saturating_add(lines);
            self.event = buffer;
            if let Some(step) = step? {
                self.at = step;
                return Ok(step);
            }
        }
    }

    /// Goes to the end of the element that has just begun, which must hold text only.
    pub(crate) fn value(&mut self) -> Result<(), Failure> {
        match self.next()? {
            Step::Close => Ok(()),
            _ => Err(self.problem(Kind::XmlUnexpected, "Found an element where a value belongs").into()),
        }
    }

    /// Goes to the end of the element that has just begun, whatever it holds.
    pub(crate) fn skip(&mut self) -> Result<(), Failure> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Step::Open => depth += 1,
                Step::Close => depth -= 1,
                Step::End => break,
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>) -> Result<Option<Step>, Failure> {
        match event {
            Event::Start(start) => return self.open(&start),
            Event::End(_) => {
                self.depth -= 1;
                self.root_ended = self.depth == 0;
                if let Some(depth) = self.foreign_depth {
                    self.foreign_depth = Some(depth).filter(|depth| *depth <= self.depth);
                    return Ok(None);
                }
                return Ok(Some(Step::Close));
            }
            Event::Text(text) => self.append(&text)?,
            Event::CData(data) => self.append(&data)?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character,
                    Ok(None) => named_reference(&reference)
                        .ok_or_else(|| self.problem(Kind::XmlMalformed, "Found a reference to an unknown entity"))?,
                    Err(_) => return Err(self.problem(Kind::XmlMalformed, "Found a reference to no character").into()),
                };
                self.append(character.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => {
                let message = "Found a document type declaration, expected none in a settlement report";
                return Err(self.problem(Kind::XmlDtd, message).into());
            }
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().and_then(Result::ok).unwrap_or_default();
                if !encoding.is_empty() && !encoding.to_ascii_lowercase().starts_with("utf-") {
                    let message = format!("Found XML declared as {encoding:?}, expected UTF-8");
                    return Err(self.problem(Kind::Encoding, &message).into());
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if self.root_ended => return Ok(Some(Step::End)),
            Event::Eof if self.depth == 0 => return Err(self.problem(Kind::Empty, "Found no element").into()),
            Event::Eof => {
                let message = "The file ends inside an element: it was cut";
                return Err(self.problem(Kind::XmlMalformed, message).into());
            }
            Event::Empty(_) => return Err(self.problem(Kind::XmlMalformed, "Found an unexpected tag").into()),
        }
        Ok(None)
    }

    /// `None` when the element is passed over.
    fn open(&mut self, start: &BytesStart<'_>) -> Result<Option<Step>, Failure> {
        if self.root_ended {
            return Err(self.problem(Kind::XmlMalformed, "Found a second root element").into());
        }
        if self.depth >= self.depth_max {
            let message = format!("Found elements nested deeper than {}", self.depth_max);
            return Err(self.problem(Kind::XmlLimits, &message).into());
        }
        self.depth += 1;
        if self.foreign_depth.is_some() {
            return Ok(None);
        }
        let name = start.name();
        let prefix = name.prefix();
        let own = self.read_attributes(start, prefix.as_ref().map_or("", |prefix| prefix.as_ref()))?;
        self.name.clear();
        self.name.push_str(name.local_name().as_ref());
        if !own {
            if self.depth == 1 {
                let expected = self.vocabulary.namespaces.join(" or ");
                let message = format!("Found another namespace than {expected}");
                return Err(self.problem(Kind::XmlUnexpected, &message).into());
            }
            if self.vocabulary.foreign == Foreign::PassedOver {
                self.foreign_depth = Some(self.depth);
                return Ok(None);
            }
            let message = format!("Found element {} of another namespace", self.name.escape_debug());
            return Err(self.problem(Kind::XmlUnexpected, &message).into());
        }
        std::mem::swap(&mut self.before, &mut self.text);
        self.text.clear();
        Ok(Some(Step::Open))
    }

    /// Takes the attributes of an element and says whether it is of the document's own namespace.
    ///
    /// The root binds its own prefix to that namespace; everything below goes by that prefix.
    fn read_attributes(&mut self, start: &BytesStart<'_>, prefix: &str) -> Result<bool, Failure> {
        self.attributes.clear();
        let mut bound = None;
        for (count, attribute) in start.attributes().enumerate() {
            if count >= self.attributes_max {
                let message = format!("Found an element with more than {} attributes", self.attributes_max);
                return Err(self.problem(Kind::XmlLimits, &message).into());
            }
            let Ok(attribute) = attribute else {
                return Err(self.problem(Kind::XmlMalformed, "Found an attribute that is not well-formed").into());
            };
            let key = attribute.key.as_ref();
            let binds = match key.strip_prefix("xmlns").map(|name| (name, name.strip_prefix(':'))) {
                Some(("", _)) => prefix.is_empty(),
                Some((_, Some(name))) => name == prefix,
                _ => {
                    self.keep(&attribute)?;
                    continue;
                }
            };
            if self.depth > 1 && self.vocabulary.foreign == Foreign::Refused {
                return Err(self.problem(Kind::XmlUnexpected, "Found a namespace declared inside the report").into());
            }
            if binds {
                bound = Some(self.vocabulary.namespaces.contains(&attribute.value.as_ref()));
            }
        }
        if self.depth == 1 {
            self.prefix = prefix.to_owned();
            return Ok(bound == Some(true));
        }
        // Mostly both are empty, and to compare no bytes at no address takes some processors longer than all the rest.
        let is_prefix_of_root = (prefix.is_empty() && self.prefix.is_empty()) || prefix == self.prefix;
        Ok(bound.unwrap_or(true) && is_prefix_of_root)
    }

    fn keep(&mut self, attribute: &Attribute<'_>) -> Result<(), Failure> {
        let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) else {
            let message = "Found an attribute with a reference to an unknown entity or character";
            return Err(self.problem(Kind::XmlMalformed, message).into());
        };
        if value.len() > self.text_bytes_max {
            let message = format!("Found an attribute of more than {} bytes", self.text_bytes_max);
            return Err(self.problem(Kind::XmlLimits, &message).into());
        }
        self.attributes.push(attribute.key.as_ref(), &value);
        Ok(())
    }

    fn append(&mut self, text: &str) -> Result<(), Failure> {
        if self.foreign_depth.is_some() {
            return Ok(());
        }
        if self.depth == 0 {
            return match text.trim_start_matches('\u{feff}').trim().is_empty() {
                true => Ok(()),
                false => Err(self.problem(Kind::XmlMalformed, "Found text outside the root element").into()),
            };
        }
        if self.text.len() + text.len() > self.text_bytes_max {
            let message = format!("Found a text of more than {} bytes", self.text_bytes_max);
            return Err(self.problem(Kind::XmlLimits, &message).into());
        }
        self.text.push_str(text);
        Ok(())
    }

    fn unreadable(&self, error: quick_xml::Error) -> Failure {
        match error {
            quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                let message = format!("Found a tag or text of more than {} bytes", self.event_bytes_max);
                self.problem(Kind::XmlLimits, &message).into()
            }
            quick_xml::Error::Encoding(_) => self.problem(Kind::Encoding, "Found bytes that are not UTF-8").into(),
            quick_xml::Error::Io(error) => match error.get_ref().and_then(|cause| cause.downcast_ref::<FileFault>()) {
                Some(fault) => fault.0.clone().into(),
                None => Failure::Read(io::Error::new(error.kind(), error.to_string())),
            },
            error => {
                let message = format!("The XML is not well-formed here: {}", error.to_string().escape_debug());
                self.problem(Kind::XmlMalformed, &message).into()
            }
        }
    }
}

/// Name of the first element of a text that begins as XML, without its prefix: a schema of a report is no report.
pub(crate) fn root_name(text: &str) -> Option<&str> {
    let text = text.trim_start().strip_prefix('<')?;
    let starts = std::iter::once(text).chain(text.split('<').skip(1));
    let root = starts.into_iter().find(|rest| rest.starts_with(|c: char| c.is_alphabetic() || c == '_'))?;
    let name = root.split([' ', '\t', '\r', '\n', '/', '>']).next()?;
    name.rsplit(':').next()
}

/// Names and values end to end, with the places where each name and each value ends.
#[derive(Debug, Default)]
struct Attributes {
    text: String,
    ends: Vec<(usize, usize)>,
}

impl Attributes {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let name_end = self.text.len();
        self.text.push_str(value);
        self.ends.push((name_end, self.text.len()));
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        starts.zip(&self.ends).map(|(start, (name_end, end))| {
            (self.text.get(start..*name_end).unwrap_or(""), self.text.get(*name_end..*end).unwrap_or(""))
        })
    }
}

fn named_reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[inline]
fn count_lines(event: &str) -> u32 {
    if event.len() < 16 {
        return event.bytes().map(|byte| u32::from(byte == b'\n')).sum();
    }
    u32::try_from(memchr_iter(b'\n', event.as_bytes()).count()).unwrap_or(u32::MAX)
}

/// Ends a single event that would fill the memory: quick-xml gathers one event whole before it gives it out.
struct EventCap<R> {
    input: R,
    left: usize,
}

impl<R: BufRead> Read for EventCap<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.input.read(out)
    }
}

impl<R: BufRead> BufRead for EventCap<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = self.left;
        let bytes = self.input.fill_buf()?;
        if left == 0 && !bytes.is_empty() {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(bytes.get(..left).unwrap_or(bytes))
    }

    fn consume(&mut self, read: usize) {
        self.left = self.left.saturating_sub(read);
        self.input.consume(read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of the elements that belong to the document, or nothing when it is refused.
    fn own_elements(text: &str, foreign: Foreign) -> Option<Vec<String>> {
        let vocabulary = Vocabulary { namespaces: &["urn:own"], foreign };
        let mut xml = XmlReader::new(text.as_bytes(), TextEncoding::Utf8, vocabulary, &Limits::default());
        let mut names = Vec::new();
        loop {
            match xml.next().ok()? {
                Step::Open => names.push(xml.name().to_owned()),
                Step::Close => {}
                Step::End => return Some(names),
            }
        }
    }

    #[test]
    fn elements_belong_to_the_document_by_the_prefix_of_its_root() {
        for own in ["<a xmlns='urn:own'><b/></a>", "<p:a xmlns:p='urn:own'><p:b/></p:a>"] {
            for foreign in [Foreign::Refused, Foreign::PassedOver] {
                assert_eq!(own_elements(own, foreign).unwrap(), ["a", "b"], "{own}");
            }
        }
        for other in [
            "<p:a xmlns:p='urn:own'><b/></p:a>",
            "<a xmlns='urn:own'><p:b/></a>",
            "<p:a xmlns:p='urn:own'><q:b/></p:a>",
            "<a xmlns='urn:own'><b xmlns='urn:other'/></a>",
        ] {
            assert_eq!(own_elements(other, Foreign::Refused), None, "{other}");
            assert_eq!(own_elements(other, Foreign::PassedOver).unwrap(), ["a"], "{other}");
        }
    }
}
