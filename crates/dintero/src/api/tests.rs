use super::*;

fn api() -> Api {
    Api::new(Hosts::default(), "T00000001".parse().unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn token() -> Token {
    Token { authorization: Secret::new("Bearer canary"), renew_at: at("2026-10-05T09:12:00Z") }
}

/// The URL of a request that reads; its other parts are the same for all.
fn asked(request: Request) -> String {
    let Request { method, url, authorization, body, not_after } = request;
    assert_eq!((method, body, not_after), (Method::Get, None, None));
    assert_eq!(authorization.reveal(), "Bearer canary");
    url
}

#[test]
fn a_token_is_requested_with_credentials_and_the_audience_of_the_account() {
    let client_secret = Secret::new("canary:secret");
    let credentials = Credentials { client_id: "client".to_owned(), client_secret };
    let request = api().token(&credentials);
    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url, "https://api.dintero.com/v1/accounts/T00000001/auth/token");
    assert_eq!(request.authorization.reveal(), "Basic Y2xpZW50OmNhbmFyeTpzZWNyZXQ=");
    let body = r#"{"grant_type":"client_credentials","audience":"https://api.dintero.com/v1/accounts/T00000001"}"#;
    assert_eq!(request.body.as_deref(), Some(body));
    assert_eq!(request.not_after, None);
    let shown = format!("{request:?}");
    assert!(!shown.contains("canary") && !shown.contains("Y2xp"), "{shown}");
}

#[test]
fn the_audience_is_the_same_for_every_host() {
    let hosts = Hosts { api: "http://127.0.0.1:9".to_owned(), checkout: "http://127.0.0.1:9".to_owned() };
    let credentials = Credentials { client_id: "a".to_owned(), client_secret: Secret::new("b") };
    let request = Api::new(hosts, "P00000001".parse().unwrap()).token(&credentials);
    assert_eq!(request.url, "http://127.0.0.1:9/v1/accounts/P00000001/auth/token");
    assert!(request.body.unwrap().contains(r#""audience":"https://api.dintero.com/v1/accounts/P00000001""#));
}

#[test]
fn a_posting_has_the_documented_url_and_the_body_unchanged() {
    let not_after = at("2026-10-05T06:01:00Z");
    let request = api().add_settlement_events(&token(), r#"{"transactions":[ ]}"#.to_owned(), not_after);
    assert_eq!(
        request,
        Request {
            method: Method::Post,
            url: "https://checkout.dintero.com/v1/transactions/events/settlements".to_owned(),
            authorization: Secret::new("Bearer canary"),
            body: Some(r#"{"transactions":[ ]}"#.to_owned()),
            not_after: Some(not_after),
        }
    );
}

#[test]
fn transactions_are_read_by_their_ids() {
    let ids = ["T00000001.1111111111111111111111", "T00000001.a&limit=1 ø"];
    assert_eq!(
        asked(api().transactions_by_id(&token(), ids)),
        "https://checkout.dintero.com/v1/transactions?limit=100&id=T00000001.1111111111111111111111\
         &id=T00000001.a%26limit%3D1%20%C3%B8"
    );
}

#[test]
fn transactions_are_listed_by_time_of_capture_or_refund() {
    let (from, to) = (at("2026-09-30T00:00:00Z"), at("2026-10-05T21:59:59.5Z"));
    assert_eq!(
        asked(api().transactions(&token(), &TransactionFilter::CapturedBetween(from, to), None)),
        "https://checkout.dintero.com/v1/transactions?limit=100&captured_at.gte=2026-09-30T00%3A00%3A00Z\
         &captured_at.lte=2026-10-05T21%3A59%3A59.5Z"
    );
    assert_eq!(
        asked(api().transactions(&token(), &TransactionFilter::RefundedBetween(from, to), Some("T00000001.z"))),
        "https://checkout.dintero.com/v1/transactions?limit=100&refunded_at.gte=2026-09-30T00%3A00%3A00Z\
         &refunded_at.lte=2026-10-05T21%3A59%3A59.5Z&starting_after=T00000001.z"
    );
}

#[test]
fn the_next_page_of_settlements_has_both_parts_of_the_cursor() {
    let first = "https://api.dintero.com/v1/accounts/T00000001/settlements?limit=100";
    assert_eq!(asked(api().settlements(&token(), None)), first);
    let after = SettlementCursor { id: "a/b".to_owned(), date: "2026-10-06T04:10:00.000Z".to_owned() };
    let next = format!("{first}&starting_after_id=a%2Fb&starting_after_date=2026-10-06T04%3A10%3A00.000Z");
    assert_eq!(asked(api().settlements(&token(), Some(&after))), next);
}

#[test]
fn transactions_of_other_accounts_are_recognised_by_their_ids() {
    let api = api();
    assert!(api.owns("T00000001.465UfBENeLpkBvwmqfTC4k"));
    let others = [
        "P00000001.465UfBENeLpkBvwmqfTC4k",
        "T00000002.465UfBENeLpkBvwmqfTC4k",
        "T000000011.465UfBENeLpkBvwmqfTC4k",
        "T00000001465UfBENeLpkBvwmqfTC4k",
        "T00000001.",
        "T00000001",
        "T00000001.a b",
        "T00000001.a/b",
        "T00000001.ø",
        "t00000001.a",
        "",
    ];
    for other in others {
        assert!(!api.owns(other), "{other}");
    }
    assert!(!api.owns(&format!("T00000001.{}", "a".repeat(65))));
}
