//! The variables of a function in the cloud. Nothing has a default that would be a place on the machine it runs on.

use std::collections::BTreeMap;

use dintero::Hosts;
use pipeline::transactions::client::Environment;
use settlement::{Mailbox, WebAddress};

use super::{
    API_URL, BACKOFFICE_URL, BadConfig, CHECKOUT_URL, MAIL_FROM, MAIL_FROM_NAME, MAIL_REPLY_TO, MAIL_STOP_URL,
    MailConfig, Variables, hosts,
};

/// Where objects lie: `s3://` and what the names of all buckets begin with.
pub const OBJECTS_URL: &str = "AVSTEM_OBJECTS_URL";
/// Where the state is: `dynamodb://` and the name of the table.
pub const STATE_URL: &str = "AVSTEM_STATE_URL";
/// The queue that a function sends to, where it sends to one.
pub const QUEUE_URL: &str = "AVSTEM_QUEUE_URL";
/// The queue of `email-summary`.
pub const MAIL_QUEUE_URL: &str = "AVSTEM_MAIL_QUEUE_URL";
/// What mails are sent with: `ses://` and the name of the configuration set.
pub const MAIL_URL: &str = "AVSTEM_MAIL_URL";
/// What codes of recipients are made with: `secretsmanager://` and the name of the secret.
pub const MAIL_SECRET_URL: &str = "AVSTEM_MAIL_SECRET_URL";
/// The queue of the step that parses, for the sweep, which sends to it as well.
pub const PARSE_QUEUE_URL: &str = "AVSTEM_PARSE_QUEUE_URL";
/// Where API clients of Dintero are kept: `secretsmanager://` and what the names of all secrets begin with.
pub const SECRETS_URL: &str = "AVSTEM_SECRETS_URL";
/// Which accounts are spoken for: `test` or `production`.
pub const ENVIRONMENT: &str = "AVSTEM_ENVIRONMENT";
/// The key that new objects are encrypted with, where it is not the bucket's own.
pub const KMS_KEY: &str = "AVSTEM_KMS_KEY";
/// The claim of a caller's token that names the account, where there are callers.
pub const ACCOUNT_CLAIM: &str = "AVSTEM_ACCOUNT_CLAIM";
/// The stack that the function is of, which its numbers are told apart by.
pub const STACK: &str = "AVSTEM_STACK";
/// Where spans go: the address of a collector that takes OTLP over HTTP, where there is one.
pub const TRACES_URL: &str = "AVSTEM_TRACES_URL";

/// Every variable that is read.
pub const VARIABLES: &[&str] = &[
    OBJECTS_URL,
    STATE_URL,
    QUEUE_URL,
    PARSE_QUEUE_URL,
    MAIL_QUEUE_URL,
    MAIL_URL,
    MAIL_SECRET_URL,
    MAIL_FROM,
    MAIL_FROM_NAME,
    MAIL_REPLY_TO,
    MAIL_STOP_URL,
    BACKOFFICE_URL,
    SECRETS_URL,
    ENVIRONMENT,
    KMS_KEY,
    ACCOUNT_CLAIM,
    STACK,
    TRACES_URL,
    API_URL,
    CHECKOUT_URL,
];

/// The configuration of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudConfig {
    /// What the names of all buckets begin with.
    pub buckets: String,
    /// Name of the table.
    pub table: String,
    /// The queue that it sends to; `None` for a function that sends to none.
    pub queue: Option<String>,
    /// The queue of the step that parses; `None` for a function that does not send to it.
    pub parse_queue: Option<String>,
    /// The queue of `email-summary`; when it is `None`, mails wait for the next morning.
    pub mail_queue: Option<String>,
    /// The key that new objects are encrypted with.
    pub kms_key: Option<String>,
    /// The claim of a caller's token that names the account.
    pub account_claim: Option<String>,
    /// The stack that the function is of; `None` outside of one.
    pub stack: Option<String>,
    /// The collector that spans go to; `None` when none are made.
    pub traces: Option<String>,
    /// How mails are sent; `None` when none are.
    pub mail: Option<MailAccess>,
    /// Dintero's API; `None` when it is not to be spoken with.
    pub dintero: Option<DinteroAccess>,
}

/// How mails are sent for many accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAccess {
    /// Name of the configuration set.
    pub configuration_set: String,
    /// Name of the secret that codes of recipients are made with.
    pub secret: String,
    /// Who sends them.
    pub from: Mailbox,
    /// Who is answered to.
    pub reply_to: Option<Mailbox>,
    /// Where the back office is.
    pub backoffice: Option<WebAddress>,
    /// Where one click stops them.
    pub stop: Option<WebAddress>,
}

/// How Dintero is spoken with for many accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DinteroAccess {
    /// What the names of all secrets begin with.
    pub secrets: String,
    /// Which accounts are spoken for.
    pub environment: Environment,
    /// Where the API is.
    pub hosts: Hosts,
}

impl CloudConfig {
    /// Reads the variables of this process.
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn of_process() -> Result<Self, BadConfig> {
        Self::of(&VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect())
    }

    /// Reads variables; which of them a function needs beside objects and state is its own to say.
    ///
    /// # Errors
    /// As [`CloudConfig::of_process`].
    pub fn of(variables: &BTreeMap<String, String>) -> Result<Self, BadConfig> {
        let mut variables = Variables::new(variables);
        let buckets = named(&mut variables, OBJECTS_URL, "s3");
        let table = named(&mut variables, STATE_URL, "dynamodb");
        let secrets = variables.get(SECRETS_URL).map(|_| named(&mut variables, SECRETS_URL, "secretsmanager"));
        let mut queue = |name: &str| variables.address(name, "the https:// address of a queue");
        let (queue, parse_queue, mail_queue) = (queue(QUEUE_URL), queue(PARSE_QUEUE_URL), queue(MAIL_QUEUE_URL));
        let traces =
            variables.address(TRACES_URL, "the https:// address of a collector, or an http:// address of this machine");
        let environment = match variables.get(ENVIRONMENT) {
            Some("test") => Some(Environment::Test),
            Some("production") => Some(Environment::Production),
            None if secrets.is_none() => None,
            _ => {
                variables.wrong(format!("{ENVIRONMENT}: expected test or production"));
                None
            }
        };
        let mail = variables.get(MAIL_URL).and_then(|_| mail(&mut variables));
        let hosts = hosts(&mut variables);
        let dintero = secrets.zip(environment);
        let dintero = dintero.map(|(secrets, environment)| DinteroAccess { secrets, environment, hosts });
        let (kms_key, account_claim) = (variables.text(KMS_KEY), variables.text(ACCOUNT_CLAIM));
        let stack = variables.text(STACK);
        variables.end(CloudConfig {
            buckets,
            table,
            queue,
            parse_queue,
            mail_queue,
            kms_key,
            account_claim,
            stack,
            traces,
            mail,
            dintero,
        })
    }
}

/// What a variable names by a URL of that scheme, the only one that a function takes there.
fn named(variables: &mut Variables<'_>, name: &str, scheme: &str) -> String {
    if variables.get(name).is_none() {
        variables.wrong(format!("{name} is not set, expected {scheme}://"));
    }
    let rest = variables.read(name, |url| match url.split_once("://") {
        Some((found, rest)) if found == scheme && !rest.is_empty() => Ok(rest.to_owned()),
        _ => Err(format!("expected {scheme}://, the only scheme that a function takes here")),
    });
    rest.unwrap_or_default()
}

/// How mails are sent, if all that they need is there.
fn mail(variables: &mut Variables<'_>) -> Option<MailAccess> {
    let configuration_set = named(variables, MAIL_URL, "ses");
    let secret = named(variables, MAIL_SECRET_URL, "secretsmanager");
    let MailConfig { from, reply_to, backoffice, stop } = MailConfig::read(variables);
    if variables.get(MAIL_FROM).is_none() {
        variables.wrong(format!("{MAIL_FROM} is not set, expected the address that mails come from"));
    }
    Some(MailAccess { configuration_set, secret, from: from?, reply_to, backoffice, stop })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[(&str, &str)] = &[
        (OBJECTS_URL, "s3://avstem-1"),
        (STATE_URL, "dynamodb://avstem"),
        (QUEUE_URL, "https://sqs.eu-north-1.amazonaws.com/1/reconcile"),
    ];

    fn read(more: &[(&str, &str)]) -> Result<CloudConfig, String> {
        let pairs = WHOLE.iter().chain(more);
        let variables = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        CloudConfig::of(&variables).map_err(|error| error.to_string())
    }

    #[test]
    fn everything_is_named_and_dintero_only_where_it_is_meant() {
        let config = read(&[]).unwrap();
        assert_eq!((config.buckets.as_str(), config.table.as_str(), config.dintero), ("avstem-1", "avstem", None));
        assert!(config.queue.is_some() && config.mail_queue.is_none() && config.mail.is_none());
        assert_eq!(read(&[(QUEUE_URL, "")]).unwrap().queue, None);
        let config = read(&[(SECRETS_URL, "secretsmanager://avstem/dintero"), (ENVIRONMENT, "test")]).unwrap();
        let dintero = config.dintero.unwrap();
        assert_eq!((dintero.secrets.as_str(), dintero.environment), ("avstem/dintero", Environment::Test));
    }

    #[test]
    fn a_missing_or_local_place_is_an_error_and_all_of_them_are_told_together() {
        let none = CloudConfig::of(&BTreeMap::new()).unwrap_err().to_string();
        for name in [OBJECTS_URL, STATE_URL] {
            assert!(none.contains(name), "{none}");
        }
        let told = read(&[
            (OBJECTS_URL, "file:///tmp/home"),
            (STATE_URL, "sqlite:///tmp/state"),
            (QUEUE_URL, "http://example.com/queue"),
            (MAIL_QUEUE_URL, "sqs://mails"),
            (MAIL_URL, "eml:///tmp/outbox"),
            (MAIL_REPLY_TO, "nobody"),
            (PARSE_QUEUE_URL, "http://example.com/queue"),
            (TRACES_URL, "http://example.com:4318"),
            (SECRETS_URL, "secretsmanager://avstem/dintero"),
            (API_URL, "http://example.com"),
        ]);
        let told = told.unwrap_err();
        for name in [
            OBJECTS_URL,
            STATE_URL,
            QUEUE_URL,
            PARSE_QUEUE_URL,
            MAIL_QUEUE_URL,
            MAIL_URL,
            MAIL_SECRET_URL,
            MAIL_FROM,
            MAIL_REPLY_TO,
            TRACES_URL,
            ENVIRONMENT,
            API_URL,
        ] {
            assert!(told.contains(name), "{told}");
        }
        for local in ["memory://", "s3://", "s3:avstem"] {
            assert!(read(&[(OBJECTS_URL, local)]).is_err(), "{local}");
        }
    }

    #[test]
    fn the_stack_is_named_or_there_is_none() {
        let of_stack = |name| read(&[(STACK, name)]).unwrap().stack;
        assert_eq!((of_stack("avstem-test").as_deref(), of_stack("")), (Some("avstem-test"), None));
    }

    #[test]
    fn spans_go_to_a_collector_that_is_named_over_https_or_on_this_machine() {
        assert_eq!(read(&[(TRACES_URL, "")]).unwrap().traces, None);
        for url in ["http://127.0.0.1:4318", "http://localhost:4318", "https://collector.example.no"] {
            assert_eq!(read(&[(TRACES_URL, url)]).unwrap().traces.as_deref(), Some(url));
        }
        for url in ["http://10.0.0.1:4318", "http://localhost.example.no", "grpc://localhost:4317", "localhost:4318"] {
            assert!(read(&[(TRACES_URL, url)]).unwrap_err().contains(TRACES_URL), "{url}");
        }
    }

    #[test]
    fn mails_are_sent_only_where_all_that_they_need_is_named() {
        assert_eq!(read(&[(MAIL_FROM, "avstem@example.no")]).unwrap().mail, None);
        let whole = [
            (MAIL_URL, "ses://avstem"),
            (MAIL_SECRET_URL, "secretsmanager://avstem/mail"),
            (MAIL_FROM, "avstem@example.no"),
            (BACKOFFICE_URL, "https://backoffice.example.no"),
        ];
        let mail = read(&whole).unwrap().mail.unwrap();
        assert_eq!((mail.configuration_set.as_str(), mail.secret.as_str()), ("avstem", "avstem/mail"));
        assert!(mail.from.address.as_str() == "avstem@example.no" && mail.backoffice.is_some() && mail.stop.is_none());
        for without in [MAIL_SECRET_URL, MAIL_FROM] {
            let told = read(&whole.map(|(name, value)| (name, if name == without { "" } else { value }))).unwrap_err();
            assert!(told.contains(without), "{told}");
        }
    }
}
