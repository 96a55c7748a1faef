//! `avstem convert`: one report to a Parquet file of its lines, proved on the way.

use std::io::Write;
use std::path::{Path, PathBuf};

use ::formats::Limits;
use anyhow::Context;
use pipeline::intake::judge::judge;
use pipeline::report_id_of;
use settlement::{AccountId, Verdict};
use tables::{LineTable, Packing, TableOwner};
use tempfile::NamedTempFile;

use crate::progress::Watched;
use crate::{Ended, show};

#[derive(clap::Args)]
pub(crate) struct ConvertArguments {
    /// Report to read
    file: PathBuf,
    /// Parquet file to write; nothing is written when the report is held
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
    let mut input = Watched::open(file)?;
    let report = report_id_of(input.file())?;
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unable = || format!("Cannot write {}", output.display());
    let lines = NamedTempFile::new_in(folder).with_context(unable)?;
    let judgement = judge(&name, &mut input, &Limits::default(), None, |format| {
        let owner = TableOwner::new(account, format.provider.id, format.id, report, zone);
        LineTable::create(lines.reopen()?, owner, Packing::Zstd)
    })?;
    drop(input);
    let format = judgement.format.map_or("no known format", |format| format.id);
    writeln!(out, "{}  {}  {format}", judgement.verdict(), show::name(file))?;
    show::problems(out, "  ", &judgement.problems)?;
    if judgement.verdict() != Verdict::Accepted {
        return Ok(Ended::Held);
    }
    lines.persist(output).with_context(unable)?;
    let count: u64 = judgement.settlements.iter().map(|settlement| settlement.lines).sum();
    let settlements = judgement.settlements.len();
    writeln!(out, "  {count} lines of {settlements} settlements, every payout proved, in {}", show::name(output))?;
    Ok(Ended::Well)
}
