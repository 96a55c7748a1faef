use settlement::{Terms, Transaction, TransactionEvent};

use super::*;
use crate::keys::{GENERAL, PROVIDER_KEYS};
use crate::testing::{capture, index, line, ordered, refund, transaction, within};

/// The states of lines that come one after the other.
fn states(provider: &str, transactions: &[Transaction], lines: &[LineRecord]) -> Vec<MatchState> {
    let index = index(transactions);
    let mut seen = Seen::default();
    lines.iter().map(|line| match_line(&index, provider, line, &mut seen)).collect()
}

fn state(provider: &str, transactions: &[Transaction], line: &LineRecord) -> MatchState {
    states(provider, transactions, std::slice::from_ref(line)).remove(0)
}

/// `transaction/event` of a matched line, or else the word of its state.
fn short(state: &MatchState) -> String {
    match state {
        MatchState::Matched(matched) => format!("{}/{}", matched.transaction_id, matched.event),
        other => other.as_str().to_owned(),
    }
}

fn shorts(provider: &str, transactions: &[Transaction], lines: &[LineRecord]) -> Vec<String> {
    states(provider, transactions, lines).iter().map(short).collect()
}

/// A transaction with a second reference.
fn referred(id: &str, reference: &str, events: Vec<TransactionEvent>) -> Transaction {
    let amount = events.first().map_or(0, |event| event.amount_minor);
    Transaction { merchant_reference_2: Some(reference.into()), ..transaction(id, amount, events) }
}

fn keyed(mut event: TransactionEvent, key: &str, value: &str) -> TransactionEvent {
    event.keys.insert(key.into(), value.into());
    event
}

fn with_id(id: &str, line: LineRecord) -> LineRecord {
    LineRecord { provider_transaction_id: Some(id.into()), ..line }
}

fn with_original(id: &str, line: LineRecord) -> LineRecord {
    LineRecord { original_reference: Some(id.into()), ..line }
}

/// A transaction that only `against` finds, with "v" in it.
fn found_by(against: Against, product: &str) -> Transaction {
    let mut found = transaction("found", 500, vec![capture(500), refund(500)]);
    found.payment_product = product.into();
    match against {
        Against::Id => found.id = "v".into(),
        Against::MerchantReference => found.merchant_reference = "v".into(),
        Against::MerchantReference2 => found.merchant_reference_2 = Some("v".into()),
        Against::Metadata(name) => drop(found.keys.insert(name.into(), "v".into())),
        Against::EventReference => found.events[0].reference = Some("v".into()),
        Against::EventMetadata(name) => drop(found.events[0].keys.insert(name.into(), "v".into())),
        Against::EarlierLine(_) => found.merchant_reference = "w".into(),
    }
    found
}

fn set(line: &mut LineRecord, field: LineField, text: &str) {
    let text = Some(text.to_owned());
    match field {
        LineField::ProviderTransactionId => line.provider_transaction_id = text,
        LineField::OriginalReference => line.original_reference = text,
        LineField::OrderReference => line.order_reference = text,
        LineField::CorrelationId => line.correlation_id = text,
    }
}

#[test]
fn every_rung_of_every_provider_leads_to_the_transaction_and_is_told() {
    let general = PROVIDER_KEYS.iter().map(|keys| (keys, GENERAL));
    for (keys, rungs) in PROVIDER_KEYS.iter().map(|keys| (keys, keys.rungs)).chain(general) {
        for rung in rungs.iter().filter(|rung| !matches!(rung.against, Against::EarlierLine(_))) {
            let transactions =
                [found_by(rung.against, keys.provider.products[0]), transaction("other", 500, vec![capture(500)])];
            for minor in [500, -500] {
                let mut line = line(minor);
                set(&mut line, rung.line, " v ");
                let MatchState::Matched(matched) = state(keys.provider.id, &transactions, &line) else {
                    panic!("{} by {rung} is not matched", keys.provider.id)
                };
                assert_eq!((matched.position, matched.by), (0, *rung), "{}", keys.provider.id);
                assert_eq!(matched.event, u32::from(minor < 0));
                set(&mut line, rung.line, "w");
                assert_eq!(short(&state(keys.provider.id, &transactions, &line)), "transaction_unknown", "{rung}");
            }
        }
    }
}

#[test]
fn a_line_leads_to_the_transaction_of_an_earlier_sale() {
    let paid = referred("a", "A-1", vec![capture(500), refund(100), refund(150)]);
    let sale = with_id("S", ordered(500, "A-1"));
    let by_original = within("2", &with_original("S", with_id("R", line(-100))));
    let by_same_id = within("3", &with_id("S", line(-150)));
    let lines = [sale, by_original.clone(), by_same_id];
    assert_eq!(shorts("payout", std::slice::from_ref(&paid), &lines), ["a/0", "a/1", "a/2"]);
    assert_eq!(short(&state("payout", &[paid], &by_original)), "transaction_unknown");

    let number = "vipps:transactionInfo.transactionId";
    let known = transaction("a", 500, vec![keyed(capture(500), number, "1"), refund(200)]);
    let lines = [with_id("1", ordered(500, "B")), within("2", &with_id("2", ordered(-200, "B")))];
    let found = states("vipps", std::slice::from_ref(&known), &lines);
    assert_eq!(found.iter().map(short).collect::<Vec<_>>(), ["a/0", "a/1"]);
    let MatchState::Matched(refunded) = &found[1] else { panic!("{found:?}") };
    assert_eq!(refunded.by.to_string(), "order_reference = order_reference of an earlier line");
    // Another merchant number's orders are other orders.
    let elsewhere = LineRecord { merchant_number: "999999".into(), ..lines[1].clone() };
    assert_eq!(shorts("vipps", &[known], &[lines[0].clone(), elsewhere])[1], "transaction_unknown");
}

#[test]
fn an_earlier_reference_of_two_transactions_leads_to_neither() {
    let number = "payex:transaction:number";
    let mut transactions = ["a", "b"].map(|id| {
        let events = vec![keyed(capture(500), number, id), refund(500)];
        Transaction { payment_product: "payex".into(), ..transaction(id, 500, events) }
    });
    let sales = ["a", "b"].map(|id| with_id(id, ordered(500, "same")));
    let lines = [sales[0].clone(), sales[1].clone(), with_id("r", ordered(-500, "same"))];
    assert_eq!(shorts("swedbankpay", &transactions, &lines), ["a/0", "b/0", "transaction_unknown"]);
    // A capture names the transaction of its refund, in whichever settlement it was.
    let refund = with_original("b", with_id("r", line(-500)));
    assert_eq!(shorts("swedbankpay", &transactions, std::slice::from_ref(&refund)), ["b/1"]);
    transactions[1].events.truncate(1);
    assert_eq!(shorts("swedbankpay", &transactions, &[refund]), ["status_forbids"]);
}

#[test]
fn captures_and_refunds_that_share_every_id_are_told_apart_by_their_amounts() {
    let paid = transaction("T.1", 1_000, vec![capture(600), capture(400), refund(250), refund(250), refund(100)]);
    let one = |minor| with_id("T.1", line(minor));
    let lines = [one(400), one(600), one(-250), one(-100), within("2", &one(-250))];
    assert_eq!(shorts("payout", &[paid], &lines), ["T.1/1", "T.1/0", "T.1/2", "T.1/4", "T.1/3"]);
}

#[test]
fn a_key_of_an_event_says_which_of_two_equal_captures_it_is() {
    let number = "payex:transaction:number";
    let events = vec![keyed(capture(500), number, "11"), keyed(capture(500), number, "22")];
    let paid = Transaction { payment_product: "payex".into(), ..transaction("a", 1_000, events) };
    let lines = [with_id("22", line(500)), with_id("11", line(500))];
    assert_eq!(shorts("swedbankpay", std::slice::from_ref(&paid), &lines), ["a/1", "a/0"]);
    // The amount of the other capture is not the amount of this one.
    let mut paid = paid;
    paid.events[0].amount_minor = 300;
    assert_eq!(shorts("swedbankpay", &[paid], &[with_id("11", line(500))]), ["amount_differs"]);
}

#[test]
fn an_event_that_is_named_and_taken_is_not_swapped_for_another_of_its_amount() {
    let capture_id = "klarna:headers:capture_id";
    let events = vec![keyed(capture(500), capture_id, "x"), keyed(capture(500), capture_id, "y")];
    let paid = Transaction { payment_product: "klarna".into(), ..transaction("a", 1_000, events) };
    let sale = with_id("x", line(500));
    let lines = [sale.clone(), within("2", &sale), sale.clone()];
    let expected = ["a/0", "duplicate_across_settlements", "status_forbids"];
    assert_eq!(shorts("klarna", &[paid], &lines), expected);
}

#[test]
fn an_amount_that_no_event_has_differs_and_the_nearest_is_told() {
    let paid = referred("a", "A-1", vec![capture(300), capture(480), refund(50)]);
    let found = state("vipps", &[paid], &ordered(500, "A-1"));
    let MatchState::AmountDiffers { expected_minor, found_minor, .. } = &found else { panic!("{found:?}") };
    assert_eq!((*expected_minor, *found_minor), (Some(480), 500));
    assert_eq!(
        found.explained("vipps"),
        "capture of 5.00 NOK, but Dintero has 4.80 NOK at a, found by order_reference = merchant_reference_2"
    );
    let mut unstated = referred("a", "A-1", vec![capture(0), capture(0)]);
    unstated.amount_minor = 500;
    let found = state("vipps", &[unstated], &ordered(500, "A-1"));
    assert!(matches!(found, MatchState::AmountDiffers { expected_minor: None, .. }), "{found:?}");
}

#[test]
fn another_currency_differs_even_when_the_number_is_the_same() {
    let mut paid = referred("a", "A-1", vec![capture(500)]);
    paid.currency = "SEK".parse().unwrap();
    let found = state("vipps", &[paid], &ordered(500, "A-1"));
    assert_eq!(found.as_str(), "currency_differs");
    assert_eq!(
        found.explained("vipps"),
        "paid in NOK, but a, found by order_reference = merchant_reference_2, is in SEK"
    );
}

#[test]
fn what_cannot_have_happened_is_forbidden_with_the_reason() {
    let forbidden = |status, events: Vec<TransactionEvent>, minor| {
        let paid = Transaction { status, ..referred("a", "A-1", events) };
        match state("vipps", &[paid], &ordered(minor, "A-1")) {
            MatchState::StatusForbids { why, .. } => why,
            other => panic!("{other:?}"),
        }
    };
    use TransactionStatus::{AuthorizationVoided, Authorized, Captured, Declined};
    assert_eq!(forbidden(AuthorizationVoided, vec![capture(500)], 500), Forbidden::Voided);
    assert_eq!(forbidden(Authorized, vec![], 500), Forbidden::NotCaptured(Authorized));
    assert_eq!(forbidden(Declined, vec![capture(500)], 500), Forbidden::NotCaptured(Declined));
    assert_eq!(forbidden(Captured, vec![capture(500)], -500), Forbidden::NotRefunded(Captured));
    let beyond = |refunded_minor| Forbidden::RefundedMoreThanCaptured {
        refunded_minor,
        captured_minor: 500,
        currency: "NOK".parse().unwrap(),
    };
    assert_eq!(forbidden(Captured, vec![capture(500)], -501), beyond(501));
    assert_eq!(forbidden(Captured, vec![capture(500), refund(600)], -600), beyond(600));
    assert_eq!(
        MatchState::StatusForbids { transaction_id: "a".into(), by: GENERAL[5], why: beyond(501) }.explained("vipps"),
        "5.01 NOK given back in all, but only 5.00 NOK captured: a, found by order_reference = merchant_reference_2"
    );
}

#[test]
fn refunds_together_may_not_be_more_than_was_captured() {
    let paid = referred("a", "A-1", vec![capture(500), refund(300), refund(201)]);
    let lines = [ordered(-300, "A-1"), within("2", &ordered(-201, "A-1"))];
    assert_eq!(shorts("vipps", &[paid], &lines), ["a/1", "status_forbids"]);
    let paid = referred("a", "A-1", vec![capture(500), refund(300), refund(200)]);
    let lines = [ordered(-300, "A-1"), within("2", &ordered(-200, "A-1"))];
    assert_eq!(shorts("vipps", &[paid], &lines), ["a/1", "a/2"]);
}

#[test]
fn one_event_is_one_line() {
    let paid = referred("a", "A-1", vec![capture(500)]);
    let sale = ordered(500, "A-1");
    let found = states("payout", &[paid], &[sale.clone(), sale.clone(), within("2", &sale)]);
    assert_eq!(found.iter().map(short).collect::<Vec<_>>(), ["a/0", "status_forbids", "duplicate_across_settlements"]);
    assert_eq!(
        found[1].explained("payout"),
        "every capture or refund of this amount is another line of the same settlement: a, found by order_reference = \
         merchant_reference_2"
    );
    assert_eq!(found[2].explained("payout"), "paid already in settlement 1 of merchant 123456 at payout in NOK");
    assert_eq!(found[2].transaction_id(), Some("a"));
}

#[test]
fn an_id_in_two_settlements_is_a_duplicate_even_when_another_event_would_fit() {
    let paid = referred("a", "A-1", vec![capture(500), capture(500)]);
    let sale = with_id("7", ordered(500, "A-1"));
    let lines = [sale.clone(), within("2", &sale)];
    let expected = ["a/0", "duplicate_across_settlements"];
    assert_eq!(shorts("vipps", std::slice::from_ref(&paid), &lines), expected);
    // Of an unknown transaction as well.
    assert_eq!(shorts("vipps", &[], &lines), ["transaction_unknown", "duplicate_across_settlements"]);
    // Where ids are shared, the second is the other capture.
    assert_eq!(shorts("payout", &[paid], &lines), ["a/0", "a/1"]);
}

#[test]
fn a_line_of_the_same_number_at_another_merchant_is_no_duplicate() {
    let sale = with_id("7", ordered(500, "A-1"));
    let other = LineRecord { merchant_number: "654321".into(), ..within("2", &sale) };
    assert_eq!(shorts("vipps", &[], &[sale, other]), ["transaction_unknown", "transaction_unknown"]);
}

#[test]
fn what_is_no_capture_or_refund_is_no_transaction() {
    use LineKind::{Adjustment, Chargeback, ChargebackReversal, Deposit, Fee, FeeVat, ReserveHold, ReserveRelease};
    let paid = referred("a", "A-1", vec![capture(500)]);
    for kind in [Fee, FeeVat, Chargeback, ChargebackReversal, ReserveHold, ReserveRelease, Adjustment, Deposit] {
        let found = state("vipps", std::slice::from_ref(&paid), &LineRecord { kind, ..ordered(500, "A-1") });
        assert_eq!(found, MatchState::NotATransaction(kind));
    }
}

#[test]
fn two_that_fit_equally_well_need_a_person() {
    let transactions = ["b", "a", "c"].map(|id| referred(id, "A-1", vec![capture(500)]));
    let found = state("vipps", &transactions, &ordered(500, "A-1"));
    assert_eq!(found.explained("vipps"), "fits equally well, by order_reference = merchant_reference_2: a, b, c");
    assert_eq!(found.as_str(), "needs_a_person");
    // One that does not fit is no rival.
    let mut one_left = transactions.to_vec();
    one_left[0].status = TransactionStatus::Failed;
    one_left[2].events[0].amount_minor = 501;
    assert_eq!(short(&state("vipps", &one_left, &ordered(500, "A-1"))), "a/0");
    let both =
        LineRecord { terms: Terms { capture_minor: 500, refund_minor: -1, ..Terms::default() }, ..ordered(500, "A-1") };
    assert_eq!(state("vipps", &one_left, &both), MatchState::NeedsAPerson(Unclear::CaptureAndRefund));
    let unknown = LineRecord { kind: LineKind::Unknown, ..ordered(500, "A-1") };
    assert_eq!(state("vipps", &one_left, &unknown), MatchState::NeedsAPerson(Unclear::UnknownKind));
}

#[test]
fn a_value_at_too_many_transactions_tells_nothing_but_a_surer_key_still_counts() {
    let mut many: Vec<Transaction> =
        (0..=HITS_MAX).map(|place| referred(&format!("t{place}"), "subscription", vec![capture(500)])).collect();
    let found = state("vipps", &many, &ordered(500, "subscription"));
    let MatchState::NeedsAPerson(Unclear::KeyTellsNothing { times, .. }) = found else { panic!("{found:?}") };
    assert_eq!(times, HITS_MAX + 1);
    many[7].merchant_reference = "subscription".into();
    assert_eq!(short(&state("vipps", &many, &ordered(500, "subscription"))), "t7/0");
    many.truncate(1);
    assert_eq!(short(&state("vipps", &many, &ordered(500, "subscription"))), "t0/0");
}

#[test]
fn what_names_one_payment_ends_the_search_and_what_refers_does_not() {
    let number = "vipps:transactionInfo.transactionId";
    let named = transaction("named", 400, vec![keyed(capture(400), number, "7")]);
    let other = referred("other", "A-1", vec![capture(500)]);
    let line = with_id("7", ordered(500, "A-1"));
    assert_eq!(short(&state("vipps", &[named, other.clone()], &line)), "amount_differs");
    let mut refers = transaction("refers", 400, vec![capture(400)]);
    refers.keys.insert("vipps:transaction.orderId".into(), "A-1".into());
    assert_eq!(short(&state("vipps", &[refers.clone(), other], &line)), "other/0");
    assert_eq!(state("vipps", &[refers], &line).transaction_id(), Some("refers"));
}

#[test]
fn a_refund_goes_by_its_capture_before_the_order_that_others_share() {
    let key = "payex:transaction:payee_reference";
    let paid = ["a", "b"].map(|id| {
        let events = vec![keyed(capture(500), key, "A-1"), refund(500)];
        Transaction { payment_product: "payex".into(), ..referred(id, &format!("order {id}"), events) }
    });
    let sale = with_id("7", ordered(500, "order b"));
    let refund = with_id("8", with_original("7", ordered(-500, "A-1")));
    assert_eq!(shorts("swedbankpay", &paid, &[sale, refund.clone()]), ["b/0", "b/1"]);
    assert_eq!(short(&state("swedbankpay", &paid, &refund)), "needs_a_person");
}

#[test]
fn of_several_failures_the_one_that_tells_most_is_shown() {
    let mut transactions = ["a", "b", "c"].map(|id| referred(id, "A-1", vec![capture(500)]));
    transactions[0].status = TransactionStatus::Declined;
    transactions[1].events[0].amount_minor = 700;
    transactions[2].events[0].amount_minor = 490;
    assert_eq!(state("vipps", &transactions, &ordered(500, "A-1")).transaction_id(), Some("c"));
    transactions.reverse();
    assert_eq!(state("vipps", &transactions, &ordered(500, "A-1")).transaction_id(), Some("c"));
}

fn nearest(provider: &str, transactions: &[Transaction], line: &LineRecord) -> Option<(String, Nearness)> {
    match state(provider, transactions, line) {
        MatchState::TransactionUnknown { nearest } => nearest.map(|near| (near.transaction_id, near.nearness)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unknown_transaction_is_shown_with_the_one_that_is_alike() {
    let order = referred("a", "Order #11536", vec![capture(500)]);
    let near = |text: &str, transactions: &[Transaction]| nearest("vipps", transactions, &ordered(500, text));
    let number = Some(("a".to_owned(), Nearness::SameNumber));
    let letters = Some(("a".to_owned(), Nearness::SameLetters));
    assert_eq!(near("11536", std::slice::from_ref(&order)), number);
    assert_eq!(near("ORDER 11536", std::slice::from_ref(&order)), letters);
    assert_eq!(near("11537", std::slice::from_ref(&order)), None);
    // Of two, the one with the money; of two with the money, none.
    let other = referred("b", "11536-x", vec![capture(300)]);
    assert_eq!(near("11536", &[other, order.clone()]), number);
    let same = referred("b", "11536-x", vec![capture(500)]);
    assert_eq!(near("11536", &[same, order.clone()]), None);
    assert_eq!(
        state("vipps", &[order], &ordered(500, "11536")).explained("vipps"),
        "no transaction is certain; look at a: a reference has the same number in it"
    );
}

#[test]
fn another_providers_payment_and_another_merchants_are_shown_and_never_matched() {
    let card = Transaction { payment_product: "bambora".into(), ..referred("card", "A-1", vec![capture(500)]) };
    let line = ordered(500, "A-1");
    let other = Some(("card".to_owned(), Nearness::OtherProduct));
    assert_eq!(nearest("vipps", std::slice::from_ref(&card), &line), other);
    assert_eq!(short(&state("payout", std::slice::from_ref(&card), &line)), "card/0");
    let vipps = referred("vipps", "A-1", vec![capture(500)]);
    assert_eq!(short(&state("vipps", &[card, vipps.clone()], &line)), "vipps/0");

    let serial = |number: &str| {
        let mut paid = vipps.clone();
        paid.keys.insert("vipps:merchantInfo.merchantSerialNumber".into(), number.into());
        paid
    };
    assert_eq!(short(&state("vipps", &[serial("123456")], &line)), "vipps/0");
    let other = Some(("vipps".to_owned(), Nearness::OtherMerchantNumber));
    assert_eq!(nearest("vipps", &[serial("654321")], &line), other);
}

#[test]
fn nothing_to_look_for_finds_nothing() {
    let blank = with_id("  ", ordered(500, ""));
    let mut empty = referred("a", " ", vec![capture(500)]);
    empty.id = String::new();
    assert_eq!(state("vipps", &[empty], &blank), MatchState::TransactionUnknown { nearest: None });
}

#[test]
fn the_order_of_transactions_changes_nothing() {
    let mut transactions = vec![
        referred("a", "A-1", vec![capture(500), refund(100)]),
        referred("b", "A-1", vec![capture(300)]),
        referred("c", "A-2", vec![capture(500)]),
        referred("d", "A-2", vec![capture(500)]),
        referred("e", "A-3", vec![capture(1)]),
    ];
    let lines = [500, 300, -100, 500, 500].map(|minor| ordered(minor, "A-1"));
    let lines = [&lines[..], &[ordered(500, "A-2"), ordered(2, "A-3"), ordered(1, "a3")]].concat();
    let told = |transactions: &[Transaction]| -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        for state in states("vipps", transactions, &lines) {
            told.push(state.explained("vipps"));
        }
        told
    };
    let first = told(&transactions);
    for _ in 0..transactions.len() {
        transactions.rotate_left(1);
        assert_eq!(told(&transactions), first);
    }
}

#[test]
fn the_merchants_own_reference_of_an_event_does_not_say_which_event_it_is() {
    let mut paid = transaction("a", 500, vec![capture(300), capture(200)]);
    paid.events[0].reference = Some("A-1".into());
    assert_eq!(short(&state("vipps", &[paid], &ordered(200, "A-1"))), "a/1");
}

#[test]
fn one_transaction_with_a_value_at_two_events_is_one_candidate() {
    let key = "payout_correlation_id";
    let paid = transaction("a", 500, vec![keyed(capture(500), key, "C"), keyed(refund(500), key, "C")]);
    let mut lines = [line(500), line(-500)];
    lines.iter_mut().for_each(|line| set(line, LineField::CorrelationId, "C"));
    assert_eq!(shorts("payout", &[paid], &lines), ["a/0", "a/1"]);
}

#[test]
fn a_third_line_of_two_captures_is_told_the_other_settlement() {
    let paid = referred("a", "A-1", vec![capture(500), capture(500)]);
    let sale = ordered(500, "A-1");
    let lines = [sale.clone(), within("2", &sale), within("2", &sale)];
    let found = states("payout", &[paid], &lines);
    assert_eq!(found[2].explained("payout"), "paid already in settlement 1 of merchant 123456 at payout in NOK");
}

#[test]
fn nothing_is_shown_as_alike_where_showing_one_would_be_a_guess() {
    let line = ordered(500, "11536");
    let alike = |id: &str, product: &str, minor| {
        let events = vec![capture(minor)];
        Transaction { payment_product: product.into(), ..referred(id, "Order 11536", events) }
    };
    assert_eq!(nearest("vipps", &[alike("a", "payex", 500)], &line), None);
    let mut many: Vec<Transaction> = (0..HITS_MAX).map(|place| alike(&format!("t{place}"), "vipps", 1)).collect();
    many[0].events[0].amount_minor = 500;
    assert_eq!(nearest("vipps", &many, &line), Some(("t0".to_owned(), Nearness::SameNumber)));
    many.push(alike("one more", "vipps", 1));
    assert_eq!(nearest("vipps", &many, &line), None);
    let others = ["a", "b"].map(|id| {
        let events = vec![capture(500)];
        Transaction { payment_product: "payex".into(), ..referred(id, "11536", events) }
    });
    assert_eq!(nearest("vipps", &others, &line), None);
}

#[test]
fn a_merchant_number_counts_for_the_provider_that_it_is_of() {
    let mut paid = referred("a", "A-1", vec![capture(500)]);
    paid.keys.insert("vipps:merchantInfo.merchantSerialNumber".into(), "654321".into());
    assert_eq!(short(&state("payout", &[paid], &ordered(500, "A-1"))), "a/0");
}

#[test]
fn a_line_of_a_provider_without_a_row_is_left_to_a_person() {
    let paid = referred("a", "A-1", vec![capture(500)]);
    let found = state("netaxept", std::slice::from_ref(&paid), &ordered(500, "A-1"));
    assert_eq!(found, MatchState::NeedsAPerson(Unclear::UnknownProvider));
    assert_eq!(found.explained("netaxept"), "nothing is known of the lines of netaxept");
    let fee = LineRecord { kind: LineKind::Fee, ..line(0) };
    assert_eq!(state("netaxept", &[paid], &fee), MatchState::NotATransaction(LineKind::Fee));
}
