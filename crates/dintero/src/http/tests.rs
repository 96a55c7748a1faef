use super::*;

#[test]
fn a_request_never_shows_its_authorization() {
    let request = Request {
        method: Method::Post,
        url: "https://checkout.dintero.com/v1/transactions".to_owned(),
        authorization: Secret::new("Bearer canary"),
        body: Some("{}".to_owned()),
        not_after: None,
    };
    for shown in [format!("{request:?}"), format!("{request:#?}"), format!("{:?}", request.authorization)] {
        assert!(!shown.contains("canary") && shown.contains("[hidden]"), "{shown}");
    }
    assert_eq!(request.authorization.reveal(), "Bearer canary");
}

#[test]
fn an_absent_response_names_the_host_alone() {
    let host = "checkout.dintero.com".to_owned();
    let error = NoResponse { sent: Sent::Perhaps, host, reason: "the connection was closed".to_owned() };
    assert_eq!(error.to_string(), "No answer from checkout.dintero.com: the connection was closed");
}
