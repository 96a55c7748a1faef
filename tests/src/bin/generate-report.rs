//! Writes a large report of Vipps for benchmarks, the same bytes every time: `generate-report LINES > FILE` the portal's older
//! CSV, `generate-report LINES --details > FILE` the settlement report's details.

use std::io::{self, BufWriter, Write};

use jiff::ToSpan;
use jiff::civil::{Date, date};
use tests::generate::{
    LINES_PER_SETTLEMENT, Settlement, details_head, details_settlement, many_settlements, portal_head,
    portal_settlement,
};

const MERCHANT: u64 = 123_456;
const FIRST_PAYOUT_ON: Date = date(2015, 1, 2);

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let lines: u64 = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let settlements = many_settlements(lines, LINES_PER_SETTLEMENT);
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.get(1).is_some_and(|argument| argument == "--details") {
        details_head(&mut out)?;
        // A ledger is paid out one day after the other.
        for (settlement, payout_on) in settlements.zip(FIRST_PAYOUT_ON.series(1.day())) {
            details_settlement(&mut out, MERCHANT, &Settlement { payout_on, ..settlement })?;
        }
    } else {
        portal_head(&mut out)?;
        for (number, settlement) in settlements.enumerate() {
            portal_settlement(&mut out, MERCHANT, &settlement, number == 0)?;
        }
    }
    out.flush()
}
