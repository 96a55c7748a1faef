//! Numbers of a workbook: decimal text of a double, made plain, and brought to minor units without arithmetic on floats.

use settlement::{AMOUNT_MINOR_MAX, Kind};

/// More digits than this no double needs.
const DIGITS_MAX: usize = 30;

/// A number as workbooks write it, `64.599999999999994` or `1.5E+3`, as a plain decimal; `None` when it is none.
pub(crate) fn plain_decimal(text: &str) -> Option<String> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || mantissa.ends_with('.') || !is_digits(whole) || !is_digits(decimals) {
        return None;
    }
    if exponent == 0 {
        // Some writers give every number a decimal.
        let plain = if decimals.bytes().all(|digit| digit == b'0') { whole } else { mantissa };
        return (mantissa.len() <= DIGITS_MAX).then(|| format!("{sign}{plain}"));
    }
    let point = i32::try_from(whole.len()).ok()? + i32::from(exponent);
    let digits = format!("{whole}{decimals}");
    let length = i32::try_from(digits.len()).ok()?;
    let places = i32::try_from(DIGITS_MAX).ok()?;
    if length > places || point > places || length - point > places {
        return None;
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let padded = format!("{}{digits}{}", zeros(1 - point), zeros(point - length));
    let (whole, decimals) = padded.split_at_checked(usize::try_from(point.max(1)).ok()?)?;
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let decimals = decimals.trim_end_matches('0');
    let mark = if decimals.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{mark}{decimals}"))
}

/// Minor units of a plain decimal in major units, for a currency with `exponent` decimals, signed as written.
///
/// A workbook keeps `64.60` as the double nearest to it. The decimal is taken for a minor unit when it lies within
/// 10⁻⁶ of one, or when that minor unit has the very same double: large amounts have coarser ones.
///
/// # Errors
/// [`Kind::Amount`] when it is no plain decimal, [`Kind::AmountPrecision`] when it lies between minor units,
/// [`Kind::AmountOverflow`] beyond the limit.
pub(crate) fn snap_minor(decimal: &str, exponent: u8) -> Result<i64, Kind> {
    let unsigned = decimal.strip_prefix('-').unwrap_or(decimal);
    let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() + decimals.len() > DIGITS_MAX || !is_digits(whole) || !is_digits(decimals) {
        return Err(Kind::Amount);
    }
    let places = usize::from(exponent);
    let kept = decimals.bytes().chain(std::iter::repeat(b'0')).take(places);
    let below = whole.bytes().chain(kept).try_fold(0_i64, |minor, digit| {
        let minor = minor * 10 + i64::from(digit - b'0');
        (minor <= AMOUNT_MINOR_MAX).then_some(minor).ok_or(Kind::AmountOverflow)
    })?;
    let minor = below + i64::from(rest_is_half_or_more(decimals.get(places..).unwrap_or("")));
    let near = is_near_whole(decimals.get(places..).unwrap_or(""));
    if !near && !same_double(unsigned, minor, places) {
        return Err(Kind::AmountPrecision);
    }
    if minor > AMOUNT_MINOR_MAX {
        return Err(Kind::AmountOverflow);
    }
    Ok(if decimal.starts_with('-') { -minor } else { minor })
}

fn rest_is_half_or_more(rest: &str) -> bool {
    rest.bytes().next().is_some_and(|digit| digit >= b'5')
}

/// Whether the digits after those of the minor unit are within 0.000001 of a whole minor unit.
fn is_near_whole(rest: &str) -> bool {
    let (first, beyond) = rest.split_at_checked(6).unwrap_or((rest, ""));
    let nothing = |digits: &str| digits.bytes().all(|digit| digit == b'0');
    match first {
        "999999" => true,
        "000001" => nothing(beyond),
        _ => nothing(first),
    }
}

fn same_double(unsigned: &str, minor: i64, places: usize) -> bool {
    let digits = format!("{minor:0width$}", width = places + 1);
    let (whole, decimals) = digits.split_at_checked(digits.len() - places).unwrap_or((&digits, ""));
    let double = |text: &str| text.parse::<f64>().ok().map(f64::to_bits);
    double(unsigned).is_some() && double(unsigned) == double(&format!("{whole}.{decimals}0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_plain_decimals() {
        for (text, plain) in [
            ("0", "0"),
            ("-6.13", "-6.13"),
            ("64.599999999999994", "64.599999999999994"),
            ("10728489593", "10728489593"),
            ("6100000101.0", "6100000101"),
            ("-7.00", "-7"),
            ("1.0728489593E10", "10728489593"),
            ("1.0728489593E+10", "10728489593"),
            ("1.5e3", "1500"),
            ("-2.5E-2", "-0.025"),
            ("1E-7", "0.0000001"),
            ("12.50E1", "125"),
            ("0.001E2", "0.1"),
        ] {
            assert_eq!(plain_decimal(text).as_deref(), Some(plain), "{text}");
        }
        for bad in
            ["", "-", ".5", "5.", "1,5", "+1", "1e", "1e400", "1e-400", "NaN", "INF", "1_000", "0x1", " 1", "1e31"]
        {
            assert_eq!(plain_decimal(bad), None, "{bad}");
        }
        assert_eq!(plain_decimal(&"1".repeat(31)), None);
    }

    #[test]
    fn doubles_are_snapped_to_the_minor_unit() {
        for (decimal, exponent, minor) in [
            ("64.599999999999994", 2, 6_460),
            ("-6.1299999999999999", 2, -613),
            ("0.30000000000000004", 2, 30),
            ("343.87", 2, 34_387),
            ("7851", 2, 785_100),
            ("1.00000001", 2, 100),
            ("1.00999999", 2, 101),
            ("1.000001", 0, 1),
            ("0.999999", 0, 1),
            ("1.234", 3, 1_234),
            // As a spreadsheet writes 12345678901.12: the doubles there lie further apart than 10⁻⁶.
            ("12345678901.120001", 2, 1_234_567_890_112),
            ("100000000000", 2, AMOUNT_MINOR_MAX),
            ("0", 2, 0),
        ] {
            assert_eq!(snap_minor(decimal, exponent), Ok(minor), "{decimal}");
        }
    }

    #[test]
    fn numbers_between_minor_units_are_held() {
        use Kind::{Amount, AmountOverflow, AmountPrecision};
        for (decimal, exponent, kind) in [
            ("12.345", 2, AmountPrecision),
            ("1.0000001", 2, AmountPrecision),
            ("1.000002", 0, AmountPrecision),
            ("0.999998", 0, AmountPrecision),
            ("-0.005", 2, AmountPrecision),
            ("1.5", 0, AmountPrecision),
            ("100000000000.01", 2, AmountOverflow),
            ("99999999999999999999", 2, AmountOverflow),
            ("", 2, Amount),
            ("1E3", 2, Amount),
            ("12,50", 2, Amount),
        ] {
            assert_eq!(snap_minor(decimal, exponent), Err(kind), "{decimal}");
        }
    }
}
