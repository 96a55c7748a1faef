use settlement::{LineKind, SettlementEvent, Terms};

use super::*;

fn key() -> SettleKey {
    SettleKey {
        account_id: "T00000001".parse().unwrap(),
        provider: "vipps".parse().unwrap(),
        merchant_number: "123456".parse().unwrap(),
        settlement_id: "2000001".parse().unwrap(),
        currency: "NOK".parse().unwrap(),
    }
}

fn line(line_no: i64, order: &str, net_minor: i64) -> UnmatchedLine {
    let order_reference = Some(order.to_owned());
    UnmatchedLine { line_no, order_reference, net_minor, why: "no such transaction".to_owned() }
}

/// An outbox that has posted 500 and lists these lines.
fn outbox(unmatched: Vec<UnmatchedLine>) -> OutboxItem {
    let unmatched_minor: i64 = unmatched.iter().map(|line| line.net_minor).sum();
    OutboxItem {
        settlement: key(),
        version: 1,
        batches: vec!["first".to_owned()],
        lines_minor: 500 + unmatched_minor,
        events_minor: 500,
        not_postable_minor: 0,
        unmatched_minor,
        unmatched_lines: unmatched.len().try_into().unwrap(),
        unmatched,
        changed: Vec::new(),
    }
}

fn posted(transaction: &str, amount_minor: i64) -> PlannedEvent {
    let event = SettlementEvent {
        provider_reference: "2000001".to_owned(),
        settlement_id: "2000001".to_owned(),
        event_correlation_id: None,
        amount_minor,
        capture_minor: amount_minor,
        refund_minor: 0,
        fee_minor: 0,
    };
    let (id, state) = (event_id(&key(), transaction, None), EventState::Posted { found: false });
    PlannedEvent { id, transaction: transaction.to_owned(), event, lines: 1, state }
}

fn to(transaction: &str) -> LineIs {
    LineIs::Event(transaction.to_owned())
}

/// Plans lines of number, order, capture, fee and what they are now; gives the new events and the outbox, which adds up.
fn plan(
    outbox: &OutboxItem,
    planned: &[PlannedEvent],
    lines: &[(i64, &str, i64, i64, LineIs)],
    lines_of: u64,
) -> (Vec<PlannedEvent>, OutboxItem) {
    let mut late = LateLines::of(outbox);
    for (line_no, order, capture, fee, is) in lines {
        let record = LineRecord {
            merchant_number: "123456".to_owned(),
            settlement_id: "2000001".to_owned(),
            currency: "NOK".parse().unwrap(),
            line_no: *line_no,
            kind: LineKind::Sale,
            terms: Terms::default(),
            provider_transaction_id: None,
            original_reference: None,
            order_reference: Some((*order).to_owned()),
            correlation_id: None,
            provider_method: None,
            provider_kind: None,
            store_id: None,
            payout_destination_id: None,
            captured_at_us: None,
            captured_on: None,
            provider_date: None,
        };
        let money = [*capture, 0, *fee].map(i128::from);
        late.add(&record, i128::from(capture - fee), money, is);
    }
    let (events, item) = late.plan(&key(), outbox, planned.iter(), |_| lines_of).unwrap();
    assert_eq!(item.lines_minor, item.events_minor + item.not_postable_minor + item.unmatched_minor, "{item:?}");
    (events, item)
}

#[test]
fn a_transaction_whose_lines_had_none_before_gets_its_event() {
    let before = outbox(vec![line(7, "A", 95), line(8, "A", 50), line(9, "B", 30)]);
    let lines = [(7, "A", 100, 5, to("T.a")), (8, "A", 50, 0, to("T.a")), (9, "B", 30, 0, LineIs::Nothing)];
    let (events, item) = plan(&before, &[posted("T.x", 500)], &lines, 2);
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.event.money(), event.lines), ([145, 150, 0, 5], 2));
    assert_eq!((&event.state, event.transaction.as_str()), (&EventState::Planned, "T.a"));
    assert_eq!((item.events_minor, item.not_postable_minor, item.unmatched_minor), (645, 30, 0));
    assert_eq!((item.unmatched_lines, item.unmatched.len(), item.changed.len()), (0, 0, 0));
}

#[test]
fn a_transaction_with_lines_in_another_event_waits_for_a_person() {
    let before = outbox(vec![line(7, "A", 100)]);
    let (events, item) = plan(&before, &[posted("T.x", 500)], &[(7, "A", 100, 0, to("T.a"))], 2);
    let [event] = &events[..] else { panic!("{events:?}") };
    assert!(matches!(&event.state, EventState::Human { why } if why.contains("the others come to 1.00")), "{event:?}");
    assert_eq!((event.event.amount_minor, item.events_minor, item.unmatched_lines), (100, 600, 0));
}

#[test]
fn an_event_that_grows_stays_and_is_listed_as_changed() {
    let before = outbox(vec![line(7, "A", 100), line(8, "B", 20)]);
    let lines = [(7, "A", 100, 0, to("T.x")), (8, "B", 20, 0, LineIs::Unmatched("not captured".to_owned()))];
    let (events, item) = plan(&before, &[posted("T.x", 500)], &lines, 2);
    let changed = |now_minor| vec![ChangedEvent { transaction: "T.x".to_owned(), before_minor: 500, now_minor }];
    assert_eq!((events, &item.changed), (Vec::new(), &changed(600)));
    assert_eq!((item.events_minor, item.unmatched_minor, item.unmatched_lines), (600, 20, 1));
    assert_eq!(item.unmatched[0].why, "not captured");
    // It grows once more.
    let (events, item) = plan(&item, &[posted("T.x", 500)], &[(8, "B", 20, 0, to("T.x"))], 3);
    assert_eq!((events, item.changed, item.unmatched_lines), (Vec::new(), changed(620), 0));
}

#[test]
fn only_lines_that_are_listed_for_sure_are_planned() {
    // Three of one name, two of which are listed, and one line that is counted without being listed.
    let mut before = outbox(vec![line(1, "A", 100), line(1, "A", 100), line(1, "B", 40)]);
    before.unmatched_lines += 1;
    before.unmatched_minor += 9;
    before.lines_minor += 9;
    let twin = || (1, "A", 100, 0, to("T.a"));
    let lines = [twin(), twin(), twin(), (1, "B", 40, 0, to("T.b")), (1, "C", 9, 0, to("T.c"))];
    let (events, item) = plan(&before, &[], &lines, 1);
    assert_eq!(events.iter().map(|event| event.transaction.as_str()).collect::<Vec<_>>(), ["T.b"]);
    assert_eq!((item.unmatched_lines, item.unmatched_minor, item.unmatched), (3, 209, before.unmatched[..2].to_vec()));
}
