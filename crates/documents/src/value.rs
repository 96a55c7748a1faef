//! The value of a cell, before a form writes it.

use jiff::civil::Date;

use crate::labels::Labels;

/// The value of a cell, in every form the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    /// Minor units.
    Amount(i64),
    Count(u64),
    Date(Option<Date>),
}

impl Value {
    pub(crate) fn text(text: Option<&str>) -> Value {
        Value::Text(text.unwrap_or_default().to_owned())
    }

    /// The amount, or words in its place when it is beyond the range of `i64`.
    pub(crate) fn amount_or_words(minor: Option<i64>, labels: &Labels) -> Value {
        minor.map_or_else(|| Value::text(Some(labels.not_countable)), Value::Amount)
    }

    pub(crate) fn amount_or_nothing(minor: Option<i64>) -> Value {
        minor.map_or(Value::Text(String::new()), Value::Amount)
    }
}
