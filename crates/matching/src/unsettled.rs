//! Captures and refunds that are in no settlement.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use settlement::{
    Currency, MajorUnits, SettlementStatus, Transaction, TransactionEventKind, TransactionStatus, exponent,
};

use crate::happened::{Happened, happened};
use crate::keys::provider_paying;
use crate::seen::SettledEvents;
use crate::wait::{AllowedWaits, Wait};

/// A capture or refund that should be in a settlement by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// Dintero's id of the transaction.
    pub transaction_id: String,
    /// The provider that pays it out.
    pub provider: String,
    /// The payment product.
    pub payment_product: String,
    /// The type of the payment product.
    pub payment_product_type: String,
    /// The status of the transaction.
    pub status: TransactionStatus,
    /// Capture or refund.
    pub kind: TransactionEventKind,
    /// Place of the event in the transaction's list of events, from 0.
    pub event: u32,
    /// Minor units, positive for a refund as well; `None` where Dintero states none.
    pub amount_minor: Option<i64>,
    /// Currency of the amount.
    pub currency: Currency,
    /// Why it is overdue.
    pub why: Overdue,
}

/// Why a capture or refund is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Overdue {
    /// Its payout is late.
    Since {
        /// The day of the capture or refund.
        happened_on: Date,
        /// The last day on which a payout would have been in time.
        due_on: Date,
        /// Days from that day until today.
        days: i32,
    },
    /// Dintero states no time of it, so that no day can be named on which it was due.
    TimeUnknown,
}

impl Unsettled {
    /// The reason in words for a person.
    pub fn explained(&self) -> String {
        let Unsettled { transaction_id, provider, currency, .. } = self;
        let what = match self.kind {
            TransactionEventKind::Refund => "refund",
            _ => "capture",
        };
        let amount = match self.amount_minor {
            Some(minor) => format!("{} {currency}", MajorUnits::new(minor, exponent(provider, *currency))),
            None => "an amount that is not stated".to_owned(),
        };
        match self.why {
            Overdue::Since { happened_on, due_on, days } => format!(
                "{what} of {amount} of {transaction_id} on {happened_on}: due from {provider} by {due_on}, {days} days ago, and in \
                 no settlement"
            ),
            Overdue::TimeUnknown => {
                format!("{what} of {amount} of {transaction_id} at an unknown time: in no settlement of {provider}")
            }
        }
    }
}

/// Captures and refunds that are in no settlement and were due before `today`, the longest overdue first.
///
/// `settled` has the captures and refunds that are in settlements. Those that Dintero has as settled are left out too, since its
/// history may begin before the first report. `zone` is the account's time zone, which decides the day of an event.
pub fn unsettled<T: Borrow<Transaction>>(
    transactions: impl IntoIterator<Item = T>,
    settled: &SettledEvents,
    today: Date,
    waits: &AllowedWaits,
    zone: &TimeZone,
) -> Vec<Unsettled> {
    let mut found = Vec::new();
    for transaction in transactions {
        let transaction: &Transaction = transaction.borrow();
        for event in waiting(transaction, settled) {
            let Some(why) = overdue(transaction, &event, today, waits, zone) else { continue };
            found.push(Unsettled {
                transaction_id: transaction.id.clone(),
                provider: provider_paying(&transaction.payment_product).to_owned(),
                payment_product: transaction.payment_product.clone(),
                payment_product_type: transaction.payment_product_type.clone(),
                status: transaction.status,
                kind: event.kind(),
                event: event.number,
                amount_minor: event.amount_minor,
                currency: transaction.currency,
                why,
            });
        }
    }
    found.sort_by(|one, other| {
        let key = |missed: &Unsettled| match missed.why {
            Overdue::Since { due_on, .. } => (false, Some(due_on)),
            Overdue::TimeUnknown => (true, None),
        };
        (key(one), &one.transaction_id, one.event).cmp(&(key(other), &other.transaction_id, other.event))
    });
    found
}

/// A capture or refund that waits for its payout, whether due or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InTransit<'a> {
    /// The provider that pays it out.
    pub provider: &'a str,
    /// The payment product.
    pub payment_product: &'a str,
    /// Capture or refund.
    pub kind: TransactionEventKind,
    /// Place of the event in the transaction's list of events, from 0.
    pub event: u32,
    /// Minor units, positive for a refund as well.
    pub amount_minor: i64,
    /// The day of the capture or refund.
    pub happened_on: Date,
}

/// Captures and refunds of a transaction that are in no settlement. Those without a known amount or time cannot be
/// summed and are listed by [`unsettled()`] alone. `zone` decides the day of an event.
pub fn in_transit<'a>(
    transaction: &'a Transaction,
    settled: &'a SettledEvents,
    waits: &AllowedWaits,
    zone: &'a TimeZone,
) -> impl Iterator<Item = InTransit<'a>> {
    let is_paid_out = waits.of(transaction) != Wait::NoPayout;
    waiting(transaction, settled).filter(move |_| is_paid_out).filter_map(|event| {
        Some(InTransit {
            provider: provider_paying(&transaction.payment_product),
            payment_product: &transaction.payment_product,
            kind: event.kind(),
            event: event.number,
            amount_minor: event.amount_minor?,
            happened_on: zone.to_datetime(event.at()?).date(),
        })
    })
}

/// A provider whose report is missing: a capture after its last settlement is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingReport {
    /// The provider.
    pub provider: String,
    /// The day of its last payout; `None` when there is no settlement of it.
    pub last_payout_on: Option<Date>,
    /// The day of the first capture since then.
    pub captured_since: Date,
    /// The last day on which a payout of that capture would have been in time.
    pub due_on: Date,
    /// Number of captures since then that are due.
    pub captures: u64,
}

impl MissingReport {
    /// The reason in words for a person.
    pub fn explained(&self) -> String {
        let MissingReport { provider, captured_since, due_on, captures, .. } = self;
        let last = match self.last_payout_on {
            Some(day) => format!("no settlement since {day}"),
            None => "no settlement ever".to_owned(),
        };
        format!("{provider}: {last}, but {captures} captures since {captured_since} are due, the first by {due_on}")
    }
}

/// Providers with captures that were due before `today` and were made after the provider's last settlement, in order of
/// ids.
///
/// `last_payouts` has the day of the last payout by provider. An overdue capture from before that day is no sign of a missing
/// report; [`unsettled()`] lists it.
pub fn missing_reports<T: Borrow<Transaction>>(
    transactions: impl IntoIterator<Item = T>,
    settled: &SettledEvents,
    last_payouts: &BTreeMap<String, Date>,
    today: Date,
    waits: &AllowedWaits,
    zone: &TimeZone,
) -> Vec<MissingReport> {
    let mut missing: BTreeMap<String, MissingReport> = BTreeMap::new();
    for transaction in transactions {
        let transaction: &Transaction = transaction.borrow();
        let provider = provider_paying(&transaction.payment_product);
        let last_payout_on = last_payouts.get(provider).copied();
        for event in waiting(transaction, settled).filter(|event| event.kind() == TransactionEventKind::Capture) {
            let Some(Overdue::Since { happened_on, due_on, .. }) = overdue(transaction, &event, today, waits, zone)
            else {
                continue;
            };
            if last_payout_on.is_some_and(|last| happened_on <= last) {
                continue;
            }
            let report = missing.entry(provider.to_owned()).or_insert_with(|| MissingReport {
                provider: provider.to_owned(),
                last_payout_on,
                captured_since: happened_on,
                due_on,
                captures: 0,
            });
            report.captured_since = report.captured_since.min(happened_on);
            report.due_on = report.due_on.min(due_on);
            report.captures += 1;
        }
    }
    missing.into_values().collect()
}

/// Captures and refunds that are in no settlement, neither in `settled` nor at Dintero.
fn waiting<'a>(transaction: &'a Transaction, settled: &'a SettledEvents) -> impl Iterator<Item = Happened<'a>> {
    let all = transaction.settlement_status == Some(SettlementStatus::Settled);
    happened(transaction).filter(move |happened| {
        !all && happened.event.settlement_events.is_empty() && !settled.contains(&transaction.id, happened.number)
    })
}

fn overdue(
    transaction: &Transaction,
    event: &Happened<'_>,
    today: Date,
    waits: &AllowedWaits,
    zone: &TimeZone,
) -> Option<Overdue> {
    if waits.of(transaction) == Wait::NoPayout {
        return None;
    }
    let Some(at) = event.at() else { return Some(Overdue::TimeUnknown) };
    let happened_on = zone.to_datetime(at).date();
    let due_on = waits.due_on(transaction, happened_on)?;
    let days = today.duration_since(due_on).as_hours() / 24;
    (days > 0).then(|| Overdue::Since { happened_on, due_on, days: i32::try_from(days).unwrap_or(i32::MAX) })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::testing::{capture, refund, transaction};

    fn at(event: settlement::TransactionEvent, instant: &str) -> settlement::TransactionEvent {
        settlement::TransactionEvent { at: Some(instant.parse().unwrap()), ..event }
    }

    fn oslo() -> TimeZone {
        TimeZone::get("Europe/Oslo").unwrap()
    }

    fn list(transactions: &[Transaction], settled: &SettledEvents, today: Date) -> Vec<Unsettled> {
        unsettled(transactions, settled, today, &AllowedWaits::default(), &oslo())
    }

    #[test]
    fn a_capture_in_no_settlement_is_listed_from_the_day_after_it_was_due() {
        // Half past eleven in the evening in UTC is the next day in Oslo.
        let paid = [transaction("a", 500, vec![at(capture(500), "2026-10-01T23:30:00Z")])];
        let nothing = SettledEvents::default();
        assert_eq!(list(&paid, &nothing, date(2026, 10, 10)), []);
        let found = list(&paid, &nothing, date(2026, 10, 11));
        let [one] = found.as_slice() else { panic!("{found:?}") };
        let why = Overdue::Since { happened_on: date(2026, 10, 2), due_on: date(2026, 10, 10), days: 1 };
        assert_eq!((one.why, one.amount_minor, one.event), (why, Some(500), 0));
        assert_eq!(
            one.explained(),
            "capture of 5.00 NOK of a on 2026-10-02: due from vipps by 2026-10-10, 1 days ago, and in no settlement"
        );
    }

    #[test]
    fn only_the_event_that_no_settlement_has_is_listed() {
        let day = "2026-10-01T12:00:00Z";
        let events = vec![at(capture(300), day), at(capture(200), day), at(refund(100), day)];
        let mut paid = [transaction("a", 500, events)];
        let mut settled = SettledEvents::default();
        settled.insert("a", 0);
        settled.insert("b", 1);
        let events = |found: Vec<Unsettled>| found.iter().map(|one| (one.event, one.kind)).collect::<Vec<_>>();
        let today = date(2026, 11, 1);
        let (capture, refund) = (TransactionEventKind::Capture, TransactionEventKind::Refund);
        assert_eq!(events(list(&paid, &settled, today)), [(1, capture), (2, refund)]);
        paid[0].events[1].settlement_events.push(settlement::SettlementEvent {
            settlement_id: "1".into(),
            provider_reference: "1".into(),
            event_correlation_id: None,
            amount_minor: 200,
            capture_minor: 200,
            refund_minor: 0,
            fee_minor: 0,
        });
        assert_eq!(events(list(&paid, &settled, today)), [(2, refund)]);
        paid[0].settlement_status = Some(SettlementStatus::Settled);
        assert_eq!(list(&paid, &settled, today), []);
    }

    #[test]
    fn captures_without_time_are_listed_last_and_those_without_payout_never() {
        let late = transaction("z", 500, vec![at(capture(500), "2026-09-01T12:00:00Z")]);
        let later = transaction("a", 500, vec![at(capture(500), "2026-09-02T12:00:00Z")]);
        let timeless = transaction("0", 500, vec![capture(500)]);
        let mut free = late.clone();
        free.payment_product = "dintero".into();
        free.payment_product_type = "dintero.zero".into();
        let free_and_timeless = Transaction { payment_product: "external".into(), ..timeless.clone() };
        let transactions = [timeless, later, late, free, free_and_timeless];
        let found = list(&transactions, &SettledEvents::default(), date(2026, 11, 1));
        let ids: Vec<&str> = found.iter().map(|one| one.transaction_id.as_str()).collect();
        assert_eq!(ids, ["z", "a", "0"]);
        assert_eq!(found[2].why, Overdue::TimeUnknown);
        assert_eq!(found[2].explained(), "capture of 5.00 NOK of 0 at an unknown time: in no settlement of vipps");
    }

    #[test]
    fn captures_and_refunds_are_in_transit_from_their_day_until_a_settlement_has_them() {
        let events = vec![at(capture(300), "2026-10-31T23:30:00Z"), at(refund(100), "2026-11-02T12:00:00Z")];
        let paid = transaction("a", 300, [events, vec![capture(50)]].concat());
        let mut settled = SettledEvents::default();
        let found = |paid: &Transaction, settled: &SettledEvents| -> Vec<(TransactionEventKind, i64, Date)> {
            let waits = AllowedWaits::default();
            let zone = oslo();
            let found = in_transit(paid, settled, &waits, &zone);
            found.map(|event| (event.kind, event.amount_minor, event.happened_on)).collect()
        };
        let (taken, given) = (TransactionEventKind::Capture, TransactionEventKind::Refund);
        let days = [date(2026, 11, 1), date(2026, 11, 2)];
        assert_eq!(found(&paid, &settled), [(taken, 300, days[0]), (given, 100, days[1])]);
        settled.insert("a", 0);
        assert_eq!(found(&paid, &settled), [(given, 100, days[1])]);
        let free = Transaction { payment_product: "external".into(), ..paid };
        assert_eq!(found(&free, &settled), []);
    }

    #[test]
    fn a_report_is_missing_when_captures_after_the_last_payout_are_due() {
        let mut paid = [
            transaction("a", 500, vec![at(capture(500), "2026-10-05T12:00:00Z")]),
            transaction(
                "b",
                500,
                vec![at(capture(500), "2026-10-07T12:00:00Z"), at(refund(1), "2026-10-06T12:00:00Z")],
            ),
            transaction("c", 500, vec![at(capture(500), "2026-10-06T12:00:00Z")]),
            transaction("d", 500, vec![at(capture(500), "2026-10-30T12:00:00Z")]),
        ];
        let mut last = BTreeMap::from([("vipps".to_owned(), date(2026, 10, 5))]);
        let missing = |paid: &[Transaction], last: &BTreeMap<String, Date>, settled: &SettledEvents| {
            missing_reports(paid, settled, last, date(2026, 11, 1), &AllowedWaits::default(), &oslo())
        };
        let found = missing(&paid, &last, &SettledEvents::default());
        let expected = MissingReport {
            provider: "vipps".into(),
            last_payout_on: Some(date(2026, 10, 5)),
            captured_since: date(2026, 10, 6),
            due_on: date(2026, 10, 14),
            captures: 2,
        };
        assert_eq!(found, [expected]);
        assert_eq!(
            found[0].explained(),
            "vipps: no settlement since 2026-10-05, but 2 captures since 2026-10-06 are due, the first by 2026-10-14"
        );
        let mut settled = SettledEvents::default();
        settled.insert("b", 0);
        settled.insert("c", 0);
        assert_eq!(missing(&paid, &last, &settled), []);
        last.insert("vipps".into(), date(2026, 10, 7));
        assert_eq!(missing(&paid, &last, &SettledEvents::default()), []);
        paid[0].payment_product = "payex".into();
        let found = missing(&paid, &last, &SettledEvents::default());
        let names: Vec<(&str, Option<Date>)> =
            found.iter().map(|one| (one.provider.as_str(), one.last_payout_on)).collect();
        assert_eq!(names, [("swedbankpay", None)]);
    }
}
