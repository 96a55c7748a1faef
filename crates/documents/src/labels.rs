//! Words of the documents for people: one file per language, which a translator can correct alone.
//!
//! The compiler makes sure that every language has every label.

mod da;
mod en;
mod fi;
mod month;
mod nb;
mod reasons;
mod sv;

use settlement::{LineKind, Provider};

pub(crate) use self::month::MonthLabels;
pub(crate) use self::reasons::Reasons;

/// A language of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Norwegian bokmål.
    Nb,
    /// Swedish.
    Sv,
    /// Danish.
    Da,
    /// Finnish.
    Fi,
    /// English.
    En,
}

impl Language {
    /// All languages.
    pub const ALL: [Language; 5] = [Language::Nb, Language::Sv, Language::Da, Language::Fi, Language::En];

    /// The language of a tag such as `nb` or `nb-NO`; English for any other language.
    pub fn of(tag: &str) -> Language {
        let tag = tag.to_ascii_lowercase();
        match tag.split(['-', '_']).next().unwrap_or_default() {
            "nb" | "no" | "nn" => Language::Nb,
            "sv" => Language::Sv,
            "da" => Language::Da,
            "fi" => Language::Fi,
            _ => Language::En,
        }
    }

    /// The tag after BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Language::Nb => "nb",
            Language::Sv => "sv",
            Language::Da => "da",
            Language::Fi => "fi",
            Language::En => "en",
        }
    }

    pub(crate) fn labels(self) -> &'static Labels {
        match self {
            Language::Nb => &nb::LABELS,
            Language::Sv => &sv::LABELS,
            Language::Da => &da::LABELS,
            Language::Fi => &fi::LABELS,
            Language::En => &en::LABELS,
        }
    }
}

/// Every label of one language. Marks such as `{lines}`, `{difference}`, `{version}` and `{page}` are filled in.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) title: &'static str,
    // The parties and what names the settlement.
    pub(crate) paid_by: &'static str,
    pub(crate) paid_to: &'static str,
    pub(crate) merchant_number: &'static str,
    pub(crate) organisation_number: &'static str,
    pub(crate) account: &'static str,
    pub(crate) settlement: &'static str,
    pub(crate) version: &'static str,
    pub(crate) corrected: &'static str,
    pub(crate) period: &'static str,
    pub(crate) payout_on: &'static str,
    pub(crate) bank_account: &'static str,
    pub(crate) bank_reference: &'static str,
    pub(crate) fees_taken: &'static str,
    pub(crate) fees_deducted: &'static str,
    pub(crate) fees_invoiced: &'static str,
    pub(crate) fees_unknown: &'static str,
    pub(crate) report: &'static str,
    pub(crate) settlement_hash: &'static str,
    // The terms, signed towards the merchant.
    pub(crate) sales: &'static str,
    pub(crate) refunds: &'static str,
    pub(crate) fees: &'static str,
    /// Fees and their tax in one column.
    pub(crate) fees_with_vat: &'static str,
    pub(crate) fee_vat: &'static str,
    pub(crate) chargebacks: &'static str,
    pub(crate) reserves: &'static str,
    pub(crate) adjustments: &'static str,
    pub(crate) net: &'static str,
    // From the lines to the payout.
    pub(crate) invoiced_apart: &'static str,
    pub(crate) opening: &'static str,
    pub(crate) closing: &'static str,
    pub(crate) paid_out: &'static str,
    /// In place of "paid out" when the merchant owes the provider; the amount after it is positive.
    pub(crate) owed: &'static str,
    pub(crate) not_stated: &'static str,
    /// In place of an amount beyond the range of `i64`.
    pub(crate) not_countable: &'static str,
    pub(crate) signs: &'static str,
    pub(crate) proof: &'static str,
    pub(crate) proof_agrees: &'static str,
    /// For a payout that is not the net of the lines alone.
    pub(crate) proof_agrees_carried: &'static str,
    pub(crate) proof_differs: &'static str,
    pub(crate) proof_unstated: &'static str,
    // Sheets and sections.
    pub(crate) summary: &'static str,
    pub(crate) per_method: &'static str,
    pub(crate) per_store: &'static str,
    pub(crate) per_destination: &'static str,
    pub(crate) transactions: &'static str,
    pub(crate) deviations: &'static str,
    pub(crate) deviations_note: &'static str,
    pub(crate) deviations_more: &'static str,
    pub(crate) without_reference: &'static str,
    // Columns.
    pub(crate) row: &'static str,
    pub(crate) day: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) order_reference: &'static str,
    pub(crate) transaction_id: &'static str,
    pub(crate) original_reference: &'static str,
    pub(crate) method: &'static str,
    pub(crate) store: &'static str,
    pub(crate) destination: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) line_one: &'static str,
    pub(crate) line_many: &'static str,
    pub(crate) lines: &'static str,
    pub(crate) total: &'static str,
    pub(crate) others: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) deviation: &'static str,
    pub(crate) amount: &'static str,
    pub(crate) page_of: &'static str,
    pub(crate) kinds: Kinds,
    pub(crate) month: MonthLabels,
}

impl Labels {
    /// `1 line` or `136 lines`, with the number as the language writes it.
    pub(crate) fn count_of_lines(&self, lines: u64, number: &str) -> String {
        if lines == 1 { self.line_one.to_owned() } else { self.line_many.replace("{lines}", number) }
    }
}

/// The kinds of lines in one language.
#[derive(Debug)]
pub(crate) struct Kinds {
    pub(crate) sale: &'static str,
    pub(crate) refund: &'static str,
    pub(crate) fee: &'static str,
    pub(crate) fee_vat: &'static str,
    pub(crate) chargeback: &'static str,
    pub(crate) chargeback_reversal: &'static str,
    pub(crate) reserve_hold: &'static str,
    pub(crate) reserve_release: &'static str,
    pub(crate) adjustment: &'static str,
    pub(crate) deposit: &'static str,
    pub(crate) unknown: &'static str,
}

impl Kinds {
    pub(crate) fn of(&self, kind: LineKind) -> &'static str {
        match kind {
            LineKind::Sale => self.sale,
            LineKind::Refund => self.refund,
            LineKind::Fee => self.fee,
            LineKind::FeeVat => self.fee_vat,
            LineKind::Chargeback => self.chargeback,
            LineKind::ChargebackReversal => self.chargeback_reversal,
            LineKind::ReserveHold => self.reserve_hold,
            LineKind::ReserveRelease => self.reserve_release,
            LineKind::Adjustment => self.adjustment,
            LineKind::Deposit => self.deposit,
            LineKind::Unknown => self.unknown,
        }
    }
}

/// The words with each mark replaced once, so that no text that is filled in is taken for a mark.
pub(crate) fn filled(words: &str, texts: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(words.len() + 64);
    let mut rest = words;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        match texts.iter().find(|(mark, _)| from.starts_with(mark)) {
            Some((mark, text)) => {
                filled.push_str(text);
                rest = from.get(mark.len()..).unwrap_or_default();
            }
            None => {
                filled.push('{');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The name that people know a provider by; the id itself when the table of providers has no such provider.
pub fn provider_name(id: &str) -> &str {
    Provider::of(id).map_or(id, |provider| provider.name)
}

#[cfg(test)]
mod tests;
