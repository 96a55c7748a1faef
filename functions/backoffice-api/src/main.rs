//! `backoffice-api`: what the back office asks for in, the account's settlements out.

use std::sync::Arc;

use adapters::app::Cloud;
use adapters::config::CloudConfig;
use adapters::inbound::backoffice::Backoffice;
use adapters::inbound::gateway;
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::open(CloudConfig::of_process()?).await?;
    let backoffice = Backoffice { function: cloud.function("backoffice-api")?, account_claim: cloud.account_claim()? };
    gateway::serve(Arc::new(backoffice)).await
}
