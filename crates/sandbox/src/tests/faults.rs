use dintero::{NoResponse, Sent};

use super::*;
use crate::{Fault, RequestKind};

/// What comes back of a posting for `a`, `b` and `c` that meets the fault, and the sandbox afterwards.
fn disturbed(fault: Fault) -> (Result<Response, NoResponse>, Sandbox) {
    let mut sandbox = sandbox();
    let bearer = bearer(&mut sandbox);
    sandbox.disturb(RequestKind::SettlementEvents, fault);
    let body = posting(&["T00000001.a", "T00000001.b", "T00000001.c"]);
    let result = sandbox.answer(&request(Method::Post, POSTING, &bearer, Some(&body)), now());
    (result, sandbox)
}

#[test]
fn refusals_do_nothing() {
    let (answer, sandbox) = disturbed(Fault::TooManyRequests { seconds: 120 });
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.retry_after), (429, Some(SignedDuration::from_secs(120))));
    assert!(settled(&sandbox).is_empty());
    for (fault, status) in [
        (Fault::Unauthorised, 401),
        (Fault::ServerError(503), 503),
        (Fault::ServerError(409), 409),
        (Fault::Redirect, 302),
    ] {
        let (answer, sandbox) = disturbed(fault);
        assert_eq!(answer.unwrap().status, status);
        assert!(settled(&sandbox).is_empty());
        assert_eq!(sandbox.requests(RequestKind::SettlementEvents), 1);
    }
}

#[test]
fn what_is_lost_is_done_or_not() {
    for (fault, sent, done, arrived) in [
        (Fault::NotConnected, Sent::No, 0, 0),
        (Fault::LostBefore, Sent::Perhaps, 0, 1),
        (Fault::LostAfterApply, Sent::Perhaps, 3, 1),
    ] {
        let (error, sandbox) = disturbed(fault);
        assert_eq!(error.unwrap_err().sent, sent);
        assert_eq!((settled(&sandbox).len(), sandbox.requests(RequestKind::SettlementEvents)), (done, arrived));
    }
}

#[test]
fn what_comes_late_is_done_when_a_later_request_comes() {
    let (error, mut sandbox) = disturbed(Fault::LateApply { seconds: 30 });
    assert_eq!(error.unwrap_err().sent, Sent::Perhaps);
    assert!(settled(&sandbox).is_empty());
    sandbox.pass(later(29));
    assert!(settled(&sandbox).is_empty());
    let elsewhere = request(Method::Get, TRANSACTIONS, "", None);
    assert_eq!(sandbox.answer(&elsewhere, later(30)).unwrap().status, 401);
    assert_eq!(settled(&sandbox).len(), 3);
    sandbox.pass(later(60));
    assert_eq!(settled(&sandbox).len(), 3);
}

#[test]
fn half_is_done_and_told_as_an_error() {
    let (answer, sandbox) = disturbed(Fault::HalfApplied);
    assert_eq!(answer.unwrap().status, 500);
    assert_eq!(settled(&sandbox), ["T00000001.a", "T00000001.b"]);
}

#[test]
fn an_answer_may_lack_a_transaction_or_be_in_another_order_or_be_no_list() {
    let (answer, sandbox) = disturbed(Fault::ReorderedAnswer);
    assert_eq!(ids(&answer.unwrap()), ["T00000001.c", "T00000001.b", "T00000001.a"]);
    assert_eq!(settled(&sandbox).len(), 3);
    let (answer, sandbox) = disturbed(Fault::MissingInAnswer);
    assert_eq!(ids(&answer.unwrap()), ["T00000001.a", "T00000001.b"]);
    assert_eq!(settled(&sandbox).len(), 3);
    let (answer, sandbox) = disturbed(Fault::HtmlBody);
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.body.starts_with(b"<html>")), (200, true));
    assert_eq!(settled(&sandbox).len(), 3);
}

#[test]
fn a_refused_transaction_stays_refused_with_all_that_come_with_it() {
    let (answer, mut sandbox) = disturbed(Fault::RefuseTransaction("T00000001.b".to_owned()));
    let answer = answer.unwrap();
    assert_eq!(answer.status, 422);
    // It is not said which one it is.
    assert!(!message(&answer).contains("T00000001"));
    assert!(settled(&sandbox).is_empty());
    assert_eq!(post(&mut sandbox, &posting(&["T00000001.b"])).status, 422);
    assert_eq!(post(&mut sandbox, &posting(&["T00000001.a", "T00000001.c"])).status, 200);
    assert_eq!(settled(&sandbox), ["T00000001.a", "T00000001.c"]);
}

#[test]
fn a_fault_waits_for_its_kind_of_request_and_meets_one() {
    let mut sandbox = sandbox();
    sandbox.disturb(RequestKind::Transactions, Fault::ServerError(500));
    sandbox.disturb(RequestKind::Transactions, Fault::ReorderedAnswer);
    assert_eq!(post(&mut sandbox, &posting(&["T00000001.a"])).status, 200);
    assert_eq!(sandbox.faults_left(), 2);
    assert_eq!(get(&mut sandbox, TRANSACTIONS).status, 500);
    assert_eq!(ids(&get(&mut sandbox, TRANSACTIONS)), ["T00000001.c", "T00000001.b", "T00000001.a"]);
    assert_eq!(ids(&get(&mut sandbox, TRANSACTIONS)), ["T00000001.a", "T00000001.b", "T00000001.c"]);
    assert_eq!(sandbox.faults_left(), 0);
    assert_eq!(sandbox.requests(RequestKind::Transactions), 3);
}

#[test]
fn a_wrong_posting_is_refused_whatever_the_fault() {
    for fault in [Fault::HalfApplied, Fault::ReorderedAnswer, Fault::MissingInAnswer] {
        let mut sandbox = sandbox();
        sandbox.disturb(RequestKind::SettlementEvents, fault);
        assert_eq!(post(&mut sandbox, "{}").status, 400);
    }
    let mut sandbox = sandbox();
    let bearer = bearer(&mut sandbox);
    sandbox.disturb(RequestKind::SettlementEvents, Fault::LateApply { seconds: 0 });
    let wrong = posting(&["T00000001.a", "T00000001.x"]);
    assert!(sandbox.answer(&request(Method::Post, POSTING, &bearer, Some(&wrong)), now()).is_err());
    sandbox.pass(later(1));
    assert!(settled(&sandbox).is_empty());
}

#[test]
fn the_same_requests_give_the_same_answers() {
    let all = |_| {
        let (result, sandbox) = disturbed(Fault::ReorderedAnswer);
        (result.unwrap(), format!("{sandbox:?}"))
    };
    let [one, two] = [0, 1].map(all);
    assert_eq!(one, two);
}

#[test]
fn a_host_that_is_not_dintero_s_has_no_answer() {
    let elsewhere = request(Method::Get, "https://example.com/v1/transactions", "Bearer canary", None);
    let error = sandbox().answer(&elsewhere, now()).unwrap_err();
    assert_eq!(error.sent, Sent::No);
    assert!(!error.to_string().contains("canary"));
}
