use settlement::SettlementEvent;

use super::*;

fn event(settlement: &str, correlation: Option<&str>, money: [i64; 4]) -> SettlementEvent {
    let [amount_minor, capture_minor, refund_minor, fee_minor] = money;
    SettlementEvent {
        settlement_id: settlement.to_owned(),
        provider_reference: "2000461".to_owned(),
        event_correlation_id: correlation.map(str::to_owned),
        amount_minor,
        capture_minor,
        refund_minor,
        fee_minor,
    }
}

#[test]
fn a_body_has_the_documented_fields_and_whole_numbers() {
    let event = event("S-1", Some("3041-capture"), [88_327, 89_900, 0, 1_573]);
    assert_eq!(
        body([("T00000001.a", &event)], Signs::Magnitudes),
        concat!(
            r#"{"transactions":[{"id":"T00000001.a","settlements":{"events":[{"settlement_id":"S-1","#,
            r#""provider_reference":"2000461","amount":88327,"event_correlation_id":"3041-capture","#,
            r#""capture":89900,"refund":0,"fee":1573}]}}]}"#
        )
    );
}

#[test]
fn refunds_and_fees_are_magnitudes_or_signed_and_the_amount_is_the_same() {
    let event = event("S-1", None, [-30_100, 0, 29_900, 200]);
    let written =
        |signs| -> serde_json::Value { serde_json::from_str(&body([("T00000001.a", &event)], signs)).unwrap() };
    let magnitudes = written(Signs::Magnitudes)["transactions"][0]["settlements"]["events"][0].take();
    assert_eq!(
        magnitudes,
        serde_json::json!({"settlement_id": "S-1", "provider_reference": "2000461", "amount": -30_100,
            "capture": 0, "refund": 29_900, "fee": 200})
    );
    let signed = written(Signs::Signed)["transactions"][0]["settlements"]["events"][0].take();
    assert_eq!(
        signed,
        serde_json::json!({"settlement_id": "S-1", "provider_reference": "2000461", "amount": -30_100,
            "capture": 0, "refund": -29_900, "fee": -200})
    );
    assert_eq!(Signs::default(), Signs::Magnitudes);
    // Zero has no sign in JSON, and the least i64 does not overflow.
    let furthest = self::event("S-1", None, [0, 0, i64::MIN, 0]);
    let furthest = body([("a", &furthest)], Signs::Signed);
    assert!(furthest.contains(r#""refund":9223372036854775807,"fee":0"#), "{furthest}");
}

#[test]
fn each_transaction_is_listed_once_in_the_order_of_first_events() {
    let [one, two, three] = ["S-1", "S-2", "S-3"].map(|settlement| event(settlement, None, [1, 1, 0, 0]));
    let body = body([("b", &one), ("a", &two), ("b", &three)], Signs::Magnitudes);
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    let transactions = value["transactions"].as_array().unwrap();
    let ids = |value: &serde_json::Value| -> Vec<String> {
        let events = value["settlements"]["events"].as_array().unwrap();
        events.iter().map(|event| event["settlement_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(transactions.len(), 2);
    assert_eq!(
        (&transactions[0]["id"], ids(&transactions[0])),
        (&"b".into(), vec!["S-1".to_owned(), "S-3".to_owned()])
    );
    assert_eq!((&transactions[1]["id"], ids(&transactions[1])), (&"a".into(), vec!["S-2".to_owned()]));
}

#[test]
fn text_is_quoted_as_json_requires() {
    let event = event("\"},{\n\u{7}æ", None, [1, 1, 0, 0]);
    let body = body([("T00000001.a", &event)], Signs::Magnitudes);
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(value["transactions"][0]["settlements"]["events"][0]["settlement_id"], "\"},{\n\u{7}æ");
}

#[test]
fn equal_events_give_equal_bytes() {
    let event = event("S-1", Some("c"), [5, 10, 3, 2]);
    let once = body([("a", &event), ("b", &event)], Signs::Magnitudes);
    assert_eq!(once, body([("a", &event), ("b", &event)], Signs::Magnitudes));
}
