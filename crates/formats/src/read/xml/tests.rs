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
    assert_eq!(all, [("id", "1"), ("r:id", "2"), ("t:id", "4")]);
}

#[test]
fn a_flood_of_namespaces_is_beyond_a_limit() {
    let declarations: String = (0..1_000).map(|number| format!(" xmlns:n{number}='urn:{number}'")).collect();
    let text = format!("<a xmlns='urn:own'><b{declarations}/></a>");
    let vocabulary = Vocabulary { namespaces: &["urn:own"], foreign: Foreign::PassedOver };
    let mut xml = XmlReader::new(text.as_bytes(), TextEncoding::Utf8, vocabulary, &Limits::default());
    xml.next().unwrap();
    let Err(Failure::Held(held)) = xml.next() else { panic!("a flood is held") };
    assert_eq!(held.problems.first_error().map(|problem| problem.kind), Some(Kind::XmlLimits));
}
