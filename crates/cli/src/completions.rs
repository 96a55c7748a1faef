//! `avstem completions` and `avstem man`: help for shells and manuals, made from the commands themselves.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::{Arguments, Ended};

#[derive(clap::Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

#[derive(clap::Args)]
pub(crate) struct ManArguments {
    /// Folder that the pages are written to
    folder: PathBuf,
}

pub(crate) fn run(arguments: &CompletionsArguments, mut out: &mut dyn Write) -> Ended {
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "avstem", &mut out);
    Ended::Well
}

pub(crate) fn man(arguments: &ManArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder).with_context(|| format!("Cannot make {}", folder.display()))?;
    clap_mangen::generate_to(Arguments::command(), folder)
        .with_context(|| format!("Cannot write to {}", folder.display()))?;
    writeln!(out, "Wrote the pages of the manual to {0}; `man -l {0}/avstem.1` shows the first", folder.display())?;
    Ok(Ended::Well)
}
