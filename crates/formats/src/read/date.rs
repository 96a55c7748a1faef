//! Dates and instants, strictly in the form that a format names.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// How a format writes its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateForm {
    /// `31.12.2026`
    DayMonthYear,
    /// `2026-12-31`
    Iso,
}

impl DateForm {
    /// An example for messages.
    pub(crate) fn example(self) -> &'static str {
        match self {
            DateForm::DayMonthYear => "31.12.2026",
            DateForm::Iso => "2026-12-31",
        }
    }

    /// The day, when the text is exactly of the form and such a day exists.
    pub(crate) fn parse(self, text: &str) -> Option<Date> {
        let [a, b, c, d, e, f, g, h, i, j] = *text.as_bytes() else { return None };
        let ((year, month, day), marks) = match self {
            DateForm::DayMonthYear => (([g, h, i, j], [d, e], [a, b]), [c, f] == [b'.'; 2]),
            DateForm::Iso => (([a, b, c, d], [f, g], [i, j]), [e, h] == [b'-'; 2]),
        };
        if !marks {
            return None;
        }
        Date::new(number(&year)?, i8::try_from(number(&month)?).ok()?, i8::try_from(number(&day)?).ok()?).ok()
    }
}

fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0_i16, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i16::from(byte - b'0')))
}

/// Remembers the last days read: neighbouring rows have one of a few.
#[derive(Debug, Default)]
pub(crate) struct DateMemo {
    known: [Option<([u8; 10], Date)>; 4],
    oldest: usize,
}

impl DateMemo {
    /// As [`DateForm::parse`].
    #[inline]
    pub(crate) fn parse(&mut self, form: DateForm, text: &str) -> Option<Date> {
        let text: [u8; 10] = text.as_bytes().try_into().ok()?;
        match self.known.iter().flatten().find(|(known, _)| *known == text) {
            Some((_, date)) => Some(*date),
            None => self.remember(form, text),
        }
    }

    fn remember(&mut self, form: DateForm, text: [u8; 10]) -> Option<Date> {
        let date = form.parse(std::str::from_utf8(&text).ok()?)?;
        if let Some(slot) = self.known.get_mut(self.oldest) {
            *slot = Some((text, date));
        }
        self.oldest = (self.oldest + 1) % self.known.len();
        Some(date)
    }
}

/// Microseconds since 1970 UTC of an XML `dateTime` with its offset, as in `2018-03-01T11:30:11.005+01:00`.
pub(crate) fn instant_us(text: &str) -> Option<i64> {
    let shape = text.as_bytes();
    let date = text.get(..10).and_then(|date| DateForm::Iso.parse(date));
    let allowed = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'T' | b'+' | b'Z');
    if date.is_none() || shape.get(10) != Some(&b'T') || !shape.iter().all(allowed) {
        return None;
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

/// A time without zone, written as `2026-12-31 23:59:59`, with `T` for the blank or parts of a second as well.
pub(crate) fn local_time(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let (time, nanoseconds) = match time.split_once('.') {
        Some((time, fraction)) => (time, nanoseconds(fraction)?),
        None => (time, 0),
    };
    let [a, b, b':', c, d, b':', e, f] = *time.as_bytes() else { return None };
    let part = |tens: u8, ones: u8| i8::try_from(number(&[tens, ones])?).ok();
    let date = DateForm::Iso.parse(date)?;
    DateTime::new(date.year(), date.month(), date.day(), part(a, b)?, part(c, d)?, part(e, f)?, nanoseconds).ok()
}

/// The digits after the point of a second.
fn nanoseconds(fraction: &str) -> Option<i32> {
    let digits = !fraction.is_empty() && fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if digits { format!("{fraction:0<9}").parse().ok() } else { None }
}

/// The time that a spreadsheet keeps as days since the end of 1899, written as a plain decimal.
pub(crate) fn serial_time(decimal: &str) -> Option<DateTime> {
    const SECONDS_A_DAY: i64 = 86_400;
    let (days, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let days = days.parse::<i32>().ok().filter(|days| (1..=100_000).contains(days))?;
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(12).collect();
    let part = i128::from(digits.parse::<i64>().ok()?) * i128::from(SECONDS_A_DAY);
    // A second is 0.0000115 of a day, far more than what a double is rounded by.
    let seconds = i64::try_from((part + 500_000_000_000) / 1_000_000_000_000).ok()?;
    let first = Date::new(1899, 12, 30).ok()?;
    let span = jiff::Span::new().try_days(days).ok()?.try_seconds(seconds).ok()?;
    first.at(0, 0, 0, 0).checked_add(span).ok()
}

/// Microseconds since 1970 UTC of a time in that zone; `None` where clocks are turned and the time is not one instant.
pub(crate) fn instant_in(zone: &TimeZone, time: DateTime) -> Option<i64> {
    zone.to_ambiguous_timestamp(time).unambiguous().ok().map(Timestamp::as_microsecond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn only_real_days_in_the_form_are_read() {
        assert_eq!(DateForm::DayMonthYear.parse("29.02.2024"), Some(date(2024, 2, 29)));
        assert_eq!(DateForm::Iso.parse("2018-03-01"), Some(date(2018, 3, 1)));
        for bad in ["29.02.2023", "1.2.2024", "2024-02-29", "29-02-2024", "29.02.24", "aa.bb.cccc", "", "٢٩.٠٢.٢٠"]
        {
            assert_eq!(DateForm::DayMonthYear.parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn instants_need_an_offset() {
        assert_eq!(instant_us("2018-03-01T11:30:11.005+01:00"), Some(1_519_900_211_005_000));
        assert_eq!(instant_us("2018-03-01T10:30:11Z"), Some(1_519_900_211_000_000));
        for bad in ["2018-03-01T11:30:11", "2018-03-01 11:30:11Z", "2018-03-01", "2018-03-01T11:30:11[UTC]", ""] {
            assert_eq!(instant_us(bad), None, "{bad}");
        }
    }

    #[test]
    fn local_times_are_instants_unless_clocks_are_turned() {
        let zone = TimeZone::get("Europe/Stockholm").unwrap();
        let instant = |text: &str| local_time(text).and_then(|time| instant_in(&zone, time));
        assert_eq!(instant("2022-11-24 14:18:45"), Some(1_669_295_925_000_000));
        // The hour that comes twice, and the one that never comes.
        assert_eq!(instant("2022-10-30 02:30:00"), None);
        assert_eq!(instant("2022-03-27 02:30:00"), None);
        for same in ["2022-11-24T14:18:45", "2022-11-24 14:18:45.000"] {
            assert_eq!(instant(same), Some(1_669_295_925_000_000));
        }
        assert_eq!(instant("2022-11-24T14:18:45.25"), Some(1_669_295_925_250_000));
        for bad in [
            "2022-11-24",
            "2022-11-24 24:00:00",
            "2022-11-24 1:18:45",
            "2022-11-24 14:18",
            "2022-11-24 14:18:45.",
            "2022-11-24 14:18:45Z",
        ] {
            assert_eq!(local_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_of_a_spreadsheet_are_read_to_the_second() {
        for (serial, time) in [
            ("46343.393183", date(2026, 11, 17).at(9, 26, 11, 0)),
            ("46343.39318287037", date(2026, 11, 17).at(9, 26, 11, 0)),
            ("46343", date(2026, 11, 17).at(0, 0, 0, 0)),
            ("46343.99999999", date(2026, 11, 18).at(0, 0, 0, 0)),
        ] {
            assert_eq!(serial_time(serial), Some(time), "{serial}");
        }
        for bad in ["0", "-1", "100001", "", "a", "46343.a"] {
            assert_eq!(serial_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_memo_reads_as_the_form_does() {
        let mut memo = DateMemo::default();
        for day in (1..=9).chain(1..=9).chain([3, 3, 1, 3]) {
            assert_eq!(memo.parse(DateForm::Iso, &format!("2018-03-0{day}")), Some(date(2018, 3, day)));
            assert_eq!(memo.parse(DateForm::Iso, "2018-99-01"), None);
            assert_eq!(memo.parse(DateForm::Iso, "2018-3-1"), None);
        }
    }
}
