//! The mail about one payout.

use settlement::{SettlementHead, Terms};

use super::letter::{Block, Cell, Row, Table, Tone};
use super::{Reader, Written, cell, money, subject};
use crate::breakdown::{Part, PartName};
use crate::deviation::Deviation;
use crate::dintero_report::DinteroReport;
use crate::labels::filled;
use crate::term::{NET, fees_minor, gross_minor};
use crate::value::Value;

/// The most lines that are named for a person to look at; the rest are counted.
const LINES_SHOWN_MAX: usize = 10;

/// One settlement in force that is proved exactly.
#[derive(Debug, Clone, Copy)]
pub struct PayoutMail<'a> {
    /// The Dintero report of the settlement, in the reader's language.
    pub report: DinteroReport<'a>,
    /// The matches of its lines; `None` where no transactions of the merchant are known.
    pub matched: Option<&'a Matched>,
}

/// The matches of a settlement's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matched {
    /// Number of lines about one payment.
    pub lines: u64,
    /// Number of those lines that are matched.
    pub found: u64,
    /// The first lines that are not matched.
    pub to_see: Vec<LineToSee>,
}

/// A line that is not matched with a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineToSee {
    /// Row of the report.
    pub line_no: i64,
    /// The order reference of the line.
    pub order_reference: Option<String>,
    /// Net of the line in minor units; `None` when it is not known.
    pub net_minor: Option<i64>,
    /// The word of its match state.
    pub state: String,
}

impl Matched {
    /// Adds a line: the first lines for a person to look at are kept, the others counted.
    pub fn add(&mut self, state: &str, line: impl FnOnce() -> LineToSee) {
        if state == "not_a_transaction" {
            return;
        }
        self.lines += 1;
        if state == "matched" {
            self.found += 1;
        } else if self.to_see.len() < LINES_SHOWN_MAX {
            self.to_see.push(line());
        }
    }
}

impl PayoutMail<'_> {
    /// The mail for a reader.
    pub fn written(&self, reader: &Reader<'_>) -> Written {
        let (language, words) = (reader.language, reader.language.words());
        let head = &self.report.settlement.head;
        let payout_minor = self.report.settlement.payout_minor;
        let amount_of = |minor: Option<i64>| {
            let not_stated = || language.labels().not_stated.to_owned();
            minor.map_or_else(not_stated, |minor| money(language, minor, head.exponent, head.currency))
        };
        let amount = amount_of(payout_minor);
        let day = words.day(head.payout_on);
        let provider = self.report.provider();
        let texts = [
            ("{name}", reader.merchant.as_str()),
            ("{provider}", provider),
            ("{day}", &day),
            ("{amount}", &amount),
            ("{settlement}", &head.settlement_id),
        ];
        let line = filled(words.payout_subject, &texts);
        let version = self.report.version.to_string();
        let version = [("{version}", version.as_str())];
        let is_corrected = self.report.version > 1;
        let prefix = if is_corrected { filled(words.corrected, &version) } else { String::new() };
        let owed = amount_of(payout_minor.and_then(i64::checked_neg));
        let title = if payout_minor.is_some_and(|minor| minor < 0) {
            let texts = [("{provider}", provider), ("{day}", day.as_str()), ("{amount}", owed.as_str())];
            filled(words.owed, &texts)
        } else {
            filled(words.paid, &texts)
        };
        let mut blocks = Vec::new();
        if is_corrected {
            blocks.push(Block::Banner(Tone::Bad, filled(words.replaces, &version)));
        }
        blocks.push(Block::Table(self.balance()));
        let proof = format!("{}: {}", language.labels().proof, self.report.proof_line());
        blocks.push(Block::Banner(Tone::Good, proof));
        blocks.extend(self.matched.map(|matched| Block::Paragraph(found(matched, reader))));
        blocks.extend(self.open_lines(reader));
        blocks.extend(self.deviations(reader));
        blocks.push(Block::Table(self.facts(&day)));
        blocks.extend(self.methods().map(Block::Table));
        Written { subject: subject(&format!("{prefix}{line}")), letter: reader.letter(title, blocks) }
    }

    /// The calculation from sales to the payout; rarer terms of zero are left out.
    fn balance(&self) -> Table {
        let labels = self.report.language.labels();
        let always = [labels.sales, labels.refunds, labels.fees, labels.fee_vat];
        let head = &self.report.settlement.head;
        let locale = self.report.language.locale();
        let rows = self
            .report
            .balance()
            .into_iter()
            .filter(|row| row.is_sum || always.contains(&row.name) || !matches!(row.value, Value::Amount(0)));
        let rows = rows.map(|row| {
            let amount = match row.value {
                Value::Amount(minor) => locale.amount(minor, head.exponent),
                Value::Text(words) => words,
                Value::Count(_) | Value::Date(_) => labels.not_stated.to_owned(),
            };
            Row { cells: vec![Cell::Text(row.name.to_owned()), Cell::Money(amount)], is_sum: row.is_sum }
        });
        let columns = vec![(String::new(), false), (head.currency.to_string(), true)];
        Table { heading: None, columns, rows: rows.collect() }
    }

    /// How to find the payout on the bank statement.
    fn facts(&self, day: &str) -> Table {
        let (labels, settlement) = (self.report.language.labels(), self.report.settlement);
        let reference = settlement.bank_reference.clone().unwrap_or_else(|| labels.not_stated.to_owned());
        let bank_account = settlement.bank_account.as_ref().map(|last| (labels.bank_account, format!("•••• {last}")));
        let facts = [(labels.payout_on, day.to_owned())].into_iter().chain(bank_account).chain([
            (labels.bank_reference, reference),
            (labels.settlement, settlement.head.settlement_id.to_string()),
            (labels.merchant_number, settlement.head.merchant_number.to_string()),
        ]);
        let row = |(name, fact): (&str, String)| Row {
            cells: vec![Cell::Text(name.to_owned()), Cell::Fact(fact)],
            is_sum: false,
        };
        Table { heading: Some(labels.paid_out.to_owned()), columns: Vec::new(), rows: facts.map(row).collect() }
    }

    /// The settlement by payment method.
    fn methods(&self) -> Option<Table> {
        let labels = self.report.language.labels();
        let parts = self.report.breakdown.methods();
        let is_told = parts.iter().any(|part| matches!(part.name, PartName::Named(_)));
        if !is_told {
            return None;
        }
        let row = |name: String, lines: u64, sums: Option<&Terms>, is_sum: bool| {
            let (language, exponent) = (self.report.language, self.report.settlement.head.exponent);
            let locale = language.locale();
            let amounts = [gross_minor, fees_minor, |sums: &Terms| NET.minor(sums)];
            let amounts =
                amounts.map(|minor: fn(&Terms) -> Option<i64>| cell(language, sums.and_then(minor), exponent));
            let first = [Cell::Text(name), Cell::Money(locale.count(lines))];
            Row { cells: first.into_iter().chain(amounts).collect(), is_sum }
        };
        let mut rows: Vec<Row> =
            parts.iter().map(|part| row(self.name_of(part), part.lines, part.sums.as_ref(), false)).collect();
        let settlement = self.report.settlement;
        rows.push(row(labels.total.to_owned(), settlement.lines, Some(&settlement.sums), true));
        let columns = [
            (labels.method.to_owned(), false),
            (labels.lines.to_owned(), true),
            (format!("{} + {}", labels.sales, labels.refunds.to_lowercase()), true),
            (labels.fees_with_vat.to_owned(), true),
            (labels.net.to_owned(), true),
        ];
        Some(Table { heading: Some(labels.per_method.to_owned()), columns: columns.to_vec(), rows })
    }

    fn name_of(&self, part: &Part) -> String {
        let labels = self.report.language.labels();
        match &part.name {
            PartName::Named(name) => name.clone(),
            PartName::Unnamed => labels.not_stated.to_owned(),
            PartName::Others => labels.others.to_owned(),
        }
    }

    /// Lines that are not matched.
    fn open_lines(&self, reader: &Reader<'_>) -> Option<Block> {
        let matched = self.matched.filter(|matched| !matched.to_see.is_empty())?;
        let (words, head) = (reader.language.words(), &self.report.settlement.head);
        let mut lines: Vec<String> = Vec::new();
        for line in &matched.to_see {
            let state = reader.language.labels().month.state_of_line(&line.state, line.net_minor);
            lines.push(line_to_see(
                reader,
                head,
                line.order_reference.as_deref(),
                line.line_no,
                line.net_minor,
                &state,
            ));
        }
        let shown = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let more = matched.lines.saturating_sub(matched.found).saturating_sub(shown);
        if more > 0 {
            lines.push(filled(words.more, &[("{count}", &reader.language.locale().count(more))]));
        }
        Some(Block::List(words.deviations.to_owned(), lines))
    }

    /// Lines that a person should look at by what the report says, such as chargebacks.
    fn deviations(&self, reader: &Reader<'_>) -> Option<Block> {
        let (named, more) = self.report.breakdown.deviations.first(LINES_SHOWN_MAX);
        let (labels, head) = (reader.language.labels(), &self.report.settlement.head);
        let one = |deviation: &Deviation| {
            let Deviation { reference, line_no, net_minor, .. } = deviation;
            line_to_see(reader, head, reference.as_deref(), *line_no, *net_minor, &deviation.text(labels))
        };
        let mut lines: Vec<String> = named.iter().map(one).collect();
        if more > 0 {
            lines.push(filled(reader.language.words().more, &[("{count}", &reader.language.locale().count(more))]));
        }
        (!lines.is_empty()).then(|| Block::List(labels.deviations.to_owned(), lines))
    }
}

/// `ORDER-1, row 7, -25.00 NOK: what it is`; unknown parts are left out.
fn line_to_see(
    reader: &Reader<'_>,
    head: &SettlementHead,
    reference: Option<&str>,
    line_no: i64,
    net_minor: Option<i64>,
    what: &str,
) -> String {
    let row = filled(reader.language.words().line_no, &[("{row}", &line_no.to_string())]);
    let row = (line_no > 0).then_some(row);
    let amount = net_minor.map(|minor| money(reader.language, minor, head.exponent, head.currency));
    let parts: Vec<String> = reference.map(str::to_owned).into_iter().chain(row).chain(amount).collect();
    format!("{}: {what}", parts.join(", "))
}

fn found(matched: &Matched, reader: &Reader<'_>) -> String {
    let locale = reader.language.locale();
    let (found, lines) = (locale.count(matched.found), locale.count(matched.lines));
    filled(reader.language.words().found, &[("{found}", &found), ("{lines}", &lines)])
}
