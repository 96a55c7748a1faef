//! The proof: compares a settlement's lines with every total that its file states.

use crate::kind::Kind;
use crate::money::MajorUnits;
use crate::problem::Problem;
use crate::report::{Fees, Proof, Settlement};

/// Compares the settlement's lines with what the file states, sets its proof level, and returns every difference.
///
/// Amounts are minor units; the tolerance is zero. The rule is
/// `opening + Σ net (+ Σ fee + Σ fee_vat when fees are invoiced) − payout = closing`.
pub fn prove(settlement: &mut Settlement) -> Vec<Problem> {
    let mut problems = Vec::new();
    let stated = &settlement.stated;
    if let Some(lines) = stated.lines.filter(|lines| *lines != settlement.lines) {
        problems.push(format!("the file states {lines} lines, it holds {}", settlement.lines));
    }
    let gross = settlement.sums.capture_minor.checked_add(settlement.sums.refund_minor);
    let totals = [
        ("captures", stated.capture_minor, Some(settlement.sums.capture_minor)),
        ("refunds", stated.refund_minor, Some(settlement.sums.refund_minor)),
        ("gross", stated.gross_minor, gross),
        ("fees", stated.fee_minor, Some(settlement.sums.fee_minor)),
        ("net", stated.net_minor, settlement.sums.net_minor()),
        ("payout", settlement.payout_minor, settlement.payable_minor()),
    ];
    for (what, stated, summed) in totals {
        let Some(stated) = stated else { continue };
        if summed != Some(stated) {
            problems.push(disagreement(settlement, what, stated, summed));
        }
    }
    settlement.proof = if problems.is_empty() { level(settlement) } else { Proof::RowsOnly };
    let row = settlement.stated.row;
    let name = settlement.name();
    problems
        .into_iter()
        .map(|what| {
            let message = format!("In {name} {what}. Ask the provider for the report again, or for the missing rows");
            let problem = Problem::error(Kind::ControlTotal, message);
            row.map_or(problem.clone(), |row| problem.at_row(row))
        })
        .collect()
}

fn disagreement(settlement: &Settlement, what: &str, stated: i64, summed: Option<i64>) -> String {
    let show = |minor| MajorUnits::new(minor, settlement.head.exponent);
    let currency = settlement.head.currency;
    match summed.and_then(|summed| Some((summed, stated.checked_sub(summed)?))) {
        Some((summed, difference)) => format!(
            "the file states {what} {} {currency}, its {} lines sum to {}: difference {}",
            show(stated),
            settlement.lines,
            show(summed),
            show(difference)
        ),
        None => {
            format!("the file states {what} {} {currency}, its lines sum to more than can be counted", show(stated))
        }
    }
}

fn level(settlement: &Settlement) -> Proof {
    let gross_stated = settlement.stated.gross_minor.is_some() || settlement.stated.capture_minor.is_some();
    match (settlement.payout_minor, settlement.fees) {
        (Some(_), Fees::Deducted | Fees::Invoiced) => Proof::Exact,
        _ if gross_stated => Proof::GrossOnly,
        _ => Proof::RowsOnly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::SettlementHead;
    use crate::terms::Terms;

    /// The Gross example of the documentation: payout 819.60 over a net of 727.56.
    fn gross_settlement() -> Settlement {
        let head = SettlementHead {
            merchant_number: "123456".parse().unwrap(),
            settlement_id: "2000461".parse().unwrap(),
            currency: "NOK".parse().unwrap(),
            exponent: 2,
            payout_on: jiff::civil::date(2026, 10, 30),
        };
        let sums = Terms { capture_minor: 91_960, refund_minor: -10_000, fee_minor: 9_204, ..Terms::default() };
        Settlement { lines: 3, sums, fees: Fees::Invoiced, payout_minor: Some(81_960), ..Settlement::new(head) }
    }

    #[test]
    fn invoiced_fees_are_not_taken_from_the_payout() {
        let mut settlement = gross_settlement();
        assert_eq!(settlement.net_minor(), Some(72_756));
        assert_eq!(prove(&mut settlement), []);
        assert_eq!(settlement.proof, Proof::Exact);
    }

    #[test]
    fn one_minor_unit_too_much_is_a_control_total() {
        let mut settlement = gross_settlement();
        settlement.payout_minor = Some(81_961);
        let problems = prove(&mut settlement);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].kind, Kind::ControlTotal);
        assert!(problems[0].message.contains("difference 0.01"), "{}", problems[0].message);
    }

    #[test]
    fn opening_and_closing_balance_belong_to_the_equation() {
        let mut settlement = gross_settlement();
        settlement.fees = Fees::Deducted;
        settlement.opening_minor = -5_000;
        settlement.closing_minor = 1_000;
        settlement.payout_minor = Some(72_756 - 5_000 - 1_000);
        assert_eq!(prove(&mut settlement), []);
        assert_eq!(settlement.difference_minor(), Some(0));
    }

    #[test]
    fn every_stated_total_is_compared_with_the_lines() {
        let mut settlement = gross_settlement();
        settlement.stated.lines = Some(4);
        settlement.stated.capture_minor = Some(91_959);
        settlement.stated.refund_minor = Some(-9_999);
        settlement.stated.gross_minor = Some(0);
        settlement.stated.fee_minor = Some(-9_204);
        settlement.stated.net_minor = Some(72_757);
        assert_eq!(prove(&mut settlement).len(), 6);
    }

    #[test]
    fn the_level_says_what_the_file_can_prove() {
        let mut settlement = gross_settlement();
        settlement.payout_minor = None;
        prove(&mut settlement);
        assert_eq!(settlement.proof, Proof::RowsOnly);
        settlement.stated.gross_minor = Some(81_960);
        prove(&mut settlement);
        assert_eq!(settlement.proof, Proof::GrossOnly);
    }

    #[test]
    fn a_difference_is_shown_with_both_sums_and_the_row_that_states_one() {
        let mut settlement = gross_settlement();
        settlement.stated.row = Some(9);
        settlement.stated.lines = Some(4);
        settlement.stated.net_minor = Some(72_800);
        let problems = prove(&mut settlement);
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "In settlement 2000461 of merchant 123456 the file states 4 lines, it holds 3. Ask the provider for the report \
                 again, or for the missing rows",
                "In settlement 2000461 of merchant 123456 the file states net 728.00 NOK, its 3 lines sum to 727.56: difference \
                 0.44. Ask the provider for the report again, or for the missing rows",
            ]
        );
        assert!(problems.iter().all(|problem| problem.row == Some(9) && problem.kind == Kind::ControlTotal));
        assert_eq!(settlement.proof, Proof::RowsOnly);
    }

    #[test]
    fn a_sum_beyond_i64_agrees_with_no_total() {
        let mut settlement = gross_settlement();
        settlement.sums = Terms { capture_minor: i64::MAX, adjustment_minor: 1, ..Terms::default() };
        let problems = prove(&mut settlement);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.contains("its lines sum to more than can be counted"), "{}", problems[0].message);
        settlement.sums = Terms { capture_minor: i64::MIN, ..Terms::default() };
        assert_eq!(prove(&mut settlement).len(), 1, "a difference beyond i64");
    }

    #[test]
    fn only_a_payout_with_known_fees_is_exact() {
        for (fees, payout_minor, capture_minor, proof) in [
            (Fees::Deducted, Some(72_756), None, Proof::Exact),
            (Fees::Invoiced, Some(81_960), None, Proof::Exact),
            (Fees::Unknown, Some(72_756), None, Proof::RowsOnly),
            (Fees::Unknown, Some(72_756), Some(91_960), Proof::GrossOnly),
            (Fees::Deducted, None, Some(91_960), Proof::GrossOnly),
        ] {
            let mut settlement = Settlement { fees, payout_minor, ..gross_settlement() };
            settlement.stated.capture_minor = capture_minor;
            assert_eq!((prove(&mut settlement), settlement.proof), (Vec::new(), proof), "{fees:?} {payout_minor:?}");
        }
    }
}
