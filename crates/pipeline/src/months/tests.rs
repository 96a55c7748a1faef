use super::*;

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

#[test]
fn a_month_ends_at_midnight_where_the_account_is() {
    for (name, text, last, first) in [
        // Half past eleven in the evening in UTC is the next day in Oslo.
        ("Europe/Oslo", "2026-10", "2026-10-31T22:59:59Z", "2026-10-31T23:00:00Z"),
        ("Europe/Oslo", "2026-10", "2026-10-31T22:30:00Z", "2026-10-31T23:30:00Z"),
        ("UTC", "2026-10", "2026-10-31T23:30:00Z", "2026-11-01T00:00:00Z"),
        // Summer time has begun on the 29th.
        ("Europe/Oslo", "2026-03", "2026-03-31T21:59:59Z", "2026-03-31T22:00:00Z"),
        ("Europe/Helsinki", "2026-03", "2026-03-31T20:59:59Z", "2026-03-31T21:00:00Z"),
        // A leap day, and a year.
        ("Europe/Oslo", "2028-02", "2028-02-29T22:59:59Z", "2028-02-29T23:00:00Z"),
        ("Europe/Oslo", "2026-12", "2026-12-31T22:59:59Z", "2026-12-31T23:00:00Z"),
    ] {
        let (month, zone) = (month(text), zone(name));
        assert!(!is_over(month, last.parse().unwrap(), &zone), "{name} {last}");
        assert!(is_over(month, first.parse().unwrap(), &zone), "{name} {first}");
    }
}

#[test]
fn a_month_is_due_when_it_is_over_and_was_never_summarised_or_changed_since() {
    let digests = |text: &str, known: &str, summarised: Option<&str>| MonthDigests {
        month: month(text),
        known: known.to_owned(),
        summarised: summarised.map(str::to_owned),
    };
    let months = [
        digests("2026-07", "a", Some("a")),
        digests("2026-08", "b", Some("a")),
        digests("2026-09", "c", None),
        digests("2026-10", "d", None),
        digests("2026-11", "e", None),
    ];
    let due = |now: &str| due(now.parse().unwrap(), &zone("Europe/Oslo"), &months);
    assert_eq!(due("2026-10-31T22:30:00Z"), ["2026-08", "2026-09"].map(month));
    assert_eq!(due("2026-10-31T23:30:00Z"), ["2026-08", "2026-09", "2026-10"].map(month));
    assert_eq!(due("2026-08-31T12:00:00Z"), []);
}
