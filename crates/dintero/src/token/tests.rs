use super::*;

fn answer(body: &str) -> Response {
    Response { status: 200, retry_after: None, body: body.as_bytes().to_vec() }
}

fn now() -> Timestamp {
    "2026-10-05T06:00:00Z".parse().unwrap()
}

#[test]
fn a_token_is_renewed_after_four_fifths_of_its_lifetime() {
    let token = token(&answer(include_str!("../../answers/token.json")), now()).unwrap();
    assert_eq!(token.authorization.reveal(), "Bearer eyJhbGciOiJSUzI1NiJ9.canary-token.c2lnbmF0dXJl");
    assert_eq!(token.renew_at, "2026-10-05T09:12:00Z".parse().unwrap());
}

#[test]
fn the_lifetime_of_a_token_is_limited() {
    let renew_at = |seconds: i64| {
        let body = format!(r#"{{"access_token":"a","token_type":"bearer","expires_in":{seconds}}}"#);
        token(&answer(&body), now()).unwrap().renew_at
    };
    assert_eq!(renew_at(86_400), "2026-10-06T01:12:00Z".parse().unwrap());
    assert_eq!(renew_at(0), now());
    assert_eq!(renew_at(-5), now());
    assert_eq!(renew_at(i64::MAX), "2026-10-29T06:00:00Z".parse().unwrap());
}

#[test]
fn a_bad_token_is_refused_and_not_shown() {
    let bodies = [
        r#"{"access_token":"canary","token_type":"mac","expires_in":14400}"#,
        r#"{"access_token":"","token_type":"Bearer","expires_in":14400}"#,
        r#"{"access_token":"canary\r\nX-Evil: 1","token_type":"Bearer","expires_in":14400}"#,
        r#"{"access_token":"canary one","token_type":"Bearer","expires_in":14400}"#,
        r#"{"access_token":"canaryø","token_type":"Bearer","expires_in":14400}"#,
        r#"{"access_token":"canary","token_type":"Bearer","expires_in":"canary"}"#,
        r#"{"access_token":"canary","token_type":"Bearer"}"#,
        r#"["canary"]"#,
        "<html>canary</html>",
    ];
    for body in bodies {
        let error = token(&answer(body), now()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
    let refused = Response { status: 401, retry_after: None, body: Vec::new() };
    assert_eq!(token(&refused, now()).unwrap_err().to_string(), "Found an answer 401 that cannot be read: status 401");
}

#[test]
fn debug_output_of_token_and_credentials_shows_no_secret() {
    let token = token(&answer(include_str!("../../answers/token.json")), now()).unwrap();
    let client_secret = Secret::new("canary-secret");
    let credentials = Credentials { client_id: "client".to_owned(), client_secret };
    let shown = format!("{token:?} {token:#?} {credentials:?} {credentials:#?}");
    assert!(!shown.contains("canary") && !shown.contains("eyJ"), "{shown}");
    assert!(shown.contains("[hidden]") && shown.contains("client_id: \"client\""), "{shown}");
}
