//! Which processes work on a home: each holds a lock of the system, which ends with it, however it ends.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use jiff::Timestamp;

/// A process' share in a home.
pub struct HomeLock {
    _file: File,
    /// When this process found the home to itself: what others had begun before was not ended, and never will be.
    pub(super) alone_at: Option<Timestamp>,
}

impl HomeLock {
    /// Takes a share. Where no other process has one, files that ended processes have left in `scratch` are removed.
    pub(super) fn take(home: &Path, scratch: &Path) -> io::Result<HomeLock> {
        let path = home.join("state.sqlite.lock");
        let file = File::options().create(true).write(true).truncate(false).open(path)?;
        let alone_at = match file.try_lock() {
            Ok(()) => {
                remove_all(scratch)?;
                let now = Timestamp::now();
                file.unlock()?;
                Some(now)
            }
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => return Err(error),
        };
        file.lock_shared()?;
        Ok(HomeLock { _file: file, alone_at })
    }
}

impl fmt::Debug for HomeLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HomeLock").field("alone_at", &self.alone_at).finish_non_exhaustive()
    }
}

fn remove_all(scratch: &Path) -> io::Result<()> {
    for entry in fs::read_dir(scratch)? {
        let path = entry?.path();
        if path.is_file() {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_had_alone_until_another_comes_and_after_all_others_are_gone() {
        let home = tempfile::tempdir().unwrap();
        let scratch = home.path().join("tmp");
        fs::create_dir(&scratch).unwrap();
        let first = HomeLock::take(home.path(), &scratch).unwrap();
        assert!(first.alone_at.is_some());
        fs::write(scratch.join("of the first"), "").unwrap();
        let second = HomeLock::take(home.path(), &scratch).unwrap();
        assert!(second.alone_at.is_none() && scratch.join("of the first").exists());
        drop(first);
        assert!(HomeLock::take(home.path(), &scratch).unwrap().alone_at.is_none());
        drop(second);
        assert!(HomeLock::take(home.path(), &scratch).unwrap().alone_at.is_some());
        assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
    }
}
