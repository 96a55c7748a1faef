//! Lines of a settlement, one at a time and in batches of columns.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::terms::Terms;

/// A parser passes its lines on when it has this many. A batch of this size stays in the processor's cache.
pub const BATCH_LINES_MAX: usize = 1_024;

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Money captured from a buyer.
    Sale,
    /// Money given back to a buyer.
    Refund,
    /// A fee in a row of its own.
    Fee,
    /// Value added tax on fees, in a row of its own.
    FeeVat,
    /// A disputed payment taken back.
    Chargeback,
    /// Disputed money given back to the merchant.
    ChargebackReversal,
    /// Money held back as security.
    ReserveHold,
    /// Money released that was held back as security.
    ReserveRelease,
    /// A correction.
    Adjustment,
    /// Money paid in by the merchant.
    Deposit,
    /// A row type that the format does not know. It is counted, and it holds the report.
    Unknown,
}

impl LineKind {
    /// Every kind with its word in tables, in the order of [`LineKind::code`].
    pub const ALL: [(LineKind, &'static str); 11] = [
        (LineKind::Sale, "sale"),
        (LineKind::Refund, "refund"),
        (LineKind::Fee, "fee"),
        (LineKind::FeeVat, "fee_vat"),
        (LineKind::Chargeback, "chargeback"),
        (LineKind::ChargebackReversal, "chargeback_reversal"),
        (LineKind::ReserveHold, "reserve_hold"),
        (LineKind::ReserveRelease, "reserve_release"),
        (LineKind::Adjustment, "adjustment"),
        (LineKind::Deposit, "deposit"),
        (LineKind::Unknown, "unknown"),
    ];

    /// Position in [`LineKind::ALL`].
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The word in tables and reports.
    pub fn as_str(self) -> &'static str {
        LineKind::ALL.get(usize::from(self.code())).map_or("unknown", |(_, word)| word)
    }

    /// The kind with that word.
    pub fn from_word(word: &str) -> Option<LineKind> {
        LineKind::ALL.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }
}

/// One line as a parser reads it, borrowed from the file. An empty text means that the provider gives none.
///
/// It has no field for a name, a phone number or a message: a parser passes no personal data on.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Index of the settlement it belongs to, as announced to the sink.
    pub settlement: u32,
    /// Line or row in the file, counted from 1.
    pub row: u32,
    /// Its kind.
    pub kind: LineKind,
    /// Its money.
    pub terms: Terms,
    /// The provider's id of this capture or refund.
    pub provider_transaction_id: &'a str,
    /// The provider's id of the capture that a refund or chargeback belongs to.
    pub original_reference: &'a str,
    /// The merchant's order reference.
    pub order_reference: &'a str,
    /// The id that Dintero knows as `payout_correlation_id`.
    pub correlation_id: &'a str,
    /// The provider's product or method, in its own words.
    pub provider_method: &'a str,
    /// The provider's own word for the row type.
    pub provider_kind: &'a str,
    /// The merchant's shop or outlet.
    pub store_id: &'a str,
    /// The seller that the money goes to, where payouts are split.
    pub payout_destination_id: &'a str,
    /// Instant of the capture or refund, in microseconds since 1970 UTC.
    pub captured_at_us: Option<i64>,
    /// The day that the provider writes on the row.
    pub provider_date: Option<Date>,
}

/// One line as a table stores it, with the settlement that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in Line, owned")]
pub struct LineRecord {
    pub merchant_number: String,
    pub settlement_id: String,
    pub currency: Currency,
    /// Line or row in the file, counted from 1. Several records may have the same one, as in XML without line ends.
    /// Lines that a payout notice adds have 0 and below.
    pub line_no: i64,
    pub kind: LineKind,
    pub terms: Terms,
    pub provider_transaction_id: Option<String>,
    pub original_reference: Option<String>,
    pub order_reference: Option<String>,
    pub correlation_id: Option<String>,
    pub provider_method: Option<String>,
    pub provider_kind: Option<String>,
    pub store_id: Option<String>,
    pub payout_destination_id: Option<String>,
    pub captured_at_us: Option<i64>,
    /// The day of the capture or refund in the account's zone.
    pub captured_on: Option<Date>,
    pub provider_date: Option<Date>,
}

/// One text column: all values in one string, with the place where each ends. An empty value means none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextColumn {
    text: String,
    offsets: Vec<i32>,
    present: usize,
}

impl Default for TextColumn {
    fn default() -> Self {
        TextColumn { text: String::new(), offsets: vec![0], present: 0 }
    }
}

impl TextColumn {
    #[inline]
    fn push(&mut self, value: &str) {
        if !value.is_empty() {
            self.text.push_str(value);
            self.present += 1;
        }
        // A batch holds at most 1 024 fields of at most 64 KiB: the end always fits.
        self.offsets.push(i32::try_from(self.text.len()).unwrap_or(i32::MAX));
    }

    fn clear(&mut self) {
        self.text.clear();
        self.offsets.truncate(1);
        self.present = 0;
    }

    /// All values in one string.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The start of the first value and the end of each value.
    pub fn offsets(&self) -> &[i32] {
        &self.offsets
    }

    /// Whether no line has a value.
    pub fn is_absent(&self) -> bool {
        self.present == 0
    }

    /// Whether every line has a value.
    pub fn is_everywhere(&self) -> bool {
        self.present + 1 == self.offsets.len()
    }

    /// The values in order; an absent one is empty.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.offsets.windows(2).map(|ends| match ends {
            [start, end] => self.text.get(*start as usize..*end as usize).unwrap_or(""),
            _ => "",
        })
    }
}

/// Up to [`BATCH_LINES_MAX`] lines, column by column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are the fields of Line")]
pub struct LineBatch {
    pub settlement: Vec<u32>,
    pub row: Vec<u32>,
    pub kind: Vec<LineKind>,
    pub terms: Vec<Terms>,
    pub provider_transaction_id: TextColumn,
    pub original_reference: TextColumn,
    pub order_reference: TextColumn,
    pub correlation_id: TextColumn,
    pub provider_method: TextColumn,
    pub provider_kind: TextColumn,
    pub store_id: TextColumn,
    pub payout_destination_id: TextColumn,
    pub captured_at_us: Vec<Option<i64>>,
    pub provider_date: Vec<Option<Date>>,
}

impl LineBatch {
    /// Appends a line.
    #[inline]
    pub fn push(&mut self, line: &Line<'_>) {
        self.settlement.push(line.settlement);
        self.row.push(line.row);
        self.kind.push(line.kind);
        self.terms.push(line.terms);
        self.provider_transaction_id.push(line.provider_transaction_id);
        self.original_reference.push(line.original_reference);
        self.order_reference.push(line.order_reference);
        self.correlation_id.push(line.correlation_id);
        self.provider_method.push(line.provider_method);
        self.provider_kind.push(line.provider_kind);
        self.store_id.push(line.store_id);
        self.payout_destination_id.push(line.payout_destination_id);
        self.captured_at_us.push(line.captured_at_us);
        self.provider_date.push(line.provider_date);
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.row.len()
    }

    /// Whether it holds no line.
    pub fn is_empty(&self) -> bool {
        self.row.is_empty()
    }

    /// Whether it has to be passed on before another line is added.
    pub fn is_full(&self) -> bool {
        self.len() >= BATCH_LINES_MAX
    }

    /// Empties it, keeping the memory for the next lines.
    pub fn clear(&mut self) {
        self.settlement.clear();
        self.row.clear();
        self.kind.clear();
        self.terms.clear();
        for text in [
            &mut self.provider_transaction_id,
            &mut self.original_reference,
            &mut self.order_reference,
            &mut self.correlation_id,
            &mut self.provider_method,
            &mut self.provider_kind,
            &mut self.store_id,
            &mut self.payout_destination_id,
        ] {
            text.clear();
        }
        self.captured_at_us.clear();
        self.provider_date.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_kind_words_round_trip() {
        for (kind, word) in LineKind::ALL {
            assert_eq!(kind.as_str(), word);
            assert_eq!(LineKind::from_word(word), Some(kind));
        }
    }

    #[test]
    fn text_column_gives_back_what_was_pushed() {
        let mut column = TextColumn::default();
        for value in ["a", "", "ørret"] {
            column.push(value);
        }
        assert_eq!(column.iter().collect::<Vec<_>>(), ["a", "", "ørret"]);
        assert!(!column.is_absent() && !column.is_everywhere());
        column.clear();
        assert!(column.is_absent() && column.iter().next().is_none());
        column.push("a");
        assert!(column.is_everywhere());
    }

    #[test]
    fn line_kinds_have_stored_words() {
        let words: Vec<(u8, &str)> = LineKind::ALL.iter().map(|(kind, word)| (kind.code(), *word)).collect();
        assert!(words.iter().enumerate().all(|(place, (code, _))| usize::from(*code) == place), "{words:?}");
        for (kind, word) in LineKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{word}\""));
        }
        assert_eq!((LineKind::from_word("Sale"), LineKind::from_word("")), (None, None));
    }

    #[test]
    fn a_text_column_is_one_string_with_the_end_of_each_value() {
        let mut column = TextColumn::default();
        assert!(column.is_absent() && column.is_everywhere(), "without lines");
        for value in ["a", "", "ørret"] {
            column.push(value);
        }
        assert_eq!((column.text(), column.offsets()), ("aørret", &[0, 1, 1, 7][..]));
        column.clear();
        assert_eq!((column.text(), column.offsets()), ("", &[0][..]));
    }

    fn line(row: u32) -> Line<'static> {
        Line {
            settlement: 3,
            row,
            kind: LineKind::Refund,
            terms: Terms { refund_minor: -5, ..Terms::default() },
            provider_transaction_id: "a",
            original_reference: "b",
            order_reference: "c",
            correlation_id: "d",
            provider_method: "e",
            provider_kind: "f",
            store_id: "g",
            payout_destination_id: "h",
            captured_at_us: Some(7),
            provider_date: Some(jiff::civil::date(2026, 10, 1)),
        }
    }

    #[test]
    fn a_batch_has_every_field_of_its_lines_until_it_is_cleared() {
        let mut batch = LineBatch::default();
        assert!(batch.is_empty());
        batch.push(&line(1));
        batch.push(&line(2));
        assert_eq!((batch.len(), batch.is_empty(), batch.is_full()), (2, false, false));
        let texts = [
            &batch.provider_transaction_id,
            &batch.original_reference,
            &batch.order_reference,
            &batch.correlation_id,
            &batch.provider_method,
            &batch.provider_kind,
            &batch.store_id,
            &batch.payout_destination_id,
        ];
        let texts: Vec<&str> = texts.iter().map(|column| column.text()).collect();
        assert_eq!(texts, ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"]);
        assert_eq!((batch.settlement.as_slice(), batch.row.as_slice()), (&[3, 3][..], &[1, 2][..]));
        assert_eq!(
            (batch.kind[0], batch.terms[1], batch.captured_at_us[1]),
            (LineKind::Refund, line(2).terms, Some(7))
        );
        assert_eq!(batch.provider_date, [line(1).provider_date; 2]);
        batch.clear();
        assert_eq!(batch, LineBatch::default());
    }

    #[test]
    fn a_batch_is_full_with_the_last_line_that_it_takes() {
        let mut batch = LineBatch::default();
        for row in 1..1_024 {
            batch.push(&line(row));
        }
        assert!(!batch.is_full());
        batch.push(&line(1_024));
        assert!(batch.is_full());
    }
}
