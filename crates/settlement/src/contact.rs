//! Who is written to by mail, and what may stand in the head of a mail: no line break, no second recipient, a bounded length.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::account::AccountId;
use crate::hex::{SHA256_DIGITS, hexadecimal};

/// A text of a head has at most this many characters.
pub(crate) const HEADER_CHARS_MAX: usize = 200;

/// A piece of text for the head of a mail: of one line, without control characters, and short.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HeaderText(String);

/// The text cannot stand in the head of a mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Found {found:?}, expected 1 to {HEADER_CHARS_MAX} characters on one line")]
pub struct BadHeaderText {
    found: String,
}

/// A break of a line, another control character, or a mark that turns the direction of writing and so hides what is there.
fn is_odd(sign: char) -> bool {
    sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl HeaderText {
    /// Text that a person typed.
    ///
    /// # Errors
    /// When it is empty, too long, or more than one line.
    pub fn new(text: &str) -> Result<Self, BadHeaderText> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > HEADER_CHARS_MAX || text.chars().any(is_odd) {
            return Err(BadHeaderText { found: text.chars().take(HEADER_CHARS_MAX).collect() });
        }
        Ok(HeaderText(text.to_owned()))
    }

    /// Text that is made of words of others: what may not stand there becomes a space, what is too long is cut.
    pub fn cleaned(text: &str) -> Self {
        let one_line: String = text.chars().map(|sign| if is_odd(sign) { ' ' } else { sign }).collect();
        let words = one_line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if words.chars().count() <= HEADER_CHARS_MAX {
            return HeaderText(words);
        }
        let kept: String = words.chars().take(HEADER_CHARS_MAX - 1).collect();
        HeaderText(format!("{}…", kept.trim_end()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for HeaderText {
    type Error = BadHeaderText;
    fn try_from(text: String) -> Result<Self, BadHeaderText> {
        HeaderText::new(&text)
    }
}

impl From<HeaderText> for String {
    fn from(text: HeaderText) -> String {
        text.0
    }
}

/// One mail address, in small letters: nothing else, and no second one, can stand in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// The text is not one mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Found {found:?}, expected one address as in regnskap@example.no, without a name, quotes or letters beyond ASCII"
)]
pub struct BadAddress {
    found: String,
}

impl Address {
    /// Whoever sends the mails of this machine, which leave it only in the hands of a person.
    pub fn local() -> Self {
        Address("avstem@localhost".to_owned())
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let is_local = |local: &str| {
            (1..=64).contains(&local.len())
                && local.split('.').all(|word| {
                    !word.is_empty()
                        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
                })
        };
        let is_domain = |domain: &str| {
            (1..=189).contains(&domain.len())
                && domain.split('.').all(|label| {
                    (1..=63).contains(&label.len())
                        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                })
        };
        match text.split_once('@') {
            Some((local, domain)) if is_local(local) && is_domain(domain) => Ok(Address(text.to_ascii_lowercase())),
            _ => Err(BadAddress { found: text.chars().take(HEADER_CHARS_MAX).collect() }),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Address {
    type Error = BadAddress;
    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.0
    }
}

/// An address with the name of whoever reads there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mailbox {
    /// Who reads there.
    pub name: Option<HeaderText>,
    /// Where.
    pub address: Address,
}

impl From<Address> for Mailbox {
    fn from(address: Address) -> Self {
        Mailbox { name: None, address }
    }
}

/// An address of the web that is reached with encryption, or on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress(String);

/// The text is no address of the web that a mail may lead to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Found {found:?}, expected an address that begins with https:// and holds neither spaces nor quotes")]
pub struct BadWebAddress {
    found: String,
}

impl WebAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached with encryption: nothing else may be asked for with one click.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for WebAddress {
    type Err = BadWebAddress;

    fn from_str(text: &str) -> Result<Self, BadWebAddress> {
        let host =
            ["https://", "http://localhost", "http://127.0.0.1"].iter().find_map(|start| text.strip_prefix(start));
        let plain = |b: u8| b.is_ascii_graphic() && !b"<>\"'`\\,".contains(&b);
        match host {
            Some(rest) if text.len() <= 1_000 && !text.ends_with("//") && rest.bytes().all(plain) => {
                Ok(WebAddress(text.to_owned()))
            }
            _ => Err(BadWebAddress { found: text.chars().take(HEADER_CHARS_MAX).collect() }),
        }
    }
}

/// A text is no id of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Found a text that names no mail, expected {SHA256_DIGITS} hexadecimal digits")]
pub struct BadMailId;

/// Names a mail for ever: whom it goes to and what about, never what it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailId(String);

impl MailId {
    /// The id of what is sent to a recipient for a purpose: `subject` is the period or settlement, `revision` counts what
    /// replaces it, and `language` is a tag of BCP 47.
    pub fn of(
        account: &AccountId,
        purpose: &str,
        subject: &str,
        revision: u32,
        recipient: &Address,
        language: &str,
    ) -> Self {
        let mut hash = Sha256::new();
        let revision = revision.to_string();
        for part in [account.as_str(), purpose, subject, &revision, recipient.as_str(), language] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        MailId(hexadecimal(&hash.finalize()))
    }

    /// The id as text: 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailId {
    type Err = BadMailId;

    /// Reads the id as [`MailId::as_str`] has it.
    fn from_str(text: &str) -> Result<Self, BadMailId> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_id = text.len() == SHA256_DIGITS && text.bytes().all(digit);
        is_id.then(|| MailId(text.to_owned())).ok_or(BadMailId)
    }
}

impl fmt::Display for MailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When a recipient gets mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// For each payout, as soon as it is in force.
    EachPayout,
    /// Each morning, about the payouts since the last mail.
    Daily,
    /// Each Monday morning, about the payouts since the last mail.
    Weekly,
    /// For each month when it is over, and when it changes after that.
    Monthly,
}

impl Rhythm {
    /// All rhythms.
    pub const ALL: [Rhythm; 4] = [Rhythm::EachPayout, Rhythm::Daily, Rhythm::Weekly, Rhythm::Monthly];

    /// The word in records and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Rhythm::EachPayout => "payout",
            Rhythm::Daily => "daily",
            Rhythm::Weekly => "weekly",
            Rhythm::Monthly => "monthly",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_head_is_of_one_line_and_short_or_refused() {
        for bad in [
            "",
            " ",
            "a\r\nBcc: x@example.no",
            "a\nb",
            "a\0b",
            "a\u{2028}b",
            "a\u{202e}b",
            &"x".repeat(201),
            "a\u{85}b",
        ] {
            assert!(HeaderText::new(bad).is_err(), "{bad:?}");
            let cleaned = HeaderText::cleaned(bad);
            assert!(!cleaned.as_str().chars().any(is_odd), "{bad:?}");
            assert!(cleaned.as_str().chars().count() <= HEADER_CHARS_MAX, "{bad:?}");
            assert!(HeaderText::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        for good in ["Butikk AS", "Ærlig & Sønn 🛒", &"å".repeat(200)] {
            assert_eq!(HeaderText::new(good).unwrap().as_str(), good);
        }
        assert_eq!(HeaderText::cleaned("Butikk\r\nBcc: x").as_str(), "Butikk Bcc: x");
    }

    #[test]
    fn an_address_is_one_and_nothing_else() {
        for good in ["regnskap@example.no", "a.b+c@x-y.example", "o'hara@example.no", "avstem@localhost"] {
            assert_eq!(good.parse::<Address>().unwrap().as_str(), good);
        }
        assert_eq!(Address::local().as_str().parse(), Ok(Address::local()));
        assert_eq!("Ola@Example.NO".parse::<Address>().unwrap().as_str(), "ola@example.no");
        for bad in [
            "",
            "ola",
            "ola@",
            "@example.no",
            "a@b@c",
            "a@example.no,b@example.no",
            "a@example.no b@example.no",
            "a@example.no\r\nBcc: b@example.no",
            "<a@example.no>",
            "\"a b\"@example.no",
            "a..b@example.no",
            ".a@example.no",
            "a@-x.no",
            "a@x..no",
            "å@example.no",
            "a@exämple.no",
            "a@example.no;",
            &format!("{}@example.no", "a".repeat(65)),
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_of_the_web_leads_to_one_place() {
        for good in ["https://example.no/stop?t=a&b=c", "http://localhost:8080/x", "http://127.0.0.1/"] {
            assert_eq!(good.parse::<WebAddress>().unwrap().as_str(), good);
        }
        assert!(!"http://localhost/".parse::<WebAddress>().unwrap().is_secure());
        for bad in [
            "",
            "https://",
            "http://example.no",
            "javascript:alert(1)",
            "https://a b",
            "https://a\r\nX: y",
            "https://a\">",
        ] {
            assert!(bad.parse::<WebAddress>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_id_is_made_of_whom_and_what_about_and_never_of_words() {
        let id = |account: &str, purpose, about, revision, to: &str, language| {
            MailId::of(&account.parse().unwrap(), purpose, about, revision, &to.parse().unwrap(), language)
        };
        let one = id("T00000001", "payout", "a", 1, "a@example.no", "nb");
        assert_eq!(one, id("T00000001", "payout", "a", 1, "A@example.no", "nb"));
        for other in [
            id("T00000002", "payout", "a", 1, "a@example.no", "nb"),
            id("T00000001", "payouta", "", 1, "a@example.no", "nb"),
            id("T00000001", "payout", "a", 2, "a@example.no", "nb"),
            id("T00000001", "payout", "a", 1, "b@example.no", "nb"),
            id("T00000001", "payout", "a", 1, "a@example.no", "sv"),
        ] {
            assert_ne!(one, other);
        }
    }
}
