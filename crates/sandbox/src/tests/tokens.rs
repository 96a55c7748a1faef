use super::*;
use crate::TOKEN_MARK;

const BODY: &str = r#"{"grant_type":"client_credentials","audience":"https://api.dintero.com/v1/accounts/T00000001"}"#;
const BASIC: &str = "Basic Y2xpZW50LXQ6c2VjcmV0LXQ=";

fn token(sandbox: &mut Sandbox, url: &str, authorization: &str, body: &str) -> Response {
    sandbox.answer(&request(Method::Post, url, authorization, Some(body)), now()).unwrap()
}

#[test]
fn a_client_gets_a_token_of_its_account_on_either_host() {
    let mut sandbox = sandbox();
    for host in ["https://api.dintero.com", "https://checkout.dintero.com", "http://127.0.0.1:8080"] {
        let answer = token(&mut sandbox, &format!("{host}/v1/accounts/T00000001/auth/token"), BASIC, BODY);
        let body = value(&answer);
        assert_eq!((answer.status, &body["token_type"], &body["expires_in"]), (200, &json!("Bearer"), &json!(14_400)));
        assert!(body["access_token"].as_str().unwrap().contains(TOKEN_MARK));
    }
    assert_eq!(sandbox.token_calls(), 3);
}

#[test]
fn wrong_credentials_are_401_and_a_wrong_question_is_400() {
    let mut sandbox = sandbox();
    let wrong = [
        "",
        "Bearer x",
        "Basic ???",
        "Basic Y2xpZW50LXQ=",
        // Another secret, and the client of the other account.
        "Basic Y2xpZW50LXQ6c2VjcmV0LXA=",
        "Basic Y2xpZW50LXA6c2VjcmV0LXA=",
    ];
    for authorization in wrong {
        assert_eq!(token(&mut sandbox, TOKEN, authorization, BODY).status, 401, "{authorization}");
    }
    let unknown = TOKEN.replace("T00000001", "T00000009");
    assert_eq!(token(&mut sandbox, &unknown, BASIC, BODY).status, 401);
    for body in
        ["", "{}", &BODY.replace("client_", ""), &BODY.replace("T00000001", "P00000001"), &BODY.replace("api.", "")]
    {
        assert_eq!(token(&mut sandbox, TOKEN, BASIC, body).status, 400, "{body}");
    }
}

#[test]
fn a_token_ends_when_its_time_is_over_and_when_it_is_taken_back() {
    let mut sandbox = sandbox();
    let first = bearer(&mut sandbox);
    let read = |sandbox: &mut Sandbox, bearer: &str, at| {
        sandbox.answer(&request(Method::Get, TRANSACTIONS, bearer, None), at).unwrap().status
    };
    assert_eq!(read(&mut sandbox, &first, later(14_399)), 200);
    assert_eq!(read(&mut sandbox, &first, later(14_400)), 401);
    sandbox.set_token_life(SignedDuration::from_secs(10));
    let second = bearer(&mut sandbox);
    assert_ne!(first, second);
    assert_eq!((read(&mut sandbox, &second, later(9)), read(&mut sandbox, &second, later(10))), (200, 401));
    assert_eq!(read(&mut sandbox, &first, later(10)), 200);
    sandbox.revoke_tokens(&account("P00000001"));
    assert_eq!(read(&mut sandbox, &first, later(10)), 200);
    sandbox.revoke_tokens(&account("T00000001"));
    assert_eq!(read(&mut sandbox, &first, later(10)), 401);
    for wrong in ["", "Bearer ", "Bearer nothing", first.trim_start_matches("Bearer ")] {
        assert_eq!(read(&mut sandbox, wrong, now()), 401, "{wrong}");
    }
}

#[test]
fn a_secret_can_be_changed() {
    let mut sandbox = sandbox();
    sandbox.add_client(&account("T00000001"), "client-t", "another");
    assert_eq!(token(&mut sandbox, TOKEN, BASIC, BODY).status, 401);
    assert_eq!(token(&mut sandbox, TOKEN, "Basic Y2xpZW50LXQ6YW5vdGhlcg==", BODY).status, 200);
}
