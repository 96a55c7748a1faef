use super::*;

fn page(body: &str) -> Result<SettlementPage, Unreadable> {
    settlements(&Response { status: 200, retry_after: None, body: body.as_bytes().to_vec() })
}

#[test]
fn a_page_has_settlements_and_a_cursor() {
    let SettlementPage { items, after } = page(include_str!("../../answers/settlements.json")).unwrap();
    let [paid, postponed] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!((paid.id.as_str(), paid.provider.as_deref()), ("5d3f0a11e65cba71", Some("vipps")));
    assert_eq!((paid.provider_reference.as_deref(), paid.settled_at.as_deref()), (Some("2000461"), Some("2026-10-05")));
    assert_eq!((postponed.provider.as_deref(), postponed.settled_at.as_deref()), (None, None));
    assert_eq!(postponed.created_at.as_deref(), Some("2026-10-06T04:10:00.000Z"));
    // A settlement that is not paid out yet has no day of payout: its time of creation is the date of the cursor.
    let date = "2026-10-06T04:10:00.000Z".to_owned();
    assert_eq!(after, Some(SettlementCursor { id: "77aa0012bb".to_owned(), date }));
}

#[test]
fn the_day_of_payout_is_the_date_of_the_cursor_when_there_is_one() {
    let key = r#"{"id":"a","settled_at":"2026-10-05","created_at":"2026-10-01T00:00:00Z"}"#;
    let after = page(&format!(r#"{{"items":[],"last_evaluated_key":{key}}}"#)).unwrap().after;
    assert_eq!(after, Some(SettlementCursor { id: "a".to_owned(), date: "2026-10-05".to_owned() }));
}

#[test]
fn half_a_cursor_is_none() {
    for key in ["null", "{}", r#"{"id":"a"}"#, r#"{"settled_at":"2026-10-05"}"#, r#"{"id":"a","settled_at":""}"#] {
        let page = page(&format!(r#"{{"items":[],"last_evaluated_key":{key}}}"#)).unwrap();
        assert_eq!(page, SettlementPage { items: Vec::new(), after: None }, "{key}");
    }
    assert_eq!(page(r#"{"items":[]}"#).unwrap().after, None);
}

#[test]
fn a_page_in_another_form_is_unreadable() {
    for body in ["", "[]", "{}", "<html></html>", r#"{"items":[{"provider":"vipps"}]}"#, r#"{"items":null}"#] {
        assert!(page(body).is_err(), "{body}");
    }
    let forbidden = Response { status: 403, retry_after: None, body: br#"{"error":{"message":"Forbidden"}}"#.to_vec() };
    assert_eq!(settlements(&forbidden).unwrap_err().reason, "status 403, Forbidden");
}
