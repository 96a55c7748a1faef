//! What records mean: words of their states, which states end, and the ids that are at rest for ever.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use settlement::{Currency, Kind, ReportId, Rhythm, SettleKey, SettlementEvent};
use store::{
    BatchItem, EventState, MailState, MatchItem, Occasion, PlannedEvent, Query, ReportState, TokenSecret, event_id,
    mark_days_dirty,
};

fn key() -> SettleKey {
    SettleKey {
        account_id: "T00000001".parse().unwrap(),
        provider: "vipps".parse().unwrap(),
        merchant_number: "123456".parse().unwrap(),
        settlement_id: "2000461".parse().unwrap(),
        currency: Currency::NOK,
    }
}

fn report() -> ReportId {
    ReportId::from_sha256([7; 32])
}

fn time() -> Timestamp {
    "2026-10-21T08:00:00Z".parse().unwrap()
}

fn event(id: &str, amount_minor: i64, state: EventState) -> PlannedEvent {
    let event = SettlementEvent {
        provider_reference: "2000461".to_owned(),
        settlement_id: "2000461".to_owned(),
        event_correlation_id: None,
        amount_minor,
        capture_minor: amount_minor,
        refund_minor: 0,
        fee_minor: 0,
    };
    PlannedEvent { id: id.to_owned(), transaction: "T00000001.a".to_owned(), event, lines: 1, state }
}

#[test]
fn events_have_the_word_of_their_state_and_some_states_end() {
    let human = EventState::Human { why: String::new() };
    for (state, word, open, is_ended) in [
        (EventState::Planned, "PLANNED", None, false),
        (EventState::InFlight, "IN_FLIGHT", Some("UNKNOWN"), false),
        (EventState::Unknown { until: time(), why: String::new() }, "UNKNOWN", Some("UNKNOWN"), false),
        (EventState::Superseded, "SUPERSEDED", None, true),
        (human.clone(), "HUMAN", Some("HUMAN"), true),
    ] {
        assert_eq!((state.word(), state.open(), state.is_ended()), (word, open, is_ended), "{state:?}");
    }
    let batch = |states: [EventState; 2]| BatchItem {
        settlement: key(),
        version: 1,
        events: states.into_iter().map(|state| event("a", 1, state)).collect(),
        attempt: 0,
        lease_until: None,
        not_before: None,
        body: None,
    };
    assert!(batch([human.clone(), EventState::Superseded]).is_ended());
    assert!(!batch([human, EventState::Planned]).is_ended());
}

/// What is sent once is known by these ids: another spelling would send it again.
#[test]
fn ids_of_events_batches_and_tokens_are_the_same_for_ever() {
    let id = event_id(&key(), "T00000001.a", None);
    assert_eq!(id, "fac645889bd866848b7fc196f5dc24c76412ba60129823fc73be5cf22c0ae0c2");
    assert_eq!(id, event_id(&key(), "T00000001.a", Some("-")));
    assert_ne!(id, event_id(&key(), "T00000001.", Some("a-")));
    let batch = |version, amount_minor| BatchItem::id_of(version, &[event("a", amount_minor, EventState::Planned)]);
    assert_eq!(batch(1, 100), "bd949b887e3cae76415610ed23c47a46b9524695514cb202509dbc35c986abc7");
    assert!(batch(1, 100) != batch(2, 100) && batch(1, 100) != batch(1, 101));
    let token = |generation| {
        TokenSecret::new(*b"secret").token(&key().account_id, &"a@example.no".parse().unwrap(), generation)
    };
    assert_eq!(token(1), "ee1ee9d0c3454e761316881ebb955219");
    assert_ne!(token(1), token(2));
    assert_eq!(format!("{:?}", TokenSecret::new(*b"secret")), "TokenSecret");
}

#[test]
fn a_report_is_held_in_three_states_and_says_why() {
    let kind = Kind::ControlTotal;
    let dismissed = ReportState::Dismissed { kind: Some(kind), by: "Kari".to_owned(), why: "edited".to_owned() };
    for (state, word, held) in [
        (ReportState::Claimed { lease_until: time() }, "CLAIMED", None),
        (ReportState::Committed, "COMMITTED", None),
        (ReportState::Duplicate, "DUPLICATE", None),
        (ReportState::Unpacked { reports: 2 }, "UNPACKED", None),
        (ReportState::Quarantined { kind }, "QUARANTINED(ControlTotal)", Some(Some(kind))),
        (ReportState::Rejected { kind }, "REJECTED(ControlTotal)", Some(Some(kind))),
        (ReportState::Crashed, "CRASHED", Some(None)),
        (ReportState::Released, "RELEASED", None),
        (dismissed.clone(), "DISMISSED", None),
    ] {
        assert_eq!((state.word().as_str(), state.held_kind()), (word, held));
    }
    // What is at rest is read back, a person's words among it.
    let json = serde_json::to_string(&dismissed).unwrap();
    assert_eq!(json, r#"{"state":"DISMISSED","kind":"ControlTotal","by":"Kari","why":"edited"}"#);
    assert_eq!(serde_json::from_str::<ReportState>(&json).unwrap(), dismissed);
}

#[test]
fn a_mail_may_be_taken_up_again_until_it_has_ended() {
    let minute = |minutes: i64| time() + jiff::SignedDuration::from_mins(minutes);
    for (state, word, not_before) in [
        (MailState::Planned { not_before: None }, "PLANNED", Some(Timestamp::UNIX_EPOCH)),
        (MailState::Planned { not_before: Some(time()) }, "PLANNED", Some(time())),
        (MailState::Sending { since: time(), lease_until: minute(5) }, "SENDING", Some(minute(5))),
        (MailState::Sent { message_id: "a".to_owned() }, "SENT", None),
        (MailState::Refused { why: String::new() }, "REFUSED", None),
        (MailState::Withdrawn { why: String::new() }, "WITHDRAWN", None),
        (MailState::Human { why: String::new() }, "HUMAN", None),
    ] {
        assert_eq!((state.word(), state.not_before()), (word, not_before));
    }
}

#[test]
fn an_occasion_is_named_by_purpose_period_and_revision() {
    let payout = |version| Occasion::Payout { settlement: key(), version };
    let digest = Occasion::Digest { rhythm: Rhythm::Weekly, until: date(2026, 10, 18) };
    for (occasion, parts, words) in [
        (Occasion::Confirmation { generation: 2 }, ("confirmation", String::new(), 2), "confirmation"),
        (payout(1), ("payout", key().to_string(), 1), "payout 2000461"),
        (payout(3), ("payout", key().to_string(), 3), "payout 2000461, version 3"),
        (Occasion::Held { report: report() }, ("held", report().to_string(), 1), "held report 070707070707"),
        (digest, ("weekly", "2026-10-18".to_owned(), 1), "weekly digest until 2026-10-18"),
    ] {
        assert_eq!((occasion.parts(), occasion.describe().as_str()), (parts, words));
    }
}

#[test]
fn lines_are_matched_for_good_when_none_is_open() {
    let item = |states: &[&str]| MatchItem {
        report: report(),
        digest: String::new(),
        settlements: Vec::new(),
        added_lines: 0,
        payout_days: BTreeSet::new(),
        states: states.iter().map(|state| ((*state).to_owned(), 1)).collect::<BTreeMap<_, _>>(),
    };
    assert!(item(&[]).is_complete() && item(&["matched", "not_a_transaction"]).is_complete());
    assert!(!item(&["matched", "transaction_unknown"]).is_complete());
}

#[test]
fn days_are_marked_one_by_one_and_many_by_their_report() {
    let account = key().account_id;
    let days = |count: i32| -> BTreeSet<Date> {
        (0..count).map(|day| date(2026, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap()).collect()
    };
    let marks = |count| mark_days_dirty(report(), &account, days(count)).unwrap().len();
    assert_eq!((marks(0), marks(1), marks(90), marks(91)), (0, 1, 90, 1));
}

#[test]
fn ranges_of_one_report_and_of_one_merchant_begin_with_their_names() {
    let account = key().account_id;
    assert_eq!(Query::report_settlements(report(), &account).prefix, "T00000001#");
    let of_merchant = Query::settlements_of_merchant(&account, "vipps", "123456");
    assert_eq!(
        (of_merchant.partition.as_str(), of_merchant.prefix.as_str()),
        ("SETTLEMENT#T00000001", "vipps/123456/")
    );
}
