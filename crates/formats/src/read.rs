//! Readers that all formats share: text encodings, delimited rows, XML, amounts and dates.

pub(crate) mod amount;
pub(crate) mod date;
pub(crate) mod delimited;
pub(crate) mod field;
pub(crate) mod text;
pub(crate) mod xml;
