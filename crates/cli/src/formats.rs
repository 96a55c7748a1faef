//! `avstem formats`: the registry, for people and programs.

use std::io::Write;

use ::formats::{FORMATS, Format};
use serde::Serialize;

use crate::Ended;

#[derive(clap::Args)]
pub(crate) struct FormatsArguments {
    /// One JSON object per format and line
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Entry {
    id: &'static str,
    provider: &'static str,
    payment_products: &'static [&'static str],
    file_types: &'static [&'static str],
    proof: &'static str,
    surety: &'static str,
    source: &'static str,
}

impl From<&Format> for Entry {
    fn from(format: &Format) -> Self {
        Entry {
            id: format.id,
            provider: format.provider.id,
            payment_products: format.payment_products,
            file_types: format.file_types,
            proof: format.proof.as_str(),
            surety: format.surety.as_str(),
            source: format.source,
        }
    }
}

pub(crate) fn run(arguments: &FormatsArguments, out: &mut dyn Write) -> anyhow::Result<Ended> {
    for entry in FORMATS.iter().map(Entry::from) {
        if arguments.json {
            writeln!(out, "{}", serde_json::to_string(&entry)?)?;
        } else {
            let Entry { id, proof, surety, source, .. } = entry;
            let types = entry.file_types.join(", ");
            writeln!(out, "{id:<24} .{types:<5} proof {proof:<11} {surety:<11} {source}")?;
        }
    }
    Ok(Ended::Well)
}
