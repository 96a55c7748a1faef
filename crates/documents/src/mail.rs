//! Mails: the letter to one reader as text and as HTML, and the bytes of the whole message.
//!
//! The same mail has the same bytes: id, time, subject and files are given, and boundaries are made of the id. Text from
//! outside cannot leave its place: [`HeaderText`] and [`Address`] guard the head, the writers escape text and HTML.

mod confirmation;
mod digest;
mod held;
mod html;
mod letter;
mod month;
mod payout;
mod text;
mod words;

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;
use settlement::{Address, Currency, HeaderText, MailId, Mailbox, WebAddress};

pub use self::confirmation::Confirmation;
pub use self::digest::{DigestMail, DigestPayout};
pub use self::held::{HeldMail, HeldPayout};
pub use self::letter::Letter;
pub use self::month::MonthMail;
pub use self::payout::{LineToSee, Matched, PayoutMail};
use crate::error::DocumentError;
use crate::labels::{Language, filled};

/// The largest mail, about, as it is sent: many receivers accept ten million bytes, some less.
pub const MAIL_BYTES_MAX: u64 = 7_000_000;

/// A name of a file that every mail program takes: letters of ASCII, digits, dot, dash and low line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName(String);

impl FileName {
    /// The name, with a dash for whatever may not stand in it.
    pub fn of(text: &str) -> Self {
        let plain = |sign: char| if sign.is_ascii_alphanumeric() || "._-".contains(sign) { sign } else { '-' };
        FileName(text.chars().take(120).map(plain).collect())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An attachment of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its file name.
    pub name: FileName,
    /// Its content type after RFC 2046.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The number of bytes of a file in a mail: four for three, and a line break after each 76.
pub fn encoded_bytes(size_bytes: u64) -> u64 {
    let encoded = size_bytes.div_ceil(3).saturating_mul(4);
    encoded.saturating_add(encoded.div_ceil(76).saturating_mul(2))
}

/// The reader of a letter, with the attachments and links of the letter.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The name of the merchant.
    pub merchant: &'a HeaderText,
    /// The address of the reader.
    pub address: &'a Address,
    /// The language of the letter.
    pub language: Language,
    /// Whether a program reads the mailbox; its letters have no footer.
    pub is_inbox: bool,
    /// Names of the attachments.
    pub attached: &'a [FileName],
    /// Files that are too large to attach, each with its place.
    pub left_out: &'a [(FileName, String)],
    /// The address of the back office.
    pub backoffice: Option<&'a WebAddress>,
    /// The address at which one click stops these mails.
    pub stop: Option<&'a WebAddress>,
}

/// The subject and the letter of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The subject.
    pub subject: HeaderText,
    /// The letter.
    pub letter: Letter,
}

/// A mail to one recipient.
#[derive(Debug, Clone, Copy)]
pub struct Mail<'a> {
    /// The id of the mail.
    pub id: &'a MailId,
    /// The time of the mail.
    pub at: Timestamp,
    /// The sender.
    pub from: &'a Mailbox,
    /// The address for replies, where it is not the sender.
    pub reply_to: Option<&'a Mailbox>,
    /// The recipient.
    pub to: &'a Mailbox,
    /// Its subject and letter.
    pub written: &'a Written,
    /// Names of the attachments.
    pub attachments: &'a [Attachment],
    /// The address at which one click stops these mails.
    pub stop: Option<&'a WebAddress>,
}

impl Mail<'_> {
    /// The message as it is sent (RFC 5322), the same for the same mail.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn bytes(&self) -> Result<Vec<u8>, DocumentError> {
        let Written { subject, letter } = self.written;
        let part = |kind: &'static str, text: String| {
            MimePart::new(ContentType::new(kind).attribute("charset", "utf-8"), text)
        };
        let texts = vec![part("text/plain", text::write(letter)), part("text/html", html::write(letter))];
        let mut body = self.parts("multipart/alternative", "twins", texts);
        if !self.attachments.is_empty() {
            let files = self.attachments.iter().map(|file| {
                MimePart::new(ContentType::new(file.content_type), file.bytes.as_slice()).attachment(file.name.as_str())
            });
            body = self.parts("multipart/mixed", "whole", std::iter::once(body).chain(files).collect());
        }
        let domain = self.from.address.as_str().rsplit('@').next().unwrap_or_default();
        let mut message = MessageBuilder::new()
            .header("Message-ID", Raw::new(format!("<{}@{domain}>", self.id)))
            .date(self.at.as_second())
            .header("From", address(self.from))
            .header("To", address(self.to));
        if let Some(reply_to) = self.reply_to {
            message = message.header("Reply-To", address(reply_to));
        }
        message = message
            .subject(subject.as_str())
            .header("X-Avstem-Mail-Id", Raw::new(self.id.as_str()))
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .header("List-Unsubscribe", Raw::new(self.unsubscribe()))
            .header("Content-Language", Raw::new(letter.language.tag()));
        if self.stop.is_some_and(WebAddress::is_secure) {
            message = message.header("List-Unsubscribe-Post", Raw::new("List-Unsubscribe=One-Click"));
        }
        Ok(message.body(body).write_to_vec()?)
    }

    /// A part of several, with a boundary made of the id, which no text has by chance.
    fn parts<'x>(&self, kind: &'static str, which: &str, parts: Vec<MimePart<'x>>) -> MimePart<'x> {
        let boundary: String = self.id.as_str().chars().take(40).collect();
        MimePart::new(ContentType::new(kind).attribute("boundary", format!("{which}-{boundary}")), parts)
    }

    /// The addresses at which to unsubscribe, after RFC 2369.
    fn unsubscribe(&self) -> String {
        let answers = &self.reply_to.unwrap_or(self.from).address;
        let short: String = self.id.as_str().chars().take(12).collect();
        let by_mail = format!("<mailto:{answers}?subject=stop%20{short}>");
        match self.stop {
            Some(address) => format!("<{}>, {by_mail}", address.as_str()),
            None => by_mail,
        }
    }
}

fn address(mailbox: &Mailbox) -> HeaderType<'_> {
    let name = mailbox.name.as_ref().map(HeaderText::as_str);
    HeaderType::Address(mail_builder::headers::address::Address::new_address(name, mailbox.address.as_str()))
}

/// An amount with its currency.
fn money(language: Language, minor: i64, exponent: u8, currency: Currency) -> String {
    format!("{}\u{a0}{currency}", language.locale().amount(minor, exponent))
}

/// A sum with its currency, or in words that it is beyond the range of `i64`.
fn sum(language: Language, minor: i128, exponent: u8, currency: Currency) -> String {
    let minor = i64::try_from(minor);
    minor
        .map_or_else(|_| language.labels().not_countable.to_owned(), |minor| money(language, minor, exponent, currency))
}

/// An amount without its currency, or in words that it is beyond the range of `i64`.
fn cell(language: Language, minor: Option<i64>, exponent: u8) -> letter::Cell {
    let (locale, words) = (language.locale(), language.labels().not_countable);
    letter::Cell::Money(minor.map_or_else(|| words.to_owned(), |minor| locale.amount(minor, exponent)))
}

/// Sums of several currencies, in the order of their codes.
fn amounts<'a>(language: Language, all: impl Iterator<Item = (i64, u8, &'a Currency)>) -> String {
    let mut sums = std::collections::BTreeMap::<String, (i128, u8, Currency)>::new();
    for (minor, exponent, currency) in all {
        sums.entry(currency.to_string()).or_insert((0, exponent, *currency)).0 += i128::from(minor);
    }
    let texts = sums.into_values().map(|(minor, exponent, currency)| sum(language, minor, exponent, currency));
    texts.collect::<Vec<_>>().join(" + ")
}

/// A subject, with plain spaces instead of non-breaking ones.
fn subject(text: &str) -> HeaderText {
    HeaderText::cleaned(&text.replace('\u{a0}', " "))
}

impl Reader<'_> {
    /// A letter with the lists, links and footer that end every letter.
    fn letter(&self, title: String, mut blocks: Vec<letter::Block>) -> Letter {
        use letter::Block;
        let words = self.language.words();
        if !self.attached.is_empty() {
            let names = self.attached.iter().map(|name| name.as_str().to_owned()).collect();
            blocks.push(Block::List(words.attached.to_owned(), names));
        }
        if !self.left_out.is_empty() {
            let names = self.left_out.iter().map(|(name, place)| format!("{}: {place}", name.as_str())).collect();
            blocks.push(Block::List(words.left_out.to_owned(), names));
        }
        blocks.extend(self.backoffice.map(|address| Block::Link(words.backoffice.to_owned(), address.clone())));
        let texts = [("{name}", self.merchant.as_str()), ("{address}", self.address.as_str())];
        let footer = [words.why_you, words.how_to_stop].map(|text| filled(text, &texts));
        Letter {
            language: self.language,
            sender: self.merchant.to_string(),
            title,
            blocks,
            footer: if self.is_inbox { Vec::new() } else { footer.to_vec() },
            stop: self.stop.filter(|_| !self.is_inbox).map(|address| (words.stop_link.to_owned(), address.clone())),
        }
    }
}

#[cfg(test)]
mod tests;
