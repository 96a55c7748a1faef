//! Makes an account in the cloud that a function's own environment names: its merchant numbers, and whether it posts.
//!
//! `aws-account ACCOUNT PROVIDER/NUMBER…`

use adapters::app::Cloud;
use adapters::config::CloudConfig;
use anyhow::Context;
use jiff::Timestamp;
use pipeline::account::{AddMerchant, add_merchant};
use pipeline::post;
use settlement::AccountId;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let account: AccountId = arguments.next().context("an account is missing")?.parse()?;
    let cloud = Cloud::open(CloudConfig::of_process()?).await?;
    for merchant in arguments {
        let (provider, number) = merchant.split_once('/').context("expected PROVIDER/NUMBER")?;
        let (provider, number) = (provider.to_owned(), number.to_owned());
        let command = AddMerchant { account: account.clone(), provider, number, now: Timestamp::now() };
        add_merchant(&cloud.ports, &command).await?;
    }
    post::set_posting(&cloud.ports, &account, true, Timestamp::now()).await?;
    Ok(())
}
