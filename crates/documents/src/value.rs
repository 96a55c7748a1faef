//! A cell before it is written in one form or another.

use jiff::civil::Date;

use crate::labels::Labels;

/// What a cell holds, whatever the form.
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

    /// The amount, or in words that it is beyond the range of `i64`.
    pub(crate) fn amount_or_words(minor: Option<i64>, labels: &Labels) -> Value {
        minor.map_or_else(|| Value::text(Some(labels.not_countable)), Value::Amount)
    }

    pub(crate) fn amount_or_nothing(minor: Option<i64>) -> Value {
        minor.map_or(Value::Text(String::new()), Value::Amount)
    }
}
