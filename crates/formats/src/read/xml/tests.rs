use super::*;

/// Names of the elements that belong to the document, or nothing when it is refused.
fn own_elements(text: &str, foreign: Foreign) -> Option<Vec<String>> {
    let vocabulary = Vocabulary { namespaces: &["urn:own"], foreign };
    let mut xml = XmlReader::new(text.as_bytes(), TextEncoding::Utf8, vocabulary, &Limits::default());
    let mut names = Vec::new();
    loop {
        match xml.next().ok()? {
            Step::Start => names.push(xml.name().to_owned()),
            Step::End => {}
            Step::Eof => return Some(names),
        }
    }
}

#[test]
fn elements_belong_to_the_document_by_their_namespace() {
    for own in [
        "<a xmlns='urn:own'><b/></a>",
        "<p:a xmlns:p='urn:own'><p:b/></p:a>",
        "<a xmlns='urn:own' xmlns:p='urn:own'><p:b/></a>",
        "<a xmlns='urn:own'><p:b xmlns:p='urn:own'/></a>",
        "<p:a xmlns:p='urn:own' xmlns='urn:other'><b xmlns='urn:own'/></p:a>",
    ] {
        for foreign in [Foreign::Refused, Foreign::PassedOver] {
            assert_eq!(own_elements(own, foreign).unwrap(), ["a", "b"], "{own}");
        }
    }
    for other in [
        "<p:a xmlns:p='urn:own'><b/></p:a>",
        "<a xmlns='urn:own'><p:b/></a>",
        "<p:a xmlns:p='urn:own'><q:b/></p:a>",
        "<a xmlns='urn:own'><b xmlns='urn:other'><c xmlns='urn:own'/>text</b></a>",
        "<a xmlns='urn:own'><b xmlns=''/></a>",
    ] {
        assert_eq!(own_elements(other, Foreign::Refused), None, "{other}");
        assert_eq!(own_elements(other, Foreign::PassedOver).unwrap(), ["a"], "{other}");
    }
    for no_root in ["<a/>", "<a xmlns='urn:other'/>", "<p:a xmlns='urn:own'/>"] {
        for foreign in [Foreign::Refused, Foreign::PassedOver] {
            assert_eq!(own_elements(no_root, foreign), None, "{no_root}");
        }
    }
}

#[test]
fn attributes_are_found_by_name_and_namespace() {
    let text = "<a xmlns='urn:own' xmlns:r='urn:r' xmlns:s='http://www.w3.org/2001/XMLSchema-instance' \
                id='1' r:id='2' s:schemaLocation='3' t:id='4'/>";
    let vocabulary = Vocabulary { namespaces: &["urn:own"], foreign: Foreign::Refused };
    let mut xml = XmlReader::new(text.as_bytes(), TextEncoding::Utf8, vocabulary, &Limits::default());
    xml.next().unwrap();
    assert_eq!(xml.attribute("id"), Some("1"));
    assert_eq!(xml.attribute_of(&["urn:q", "urn:r"], "id"), Some("2"));
    assert_eq!(xml.attribute_of(&["urn:t"], "id"), None);
    assert_eq!(xml.attribute_of(&["urn:r"], "di"), None);
    let all: Vec<(&str, &str)> = xml.attributes().collect();
    assert_eq!(all, [("id", "1"), ("r:id", "2"), ("s:schemaLocation", "3"), ("t:id", "4")]);
    let for_validators: Vec<&str> = all.iter().map(|(key, _)| *key).filter(|key| xml.is_for_validators(key)).collect();
    assert_eq!(for_validators, ["s:schemaLocation"]);
}

/// The kind of the first problem of a document.
fn kind(text: &str) -> Option<Kind> {
    let vocabulary = Vocabulary { namespaces: &["urn:own"], foreign: Foreign::PassedOver };
    let mut xml = XmlReader::new(text.as_bytes(), TextEncoding::Utf8, vocabulary, &Limits::default());
    loop {
        match xml.next() {
            Ok(Step::Eof) => return None,
            Ok(_) => {}
            Err(Failure::Held(held)) => return held.problems.first_error().map(|problem| problem.kind),
            Err(failure) => panic!("{failure}"),
        }
    }
}

#[test]
fn what_an_element_declares_ends_with_it() {
    let text = "<a xmlns='urn:own'><b xmlns='urn:other'/><c/><d><p:e xmlns:p='urn:own'/><p:f/></d><g/></a>";
    assert_eq!(own_elements(text, Foreign::PassedOver).unwrap(), ["a", "c", "d", "e", "g"]);
}

#[test]
fn namespaces_are_declared_as_xml_allows_and_no_more_often_than_a_limit() {
    let nested = |depth: usize| {
        let declarations =
            |level: usize| (0..50).map(move |n| format!(" xmlns:n{level}x{n}='urn:x'")).collect::<String>();
        let open: String = (0..depth).map(|level| format!("<b{}>", declarations(level))).collect();
        format!("<a xmlns='urn:own'>{open}{}</a>", "</b>".repeat(depth))
    };
    assert_eq!(kind(&nested(2)), None);
    assert_eq!(kind(&nested(10)), Some(Kind::XmlLimits));
    // One after the other they are not around one element.
    assert_eq!(kind(&format!("<a xmlns='urn:own'>{}</a>", "<b xmlns:n='urn:x'/>".repeat(1_000))), None);
    for reserved in ["xmlns:xmlns='urn:x'", "xmlns:xml='urn:x'", "xmlns:p='http://www.w3.org/2000/xmlns/'"] {
        assert_eq!(kind(&format!("<a xmlns='urn:own' {reserved}/>")), Some(Kind::XmlMalformed), "{reserved}");
    }
}

/// Gives some text, then fails.
struct Fails<'t>(&'t [u8], fn() -> io::Error);

impl Read for Fails<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err((self.1)()) } else { self.0.read(out) }
    }
}

#[test]
fn an_input_that_fails_is_told_from_a_document_that_is_wrong() {
    let failure = |error: fn() -> io::Error| {
        let vocabulary = Vocabulary { namespaces: &["urn:own"], foreign: Foreign::Refused };
        let input = Fails(b"<a xmlns='urn:own'>text", error);
        let mut xml = XmlReader::new(input, TextEncoding::Utf8, vocabulary, &Limits::default());
        xml.next().unwrap();
        xml.next().unwrap_err()
    };
    let read = failure(|| io::Error::new(io::ErrorKind::TimedOut, "slow"));
    assert!(matches!(read, Failure::Read(error) if error.kind() == io::ErrorKind::TimedOut));
    let held = failure(|| FileFault(Problem::error(Kind::ArchiveBomb, "large")).into());
    let Failure::Held(held) = held else { panic!("a fault of the file holds it: {held:?}") };
    assert_eq!(held.problems.first_error().map(|problem| problem.kind), Some(Kind::ArchiveBomb));
}

#[test]
fn the_root_is_the_first_element_and_no_word_before_it() {
    for root in ["<p:a b='c'>", "<a/>", "\n <?xml version='1.0'?><!-- <b> --><!DOCTYPE c><a><d/>", "<a>cut off her"] {
        assert_eq!(root_name(root).as_deref(), Some("a"), "{root}");
    }
    for other in ["", "a;b;<c>", "<!-- <a> -->", "<a", "</a>"] {
        assert_eq!(root_name(other), None, "{other}");
    }
}
