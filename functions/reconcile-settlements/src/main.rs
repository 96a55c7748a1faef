//! `reconcile-settlements`: messages about committed reports in, Dintero reports and settlement events out.

use std::sync::Arc;

use adapters::app::Cloud;
use adapters::config::CloudConfig;
use adapters::inbound::lambda;
use adapters::inbound::reconcile_settlements::ReconcileSettlements;
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::open(CloudConfig::of_process()?).await?;
    let worker = ReconcileSettlements {
        function: cloud.function("reconcile-settlements")?,
        own: cloud.queue()?,
        mails: cloud.mail_queue,
        dintero: cloud.dintero,
    };
    lambda::serve(Arc::new(worker)).await
}
