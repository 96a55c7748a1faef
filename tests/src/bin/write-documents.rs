//! Writes one form of the Dintero report of a made-up settlement, for the benchmark: `write-documents FORM LINES OUT`.
//! `write-documents small` prints what all forms of a settlement of five lines take together.

use std::convert::Infallible;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Instant;

use anyhow::Context;
use documents::{Breakdown, DinteroReport, Language, ReportType};
use settlement::{
    Currency, Fees, LineKind, LineRecord, Proof, ReportId, SettleKey, Settlement, SettlementHead, TermSums, Terms,
};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [small] if small == "small" => small_settlement(),
        [form, lines, out] => {
            let form = ReportType::ALL.into_iter().find(|known| known.extension() == form).context("unknown form")?;
            let mut out = BufWriter::new(File::create(out)?);
            write(form, lines.parse()?, &mut out)?;
            Ok(out.flush()?)
        }
        _ => anyhow::bail!("Usage: write-documents FORM LINES OUT | small"),
    }
}

/// The median of many rounds, the first of which packs the fonts.
fn small_settlement() -> anyhow::Result<()> {
    let mut rounds = Vec::new();
    for _ in 0..50 {
        let mut times = Vec::new();
        for form in ReportType::ALL {
            let begun = Instant::now();
            write(form, 5, &mut std::io::sink())?;
            times.push(begun.elapsed());
        }
        rounds.push(times);
    }
    for (place, form) in ReportType::ALL.into_iter().enumerate() {
        let mut times: Vec<_> = rounds.iter().map(|times| times[place]).collect();
        times.sort();
        println!("{:<13} {:>7.3} ms", form.extension(), times[times.len() / 2].as_secs_f64() * 1_000.0);
    }
    let mut all: Vec<_> = rounds.iter().map(|times| times.iter().sum::<std::time::Duration>()).collect();
    all.sort();
    println!("{:<13} {:>7.3} ms", "all forms", all[all.len() / 2].as_secs_f64() * 1_000.0);
    Ok(())
}

fn write(form: ReportType, lines: u64, out: &mut dyn Write) -> anyhow::Result<()> {
    let made = || (0..lines).map(|number| Ok::<_, Infallible>(line(number)));
    let mut sums = TermSums::default();
    made().for_each(|line| sums.add(&line.unwrap_or_else(|never| match never {}).terms));
    let head = SettlementHead {
        merchant_number: "123456".parse()?,
        settlement_id: "2000461".parse()?,
        currency: Currency::NOK,
        exponent: 2,
        payout_on: jiff::civil::date(2026, 10, 30),
    };
    let sums = sums.terms().context("too much money")?;
    let (payout_minor, fees, proof) = (sums.net_minor(), Fees::Deducted, Proof::Exact);
    let settlement = Settlement { lines, sums, payout_minor, fees, proof, ..Settlement::new(head) };
    let key = SettleKey::new(&"T00000001".parse()?, &"vipps".parse()?, &settlement.head);
    let breakdown = Breakdown::of(made())?;
    let report = DinteroReport {
        key: &key,
        settlement: &settlement,
        version: 1,
        report: ReportId::from_sha256([7; 32]),
        breakdown: &breakdown,
        language: Language::Nb,
    };
    Ok(report.write(form, made(), out)?)
}

fn line(number: u64) -> LineRecord {
    let amount = i64::try_from(number * 7_919 % 250_000).unwrap_or(0) + 100;
    let (kind, terms) = if number % 10 == 9 {
        (LineKind::Refund, Terms { refund_minor: -amount, ..Terms::default() })
    } else {
        (LineKind::Sale, Terms { capture_minor: amount, fee_minor: amount / 57, ..Terms::default() })
    };
    let day = i8::try_from(number % 28).unwrap_or(0) + 1;
    LineRecord {
        merchant_number: "123456".into(),
        settlement_id: "2000461".into(),
        currency: Currency::NOK,
        line_no: i64::try_from(number).unwrap_or(0) + 2,
        kind,
        terms,
        provider_transaction_id: Some(format!("{}", 5_001_145_476 + number * 37)),
        original_reference: None,
        order_reference: Some(format!("BUTIKK-{number:07}-{:04x}", number * 40_503 % 65_536)),
        correlation_id: None,
        provider_method: Some(["Vipps", "Visa", "Mastercard"][(number % 3) as usize].into()),
        provider_kind: None,
        store_id: None,
        payout_destination_id: None,
        captured_at_us: None,
        captured_on: Some(jiff::civil::date(2026, 10, day)),
        provider_date: None,
    }
}
