//! Every table as one file of all months, for tools that read one file.

use std::io::BufWriter;

use jiff::civil::Date;
use settlement::{Month, hexadecimal};
use sha2::{Digest, Sha256};
use store::keys::Key;
use store::{Expect, Place, PortErrorKind};
use tables::{DATA_DICTIONARY, FEE_SUMMARY, MATCH, MONTH_BRIDGE, SETTLEMENT, SETTLEMENT_LINE, Table, TableStream};
use tempfile::NamedTempFile;

use super::bridge;
use super::files::fetch;
use super::{Builder, Pass};
use crate::StepError;
use store::{BuiltItem, DayItem};

impl Builder<'_> {
    /// Makes the exports whose parts have changed since they were made.
    pub(super) async fn build_exports(&mut self) -> Result<Pass, StepError> {
        let (ports, account) = (self.ports, &self.command.account);
        let place = Place::lake_built(account);
        let Some((mut built, mut revision)) = place.read::<BuiltItem>(&*ports.state).await? else {
            return Ok(Pass::Done);
        };
        let mut exports = Vec::new();
        for table in tables::TABLES {
            let key = Key::LakeExport { account: account.clone(), table: table.name };
            let before = ports.objects.head(&key).await?;
            exports.push((table, key, before));
        }
        let days = bridge::days(ports, account).await?;
        if days.is_empty() {
            return Ok(Pass::Done);
        }
        for (table, key, before) in exports {
            let parts = self.parts(table, &days, &built).await?;
            let digest = digest_of(&parts);
            if built.exports.get(table.name) == Some(&digest) && before.is_some() {
                continue;
            }
            let Some(file) = self.export(table, &parts).await? else { return Ok(Pass::Overtaken) };
            if self.put(&key, &file, before.as_ref()).await? == Pass::Overtaken {
                return Ok(Pass::Overtaken);
            }
            built.exports.insert(table.name.to_owned(), digest);
            match ports.state.put_if(&place.put(&built, Expect::Revision(revision))?).await {
                Err(error) if error.kind == PortErrorKind::Conflict => return Ok(Pass::Overtaken),
                written => written?,
            }
            revision += 1;
        }
        Ok(Pass::Done)
    }

    /// One file of all parts; `None` when one of them is gone.
    async fn export(&self, table: &'static Table, parts: &[(Key, String)]) -> Result<Option<NamedTempFile>, StepError> {
        let (packing, scratch) = (self.ports.packing.of_exports(), &self.command.scratch);
        let file = NamedTempFile::new_in(scratch)?;
        if *table == DATA_DICTIONARY {
            tables::write_data_dictionary(file.reopen()?, packing)?;
            return Ok(Some(file));
        }
        let mut stream = TableStream::create(BufWriter::new(file.reopen()?), table, packing)?;
        for (part, version) in parts {
            let Some(part) = fetch(self.ports, part, version, scratch).await? else { return Ok(None) };
            stream.append(part.reopen()?)?;
        }
        stream.close()?;
        Ok(Some(file))
    }

    /// The objects of a table in the order of time, each with its version.
    async fn parts(
        &self,
        table: &'static Table,
        days: &[(Date, DayItem)],
        built: &BuiltItem,
    ) -> Result<Vec<(Key, String)>, StepError> {
        let mut parts = Vec::new();
        if [SETTLEMENT_LINE, MATCH].contains(table) {
            for (day, item) in days {
                let version = item.objects.get(table.name).cloned();
                parts.extend(version.map(|version| (self.day_key(table.name, *day), version)));
            }
            return Ok(parts);
        }
        let mut months: Vec<Month> = match *table {
            SETTLEMENT | FEE_SUMMARY => days.iter().map(|(day, _)| Month::of(*day)).collect(),
            MONTH_BRIDGE => built.bridge_months.iter().copied().map(Month::of).collect(),
            _ => Vec::new(),
        };
        months.dedup();
        for month in months {
            let key = self.month_key(table.name, month);
            let meta = self.ports.objects.head(&key).await?;
            parts.extend(meta.map(|meta| (key, meta.version)));
        }
        Ok(parts)
    }
}

/// What an export is made of; the columns of all tables for the one that lists them.
fn digest_of(parts: &[(Key, String)]) -> String {
    let mut digest = Sha256::new();
    digest.update(tables::data_dictionary_page());
    for (part, version) in parts {
        digest.update(format!("{part} {version}\n"));
    }
    hexadecimal(&digest.finalize())
}
