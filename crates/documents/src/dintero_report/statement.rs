//! The content of the forms for people: facts, the calculation from the lines to the payout, and the columns of lines and parts.

use settlement::{Fees, LineRecord};

use super::DinteroReport;
use crate::breakdown::{Part, PartName};
use crate::labels::{Labels, provider_name};
use crate::locale::Locale;
use crate::term::{NET, TERMS, Term, invoiced_minor};
use crate::value::Value;

/// A label with its value.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: Value,
}

/// One row of the calculation from the lines to the payout: a term, or the sum of all terms so far.
pub(crate) struct BalanceRow {
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    pub(crate) is_sum: bool,
}

/// A column of the lines.
pub(super) struct LineColumn {
    pub(super) name: fn(&Labels) -> &'static str,
    /// Width in characters on a sheet.
    pub(super) width: u32,
    source: Source,
}

enum Source {
    Line(fn(&DinteroReport<'_>, &LineRecord) -> Value),
    Money(&'static Term),
}

impl LineColumn {
    const fn naming(
        name: fn(&Labels) -> &'static str,
        width: u32,
        value: fn(&DinteroReport<'_>, &LineRecord) -> Value,
    ) -> Self {
        LineColumn { name, width, source: Source::Line(value) }
    }

    fn money(term: &'static Term) -> Self {
        LineColumn { name: term.name, width: 13, source: Source::Money(term) }
    }

    pub(super) fn value(&self, report: &DinteroReport<'_>, line: &LineRecord) -> Value {
        match self.source {
            Source::Line(value) => value(report, line),
            Source::Money(term) => Value::amount_or_words(term.minor(&line.terms), report.language.labels()),
        }
    }

    pub(super) fn is_money(&self) -> bool {
        matches!(self.source, Source::Money(_))
    }

    /// The term of the column; `None` for a column without money.
    pub(super) fn term(&self) -> Option<&'static Term> {
        match self.source {
            Source::Line(_) => None,
            Source::Money(term) => Some(term),
        }
    }
}

const NAMING: [LineColumn; 9] = [
    LineColumn::naming(|l| l.row, 11, |_, l| source_row(l.line_no)),
    LineColumn::naming(|l| l.day, 12, |_, l| Value::Date(l.captured_on.or(l.provider_date))),
    LineColumn::naming(|l| l.kind, 18, |r, l| Value::text(Some(r.language.labels().kinds.of(l.kind)))),
    LineColumn::naming(|l| l.order_reference, 28, |_, l| Value::text(l.order_reference.as_deref())),
    LineColumn::naming(|l| l.transaction_id, 24, |_, l| Value::text(l.provider_transaction_id.as_deref())),
    LineColumn::naming(|l| l.original_reference, 24, |_, l| Value::text(l.original_reference.as_deref())),
    LineColumn::naming(|l| l.method, 18, |_, l| Value::text(l.provider_method.as_deref())),
    LineColumn::naming(|l| l.store, 14, |_, l| Value::text(l.store_id.as_deref())),
    LineColumn::naming(|l| l.destination, 18, |_, l| Value::text(l.payout_destination_id.as_deref())),
];

/// The row of the source file; empty for a line from elsewhere, such as a payout notice.
pub(super) fn source_row(line_no: i64) -> Value {
    match u64::try_from(line_no) {
        Ok(row) if row > 0 => Value::Count(row),
        _ => Value::text(None),
    }
}

/// Every column of the lines in order.
pub(super) fn line_columns() -> Vec<LineColumn> {
    let money = TERMS.iter().chain([&NET]).map(LineColumn::money);
    NAMING.into_iter().chain(money).chain([LineColumn::naming(|l| l.currency, 9, |r, _| r.currency())]).collect()
}

/// The breakdowns that the lines allow, each with its title, the name of its parts, and the parts.
pub(super) fn partings(report: &DinteroReport<'_>) -> Vec<(&'static str, &'static str, Vec<Part>)> {
    let (labels, breakdown) = (report.language.labels(), report.breakdown);
    let all = [
        (labels.per_method, labels.method, breakdown.methods()),
        (labels.per_store, labels.store, breakdown.stores()),
        (labels.per_destination, labels.destination, breakdown.destinations()),
    ];
    all.into_iter().filter(|(_, _, parts)| !parts.is_empty()).collect()
}

/// The name of a part, in the words of the language where the provider has none.
pub(super) fn part_name<'a>(part: &'a Part, labels: &Labels) -> &'a str {
    match &part.name {
        PartName::Named(name) => name,
        PartName::Unnamed => labels.not_stated,
        PartName::Others => labels.others,
    }
}

impl DinteroReport<'_> {
    pub(crate) fn provider(&self) -> &str {
        provider_name(&self.key.provider)
    }

    /// `Settlement specification: Vipps 2000461`.
    pub(super) fn title(&self) -> String {
        format!("{}: {} {}", self.language.labels().title, self.provider(), self.settlement.head.settlement_id)
    }

    /// Who pays whom, for which period, to which account, and how fees are taken. Unknown facts are left out.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let (labels, locale, settlement) = (self.language.labels(), self.language.locale(), self.settlement);
        let text = |name, text: &str| Fact { name, value: Value::Text(text.to_owned()) };
        let mut facts = vec![
            text(labels.paid_by, self.provider()),
            text(labels.paid_to, &format!("{} {}", labels.merchant_number, settlement.head.merchant_number)),
        ];
        facts.extend(settlement.organisation_number.as_ref().map(|number| text(labels.organisation_number, number)));
        facts.push(text(labels.account, self.key.account_id.as_str()));
        facts.push(text(labels.settlement, &settlement.head.settlement_id));
        if self.version > 1 {
            let version = labels.corrected.replace("{version}", &self.version.to_string());
            facts.push(text(labels.version, &version));
        }
        facts.extend(self.period(&locale).map(|period| text(labels.period, &period)));
        facts.push(Fact { name: labels.payout_on, value: Value::Date(Some(settlement.head.payout_on)) });
        facts.extend(settlement.bank_account.as_ref().map(|last| text(labels.bank_account, &format!("•••• {last}"))));
        facts.extend(settlement.bank_reference.as_ref().map(|reference| text(labels.bank_reference, reference)));
        let fees = match settlement.fees {
            Fees::Deducted => labels.fees_deducted,
            Fees::Invoiced => labels.fees_invoiced,
            Fees::Unknown => labels.fees_unknown,
        };
        facts.push(text(labels.fees_taken, fees));
        facts
    }

    fn period(&self, locale: &Locale) -> Option<String> {
        let (from, to) = (self.settlement.period_from?, self.settlement.period_to?);
        Some(format!("{} – {}", locale.day(from), locale.day(to)))
    }

    /// Where the figures come from.
    pub(super) fn origin(&self) -> Vec<Fact> {
        let labels = self.language.labels();
        let hash = self.settlement.hash.map(|hash| (labels.settlement_hash, hash.to_string()));
        let all = [(labels.report, self.report.to_string())].into_iter().chain(hash);
        all.map(|(name, text)| Fact { name, value: Value::Text(text) }).collect()
    }

    /// The calculation from the lines to the payout.
    pub(crate) fn balance(&self) -> Vec<BalanceRow> {
        let (labels, settlement) = (self.language.labels(), self.settlement);
        let row = |name, minor| BalanceRow { name, value: Value::amount_or_words(minor, labels), is_sum: false };
        let sums = &settlement.sums;
        let mut rows: Vec<BalanceRow> = TERMS.iter().map(|term| row((term.name)(labels), term.minor(sums))).collect();
        rows.push(BalanceRow { is_sum: true, ..row(labels.net, NET.minor(sums)) });
        if settlement.fees == Fees::Invoiced {
            rows.push(row(labels.invoiced_apart, invoiced_minor(sums)));
        }
        rows.push(row(labels.opening, Some(settlement.opening_minor)));
        rows.push(row(labels.closing, settlement.closing_minor.checked_neg()));
        let (name, value) = self.payout();
        rows.push(BalanceRow { name, value, is_sum: true });
        rows
    }

    /// The last row: what is paid out, or what the merchant owes, each with an amount above zero.
    pub(super) fn payout(&self) -> (&'static str, Value) {
        let labels = self.language.labels();
        match self.settlement.payout_minor {
            Some(minor) if minor < 0 => (labels.owed, Value::amount_or_words(minor.checked_neg(), labels)),
            Some(minor) => (labels.paid_out, Value::Amount(minor)),
            None => (labels.paid_out, Value::text(Some(labels.not_stated))),
        }
    }

    /// The proof in one sentence.
    pub(crate) fn proof_line(&self) -> String {
        let (labels, locale) = (self.language.labels(), self.language.locale());
        let lines = self.settlement.lines;
        let lines = labels.count_of_lines(lines, &locale.count(lines));
        let Some(difference) = self.settlement.difference_minor() else {
            return labels.proof_unstated.replace("{lines}", &lines);
        };
        let words = match difference {
            0 if self.settlement.payout_minor == self.settlement.sums.net_minor() => labels.proof_agrees,
            0 => labels.proof_agrees_carried,
            _ => labels.proof_differs,
        };
        let difference = locale.amount(difference, self.settlement.head.exponent);
        words.replace("{lines}", &lines).replace("{difference}", &difference)
    }
}
