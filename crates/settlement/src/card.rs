//! Masks numbers of payment cards: at most their first six and last four digits may be stored or shown.

use std::borrow::Cow;

/// The shortest card number has this many digits.
const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;
const KEPT_FIRST: usize = 6;
const KEPT_LAST: usize = 4;

/// The numbers of digits that an issuer's card numbers may have.
type Lengths = &'static [usize];

const PREFIX_DIGITS: usize = 4;

/// Ranges of the first four digits, with the lengths that the issuer uses.
const ISSUERS: &[(u32, u32, Lengths)] = &[
    (2221, 2720, &[16]),
    (3000, 3059, &[14, 16, 19]),
    (3400, 3499, &[15]),
    (3528, 3589, &[16, 17, 18, 19]),
    (3600, 3699, &[14, 16, 19]),
    (3700, 3799, &[15]),
    (3800, 3999, &[14, 16, 19]),
    (4000, 4999, &[13, 16, 19]),
    (5000, 5099, &[13, 14, 15, 16, 17, 18, 19]),
    (5100, 5599, &[16]),
    (5600, 5899, &[13, 14, 15, 16, 17, 18, 19]),
    (6011, 6011, &[16, 17, 18, 19]),
    (6200, 6299, &[16, 17, 18, 19]),
    (6304, 6304, &[13, 14, 15, 16, 17, 18, 19]),
    (6440, 6499, &[16, 17, 18, 19]),
    (6500, 6599, &[16, 17, 18, 19]),
    (6759, 6759, &[13, 14, 15, 16, 17, 18, 19]),
    (6760, 6769, &[13, 14, 15, 16, 17, 18, 19]),
];

/// The text with every card number in it masked; borrowed when it has none.
///
/// A card number has 13 to 19 digits, begins and ends as an issuer's numbers do, and has a valid check digit. Single
/// blanks or hyphens may split it. Other long numbers, such as ids, stay as they are, and so do digits within
/// hexadecimal words.
#[inline]
pub fn mask_cards(text: &str) -> Cow<'_, str> {
    if may_hold_card(text.as_bytes()) { masked(text) } else { Cow::Borrowed(text) }
}

/// Whether the text has a run of digits, blanks and hyphens that is long enough for a card number. The search looks at
/// each window from its end, so that most texts are decided after a few bytes.
#[inline]
fn may_hold_card(bytes: &[u8]) -> bool {
    let mut start = 0;
    while let Some(window) = bytes.get(start..start + DIGITS_MIN) {
        match window.iter().rposition(|byte| !matches!(byte, b'0'..=b'9' | b' ' | b'-')) {
            Some(other) => start += other + 1,
            None => return true,
        }
    }
    false
}

fn masked(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut hidden: Vec<usize> = Vec::new();
    let mut place = 0;
    while let Some(start) = find(bytes, place, u8::is_ascii_digit).filter(|start| start + DIGITS_MIN <= bytes.len()) {
        place = match card_end(text, start) {
            Some(end) => {
                let digits = (start..end).filter(|place| bytes.get(*place).is_some_and(u8::is_ascii_digit));
                let digits: Vec<usize> = digits.collect();
                hidden.extend(digits.get(KEPT_FIRST..digits.len() - KEPT_LAST).unwrap_or_default());
                end
            }
            None => find(bytes, start, |byte| !byte.is_ascii_digit()).unwrap_or(bytes.len()),
        };
    }
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    let mask = |(place, c)| if hidden.binary_search(&place).is_ok() { '*' } else { c };
    Cow::Owned(text.char_indices().map(mask).collect())
}

/// The first place at or after `from` whose byte is sought.
fn find(bytes: &[u8], from: usize, is_sought: impl Fn(&u8) -> bool) -> Option<usize> {
    bytes.get(from..)?.iter().position(is_sought).map(|place| from + place)
}

/// The end of the card number that begins at `start`; `None` when there is none. It may span several runs of digits.
fn card_end(text: &str, start: usize) -> Option<usize> {
    let mut digits = [0; DIGITS_MAX];
    let mut count = 0;
    let mut lengths: Lengths = &[];
    let mut bytes = (start..).zip(text.as_bytes().get(start..)?).peekable();
    while let Some((place, byte)) = bytes.next() {
        let goes_on = bytes.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(count)? = byte - b'0';
                count += 1;
                let number = digits.get(..count).unwrap_or_default();
                if count == PREFIX_DIGITS {
                    lengths = lengths_of(number)?;
                }
                let card = !goes_on && lengths.contains(&count) && has_right_check_digit(number);
                let end = place + 1;
                if card && !is_within_hexadecimal(text, start, end) {
                    return Some(end);
                }
            }
            b' ' | b'-' if goes_on => {}
            _ => return None,
        }
    }
    None
}

/// The lengths of card numbers with these first four digits; `None` when no issuer has them.
fn lengths_of(prefix: &[u8]) -> Option<Lengths> {
    let prefix = prefix.iter().fold(0, |number, digit| number * 10 + u32::from(*digit));
    ISSUERS.iter().find(|(from, to, _)| (*from..=*to).contains(&prefix)).map(|(_, _, lengths)| *lengths)
}

/// Whether the digits are part of a hexadecimal word, as in a UUID. Such ids have long runs of digits by chance.
fn is_within_hexadecimal(text: &str, start: usize, end: usize) -> bool {
    let in_word = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let before = text.get(..start).unwrap_or("").chars().rev().take_while(in_word);
    let after = text.get(end..).unwrap_or("").chars().take_while(in_word);
    let mut letters = before.chain(after).filter(char::is_ascii_alphabetic).peekable();
    letters.peek().is_some() && letters.all(|letter| letter.is_ascii_hexdigit())
}

/// Luhn's check: every second digit from the right is doubled.
fn has_right_check_digit(digits: &[u8]) -> bool {
    let sum: u8 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice) => twice / 10 + twice % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_masked_wherever_they_stand() {
        for (text, masked) in [
            ("4111111111111111", "411111******1111"),
            ("ORD4111111111111111x", "ORD411111******1111x"),
            ("4111 1111 1111 1111", "4111 11** **** 1111"),
            ("12 4111-1111-1111-1111 kr", "12 4111-11**-****-1111 kr"),
            ("5555555555554444/378282246310005", "555555******4444/378282*****0005"),
            ("kort 30569309025904 ø", "kort 305693****5904 ø"),
            ("5019717010103742", "501971******3742"),
            ("6759649826438453", "675964******8453"),
            ("4222222222222", "422222***2222"),
            ("BUTIKK-4222222222222", "BUTIKK-422222***2222"),
            ("2026 4111111111111111", "2026 411111******1111"),
        ] {
            assert_eq!(mask_cards(text), masked);
        }
    }

    #[test]
    fn other_numbers_are_left_as_they_are() {
        for text in [
            "",
            "4111111111111112",
            "41111111111111111111",
            "10728489593",
            "20221124141845",
            "411111******1111",
            "4111 1111  1111 1111",
            "a05bae9f426e4aa4840c246bf2264f99",
            "1234567890123456789",
            "03793b5052686670-379baca0",
            "bdf4633143165953-e79a3ae9",
        ] {
            assert!(matches!(mask_cards(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    /// A number of that many digits with these first ones and a valid check digit.
    fn number(prefix: &str, length: usize) -> String {
        let body = format!("{prefix:0<width$}", width = length - 1);
        let valid = |digit: &u32| {
            let digits: Vec<u32> = body.chars().filter_map(|c| c.to_digit(10)).chain([*digit]).collect();
            let weighed = digits.iter().rev().zip([1, 2].iter().cycle()).map(|(digit, weight)| digit * weight);
            weighed.map(|product| product / 10 + product % 10).sum::<u32>() % 10 == 0
        };
        let digit = (0..10).find(valid).unwrap();
        format!("{body}{digit}")
    }

    #[test]
    fn numbers_are_masked_in_the_ranges_and_lengths_of_issuers_only() {
        let any = &[13, 14, 15, 16, 17, 18, 19][..];
        let (long, diners) = (&[16, 17, 18, 19][..], &[14, 16, 19][..]);
        for (prefixes, lengths) in [
            (&["2221", "2500", "2720", "5100", "5599"][..], &[16][..]),
            (&["3400", "3499", "3700", "3799"], &[15]),
            (&["3000", "3059", "3600", "3699", "3800", "3999"], diners),
            (&["3528", "3589", "6011", "6200", "6299", "6440", "6499", "6500", "6599"], long),
            (&["4000", "4999"], &[13, 16, 19]),
            (&["5000", "5099", "5600", "5899", "6304", "6759", "6760", "6769"], any),
            (&["2220", "2721", "3060", "3399", "3500", "3527", "3590", "3599", "5900", "6010", "6012"], &[]),
            (&["6199", "6300", "6303", "6305", "6439", "6600", "6758", "6770", "0000", "1234", "9999"], &[]),
        ] {
            for prefix in prefixes {
                for length in 12..=20 {
                    let number = number(prefix, length);
                    let hidden = format!("{}{}{}", &number[..6], "*".repeat(length - 10), &number[length - 4..]);
                    let expected = if lengths.contains(&length) { &hidden } else { &number };
                    assert_eq!(mask_cards(&number), *expected, "{length} digits");
                }
            }
        }
    }

    #[test]
    fn only_a_valid_check_digit_makes_a_card_number() {
        for digit in 0..10 {
            let number = format!("411111111111111{digit}");
            assert_eq!(mask_cards(&number) != number, digit == 1, "{number}");
        }
        // Digits of 5 and more are doubled to two digits.
        assert_eq!(mask_cards("4999999999999996"), "499999******9996");
        assert_eq!(mask_cards("4999999999999995"), "4999999999999995");
    }

    #[test]
    fn digits_within_hexadecimal_words_are_no_card_numbers() {
        for text in ["a4111111111111111", "4111111111111111f", "4111111111111111-ab", "c-4111111111111111"] {
            assert_eq!(mask_cards(text), text);
        }
        for text in [
            "g4111111111111111",
            "a 4111111111111111",
            "4111111111111111-xy",
            "é4111111111111111",
            "4111111111111111_a",
        ] {
            assert!(mask_cards(text).contains("411111******1111"), "{text}");
        }
        assert_eq!(mask_cards("æøå 4111111111111111 4222222222222"), "æøå 411111******1111 422222***2222");
        assert_eq!(mask_cards("1 4111111111111111"), "1 411111******1111");
        assert_eq!(mask_cards("4111111111111111 1"), "411111******1111 1");
        assert_eq!(mask_cards("123456789012 4111111111111111"), "123456789012 411111******1111");
    }
}
