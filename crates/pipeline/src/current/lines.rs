//! The lines of a committed report.

use settlement::{AccountId, Currency, LineRecord, ReportId};
use store::keys::Key;
use store::{Place, ReportItem};
use tempfile::NamedTempFile;

use crate::{PARSER_VERSION, Ports, StepError};

/// Copies the lines of a committed report to a local file.
///
/// # Errors
/// When they are gone or cannot be read.
pub(crate) async fn fetch_lines(
    ports: &Ports,
    account: &AccountId,
    report: ReportId,
    into: &NamedTempFile,
) -> Result<(), StepError> {
    let item = Place::report(report, account).read::<ReportItem>(&*ports.state).await?;
    // A report keeps the lines of the parser that committed it.
    let parser_version = item.map_or_else(|| PARSER_VERSION.to_owned(), |(item, _)| item.parser_version);
    let key = Key::Lines { account: account.clone(), report, parser_version };
    let Some(meta) = ports.objects.head(&key).await? else {
        return Err(StepError::Refused(format!("The lines of report {} are gone from {key}", report.short())));
    };
    let mut file = into.reopen()?;
    ports.objects.fetch(&key, &meta.version, &mut file).await?;
    Ok(())
}

/// The settlement that a line is of, within its report.
pub(crate) fn name_of(line: &LineRecord) -> (&str, &str, Currency) {
    (&line.merchant_number, &line.settlement_id, line.currency)
}
