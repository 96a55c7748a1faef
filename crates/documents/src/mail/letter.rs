//! What a mail says, before it is written as text and as HTML: both are made of this one value.

use crate::labels::Language;
use settlement::WebAddress;

/// A letter to one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub(crate) language: Language,
    /// Who it is about, above everything.
    pub(crate) sender: String,
    /// What it says, in one sentence.
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
    /// Why it comes and how it is stopped; empty for a mailbox that a program reads.
    pub(crate) footer: Vec<String>,
    pub(crate) stop: Option<(String, WebAddress)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    Paragraph(String),
    Banner(Tone, String),
    /// To be copied as it is.
    Code(String),
    Table(Table),
    List(String, Vec<String>),
    Link(String, WebAddress),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) heading: Option<String>,
    /// Names, and whether there is money below them.
    pub(crate) columns: Vec<(String, bool)>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Cell>,
    pub(crate) is_sum: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Text(String),
    Money(String),
    /// A word that stands where amounts stand.
    Fact(String),
}

impl Cell {
    pub(crate) fn new(text: String, is_money: bool) -> Self {
        if is_money { Cell::Money(text) } else { Cell::Text(text) }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Cell::Text(text) | Cell::Money(text) | Cell::Fact(text) => text,
        }
    }
}
