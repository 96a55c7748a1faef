//! Dates and instants, strictly in the form that a format names.

use jiff::Timestamp;
use jiff::civil::Date;

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

/// Remembers the last day read: neighbouring rows mostly have the same.
#[derive(Debug, Default)]
pub(crate) struct DateMemo {
    text: String,
    date: Option<Date>,
}

impl DateMemo {
    /// As [`DateForm::parse`].
    #[inline]
    pub(crate) fn parse(&mut self, form: DateForm, text: &str) -> Option<Date> {
        if self.date.is_none() || self.text != text {
            self.date = form.parse(text);
            self.text.clear();
            self.text.push_str(text);
        }
        self.date
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
    fn the_memo_forgets_a_bad_day() {
        let mut memo = DateMemo::default();
        assert_eq!(memo.parse(DateForm::Iso, "2018-03-01"), Some(date(2018, 3, 1)));
        assert_eq!(memo.parse(DateForm::Iso, "2018-99-01"), None);
        assert_eq!(memo.parse(DateForm::Iso, "2018-03-01"), Some(date(2018, 3, 1)));
    }
}
