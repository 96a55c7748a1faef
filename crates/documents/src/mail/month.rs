//! The mail about a calendar month, made from its summary.

use settlement::Currency;

use super::digest::apart;
use super::letter::{Block, Cell, Row, Table, Tone};
use super::{Reader, Written, amounts, cell, money, subject};
use crate::labels::{filled, provider_name};
use crate::month_summary::{Difference, DifferenceOf, Figures, MonthSummary, product_of};
use crate::term::{NET, TERMS, fees_minor};

/// The most changes that are named; the summary has all of them.
const CHANGES_MAX: usize = 10;

/// A month that is over.
#[derive(Debug, Clone, Copy)]
pub struct MonthMail<'a>(pub &'a MonthSummary);

impl MonthMail<'_> {
    /// The mail for a reader.
    pub fn written(&self, reader: &Reader<'_>) -> Written {
        let MonthMail(MonthSummary { month, revision, content, .. }) = self;
        let (language, words) = (reader.language, reader.language.words());
        let month = language.labels().month.name_of(*month);
        let sum =
            amounts(language, content.figures.iter().map(|row| (row.paid_out_minor, row.exponent, &row.currency)));
        let number = language.locale().count(content.payouts.len() as u64);
        let count = words.count_of_payouts(content.payouts.len(), &number);
        let texts = [
            ("{name}", reader.merchant.as_str()),
            ("{month}", &month),
            ("{payouts_count}", &count),
            ("{amounts}", if sum.is_empty() { "0" } else { &sum }),
            ("{version}", &revision.to_string()),
        ];
        let line = filled(words.month_subject, &texts);
        let is_corrected = *revision > 1;
        let prefix = if is_corrected { filled(words.corrected, &texts) } else { String::new() };
        let mut blocks = Vec::new();
        if is_corrected {
            blocks.push(Block::Banner(Tone::Bad, filled(words.revision_replaces, &texts)));
            blocks.extend(self.changed(reader));
        }
        blocks.extend(self.balances(reader));
        blocks.push(self.by_product(reader));
        blocks.extend(apart(&self.0.content.apart, reader));
        let title = filled(words.month_title, &texts);
        Written { subject: subject(&format!("{prefix}{line}")), letter: reader.letter(title, blocks) }
    }

    /// The payouts that differ from the previous version, settlement by settlement.
    fn changed(&self, reader: &Reader<'_>) -> Option<Block> {
        let (language, words) = (reader.language, reader.language.words());
        let payouts = self.0.differences.iter();
        let payouts =
            payouts.filter(|difference| difference.of == DifferenceOf::Payout && difference.term == "paid_out");
        let change = |change: &Difference| {
            let currency = change.currency?;
            let shown = |minor: Option<i64>| {
                let nothing = || reader.language.labels().not_stated.to_owned();
                minor.map_or_else(nothing, |minor| money(language, minor, change.exponent, currency))
            };
            let name = format!("{} {}", provider_name(&change.provider), change.subject);
            let (before, after) = (shown(change.before_minor), shown(change.after_minor));
            Some(filled(words.change, &[("{name}", &name), ("{before}", &before), ("{after}", &after)]))
        };
        let lines: Vec<String> = payouts.filter_map(change).take(CHANGES_MAX).collect();
        (!lines.is_empty()).then(|| Block::List(words.changes.to_owned(), lines))
    }

    /// The calculation from sales to the payouts, a column per currency.
    fn balances(&self, reader: &Reader<'_>) -> Option<Block> {
        let labels = reader.language.labels();
        let figures = &self.0.content.figures;
        let mut currencies: Vec<(String, Currency, u8)> =
            figures.iter().map(|row| (row.currency.to_string(), row.currency, row.exponent)).collect();
        currencies.sort();
        currencies.dedup();
        if currencies.is_empty() {
            return None;
        }
        let sum = |currency: Currency, minor: &dyn Fn(&Figures) -> Option<i64>| {
            let own = figures.iter().filter(|row| row.currency == currency);
            let sum: Option<i128> = own.map(|row| minor(row).map(i128::from)).sum();
            sum.and_then(|sum| i64::try_from(sum).ok())
        };
        let row = |name: &str, minor: &dyn Fn(&Figures) -> Option<i64>, is_sum: bool| {
            let amounts = currencies
                .iter()
                .map(|(_, currency, exponent)| cell(reader.language, sum(*currency, minor), *exponent));
            Row { cells: std::iter::once(Cell::Text(name.to_owned())).chain(amounts).collect(), is_sum }
        };
        let mut rows: Vec<Row> =
            TERMS.iter().map(|term| row((term.name)(labels), &|one| term.minor(&one.sums), false)).collect();
        rows.push(row(labels.net, &|one| NET.minor(&one.sums), true));
        // The rows between the net and the payouts, where they are not zero.
        if figures.iter().any(|row| row.invoiced_minor != 0) {
            rows.push(row(labels.invoiced_apart, &|one| Some(one.invoiced_minor), false));
        }
        if figures.iter().any(|row| row.carried_minor != 0) {
            rows.push(row(labels.month.carried, &|one| Some(one.carried_minor), false));
        }
        rows.push(row(labels.paid_out, &|one| Some(one.paid_out_minor), true));
        let columns = currencies.iter().map(|(code, _, _)| (code.clone(), true));
        let columns = std::iter::once((String::new(), false)).chain(columns).collect();
        Some(Block::Table(Table { heading: None, columns, rows }))
    }

    fn by_product(&self, reader: &Reader<'_>) -> Block {
        let (locale, words, labels) = (reader.language.locale(), reader.language.words(), reader.language.labels());
        let row = |row: &Figures| Row {
            cells: vec![
                Cell::Text(format!("{}: {}", provider_name(&row.provider), product_of(row, labels))),
                Cell::Money(locale.count(row.lines)),
                cell(reader.language, fees_minor(&row.sums), row.exponent),
                Cell::Money(money(reader.language, row.paid_out_minor, row.exponent, row.currency)),
            ],
            is_sum: false,
        };
        let columns = [
            (words.product.to_owned(), false),
            (labels.lines.to_owned(), true),
            (labels.fees_with_vat.to_owned(), true),
            (labels.paid_out.to_owned(), true),
        ];
        let rows = self.0.content.figures.iter().map(row).collect();
        Block::Table(Table { heading: Some(words.per_product.to_owned()), columns: columns.to_vec(), rows })
    }
}
