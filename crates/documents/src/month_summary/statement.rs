//! The content of the forms for people: facts, checks and sections of rows. Amounts are signed towards the merchant, so
//! that each row adds up.

use jiff::civil::Date;
use settlement::Terms;

use super::MonthSummary;
use super::check::{CurrencyTotal, not_countable};
use super::content::{ApartKind, Figures, FiguresOf};
use super::difference::{Change, Difference, DifferenceOf};
use crate::error::DocumentError;
use crate::labels::{Labels, Language, provider_name};
use crate::term::TERMS;

/// The value of a cell, in every form the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    Text(String),
    /// Minor units with the decimals of their currency.
    Amount(i64, u8),
    Count(u64),
    Day(Option<Date>),
    Nothing,
}

/// The kind of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnKind {
    /// Words and days, aligned to the left.
    Text,
    /// Numbers without a sum, aligned to the right.
    Number,
    /// Amounts, which have a sum where all are of one currency.
    Amount,
}

/// A column of a section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    /// Width in characters on a sheet.
    pub(super) width: u32,
    pub(super) kind: ColumnKind,
    /// Whether paper leaves the column out when all of its cells are zero or empty.
    pub(super) may_be_left_out: bool,
}

/// The part of the summary that a section shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Figures,
    Bridge,
    InTransit,
    Payouts,
    Apart,
    Differences,
}

/// A table with its title.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) part: Part,
    pub(super) title: String,
    /// ASCII letters that distinguish sections of one part.
    pub(super) code: String,
    pub(super) note: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Shown>>,
    /// Sums of the rows, for sections in one currency.
    pub(super) total: Option<Vec<Shown>>,
    pub(super) exponent: u8,
}

fn text(name: &'static str, width: u32) -> Column {
    Column { name, width, kind: ColumnKind::Text, may_be_left_out: false }
}

fn number(name: &'static str, width: u32) -> Column {
    Column { name, width, kind: ColumnKind::Number, may_be_left_out: false }
}

fn amount(name: &'static str) -> Column {
    Column { kind: ColumnKind::Amount, ..number(name, 14) }
}

fn optional(column: Column) -> Column {
    Column { may_be_left_out: true, ..column }
}

fn some(value: Option<&str>) -> Shown {
    value.filter(|value| !value.is_empty()).map_or(Shown::Nothing, |value| Shown::Text(value.to_owned()))
}

/// Terms as columns; paper may leave out all but sales, refunds and fees.
fn term_columns(labels: &Labels) -> impl Iterator<Item = Column> {
    let columns: Vec<Column> = TERMS.iter().map(|term| amount((term.name)(labels))).collect();
    columns.into_iter().enumerate().map(|(place, column)| if place < 3 { column } else { optional(column) })
}

fn terms(sums: &Terms, exponent: u8, labels: &Labels) -> impl Iterator<Item = Shown> {
    let words = labels.not_countable;
    let shown = move |minor: Option<i64>| match minor {
        Some(minor) => Shown::Amount(minor, exponent),
        None => Shown::Text(words.to_owned()),
    };
    TERMS.iter().map(move |term| shown(term.minor(sums)))
}

/// All sections in order.
///
/// # Errors
/// When a sum is beyond the range of `i64`.
pub(super) fn sections(summary: &MonthSummary, language: Language) -> Result<Vec<Section>, DocumentError> {
    let labels = language.labels();
    let totals = summary.content.totals()?;
    let mut sections = Vec::new();
    sections.extend(totals.iter().map(|total| figures(summary, total, labels)));
    for total in &totals {
        sections.push(bridge(summary, total, labels)?);
    }
    sections.extend(totals.iter().map(|total| in_transit(summary, total, labels)));
    sections.extend(totals.iter().filter(|total| total.payouts > 0).map(|total| payouts(summary, total, labels)));
    sections.push(apart(summary, labels));
    if !summary.differences.is_empty() {
        sections.push(differences(summary, labels));
    }
    Ok(sections)
}

fn section(part: Part, title: &str, note: &str, total: &CurrencyTotal) -> Section {
    let code = total.currency.to_string();
    let (title, exponent) = (format!("{title} ({code})"), total.exponent);
    Section { part, title, code, note: note.to_owned(), columns: Vec::new(), rows: Vec::new(), total: None, exponent }
}

/// The product of figures, or in words what else they are of.
pub(crate) fn product_of(row: &Figures, labels: &Labels) -> String {
    match row.of {
        FiguresOf::Product => row.payment_product.clone().unwrap_or_default(),
        other => labels.month.state(other.as_str()),
    }
}

fn figures(summary: &MonthSummary, total: &CurrencyTotal, labels: &Labels) -> Section {
    let (month, exponent) = (&labels.month, total.exponent);
    let mut columns = vec![text(month.provider, 22), text(month.product, 34), number(labels.lines, 10)];
    columns.extend(term_columns(labels));
    columns.push(optional(amount(labels.invoiced_apart)));
    columns.push(optional(amount(month.carried)));
    columns.push(amount(labels.paid_out));
    let own = summary.content.figures.iter().filter(|row| row.currency == total.currency);
    let rows = own.map(|row| {
        let provider = provider_name(&row.provider).to_owned();
        let mut cells = vec![Shown::Text(provider), Shown::Text(product_of(row, labels)), Shown::Count(row.lines)];
        cells.extend(terms(&row.sums, exponent, labels));
        cells.extend([row.invoiced_minor, row.carried_minor, row.paid_out_minor].map(|m| Shown::Amount(m, exponent)));
        cells
    });
    let mut sums = vec![Shown::Text(labels.total.to_owned()), Shown::Nothing, Shown::Count(total.lines)];
    sums.extend(terms(&total.sums, exponent, labels));
    sums.extend([total.invoiced_minor, total.carried_minor, total.paid_out_minor].map(|m| Shown::Amount(m, exponent)));
    let rows = rows.collect();
    Section { columns, rows, total: Some(sums), ..section(Part::Figures, month.figures, month.figures_note, total) }
}

fn bridge(summary: &MonthSummary, total: &CurrencyTotal, labels: &Labels) -> Result<Section, DocumentError> {
    let (month, exponent) = (&labels.month, total.exponent);
    let mut columns = vec![text(month.provider, 22), text(month.product, 34), amount(month.opening)];
    columns.extend(term_columns(labels));
    columns.push(amount(labels.paid_out));
    columns.push(amount(month.closing));
    let own = || summary.content.bridge.iter().filter(|row| row.currency == total.currency);
    let rows = own().map(|row| {
        let product = row.payment_product.as_deref().unwrap_or(month.no_product);
        let provider = provider_name(&row.provider).to_owned();
        let mut cells = vec![Shown::Text(provider), Shown::Text(product.to_owned())];
        cells.push(Shown::Amount(row.opening_minor, exponent));
        cells.extend(terms(&row.happened, exponent, labels));
        cells.extend([row.paid_out_minor.saturating_neg(), row.closing_minor].map(|m| Shown::Amount(m, exponent)));
        cells
    });
    let mut happened = settlement::TermSums::default();
    own().for_each(|row| happened.add(&row.happened));
    let happened = happened.terms().ok_or_else(|| not_countable(total.currency))?;
    let mut sums = vec![Shown::Text(labels.total.to_owned()), Shown::Nothing];
    sums.push(Shown::Amount(total.opening_minor, exponent));
    sums.extend(terms(&happened, exponent, labels));
    sums.extend([total.paid_out_minor.saturating_neg(), total.closing_minor].map(|m| Shown::Amount(m, exponent)));
    let rows = rows.collect();
    Ok(Section {
        columns,
        rows,
        total: Some(sums),
        ..section(Part::Bridge, month.bridge_title, month.bridge_note, total)
    })
}

fn in_transit(summary: &MonthSummary, total: &CurrencyTotal, labels: &Labels) -> Section {
    let (month, exponent) = (&labels.month, total.exponent);
    let columns = vec![
        text(month.provider, 22),
        text(month.product, 34),
        text(month.state, 30),
        text(labels.payout_on, 12),
        optional(text(labels.merchant_number, 14)),
        optional(text(labels.settlement, 24)),
        amount(labels.amount),
    ];
    let own = summary.content.in_transit.iter().filter(|part| part.currency == total.currency);
    let rows = own.map(|part| {
        vec![
            Shown::Text(provider_name(&part.provider).to_owned()),
            Shown::Text(part.payment_product.clone().unwrap_or_else(|| month.no_product.to_owned())),
            Shown::Text(month.state(part.state.as_str())),
            Shown::Day(part.payout_on),
            some(part.merchant_number.as_deref()),
            some(Some(&part.settlements.join(", "))),
            Shown::Amount(part.amount_minor, exponent),
        ]
    });
    let mut sums = vec![Shown::Text(labels.total.to_owned())];
    sums.extend(std::iter::repeat_n(Shown::Nothing, 5));
    sums.push(Shown::Amount(total.closing_minor, exponent));
    let rows = rows.collect();
    Section { columns, rows, total: Some(sums), ..section(Part::InTransit, month.transit, month.transit_note, total) }
}

fn payouts(summary: &MonthSummary, total: &CurrencyTotal, labels: &Labels) -> Section {
    let (month, exponent) = (&labels.month, total.exponent);
    let mut columns = vec![
        text(labels.payout_on, 12),
        text(month.provider, 18),
        text(labels.merchant_number, 14),
        text(labels.settlement, 18),
        number(labels.version, 9),
        optional(text(labels.bank_reference, 22)),
        optional(text(labels.bank_account, 11)),
        number(labels.lines, 10),
    ];
    columns.extend(term_columns(labels));
    columns.push(optional(amount(labels.invoiced_apart)));
    columns.push(optional(amount(month.carried)));
    columns.push(amount(labels.paid_out));
    let own = summary.content.payouts.iter().filter(|payout| payout.currency == total.currency);
    let rows = own.map(|payout| {
        let account = payout.bank_account.as_ref().map(|last| format!("•••• {last}"));
        let mut cells = vec![
            Shown::Day(Some(payout.payout_on)),
            Shown::Text(provider_name(&payout.provider).to_owned()),
            Shown::Text(payout.merchant_number.clone()),
            Shown::Text(payout.settlement_id.clone()),
            Shown::Count(u64::from(payout.version)),
            some(payout.bank_reference.as_deref()),
            some(account.as_deref()),
            Shown::Count(payout.lines),
        ];
        cells.extend(terms(&payout.sums, exponent, labels));
        let rest = [payout.invoiced_minor(), payout.carried_minor(), payout.payout_minor];
        cells.extend(rest.map(|minor| Shown::Amount(minor, exponent)));
        cells
    });
    let mut sums = vec![Shown::Text(labels.total.to_owned())];
    sums.extend(std::iter::repeat_n(Shown::Nothing, 6));
    sums.push(Shown::Count(total.lines));
    sums.extend(terms(&total.sums, exponent, labels));
    sums.extend([total.invoiced_minor, total.carried_minor, total.paid_out_minor].map(|m| Shown::Amount(m, exponent)));
    let rows = rows.collect();
    Section { columns, rows, total: Some(sums), ..section(Part::Payouts, month.payouts, month.payouts_note, total) }
}

fn apart(summary: &MonthSummary, labels: &Labels) -> Section {
    let month = &labels.month;
    let columns = vec![
        text(month.what, 34),
        text(month.provider, 18),
        text(labels.reference, 40),
        optional(text(labels.merchant_number, 14)),
        text(labels.day, 12),
        text(month.state, 36),
        number(month.count, 10),
        amount(labels.amount),
        text(labels.currency, 9),
    ];
    let rows = summary.content.apart.iter().map(|apart| {
        vec![
            Shown::Text(apart.kind.text(labels).to_owned()),
            Shown::Text(provider_name(&apart.provider).to_owned()),
            some(Some(&apart.reference)),
            some(apart.merchant_number.as_deref()),
            Shown::Day(apart.day),
            some(Some(&month.state(&apart.state))),
            apart.count.filter(|_| apart.kind != ApartKind::HeldReport).map_or(Shown::Nothing, Shown::Count),
            apart.amount_minor.map_or(Shown::Nothing, |minor| Shown::Amount(minor, apart.exponent)),
            some(apart.currency.as_ref().map(|currency| currency.as_str())),
        ]
    });
    let rows: Vec<Vec<Shown>> = rows.collect();
    let note = if rows.is_empty() { month.apart_none } else { month.apart_note };
    let (title, note, code) = (month.apart.to_owned(), note.to_owned(), String::new());
    Section { part: Part::Apart, title, code, note, columns, rows, total: None, exponent: 2 }
}

fn differences(summary: &MonthSummary, labels: &Labels) -> Section {
    let month = &labels.month;
    let columns = vec![
        text(month.part, 26),
        text(month.provider, 18),
        text(labels.reference, 30),
        optional(text(labels.merchant_number, 14)),
        text(labels.day, 12),
        text(month.what, 26),
        text(month.change, 10),
        amount(month.before),
        amount(month.after),
        text(labels.currency, 9),
    ];
    let rows = summary.differences.iter().map(|difference| {
        let shown = |minor: Option<i64>| match minor {
            Some(minor) if difference.currency.is_none() || difference.term == "count" => Shown::Amount(minor, 0),
            Some(minor) => Shown::Amount(minor, difference.exponent),
            None => Shown::Nothing,
        };
        let is_amount = difference.term != "count";
        let currency = difference.currency.as_ref().filter(|_| is_amount).map(|currency| currency.as_str());
        let (part, what) = words(difference, labels);
        vec![
            Shown::Text(part.to_owned()),
            Shown::Text(provider_name(&difference.provider).to_owned()),
            some(Some(&subject(difference, labels))),
            some(difference.merchant_number.as_deref()),
            Shown::Day(difference.day),
            Shown::Text(what),
            Shown::Text(change(difference.change, labels).to_owned()),
            shown(difference.before_minor),
            shown(difference.after_minor),
            some(currency),
        ]
    });
    let before = summary.revision.saturating_sub(1).to_string();
    let (title, note) = (month.differences.replace("{before}", &before), month.differences_note.to_owned());
    let rows = rows.collect();
    Section { part: Part::Differences, title, code: String::new(), note, columns, rows, total: None, exponent: 2 }
}

fn change(change: Change, labels: &Labels) -> &'static str {
    match change {
        Change::New => labels.month.is_new,
        Change::Gone => labels.month.is_gone,
        Change::Changed => labels.month.is_changed,
    }
}

/// A settlement with its version, a product, or the name of a row without a product.
fn subject(difference: &Difference, labels: &Labels) -> String {
    let month = &labels.month;
    match (difference.of, difference.version) {
        (DifferenceOf::Payout, Some(version)) if version > 1 => format!("{} (v{version})", difference.subject),
        (DifferenceOf::Figures, _) if difference.subject.is_empty() => month.state(&difference.state),
        (DifferenceOf::Bridge, _) if difference.subject.is_empty() => month.no_product.to_owned(),
        _ => difference.subject.clone(),
    }
}

/// The part of the summary and the name of the amount.
fn words(difference: &Difference, labels: &Labels) -> (&'static str, String) {
    let month = &labels.month;
    let is_settlement = difference.of == DifferenceOf::Payout;
    let term = match difference.term.as_str() {
        "capture" => labels.sales,
        "refund" => labels.refunds,
        "fee" => labels.fees,
        "fee_vat" => labels.fee_vat,
        "chargeback" => labels.chargebacks,
        "reserve" => labels.reserves,
        "adjustment" => labels.adjustments,
        "paid_out" => labels.paid_out,
        "invoiced" => labels.invoiced_apart,
        "carried" => month.carried,
        "opening" if is_settlement => labels.opening,
        "closing" if is_settlement => labels.closing,
        "opening" => month.opening,
        "closing" => month.closing,
        "count" => month.count,
        _ => labels.amount,
    };
    match difference.of {
        DifferenceOf::Payout => (month.payouts, term.to_owned()),
        DifferenceOf::Figures => (month.figures, term.to_owned()),
        DifferenceOf::Bridge => (month.bridge, term.to_owned()),
        DifferenceOf::InTransit => (month.transit, month.state(&difference.state)),
        DifferenceOf::Apart => {
            let kind = ApartKind::named(&difference.term).map_or(term, |kind| kind.text(labels));
            (month.apart, format!("{kind}: {}", month.state(&difference.state)))
        }
    }
}

impl ApartKind {
    /// The kind in the words of a language.
    pub(crate) fn text(self, labels: &Labels) -> &'static str {
        let month = &labels.month;
        match self {
            ApartKind::HeldReport => month.held_report,
            ApartKind::NotExact => month.not_exact,
            ApartKind::Unmatched => month.unmatched_lines,
            ApartKind::Event => month.event,
            ApartKind::Overdue => month.overdue,
            ApartKind::MissingReport => month.missing_report,
        }
    }
}

impl MonthSummary {
    /// `Month summary October 2026`.
    pub(super) fn title(&self, language: Language) -> String {
        let month = &language.labels().month;
        format!("{} {}", month.title, month.name_of(self.month))
    }

    /// The account, the period and the version.
    pub(super) fn facts(&self, language: Language) -> Vec<(&'static str, String)> {
        let labels = language.labels();
        let mut facts = vec![(labels.paid_to, self.name.clone())];
        if self.name != self.account.as_str() {
            facts.push((labels.account, self.account.to_string()));
        }
        let locale = language.locale();
        let (first, last) = (locale.day(self.month.first_day()), locale.day(self.month.last_day()));
        facts.push((labels.period, format!("{first} – {last}")));
        facts.push((labels.month.zone, self.zone.clone()));
        let revision = match self.revision {
            0 => labels.month.so_far.to_owned(),
            1 => "1".to_owned(),
            more => labels.month.revision_from.replace("{version}", &more.to_string()),
        };
        facts.push((labels.version, revision));
        if !self.content.apart.is_empty() {
            facts.push((labels.month.apart, language.locale().count(self.content.apart.len() as u64)));
        }
        facts
    }

    /// The checks of the figures in sentences. A summary of which a check fails is not written.
    ///
    /// # Errors
    /// When a sum is beyond the range of `i64`.
    pub(super) fn proofs(&self, language: Language) -> Result<Vec<String>, DocumentError> {
        let (labels, locale) = (language.labels(), language.locale());
        let of = |total: CurrencyTotal| {
            let filled = |words: &str| {
                words
                    .replace("{currency}", total.currency.as_str())
                    .replace("{payouts}", &locale.count(total.payouts))
                    .replace("{lines}", &locale.count(total.lines))
                    .replace("{amount}", &locale.amount(total.closing_minor, total.exponent))
                    .replace("{difference}", &locale.amount(0, total.exponent))
            };
            [filled(labels.month.proof_payouts), filled(labels.month.proof_bridge)]
        };
        Ok(self.content.totals()?.into_iter().flat_map(of).collect())
    }
}
