//! Words of mails: a file per language, each of which a translator can correct alone.
//!
//! What stands in braces is filled in. The compiler holds that every language has every word.

mod da;
mod en;
mod fi;
mod nb;
mod sv;

use jiff::civil::Date;

use crate::labels::Language;

/// Every word of one language.
#[derive(Debug)]
pub(crate) struct Words {
    // Subjects.
    pub(crate) payout_subject: &'static str,
    pub(crate) daily_subject: &'static str,
    pub(crate) weekly_subject: &'static str,
    pub(crate) month_subject: &'static str,
    pub(crate) held_subject: &'static str,
    pub(crate) confirmation_subject: &'static str,
    /// In front of the subject of what replaces an earlier mail.
    pub(crate) corrected: &'static str,
    /// In front of the subject of what a person has to look at.
    pub(crate) deviation: &'static str,
    // One payout.
    pub(crate) paid: &'static str,
    pub(crate) owed: &'static str,
    pub(crate) replaces: &'static str,
    pub(crate) found: &'static str,
    pub(crate) deviations: &'static str,
    pub(crate) more: &'static str,
    pub(crate) line_no: &'static str,
    pub(crate) states: States,
    // Digests and months.
    pub(crate) digest_title: &'static str,
    pub(crate) month_title: &'static str,
    pub(crate) payouts: &'static str,
    pub(crate) payout: &'static str,
    pub(crate) product: &'static str,
    pub(crate) number: &'static str,
    pub(crate) per_product: &'static str,
    pub(crate) apart: &'static str,
    pub(crate) apart_none: &'static str,
    pub(crate) aparts: Aparts,
    pub(crate) revision_replaces: &'static str,
    pub(crate) changes: &'static str,
    pub(crate) change: &'static str,
    // A report that is held.
    pub(crate) held_title: &'static str,
    pub(crate) held_file: &'static str,
    pub(crate) held_why: &'static str,
    pub(crate) held_nothing: &'static str,
    // A recipient that is asked to confirm.
    pub(crate) confirmation_title: &'static str,
    pub(crate) confirmation_why: &'static str,
    pub(crate) confirmation_link: &'static str,
    pub(crate) confirmation_code: &'static str,
    pub(crate) confirmation_not_you: &'static str,
    // Attachments and the foot.
    pub(crate) attached: &'static str,
    pub(crate) left_out: &'static str,
    pub(crate) backoffice: &'static str,
    pub(crate) why_you: &'static str,
    pub(crate) how_to_stop: &'static str,
    pub(crate) stop_link: &'static str,
    /// How a day is written, with the name of its month from [`Words::months_short`].
    pub(crate) day: &'static str,
    pub(crate) months_short: [&'static str; 12],
}

/// Why a line is none of the merchant's transactions.
#[derive(Debug)]
pub(crate) struct States {
    pub(crate) amount_differs: &'static str,
    pub(crate) currency_differs: &'static str,
    pub(crate) status_forbids: &'static str,
    pub(crate) transaction_unknown: &'static str,
    pub(crate) duplicate: &'static str,
    pub(crate) needs_a_person: &'static str,
}

/// What stands apart from the sums.
#[derive(Debug)]
pub(crate) struct Aparts {
    pub(crate) held: &'static str,
    pub(crate) not_exact: &'static str,
    pub(crate) unmatched: &'static str,
    pub(crate) outcome_unknown: &'static str,
    pub(crate) for_a_person: &'static str,
    pub(crate) not_settled: &'static str,
    pub(crate) missing_report: &'static str,
}

impl Language {
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Language::Nb => &nb::WORDS,
            Language::Sv => &sv::WORDS,
            Language::Da => &da::WORDS,
            Language::Fi => &fi::WORDS,
            Language::En => &en::WORDS,
        }
    }
}

impl Words {
    /// A day with the name of its month, so that nobody takes 03/11 for March.
    pub(crate) fn day(&self, day: Date) -> String {
        let month = self.months_short.get(month_index(day)).copied().unwrap_or_default();
        let texts =
            [("{day}", day.day().to_string()), ("{month}", month.to_owned()), ("{year}", day.year().to_string())];
        filled(self.day, &texts.each_ref().map(|(mark, text)| (*mark, text.as_str())))
    }

    /// A state of a line in words; the state itself where it is none of these.
    pub(crate) fn state<'a>(&self, state: &'a str) -> &'a str
    where
        'static: 'a,
    {
        match state {
            "amount_differs" => self.states.amount_differs,
            "currency_differs" => self.states.currency_differs,
            "status_forbids" => self.states.status_forbids,
            "transaction_unknown" => self.states.transaction_unknown,
            "duplicate_across_settlements" => self.states.duplicate,
            "needs_a_person" => self.states.needs_a_person,
            other => other,
        }
    }
}

fn month_index(day: Date) -> usize {
    usize::try_from(day.month()).unwrap_or(1).saturating_sub(1)
}

/// The words with each mark replaced once, so that nothing that is filled in is read as a mark.
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
