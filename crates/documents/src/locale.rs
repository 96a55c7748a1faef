//! Amounts and days as a language writes them.

use jiff::civil::Date;
use settlement::MajorUnits;

use crate::labels::Language;

/// The marks of numbers and the format of a day, after CLDR. Minus is always a hyphen, which can be pasted into a spreadsheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Locale {
    decimal: char,
    group: char,
    day: &'static str,
}

/// A space at which a line does not break.
const SPACE: char = '\u{a0}';

impl Language {
    pub(crate) fn locale(self) -> Locale {
        match self {
            Language::Nb => Locale { decimal: ',', group: SPACE, day: "%d.%m.%Y" },
            Language::Sv => Locale { decimal: ',', group: SPACE, day: "%Y-%m-%d" },
            Language::Da => Locale { decimal: ',', group: '.', day: "%d.%m.%Y" },
            Language::Fi => Locale { decimal: ',', group: SPACE, day: "%-d.%-m.%Y" },
            // With the name of the month: 12/10/2026 is two days to readers of English.
            Language::En => Locale { decimal: '.', group: ',', day: "%-d\u{a0}%b\u{a0}%Y" },
        }
    }
}

impl Locale {
    /// For people: `1 234 567,50`.
    pub(crate) fn amount(&self, minor: i64, exponent: u8) -> String {
        let plain = self.plain_amount(minor, exponent);
        let (whole, part) = match plain.find(self.decimal) {
            Some(at) => plain.split_at(at),
            None => (plain.as_str(), ""),
        };
        let (sign, digits) = match whole.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", whole),
        };
        let mut text = String::with_capacity(plain.len() + 8);
        text.push_str(sign);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place) % 3 == 0 {
                text.push(self.group);
            }
            text.push(digit);
        }
        text.push_str(part);
        text
    }

    /// For programs that read this language's numbers: `1234567,50`.
    pub(crate) fn plain_amount(&self, minor: i64, exponent: u8) -> String {
        let text = MajorUnits::new(minor, exponent).to_string();
        if self.decimal == '.' { text } else { text.replace('.', &self.decimal.to_string()) }
    }

    /// A count, with its digits grouped as in amounts.
    pub(crate) fn count(&self, count: u64) -> String {
        i64::try_from(count).map_or_else(|_| count.to_string(), |count| self.amount(count, 0))
    }

    /// A day, on one line.
    pub(crate) fn day(&self, day: Date) -> String {
        day.strftime(self.day).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_days_are_written_as_the_language_does() {
        let day = jiff::civil::date(2026, 11, 3);
        for (language, amount, date) in [
            (Language::Nb, "-1\u{a0}234\u{a0}567,50", "03.11.2026"),
            (Language::Sv, "-1\u{a0}234\u{a0}567,50", "2026-11-03"),
            (Language::Da, "-1.234.567,50", "03.11.2026"),
            (Language::Fi, "-1\u{a0}234\u{a0}567,50", "3.11.2026"),
            (Language::En, "-1,234,567.50", "3\u{a0}Nov\u{a0}2026"),
        ] {
            let locale = language.locale();
            assert_eq!(locale.amount(-123_456_750, 2), amount);
            assert_eq!(locale.day(day), date);
        }
    }

    #[test]
    fn small_amounts_and_other_decimals_are_whole() {
        let (nb, en) = (Language::Nb.locale(), Language::En.locale());
        assert_eq!([nb.amount(0, 2), nb.amount(5, 2), nb.amount(-100_000, 2)], ["0,00", "0,05", "-1\u{a0}000,00"]);
        assert_eq!(
            [en.amount(123_456, 0), en.amount(1_234_567, 3), en.count(1_000)],
            ["123,456", "1,234.567", "1,000"]
        );
        assert_eq!([nb.plain_amount(-123_456_750, 2), en.plain_amount(1_000_000, 2)], ["-1234567,50", "10000.00"]);
        assert_eq!(nb.amount(i64::MIN, 0), "-9\u{a0}223\u{a0}372\u{a0}036\u{a0}854\u{a0}775\u{a0}808");
    }
}
