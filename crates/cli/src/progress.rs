//! A progress bar over the bytes of a long file, when a person is watching.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

/// Files below this size are read before a bar could be seen.
const LONG_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// A file that shows how far it has been read.
pub(crate) struct Watched {
    file: BufReader<File>,
    bar: ProgressBar,
}

impl Watched {
    /// Opens a file, or keeps what standard input gives where the path is `-`.
    pub(crate) fn open_or_stdin(path: &Path) -> anyhow::Result<Self> {
        if path != Path::new("-") {
            return Watched::open(path);
        }
        let mut file = tempfile::tempfile().context("Cannot keep standard input")?;
        io::copy(&mut io::stdin().lock(), &mut file).context("Cannot read standard input")?;
        file.rewind()?;
        Ok(Watched { file: BufReader::with_capacity(64 * 1024, file), bar: ProgressBar::hidden() })
    }

    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(
            !path.is_dir(),
            "Found a folder, expected a file; `avstem run --inbox` takes the files of a folder"
        );
        let open = || {
            let file = File::open(path)?;
            let size_bytes = file.metadata()?.len();
            Ok::<_, io::Error>((file, size_bytes))
        };
        let (file, size_bytes) = open().with_context(|| format!("Cannot open {}", path.display()))?;
        let bar = if size_bytes >= LONG_FILE_BYTES && io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec}");
            let bar = ProgressBar::new(size_bytes).with_message(path.display().to_string());
            style.map_or(bar.clone(), |style| bar.with_style(style))
        } else {
            ProgressBar::hidden()
        };
        Ok(Watched { file: BufReader::with_capacity(64 * 1024, file), bar })
    }

    /// The file itself.
    pub(crate) fn file(&mut self) -> &mut File {
        self.file.get_mut()
    }
}

impl Read for Watched {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(out)?;
        self.bar.inc(read as u64);
        Ok(read)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = self.file.seek(to)?;
        self.bar.set_position(place);
        Ok(place)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
