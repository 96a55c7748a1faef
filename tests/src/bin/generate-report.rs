//! Writes a Vipps portal CSV of many lines for benchmarks: `generate-report LINES > FILE`, the same bytes every time.

use std::io::{self, BufWriter, Write};

use tests::generate::{LINES_PER_SETTLEMENT, many_settlements, portal_head, portal_settlement};

fn main() -> io::Result<()> {
    let lines: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let mut out = BufWriter::new(io::stdout().lock());
    portal_head(&mut out)?;
    for (number, settlement) in many_settlements(lines, LINES_PER_SETTLEMENT).enumerate() {
        portal_settlement(&mut out, 123_456, &settlement, number == 0)?;
    }
    out.flush()
}
