//! The payout notice: fees and payout of a settlement whose list of transactions states neither.

use serde::{Deserialize, Serialize};

use crate::key::SettleKey;
use crate::kind::Kind;
use crate::line::{LineKind, LineRecord};
use crate::money::MajorUnits;
use crate::problem::Problem;
use crate::proof::prove;
use crate::report::{Fees, Proof, Settlement, StatedTotals};
use crate::terms::{TermSums, Terms};

/// The totals of one payout without its rows: a balance report, or figures that a person copied from a PDF.
///
/// Amounts are minor units of the settlement's currency; fees and their tax are positive as costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutNotice {
    /// The settlement that it belongs to.
    pub key: SettleKey,
    /// Decimals of its currency.
    pub exponent: u8,
    /// Captures and refunds in this payout, before fees.
    pub amount_minor: i64,
    /// Fees.
    pub fee_minor: i64,
    /// Value added tax on the fees.
    pub fee_vat_minor: i64,
    /// How the provider takes the fees.
    pub fees: Fees,
    /// The amount transferred.
    pub payout_minor: i64,
    /// Payment methods that are paid out separately: their lines are in the list of transactions and not in the amount.
    pub elsewhere: Vec<String>,
}

/// A settlement that its payout notice has made exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The settlement with fees and payout, proved exactly.
    pub settlement: Settlement,
    /// The lines that the notice adds: its fees, and a deduction for each method that is paid out separately.
    pub added: Vec<LineRecord>,
}

impl PayoutNotice {
    /// Amount less deducted fees and their tax, less the payout, in minor units.
    ///
    /// Zero when the figures of the notice agree; `None` beyond the range of `i64`.
    pub fn difference_minor(&self) -> Option<i64> {
        let fees = match self.fees {
            Fees::Invoiced => 0,
            Fees::Deducted | Fees::Unknown => i128::from(self.fee_minor) + i128::from(self.fee_vat_minor),
        };
        i64::try_from(i128::from(self.amount_minor) - fees - i128::from(self.payout_minor)).ok()
    }

    /// Compares the notice with a settlement and adds its fees and payout.
    ///
    /// `elsewhere_minor` is the sum of the settlement's lines for each method that is paid out separately, in minor units.
    ///
    /// # Errors
    /// The problems, of [`Kind::SecondDocument`], when the two disagree.
    pub fn confirm(
        &self,
        settlement: &Settlement,
        elsewhere_minor: &[(String, i64)],
    ) -> Result<Confirmed, Vec<Problem>> {
        let show = |minor| MajorUnits::new(minor, self.exponent);
        let gross = i128::from(settlement.sums.capture_minor) + i128::from(settlement.sums.refund_minor);
        let elsewhere: i128 = elsewhere_minor.iter().map(|(_, minor)| i128::from(*minor)).sum();
        let paid_here =
            i64::try_from(gross - elsewhere).map_err(|_| vec![self.disagrees("more than can be counted")])?;
        if paid_here != self.amount_minor {
            let difference = i128::from(self.amount_minor) - i128::from(paid_here);
            let what = format!(
                "amount {}, the lines sum to {}: difference {}",
                show(self.amount_minor),
                show(paid_here),
                show(i64::try_from(difference).unwrap_or(i64::MAX))
            );
            return Err(vec![self.disagrees(&what)]);
        }
        if settlement.proof == Proof::Exact {
            return self.repeats(settlement);
        }
        let fees = Terms { fee_minor: self.fee_minor, fee_vat_minor: self.fee_vat_minor, ..Terms::default() };
        let mut added = vec![self.line(LineKind::Fee, fees, None, "payout notice")];
        for (method, minor) in elsewhere_minor {
            let terms = Terms { adjustment_minor: -minor, ..Terms::default() };
            added.push(self.line(LineKind::Adjustment, terms, Some(method), "paid out elsewhere"));
        }
        added.retain(|line| line.terms != Terms::default());
        // Every line of a settlement has another number.
        (0_i64..).zip(&mut added).for_each(|(place, line)| line.line_no = -place);
        let confirmed = self.with_lines(settlement, &added)?;
        Ok(Confirmed { settlement: confirmed, added })
    }

    /// A list of transactions that states fees and payout must state those of the notice.
    fn repeats(&self, settlement: &Settlement) -> Result<Confirmed, Vec<Problem>> {
        let show = |minor| MajorUnits::new(minor, self.exponent);
        let figures = [
            ("fees", self.fee_minor, settlement.sums.fee_minor),
            ("VAT", self.fee_vat_minor, settlement.sums.fee_vat_minor),
            ("payout", self.payout_minor, settlement.payout_minor.unwrap_or(0)),
        ];
        let differing = figures.iter().filter(|(_, told, listed)| told != listed);
        let problems: Vec<Problem> = differing
            .map(|(what, told, listed)| {
                self.disagrees(&format!("{what} {}, the list has {}", show(*told), show(*listed)))
            })
            .collect();
        match problems.is_empty() {
            true => Ok(Confirmed { settlement: settlement.clone(), added: Vec::new() }),
            false => Err(problems),
        }
    }

    fn with_lines(&self, settlement: &Settlement, added: &[LineRecord]) -> Result<Settlement, Vec<Problem>> {
        let mut sums = TermSums::default();
        added.iter().map(|line| &line.terms).chain([&settlement.sums]).for_each(|terms| sums.add(terms));
        let mut confirmed = Settlement {
            lines: settlement.lines + added.len() as u64,
            sums: sums.terms().ok_or_else(|| vec![self.disagrees("more than can be counted")])?,
            fees: self.fees,
            payout_minor: Some(self.payout_minor),
            stated: StatedTotals { gross_minor: settlement.stated.gross_minor, ..StatedTotals::default() },
            ..settlement.clone()
        };
        let problems = prove(&mut confirmed);
        if problems.is_empty() && confirmed.proof == Proof::Exact {
            return Ok(confirmed);
        }
        Err(problems.iter().map(|problem| self.disagrees(&problem.message)).collect())
    }

    fn disagrees(&self, what: &str) -> Problem {
        let message = format!(
            "The payout notice of settlement {} says otherwise than its list of transactions: {what}. Neither flows on; \
             correct the notice, or ask {} which of them is right",
            self.key.settlement_id, self.key.provider
        );
        Problem::error(Kind::SecondDocument, message)
    }

    fn line(&self, kind: LineKind, terms: Terms, method: Option<&str>, word: &str) -> LineRecord {
        LineRecord {
            merchant_number: self.key.merchant_number.to_string(),
            settlement_id: self.key.settlement_id.to_string(),
            currency: self.key.currency,
            // It is in no row of the list.
            line_no: 0,
            kind,
            terms,
            provider_transaction_id: None,
            original_reference: None,
            order_reference: None,
            correlation_id: None,
            provider_method: method.map(str::to_owned),
            provider_kind: Some(word.to_owned()),
            store_id: None,
            payout_destination_id: None,
            captured_at_us: None,
            captured_on: None,
            provider_date: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::SettlementHead;

    fn settlement() -> Settlement {
        let head = SettlementHead {
            merchant_number: "R4321".parse().unwrap(),
            settlement_id: "R4321-0007".parse().unwrap(),
            currency: "SEK".parse().unwrap(),
            exponent: 2,
            payout_on: jiff::civil::date(2026, 10, 9),
        };
        let sums = Terms { capture_minor: 243_850, refund_minor: -12_025, ..Terms::default() };
        let stated = StatedTotals { lines: Some(4), gross_minor: Some(231_825), ..StatedTotals::default() };
        Settlement { lines: 4, sums, stated, proof: Proof::GrossOnly, ..Settlement::new(head) }
    }

    fn notice() -> PayoutNotice {
        let head = settlement().head;
        PayoutNotice {
            key: SettleKey::new(&"T00000001".parse().unwrap(), &"swedbankpay".parse().unwrap(), &head),
            exponent: 2,
            amount_minor: 231_825,
            fee_minor: 5_600,
            fee_vat_minor: 1_401,
            fees: Fees::Deducted,
            payout_minor: 224_824,
            elsewhere: Vec::new(),
        }
    }

    #[test]
    fn a_notice_that_agrees_makes_the_settlement_exact() {
        let Confirmed { settlement, added } = notice().confirm(&settlement(), &[]).unwrap();
        assert_eq!((settlement.proof, settlement.difference_minor()), (Proof::Exact, Some(0)));
        assert_eq!((settlement.lines, settlement.sums.fee_minor, settlement.sums.fee_vat_minor), (5, 5_600, 1_401));
        assert_eq!(added.len(), 1);
        let again = PayoutNotice { fees: Fees::Invoiced, payout_minor: 231_825, ..notice() };
        assert_eq!(again.difference_minor(), Some(0));
        assert_eq!(again.confirm(&self::settlement(), &[]).unwrap().settlement.proof, Proof::Exact);
    }

    #[test]
    fn methods_that_are_paid_out_separately_are_deducted_in_lines_of_their_own() {
        let notice = PayoutNotice { amount_minor: 211_550, payout_minor: 204_549, ..notice() };
        let elsewhere = [("Swish".to_owned(), 20_275)];
        let Confirmed { settlement, added } = notice.confirm(&settlement(), &elsewhere).unwrap();
        assert_eq!((settlement.proof, settlement.sums.adjustment_minor), (Proof::Exact, -20_275));
        assert_eq!(added.len(), 2);
        assert!(notice.confirm(&self::settlement(), &[("Swish".to_owned(), 20_274)]).is_err());
    }

    #[test]
    fn a_difference_of_one_minor_unit_is_a_problem() {
        for other in [
            PayoutNotice { amount_minor: 231_824, payout_minor: 224_823, ..notice() },
            PayoutNotice { fee_minor: 5_601, ..notice() },
            PayoutNotice { payout_minor: 224_825, ..notice() },
        ] {
            let problems = other.confirm(&settlement(), &[]).unwrap_err();
            assert_eq!(problems.first().map(|problem| problem.kind), Some(Kind::SecondDocument), "{other:?}");
        }
        assert_eq!(PayoutNotice { payout_minor: 224_825, ..notice() }.difference_minor(), Some(-1));
    }

    #[test]
    fn an_exact_list_must_have_the_figures_of_the_notice() {
        let exact = notice().confirm(&settlement(), &[]).unwrap().settlement;
        assert_eq!(notice().confirm(&exact, &[]), Ok(Confirmed { settlement: exact.clone(), added: Vec::new() }));
        for other in [
            PayoutNotice { fee_minor: 5_601, fee_vat_minor: 1_400, ..notice() },
            PayoutNotice { payout_minor: 224_825, ..notice() },
        ] {
            assert!(other.confirm(&exact, &[]).is_err(), "{other:?}");
        }
    }

    #[test]
    fn the_lines_that_a_notice_adds_are_its_fees_and_a_deduction_for_each_method() {
        let notice = PayoutNotice { amount_minor: 211_550, payout_minor: 204_549, ..notice() };
        let elsewhere = [("Nothing".to_owned(), 0), ("Swish".to_owned(), 20_275)];
        let Confirmed { settlement, added } = notice.confirm(&settlement(), &elsewhere).unwrap();
        let [fees, swish] = added.as_slice() else { panic!("{added:?}") };
        assert_eq!((fees.line_no, fees.kind, fees.provider_kind.as_deref()), (0, LineKind::Fee, Some("payout notice")));
        assert_eq!(
            (fees.terms.fee_minor, fees.terms.fee_vat_minor, fees.provider_method.as_deref()),
            (5_600, 1_401, None)
        );
        assert_eq!((swish.line_no, swish.kind), (-1, LineKind::Adjustment));
        assert_eq!(swish.terms, Terms { adjustment_minor: -20_275, ..Terms::default() });
        let words = (swish.provider_method.as_deref(), swish.provider_kind.as_deref());
        assert_eq!(words, (Some("Swish"), Some("paid out elsewhere")));
        assert_eq!((fees.settlement_id.as_str(), fees.merchant_number.as_str()), ("R4321-0007", "R4321"));
        assert_eq!((settlement.lines, settlement.payout_minor, settlement.fees), (6, Some(204_549), Fees::Deducted));
        let stated = StatedTotals { gross_minor: Some(231_825), ..StatedTotals::default() };
        assert_eq!(settlement.stated, stated);
    }

    #[test]
    fn a_notice_that_disagrees_says_by_how_much() {
        let message = |notice: PayoutNotice, settlement: &Settlement| -> Vec<String> {
            let problems = notice.confirm(settlement, &[]).unwrap_err();
            problems.into_iter().map(|problem| problem.message).collect()
        };
        let other = PayoutNotice { amount_minor: 231_900, ..notice() };
        assert_eq!(
            message(other, &settlement()),
            [
                "The payout notice of settlement R4321-0007 says otherwise than its list of transactions: amount 2319.00, the \
              lines sum to 2318.25: difference 0.75. Neither flows on; correct the notice, or ask swedbankpay which of them is \
              right"
            ]
        );
        let exact = notice().confirm(&settlement(), &[]).unwrap().settlement;
        let other = PayoutNotice { fee_minor: 5_601, fee_vat_minor: 1_402, payout_minor: 1, ..notice() };
        let found = message(other, &exact);
        let parts =
            ["fees 56.01, the list has 56.00", "VAT 14.02, the list has 14.01", "payout 0.01, the list has 2248.24"];
        assert_eq!(found.len(), parts.len());
        assert!(found.iter().zip(parts).all(|(found, part)| found.contains(part)), "{found:?}");
    }

    #[test]
    fn sums_beyond_i64_are_problems() {
        let mut settlement = settlement();
        let most = [("Swish".to_owned(), i64::MIN)];
        let problems = notice().confirm(&settlement, &most).unwrap_err();
        assert!(problems[0].message.contains("more than can be counted"), "{problems:?}");
        settlement.sums = Terms { adjustment_minor: i64::MIN, ..settlement.sums };
        let problems = notice().confirm(&settlement, &[]).unwrap_err();
        assert!(problems[0].message.contains("more than can be counted"), "{problems:?}");
        let far = PayoutNotice { amount_minor: i64::MIN, payout_minor: i64::MAX, ..notice() };
        assert_eq!(far.difference_minor(), None);
    }

    #[test]
    fn invoiced_fees_are_no_part_of_the_difference() {
        let notice = PayoutNotice { payout_minor: 224_800, ..notice() };
        let difference = |fees| PayoutNotice { fees, ..notice.clone() }.difference_minor();
        assert_eq!([Fees::Deducted, Fees::Unknown, Fees::Invoiced].map(difference), [Some(24), Some(24), Some(7_025)]);
    }
}
