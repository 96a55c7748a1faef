//! Days of the calendar as Parquet counts them.

use jiff::civil::Date;

/// The day that Parquet counts from.
pub(crate) const EPOCH: Date = Date::constant(1970, 1, 1);

/// The number of days from 1970-01-01 to `date`; negative before that day.
pub(crate) fn days(date: Date) -> i32 {
    // The calendar of jiff has some seven million days.
    i32::try_from(date.duration_since(EPOCH).as_hours() / 24).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_agree_with_the_calendar() {
        for (date, number) in [
            (EPOCH, 0),
            (date(1970, 1, 2), 1),
            (date(1969, 12, 31), -1),
            (date(2000, 2, 29), 11_016),
            (date(2000, 3, 1), 11_017),
            (date(2026, 10, 5), 20_731),
            (date(1900, 3, 1), -25_508),
            (Date::MIN, -4_371_587),
            (Date::MAX, 2_932_896),
        ] {
            assert_eq!(days(date), number, "{date}");
        }
    }
}
