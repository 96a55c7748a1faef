//! Who is due, as a function of time: digests at six in the morning, each period once, whatever the clocks do.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use pipeline::mail::{Due, Known, KnownHeld, KnownPayout, due};
use settlement::{Address, ReportId, SettleKey};
use store::Occasion;

use super::*;

fn recipient(kind: RecipientKind, rhythms: &[Rhythm], at: &str) -> RecipientItem {
    RecipientItem {
        address: "regnskap@example.no".parse().unwrap(),
        name: None,
        kind,
        language: "nb".into(),
        rhythms: rhythms.iter().copied().collect(),
        from: date(2026, 1, 1),
        generation: 1,
        token_hash: String::new(),
        added_at: at.parse().unwrap(),
        confirmed_at: Some(at.parse().unwrap()),
        removed_at: None,
    }
}

fn payout(number: u32, version: u32, payout_on: Date) -> KnownPayout {
    let settlement = SettleKey {
        account_id: "T00000001".parse().unwrap(),
        provider: "vipps".parse().unwrap(),
        merchant_number: "123456".parse().unwrap(),
        settlement_id: number.to_string().parse().unwrap(),
        currency: "NOK".parse().unwrap(),
    };
    KnownPayout { settlement, version, payout_on }
}

fn planned(due: Due, at: Timestamp) -> MailItem {
    let Due { recipient, occasion, payouts, held } = due;
    MailItem {
        occasion,
        recipient,
        language: "nb".into(),
        subject: String::new(),
        digest: None,
        planned_at: at,
        payouts,
        held,
        attempt: 0,
        unknown_times: 0,
        state: MailState::Planned { not_before: None },
    }
}

/// Asks every so often whether anything is due, with a payout on every day; gives when which digests came.
fn digests(zone: &str, rhythm: Rhythm, from: &str, until: &str) -> Vec<(Timestamp, Date, usize)> {
    let zone = TimeZone::get(zone).unwrap();
    let person = recipient(RecipientKind::Person, &[rhythm], from);
    let recipients = [RecipientItem { from: date(2000, 1, 1), ..person }];
    let (mut now, end): (Timestamp, Timestamp) = (from.parse().unwrap(), until.parse().unwrap());
    let first = now.to_zoned(zone.clone()).date();
    let known = Known {
        payouts: (-1..60)
            .map(|n: i32| payout(u32::try_from(n + 100).unwrap(), 1, first.checked_add(i64::from(n).days()).unwrap()))
            .collect(),
        ..Known::default()
    };
    let (mut items, mut came) = (Vec::new(), Vec::new());
    while now < end {
        let before: Vec<&MailItem> = items.iter().collect();
        let found = due(now, &zone, &recipients, &known, &before);
        assert!(found.len() < 2, "{found:?}");
        for one in found {
            let Occasion::Digest { until, .. } = one.occasion else { panic!("{one:?}") };
            came.push((now, until, one.payouts.len()));
            items.push(planned(one, now));
        }
        now += SignedDuration::from_mins(7);
    }
    came
}

/// T37: the days on which clocks are moved have one digest as any other, at six on the clock of the wall.
#[test]
fn a_digest_comes_once_a_day_at_six_also_when_clocks_are_moved() {
    for (zone, from, until, days) in [
        ("Europe/Oslo", "2026-03-26T00:00:00Z", "2026-04-02T00:00:00Z", 7),
        ("Europe/Oslo", "2026-10-22T00:00:00Z", "2026-10-29T00:00:00Z", 7),
        ("Europe/Helsinki", "2028-02-26T00:00:00Z", "2028-03-03T00:00:00Z", 6),
        ("America/Sao_Paulo", "2018-11-01T00:00:00Z", "2018-11-08T00:00:00Z", 7),
    ] {
        let came = digests(zone, Rhythm::Daily, from, until);
        assert_eq!(came.len(), days, "{zone} {from}: {came:?}");
        for (at, last_day, _) in &came {
            let local = at.to_zoned(TimeZone::get(zone).unwrap());
            assert!(local.hour() == 6 && local.minute() < 7, "{zone}: {local}");
            assert_eq!(*last_day, local.date().yesterday().unwrap());
        }
        let told: usize = came.iter().skip(1).map(|(_, _, payouts)| payouts).sum();
        assert_eq!(told, days - 1, "each payout once: {came:?}");
    }
}

#[test]
fn a_week_is_told_on_monday_and_once() {
    let came = digests("Europe/Oslo", Rhythm::Weekly, "2026-10-14T10:00:00Z", "2026-11-03T00:00:00Z");
    let days: Vec<Date> = came.iter().map(|(_, last, _)| *last).collect();
    assert_eq!(days, [date(2026, 10, 18), date(2026, 10, 25), date(2026, 11, 1)]);
    assert_eq!(came.iter().map(|(_, _, payouts)| *payouts).collect::<Vec<_>>(), [6, 7, 7]);
}

#[test]
fn days_without_a_run_are_made_up_for_by_one_digest_and_late_reports_come_with_the_next() {
    let zone = TimeZone::get("Europe/Oslo").unwrap();
    let recipients = [recipient(RecipientKind::Person, &[Rhythm::Daily], "2026-11-01T12:00:00Z")];
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let mut known =
        Known { payouts: vec![payout(1, 1, date(2026, 11, 2)), payout(2, 1, date(2026, 11, 4))], ..Known::default() };
    let first = due(at("2026-11-06T05:00:00Z"), &zone, &recipients, &known, &[]);
    assert_eq!((first.len(), first[0].payouts.len()), (1, 2));
    let told = planned(first[0].clone(), at("2026-11-06T05:00:00Z"));
    known.payouts.push(payout(3, 1, date(2026, 11, 3)));
    known.payouts[0].version = 2;
    assert_eq!(due(at("2026-11-06T12:00:00Z"), &zone, &recipients, &known, &[&told]), []);
    let next = due(at("2026-11-07T05:00:00Z"), &zone, &recipients, &known, &[&told]);
    let versions: Vec<(String, u32)> =
        next[0].payouts.iter().map(|(key, v)| (key.settlement_id.to_string(), *v)).collect();
    assert_eq!(versions, [("1".to_owned(), 2), ("3".to_owned(), 1)]);
}

#[test]
fn each_recipient_is_told_of_what_is_theirs_and_a_change_of_language_tells_nothing_anew() {
    let zone = TimeZone::UTC;
    let now: Timestamp = "2026-11-06T12:00:00Z".parse().unwrap();
    let held = KnownHeld { report: ReportId::from_sha256([7; 32]), at: now };
    let known = Known {
        payouts: vec![payout(1, 1, date(2026, 11, 2)), payout(2, 1, date(2025, 12, 31))],
        held: vec![held.clone()],
        months: vec![(date(2026, 10, 1), 3), (date(2025, 12, 1), 1)],
    };
    let rhythms = [Rhythm::EachPayout, Rhythm::Monthly];
    let person = recipient(RecipientKind::Person, &rhythms, "2026-11-01T12:00:00Z");
    let inbox = RecipientItem {
        address: "bilag@example.no".parse::<Address>().unwrap(),
        ..recipient(RecipientKind::Inbox, &rhythms, "2026-11-01T12:00:00Z")
    };
    let occasions = |all: &[Due], address: &str| -> Vec<Occasion> {
        all.iter().filter(|due| due.recipient.as_str() == address).map(|due| due.occasion.clone()).collect()
    };
    let all = due(now, &zone, &[person.clone(), inbox], &known, &[]);
    let paid = Occasion::Payout { settlement: known.payouts[0].settlement.clone(), version: 1 };
    let month = Occasion::Month { first: date(2026, 10, 1), revision: 3 };
    let report = Occasion::Held { report: held.report };
    assert_eq!(occasions(&all, "regnskap@example.no"), [paid.clone(), report, month.clone()]);
    assert_eq!(occasions(&all, "bilag@example.no"), [paid, month]);
    let told: Vec<MailItem> = all.into_iter().map(|due| planned(due, now)).collect();
    let swedish = RecipientItem { language: "sv".into(), ..person.clone() };
    assert_eq!(due(now, &zone, &[swedish], &known, &told.iter().collect::<Vec<_>>()), []);
    let gone = RecipientItem { removed_at: Some(now), ..person.clone() };
    assert_eq!(due(now, &zone, &[gone], &known, &[]), []);
    let asked = due(now, &zone, &[RecipientItem { confirmed_at: None, ..person }], &known, &[]);
    assert_eq!(occasions(&asked, "regnskap@example.no"), [Occasion::Confirmation { generation: 1 }]);
}
