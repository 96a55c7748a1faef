//! An archive of several reports: each becomes an upload of its own, and is judged alone.

use std::fs::File;
use std::io::BufReader;

use formats::{Failure, reports_in, unpack};
use settlement::{Kind, Problem, Verdict};
use store::keys::LandingKey;
use store::{Expect, ReportItem, ReportState};
use tempfile::NamedTempFile;

use super::{Outcome, Work};
use crate::StepError;
use crate::intake::judge::{Judgement, UNKNOWN_PROVIDER, provider_of, refused};
use crate::intake::spool::report_id_of;
use crate::intake::upload::{MadeUpload, upload_unpacked};

/// What an upload holds.
pub(super) enum Contents {
    /// At most one report.
    Alone,
    /// Several reports, which are uploaded now.
    Several(Vec<MadeUpload>),
    /// An archive of several reports that cannot be unpacked.
    Unreadable(Box<Judgement>),
}

impl Work<'_> {
    /// Uploads each report of an archive that holds several; what was uploaded before is not uploaded again.
    pub(super) async fn unpack(&self) -> Result<Contents, StepError> {
        let mut input = BufReader::new(self.spooled.file.reopen()?);
        let (name, limits) = (&self.command.landing.name, &self.command.limits);
        let names = match reports_in(name, &mut input, limits) {
            Ok(names) if names.is_empty() => return Ok(Contents::Alone),
            Ok(names) => names,
            // It is said when the file is judged.
            Err(Failure::Held(_)) => return Ok(Contents::Alone),
            Err(failure) => return refused(failure).map(|judgement| Contents::Unreadable(Box::new(judgement))),
        };
        let mut files = Vec::new();
        for report in &names {
            let file = NamedTempFile::new_in(&self.command.scratch)?;
            if let Err(failure) = unpack(report, &mut input, limits, &mut file.as_file()) {
                return refused(failure).map(|judgement| Contents::Unreadable(Box::new(judgement)));
            }
            let Ok(landing) = self.landing_of(report, file.reopen()?)? else {
                let message = "Found a name in the archive that is no file name. Send each report by itself";
                let problems = Problem::error(Kind::ArchiveUnsafe, message).into();
                return Ok(Contents::Unreadable(Box::new(Judgement { problems, ..Judgement::default() })));
            };
            files.push((landing, file));
        }
        let mut uploads = Vec::new();
        for (landing, file) in files {
            let report = report_id_of(&mut file.reopen()?)?;
            uploads.push(upload_unpacked(self.ports, landing, file.path(), report).await?);
        }
        Ok(Contents::Several(uploads))
    }

    /// Where a report of the archive lies: beside the archive, or with its provider where the archive's is not known.
    fn landing_of(
        &self,
        report: &str,
        file: File,
    ) -> Result<Result<LandingKey, store::keys::BadLandingKey>, StepError> {
        let landing = &self.command.landing;
        let of_file = match landing.provider.as_str() {
            UNKNOWN_PROVIDER => provider_of(report, &mut BufReader::new(file), &self.command.limits)?,
            _ => None,
        };
        let name = format!("{}!{}", landing.name, report.replace('/', "!"));
        Ok(LandingKey::new(landing.account.clone(), of_file.unwrap_or(&landing.provider), &name))
    }

    /// Records that the reports of an archive have been uploaded by themselves.
    pub(super) async fn record_unpacked(
        &self,
        item: ReportItem,
        revision: u64,
        uploads: Vec<MadeUpload>,
    ) -> Result<Outcome, StepError> {
        let reports = u32::try_from(uploads.len()).unwrap_or(u32::MAX);
        let item = ReportItem { state: ReportState::Unpacked { reports }, ..item };
        let what = format!("UNPACKED, reports: {reports}");
        self.write(&item, Expect::Revision(revision), revision + 1, what).await?;
        let outcome = Outcome::new(Some(item.report), Judgement::default());
        Ok(Outcome { verdict: Verdict::Accepted, uploads, ..outcome })
    }
}
