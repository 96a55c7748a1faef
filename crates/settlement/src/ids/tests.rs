use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::provider::PROVIDERS;

#[test]
fn report_ids_read_what_they_print() {
    let id = ReportId::from_sha256(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
    let text = id.to_string();
    assert_eq!(text, "00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9");
    assert_eq!(
        (id.short(), format!("{id:?}"), String::from(id)),
        ("00070e151c23".to_owned(), text.clone(), text.clone())
    );
    assert_eq!(ReportId::try_from(text.clone()), Ok(id));
    assert_eq!(serde_json::to_string(&id).unwrap(), format!("{text:?}"));
    for bad in ["", "0", "zz", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(ReportId::try_from(bad.to_owned()), Err(format!("Not a report id: {bad}")));
    }
}

#[test]
fn ids_of_merchants_and_settlements_are_words_that_are_safe_in_keys_and_paths() {
    let longest = "a".repeat(64);
    for good in ["123456", "R4321", "R4321-0007", "0", "a", "Z_9", "2026.10-A", "a.b.c", "a-", "a.", "A__--b", &longest]
    {
        assert_eq!(good.parse::<MerchantNumber>().unwrap(), *good);
        assert_eq!(good.parse::<SettlementId>().unwrap(), *good);
    }
    let (too_long, far_too_long) = ("a".repeat(65), "7".repeat(300));
    for bad in [
        "",
        ".",
        "..",
        "../../x",
        "a/NOK",
        "a..b",
        "-a",
        "_a",
        ".a",
        " a",
        "a ",
        "a b",
        "a\u{0}",
        "a\n",
        "\u{7f}",
        "a#b",
        "a%2Fb",
        "a:b",
        "a\\b",
        "a+b",
        "å1",
        "１",
        &too_long,
        &far_too_long,
    ] {
        assert!(bad.parse::<MerchantNumber>().is_err(), "{bad:?}");
        assert!(SettlementId::try_from(bad.to_owned()).is_err(), "{bad:?}");
    }
}

#[test]
fn ids_of_providers_are_lower_case_words() {
    for good in ["vipps", "swedbankpay", "dintero-2", "2checkout"] {
        assert_eq!(good.parse::<ProviderId>().unwrap().as_str(), good);
    }
    for bad in ["", "Vipps", "swedbank_pay", "a.b", "-a", "a/b", "vipps ", &"a".repeat(65)] {
        assert!(bad.parse::<ProviderId>().is_err(), "{bad:?}");
    }
    for provider in PROVIDERS {
        assert_eq!(Ok(ProviderId::from(provider)), provider.id.parse());
    }
}

#[test]
fn an_error_says_what_was_found_and_expected_and_shows_little_of_it() {
    let error = |text: &str| text.parse::<SettlementId>().unwrap_err().to_string();
    assert_eq!(
        error("a/\u{7}"),
        "Found settlement id \"a/\\u{7}\", expected at most 64 letters of A to Z, digits, '-', '_' and '.', \
         the first a letter or a digit, without '..'"
    );
    assert!(error(&"/".repeat(300)).contains(&format!("\"{}\"", "/".repeat(80))));
    assert!(error("x 4111111111111111").contains("\"x 411111******1111\""));
    let merchant = "".parse::<MerchantNumber>().unwrap_err().to_string();
    assert!(merchant.starts_with("Found merchant number \"\", expected at most 64 letters"), "{merchant}");
    let provider = "VIPPS".parse::<ProviderId>().unwrap_err().to_string();
    assert!(provider.starts_with("Found provider \"VIPPS\", expected at most 64 lower-case letters"), "{provider}");
}

#[test]
fn ids_are_stored_as_their_text_and_a_bad_one_is_an_unreadable_record() {
    let key =
        BTreeMap::from([("R4321".parse::<MerchantNumber>().unwrap(), "R4321-0007".parse::<SettlementId>().unwrap())]);
    let stored = serde_json::to_string(&key).unwrap();
    assert_eq!(stored, r#"{"R4321":"R4321-0007"}"#);
    assert_eq!(serde_json::from_str::<BTreeMap<MerchantNumber, SettlementId>>(&stored).unwrap(), key);
    assert_eq!(key.get("R4321").map(|id| &**id), Some("R4321-0007"), "found by its text");
    for bad in [r#""../x""#, r#""""#, "7", "null"] {
        assert!(serde_json::from_str::<SettlementId>(bad).is_err(), "{bad}");
    }
}

#[test]
fn ids_are_shown_and_compared_as_their_text() {
    let id: ProviderId = "vipps".parse().unwrap();
    assert_eq!(
        (format!("{id}"), format!("{id:>7}"), format!("{id:?}")),
        ("vipps".into(), "  vipps".into(), "\"vipps\"".into())
    );
    for (other, is_same) in [("vipps", true), ("walley", false)] {
        let owned = other.to_owned();
        let found = [id == *other, id == other, id == owned, owned == id];
        assert_eq!(found, [is_same; 4], "{other}");
    }
    assert_eq!((id.len(), id.as_ref(), String::from(id.clone())), (5, "vipps", "vipps".to_owned()));
}

/// The grammar in other words than the code's: cut at dots, every part is one of letters, digits, `-` and `_`.
fn is_word(text: &str) -> bool {
    let part = |part: &str| part.chars().all(|c| "-_".contains(c) || c.is_ascii_digit() || c.is_ascii_alphabetic());
    let parts: Vec<&str> = text.split('.').collect();
    let (first, last) = (text.chars().next(), parts.len() - 1);
    first.is_some_and(|c| c.is_ascii_alphanumeric())
        && text.chars().count() <= 64
        && parts.iter().enumerate().all(|(place, text)| part(text) && (place == last || !text.is_empty()))
}

proptest! {
    #[test]
    fn a_text_is_an_id_when_its_grammar_says_so(text in "[aZ0._/ -]{0,6}|[a-zA-Z0-9._-]{60,70}|.{0,8}") {
        prop_assert_eq!(text.parse::<MerchantNumber>().is_ok(), is_word(&text));
        prop_assert_eq!(text.parse::<SettlementId>().is_ok(), is_word(&text));
        let lower = text.chars().all(|c| !c.is_uppercase() && c != '_' && c != '.');
        prop_assert_eq!(text.parse::<ProviderId>().is_ok(), is_word(&text) && lower);
    }

    #[test]
    fn an_id_stays_one_part_of_any_key_and_path(text in "[a-zA-Z0-9._/-]{1,12}") {
        prop_assume!(text.parse::<SettlementId>().is_ok());
        let key = format!("a/{text}/b");
        prop_assert_eq!(key.split('/').collect::<Vec<_>>(), ["a", &text, "b"]);
        let path = std::path::Path::new("root").join(&text);
        let parts: Vec<_> = path.components().collect();
        prop_assert!(matches!(parts.as_slice(), [_, std::path::Component::Normal(last)] if *last == text.as_str()));
    }

    #[test]
    fn a_stored_id_reads_back_as_itself(text in "[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}") {
        let id: MerchantNumber = text.parse().unwrap();
        let stored = serde_json::to_string(&id).unwrap();
        prop_assert_eq!(&stored, &serde_json::to_string(&text).unwrap());
        prop_assert_eq!(serde_json::from_str::<MerchantNumber>(&stored).unwrap(), id);
    }
}
