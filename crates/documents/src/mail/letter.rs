//! The content of a mail, of which both its text and its HTML are made.

use crate::labels::Language;
use settlement::WebAddress;

/// A letter to one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub(crate) language: Language,
    /// The merchant, above the title.
    pub(crate) sender: String,
    /// The title: the message in one sentence.
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
    /// Why the reader gets the mail and how to stop it; empty for a mailbox that a program reads.
    pub(crate) footer: Vec<String>,
    pub(crate) stop: Option<(String, WebAddress)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    Paragraph(String),
    Banner(Tone, String),
    /// A code to copy.
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
    /// Names, and whether the column has money.
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
    /// A word in the column of amounts.
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
