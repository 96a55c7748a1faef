//! The verdict on bytes, in the words of golden files.

use std::cell::RefCell;
use std::fmt::Write;
use std::io::Cursor;
use std::rc::Rc;

use formats::Limits;
use pipeline::intake::judge::{Judgement, judge};
use settlement::{LineBatch, MajorUnits, Sealed, Settlement, SettlementHead, Severity, Sink, SinkError};
use tables::DigestSink;

/// Judges bytes under a file name, with nothing known before.
pub fn judged(name: &str, bytes: &[u8]) -> Judgement {
    judge(name, &mut Cursor::new(bytes), &Limits::default(), None, |_| Ok(DigestSink::default()))
        .expect("memory can be read")
}

/// Judges bytes and keeps every line as text, one field after another, with amounts in minor units.
pub fn judged_with_lines(name: &str, bytes: &[u8]) -> (Judgement, Vec<Vec<String>>) {
    let lines = Rc::new(RefCell::new(Vec::new()));
    let sink = || Ok(KeepLines { lines: Rc::clone(&lines), digests: DigestSink::default() });
    let judgement =
        judge(name, &mut Cursor::new(bytes), &Limits::default(), None, |_| sink()).expect("memory can be read");
    (judgement, lines.take())
}

struct KeepLines {
    lines: Rc<RefCell<Vec<Vec<String>>>>,
    digests: DigestSink,
}

impl Sink for KeepLines {
    fn open(&mut self, head: &SettlementHead) -> Result<(), SinkError> {
        self.digests.open(head)
    }

    fn lines(&mut self, batch: &LineBatch) -> Result<(), SinkError> {
        let texts = [
            &batch.provider_transaction_id,
            &batch.original_reference,
            &batch.order_reference,
            &batch.correlation_id,
            &batch.provider_method,
            &batch.provider_kind,
            &batch.store_id,
            &batch.payout_destination_id,
        ];
        let texts = texts.map(|column| column.iter().map(str::to_owned).collect::<Vec<_>>());
        for place in 0..batch.len() {
            let mut line = vec![batch.settlement[place].to_string(), batch.kind[place].as_str().to_owned()];
            line.extend(batch.terms[place].named().map(|(_, minor)| minor.to_string()));
            line.extend(texts.iter().map(|column| column[place].clone()));
            line.push(format!("{:?}", batch.captured_at_us[place]));
            line.push(format!("{:?}", batch.provider_date[place]));
            self.lines.borrow_mut().push(line);
        }
        self.digests.lines(batch)
    }

    fn seal(&mut self, settlements: &[Settlement]) -> Result<Sealed, SinkError> {
        self.digests.seal(settlements)
    }
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
            settlement.net_minor().map_or("none".to_owned(), show),
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
