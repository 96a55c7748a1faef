//! Runs the real steps against faults that a seed decides: `simulate --seeds N [--from SEED]` makes N runs and ends at
//! the first violation; `simulate --seed N` makes one run, the same every time.

use std::io::Write;

use anyhow::{Context, bail};
use simulation::explore;

const USAGE: &str = "usage: simulate --seeds N [--from SEED] | simulate --seed N";

fn main() -> anyhow::Result<()> {
    let (mut seed, mut seeds, mut from) = (None, None, 0);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut number = || -> anyhow::Result<u64> { arguments.next().context(USAGE)?.parse().context(USAGE) };
        match name.as_str() {
            "--seed" => seed = Some(number()?),
            "--seeds" => seeds = Some(number()?),
            "--from" => from = number()?,
            _ => bail!("found {name:?}, {USAGE}"),
        }
    }
    let scratch = tempfile::tempdir()?;
    let mut out = std::io::stdout().lock();
    let seeds = match (seed, seeds) {
        (Some(seed), None) => {
            let ran = explore::seeded(seed, scratch.path())?;
            writeln!(out, "seed {seed}: {} calls, trace {:016x}, no violation", ran.calls, ran.trace)?;
            return Ok(());
        }
        (None, Some(seeds)) if seeds > 0 => seeds,
        _ => bail!(USAGE),
    };
    let mut calls = 0;
    for run in 0..seeds {
        calls += explore::seeded(from.saturating_add(run), scratch.path())?.calls;
        if run % 1_000 == 999 {
            writeln!(out, "{} seeds, {calls} calls, no violation", run + 1)?;
        }
    }
    writeln!(out, "{seeds} seeds, {calls} calls, no violation")?;
    Ok(())
}
