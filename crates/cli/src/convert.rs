//! `avstem convert`: one report to a Parquet file of its lines, proved on the way.

use std::io::Write;
use std::path::{Path, PathBuf};

use ::formats::Limits;
use anyhow::Context;
use pipeline::intake::judge::judge;
use pipeline::report_id_of;
use settlement::{AccountId, Proof, Settlement, Verdict};
use tables::{LineTable, Packing, TableOwner};
use tempfile::NamedTempFile;

use crate::progress::Watched;
use crate::{Ended, show};

#[derive(clap::Args)]
pub(crate) struct ConvertArguments {
    /// Report to read; - is standard input
    file: PathBuf,
    /// Parquet file to write, - is standard output; nothing is written when the report is held
    #[arg(short, long, value_name = "OUT.parquet")]
    output: PathBuf,
    /// Dintero account to write into the table
    #[arg(long, default_value = "T00000001")]
    account: AccountId,
    /// Zone that days are counted in
    #[arg(long, default_value = "Europe/Oslo")]
    zone: String,
}

pub(crate) fn run(arguments: &ConvertArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let ConvertArguments { file, output, account, zone } = arguments;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut input = Watched::open_or_stdin(file)?;
    let report = report_id_of(input.file())?;
    let to_stdout = output == Path::new("-");
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unable = || format!("Cannot write {}", output.display());
    let lines = if to_stdout { NamedTempFile::new() } else { NamedTempFile::new_in(folder) }.with_context(unable)?;
    let judgement = judge(&name, &mut input, &Limits::default(), None, |format| {
        let owner = TableOwner::new(account, format.provider.id, format.id, report, zone);
        LineTable::create(lines.reopen()?, owner, Packing::Zstd)
    })?;
    drop(input);
    let format = judgement.format.map_or("no known format", |format| format.id);
    // The table itself goes to standard output, and so what is said of it does not.
    let mut said = Vec::new();
    writeln!(said, "{}  {}  {format}", show::verdict(judgement.verdict()), show::name(file))?;
    show::problems(&mut said, "  ", &judgement.problems)?;
    let is_accepted = judgement.verdict() == Verdict::Accepted;
    if is_accepted {
        explain_proof(&judgement.settlements, output, &mut said)?;
    }
    if to_stdout {
        std::io::stderr().write_all(&said)?;
    } else {
        out.write_all(&said)?;
    }
    if !is_accepted {
        return Ok(Ended::Held);
    }
    if to_stdout {
        std::io::copy(&mut lines.reopen()?, out)?;
    } else {
        lines.persist(output).with_context(unable)?;
    }
    Ok(Ended::Well)
}

/// Says how many lines are in the table, and how far their settlements are proved.
fn explain_proof(settlements: &[Settlement], output: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let lines: u64 = settlements.iter().map(|settlement| settlement.lines).sum();
    writeln!(out, "  lines: {lines}, settlements: {}, in {}", settlements.len(), show::name(output))?;
    let exact = settlements.iter().filter(|settlement| settlement.proof == Proof::Exact).count();
    if exact == settlements.len() {
        writeln!(out, "  every payout is proved")?;
    } else {
        let without = settlements.len() - exact;
        writeln!(
            out,
            "  settlements without a proved payout: {without}; the report does not state it, only its rows are proved"
        )?;
    }
    Ok(())
}
