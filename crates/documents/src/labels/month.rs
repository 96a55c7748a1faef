//! Words of the month summary alone, in one language.

use settlement::{Kind, Month};

use super::Reasons;

/// Labels of the month summary. The marks `{currency}`, `{payouts}`, `{lines}`, `{amount}`, `{difference}` and `{before}` are
/// filled in.
#[derive(Debug)]
pub(crate) struct MonthLabels {
    pub(crate) months: [&'static str; 12],
    pub(crate) title: &'static str,
    pub(crate) so_far: &'static str,
    pub(crate) revision_from: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) payouts: &'static str,
    pub(crate) payouts_count: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) product: &'static str,
    pub(crate) no_product: &'static str,
    pub(crate) figures: &'static str,
    pub(crate) figures_note: &'static str,
    pub(crate) payouts_note: &'static str,
    /// Name of the sheet.
    pub(crate) bridge: &'static str,
    /// Title of the section.
    pub(crate) bridge_title: &'static str,
    pub(crate) bridge_note: &'static str,
    pub(crate) transit: &'static str,
    pub(crate) transit_note: &'static str,
    pub(crate) opening: &'static str,
    pub(crate) closing: &'static str,
    pub(crate) carried: &'static str,
    /// Money that no transaction at Dintero explains.
    pub(crate) unmatched: &'static str,
    /// The lines themselves.
    pub(crate) unmatched_lines: &'static str,
    pub(crate) no_transaction: &'static str,
    pub(crate) balances: &'static str,
    pub(crate) paid_later: &'static str,
    pub(crate) not_proved: &'static str,
    pub(crate) not_settled_yet: &'static str,
    pub(crate) paid_ahead: &'static str,
    pub(crate) balance: &'static str,
    pub(crate) apart: &'static str,
    pub(crate) apart_note: &'static str,
    pub(crate) apart_none: &'static str,
    pub(crate) held_report: &'static str,
    pub(crate) not_exact: &'static str,
    pub(crate) event: &'static str,
    pub(crate) overdue: &'static str,
    pub(crate) missing_report: &'static str,
    pub(crate) gross_only: &'static str,
    pub(crate) rows_only: &'static str,
    pub(crate) contradicted: &'static str,
    pub(crate) amount_differs: &'static str,
    pub(crate) currency_differs: &'static str,
    /// Of captures and refunds together.
    pub(crate) status_forbids: &'static str,
    pub(crate) status_forbids_capture: &'static str,
    pub(crate) status_forbids_refund: &'static str,
    pub(crate) transaction_unknown: &'static str,
    pub(crate) duplicate_across_settlements: &'static str,
    pub(crate) needs_a_person: &'static str,
    pub(crate) not_matched: &'static str,
    pub(crate) event_unknown: &'static str,
    pub(crate) event_human: &'static str,
    pub(crate) event_refused: &'static str,
    pub(crate) event_changed: &'static str,
    pub(crate) quarantined: &'static str,
    pub(crate) rejected: &'static str,
    pub(crate) crashed: &'static str,
    pub(crate) released: &'static str,
    pub(crate) reasons: Reasons,
    pub(crate) differences: &'static str,
    pub(crate) differences_note: &'static str,
    pub(crate) part: &'static str,
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
    pub(crate) change: &'static str,
    pub(crate) is_new: &'static str,
    pub(crate) is_gone: &'static str,
    pub(crate) is_changed: &'static str,
    pub(crate) what: &'static str,
    pub(crate) count: &'static str,
    pub(crate) state: &'static str,
    pub(crate) proof_payouts: &'static str,
    pub(crate) proof_bridge: &'static str,
    pub(crate) signs: &'static str,
}

impl MonthLabels {
    /// `October 2026`.
    pub(crate) fn name_of(&self, month: Month) -> String {
        let day = month.first_day();
        let number = usize::from(day.month().unsigned_abs());
        let name = self.months.get(number.saturating_sub(1)).copied().unwrap_or_default();
        format!("{name} {}", day.year())
    }

    /// The state of one line in words: money that goes to the merchant is a capture, money that goes back a refund.
    pub(crate) fn state_of_line(&self, state: &str, net_minor: Option<i64>) -> String {
        match (state, net_minor) {
            ("status_forbids", Some(0..)) => self.status_forbids_capture.to_owned(),
            ("status_forbids", Some(_)) => self.status_forbids_refund.to_owned(),
            _ => self.state(state),
        }
    }

    /// A state in words, with the reason that it has in brackets; a state without words here stays as it is.
    pub(crate) fn state(&self, state: &str) -> String {
        let (word, rest) = match state.find('(') {
            Some(at) => state.split_at(at),
            None => (state, ""),
        };
        let known = match word {
            "gross_only" => self.gross_only,
            "rows_only" => self.rows_only,
            "contradicted" => self.contradicted,
            "amount_differs" => self.amount_differs,
            "currency_differs" => self.currency_differs,
            "status_forbids" => self.status_forbids,
            "transaction_unknown" => self.transaction_unknown,
            "duplicate_across_settlements" => self.duplicate_across_settlements,
            "needs_a_person" => self.needs_a_person,
            "not_matched" => self.not_matched,
            "UNKNOWN" => self.event_unknown,
            "HUMAN" => self.event_human,
            "REFUSED" => self.event_refused,
            "CHANGED" => self.event_changed,
            "QUARANTINED" => self.quarantined,
            "REJECTED" => self.rejected,
            "CRASHED" => self.crashed,
            "RELEASED" => self.released,
            "product" => self.product,
            "unmatched" => self.unmatched,
            "no_transaction" => self.no_transaction,
            "carried" => self.balances,
            "paid_later" => self.paid_later,
            "not_proved" => self.not_proved,
            "not_settled" => self.not_settled_yet,
            "paid_ahead" => self.paid_ahead,
            "balance" => self.balance,
            other => other,
        };
        let kind = Kind::ALL.iter().find(|kind| rest == format!("({kind})"));
        match kind {
            Some(kind) => format!("{known}: {}", self.reasons.text(*kind)),
            None if rest.is_empty() => known.to_owned(),
            None => format!("{known} {rest}"),
        }
    }
}
