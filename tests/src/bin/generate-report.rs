//! Writes a Vipps portal CSV of many lines for benchmarks: `generate-report LINES > FILE`, the same bytes every time.

use std::io::{self, BufWriter, Write};

use tests::generate::{Seed, portal_head, portal_settlement, settlement};

const LINES_PER_SETTLEMENT: u64 = 500;

fn main() -> io::Result<()> {
    let lines: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut seed = Seed(20_261_121);
    portal_head(&mut out)?;
    for number in 0..lines.div_ceil(LINES_PER_SETTLEMENT) {
        let settlement = settlement(&mut seed, number, LINES_PER_SETTLEMENT.min(lines - number * LINES_PER_SETTLEMENT));
        portal_settlement(&mut out, 123_456, &settlement, number == 0)?;
    }
    out.flush()
}
