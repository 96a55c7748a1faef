//! `parse-report`: messages about uploaded reports in, proved reports out.

use std::sync::Arc;

use adapters::app::Cloud;
use adapters::config::CloudConfig;
use adapters::inbound::lambda;
use adapters::inbound::parse_report::{PAUSES, ParseReports};
use lambda_runtime::Error;
use pipeline::Limits;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::open(CloudConfig::of_process()?).await?;
    let worker = ParseReports {
        function: cloud.function("parse-report")?,
        next: cloud.queue()?,
        bucket: cloud.landing_bucket,
        limits: Limits::default(),
        pauses: PAUSES,
    };
    lambda::serve(Arc::new(worker)).await
}
