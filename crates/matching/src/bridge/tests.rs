use jiff::civil::date;
use jiff::{Span, ToSpan};
use proptest::prelude::*;

use super::*;
use crate::testing::line as line_record;

const NOK: Currency = Currency::NOK;

fn line(happened_on: Date, payout_on: Option<Date>, terms: Terms) -> BridgeLine<'static> {
    let fees = Fees::Deducted;
    BridgeLine { provider: "vipps", currency: NOK, payment_product: Some("vipps"), happened_on, payout_on, fees, terms }
}

fn payout(payout_on: Date, payout_minor: i64) -> BridgePayout<'static> {
    BridgePayout { provider: "vipps", currency: NOK, payout_on, opening_minor: 0, closing_minor: 0, payout_minor }
}

fn sale(capture_minor: i64, fee_minor: i64) -> Terms {
    Terms { capture_minor, fee_minor, ..Terms::default() }
}

/// Month, opening, paid out and closing of each row.
fn rows(bridge: &GroupBridge) -> Vec<(String, i64, i64, i64)> {
    let row = |row: &BridgeMonth| (row.month.to_string(), row.opening_minor, row.paid_out_minor, row.closing_minor);
    bridge.months.iter().map(row).collect()
}

#[test]
fn what_is_captured_in_a_month_and_paid_in_the_next_is_in_transit_between() {
    let mut bridge = Bridge::default();
    let (october, november) = (date(2026, 10, 31), date(2026, 11, 3));
    bridge.add_line(&line(october, Some(november), sale(100_000, 1_750)));
    bridge.add_line(&line(november, Some(november), sale(102_200, 2_139)));
    bridge.add_line(&line(november, None, sale(500, 0)));
    bridge.add_payout(&payout(november, 198_311));
    let found = bridge.finish().unwrap();
    let [group] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(rows(group), [("2026-10".into(), 0, 0, 98_250), ("2026-11".into(), 98_250, 198_311, 500)]);
    assert_eq!(group.months[1].happened, sale(102_700, 2_139));
    assert_eq!(group.months[1].paid, sale(202_200, 3_889));
    assert_eq!((group.total.opening_minor, group.total.closing_minor), (0, 500));
    assert_eq!((group.total.happened, group.total.paid), (sale(202_700, 3_889), sale(202_200, 3_889)));
}

#[test]
fn every_term_is_added_with_its_sign() {
    let day = date(2026, 10, 1);
    let terms = Terms {
        capture_minor: 10_000,
        refund_minor: -2_500,
        fee_minor: 175,
        fee_vat_minor: 44,
        chargeback_minor: -1_000,
        reserve_minor: -500,
        adjustment_minor: 7,
    };
    let mut bridge = Bridge::default();
    bridge.open(Group { provider: "vipps".into(), currency: NOK, payment_product: Some("vipps".into()) }, 1_000);
    bridge.add_line(&line(day, None, terms));
    let found = bridge.finish().unwrap();
    assert_eq!(rows(&found[0]), [("2026-10".into(), 1_000, 0, 6_788)]);
    assert_eq!(found[0].months[0].happened, terms);
}

#[test]
fn invoiced_fees_are_shown_and_left_out_of_the_equation() {
    let day = date(2026, 10, 1);
    let terms = Terms { fee_vat_minor: 4, ..sale(1_000, 17) };
    let mut bridge = Bridge::default();
    bridge.add_line(&BridgeLine { fees: Fees::Invoiced, ..line(day, Some(day), terms) });
    bridge.add_payout(&payout(day, 1_000));
    let found = bridge.finish().unwrap();
    let [row] = found[0].months.as_slice() else { panic!("{found:?}") };
    assert_eq!((row.happened, row.paid_out_minor, row.closing_minor), (sale(1_000, 0), 1_000, 0));
    assert_eq!((row.invoiced_fee_minor, row.invoiced_fee_vat_minor), (17, 4));
}

#[test]
fn balances_that_settlements_carry_on_are_in_transit_apart_from_products() {
    let (october, november) = (date(2026, 10, 5), date(2026, 11, 5));
    let mut bridge = Bridge::default();
    bridge.add_line(&line(october, Some(october), sale(300, 0)));
    bridge.add_payout(&BridgePayout { closing_minor: 300, ..payout(october, 0) });
    bridge.add_line(&line(november, Some(november), sale(700, 0)));
    bridge.add_payout(&BridgePayout { opening_minor: 300, ..payout(november, 1_000) });
    let found = bridge.finish().unwrap();
    let [balances, product] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(balances.group.payment_product, None);
    assert_eq!(rows(balances), [("2026-10".into(), 0, -300, 300), ("2026-11".into(), 300, 300, 0)]);
    assert_eq!(balances.months[0].carried_minor, -300);
    assert_eq!(rows(product), [("2026-10".into(), 0, 300, 0), ("2026-11".into(), 0, 700, 0)]);
}

#[test]
fn products_and_currencies_have_a_bridge_each_and_all_reach_the_last_month() {
    let (october, december) = (date(2026, 10, 5), date(2026, 12, 5));
    let mut bridge = Bridge::default();
    bridge.add_line(&line(october, None, sale(1, 0)));
    bridge.add_line(&BridgeLine { payment_product: None, ..line(october, None, sale(2, 0)) });
    bridge.add_line(&BridgeLine { currency: "SEK".parse().unwrap(), ..line(december, None, sale(4, 0)) });
    bridge.add_line(&BridgeLine { provider: "swish", ..line(october, None, sale(8, 0)) });
    let found = bridge.finish().unwrap();
    let closings: Vec<(usize, i64)> =
        found.iter().map(|group| (group.months.len(), group.total.closing_minor)).collect();
    assert_eq!(closings, [(3, 8), (3, 2), (3, 1), (1, 4)]);
}

#[test]
fn a_payout_that_is_not_its_lines_is_refused() {
    let day = date(2026, 10, 5);
    let mut bridge = Bridge::default();
    bridge.add_line(&line(day, Some(day), sale(1_000, 0)));
    let refused = |bridge: &Bridge| match bridge.finish() {
        Err(BridgeError::PayoutDisagrees { found_minor, expected_minor, .. }) => (found_minor, expected_minor),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&bridge), (1_000, 0));
    bridge.add_payout(&payout(day, 999));
    assert_eq!(refused(&bridge), (1_000, 999));
    bridge.add_payout(&payout(day, 1));
    assert!(bridge.finish().is_ok());
    bridge.add_payout(&payout(date(2026, 11, 1), 5));
    assert_eq!(refused(&bridge), (0, 5));
}

#[test]
fn sums_beyond_i64_and_dates_too_far_apart_are_errors() {
    let day = date(2026, 10, 5);
    let mut bridge = Bridge::default();
    bridge.add_line(&line(day, None, sale(i64::MAX, 0)));
    assert!(bridge.finish().is_ok());
    bridge.add_line(&line(day, None, sale(1, 0)));
    assert!(matches!(bridge.finish(), Err(BridgeError::TooLarge { .. })), "{:?}", bridge.finish());

    let mut bridge = Bridge::default();
    bridge.add_line(&line(day, None, sale(1, 0)));
    bridge.add_line(&line(Date::MAX, None, sale(1, 0)));
    assert!(matches!(bridge.finish(), Err(BridgeError::TooLong { .. })));
}

#[test]
fn the_day_of_a_line_is_that_of_the_capture_or_else_the_next_best() {
    let (captured, written, paid) = (date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 9));
    let mut line = line_record(500);
    assert_eq!(happened_on(&line, paid), paid);
    line.provider_date = Some(written);
    assert_eq!(happened_on(&line, paid), written);
    line.captured_on = Some(captured);
    assert_eq!(happened_on(&line, paid), captured);
}

prop_compose! {
    fn terms()(minor in prop::array::uniform7(-1_000_000_i64..1_000_000)) -> Terms {
        let [capture, refund, fee_minor, fee_vat_minor, chargeback_minor, reserve_minor, adjustment_minor] = minor;
        Terms {
            capture_minor: capture.abs(),
            refund_minor: -refund.abs(),
            fee_minor,
            fee_vat_minor,
            chargeback_minor,
            reserve_minor,
            adjustment_minor,
        }
    }
}

/// A settlement: day of the payout after the first of the year, its lines as (days before the payout, product, money),
/// and the balance it carries on.
type Paid = (i32, Vec<(i32, Option<&'static str>, Terms)>, i64, bool);

fn settlements() -> impl Strategy<Value = Vec<Paid>> {
    let product = prop::sample::select(vec![None, Some("card"), Some("invoice")]);
    // A row may be dated after its payout: providers write some rows in advance.
    let lines = prop::collection::vec((-40..120_i32, product, terms()), 0..6);
    prop::collection::vec((0..500_i32, lines, -10_000_i64..10_000, any::<bool>()), 0..12)
}

fn days(count: i32) -> Span {
    i64::from(count).days()
}

/// The settlements in one bridge, each carrying its balance to the next; and the net of all lines, and all payouts.
fn told(settlements: &[Paid], waiting: &[(i32, Terms)]) -> (Bridge, i128, i128, i64) {
    let first = date(2026, 1, 1);
    let (mut bridge, mut nets, mut payouts, mut balance) = (Bridge::default(), 0, 0, 0);
    let mut settlements = settlements.to_vec();
    settlements.sort_by_key(|(day, ..)| *day);
    for (day, lines, closing, invoiced) in &settlements {
        let payout_on = first.checked_add(days(*day)).unwrap();
        let fees = if *invoiced { Fees::Invoiced } else { Fees::Deducted };
        let mut net = 0;
        for (before, payment_product, terms) in lines {
            let happened_on = payout_on.checked_sub(days(*before)).unwrap();
            let given_back = if *invoiced { terms.fee_minor + terms.fee_vat_minor } else { 0 };
            net += terms.net_minor().unwrap() + given_back;
            let one =
                BridgeLine { payment_product: *payment_product, fees, ..line(happened_on, Some(payout_on), *terms) };
            bridge.add_line(&one);
        }
        let payout_minor = balance + net - closing;
        let (opening_minor, closing_minor) = (balance, *closing);
        bridge.add_payout(&BridgePayout { opening_minor, closing_minor, ..payout(payout_on, payout_minor) });
        balance = *closing;
        nets += i128::from(net);
        payouts += i128::from(payout_minor);
    }
    for (day, terms) in waiting {
        bridge.add_line(&line(first.checked_add(days(*day)).unwrap(), None, *terms));
        nets += i128::from(terms.net_minor().unwrap());
    }
    (bridge, nets, payouts, balance)
}

proptest! {
    #[test]
    fn each_closing_is_the_next_opening_and_every_row_adds_up(
        settlements in settlements(),
        waiting in prop::collection::vec((0..500_i32, terms()), 0..4),
    ) {
        let (bridge, ..) = told(&settlements, &waiting);
        for group in bridge.finish().unwrap() {
            for pair in group.months.windows(2) {
                prop_assert_eq!(pair[0].closing_minor, pair[1].opening_minor);
                prop_assert_eq!(pair[0].month.next(), pair[1].month);
            }
            for row in group.months.iter().chain([&group.total]) {
                let happened = row.happened.net_minor().unwrap();
                prop_assert_eq!(row.opening_minor + happened - row.paid_out_minor, row.closing_minor);
                prop_assert_eq!(row.paid.net_minor().unwrap() + row.carried_minor, row.paid_out_minor);
            }
        }
    }

    /// The way by payout month, computed from the settlements themselves and not by the bridge.
    #[test]
    fn both_computations_give_the_same_closing(settlements in settlements()) {
        let (bridge, ..) = told(&settlements, &[]);
        let first = date(2026, 1, 1);
        for group in bridge.finish().unwrap() {
            for row in &group.months {
                let mut in_transit = 0;
                for (day, lines, _, invoiced) in &settlements {
                    let payout_on = first.checked_add(days(*day)).unwrap();
                    for (before, product, terms) in lines {
                        let happened = Month::of(payout_on.checked_sub(days(*before)).unwrap()) <= row.month;
                        let paid = Month::of(payout_on) <= row.month;
                        let fees = if *invoiced { terms.fee_minor + terms.fee_vat_minor } else { 0 };
                        let sign = i64::from(happened) - i64::from(paid);
                        if product.map(str::to_owned) == group.group.payment_product {
                            in_transit += sign * (terms.net_minor().unwrap() + fees);
                        }
                    }
                }
                if group.group.payment_product.is_none() {
                    // The last settlement so far has all balances: each carried its own to the next.
                    let mut so_far: Vec<&Paid> = settlements.iter().collect();
                    so_far.sort_by_key(|(day, ..)| *day);
                    let paid = |paid: &&&Paid| Month::of(first.checked_add(days(paid.0)).unwrap()) <= row.month;
                    in_transit += so_far.iter().rfind(paid).map_or(0, |(_, _, closing, _)| *closing);
                }
                prop_assert_eq!(row.closing_minor, in_transit, "{:?} {}", group.group, row.month);
            }
        }
    }

    #[test]
    fn all_groups_together_are_the_total(
        settlements in settlements(),
        waiting in prop::collection::vec((0..500_i32, terms()), 0..4),
    ) {
        let (bridge, nets, payouts, balance) = told(&settlements, &waiting);
        let groups = bridge.finish().unwrap();
        let sum = |minor: fn(&BridgeMonth) -> i64, rows: &dyn Fn(&GroupBridge) -> Vec<BridgeMonth>| -> i128 {
            groups.iter().flat_map(rows).map(|row| i128::from(minor(&row))).sum()
        };
        for rows in [|group: &GroupBridge| group.months.clone(), |group: &GroupBridge| vec![group.total]] {
            prop_assert_eq!(sum(|row| row.paid_out_minor, &rows), payouts);
            prop_assert_eq!(sum(|row| row.happened.net_minor().unwrap(), &rows), nets);
        }
        let waits: i128 = waiting.iter().map(|(_, terms)| i128::from(terms.net_minor().unwrap())).sum();
        let closing = sum(|row| row.closing_minor, &|group: &GroupBridge| vec![group.total]);
        prop_assert_eq!(closing, waits + i128::from(balance));
        prop_assert_eq!(nets - payouts, closing);
    }

    #[test]
    fn the_order_of_lines_changes_nothing(settlements in settlements()) {
        let mut backwards = settlements.clone();
        for (_, lines, ..) in &mut backwards {
            lines.reverse();
        }
        prop_assert_eq!(told(&settlements, &[]).0.finish(), told(&backwards, &[]).0.finish());
    }
}
