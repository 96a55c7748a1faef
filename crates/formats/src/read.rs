//! Readers that all formats share: text encodings, delimited rows, XML, archives, sheets, amounts and dates.

pub(crate) mod amount;
pub(crate) mod archive;
pub(crate) mod date;
pub(crate) mod delimited;
pub(crate) mod delimiter;
pub(crate) mod field;
pub(crate) mod json;
pub(crate) mod number;
pub(crate) mod part;
pub(crate) mod row;
pub(crate) mod sheet;
pub(crate) mod shown;
pub(crate) mod text;
pub(crate) mod workbook;
pub(crate) mod xml;
