//! The schemas of the tables, version 1. Add nullable columns at the end; never rename or retype one.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// Version of all schemas here, stored in every row.
pub const SCHEMA_VERSION: i32 = 1;

/// Decimals of amounts that are shown to people, beside the exact minor units.
pub(crate) const SHOWN_SCALE: i8 = 2;
pub(crate) const SHOWN_PRECISION: u8 = 18;

pub(crate) fn shown_amount() -> DataType {
    DataType::Decimal128(SHOWN_PRECISION, SHOWN_SCALE)
}

pub(crate) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

fn optional(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

/// One row per line of a settlement.
///
/// The table of one report is written while the report is read, before it is known whether its settlements are new:
/// `report_version` is 1 and `is_current` true in all its rows. What counts is in the `settlement` table.
pub fn settlement_line_schema() -> SchemaRef {
    use DataType::{Boolean, Date32, Int8, Int32, Int64, Utf8};
    Arc::new(Schema::new(vec![
        required("account_id", Utf8),
        required("provider", Utf8),
        required("merchant_number", Utf8),
        required("settlement_id", Utf8),
        required("report_id", Utf8),
        required("report_version", Int32),
        required("is_current", Boolean),
        required("line_no", Int64),
        required("kind", Utf8),
        required("capture_minor", Int64),
        required("refund_minor", Int64),
        required("fee_minor", Int64),
        required("fee_vat_minor", Int64),
        required("chargeback_minor", Int64),
        required("reserve_minor", Int64),
        required("adjustment_minor", Int64),
        required("net_minor", Int64),
        required("net", shown_amount()),
        required("currency", Utf8),
        required("exponent", Int8),
        optional("provider_transaction_id", Utf8),
        optional("original_reference", Utf8),
        optional("order_reference", Utf8),
        optional("correlation_id", Utf8),
        optional("provider_method", Utf8),
        optional("provider_kind", Utf8),
        optional("captured_at", instant()),
        optional("captured_on", Date32),
        optional("provider_date", Date32),
        required("payout_on", Date32),
        optional("store_id", Utf8),
        optional("payout_destination_id", Utf8),
        required("schema_version", Int32),
    ]))
}

/// One row per line, with what it was matched with.
///
/// `event_state` is how far its settlement event at Dintero has come; the table of one report leaves it empty, since it is known
/// later.
pub fn match_schema() -> SchemaRef {
    use DataType::{Date32, Int32, Int64, Utf8};
    Arc::new(Schema::new(vec![
        required("account_id", Utf8),
        required("provider", Utf8),
        required("merchant_number", Utf8),
        required("settlement_id", Utf8),
        required("currency", Utf8),
        required("report_id", Utf8),
        required("line_no", Int64),
        required("state", Utf8),
        required("reason", Utf8),
        optional("transaction_id", Utf8),
        optional("transaction_event", Int32),
        optional("payment_product", Utf8),
        optional("payment_product_type", Utf8),
        optional("merchant_reference", Utf8),
        optional("merchant_reference_2", Utf8),
        optional("event_state", Utf8),
        required("payout_on", Date32),
        required("schema_version", Int32),
    ]))
}

/// One row per transaction that was captured: what matching needs, and nothing of the buyer.
///
/// `keys`, `events` and `settlement_events` are JSON.
pub fn transaction_schema() -> SchemaRef {
    use DataType::{Int32, Int64, Utf8};
    Arc::new(Schema::new(vec![
        required("account_id", Utf8),
        required("transaction_id", Utf8),
        required("merchant_reference", Utf8),
        optional("merchant_reference_2", Utf8),
        required("status", Utf8),
        required("payment_product", Utf8),
        required("payment_product_type", Utf8),
        required("currency", Utf8),
        required("amount_minor", Int64),
        optional("payout_destination_id", Utf8),
        optional("store_id", Utf8),
        optional("settlement_status", Utf8),
        required("keys", Utf8),
        required("events", Utf8),
        required("settlement_events", Utf8),
        required("schema_version", Int32),
    ]))
}

/// One row per settlement that a report brought, with the version that it is; known ones are left out.
pub fn settlement_schema() -> SchemaRef {
    use DataType::{Boolean, Date32, Int8, Int32, Int64, Utf8};
    Arc::new(Schema::new(vec![
        required("account_id", Utf8),
        required("provider", Utf8),
        required("merchant_number", Utf8),
        required("settlement_id", Utf8),
        required("currency", Utf8),
        required("exponent", Int8),
        required("report_id", Utf8),
        required("report_version", Int32),
        required("is_current", Boolean),
        required("format", Utf8),
        required("proof", Utf8),
        required("fees", Utf8),
        optional("period_from", Date32),
        optional("period_to", Date32),
        required("payout_on", Date32),
        required("lines", Int64),
        required("capture_minor", Int64),
        required("refund_minor", Int64),
        required("fee_minor", Int64),
        required("fee_vat_minor", Int64),
        required("chargeback_minor", Int64),
        required("reserve_minor", Int64),
        required("adjustment_minor", Int64),
        required("net_minor", Int64),
        required("opening_minor", Int64),
        required("closing_minor", Int64),
        optional("payout_minor", Int64),
        optional("payout", shown_amount()),
        optional("bank_account", Utf8),
        optional("bank_reference", Utf8),
        required("settlement_hash", Utf8),
        required("schema_version", Int32),
    ]))
}
