//! Mails.

mod eml;
#[cfg(feature = "aws")]
mod ses;

pub use eml::EmlFolder;
pub use pipeline::memory::MemoryMailer;
#[cfg(feature = "aws")]
pub use ses::{MAIL_ID_TAG, Ses};
