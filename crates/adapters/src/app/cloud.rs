//! The adapters of AWS for a function or for a person: S3, DynamoDB, SQS, SES and Secrets Manager.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use aws_config::SdkConfig;
use jiff::Timestamp;
use pipeline::mail::Mailing;
use pipeline::transactions::client::{Clock, Dintero};
use pipeline::{Packing, Ports};
use store::TokenSecret;
use store::{PortError, Queue};

use super::App;
use crate::config::{ACCOUNT_CLAIM, BadConfig, CloudConfig, MailAccess, PARSE_QUEUE_URL, QUEUE_URL};
use crate::inbound::function::Function;
use crate::outbound::aws;
use crate::outbound::http::{HttpLimits, Reqwest};
use crate::outbound::mailer::Ses;
use crate::outbound::objects::S3;
use crate::outbound::queue::Sqs;
use crate::outbound::secrets::{SecretsManager, kept_token_secret};
use crate::outbound::state::DynamoDb;
use crate::outbound::traced::Traced;
use crate::traces::Traces;

/// The clients that a function has for the life of its process.
pub struct Cloud {
    /// What the steps use.
    pub ports: Ports,
    queue: Option<Arc<dyn Queue>>,
    parse_queue: Option<Arc<dyn Queue>>,
    account_claim: Option<String>,
    /// The queue of `email-summary`, where there is one.
    pub mail_queue: Option<Arc<dyn Queue>>,
    /// Dintero's API, where it is configured.
    pub dintero: Option<Arc<Dintero>>,
    /// Name of the bucket that reports land in.
    pub landing_bucket: String,
    scratch: PathBuf,
    clock: Clock,
    mail: Option<MailAccess>,
    stack: Option<String>,
    traces: Option<String>,
    sdk: SdkConfig,
}

impl Cloud {
    /// Builds all clients; nothing is called yet.
    ///
    /// # Errors
    /// When HTTPS cannot be prepared.
    pub async fn open(config: CloudConfig) -> Result<Self, PortError> {
        let sdk = aws::config().await;
        let objects = Arc::new(S3::new(&sdk, &config.buckets, config.kms_key));
        let ports = Ports { objects, state: Arc::new(DynamoDb::new(&sdk, &config.table)), packing: Packing::Zstd };
        let clock: Clock = Arc::new(Timestamp::now);
        let dintero = match config.dintero {
            None => None,
            Some(access) => {
                let http = Arc::new(Traced(Reqwest::new(HttpLimits::default())?));
                let secrets = Arc::new(SecretsManager::new(&sdk, &access.secrets));
                Some(Arc::new(Dintero::new(http, secrets, access.hosts, access.environment, Arc::clone(&clock))))
            }
        };
        let to = |url: String| -> Arc<dyn Queue> { Arc::new(Sqs::new(&sdk, &url)) };
        Ok(Cloud {
            ports,
            queue: config.queue.map(to),
            parse_queue: config.parse_queue.map(to),
            mail_queue: config.mail_queue.map(to),
            account_claim: config.account_claim,
            dintero,
            landing_bucket: format!("{}-landing", config.buckets),
            scratch: std::env::temp_dir(),
            clock,
            mail: config.mail,
            stack: config.stack,
            traces: config.traces,
            sdk,
        })
    }

    /// What the function of that name has. Its lines go to standard output, and its spans to the collector where one is named.
    ///
    /// # Errors
    /// When the collector's address cannot be read.
    pub fn function(&self, name: &'static str) -> Result<Function, PortError> {
        let (ports, scratch, clock) = (self.ports.clone(), self.scratch.clone(), Arc::clone(&self.clock));
        let function = Function::new(name, ports, scratch, clock, io::stdout());
        let function = match &self.stack {
            Some(stack) => function.of_stack(stack.clone()),
            None => function,
        };
        let Some(url) = &self.traces else { return Ok(function) };
        Ok(function.traced(Traces::to(name, url)?))
    }

    /// The queue that the function sends to.
    ///
    /// # Errors
    /// When its variable is not set.
    pub fn queue(&self) -> Result<Arc<dyn Queue>, BadConfig> {
        self.queue.clone().ok_or_else(|| BadConfig::missing(QUEUE_URL))
    }

    /// The queue of the step that parses.
    ///
    /// # Errors
    /// When its variable is not set.
    pub fn parse_queue(&self) -> Result<Arc<dyn Queue>, BadConfig> {
        self.parse_queue.clone().ok_or_else(|| BadConfig::missing(PARSE_QUEUE_URL))
    }

    /// The claim of a caller's token that names the account.
    ///
    /// # Errors
    /// When its variable is not set.
    pub fn account_claim(&self) -> Result<String, BadConfig> {
        self.account_claim.clone().ok_or_else(|| BadConfig::missing(ACCOUNT_CLAIM))
    }

    /// What mails are sent with; `None` where none are. Reads the secret that codes are made with.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn mailing(&self) -> Result<Option<Mailing>, PortError> {
        let Some(access) = self.mail.clone() else { return Ok(None) };
        let MailAccess { configuration_set, secret, from, reply_to, backoffice, stop } = access;
        let secret = kept_token_secret(&self.sdk, &secret).await?;
        let (state, clock) = (Arc::clone(&self.ports.state), Arc::clone(&self.clock));
        let mailer = Arc::new(Ses::new(&self.sdk, &configuration_set, state, Arc::clone(&clock)));
        let mailing = Mailing::new(mailer, from, secret, clock);
        Ok(Some(Mailing { reply_to, backoffice, stop, ..mailing }))
    }
}

impl App {
    /// Everything in buckets and a table, with region and credentials as the environment has them.
    pub(super) async fn in_cloud(buckets: &str, table: &str) -> Result<Self, PortError> {
        let sdk = aws::config().await;
        let objects = Arc::new(S3::new(&sdk, buckets, None));
        let ports = Ports { objects, state: Arc::new(DynamoDb::new(&sdk, table)), packing: Packing::Zstd };
        Ok(App { ports, scratch: std::env::temp_dir(), dintero: None, lock: None })
    }

    /// What the stack makes codes of recipients with; the template names buckets `<stack>-<account>` and the secret `<stack>/mail`.
    pub(super) async fn token_secret_in_cloud(buckets: &str) -> Result<TokenSecret, PortError> {
        let stack = buckets.rsplit_once('-').map_or(buckets, |(stack, _)| stack);
        kept_token_secret(&aws::config().await, &format!("{stack}/mail")).await
    }
}
