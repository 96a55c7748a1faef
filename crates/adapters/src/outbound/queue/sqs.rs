//! Messages in an SQS queue.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageSystemAttributeNameForSends, MessageSystemAttributeValue};
use jiff::SignedDuration;
use store::{PortError, Queue};

use crate::outbound::aws::failed;
use crate::traces;

/// SQS holds a message back this long at most.
const DELAY_SECONDS_MAX: i64 = 900;

/// One queue.
#[derive(Debug)]
pub struct Sqs {
    client: Client,
    url: String,
}

impl Sqs {
    /// The queue at that URL.
    pub fn new(config: &SdkConfig, url: &str) -> Self {
        Sqs { client: Client::new(config), url: url.to_owned() }
    }
}

#[async_trait]
impl Queue for Sqs {
    async fn send(&self, message: &str, delay: SignedDuration) -> Result<(), PortError> {
        let seconds = delay.as_secs().clamp(0, DELAY_SECONDS_MAX);
        let send = self.client.send_message().queue_url(&self.url).message_body(message);
        // A delay that is named replaces the queue's own.
        let send = send.set_delay_seconds((seconds > 0).then(|| i32::try_from(seconds).unwrap_or(0)));
        // The receiver continues the trace of the sender.
        let header = traces::header().and_then(|header| {
            MessageSystemAttributeValue::builder().data_type("String").string_value(header).build().ok()
        });
        let named = header.map(|header| [(MessageSystemAttributeNameForSends::AwsTraceHeader, header)].into());
        let send = send.set_message_system_attributes(named);
        send.send().await.map_err(|error| failed("Cannot send a message to the next step", &error))?;
        Ok(())
    }
}
