use super::*;

fn message(status: u16, body: &[u8]) -> String {
    error_message(&Response { status, retry_after: None, body: body.to_vec() })
}

#[test]
fn a_documented_error_is_shown_with_its_code() {
    let body = include_bytes!("../../answers/error.json");
    assert_eq!(message(400, body), "status 400, NOT FOUND: Transaction T00000001.zzz was not found");
    let body = include_bytes!("../../answers/error-nested.json");
    assert_eq!(message(400, body), "status 400, Invalid request");
}

#[test]
fn an_undocumented_error_is_shown_by_its_status_alone() {
    for body in [&b""[..], b"<html>canary</html>", b"{}", br#"{"error":"canary"}"#, br#"{"message":"canary"}"#, b"\xff"]
    {
        assert_eq!(message(502, body), "status 502");
    }
}

#[test]
fn a_message_is_one_short_line() {
    let body = format!(r#"{{"error":{{"message":"a\r\n\u001b[31mb\u0000{}"}}}}"#, "ø".repeat(5_000));
    let told = message(500, body.as_bytes());
    assert!(told.starts_with("status 500, a[31mbø") && !told.contains(char::is_control), "{told}");
    assert_eq!(told.chars().count(), "status 500, ".len() + MESSAGE_CHARS_MAX);
}
