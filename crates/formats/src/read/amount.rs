//! Amount text to minor units by one grammar of our own: nothing is rounded and nothing is guessed.

use settlement::{AMOUNT_MINOR_MAX, Kind};

/// The decimal mark of a file; a file has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1.00`
    Dot,
    /// `1,00`
    Comma,
}

impl DecimalMark {
    /// The character.
    pub fn as_char(self) -> char {
        match self {
            DecimalMark::Dot => '.',
            DecimalMark::Comma => ',',
        }
    }

    fn byte(self) -> u8 {
        match self {
            DecimalMark::Dot => b'.',
            DecimalMark::Comma => b',',
        }
    }
}

/// Minor units of an amount written in major units, for a currency with `exponent` decimals.
///
/// The grammar: an optional `-` or U+2212; digits, or groups of three split by one kind of space or by the other mark;
/// then an optional decimal mark with digits, zeros only beyond the exponent. The sign is kept as written.
///
/// # Errors
/// [`Kind::Amount`] when the text is not of the grammar, [`Kind::AmountAmbiguous`] when it can be read in two ways,
/// [`Kind::AmountPrecision`] with more decimals than the currency has, [`Kind::AmountOverflow`] beyond the limit.
#[inline]
pub fn parse_minor(text: &str, mark: DecimalMark, exponent: u8) -> Result<i64, Kind> {
    match plain(text.as_bytes(), mark, exponent) {
        Some(minor) => Ok(minor),
        None => Amount::split(text, mark)?.minor(exponent),
    }
}

/// The common case in one pass: digits, the mark and two decimals, of a currency that has two.
#[inline]
fn plain(text: &[u8], mark: DecimalMark, exponent: u8) -> Option<i64> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let [whole @ .., found_mark, tenths, hundredths] = unsigned else { return None };
    if exponent != 2 || *found_mark != mark.byte() || whole.is_empty() || unsigned.len() > 13 {
        return None;
    }
    let take = |(minor, all_digits): (i64, bool), byte: &u8| {
        let digit = byte.wrapping_sub(b'0');
        (minor.wrapping_mul(10).wrapping_add(i64::from(digit)), all_digits & (digit <= 9))
    };
    let (minor, all_digits) = [*tenths, *hundredths].iter().fold(whole.iter().fold((0, true), take), take);
    all_digits.then_some(if negative { -minor } else { minor })
}

/// An amount taken apart: digits before and after the decimal mark.
struct Amount<'a> {
    negative: bool,
    whole: &'a str,
    decimals: &'a str,
    /// The one character that splits groups of three, where there is one.
    group: Option<char>,
    mark: DecimalMark,
}

impl<'a> Amount<'a> {
    fn split(text: &'a str, mark: DecimalMark) -> Result<Self, Kind> {
        let unsigned = text.strip_prefix(['-', '\u{2212}']);
        let negative = unsigned.is_some();
        let unsigned = unsigned.unwrap_or(text);
        let (whole, decimals) = match unsigned.split_once(mark.as_char()) {
            Some((_, "")) => return Err(Kind::Amount),
            Some((whole, decimals)) => (whole, decimals),
            None => (unsigned, ""),
        };
        let group = whole.chars().find(|c| !c.is_ascii_digit());
        let allowed = match group {
            None => true,
            Some(' ' | '\u{a0}' | '\u{202f}' | '\u{2009}') => true,
            Some('.') => mark == DecimalMark::Comma,
            Some(',') => mark == DecimalMark::Dot,
            Some(_) => false,
        };
        let amount = Amount { negative, whole, decimals, group, mark };
        let digits = decimals.bytes().all(|byte| byte.is_ascii_digit());
        if !allowed || !digits || !amount.groups_of_three() {
            // `1.234.567` in a file whose mark is the dot: the second mark falls among the decimals.
            return Err(Kind::Amount);
        }
        Ok(amount)
    }

    fn groups_of_three(&self) -> bool {
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let Some(group) = self.group else { return is_digits(self.whole) };
        let mut parts = self.whole.split(group);
        let first = parts.next().unwrap_or("");
        is_digits(first) && first.len() <= 3 && parts.all(|part| part.len() == 3 && is_digits(part))
    }

    /// Whether one lone mark stands before exactly three digits, so that it may split thousands or decimals.
    fn ambiguous(&self, exponent: u8) -> bool {
        match self.group {
            Some('.' | ',') => self.decimals.is_empty() && self.whole.matches(['.', ',']).count() == 1,
            Some(_) => false,
            None => {
                let thousands = self.whole.len() <= 3 && self.whole != "0";
                self.decimals.len() == 3 && exponent != 3 && thousands
            }
        }
    }

    fn minor(&self, exponent: u8) -> Result<i64, Kind> {
        if self.ambiguous(exponent) {
            return Err(Kind::AmountAmbiguous);
        }
        let places = usize::from(exponent);
        let beyond = self.decimals.get(places..).unwrap_or("");
        if beyond.bytes().any(|digit| digit != b'0') {
            return Err(Kind::AmountPrecision);
        }
        let kept = self.decimals.get(..places).unwrap_or(self.decimals);
        let missing = places.saturating_sub(kept.len());
        let digits = self.whole.bytes().filter(u8::is_ascii_digit).chain(kept.bytes());
        let mut minor = 0_i64;
        for digit in digits.chain(std::iter::repeat_n(b'0', missing)) {
            minor = minor * 10 + i64::from(digit - b'0');
            if minor > AMOUNT_MINOR_MAX {
                return Err(Kind::AmountOverflow);
            }
        }
        debug_assert!(self.mark.as_char() != self.group.unwrap_or(' '));
        Ok(if self.negative { -minor } else { minor })
    }
}

/// Whether a cell that no column is known for looks like money: an amount with decimals, in any of the ways files write it.
pub(crate) fn looks_like_amount(text: &str) -> bool {
    [DecimalMark::Dot, DecimalMark::Comma]
        .into_iter()
        .any(|mark| text.contains(mark.as_char()) && !matches!(parse_minor(text, mark, 2), Err(Kind::Amount)))
}

#[cfg(test)]
mod tests {
    use super::DecimalMark::{Comma, Dot};
    use super::*;

    #[test]
    fn amounts_of_the_grammar_are_exact() {
        for (text, mark, exponent, minor) in [
            ("343,87", Comma, 2, 34_387),
            ("-6,13", Comma, 2, -613),
            ("\u{2212}6,13", Comma, 2, -613),
            ("-0,00", Comma, 2, 0),
            ("0.00", Dot, 2, 0),
            ("1 234,50", Comma, 2, 123_450),
            ("1\u{a0}234\u{a0}567,5", Comma, 2, 123_456_750),
            ("1\u{202f}234,50", Comma, 2, 123_450),
            ("1\u{2009}234,50", Comma, 2, 123_450),
            ("1.234,50", Comma, 2, 123_450),
            ("1,234.50", Dot, 2, 123_450),
            ("1.234.567", Comma, 2, 123_456_700),
            ("1 234", Comma, 2, 123_400),
            ("12", Dot, 2, 1_200),
            ("12,5", Comma, 2, 1_250),
            ("12,5000", Comma, 2, 1_250),
            ("1234,500", Comma, 2, 123_450),
            ("0,500", Comma, 2, 50),
            ("1234", Comma, 0, 1_234),
            ("1234,00", Comma, 0, 1_234),
            ("1,234", Comma, 3, 1_234),
            ("12,345", Comma, 3, 12_345),
            ("1234,567", Comma, 3, 1_234_567),
            ("007,00", Comma, 2, 700),
            ("100000000000,00", Comma, 2, AMOUNT_MINOR_MAX),
        ] {
            assert_eq!(parse_minor(text, mark, exponent), Ok(minor), "{text:?} {exponent}");
        }
    }

    #[test]
    fn everything_else_is_held_with_its_kind() {
        use Kind::{Amount, AmountAmbiguous, AmountOverflow, AmountPrecision};
        for (text, mark, exponent, kind) in [
            ("", Comma, 2, Amount),
            ("-", Comma, 2, Amount),
            ("--1,00", Comma, 2, Amount),
            ("+5,00", Comma, 2, Amount),
            ("5,00-", Comma, 2, Amount),
            ("(5,00)", Comma, 2, Amount),
            ("5e2", Dot, 2, Amount),
            ("5,69E+09", Comma, 2, Amount),
            ("1_000,00", Comma, 2, Amount),
            ("NaN", Dot, 2, Amount),
            (" 1,00", Comma, 2, Amount),
            ("1,00 ", Comma, 2, Amount),
            ("1,", Comma, 2, Amount),
            (",50", Comma, 2, Amount),
            ("100.00", Comma, 2, Amount),
            ("100,00", Dot, 2, Amount),
            ("1,234,50", Comma, 2, Amount),
            ("1.23,50", Comma, 2, Amount),
            ("1234.567,50", Comma, 2, Amount),
            ("1 234\u{a0}567,00", Comma, 2, Amount),
            ("1\u{660}0,00", Comma, 2, Amount),
            ("1.234", Comma, 2, AmountAmbiguous),
            ("1,234", Comma, 2, AmountAmbiguous),
            ("1.230", Dot, 2, AmountAmbiguous),
            ("1,234", Comma, 0, AmountAmbiguous),
            ("1234,50", Comma, 0, AmountPrecision),
            ("1234,567", Comma, 2, AmountPrecision),
            ("12,3456", Comma, 2, AmountPrecision),
            ("0,125", Comma, 2, AmountPrecision),
            ("100000000000,01", Comma, 2, AmountOverflow),
            ("92233720368547758,08", Comma, 2, AmountOverflow),
            ("99999999999999999999999999999999", Comma, 2, AmountOverflow),
        ] {
            assert_eq!(parse_minor(text, mark, exponent), Err(kind), "{text:?} {exponent}");
        }
    }

    #[test]
    fn money_is_told_from_numbers_and_words() {
        for money in ["12,50", "-0.88", "1.234", "1 000,00"] {
            assert!(looks_like_amount(money), "{money}");
        }
        for other in ["", "1234", "12.04.2018", "Vipps", "1,2,3", "5629.1.4"] {
            assert!(!looks_like_amount(other), "{other}");
        }
    }
}
