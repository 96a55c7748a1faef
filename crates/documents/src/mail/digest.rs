//! The mail about the payouts of a day or week.

use jiff::civil::Date;
use settlement::{Currency, Fees, Rhythm, Terms};

use super::letter::{Block, Cell, Row, Table, Tone};
use super::{Reader, Written, amounts, cell, money, subject};
use crate::labels::{filled, provider_name};
use crate::month_summary::Apart;
use crate::term::{fees_minor, gross_minor};

/// The payouts that no earlier mail to the recipient has.
#[derive(Debug, Clone, Copy)]
pub struct DigestMail<'a> {
    /// Daily or weekly.
    pub rhythm: Rhythm,
    /// The last day of the digest.
    pub until: Date,
    /// The payouts in the order of their days.
    pub payouts: &'a [DigestPayout],
    /// What has to be cleared up.
    pub apart: &'a [Apart],
}

/// One payout of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestPayout {
    /// The provider that pays.
    pub provider: String,
    /// The provider's id of the settlement.
    pub settlement_id: String,
    /// The version of the settlement; above 1 it replaces earlier mails.
    pub version: u32,
    /// The day of the payout.
    pub payout_on: Date,
    /// The text on the bank statement.
    pub bank_reference: Option<String>,
    /// Currency.
    pub currency: Currency,
    /// Decimals of the currency.
    pub exponent: u8,
    /// Sums of the lines.
    pub sums: Terms,
    /// How fees are taken.
    pub fees: Fees,
    /// The payout in minor units, below zero when the merchant owes.
    pub payout_minor: i64,
}

impl DigestMail<'_> {
    /// The mail for a reader.
    pub fn written(&self, reader: &Reader<'_>) -> Written {
        let words = reader.language.words();
        let all = || self.payouts.iter().map(|payout| (payout.payout_minor, payout.exponent, &payout.currency));
        let sum = amounts(reader.language, all());
        let day = words.day(self.until);
        let payout_days = || self.payouts.iter().map(|payout| payout.payout_on);
        let days = payout_days().min().zip(payout_days().max()).map(|(first, last)| words.days(first, last));
        let days = days.unwrap_or_else(|| day.clone());
        let number = reader.language.locale().count(u64::try_from(self.payouts.len()).unwrap_or(u64::MAX));
        let count = words.count_of_payouts(self.payouts.len(), &number);
        let texts = [
            ("{name}", reader.merchant.as_str()),
            ("{day}", &day),
            ("{days}", &days),
            ("{payouts_count}", &count),
            ("{amounts}", if sum.is_empty() { "0" } else { &sum }),
        ];
        let line = match self.rhythm {
            Rhythm::Weekly => words.weekly_subject,
            _ => words.daily_subject,
        };
        let prefix = if self.payouts.is_empty() { words.deviation } else { "" };
        let mut blocks = tables(self.payouts, reader);
        blocks.extend(apart(self.apart, reader));
        Written {
            subject: subject(&format!("{prefix}{}", filled(line, &texts))),
            letter: reader.letter(filled(words.digest_title, &texts), blocks),
        }
    }
}

/// A table for each currency; amounts of several currencies are never added.
fn tables(payouts: &[DigestPayout], reader: &Reader<'_>) -> Vec<Block> {
    let (words, labels) = (reader.language.words(), reader.language.labels());
    let mut currencies: Vec<(String, Currency, u8)> =
        payouts.iter().map(|payout| (payout.currency.to_string(), payout.currency, payout.exponent)).collect();
    currencies.sort();
    currencies.dedup();
    let table = |(code, currency, exponent): (String, Currency, u8)| {
        let own = || payouts.iter().filter(|payout| payout.currency == currency);
        let money = |minor: Option<i64>| cell(reader.language, minor, exponent);
        let gross = |payout: &DigestPayout| gross_minor(&payout.sums);
        // Invoiced fees are no part of the payout.
        let fees = |payout: &DigestPayout| match payout.fees {
            Fees::Invoiced => Some(0),
            Fees::Deducted | Fees::Unknown => fees_minor(&payout.sums),
        };
        let paid_out = |payout: &DigestPayout| Some(payout.payout_minor);
        let row = |payout: &DigestPayout| Row {
            cells: vec![
                Cell::Text(name_of(payout, reader)),
                money(gross(payout)),
                money(fees(payout)),
                money(paid_out(payout)),
            ],
            is_sum: false,
        };
        let mut rows: Vec<Row> = own().map(row).collect();
        let total = |minor: &dyn Fn(&DigestPayout) -> Option<i64>| {
            let sum: Option<i128> = own().map(|payout| minor(payout).map(i128::from)).sum();
            money(sum.and_then(|sum| i64::try_from(sum).ok()))
        };
        let totals = vec![Cell::Text(labels.total.to_owned()), total(&gross), total(&fees), total(&paid_out)];
        rows.push(Row { cells: totals, is_sum: true });
        let columns = [
            (words.payout.to_owned(), false),
            (format!("{} + {}", labels.sales, labels.refunds.to_lowercase()), true),
            (labels.fees_with_vat.to_owned(), true),
            (labels.paid_out.to_owned(), true),
        ];
        Block::Table(Table { heading: Some(format!("{}, {code}", words.payouts)), columns: columns.to_vec(), rows })
    };
    currencies.into_iter().map(table).collect()
}

/// `3. nov. 2026 Vipps 2000461 (VIPPS 2000461)`, with the version of a correction.
fn name_of(payout: &DigestPayout, reader: &Reader<'_>) -> String {
    let (words, labels) = (reader.language.words(), reader.language.labels());
    let day = words.day(payout.payout_on);
    let mut name = format!("{day} {} {}", provider_name(&payout.provider), payout.settlement_id);
    if let Some(reference) = payout.bank_reference.as_ref().filter(|reference| **reference != payout.settlement_id) {
        name.push_str(&format!(" ({reference})"));
    }
    if payout.fees == Fees::Invoiced {
        name.push_str(&format!(" – {}", labels.fees_invoiced.to_lowercase()));
    }
    if payout.version > 1 {
        let corrected = labels.corrected.replace("{version}", &payout.version.to_string());
        name.push_str(&format!(" – {} {corrected}", labels.version.to_lowercase()));
    }
    name
}

/// What has to be cleared up, in rows of its own, or a sentence that there is nothing.
pub(super) fn apart(all: &[Apart], reader: &Reader<'_>) -> Vec<Block> {
    let words = reader.language.words();
    if all.is_empty() {
        return vec![Block::Banner(Tone::Good, words.apart_none.to_owned())];
    }
    let labels = &reader.language.labels().month;
    let row = |apart: &Apart| {
        let what = apart.kind.text(reader.language.labels());
        let amount = apart.amount_minor.zip(apart.currency);
        let amount = amount.map(|(minor, currency)| money(reader.language, minor, apart.exponent, currency));
        let names = [provider_name(&apart.provider), &apart.reference];
        let name = names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
        let name = if name.is_empty() { name } else { format!(": {name}") };
        let state = if apart.state.is_empty() { String::new() } else { format!(" – {}", labels.state(&apart.state)) };
        Row {
            cells: vec![
                Cell::Text(format!("{what}{name}{state}")),
                Cell::Money(reader.language.locale().count(apart.count.unwrap_or(1))),
                Cell::Money(amount.unwrap_or_else(|| "–".to_owned())),
            ],
            is_sum: false,
        }
    };
    let columns =
        [(String::new(), false), (words.number.to_owned(), true), (reader.language.labels().amount.to_owned(), true)];
    let heading = Some(words.apart.to_owned());
    let table = Table { heading, columns: columns.to_vec(), rows: all.iter().map(row).collect() };
    vec![Block::Table(table), Block::Paragraph(labels.apart_note.to_owned())]
}
