//! Minor units shown as major units, and the largest amount that a report may have.

use std::fmt;

/// The largest single amount in minor units (100 billion kroner). A larger one is an error of the file.
pub const AMOUNT_MINOR_MAX: i64 = 10_000_000_000_000;

/// An amount in minor units that prints as major units with a dot: `-1234` and exponent 2 print as `-12.34`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MajorUnits {
    minor: i64,
    exponent: u8,
}

impl MajorUnits {
    /// `minor` units of a currency with `exponent` decimals.
    pub fn new(minor: i64, exponent: u8) -> Self {
        MajorUnits { minor, exponent }
    }
}

impl fmt::Display for MajorUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = self.minor.unsigned_abs();
        let scale = 10_u64.pow(u32::from(self.exponent.min(18)));
        if scale == 1 {
            return f.pad(&format!("{sign}{digits}"));
        }
        let (whole, part) = (digits / scale, digits % scale);
        f.pad(&format!("{sign}{whole}.{part:0width$}", width = usize::from(self.exponent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_print_as_major_units() {
        for (minor, exponent, text) in [
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (34_387, 2, "343.87"),
            (-1234, 0, "-1234"),
            (1234, 3, "1.234"),
            (i64::MIN, 2, "-92233720368547758.08"),
        ] {
            assert_eq!(MajorUnits::new(minor, exponent).to_string(), text);
        }
    }

    #[test]
    fn amounts_keep_the_width_that_is_asked_for() {
        assert_eq!(format!("{:>8}|{:<7}|", MajorUnits::new(-1_234, 2), MajorUnits::new(12, 0)), "  -12.34|12     |");
        assert_eq!(MajorUnits::new(1, 18).to_string(), "0.000000000000000001");
    }
}
