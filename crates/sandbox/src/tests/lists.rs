use super::*;
use crate::PaidSettlement;

#[test]
fn transactions_are_listed_ten_at_a_time_unless_asked_otherwise() {
    let mut sandbox = Sandbox::default();
    sandbox.add_client(&account("T00000001"), "client-t", "secret-t");
    for number in 100..350 {
        sandbox.add_transaction(vipps(&format!("T00000001.{number}"), 1, 1));
    }
    assert_eq!(ids(&get(&mut sandbox, TRANSACTIONS)).len(), 10);
    let mut found = ids(&get(&mut sandbox, &format!("{TRANSACTIONS}?limit=100")));
    for expected in [200, 250, 250] {
        let after = found.last().unwrap().clone();
        let page = get(&mut sandbox, &format!("{TRANSACTIONS}?limit=100&starting_after={after}"));
        found.extend(ids(&page));
        assert_eq!(found.len(), expected);
    }
    found.dedup();
    assert_eq!(found.len(), 250);
    // Ids are no way around the number: ten unless asked otherwise.
    let many: String = (100..200).map(|number| format!("&id=T00000001.{number}")).collect();
    assert_eq!(ids(&get(&mut sandbox, &format!("{TRANSACTIONS}?{many}"))).len(), 10);
    assert_eq!(ids(&get(&mut sandbox, &format!("{TRANSACTIONS}?limit=100{many}"))).len(), 100);
    let answer = get(&mut sandbox, &format!("{TRANSACTIONS}?limit=100{many}&id=T00000001.300"));
    assert_eq!((answer.status, message(&answer).as_str()), (400, "id may be given 100 times"));
}

#[test]
fn transactions_are_found_by_id_in_an_order_of_their_own() {
    let mut sandbox = sandbox();
    let found =
        get(&mut sandbox, &format!("{TRANSACTIONS}?id=T00000001.c&id=P00000001.d&id=T00000001.x&id=T00000001.a"));
    assert_eq!(ids(&found), ["T00000001.a", "T00000001.c"]);
    assert_eq!(ids(&get(&mut sandbox, &format!("{TRANSACTIONS}?id=T00000001.x"))), Vec::<String>::new());
}

#[test]
fn transactions_are_found_by_when_money_was_taken_or_given_back() {
    let mut sandbox = sandbox();
    let refunded = vipps("T00000001.e", 500, 48).with(MadeEvent::new(TransactionEventKind::Refund, 500, later(-3_600)));
    sandbox.add_transaction(refunded);
    let mut failed = MadeEvent::new(TransactionEventKind::Capture, 500, later(-3_600 * 2));
    failed.success = false;
    sandbox.add_transaction(MadeTransaction::new("T00000001.f", "1", "vipps", "NOK", 500).with(failed));
    let mut found = |query: &str| ids(&get(&mut sandbox, &format!("{TRANSACTIONS}?{query}")));
    assert_eq!(
        found("captured_at.gte=2026-10-05T03%3A00%3A00Z&captured_at.lte=2026-10-05T04%3A00%3A00Z"),
        ["T00000001.a", "T00000001.b"]
    );
    assert_eq!(found("captured_at.gte=2026-10-05T05%3A00%3A00"), ["T00000001.c"]);
    assert_eq!(found("captured_at.lte=2026-10-03T08%3A00%3A00%2B02%3A00"), ["T00000001.e"]);
    assert_eq!(found("refunded_at.gte=2026-10-05T00%3A00%3A00Z"), ["T00000001.e"]);
    assert_eq!(found("refunded_at.lte=2026-10-04T00%3A00%3A00Z"), Vec::<String>::new());
}

#[test]
fn what_is_not_understood_is_400() {
    let mut sandbox = sandbox();
    let wrong = [
        "limit=0",
        "limit=101",
        "limit=ten",
        "limit=1&limit=2",
        "ids=T00000001.a",
        "starting_after=T00000001.x",
        "starting_after=P00000001.d",
        "captured_at.gte=yesterday",
        "captured_at.gte=2026-10-05",
        // A plus that was not encoded is a space.
        "captured_at.gte=2026-10-05T08:00:00+02:00",
    ];
    for query in wrong {
        assert_eq!(get(&mut sandbox, &format!("{TRANSACTIONS}?{query}")).status, 400, "{query}");
    }
    assert_eq!(get(&mut sandbox, "https://checkout.dintero.com/v1/orders").status, 404);
}

fn paid(id: &str, day: Option<i8>) -> PaidSettlement {
    PaidSettlement {
        id: id.to_owned(),
        provider: "vipps".to_owned(),
        provider_reference: format!("ref-{id}"),
        settled_on: day.map(|day| jiff::civil::date(2026, 10, day)),
        created_at: now(),
        currency: "NOK".to_owned(),
        money: [9_825, 10_000, 0, -175],
    }
}

#[test]
fn settlements_are_listed_with_a_cursor_of_two_parts() {
    let mut sandbox = sandbox();
    for settlement in [paid("s1", Some(1)), paid("s2", None), paid("s3", Some(3))] {
        sandbox.add_settlement(&account("T00000001"), settlement);
    }
    sandbox.add_settlement(&account("P00000001"), paid("p1", Some(1)));
    let mut page = |query: &str| value(&get(&mut sandbox, &format!("{SETTLEMENTS}?{query}")));

    let all = page("");
    let ids: Vec<&str> = all["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["s1", "s2", "s3"]);
    assert_eq!(all.get("last_evaluated_key"), None);
    assert_eq!(
        (&all["items"][0]["settled_at"], &all["items"][0]["payment_status"]),
        (&json!("2026-10-01"), &json!("paid"))
    );
    assert_eq!((all["items"][1].get("settled_at"), &all["items"][1]["payment_status"]), (None, &json!("postponed")));

    let first = page("limit=1");
    assert_eq!(
        (&first["last_evaluated_key"]["id"], &first["last_evaluated_key"]["settled_at"]),
        (&json!("s1"), &json!("2026-10-01"))
    );
    let second = page("limit=1&starting_after_id=s1&starting_after_date=2026-10-01");
    assert_eq!(second["items"][0]["id"], "s2");
    assert_eq!(second["last_evaluated_key"]["created_at"], "2026-10-05T06:00:00Z");
    let third = page("limit=1&starting_after_id=s2&starting_after_date=2026-10-05T06%3A00%3A00Z");
    assert_eq!((&third["items"][0]["id"], third.get("last_evaluated_key")), (&json!("s3"), None));
}

#[test]
fn half_a_cursor_is_400_and_another_account_403() {
    let mut sandbox = sandbox();
    sandbox.add_settlement(&account("T00000001"), paid("s1", Some(1)));
    let wrong = [
        "starting_after_id=s1",
        "starting_after_date=2026-10-01",
        "starting_after_id=s1&starting_after_date=2026-10-02",
        "limit=1001",
        "limit=0",
        "page=2",
    ];
    for query in wrong {
        assert_eq!(get(&mut sandbox, &format!("{SETTLEMENTS}?{query}")).status, 400, "{query}");
    }
    assert_eq!(get(&mut sandbox, &SETTLEMENTS.replace("T00000001", "P00000001")).status, 403);
}
