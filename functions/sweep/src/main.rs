//! `sweep`: a schedule in, messages about whatever nobody goes on with out.

use std::sync::Arc;

use adapters::app::Cloud;
use adapters::config::CloudConfig;
use adapters::inbound::lambda;
use adapters::inbound::sweep::Sweeper;
use lambda_runtime::Error;
use pipeline::operate::sweep::Queues;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = CloudConfig::of_process()?;
    // It never speaks with Dintero; whether others do decides what waits to be posted.
    let posts = config.dintero.is_some();
    let cloud = Cloud::open(config).await?;
    let sweeper = Sweeper {
        function: cloud.function("sweep")?,
        queues: Queues { parse: cloud.parse_queue()?, reconcile: cloud.queue()? },
        posts,
    };
    lambda::serve_schedule(Arc::new(sweeper)).await
}
