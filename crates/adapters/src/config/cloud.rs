//! The variables of a function in the cloud. Nothing has a default that would be a place on the machine it runs on.

use std::collections::BTreeMap;

use dintero::Hosts;
use pipeline::client::Environment;

use super::{API_URL, BadConfig, CHECKOUT_URL, hosts, is_loopback};

/// Where objects lie: `s3://` and what the names of all buckets begin with.
pub const OBJECTS_URL: &str = "AVSTEM_OBJECTS_URL";
/// Where the state is: `dynamodb://` and the name of the table.
pub const STATE_URL: &str = "AVSTEM_STATE_URL";
/// The queue that a function sends to, where it sends to one.
pub const QUEUE_URL: &str = "AVSTEM_QUEUE_URL";
/// Where API clients of Dintero are kept: `secretsmanager://` and what the names of all secrets begin with.
pub const SECRETS_URL: &str = "AVSTEM_SECRETS_URL";
/// Which accounts are spoken for: `test` or `production`.
pub const ENVIRONMENT: &str = "AVSTEM_ENVIRONMENT";
/// The key that new objects are encrypted with, where it is not the bucket's own.
pub const KMS_KEY: &str = "AVSTEM_KMS_KEY";
/// The claim of a caller's token that names the account, where there are callers.
pub const ACCOUNT_CLAIM: &str = "AVSTEM_ACCOUNT_CLAIM";

/// Every variable that is read.
pub const VARIABLES: &[&str] =
    &[OBJECTS_URL, STATE_URL, QUEUE_URL, SECRETS_URL, ENVIRONMENT, KMS_KEY, ACCOUNT_CLAIM, API_URL, CHECKOUT_URL];

/// What a function is told by its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudConfig {
    /// What the names of all buckets begin with.
    pub buckets: String,
    /// Name of the table.
    pub table: String,
    /// The queue that it sends to.
    pub queue: Option<String>,
    /// The key that new objects are encrypted with.
    pub kms_key: Option<String>,
    /// The claim of a caller's token that names the account.
    pub account_claim: Option<String>,
    /// Dintero's API; `None` when it is not to be spoken with.
    pub dintero: Option<DinteroAccess>,
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

    /// Reads variables.
    ///
    /// # Errors
    /// As [`CloudConfig::of_process`].
    pub fn of(variables: &BTreeMap<String, String>) -> Result<Self, BadConfig> {
        let value = |name: &str| variables.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let mut wrong = Vec::new();
        let mut named = |name: &str, scheme: &str| match value(name).map(|url| url.split_once("://")) {
            Some(Some((found, rest))) if found == scheme && !rest.is_empty() => rest.to_owned(),
            Some(_) => {
                wrong.push(format!("{name}: expected {scheme}://, the only one that lasts here"));
                String::new()
            }
            None => {
                wrong.push(format!("{name} is not set, expected {scheme}://"));
                String::new()
            }
        };
        let (buckets, table) = (named(OBJECTS_URL, "s3"), named(STATE_URL, "dynamodb"));
        let secrets = value(SECRETS_URL).map(|_| named(SECRETS_URL, "secretsmanager"));
        let queue = value(QUEUE_URL).map(str::to_owned);
        if queue.as_ref().is_some_and(|url| !url.starts_with("https://") && !is_loopback(url)) {
            wrong.push(format!("{QUEUE_URL}: expected the https:// address of a queue"));
        }
        let environment = match value(ENVIRONMENT) {
            Some("test") => Some(Environment::Test),
            Some("production") => Some(Environment::Production),
            None if secrets.is_none() => None,
            _ => {
                wrong.push(format!("{ENVIRONMENT}: expected test or production"));
                None
            }
        };
        let hosts = hosts(&value, &mut wrong);
        let dintero = secrets.zip(environment);
        let dintero = dintero.map(|(secrets, environment)| DinteroAccess { secrets, environment, hosts });
        let kms_key = value(KMS_KEY).map(str::to_owned);
        let account_claim = value(ACCOUNT_CLAIM).map(str::to_owned);
        if !wrong.is_empty() {
            return Err(BadConfig(wrong));
        }
        Ok(CloudConfig { buckets, table, queue, kms_key, account_claim, dintero })
    }
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
            (SECRETS_URL, "secretsmanager://avstem/dintero"),
            (API_URL, "http://example.com"),
        ]);
        let told = told.unwrap_err();
        for name in [OBJECTS_URL, STATE_URL, QUEUE_URL, ENVIRONMENT, API_URL] {
            assert!(told.contains(name), "{told}");
        }
        for local in ["memory://", "s3://", "s3:avstem"] {
            assert!(read(&[(OBJECTS_URL, local)]).is_err(), "{local}");
        }
    }
}
