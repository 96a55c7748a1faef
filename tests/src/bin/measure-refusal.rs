//! Judges each hostile file, or the one named, in a process of its own and prints verdict, milliseconds and KiB of
//! memory above what the process had before.

use std::io::Cursor;
use std::process::Command;
use std::time::Instant;

use formats::Limits;
use pipeline::intake::judge::judge;
use tables::{LineTable, Packing, TableOwner};
use tests::hostile;

fn main() -> anyhow::Result<()> {
    let Some(name) = std::env::args().nth(1) else {
        for (name, bytes) in hostile::all() {
            let answer = Command::new(std::env::current_exe()?).arg(name).output()?;
            let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
            println!("{name:<32} {:>8} bytes  {text}", bytes.len());
        }
        return Ok(());
    };
    let bytes = hostile::all().into_iter().find(|(known, _)| *known == name).map(|(_, bytes)| bytes);
    let bytes = bytes.ok_or_else(|| anyhow::anyhow!("no hostile file is called {name}"))?;
    // What the process had at its highest while it made the file counts for nothing.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = memory_kib("VmRSS:")?;
    let begun = Instant::now();
    let judgement = judge(&name, &mut Cursor::new(&bytes), &Limits::default(), None, |format| {
        let owner = TableOwner {
            account_id: "T00000001".into(),
            provider: format.provider.id.into(),
            format: format.id.into(),
            report_id: "0".repeat(64),
            zone: "Europe/Oslo".into(),
        };
        LineTable::create(tempfile::tempfile()?, owner, Packing::Zstd)
    })?;
    let kind = judgement.kind().map_or("-", |kind| kind.as_str());
    let above = memory_kib("VmHWM:")?.saturating_sub(before);
    println!("{} {kind} {} ms {above} KiB", judgement.verdict(), begun.elapsed().as_millis());
    Ok(())
}

fn memory_kib(what: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    Ok(line.and_then(|line| line.split_whitespace().next()).unwrap_or("0").parse()?)
}
