//! The mail about a report that is held: its name, the reason, and the settlements that a person knows it by.

use jiff::civil::Date;
use settlement::{Currency, Kind, MerchantNumber, ReportId, SettlementId};

use super::letter::{Block, Cell, Row, Table, Tone};
use super::{Reader, Written, money, subject};
use crate::labels::{filled, provider_name};

/// Settlements that are named; the rest are counted.
const SETTLEMENTS_SHOWN_MAX: usize = 5;

/// A report that is held.
#[derive(Debug, Clone, Copy)]
pub struct HeldMail<'a> {
    /// The report, by which a person decides about it.
    pub report: ReportId,
    /// The name of the file at upload.
    pub file: &'a str,
    /// The provider that it was uploaded for.
    pub provider: &'a str,
    /// The first error; `None` when the process that read it ended.
    pub kind: Option<Kind>,
    /// Its first settlements, as far as they could be read.
    pub settlements: &'a [HeldPayout],
    /// How many settlements could be read.
    pub settlement_count: u64,
}

/// A settlement of a held report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPayout {
    /// The provider's number of the merchant.
    pub merchant_number: MerchantNumber,
    /// The provider's id of the settlement.
    pub settlement_id: SettlementId,
    /// The day of payout.
    pub payout_on: Date,
    /// Transaction lines.
    pub lines: u64,
    /// Currency of the amounts.
    pub currency: Currency,
    /// Decimals of the amounts.
    pub exponent: u8,
    /// What the report pays out, in minor units; `None` where it does not say.
    pub payout_minor: Option<i64>,
    /// What the version in force pays out, in minor units, where the report changes one.
    pub payout_before_minor: Option<i64>,
}

impl HeldMail<'_> {
    /// The mail for a reader.
    pub fn written(&self, reader: &Reader<'_>) -> Written {
        let words = reader.language.words();
        let texts =
            [("{name}", reader.merchant.as_str()), ("{provider}", provider_name(self.provider)), ("{file}", self.file)];
        let why = reader.language.labels().month.reasons.text(self.kind.unwrap_or(Kind::Crashed));
        let mut rows = vec![
            row(words.held_file, self.file.to_owned()),
            row(words.held_why, why),
            row(words.held_report, self.report.short()),
        ];
        rows.extend(self.settlements.iter().take(SETTLEMENTS_SHOWN_MAX).flat_map(|payout| payout.rows(reader)));
        let shown = self.settlements.len().min(SETTLEMENTS_SHOWN_MAX) as u64;
        let more = self.settlement_count.saturating_sub(shown);
        if more > 0 {
            rows.push(row("", filled(words.held_more, &[("{count}", &reader.language.locale().count(more))])));
        }
        let says = if self.kind == Some(Kind::SettlementConflict) { words.held_changes } else { words.held_nothing };
        let blocks = vec![
            Block::Banner(Tone::Bad, says.to_owned()),
            Block::Table(Table { heading: None, columns: Vec::new(), rows }),
        ];
        let line = filled(words.held_subject, &texts);
        Written {
            subject: subject(&format!("{}{line}", words.deviation)),
            letter: reader.letter(filled(words.held_title, &texts), blocks),
        }
    }
}

impl HeldPayout {
    fn rows(&self, reader: &Reader<'_>) -> [Row; 4] {
        let (labels, words) = (reader.language.labels(), reader.language.words());
        let amount = |minor| money(reader.language, minor, self.exponent, self.currency);
        let now = self.payout_minor.map_or_else(|| labels.not_stated.to_owned(), amount);
        let payout = match self.payout_before_minor.map(amount) {
            Some(before) => filled(words.held_before, &[("{now}", &now), ("{before}", &before)]),
            None => now,
        };
        [
            row(labels.settlement, format!("{}/{}", self.merchant_number, self.settlement_id)),
            row(labels.payout_on, words.day(self.payout_on)),
            row(labels.lines, reader.language.locale().count(self.lines)),
            row(labels.paid_out, payout),
        ]
    }
}

fn row(name: &str, fact: String) -> Row {
    Row { cells: vec![Cell::Text(name.to_owned()), Cell::Fact(fact)], is_sum: false }
}
