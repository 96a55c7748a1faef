//! XML as a stream of elements, strictly: one namespace, no document type, no entities but the five of XML itself.

use std::io::{self, BufRead, BufReader, Read};

use memchr::memchr_iter;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use settlement::{Kind, Problem};

use crate::format::Failure;
use crate::limits::Limits;
use crate::read::text::{TextEncoding, Utf8Reader};

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
    namespace: &'static str,
    prefix: String,
    depth: usize,
    root_ended: bool,
    depth_max: usize,
    attributes_max: usize,
    text_bytes_max: usize,
    event: Vec<u8>,
    event_bytes_max: usize,
    row: u32,
    name: String,
    text: String,
    /// Text in front of the element that begins here.
    before: String,
    at: Step,
}

impl<R: Read> XmlReader<R> {
    /// A reader for documents whose elements all are of `namespace`.
    pub(crate) fn new(input: R, encoding: TextEncoding, namespace: &'static str, limits: &Limits) -> Self {
        let input = EventCap { input: BufReader::with_capacity(64 * 1024, Utf8Reader::new(input, encoding)), left: 0 };
        let mut reader = Reader::from_reader(input);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = true;
        config.check_comments = true;
        XmlReader {
            reader,
            namespace,
            prefix: String::new(),
            depth: 0,
            root_ended: false,
            depth_max: limits.xml_depth_max,
            attributes_max: limits.xml_attributes_max,
            text_bytes_max: limits.field_bytes_max,
            event: Vec::new(),
            event_bytes_max: limits.row_bytes_max,
            row: 1,
            name: String::new(),
            text: String::new(),
            before: String::new(),
            at: Step::End,
        }
    }

    /// Name of the element at [`Step::Open`], without its prefix.
    pub(crate) fn name(&self) -> &str {
        &self.name
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

    fn take(&mut self, event: Event<'_>) -> Result<Option<Step>, Failure> {
        match event {
            Event::Start(start) => return self.open(&start).map(Some),
            Event::End(_) => {
                self.depth -= 1;
                self.root_ended = self.depth == 0;
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

    fn open(&mut self, start: &BytesStart<'_>) -> Result<Step, Failure> {
        if self.root_ended {
            return Err(self.problem(Kind::XmlMalformed, "Found a second root element").into());
        }
        if self.depth >= self.depth_max {
            let message = format!("Found elements nested deeper than {}", self.depth_max);
            return Err(self.problem(Kind::XmlLimits, &message).into());
        }
        let name = start.name();
        let prefix = name.prefix();
        self.name.clear();
        self.name.push_str(name.local_name().as_ref());
        self.namespaces(start, prefix.as_ref().map_or("", |prefix| prefix.as_ref()))?;
        std::mem::swap(&mut self.before, &mut self.text);
        self.text.clear();
        self.depth += 1;
        Ok(Step::Open)
    }

    /// The root binds its own prefix to the namespace of the format; everything below uses that and binds nothing.
    fn namespaces(&mut self, start: &BytesStart<'_>, prefix: &str) -> Result<(), Failure> {
        let root = self.depth == 0;
        let mut bound = false;
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
                _ => continue,
            };
            if root && binds {
                bound = attribute.value.as_ref() == self.namespace;
            } else if !root {
                return Err(self.problem(Kind::XmlUnexpected, "Found a namespace declared inside the report").into());
            }
        }
        if root {
            self.prefix = prefix.to_owned();
            if !bound {
                let message = format!("Found another namespace than {}", self.namespace);
                return Err(self.problem(Kind::XmlUnexpected, &message).into());
            }
        } else if prefix != self.prefix {
            let message = format!("Found element {} of another namespace", self.name.escape_debug());
            return Err(self.problem(Kind::XmlUnexpected, &message).into());
        }
        Ok(())
    }

    fn append(&mut self, text: &str) -> Result<(), Failure> {
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
            quick_xml::Error::Io(error) => Failure::Read(io::Error::new(error.kind(), error.to_string())),
            error => {
                let message = format!("The XML is not well-formed here: {}", error.to_string().escape_debug());
                self.problem(Kind::XmlMalformed, &message).into()
            }
        }
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

fn count_lines(event: &str) -> u32 {
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
