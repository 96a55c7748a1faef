//! Calendar months.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A calendar month, as in `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month of a day.
    pub fn of(day: Date) -> Month {
        Month { year: day.year(), month: day.month() }
    }

    /// The month after it.
    pub fn next(self) -> Month {
        match self.month {
            12 => Month { year: self.year.saturating_add(1), month: 1 },
            month => Month { month: month + 1, ..self },
        }
    }

    /// Its first day.
    pub fn first_day(self) -> Date {
        Date::new(self.year, self.month, 1).unwrap_or_default()
    }

    /// Its last day.
    pub fn last_day(self) -> Date {
        self.next().first_day().saturating_sub(1.day())
    }

    /// Months from `self` to `other`, below zero when `other` is earlier.
    pub fn months_until(self, other: Month) -> i32 {
        let number = |month: Month| i32::from(month.year) * 12 + i32::from(month.month);
        number(other) - number(self)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// The text is not a month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Found month {0:?}, expected a year and a month, as in 2026-10")]
pub struct BadMonth(String);

impl FromStr for Month {
    type Err = BadMonth;

    fn from_str(text: &str) -> Result<Self, BadMonth> {
        let day = format!("{text}-01").parse::<Date>().ok().filter(|_| text.len() == 7);
        day.map(Month::of).ok_or_else(|| BadMonth(text.to_owned()))
    }
}

impl TryFrom<String> for Month {
    type Error = BadMonth;
    fn try_from(text: String) -> Result<Self, BadMonth> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> String {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn december_is_followed_by_january() {
        let december = Month::of(date(2026, 12, 31));
        assert_eq!(december.next(), Month::of(date(2027, 1, 1)));
        assert_eq!((december.to_string(), december.next().to_string()), ("2026-12".into(), "2027-01".into()));
        assert_eq!(december.months_until(december.next().next()), 2);
        assert_eq!(december.next().months_until(december), -1);
        assert_eq!(december.first_day(), date(2026, 12, 1));
        assert_eq!((december.last_day(), december.next().next().last_day()), (date(2026, 12, 31), date(2027, 2, 28)));
        assert!(december < december.next() && Month::of(date(2026, 11, 1)).next() == december);
    }

    #[test]
    fn a_month_reads_what_it_prints_and_nothing_else() {
        for text in ["2026-10", "2028-02", "1999-12"] {
            assert_eq!(text.parse::<Month>().unwrap().to_string(), text);
        }
        assert_eq!("2028-02".parse::<Month>().unwrap().last_day(), date(2028, 2, 29));
        for text in ["", "2026", "2026-13", "2026-1", "2026-10-01", "26-10", "2026-1\n", "../2026"] {
            assert!(text.parse::<Month>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_month_is_stored_as_its_text() {
        let month: Month = "2026-10".parse().unwrap();
        assert_eq!(
            (serde_json::to_string(&month).unwrap(), String::from(month)),
            ("\"2026-10\"".into(), "2026-10".into())
        );
        assert_eq!(serde_json::from_str::<Month>("\"2026-10\"").unwrap(), month);
        let bad = serde_json::from_str::<Month>("\"2026-13\"").unwrap_err().to_string();
        assert_eq!(bad, "Found month \"2026-13\", expected a year and a month, as in 2026-10");
    }
}
