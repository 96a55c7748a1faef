//! The files of a person's folder that may be reports.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Files that are taken, sorted, so that every run takes them in the same order.
    pub(crate) files: Vec<PathBuf>,
    /// What is passed over, with the reason.
    pub(crate) passed_over: Vec<(PathBuf, &'static str)>,
}

/// Folders of a home that hold what avstem wrote itself.
const OF_HOME: &[&str] = &["landing", "archive", "lake", "reports", "mirror", "mail", "outbox", "tmp"];

impl Inbox {
    /// Finds the files below `folder`, and below the folders in it.
    pub(crate) fn open(folder: &Path, home: &Path) -> anyhow::Result<Inbox> {
        let real = |path: &Path| path.canonicalize().with_context(|| format!("Cannot read {}", path.display()));
        let (root, home) = (real(folder)?, real(home)?);
        let inside = home.starts_with(&root) || OF_HOME.iter().any(|own| root.starts_with(home.join(own)));
        anyhow::ensure!(
            !inside,
            "Found the home {} and the inbox {} in one another, expected two folders apart: avstem would read what it writes",
            home.display(),
            root.display()
        );
        let mut inbox = Inbox::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder).with_context(|| format!("Cannot read {}", folder.display()))?;
            for entry in entries {
                let path = entry?.path();
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let why = match no_report(&name) {
                    Some(why) => Some(why),
                    // A link that leads nowhere is passed over as well.
                    None if !path.canonicalize().is_ok_and(|real| real.starts_with(&root)) => {
                        Some("a link out of the folder")
                    }
                    None => None,
                };
                match why {
                    Some(why) => inbox.passed_over.push((path, why)),
                    None if path.is_symlink() && path.is_dir() => {}
                    None if path.is_dir() => folders.push(path),
                    None if path.is_file() => inbox.files.push(path),
                    None => inbox.passed_over.push((path, "no file")),
                }
            }
        }
        inbox.files.sort();
        inbox.passed_over.sort();
        Ok(inbox)
    }

    /// What was passed over, in one line; `None` when nothing was.
    pub(crate) fn passed_over(&self) -> Option<String> {
        const NAMED_MAX: usize = 3;
        let named = self.passed_over.iter().take(NAMED_MAX).map(|(path, why)| {
            let name = path.file_name().map(Path::new).unwrap_or(path);
            format!("{} ({why})", crate::show::name(name))
        });
        let mut named: Vec<String> = named.collect();
        let more = self.passed_over.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            named.push(format!("{more} more"));
        }
        (!named.is_empty()).then(|| named.join(", "))
    }
}

/// Why a file of that name is plainly no report; `None` for one that may be.
fn no_report(name: &str) -> Option<&'static str> {
    let lowercase = name.to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| lowercase.ends_with(ending));
    if name.starts_with("~$") || name.starts_with(".~lock.") {
        Some("open in another program")
    } else if name.starts_with('.') {
        Some("hidden")
    } else if ["thumbs.db", "desktop.ini"].contains(&lowercase.as_str()) {
        Some("written by Windows")
    } else if ends(&[".part", ".partial", ".crdownload", ".download", ".tmp"]) {
        Some("not downloaded to its end")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plainly_no_report_is_known_by_its_name() {
        for name in
            [".DS_Store", "~$open.xlsx", ".~lock.a.xlsx#", "Thumbs.db", "DESKTOP.INI", "a.csv.part", "b.crdownload"]
        {
            assert!(no_report(name).is_some(), "{name}");
        }
        for name in ["a.csv", "report", "part.csv", "download.xml", "tmp.zip", "thumbs.db.csv"] {
            assert_eq!(no_report(name), None, "{name}");
        }
    }
}
