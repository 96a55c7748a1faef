//! Lines of a settlement that a person should look at, judged by the report alone.
//!
//! The match of a line changes when transactions arrive, and a document that was given out does not. Lines that are not
//! matched are therefore in mails and in the month summary.

use settlement::{LineKind, LineRecord};

use crate::labels::Labels;
use crate::term::NET;

/// The most deviations that are named; the rest are counted.
pub(crate) const NAMED_MAX: usize = 1_000;

/// A line that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deviation {
    why: Why,
    /// Row of the report; 0 or less for a line that a payout notice adds.
    pub(crate) line_no: i64,
    /// The order, or the transaction where the line names no order.
    pub(crate) reference: Option<String>,
    /// The payment that the line is about.
    pub(crate) original_reference: Option<String>,
    /// Net of the line in minor units, signed towards the merchant; `None` beyond the range of `i64`.
    pub(crate) net_minor: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The line is neither a sale nor a refund nor a fee.
    Kind(LineKind),
    /// The line is a sale or refund that names neither order nor transaction, so that nobody can find it.
    WithoutReference(LineKind),
}

impl Deviation {
    fn of(line: &LineRecord) -> Option<Deviation> {
        let references = [&line.order_reference, &line.provider_transaction_id];
        let reference = references.into_iter().flatten().find(|text| !text.is_empty()).cloned();
        let original_reference = line.original_reference.clone().filter(|text| !text.is_empty());
        let why = match line.kind {
            LineKind::Sale | LineKind::Refund if reference.is_none() && original_reference.is_none() => {
                Why::WithoutReference(line.kind)
            }
            LineKind::Sale | LineKind::Refund | LineKind::Fee | LineKind::FeeVat => return None,
            LineKind::Chargeback
            | LineKind::ChargebackReversal
            | LineKind::ReserveHold
            | LineKind::ReserveRelease
            | LineKind::Adjustment
            | LineKind::Deposit
            | LineKind::Unknown => Why::Kind(line.kind),
        };
        let net_minor = NET.minor(&line.terms);
        Some(Deviation { why, line_no: line.line_no, reference, original_reference, net_minor })
    }

    /// The deviation in the words of a language.
    pub(crate) fn text(&self, labels: &Labels) -> String {
        match self.why {
            Why::Kind(kind) => labels.kinds.of(kind).to_owned(),
            Why::WithoutReference(kind) => format!("{}: {}", labels.kinds.of(kind), labels.without_reference),
        }
    }
}

/// The deviations of a settlement: the first of them, and their number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deviations {
    named: Vec<Deviation>,
    count: u64,
}

impl Deviations {
    pub(crate) fn add(&mut self, line: &LineRecord) {
        let Some(deviation) = Deviation::of(line) else { return };
        self.count += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(deviation);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first `most` of them, and the number of the others.
    pub(crate) fn first(&self, most: usize) -> (&[Deviation], u64) {
        let first = self.named.get(..most).unwrap_or(&self.named);
        (first, self.count.saturating_sub(u64::try_from(first.len()).unwrap_or(u64::MAX)))
    }
}
