//! The mail that asks a new recipient to confirm. It has no data of any settlement.

use super::letter::Block;
use super::{Reader, WebAddress, Written, subject};
use crate::labels::filled;

/// A recipient that has not confirmed yet.
#[derive(Debug, Clone, Copy)]
pub struct Confirmation<'a> {
    /// The code that only a reader of this mail knows.
    pub token: &'a str,
    /// The address at which a click confirms; `None` without a web server.
    pub link: Option<&'a WebAddress>,
}

impl Confirmation<'_> {
    /// The mail for a reader.
    pub fn written(&self, reader: &Reader<'_>) -> Written {
        let words = reader.language.words();
        let texts = [("{name}", reader.merchant.as_str()), ("{address}", reader.address.as_str())];
        let mut blocks = vec![Block::Paragraph(filled(words.confirmation_why, &texts))];
        blocks.extend(self.link.map(|link| Block::Link(words.confirmation_link.to_owned(), link.clone())));
        let code = if self.link.is_some() { words.confirmation_code } else { words.confirmation_code_alone };
        blocks.push(Block::Paragraph(code.to_owned()));
        blocks.push(Block::Code(self.token.to_owned()));
        blocks.push(Block::Paragraph(words.confirmation_not_you.to_owned()));
        let mut letter = reader.letter(filled(words.confirmation_title, &texts), blocks);
        // Nothing comes regularly yet that could be stopped.
        letter.footer.clear();
        letter.stop = None;
        Written { subject: subject(&filled(words.confirmation_subject, &texts)), letter }
    }
}
