//! The mail about a calendar month.

use jiff::civil::Date;
use settlement::{Currency, Terms};

use super::digest::apart;
use super::letter::{Block, Cell, Row, Table, Tone};
use super::words::filled;
use super::{Apart, Reader, Written, amounts, money, subject};
use crate::breakdown::{NET, TERMS};
use crate::labels::provider_name;

/// A closed month, as its summary has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthMail {
    /// First day of the month.
    pub first: Date,
    /// Counts the summaries of the month from 1.
    pub revision: u32,
    /// What was paid out, by provider, payment product and currency.
    pub rows: Vec<MonthRow>,
    /// What no sum has in it.
    pub apart: Vec<Apart>,
    /// What has changed since the revision before.
    pub changes: Vec<MonthChange>,
}

/// What a provider did with one payment product in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthRow {
    /// The provider.
    pub provider: String,
    /// The payment product.
    pub payment_product: String,
    /// Currency.
    pub currency: Currency,
    /// Its decimals.
    pub exponent: u8,
    /// How many payouts have it in them.
    pub payouts: u64,
    /// Sums of its lines.
    pub sums: Terms,
    /// What was paid out, in minor units.
    pub paid_out_minor: i64,
}

/// A figure that is another than in the revision before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthChange {
    /// What brought it.
    pub name: String,
    /// Before, in minor units.
    pub before_minor: i64,
    /// Now.
    pub now_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Its decimals.
    pub exponent: u8,
}

impl MonthMail {
    /// What the mail says to a reader.
    pub fn written(&self, reader: &Reader<'_>) -> Written {
        let (language, words) = (reader.language, reader.language.words());
        let month = words.month(self.first);
        let sum = amounts(language, self.rows.iter().map(|row| (row.paid_out_minor, row.exponent, &row.currency)));
        let payouts: u64 = self.rows.iter().map(|row| row.payouts).sum();
        let count = language.locale().count(payouts);
        let revision = self.revision.to_string();
        let texts = [
            ("{name}", reader.merchant.as_str()),
            ("{month}", &month),
            ("{count}", &count),
            ("{amounts}", if sum.is_empty() { "0" } else { &sum }),
            ("{version}", &revision),
        ];
        let line = filled(words.month_subject, &texts);
        let is_corrected = self.revision > 1;
        let prefix = if is_corrected { filled(words.corrected, &texts) } else { String::new() };
        let mut blocks = Vec::new();
        if is_corrected {
            blocks.push(Block::Banner(Tone::Bad, filled(words.revision_replaces, &texts)));
            blocks.extend(self.changed(reader));
        }
        blocks.extend(self.balances(reader));
        blocks.push(self.by_product(reader));
        blocks.extend(apart(&self.apart, reader));
        let title = filled(words.month_title, &texts);
        Written { subject: subject(&format!("{prefix}{line}")), letter: reader.letter(title, blocks) }
    }

    fn changed(&self, reader: &Reader<'_>) -> Option<Block> {
        let (language, words) = (reader.language, reader.language.words());
        let change = |change: &MonthChange| {
            let MonthChange { name, before_minor, now_minor, currency, exponent } = change;
            let [before, after] = [*before_minor, *now_minor].map(|minor| money(language, minor, *exponent, *currency));
            filled(words.change, &[("{name}", name), ("{before}", &before), ("{after}", &after)])
        };
        let lines: Vec<String> = self.changes.iter().map(change).collect();
        (!lines.is_empty()).then(|| Block::List(words.changes.to_owned(), lines))
    }

    /// From what was sold to what was paid out, a column per currency.
    fn balances(&self, reader: &Reader<'_>) -> Option<Block> {
        let (locale, labels) = (reader.language.locale(), reader.language.labels());
        let mut currencies: Vec<(String, Currency, u8)> =
            self.rows.iter().map(|row| (row.currency.to_string(), row.currency, row.exponent)).collect();
        currencies.sort();
        currencies.dedup();
        if currencies.is_empty() {
            return None;
        }
        let sum = |currency: Currency, minor: &dyn Fn(&MonthRow) -> i64| {
            let own = self.rows.iter().filter(|row| row.currency == currency);
            let sum: i128 = own.map(|row| i128::from(minor(row))).sum();
            i64::try_from(sum).unwrap_or(i64::MAX)
        };
        let row = |name: &str, minor: &dyn Fn(&MonthRow) -> i64, is_sum: bool| {
            let amounts = currencies
                .iter()
                .map(|(_, currency, exponent)| Cell::Money(locale.amount(sum(*currency, minor), *exponent)));
            Row { cells: std::iter::once(Cell::Text(name.to_owned())).chain(amounts).collect(), is_sum }
        };
        let mut rows: Vec<Row> =
            TERMS.iter().map(|term| row((term.name)(labels), &|one| (term.signed_minor)(&one.sums), false)).collect();
        rows.push(row(labels.net, &|one| (NET.signed_minor)(&one.sums), true));
        rows.push(row(labels.paid_out, &|one| one.paid_out_minor, true));
        let columns = currencies.iter().map(|(code, _, _)| (code.clone(), true));
        let columns = std::iter::once((String::new(), false)).chain(columns).collect();
        Some(Block::Table(Table { heading: None, columns, rows }))
    }

    fn by_product(&self, reader: &Reader<'_>) -> Block {
        let (locale, words, labels) = (reader.language.locale(), reader.language.words(), reader.language.labels());
        let row = |row: &MonthRow| {
            let fees = row.sums.fee_minor.saturating_add(row.sums.fee_vat_minor).saturating_neg();
            Row {
                cells: vec![
                    Cell::Text(format!("{} {}", provider_name(&row.provider), row.payment_product)),
                    Cell::Money(locale.count(row.payouts)),
                    Cell::Money(locale.amount(fees, row.exponent)),
                    Cell::Money(money(reader.language, row.paid_out_minor, row.exponent, row.currency)),
                ],
                is_sum: false,
            }
        };
        let columns = [
            (words.product.to_owned(), false),
            (words.payouts.to_owned(), true),
            (labels.fees.to_owned(), true),
            (labels.paid_out.to_owned(), true),
        ];
        let rows = self.rows.iter().map(row).collect();
        Block::Table(Table { heading: Some(words.per_product.to_owned()), columns: columns.to_vec(), rows })
    }
}
