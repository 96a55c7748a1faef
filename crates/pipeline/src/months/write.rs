//! The files of a month's summary.

use std::io::{BufWriter, Write};
use std::path::Path;

use documents::{Language, MonthContent, MonthSummary, SummaryForm};
use serde::Serialize;
use settlement::{AccountId, Month, hexadecimal};
use sha2::{Digest, Sha256};
use store::keys::Key;
use tables::SummaryOf;
use tempfile::NamedTempFile;

use crate::{Ports, StepError};
use store::SummaryRevision;

/// File name ending of the table.
const TABLE: &str = "parquet";

/// So many digits tell the editions of one revision apart.
const EDITION_DIGITS: usize = 12;

/// SHA-256 of what is known of a month.
pub(super) fn digest_of(content: &MonthContent) -> Result<String, StepError> {
    Ok(hexadecimal(&Sha256::digest(json(content)?)))
}

/// Names the files of a summary by everything that is in them.
pub(super) fn edition_of(summary: &MonthSummary, language: Language) -> Result<String, StepError> {
    let digest = Sha256::new().chain_update(json(summary)?).chain_update(language.tag()).finalize();
    Ok(hexadecimal(&digest).chars().take(EDITION_DIGITS).collect())
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, StepError> {
    Ok(serde_json::to_vec(value).map_err(std::io::Error::from)?)
}

/// Where the forms of a revision lie.
pub(super) fn files(account: &AccountId, month: Month, revision: &SummaryRevision) -> Vec<Key> {
    let extensions = SummaryForm::ALL.map(SummaryForm::extension).into_iter().chain([TABLE]);
    extensions.map(|extension| key(account, month, revision, extension)).collect()
}

fn key(account: &AccountId, month: Month, revision: &SummaryRevision, extension: &'static str) -> Key {
    let (account, edition, revision) = (account.clone(), revision.edition.clone(), revision.revision);
    Key::MonthSummary { account, month, revision, edition, extension }
}

/// A revision as it was written.
pub(super) async fn read(
    ports: &Ports,
    account: &AccountId,
    month: Month,
    revision: &SummaryRevision,
) -> Result<MonthSummary, StepError> {
    let key = key(account, month, revision, SummaryForm::Json.extension());
    let Some(meta) = ports.objects.head(&key).await? else {
        return Err(StepError::Refused(format!("The summary of {month} is gone from {key}")));
    };
    let mut json = Vec::new();
    ports.objects.fetch(&key, &meta.version, &mut json).await?;
    Ok(MonthSummary::read(&json)?)
}

/// Writes all forms; those that are there already are of the same bytes.
pub(super) async fn write(
    ports: &Ports,
    summary: &MonthSummary,
    revision: &SummaryRevision,
    language: Language,
    scratch: &Path,
) -> Result<Vec<Key>, StepError> {
    let files = files(&summary.account, summary.month, revision);
    for (key, form) in files.iter().zip(SummaryForm::ALL.map(Some).into_iter().chain([None])) {
        let file = NamedTempFile::new_in(scratch)?;
        let mut out = BufWriter::new(file.reopen()?);
        match form {
            Some(form) => summary.write(form, language, &mut out)?,
            None => write_table(ports, summary, &mut out)?,
        }
        out.flush()?;
        drop(out);
        ports.objects.upload_new(key, file.path()).await?;
    }
    Ok(files)
}

fn write_table(ports: &Ports, summary: &MonthSummary, out: &mut (dyn Write + Send)) -> Result<(), StepError> {
    let MonthSummary { account, month, revision, .. } = summary;
    let of = SummaryOf { account, month: *month, revision: *revision };
    Ok(tables::write_month_summary(out, of, &summary.records()?, ports.packing)?)
}
