//! The state in one DynamoDB table.
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `pk`, `sk` | text | partition and sort key |
//! | `revision` | number | counts changes from 1 |
//! | `schema` | number | version of the body's layout |
//! | `body` | text | the record as JSON, to be the same bytes as in every other store |

use std::collections::HashMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use store::{Expect, Item, Page, PortError, PortErrorKind, Put, Query, State};

use crate::outbound::aws::failed;

/// Sorts after every key with the same beginning.
const BEHIND_ALL: char = '\u{10FFFF}';

/// A table with the keys `pk` and `sk`.
#[derive(Debug)]
pub struct DynamoDb {
    client: Client,
    table: String,
}

/// Two transactions that met on one record: none of them was written, and the next attempt may be.
#[derive(Debug)]
struct MetOnce;

impl ClassifyRetry for MetOnce {
    fn classify_retry(&self, context: &aws_sdk_dynamodb::config::interceptors::InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err).and_then(|error| error.as_operation_error());
        let reasons = error.and_then(|error| error.downcast_ref::<TransactWriteItemsError>()).map(reasons);
        match reasons {
            Some(reasons) if has(reasons, "TransactionConflict") && !has(reasons, "ConditionalCheckFailed") => {
                RetryAction::transient_error()
            }
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "transactions that met"
    }
}

fn reasons(error: &TransactWriteItemsError) -> &[CancellationReason] {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled.cancellation_reasons(),
        _ => &[],
    }
}

fn has(reasons: &[CancellationReason], code: &str) -> bool {
    reasons.iter().any(|reason| reason.code() == Some(code))
}

impl DynamoDb {
    /// The table of that name.
    pub fn new(config: &SdkConfig, table: &str) -> Self {
        let config = aws_sdk_dynamodb::config::Builder::from(config).retry_classifier(MetOnce);
        DynamoDb { client: Client::from_conf(config.build()), table: table.to_owned() }
    }

    fn update(&self, put: &Put) -> Result<TransactWriteItem, PortError> {
        let refused = |error: aws_sdk_dynamodb::error::BuildError| {
            PortError::new(PortErrorKind::Refused, "Cannot write to the state", error)
        };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(&put.partition, &put.sort)))
            .update_expression("SET #r = if_not_exists(#r, :none) + :one, #s = :schema, #b = :body")
            .expression_attribute_names("#r", "revision")
            .expression_attribute_names("#s", "schema")
            .expression_attribute_names("#b", "body")
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":schema", number(u64::from(put.schema)))
            .expression_attribute_values(":body", AttributeValue::S(put.body.to_string()));
        let known = "(attribute_not_exists(#s) OR #s <= :schema)";
        let update = match put.expect {
            Expect::Any => update.condition_expression(known),
            Expect::Absent => update.condition_expression("attribute_not_exists(pk)"),
            Expect::Revision(revision) => update
                .condition_expression(format!("#r = :seen AND {known}"))
                .expression_attribute_values(":seen", number(revision)),
        };
        // The answer includes the layout of a record that is in the way.
        let update = update.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(TransactWriteItem::builder().update(update.build().map_err(refused)?).build())
    }
}

fn key(partition: &str, sort: &str) -> HashMap<String, AttributeValue> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    HashMap::from([("pk".to_owned(), text(partition)), ("sk".to_owned(), text(sort))])
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn item(attributes: &HashMap<String, AttributeValue>) -> Result<Item, PortError> {
    let text = |name: &str| attributes.get(name).and_then(|value| value.as_s().ok()).cloned();
    let number = |name: &str| attributes.get(name).and_then(|value| value.as_n().ok()?.parse::<u64>().ok());
    let read = || {
        Some(Item {
            partition: text("pk")?,
            sort: text("sk")?,
            revision: number("revision")?,
            schema: u32::try_from(number("schema")?).ok()?,
            body: serde_json::from_str(&text("body")?).ok()?,
        })
    };
    read().ok_or_else(|| {
        let place = format!("{} {}", text("pk").unwrap_or_default(), text("sk").unwrap_or_default());
        let why = "found a record of another shape, expected revision, schema and body";
        PortError::new(PortErrorKind::Refused, format!("Cannot read {place}"), why)
    })
}

#[async_trait]
impl State for DynamoDb {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key(partition, sort)));
        let got = get.consistent_read(true).send().await;
        let got = got.map_err(|error| failed(format!("Cannot read {partition} {sort}"), &error))?;
        got.item.as_ref().map(item).transpose()
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        let Query { partition, from, prefix, backwards, limit, cursor } = query;
        let first = from.max(prefix);
        let last = format!("{prefix}{BEHIND_ALL}");
        if *first > last {
            return Ok(Page::default());
        }
        let condition =
            if prefix.is_empty() && from.is_empty() { "pk = :pk" } else { "pk = :pk AND sk BETWEEN :a AND :z" };
        let mut request = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression(condition)
            .expression_attribute_values(":pk", AttributeValue::S(partition.clone()))
            .scan_index_forward(!backwards)
            .limit(i32::try_from(*limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(cursor.as_ref().map(|cursor| key(partition, cursor)));
        if condition.contains(":a") {
            request = request
                .expression_attribute_values(":a", AttributeValue::S(first.clone()))
                .expression_attribute_values(":z", AttributeValue::S(last));
        }
        let page = request.send().await.map_err(|error| failed(format!("Cannot read {partition}"), &error))?;
        let items = page.items().iter().map(item).collect::<Result<Vec<Item>, PortError>>()?;
        let end = page.last_evaluated_key().and_then(|key| key.get("sk")?.as_s().ok().cloned());
        Ok(Page { items, cursor: end })
    }

    // The SDK gives each call a token of its own, by which a second attempt is known as the same one: a write whose answer
    // was lost is no conflict with itself. A put alone would have none, which is why a single write is a transaction too.
    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        Put::check_all(writes)?;
        if writes.is_empty() {
            return Ok(());
        }
        let items = writes.iter().map(|put| self.update(put)).collect::<Result<Vec<_>, PortError>>()?;
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(items)).send().await else {
            return Ok(());
        };
        let reasons = error.as_service_error().map(reasons).unwrap_or_default();
        let failing = writes.iter().zip(reasons).find(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"));
        if let Some((put, reason)) = failing {
            let found = reason.item().map(item).transpose()?;
            put.check_layout(found.map_or(0, |found| found.schema))?;
            return Err(put.conflict());
        }
        let mut passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"].into_iter();
        let error = failed("Cannot write to the state", &error);
        if passing.any(|code| has(reasons, code)) {
            return Err(PortError { kind: PortErrorKind::Unavailable, ..error });
        }
        Err(error)
    }
}
