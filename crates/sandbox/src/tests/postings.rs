use super::*;

#[test]
fn events_are_added_and_the_transactions_answered_in_full() {
    let mut sandbox = sandbox();
    let answer = post(&mut sandbox, &posting(&["T00000001.b", "T00000001.a"]));
    assert_eq!((answer.status, ids(&answer)), (200, vec!["T00000001.b".to_owned(), "T00000001.a".to_owned()]));
    let listed = value(&answer);
    assert_eq!(listed[0]["settlement_status"], "SETTLED");
    assert_eq!(listed[0]["settlements"]["events"], json!([event()]));
    assert_eq!(listed[0]["events"][1]["event"], "CAPTURE");
    assert!(listed[0]["customer"].is_object());
    let (id, event) = sandbox.settlement_events().next().unwrap();
    assert_eq!((id, event.settlement_id.as_str(), event.money()), ("T00000001.a", "S-1", [9_825, 10_000, 0, 175]));
    assert_eq!(settled(&sandbox), ["T00000001.a", "T00000001.b"]);
    assert_eq!(sandbox.seen().last().unwrap().body.as_deref(), Some(posting(&["T00000001.b", "T00000001.a"]).as_str()));
}

#[test]
fn an_event_goes_to_the_event_of_its_correlation_id() {
    let mut sandbox = sandbox();
    let with = |correlation: &str| {
        let mut event = event();
        event["event_correlation_id"] = json!(correlation);
        event["fee"] = json!(-175);
        json!({"transactions": [{"id": "T00000001.a", "settlements": {"events": [event]}}]}).to_string()
    };
    let listed = value(&post(&mut sandbox, &with("capture-1")));
    // It is answered as it came, signs and all, and told as magnitudes.
    assert_eq!(listed[0]["events"][1]["settlements"]["events"][0]["fee"], -175);
    assert_eq!(listed[0]["settlements"]["events"], json!([]));
    assert_eq!(sandbox.settlement_events().next().unwrap().1.fee_minor, 175);
    let listed = value(&post(&mut sandbox, &with("something else")));
    assert_eq!(listed[0]["settlements"]["events"][0]["event_correlation_id"], "something else");
}

#[test]
fn the_same_event_twice_is_there_twice() {
    let mut sandbox = sandbox();
    post(&mut sandbox, &posting(&["T00000001.a"]));
    let listed = value(&post(&mut sandbox, &posting(&["T00000001.a"])));
    assert_eq!(settled(&sandbox), ["T00000001.a", "T00000001.a"]);
    assert_eq!(listed[0]["settlement_status"], "PARTIALLY_SETTLED");
}

#[test]
fn the_settlement_status_follows_what_happened() {
    let mut sandbox = sandbox();
    let refund = MadeEvent::new(TransactionEventKind::Refund, 2_500, later(-60));
    sandbox.add_transaction(vipps("T00000001.a", 10_000, 3).with(refund));
    let status = |sandbox: &mut Sandbox| {
        let listed = value(&get(sandbox, &format!("{TRANSACTIONS}?id=T00000001.a")));
        (listed[0]["settlement_status"].as_str().unwrap().to_owned(), listed[0]["status"].as_str().unwrap().to_owned())
    };
    let told = |settlement: &str, status: &str| (settlement.to_owned(), status.to_owned());
    assert_eq!(status(&mut sandbox), told("NOT_SETTLED", "PARTIALLY_REFUNDED"));
    post(&mut sandbox, &posting(&["T00000001.a"]));
    assert_eq!(status(&mut sandbox), told("PARTIALLY_SETTLED", "PARTIALLY_REFUNDED"));
    // The refund is told by Dintero itself.
    let event = settlement::SettlementEvent {
        settlement_id: "S-2".to_owned(),
        provider_reference: "2000462".to_owned(),
        event_correlation_id: Some("r".to_owned()),
        amount_minor: -2_500,
        capture_minor: 0,
        refund_minor: 2_500,
        fee_minor: 0,
    };
    assert!(
        sandbox.add_settlement_event("T00000001.a", &event) && !sandbox.add_settlement_event("T00000001.x", &event)
    );
    assert_eq!(status(&mut sandbox), told("SETTLED", "PARTIALLY_REFUNDED"));
    assert_eq!(sandbox.settlement_events().filter(|(_, known)| *known == &event).count(), 1);
}

#[test]
fn a_posting_has_1_to_100_transactions() {
    let mut sandbox = Sandbox::default();
    sandbox.add_client(&account("T00000001"), "client-t", "secret-t");
    let names: Vec<String> = (0..101).map(|number| format!("T00000001.{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.iter().for_each(|id| sandbox.add_transaction(vipps(id, 10_000, 1)));
    assert_eq!(post(&mut sandbox, &posting(&[])).status, 400);
    assert_eq!(post(&mut sandbox, &posting(&names)).status, 400);
    assert!(settled(&sandbox).is_empty());
    assert_eq!(ids(&post(&mut sandbox, &posting(&names[..100]))), names[..100]);
    assert_eq!(settled(&sandbox).len(), 100);
}

#[test]
fn a_body_that_is_not_documented_is_400_and_nothing_of_it_is_done() {
    let mut sandbox = sandbox();
    let first = json!({"id": "T00000001.a", "settlements": {"events": [event()]}});
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut second = first.clone();
        change(&mut second);
        json!({"transactions": [first, second]}).to_string()
    };
    let in_event = |name: &str, value: Value| {
        changed(&|second| {
            let event = second["settlements"]["events"][0].as_object_mut().unwrap();
            if value.is_null() {
                event.remove(name);
            } else {
                event.insert(name.to_owned(), value.clone());
            }
        })
    };
    let wrong = [
        "".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "{\"transactions\":{}}".to_owned(),
        changed(&|second| second["id"] = json!(7)),
        changed(&|second| second["id"] = json!("T00000001.x")),
        changed(&|second| second["settlements"] = json!([])),
        changed(&|second| second["settlements"]["events"] = json!([])),
        changed(&|second| second["note"] = json!("more")),
        in_event("settlement_id", Value::Null),
        in_event("settlement_id", json!("")),
        in_event("provider_reference", Value::Null),
        in_event("provider_reference", json!(2_000_461)),
        in_event("amount", Value::Null),
        in_event("amount", json!("9825")),
        in_event("fee", json!(1.75)),
        in_event("refund", json!("0")),
        in_event("event_correlation_id", json!("")),
        in_event("settlementId", json!("S-1")),
    ];
    for body in wrong {
        let answer = post(&mut sandbox, &body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(!message(&answer).is_empty());
    }
    assert!(settled(&sandbox).is_empty());
    for name in ["capture", "refund", "fee", "event_correlation_id"] {
        assert_eq!(post(&mut sandbox, &in_event(name, Value::Null)).status, 200, "{name}");
    }
}

#[test]
fn an_unknown_transaction_is_told_in_the_documented_body() {
    let mut sandbox = sandbox();
    let answer = post(&mut sandbox, &posting(&["T00000001.a", "T00000001.x"]));
    let body = json!({"error": {"code": "NOT_FOUND", "message": "Transaction T00000001.x was not found"}});
    assert_eq!((answer.status, value(&answer)), (400, body));
    assert!(settled(&sandbox).is_empty());
}

#[test]
fn a_transaction_of_another_account_is_403_and_no_token_401() {
    let mut sandbox = sandbox();
    assert_eq!(post(&mut sandbox, &posting(&["T00000001.a", "P00000001.d"])).status, 403);
    let body = posting(&["T00000001.a"]);
    let other = bearer_of(&mut sandbox, "P00000001", "Basic Y2xpZW50LXA6c2VjcmV0LXA=");
    for (authorization, status) in [(other.as_str(), 403), ("", 401), ("Bearer sandbox-token.T00000001.9", 401)] {
        let answer = sandbox.answer(&request(Method::Post, POSTING, authorization, Some(&body)), now()).unwrap();
        assert_eq!(answer.status, status);
    }
    assert!(settled(&sandbox).is_empty());
}
