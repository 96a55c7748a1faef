//! Months of a calendar.

use std::fmt;

use jiff::civil::Date;

/// A month of a year, as in `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that a day lies in.
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
        assert!(december < december.next() && Month::of(date(2026, 11, 1)).next() == december);
    }
}
