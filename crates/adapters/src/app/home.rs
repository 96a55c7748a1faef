//! Where all data of an account lie: a directory of this machine, or buckets and a table in the cloud.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use store::TokenSecret;
use store::{PortError, PortErrorKind};

use super::App;
use crate::outbound::secrets::token_secret;

/// A place that an [`App`] is opened at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// A directory.
    Directory(PathBuf),
    /// What the names of all buckets begin with, and the name of the table.
    Cloud {
        /// As in `avstem-123456789012`.
        buckets: String,
        /// As CloudFormation has named it.
        table: String,
    },
}

/// An address that begins like one of the cloud, and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Found {0:?}, expected a directory, or s3://BUCKETS?table=TABLE with what the names of all buckets begin with")]
pub struct BadHome(String);

impl FromStr for Home {
    type Err = BadHome;

    fn from_str(text: &str) -> Result<Self, BadHome> {
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Home::Directory(text.into())) };
        let word = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        match rest.split_once("?table=") {
            Some((buckets, table)) if scheme == "s3" && word(buckets, "-.") && word(table, "-._") => {
                Ok(Home::Cloud { buckets: buckets.to_owned(), table: table.to_owned() })
            }
            _ => Err(BadHome(text.to_owned())),
        }
    }
}

impl From<&Path> for Home {
    fn from(path: &Path) -> Self {
        Home::Directory(path.to_owned())
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Home::Directory(path) => path.display().fmt(f),
            Home::Cloud { buckets, table } => write!(f, "s3://{buckets}?table={table}"),
        }
    }
}

impl Home {
    /// Where a person finds what lies under that key.
    pub fn place(&self, key: impl fmt::Display) -> String {
        let key = key.to_string();
        match (self, key.split_once('/')) {
            (Home::Directory(path), _) => path.join(key).display().to_string(),
            (Home::Cloud { buckets, .. }, Some((part, rest))) => format!("s3://{buckets}-{part}/{rest}"),
            (Home::Cloud { buckets, .. }, None) => format!("s3://{buckets}-{key}"),
        }
    }

    /// What codes of recipients are made with: a file of the directory, or the secret of the stack.
    ///
    /// # Errors
    /// When it can neither be read nor made; in the cloud also when avstem was built without it.
    pub async fn token_secret(&self) -> Result<TokenSecret, PortError> {
        match self {
            Home::Directory(path) => token_secret(path),
            Home::Cloud { buckets, .. } => App::token_secret_in_cloud(buckets).await,
        }
    }

    /// The directory that it is.
    ///
    /// # Errors
    /// When it is no directory. The error says what to do instead.
    pub fn directory(&self, instead: &str) -> Result<&Path, PortError> {
        match self {
            Home::Directory(path) => Ok(path),
            Home::Cloud { .. } => {
                let why = format!("found {self}, expected a directory. {instead}");
                Err(PortError::new(PortErrorKind::Refused, "Cannot do this in the cloud", why))
            }
        }
    }
}

impl App {
    /// Opens whatever place that is, where it is one already.
    ///
    /// # Errors
    /// `NotFound` for a directory that is no home; else as [`App::at_home`], and in the cloud also when avstem was built
    /// without it.
    pub async fn open(home: &Home) -> Result<Self, PortError> {
        match home {
            Home::Directory(path) => {
                is_home(path)?;
                App::at_home(path)
            }
            Home::Cloud { buckets, table } => App::in_cloud(buckets, table).await,
        }
    }

    /// Opens whatever place that is; a directory that is no home becomes one.
    ///
    /// # Errors
    /// As [`App::at_home`]; in the cloud also when avstem was built without it.
    pub async fn open_or_begin(home: &Home) -> Result<Self, PortError> {
        match home {
            Home::Directory(path) => App::at_home(path),
            Home::Cloud { buckets, table } => App::in_cloud(buckets, table).await,
        }
    }

    /// Opens it to be read only.
    ///
    /// # Errors
    /// As [`App::reading`]; in the cloud also when avstem was built without it.
    pub async fn open_to_read(home: &Home) -> Result<Self, PortError> {
        match home {
            Home::Directory(path) => App::reading(path),
            Home::Cloud { buckets, table } => App::in_cloud(buckets, table).await,
        }
    }

    /// Says how this is had, since nothing of AWS is in this build.
    #[cfg(not(feature = "aws"))]
    async fn in_cloud(_: &str, _: &str) -> Result<Self, PortError> {
        Err(without_aws("Cannot open buckets and table"))
    }

    /// As [`App::in_cloud`].
    #[cfg(not(feature = "aws"))]
    async fn token_secret_in_cloud(_: &str) -> Result<TokenSecret, PortError> {
        Err(without_aws("Cannot read the stack's secret"))
    }
}

/// Whether a directory holds the state of a home.
///
/// # Errors
/// `NotFound` when it does not.
pub(super) fn is_home(path: &Path) -> Result<(), PortError> {
    if path.join("state.sqlite").is_file() {
        return Ok(());
    }
    let what = format!("Found no home of avstem at {}", path.display());
    let home = path.display();
    let why = format!(
        "it holds no state.sqlite. Check the path, or begin a home with `avstem account add ACCOUNT --home {home}`"
    );
    Err(PortError::new(PortErrorKind::NotFound, what, why))
}

#[cfg(not(feature = "aws"))]
fn without_aws(what: &'static str) -> PortError {
    let why = "nothing of AWS is in this build. Build it with `cargo build --release -p cli --features aws`";
    PortError::new(PortErrorKind::Refused, what, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_a_directory_or_buckets_with_a_table() {
        let home: Home = ".local/mine".parse().unwrap();
        assert_eq!(home.place("reports/T00000001/x.pdf"), ".local/mine/reports/T00000001/x.pdf");
        assert!(home.directory("").is_ok());
        let text = "s3://avstem-123456789012?table=avstem-Table-1ABC";
        let home: Home = text.parse().unwrap();
        let (buckets, table) = ("avstem-123456789012".to_owned(), "avstem-Table-1ABC".to_owned());
        assert_eq!((home.to_string().as_str(), &home), (text, &Home::Cloud { buckets, table }));
        assert_eq!(home.place("reports/T00000001/x.pdf"), "s3://avstem-123456789012-reports/T00000001/x.pdf");
        assert!(home.directory("Upload it").unwrap_err().to_string().contains("Upload it"));
        for bad in ["s3://", "s3://avstem", "s3://a?table=", "s3://?table=t", "s3://a/b?table=t", "gs://a?table=t"] {
            assert!(bad.parse::<Home>().unwrap_err().to_string().contains("?table=TABLE"), "{bad}");
        }
    }
}
