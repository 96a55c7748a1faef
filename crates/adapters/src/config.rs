//! The configuration, read once from the environment. Everything that is wrong with it is reported together.

#[cfg(feature = "aws")]
mod cloud;
mod variables;

#[cfg(feature = "aws")]
pub use cloud::{
    ACCOUNT_CLAIM, CloudConfig, ENVIRONMENT, KMS_KEY, MAIL_QUEUE_URL, MAIL_SECRET_URL, MAIL_URL, MailAccess,
    OBJECTS_URL, PARSE_QUEUE_URL, QUEUE_URL, SECRETS_URL, STACK, STATE_URL, TRACES_URL, VARIABLES as CLOUD_VARIABLES,
};

use std::collections::BTreeMap;

use dintero::{Credentials, Hosts, Secret};
use settlement::{AccountId, Address, HeaderText, Mailbox, WebAddress};

use variables::Variables;

/// The configuration of a process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// Dintero's API; `None` when it is not to be spoken with.
    pub dintero: Option<DinteroConfig>,
    /// How mails are sent.
    pub mail: MailConfig,
}

/// Who mails come from, and where they lead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailConfig {
    /// Who sends them.
    pub from: Option<Mailbox>,
    /// Who is answered to.
    pub reply_to: Option<Mailbox>,
    /// Where the back office is.
    pub backoffice: Option<WebAddress>,
    /// Where one click stops them.
    pub stop: Option<WebAddress>,
}

impl MailConfig {
    /// Who sends the mails of this machine, which leave it only in the hands of a person.
    pub fn local_sender() -> Mailbox {
        Mailbox { name: Some(HeaderText::cleaned("avstem")), address: Address::local() }
    }

    /// Reads the variables that are set.
    fn read(variables: &mut Variables<'_>) -> Self {
        let address = str::parse::<Address>;
        let (from, reply_to) = (variables.read(MAIL_FROM, address), variables.read(MAIL_REPLY_TO, address));
        let web = str::parse::<WebAddress>;
        let (backoffice, stop) = (variables.read(BACKOFFICE_URL, web), variables.read(MAIL_STOP_URL, web));
        let name = variables.read(MAIL_FROM_NAME, HeaderText::new);
        let from = from.map(|address| Mailbox { name, address });
        MailConfig { from, reply_to: reply_to.map(Mailbox::from), backoffice, stop }
    }
}

/// An API client of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DinteroConfig {
    /// The account that it belongs to: a client of a test account never speaks for production.
    pub account: AccountId,
    /// The client.
    pub credentials: Credentials,
    /// Where the API is.
    pub hosts: Hosts,
}

/// Variables are not as they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The environment cannot be used: {}", .0.join("; "))]
pub struct BadConfig(Vec<String>);

impl BadConfig {
    /// A variable that this process cannot do without is not set.
    pub fn missing(name: &str) -> Self {
        BadConfig(vec![format!("{name} is not set")])
    }
}

/// The account of the API client.
pub const ACCOUNT: &str = "AVSTEM_DINTERO_ACCOUNT";
/// Its id.
pub const CLIENT_ID: &str = "AVSTEM_DINTERO_CLIENT_ID";
/// Its secret.
pub const CLIENT_SECRET: &str = "AVSTEM_DINTERO_CLIENT_SECRET";
/// Another place of tokens and settlements, such as a stand-in.
pub const API_URL: &str = "AVSTEM_DINTERO_API_URL";
/// Another place of transactions.
pub const CHECKOUT_URL: &str = "AVSTEM_DINTERO_CHECKOUT_URL";

/// Who mails come from.
pub const MAIL_FROM: &str = "AVSTEM_MAIL_FROM";
/// What that sender is called.
pub const MAIL_FROM_NAME: &str = "AVSTEM_MAIL_FROM_NAME";
/// Who is answered to.
pub const MAIL_REPLY_TO: &str = "AVSTEM_MAIL_REPLY_TO";
/// The address at which one click stops mails; the id of the mail is appended to it.
pub const MAIL_STOP_URL: &str = "AVSTEM_MAIL_STOP_URL";
/// Where the back office is.
pub const BACKOFFICE_URL: &str = "AVSTEM_BACKOFFICE_URL";

impl Config {
    /// Reads the variables of this process.
    ///
    /// # Errors
    /// With everything that is wrong, never with the value of a secret.
    pub fn of_process() -> Result<Self, BadConfig> {
        let dintero = [ACCOUNT, CLIENT_ID, CLIENT_SECRET, API_URL, CHECKOUT_URL];
        let mail = [MAIL_FROM, MAIL_FROM_NAME, MAIL_REPLY_TO, MAIL_STOP_URL, BACKOFFICE_URL];
        let known = dintero.into_iter().chain(mail);
        Self::of(&known.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect())
    }

    /// Reads variables.
    ///
    /// # Errors
    /// As [`Config::of_process`].
    pub fn of(variables: &BTreeMap<String, String>) -> Result<Self, BadConfig> {
        let mut variables = Variables::new(variables);
        let mail = MailConfig::read(&mut variables);
        let client = [ACCOUNT, CLIENT_ID, CLIENT_SECRET];
        let is_set = client.map(|name| variables.get(name).is_some());
        if !is_set.contains(&true) {
            return variables.end(Config { dintero: None, mail });
        }
        for (name, _) in client.iter().zip(is_set).filter(|(_, is_set)| !is_set) {
            variables.wrong(format!("{name} is not set, and others of the API client are"));
        }
        let account = variables.read(ACCOUNT, str::parse::<AccountId>);
        let hosts = hosts(&mut variables);
        let credentials = variables.text(CLIENT_ID).zip(variables.get(CLIENT_SECRET).map(Secret::new));
        let credentials = credentials.map(|(client_id, client_secret)| Credentials { client_id, client_secret });
        let dintero = account.zip(credentials);
        let dintero = dintero.map(|(account, credentials)| DinteroConfig { account, credentials, hosts });
        variables.end(Config { dintero, mail })
    }
}

/// The hosts of the API, unless a variable names another.
fn hosts(variables: &mut Variables<'_>) -> Hosts {
    let mut hosts = Hosts::default();
    for (name, host) in [(API_URL, &mut hosts.api), (CHECKOUT_URL, &mut hosts.checkout)] {
        if let Some(url) = variables.address(name, "https://, or http:// of this machine") {
            url.trim_end_matches('/').clone_into(host);
        }
    }
    hosts
}

/// Whether an address without encryption stays on this machine.
fn is_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, String> {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::of(&variables).map_err(|error| error.to_string())
    }

    #[test]
    fn mails_come_from_one_address_and_lead_to_the_web_alone() {
        assert_eq!(read(&[]).unwrap().mail, MailConfig::default());
        let config = read(&[
            (MAIL_FROM, "oppgjor@example.no"),
            (MAIL_FROM_NAME, "Ærlig AS"),
            (MAIL_REPLY_TO, "regnskap@example.no"),
            (BACKOFFICE_URL, "https://example.no/backoffice"),
        ]);
        let mail = config.unwrap().mail;
        let from = mail.from.unwrap();
        assert_eq!((from.address.as_str(), from.name.unwrap().as_str()), ("oppgjor@example.no", "Ærlig AS"));
        assert_eq!(mail.backoffice.unwrap().as_str(), "https://example.no/backoffice");
        let told = read(&[
            (MAIL_FROM, "a@example.no, b@example.no"),
            (MAIL_FROM_NAME, "x\r\nBcc: y"),
            (MAIL_REPLY_TO, "nobody"),
            (MAIL_STOP_URL, "http://example.no"),
            (BACKOFFICE_URL, "javascript:x"),
        ]);
        let told = told.unwrap_err();
        for word in [MAIL_FROM, MAIL_FROM_NAME, MAIL_REPLY_TO, MAIL_STOP_URL, BACKOFFICE_URL] {
            assert!(told.contains(word), "{told}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_together_and_no_secret() {
        assert_eq!(read(&[]), Ok(Config::default()));
        let whole = [(ACCOUNT, "T00000001"), (CLIENT_ID, "id"), (CLIENT_SECRET, "hush")];
        let config = read(&whole).unwrap().dintero.unwrap();
        assert_eq!((config.account.as_str(), &config.hosts), ("T00000001", &Hosts::default()));
        assert!(!format!("{config:?}").contains("hush"));
        let told = read(&[(ACCOUNT, "X1"), (CLIENT_SECRET, "hush"), (API_URL, "http://example.com")]).unwrap_err();
        for word in [ACCOUNT, CLIENT_ID, API_URL] {
            assert!(told.contains(word), "{told}");
        }
        assert!(!told.contains("hush"), "{told}");
        for (url, good) in
            [("http://127.0.0.1:8080", true), ("http://localhost/", true), ("http://127.0.0.1.example", false)]
        {
            let mut pairs = whole.to_vec();
            pairs.push((CHECKOUT_URL, url));
            assert_eq!(read(&pairs).is_ok(), good, "{url}");
        }
    }
}
