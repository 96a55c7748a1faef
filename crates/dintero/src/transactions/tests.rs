use super::*;

fn read_list(body: &str) -> Result<Vec<Transaction>, Unreadable> {
    transactions(&Response { status: 200, retry_after: None, body: body.as_bytes().to_vec() })
}

fn recorded() -> Vec<Transaction> {
    read_list(include_str!("../../answers/transactions.json")).unwrap()
}

/// A list of one transaction with these fields beside the ones that every transaction has.
fn with(fields: &str) -> Result<Vec<Transaction>, Unreadable> {
    read_list(&format!(r#"[{{"id":"T00000001.a","status":"CAPTURED","currency":"NOK","amount":1,{fields}}}]"#))
}

#[test]
fn a_transaction_is_read_with_what_matching_needs() {
    let [transaction, _] = recorded().try_into().unwrap();
    assert_eq!(transaction.id, "T00000001.1111111111111111111111");
    assert_eq!(transaction.merchant_reference, "dwc5f1e");
    assert_eq!(transaction.merchant_reference_2.as_deref(), Some("3041"));
    assert_eq!(transaction.status, TransactionStatus::PartiallyRefunded);
    assert_eq!((transaction.payment_product.as_str(), transaction.payment_product_type.as_str()), ("vipps", "vipps"));
    assert_eq!((transaction.amount_minor, transaction.currency.to_string().as_str()), (89_900, "NOK"));
    assert_eq!(transaction.payout_destination_id.as_deref(), Some("seller-1"));
    assert_eq!(transaction.store_id.as_deref(), Some("sc029"));
    assert_eq!(transaction.settlement_status, Some(SettlementStatus::PartiallySettled));
    let keys: Vec<(&str, &str)> =
        transaction.keys.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        keys,
        [
            ("payex:payment:number", "40123456789"),
            ("payout_correlation_id", "3041-1"),
            ("vipps:merchantInfo.merchantSerialNumber", "123456"),
            ("vipps:transaction.orderId", "T00000001x3041"),
        ]
    );
}

#[test]
fn events_keep_their_order_and_their_settlement_events() {
    use TransactionEventKind::{Authorize, Capture, Other, Refund};
    let [transaction, settled_as_a_whole] = recorded().try_into().unwrap();
    let events: Vec<_> =
        transaction.events.iter().map(|event| (event.kind, event.amount_minor, event.success)).collect();
    let expected = [
        (Other, 0, true),
        (Authorize, 89_900, true),
        (Capture, 89_900, false),
        (Capture, 89_900, true),
        (Refund, 29_900, true),
        (Other, 0, true),
    ];
    assert_eq!(events, expected);
    assert_eq!(transaction.sum_minor(Capture), Some(89_900));
    let capture = &transaction.events[3];
    assert_eq!(capture.at, Some("2026-09-30T12:37:00.879Z".parse().unwrap()));
    assert_eq!(capture.reference.as_deref(), Some("3041"));
    assert_eq!(capture.keys["vipps:transactionInfo.transactionId"], "5001420062");
    assert!(transaction.settlement_events.is_empty());
    let [event] = capture.settlement_events.as_slice() else { panic!("{:?}", capture.settlement_events) };
    assert_eq!(event.settlement_id, "T00000001/vipps/123456/2000461");
    assert_eq!(event.provider_reference, "2000461");
    assert_eq!(event.event_correlation_id.as_deref(), Some("3041-capture"));
    // The fee came below zero and is a magnitude here.
    assert_eq!(event.money(), [88_327, 89_900, 0, 1_573]);

    let money: Vec<[i64; 4]> = settled_as_a_whole.all_settlement_events().map(SettlementEvent::money).collect();
    assert_eq!(money, [[-10_000, 0, 10_000, 0], [0, 10_000, 9_900, 100]]);
    assert_eq!(settled_as_a_whole.settlement_events.len(), 2);
    assert_eq!((settled_as_a_whole.merchant_reference.as_str(), settled_as_a_whole.store_id.as_deref()), ("", None));
}

#[test]
fn nothing_of_a_buyer_is_kept() {
    let body = include_str!("../../answers/transactions.json");
    assert!(body.matches("Kanari").count() > 10);
    let read = recorded();
    let everything = format!("{read:?}{}", serde_json::to_string(&read).unwrap());
    for trace in ["anari", "192.0.2.44", "example.com", "4799999001", "476173", "0349", "59.9"] {
        assert!(!everything.contains(trace), "{trace}");
    }
}

#[test]
fn absent_and_null_fields_have_no_value() {
    let [transaction] = read_list(include_str!("../../answers/transactions-minimal.json")).unwrap().try_into().unwrap();
    assert_eq!(transaction.id, "P00000001.2222222222222222222222");
    assert_eq!(transaction.status, TransactionStatus::Authorized);
    assert!(transaction.events.is_empty() && transaction.keys.is_empty() && transaction.settlement_events.is_empty());
    assert_eq!((transaction.settlement_status, transaction.payout_destination_id), (None, None));
    let [transaction] = with(r#""metadata":null,"events":null,"settlements":{"events":null},"payment_product":null"#)
        .unwrap()
        .try_into()
        .unwrap();
    assert!(transaction.events.is_empty() && transaction.settlement_events.is_empty());
    assert_eq!(read_list("[]"), Ok(Vec::new()));
}

#[test]
fn an_event_without_success_is_successful() {
    let [transaction] = with(r#""events":[{"event":"CAPTURE","amount":5}]"#).unwrap().try_into().unwrap();
    assert_eq!(transaction.sum_minor(TransactionEventKind::Capture), Some(5));
    let [voided] = with(r#""events":[{"event":"VOID","amount":5}]"#).unwrap().try_into().unwrap();
    assert_eq!(voided.events[0].kind, TransactionEventKind::Void);
    assert_eq!(transaction.events[0].at, None);
}

#[test]
fn unknown_words_do_not_hide_a_transaction() {
    let body = r#"[{"id":"T00000001.a","status":"CHARGED_BACK","settlement_status":"DISPUTED","currency":"NOK","amount":1,
        "events":[{"event":"CHARGEBACK","amount":1}]}]"#;
    let [transaction] = read_list(body).unwrap().try_into().unwrap();
    assert_eq!(transaction.status, TransactionStatus::Unknown);
    assert_eq!(transaction.settlement_status, None);
    assert_eq!(transaction.events[0].kind, TransactionEventKind::Other);
}

#[test]
fn an_amount_that_is_no_whole_number_of_minor_units_is_refused() {
    for amount in ["100.5", "100.0", "1e2", "\"100\"", "null", "9223372036854775808", "true", "[1]"] {
        let event = format!(
            r#""settlements":{{"events":[{{"settlement_id":"s","provider_reference":"r","amount":{amount}}}]}}"#
        );
        assert!(with(&event).is_err(), "{amount}");
        let body = format!(r#"[{{"id":"T00000001.a","status":"CAPTURED","currency":"NOK","amount":{amount}}}]"#);
        assert!(read_list(&body).is_err(), "{amount}");
    }
    for fee in ["0.5", "\"1\""] {
        let event = format!(
            r#""settlements":{{"events":[{{"settlement_id":"s","provider_reference":"r","amount":1,"fee":{fee}}}]}}"#
        );
        assert!(with(&event).is_err(), "{fee}");
    }
}

#[test]
fn a_list_in_another_form_is_unreadable_and_not_shown() {
    let bodies = [
        "",
        "<html><body>canary@example.com</body></html>",
        r#"{"items":["canary"]}"#,
        r#"[{"id":"T00000001.canary"}]"#,
        r#"[{"id":"T00000001.canary","status":"CAPTURED","currency":"canary","amount":1}]"#,
        r#"[{"id":"T00000001.canary","status":"CAPTURED","currency":"NOK","amount":1},"#,
        r#"[{"id":"a","id":"canary","status":"CAPTURED","currency":"NOK","amount":1}]"#,
    ];
    for body in bodies {
        let error = read_list(body).unwrap_err();
        assert_eq!(error.status, 200);
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    let deep = "[".repeat(100_000);
    assert!(read_list(&deep).is_err());
}

#[test]
fn an_error_instead_of_a_list_is_reported_with_its_message() {
    let body = include_bytes!("../../answers/error.json").to_vec();
    let error = transactions(&Response { status: 400, retry_after: None, body }).unwrap_err();
    assert_eq!(error.status, 400);
    assert!(error.reason.contains("NOT FOUND: Transaction T00000001.zzz was not found"), "{error}");
}
