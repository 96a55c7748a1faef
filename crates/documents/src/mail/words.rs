//! Words of mails: one file per language, which a translator can correct alone.
//!
//! Marks in braces are filled in. The compiler makes sure that every language has every word.

mod da;
mod en;
mod fi;
mod nb;
mod sv;

use jiff::civil::Date;

use crate::labels::{Language, filled};

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
    /// Prefix of the subject of a mail that replaces an earlier one.
    pub(crate) corrected: &'static str,
    /// Prefix of the subject of a mail that needs a person's attention.
    pub(crate) deviation: &'static str,
    // One payout.
    pub(crate) paid: &'static str,
    pub(crate) owed: &'static str,
    pub(crate) replaces: &'static str,
    pub(crate) found: &'static str,
    pub(crate) deviations: &'static str,
    pub(crate) more: &'static str,
    pub(crate) line_no: &'static str,
    // Digests and months.
    pub(crate) digest_title: &'static str,
    pub(crate) month_title: &'static str,
    pub(crate) payout_one: &'static str,
    pub(crate) payout_many: &'static str,
    pub(crate) payouts: &'static str,
    pub(crate) payout: &'static str,
    pub(crate) product: &'static str,
    pub(crate) number: &'static str,
    pub(crate) per_product: &'static str,
    pub(crate) apart: &'static str,
    pub(crate) apart_none: &'static str,
    pub(crate) revision_replaces: &'static str,
    pub(crate) changes: &'static str,
    pub(crate) change: &'static str,
    // A report that is held.
    pub(crate) held_title: &'static str,
    pub(crate) held_file: &'static str,
    pub(crate) held_why: &'static str,
    pub(crate) held_report: &'static str,
    /// A report that changes a settlement in force.
    pub(crate) held_changes: &'static str,
    /// The payout of a changed settlement: `{now}` and `{before}`.
    pub(crate) held_before: &'static str,
    /// Settlements that are not named: `{count}`.
    pub(crate) held_more: &'static str,
    pub(crate) held_nothing: &'static str,
    // A recipient that is asked to confirm.
    pub(crate) confirmation_title: &'static str,
    pub(crate) confirmation_why: &'static str,
    pub(crate) confirmation_link: &'static str,
    /// After a link.
    pub(crate) confirmation_code: &'static str,
    /// Where there is no link.
    pub(crate) confirmation_code_alone: &'static str,
    pub(crate) confirmation_not_you: &'static str,
    // Attachments and the foot.
    pub(crate) attached: &'static str,
    pub(crate) left_out: &'static str,
    pub(crate) backoffice: &'static str,
    pub(crate) why_you: &'static str,
    pub(crate) how_to_stop: &'static str,
    pub(crate) stop_link: &'static str,
    /// The format of a day, with the name of its month from [`Words::months_short`].
    pub(crate) day: &'static str,
    pub(crate) months_short: [&'static str; 12],
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
    /// `1 payout` or `12 payouts`, with the number as the language writes it.
    pub(crate) fn count_of_payouts(&self, payouts: usize, number: &str) -> String {
        if payouts == 1 { self.payout_one.to_owned() } else { filled(self.payout_many, &[("{count}", number)]) }
    }

    /// The first and the last of several days: `5–20 Oct 2026`, or `30 Sep 2026 – 5 Oct 2026`.
    pub(crate) fn days(&self, first: Date, last: Date) -> String {
        if first == last {
            return self.day(last);
        }
        if first.first_of_month() != last.first_of_month() {
            return format!("{} – {}", self.day(first), self.day(last));
        }
        let number = self.day.split(' ').next().unwrap_or_default();
        format!("{}–{}", filled(number, &[("{day}", &first.day().to_string())]), self.day(last))
    }

    /// A day with the name of its month, so that nobody takes 03/11 for March.
    pub(crate) fn day(&self, day: Date) -> String {
        let month = self.months_short.get(month_index(day)).copied().unwrap_or_default();
        let texts =
            [("{day}", day.day().to_string()), ("{month}", month.to_owned()), ("{year}", day.year().to_string())];
        filled(self.day, &texts.each_ref().map(|(mark, text)| (*mark, text.as_str())))
    }
}

fn month_index(day: Date) -> usize {
    usize::try_from(day.month()).unwrap_or(1).saturating_sub(1)
}
