//! Mails.

mod eml;
#[cfg(feature = "aws")]
mod ses;

pub use eml::EmlFolder;
#[cfg(feature = "aws")]
pub use ses::{MAIL_ID_TAG, Ses};
pub use store::memory::MemoryMailer;
