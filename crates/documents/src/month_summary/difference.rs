//! The differences between two revisions: every amount that is new, gone or changed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use settlement::{Currency, Terms};

use super::content::MonthContent;

/// One amount or count that differs between two revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The part of the summary.
    pub of: DifferenceOf,
    /// Whether it is new, gone or changed.
    pub change: Change,
    /// The provider.
    pub provider: String,
    /// The settlement, payment product or file; empty where it is about none of them.
    pub subject: String,
    /// The provider's number of the merchant, where there is one.
    pub merchant_number: Option<String>,
    /// The day of the payout, of arrival, or when something was due.
    pub day: Option<Date>,
    /// The name of the amount, a word for programs: `paid_out`, `fee`, `closing`, or `count`.
    pub term: String,
    /// The state, where the amount has one.
    pub state: String,
    /// Currency of the amount.
    pub currency: Option<Currency>,
    /// Decimals of the currency; 0 for a count.
    pub exponent: u8,
    /// The amount before, in minor units.
    pub before_minor: Option<i64>,
    /// The amount now, in minor units.
    pub after_minor: Option<i64>,
    /// The version of the settlement in force, for a payout.
    pub version: Option<u32>,
}

/// A part of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceOf {
    /// A settlement that was paid out in the month.
    Payout,
    /// Sums of what was paid out.
    Figures,
    /// The month bridge.
    Bridge,
    /// What was in transit, by later payout.
    InTransit,
    /// What has to be cleared up.
    Apart,
}

impl DifferenceOf {
    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            DifferenceOf::Payout => "payout",
            DifferenceOf::Figures => "figures",
            DifferenceOf::Bridge => "bridge",
            DifferenceOf::InTransit => "in_transit",
            DifferenceOf::Apart => "apart",
        }
    }
}

/// The kind of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Only the later revision has the amount.
    New,
    /// Only the earlier revision has the amount.
    Gone,
    /// Both have the amount, and it differs.
    Changed,
}

/// The name of an amount in both revisions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    of: DifferenceOf,
    provider: String,
    merchant_number: Option<String>,
    subject: String,
    state: String,
    currency: Option<Currency>,
    /// Its position among the amounts of its row; new and gone rows show the first alone.
    place: usize,
    term: &'static str,
    /// The day; `None` for payouts, which stay the same when their day moves.
    row_day: Option<Date>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Amount {
    minor: Option<i64>,
    exponent: u8,
    day: Option<Date>,
    version: Option<u32>,
    /// Further facts, of which a change is a difference too.
    text: String,
}

type Amounts = BTreeMap<Name, Amount>;

/// The differences of `after` from `before`, in the order of the summary.
pub(super) fn between(before: &MonthContent, after: &MonthContent) -> Vec<Difference> {
    let (before, after) = (amounts(before), amounts(after));
    let mut names: Vec<&Name> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| difference(name, before.get(name), after.get(name))).collect()
}

fn difference(name: &Name, before: Option<&Amount>, after: Option<&Amount>) -> Option<Difference> {
    let change = match (before, after) {
        (Some(before), Some(after)) if before == after => return None,
        (Some(before), Some(after)) if name.place > 0 && before.minor == after.minor => return None,
        (Some(_), Some(_)) => Change::Changed,
        (None, _) => Change::New,
        (_, None) => Change::Gone,
    };
    // A new or gone settlement is one difference: that of its first amount.
    let is_one_thing = matches!(name.of, DifferenceOf::Payout | DifferenceOf::InTransit | DifferenceOf::Apart);
    if change != Change::Changed && is_one_thing && name.place > 0 {
        return None;
    }
    let shown = after.or(before)?;
    let minor = |amount: Option<&Amount>| amount.and_then(|amount| amount.minor);
    let (before_minor, after_minor) = (minor(before), minor(after));
    if !is_one_thing && before_minor.unwrap_or(0) == 0 && after_minor.unwrap_or(0) == 0 {
        return None;
    }
    Some(Difference {
        of: name.of,
        change,
        provider: name.provider.clone(),
        subject: name.subject.clone(),
        merchant_number: name.merchant_number.clone(),
        day: shown.day,
        term: name.term.to_owned(),
        state: name.state.clone(),
        currency: name.currency,
        exponent: shown.exponent,
        before_minor,
        after_minor,
        version: shown.version,
    })
}

fn amounts(content: &MonthContent) -> Amounts {
    let mut found = Amounts::new();
    add_payouts(content, &mut found);
    for row in &content.figures {
        let name = name(DifferenceOf::Figures, &row.provider, row.payment_product.as_deref(), row.of.as_str());
        let rest = [("invoiced", row.invoiced_minor), ("carried", row.carried_minor)];
        let terms = [("paid_out", row.paid_out_minor)].into_iter().chain(signed(&row.sums)).chain(rest);
        add(&mut found, &Name { currency: Some(row.currency), ..name }, row.exponent, terms);
    }
    for row in &content.bridge {
        let name = name(DifferenceOf::Bridge, &row.provider, row.payment_product.as_deref(), "");
        let ends = [("closing", row.closing_minor), ("opening", row.opening_minor)];
        let rest = [("paid_out", row.paid_out_minor), ("invoiced", row.invoiced_minor)];
        let terms = ends.into_iter().chain(signed(&row.happened)).chain(rest);
        add(&mut found, &Name { currency: Some(row.currency), ..name }, row.exponent, terms);
    }
    for part in &content.in_transit {
        let product = part.payment_product.as_deref();
        let subject = if part.settlements.is_empty() { product.map(str::to_owned) } else { None };
        let subject = subject.unwrap_or_else(|| part.settlements.join(", "));
        let (merchant_number, currency) = (part.merchant_number.clone(), Some(part.currency));
        let name = name(DifferenceOf::InTransit, &part.provider, Some(&subject), part.state.as_str());
        let name = Name { merchant_number, currency, row_day: part.payout_on, ..name };
        sum(&mut found, name, part.exponent, part.amount_minor);
    }
    for apart in &content.apart {
        let name = name(DifferenceOf::Apart, &apart.provider, Some(&apart.reference), &apart.state);
        let (merchant_number, currency, kind) = (apart.merchant_number.clone(), apart.currency, apart.kind.as_str());
        let name = Name { merchant_number, currency, term: kind, row_day: apart.day, ..name };
        let (day, exponent) = (apart.day, apart.exponent);
        let amount = Amount { minor: apart.amount_minor, exponent, day, version: None, text: String::new() };
        found.insert(name.clone(), amount);
        let count = apart.count.and_then(|count| i64::try_from(count).ok());
        let amount = Amount { minor: count, exponent: 0, day, version: None, text: kind.to_owned() };
        found.insert(Name { place: 1, term: "count", ..name }, amount);
    }
    found
}

fn add_payouts(content: &MonthContent, found: &mut Amounts) {
    for payout in &content.payouts {
        let name = name(DifferenceOf::Payout, &payout.provider, Some(&payout.settlement_id), "");
        let (merchant_number, currency) = (Some(payout.merchant_number.clone()), Some(payout.currency));
        let name = Name { merchant_number, currency, ..name };
        let text = format!("{:?} {:?} {:?}", payout.bank_reference, payout.bank_account, payout.fees);
        let rest = [("opening", payout.opening_minor), ("closing", payout.closing_minor)];
        let terms = [("paid_out", payout.payout_minor)].into_iter().chain(signed(&payout.sums)).chain(rest);
        for (place, (term, minor)) in terms.enumerate() {
            let (day, version) = (Some(payout.payout_on), Some(payout.version));
            let amount = Amount { minor: Some(minor), exponent: payout.exponent, day, version, text: text.clone() };
            found.insert(Name { place, term, ..name.clone() }, amount);
        }
    }
}

fn name(of: DifferenceOf, provider: &str, subject: Option<&str>, state: &str) -> Name {
    Name {
        of,
        provider: provider.to_owned(),
        merchant_number: None,
        subject: subject.unwrap_or_default().to_owned(),
        state: state.to_owned(),
        currency: None,
        place: 0,
        term: "amount",
        row_day: None,
    }
}

fn add(found: &mut Amounts, name: &Name, exponent: u8, terms: impl Iterator<Item = (&'static str, i64)>) {
    for (place, (term, minor)) in terms.enumerate() {
        sum(found, Name { place, term, ..name.clone() }, exponent, minor);
    }
}

/// Adds an amount; rows of one name are summed.
fn sum(found: &mut Amounts, name: Name, exponent: u8, minor: i64) {
    let day = name.row_day;
    let amount = Amount { minor: Some(0), exponent, day, version: None, text: String::new() };
    let known = found.entry(name).or_insert(amount);
    known.minor = known.minor.map(|sum| sum.saturating_add(minor));
}

/// Terms signed towards the merchant.
pub(super) fn signed(terms: &Terms) -> [(&'static str, i64); 7] {
    terms.named().map(|(term, minor)| match term {
        "fee" | "fee_vat" => (term, minor.saturating_neg()),
        _ => (term, minor),
    })
}
