//! The mail about one payout.

use settlement::{SettlementHead, Terms};

use super::letter::{Block, Cell, Row, Table, Tone};
use super::{Reader, Written, money, subject};
use crate::breakdown::{NET, Part, PartName};
use crate::deviation::Deviation;
use crate::dintero_report::DinteroReport;
use crate::labels::filled;
use crate::value::Value;

/// So many lines are named that a person should look at; the rest are counted.
const LINES_SHOWN_MAX: usize = 10;

/// One settlement that counts, proved exactly.
#[derive(Debug, Clone, Copy)]
pub struct PayoutMail<'a> {
    /// The settlement, in the reader's language.
    pub report: DinteroReport<'a>,
    /// What its lines were matched with; `None` where nobody knows the merchant's transactions.
    pub matched: Option<&'a Matched>,
}

/// What the lines of a settlement were matched with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matched {
    /// Lines that may be a transaction.
    pub lines: u64,
    /// Those of them that are one.
    pub found: u64,
    /// The first of the others.
    pub to_see: Vec<LineToSee>,
}

/// A line that is no transaction of the merchant's for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineToSee {
    /// Row of the report.
    pub line_no: i64,
    /// The order it names.
    pub order_reference: Option<String>,
    /// Its net in minor units; `None` when it is not known.
    pub net_minor: Option<i64>,
    /// The word of its state.
    pub state: String,
}

impl Matched {
    /// Adds a line: the first that a person should look at are kept, the others counted.
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
    /// What the mail says to a reader.
    pub fn written(&self, reader: &Reader<'_>) -> Written {
        let (language, words) = (reader.language, reader.language.words());
        let head = &self.report.settlement.head;
        let payout_minor = self.report.settlement.payout_minor.unwrap_or(0);
        let amount = money(language, payout_minor, head.exponent, head.currency);
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
        let owed = money(language, payout_minor.saturating_neg(), head.exponent, head.currency);
        let title = if payout_minor < 0 {
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

    /// From what was sold to what is paid out; terms that no line has are left out.
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
                _ => labels.not_stated.to_owned(),
            };
            Row { cells: vec![Cell::Text(row.name.to_owned()), Cell::Money(amount)], is_sum: row.is_sum }
        });
        let columns = vec![(String::new(), false), (head.currency.to_string(), true)];
        Table { heading: None, columns, rows: rows.collect() }
    }

    /// What the payout is found by on the bank statement.
    fn facts(&self, day: &str) -> Table {
        let (labels, settlement) = (self.report.language.labels(), self.report.settlement);
        let Value::Text(reference) = self.report.bank_reference() else { return Table::default() };
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
        let row = |name: String, lines: u64, sums: &Terms, is_sum: bool| {
            let exponent = self.report.settlement.head.exponent;
            let locale = self.report.language.locale();
            let gross = sums.capture_minor.saturating_add(sums.refund_minor);
            let fees = sums.fee_minor.saturating_add(sums.fee_vat_minor).saturating_neg();
            let amounts =
                [gross, fees, (NET.signed_minor)(sums)].map(|minor| Cell::Money(locale.amount(minor, exponent)));
            let first = [Cell::Text(name), Cell::Money(locale.count(lines))];
            Row { cells: first.into_iter().chain(amounts).collect(), is_sum }
        };
        let mut rows: Vec<Row> =
            parts.iter().map(|part| row(self.name_of(part), part.lines, &part.sums, false)).collect();
        let settlement = self.report.settlement;
        rows.push(row(labels.total.to_owned(), settlement.lines, &settlement.sums, true));
        let columns = [
            (labels.method.to_owned(), false),
            (labels.lines.to_owned(), true),
            (format!("{} + {}", labels.sales, labels.refunds.to_lowercase()), true),
            (labels.fees.to_owned(), true),
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

    /// Lines that a person should look at.
    fn open_lines(&self, reader: &Reader<'_>) -> Option<Block> {
        let matched = self.matched.filter(|matched| !matched.to_see.is_empty())?;
        let (words, head) = (reader.language.words(), &self.report.settlement.head);
        let mut lines: Vec<String> = Vec::new();
        for line in &matched.to_see {
            let state = reader.language.labels().month.state(&line.state);
            lines.push(told(reader, head, line.order_reference.as_deref(), line.line_no, line.net_minor, &state));
        }
        let shown = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let more = matched.lines.saturating_sub(matched.found).saturating_sub(shown);
        if more > 0 {
            lines.push(filled(words.more, &[("{count}", &reader.language.locale().count(more))]));
        }
        Some(Block::List(words.deviations.to_owned(), lines))
    }

    /// What the report itself says that a person should look at, such as chargebacks.
    fn deviations(&self, reader: &Reader<'_>) -> Option<Block> {
        let (named, more) = self.report.breakdown.deviations.first(LINES_SHOWN_MAX);
        let (labels, head) = (reader.language.labels(), &self.report.settlement.head);
        let one = |deviation: &Deviation| {
            let Deviation { reference, line_no, net_minor, .. } = deviation;
            told(reader, head, reference.as_deref(), *line_no, Some(*net_minor), &deviation.text(labels))
        };
        let mut lines: Vec<String> = named.iter().map(one).collect();
        if more > 0 {
            lines.push(filled(reader.language.words().more, &[("{count}", &reader.language.locale().count(more))]));
        }
        (!lines.is_empty()).then(|| Block::List(labels.deviations.to_owned(), lines))
    }
}

/// `ORDER-1, row 7, NOK -25.00: what it is`; what is not known is left out.
fn told(
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
