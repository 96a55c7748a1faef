//! The requests that `dintero` makes, answered here and read by it again.

use dintero::{Api, Credentials, Hosts, Outcome, SettlementCursor, Signs, Token, TransactionFilter, outcome};
use settlement::{SettlementEvent, SettlementStatus, Transaction, TransactionStatus};

use super::*;
use crate::{BUYER_MARK, Fault, PaidSettlement, RequestKind};

fn api() -> Api {
    Api::new(Hosts::default(), account("T00000001"))
}

fn token(sandbox: &mut Sandbox) -> Token {
    let client_secret = Secret::new("secret-t");
    let request = api().token(&Credentials { client_id: "client-t".to_owned(), client_secret });
    dintero::token(&sandbox.answer(&request, now()).unwrap(), now()).unwrap()
}

fn event(correlation: Option<&str>, money: [i64; 4]) -> SettlementEvent {
    let [amount_minor, capture_minor, refund_minor, fee_minor] = money;
    SettlementEvent {
        settlement_id: "T00000001/vipps/123456/2000461".to_owned(),
        provider_reference: "2000461".to_owned(),
        event_correlation_id: correlation.map(str::to_owned),
        amount_minor,
        capture_minor,
        refund_minor,
        fee_minor,
    }
}

fn posted(sandbox: &mut Sandbox, events: &[(&str, &SettlementEvent)], signs: Signs) -> Outcome {
    let token = token(sandbox);
    let request = api().add_settlement_events(&token, dintero::body(events.iter().copied(), signs), later(60));
    outcome(&sandbox.answer(&request, now()))
}

fn read(sandbox: &mut Sandbox, ids: &[&str]) -> Vec<Transaction> {
    let token = token(sandbox);
    let request = api().transactions_by_id(&token, ids.iter().copied());
    dintero::transactions(&sandbox.answer(&request, now()).unwrap()).unwrap()
}

#[test]
fn what_is_posted_is_read_back_in_either_sign() {
    for signs in [Signs::Magnitudes, Signs::Signed] {
        let mut sandbox = sandbox();
        let own = event(Some("capture-1"), [9_825, 10_000, 0, 175]);
        let whole = event(None, [-2_500, 0, 2_500, 0]);
        let events = [("T00000001.b", &own), ("T00000001.a", &whole), ("T00000001.b", &whole)];
        let Outcome::Applied(listed) = posted(&mut sandbox, &events, signs) else { panic!() };
        assert_eq!(listed.iter().map(|t| t.id.as_str()).collect::<Vec<_>>(), ["T00000001.b", "T00000001.a"]);

        let [a, b] = read(&mut sandbox, &["T00000001.b", "T00000001.a"]).try_into().unwrap();
        assert_eq!(a.all_settlement_events().collect::<Vec<_>>(), [&whole]);
        assert_eq!(b.settlement_events, std::slice::from_ref(&whole));
        assert_eq!(b.events[1].settlement_events, std::slice::from_ref(&own));
        assert_eq!(b.status, TransactionStatus::Captured);
        assert_eq!(b.settlement_status, Some(SettlementStatus::PartiallySettled));
        assert_eq!(b.settlement_status, Some(b.derived_settlement_status(false)));
        assert_eq!(b.keys["vipps:transaction.orderId"], "order");
        assert!(!format!("{a:?}{b:?}").contains(BUYER_MARK));
    }
}

#[test]
fn every_fault_is_read_as_what_it_may_mean() {
    let own = event(None, [9_825, 10_000, 0, 175]);
    let outcome_of = |fault: Fault| {
        let mut sandbox = sandbox();
        sandbox.disturb(RequestKind::SettlementEvents, fault);
        posted(&mut sandbox, &[("T00000001.a", &own), ("T00000001.b", &own)], Signs::Magnitudes)
    };
    assert_eq!(outcome_of(Fault::TooManyRequests { seconds: 120 }), Outcome::Later(SignedDuration::from_secs(120)));
    assert_eq!(outcome_of(Fault::Unauthorised), Outcome::Unauthorised);
    assert!(matches!(outcome_of(Fault::NotConnected), Outcome::NotSent(_)));
    assert!(matches!(outcome_of(Fault::ServerError(409)), Outcome::Conflict(_)));
    let refused = outcome_of(Fault::RefuseTransaction("T00000001.b".to_owned()));
    assert!(matches!(refused, Outcome::Refused { status: 422, .. }), "{refused:?}");
    let unknown = [
        Fault::ServerError(500),
        Fault::LostAfterApply,
        Fault::LostBefore,
        Fault::LateApply { seconds: 5 },
        Fault::HalfApplied,
        Fault::HtmlBody,
        Fault::Redirect,
    ];
    for fault in unknown {
        assert!(matches!(outcome_of(fault.clone()), Outcome::Unknown(_)), "{fault:?}");
    }
    for (fault, expected) in [(Fault::ReorderedAnswer, 2), (Fault::MissingInAnswer, 1)] {
        let Outcome::Applied(listed) = outcome_of(fault) else { panic!() };
        assert_eq!(listed.len(), expected);
    }
}

#[test]
fn lists_are_walked_to_their_end() {
    let mut sandbox = sandbox();
    for number in 0..250 {
        sandbox.add_transaction(vipps(&format!("T00000001.n{number}"), 1, 1));
    }
    let token = token(&mut sandbox);
    let filter = TransactionFilter::CapturedBetween(later(-4_000), now());
    let mut found: Vec<Transaction> = Vec::new();
    for expected in [100, 200, 251, 251] {
        let request = api().transactions(&token, &filter, found.last().map(|last| last.id.as_str()));
        found.extend(dintero::transactions(&sandbox.answer(&request, now()).unwrap()).unwrap());
        assert_eq!(found.len(), expected);
    }
    for number in 0..150 {
        let settled_on = (number % 2 == 0).then(|| jiff::civil::date(2026, 10, 1));
        let settlement = PaidSettlement {
            id: format!("s{number}"),
            provider: "vipps".to_owned(),
            provider_reference: format!("2000{number}"),
            settled_on,
            created_at: now(),
            currency: "NOK".to_owned(),
            money: [9_825, 10_000, 0, -175],
        };
        sandbox.add_settlement(&account("T00000001"), settlement);
    }
    let mut listed = Vec::new();
    let mut after: Option<SettlementCursor> = None;
    loop {
        let answer = sandbox.answer(&api().settlements(&token, after.as_ref()), now()).unwrap();
        let page = dintero::settlements(&answer).unwrap();
        listed.extend(page.items.into_iter().map(|item| item.id));
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((listed.len(), sandbox.requests(RequestKind::Settlements)), (150, 2));
}

#[test]
fn a_token_is_of_use_for_its_own_account_alone() {
    let mut sandbox = sandbox();
    let own = event(None, [9_825, 10_000, 0, 175]);
    assert!(matches!(posted(&mut sandbox, &[("P00000001.d", &own)], Signs::Magnitudes), Outcome::Forbidden(_)));
    let token = token(&mut sandbox);
    let request = api().add_settlement_events(&token, dintero::body([("T00000001.a", &own)], Signs::Magnitudes), now());
    assert_eq!(outcome(&sandbox.answer(&request, later(14_400))), Outcome::Unauthorised);
    assert!(read(&mut sandbox, &["P00000001.d"]).is_empty());
    assert!(settled(&sandbox).is_empty());
}
