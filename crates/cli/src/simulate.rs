//! `avstem simulate`: the real steps in a world of their own, disturbed as a seed decides.

use std::io::Write;

use simulation::explore;

use crate::Ended;

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["seed", "seeds"])))]
pub(crate) struct SimulateArguments {
    /// One run, the same every time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// So many runs; ends at the first that goes wrong
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// First seed of many
    #[arg(long, default_value_t = 0, requires = "seeds")]
    from: u64,
}

pub(crate) fn run(arguments: &SimulateArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let scratch = tempfile::tempdir()?;
    if let Some(seed) = arguments.seed {
        let ran = explore::seeded(seed, scratch.path())?;
        writeln!(out, "seed {seed}: {} calls, trace {:016x}, nothing wrong", ran.calls, ran.trace)?;
        return Ok(Ended::Well);
    }
    let (seeds, from) = (arguments.seeds.unwrap_or_default(), arguments.from);
    let mut calls = 0;
    for seed in from..from.saturating_add(seeds) {
        calls += explore::seeded(seed, scratch.path())?.calls;
        if seed % 1_000 == 999 {
            writeln!(out, "{} seeds, {calls} calls, nothing wrong", seed - from + 1)?;
            out.flush()?;
        }
    }
    writeln!(out, "{seeds} seeds, {calls} calls, nothing wrong")?;
    Ok(Ended::Well)
}
