//! The root element of a text that begins as XML, before it is known to be XML at all.

use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, Reader};

/// Local name of the root element of a text that begins as XML. It tells a report from its schema, which names the same
/// words.
pub(crate) fn root_name(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(root) | Event::Empty(root)) => return Some(root.local_name().as_ref().to_owned()),
            Ok(Event::Text(text)) if !text.trim().is_empty() => return None,
            Ok(Event::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// The namespace of the root element of a text that begins as XML; `None` when it has none.
pub(crate) fn root_namespace(text: &str) -> Option<String> {
    let mut reader = NsReader::from_str(text);
    loop {
        match reader.read_resolved_event() {
            Ok((found, Event::Start(_) | Event::Empty(_))) => {
                return match found {
                    ResolveResult::Bound(Namespace(namespace)) => Some(namespace.to_owned()),
                    _ => None,
                };
            }
            Ok((_, Event::Eof)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}
