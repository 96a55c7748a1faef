//! XML as a stream of elements, strictly: known namespaces, no document type, no entities but the five of XML itself.
//!
//! quick-xml splits the bytes into events and resolves namespaces. What it leaves to its caller is here: limits on depth,
//! attributes, texts and single events, the refusal of document types, and the text of an element put together from its
//! pieces. A reader of whole documents, as serde or a tree, would take memory for the size of the file.
//!
//! Its `NsReader` looks for declarations in the attributes of every element. The resolver inside of it is used directly, and
//! learns of declarations while the attributes are read in any case; most elements have none.

mod root;

use std::io::{self, BufRead, BufReader, Read};

use memchr::memchr_iter;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, NamespaceError, NamespaceResolver, QName, ResolveResult};
use quick_xml::{Reader, XmlVersion};
use settlement::{Kind, Problem};

pub(crate) use self::root::{root_name, root_namespace};
use crate::failure::{Failure, FileFault};
use crate::limits::Limits;
use crate::read::shown::shown_name;
use crate::read::text::{TextEncoding, Utf8Reader};

/// Attributes of this namespace tell a validator where the schema lies.
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

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

/// Where the reader is in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// An element begins; [`XmlReader::name`] is its name.
    Start,
    /// An element ends; [`XmlReader::text`] is the text directly in it.
    End,
    /// The root element has ended and nothing but blanks follows.
    Eof,
}

/// Reads one element after another; text split by comments, references or CDATA is put together again.
pub(crate) struct XmlReader<R: Read> {
    reader: Reader<EventCap<BufReader<Utf8Reader<R>>>>,
    /// The namespaces declared around here, each at the depth of its element.
    namespaces: NamespaceResolver,
    vocabulary: Vocabulary,
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
    /// Text before the element that begins here.
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
            namespaces: NamespaceResolver::default(),
            vocabulary,
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
            at: Step::Eof,
        }
    }

    /// Name of the element at [`Step::Start`], without its prefix.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The value of that attribute at [`Step::Start`].
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The value of the attribute of that name in one of these namespaces at [`Step::Start`].
    pub(crate) fn attribute_of(&self, namespaces: &[&str], name: &str) -> Option<&str> {
        let is_sought = |key| QName(key).local_name().as_ref() == name && self.is_of(QName(key), namespaces);
        self.attributes.iter().find(|(key, _)| is_sought(key)).map(|(_, value)| value)
    }

    /// Whether an attribute at [`Step::Start`] only tells a validator where the schema lies.
    pub(crate) fn is_for_validators(&self, key: &str) -> bool {
        self.is_of(QName(key), &[SCHEMA_INSTANCE])
    }

    /// All attributes at [`Step::Start`] but declarations of namespaces, with the names as they are written.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter()
    }

    /// Text of the element at [`Step::End`].
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Text since the step before.
    pub(crate) fn text_before(&self) -> &str {
        match self.at {
            Step::Start => &self.before,
            Step::End | Step::Eof => &self.text,
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

    /// Goes to the next start or end of an element.
    pub(crate) fn next(&mut self) -> Result<Step, Failure> {
        if self.at == Step::End {
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
            Step::End => Ok(()),
            _ => Err(self.problem(Kind::XmlUnexpected, "Found an element where a value belongs").into()),
        }
    }

    /// Goes to the end of the element that has just begun, whatever it holds.
    pub(crate) fn skip(&mut self) -> Result<(), Failure> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()? {
                Step::Start => depth += 1,
                Step::End => depth -= 1,
                Step::Eof => break,
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>) -> Result<Option<Step>, Failure> {
        match event {
            Event::Start(start) => return self.start(&start),
            Event::End(_) => {
                self.depth -= 1;
                self.root_ended = self.depth == 0;
                if usize::from(self.namespaces.level()) > self.depth {
                    self.namespaces.set_level(level(self.depth));
                }
                if let Some(depth) = self.foreign_depth {
                    self.foreign_depth = Some(depth).filter(|depth| *depth <= self.depth);
                    return Ok(None);
                }
                return Ok(Some(Step::End));
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
                if !encoding.is_empty() && !TextEncoding::is_read_as_declared(&encoding) {
                    let message =
                        format!("Found XML declared as {}, expected UTF-8 or ISO-8859-1", shown_name(&encoding));
                    return Err(self.problem(Kind::Encoding, &message).into());
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if self.root_ended => return Ok(Some(Step::Eof)),
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
    fn start(&mut self, start: &BytesStart<'_>) -> Result<Option<Step>, Failure> {
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
        self.attributes.clear();
        if start.len() > name.as_ref().len() {
            self.read_attributes(start)?;
        }
        let (namespace, local_name) = self.namespaces.resolve_element(name);
        self.name.clear();
        self.name.push_str(local_name.as_ref());
        if !matches!(namespace, ResolveResult::Bound(Namespace(found)) if self.vocabulary.namespaces.contains(&found)) {
            if self.depth == 1 {
                let expected = self.vocabulary.namespaces.join(" or ");
                let message = format!("Found another namespace than {expected}");
                return Err(self.problem(Kind::XmlUnexpected, &message).into());
            }
            if self.vocabulary.foreign == Foreign::PassedOver {
                self.foreign_depth = Some(self.depth);
                return Ok(None);
            }
            let message = format!("Found element {} of another namespace", shown_name(&self.name));
            return Err(self.problem(Kind::XmlUnexpected, &message).into());
        }
        std::mem::swap(&mut self.before, &mut self.text);
        self.text.clear();
        Ok(Some(Step::Start))
    }

    /// Takes the attributes of an element and the namespaces that it declares.
    fn read_attributes(&mut self, start: &BytesStart<'_>) -> Result<(), Failure> {
        for (count, attribute) in start.attributes().enumerate() {
            if count >= self.attributes_max {
                let message = format!("Found an element with more than {} attributes", self.attributes_max);
                return Err(self.problem(Kind::XmlLimits, &message).into());
            }
            let Ok(attribute) = attribute else {
                return Err(self.problem(Kind::XmlMalformed, "Found an attribute that is not well-formed").into());
            };
            // Most attributes are told from a declaration by their first letter.
            let may_declare = attribute.key.as_ref().starts_with('x');
            match Some(attribute.key).filter(|_| may_declare).and_then(|key| key.as_namespace_binding()) {
                Some(prefix) => {
                    self.namespaces.set_level(level(self.depth));
                    let declared = self.namespaces.add(prefix, Namespace(&attribute.value));
                    declared.map_err(|error| self.bad_declaration(&error))?;
                }
                None => self.keep(&attribute)?,
            }
        }
        Ok(())
    }

    fn bad_declaration(&self, error: &NamespaceError) -> Problem {
        match error {
            NamespaceError::TooManyBindings(most) => {
                let message = format!("Found more than {most} declarations of namespaces around one element");
                self.problem(Kind::XmlLimits, &message)
            }
            _ => self.problem(Kind::XmlMalformed, "Found a declaration of a namespace that XML reserves"),
        }
    }

    /// Whether an attribute is of one of these namespaces; one without a prefix is of none.
    fn is_of(&self, key: QName<'_>, namespaces: &[&str]) -> bool {
        key.prefix().is_some()
            && match self.namespaces.resolve_attribute(key) {
                (ResolveResult::Bound(Namespace(found)), _) => namespaces.contains(&found),
                _ => false,
            }
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
            // What the error says of itself may be text of the file.
            error => {
                let what = match error {
                    quick_xml::Error::Syntax(_) => "a tag, comment or instruction is not closed",
                    quick_xml::Error::IllFormed(_) => "an end tag does not fit its start tag, or is missing",
                    quick_xml::Error::InvalidAttr(_) => "an attribute is malformed",
                    quick_xml::Error::Escape(_) => "a reference is malformed",
                    _ => "a name or a namespace is malformed",
                };
                self.problem(Kind::XmlMalformed, &format!("The XML is not well-formed here: {what}")).into()
            }
        }
    }
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

/// A depth as the resolver counts it; the limit on depth is far below.
fn level(depth: usize) -> u16 {
    u16::try_from(depth).unwrap_or(u16::MAX)
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

/// Limits the size of one event: quick-xml holds a whole event in memory before it returns it.
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
mod tests;
