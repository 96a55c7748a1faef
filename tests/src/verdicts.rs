//! The verdict on bytes, in the words of golden files.

use std::fmt::Write;
use std::io::Cursor;

use formats::Limits;
use pipeline::judge::{Judgement, judge};
use settlement::{MajorUnits, Severity};
use tables::DigestSink;

/// Judges bytes under a file name, with nothing known before.
pub fn judged(name: &str, bytes: &[u8]) -> Judgement {
    judge(name, &mut Cursor::new(bytes), &Limits::default(), None, |_| Ok(DigestSink::default()))
        .expect("memory can be read")
}

/// The judgement as text that a person can review.
pub fn golden(judgement: &Judgement) -> String {
    let mut text = String::new();
    let format = judgement.format.map_or("no format", |format| format.id);
    writeln!(text, "{} {format}", judgement.verdict()).expect("memory");
    for settlement in &judgement.settlements {
        let head = &settlement.head;
        let show = |minor| MajorUnits::new(minor, head.exponent).to_string();
        let sums = &settlement.sums;
        let payout = settlement.payout_minor.map_or("none".to_owned(), show);
        let difference = settlement.difference_minor().map_or("none".to_owned(), show);
        writeln!(
            text,
            "settlement {} merchant {} {} paid on {}: {} lines, capture {} refund {} fee {} adjustment {} net {}, \
             payout {payout} difference {difference}, fees {}, proof {}, account {}, hash {}",
            head.settlement_id,
            head.merchant_number,
            head.currency,
            head.payout_on,
            settlement.lines,
            show(sums.capture_minor),
            show(sums.refund_minor),
            show(sums.fee_minor),
            show(sums.adjustment_minor),
            show(settlement.net_minor()),
            settlement.fees.as_str(),
            settlement.proof.as_str(),
            settlement.bank_account.as_deref().unwrap_or("-"),
            settlement.hash.map_or("-".to_owned(), |hash| hash.to_string()[..16].to_owned()),
        )
        .expect("memory");
    }
    for problem in judgement.problems.list() {
        let severity = if problem.severity == Severity::Error { "error" } else { "note" };
        let row = problem.row.map_or("-".to_owned(), |row| row.to_string());
        let column = problem.column.as_deref().unwrap_or("-").escape_debug().to_string();
        writeln!(text, "{severity} {} row {row} column {column}: {}", problem.kind, problem.message).expect("memory");
    }
    if judgement.problems.beyond_limit() > 0 {
        writeln!(text, "and {} problems more", judgement.problems.beyond_limit()).expect("memory");
    }
    text
}
