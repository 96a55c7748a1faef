//! `email-summary`: messages about accounts in, month summaries and mails out.

use std::sync::Arc;

use adapters::app::Cloud;
use adapters::config::CloudConfig;
use adapters::inbound::email_summary::EmailSummary;
use adapters::inbound::lambda;
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::open(CloudConfig::of_process()?).await?;
    let worker = EmailSummary {
        function: cloud.function("email-summary")?,
        mailing: cloud.mailing().await?,
        own: cloud.queue()?,
    };
    lambda::serve(Arc::new(worker)).await
}
