//! The tables that only the lake has.

use super::ColumnKind::{Flag, Int8, Int32, Int64, Text};
use super::{Column, Table};

const ACCOUNT_ID: Column = Column::required("account_id", Text, "The Dintero account");
const PROVIDER: Column = Column::required("provider", Text, "The payment provider that pays");
const PAYMENT_PRODUCT: Column = Column::optional(
    "payment_product",
    Text,
    "Product that was paid with, in Dintero's words; empty for lines that match no transaction",
);
const CURRENCY: Column = Column::required("currency", Text, "ISO 4217 code of all amounts of the row");
const EXPONENT: Column = Column::required("exponent", Int8, "Decimals of the currency in the provider's files");
const SCHEMA_VERSION: Column = Column::required("schema_version", Int32, "Version of the table's schema");

/// Fees of a month of payouts.
pub const FEE_SUMMARY: Table = Table {
    name: "fee_summary",
    meaning: "One row per payout month, provider, merchant number, payment product, currency and way that fees are taken.",
    columns: &[
        ACCOUNT_ID,
        Column::required("accounting_month", Text, "Month of the payouts, as in 2026-10"),
        PROVIDER,
        Column::required("merchant_number", Text, "The provider's number of the merchant or sales unit"),
        PAYMENT_PRODUCT,
        CURRENCY,
        EXPONENT,
        Column::required("fees", Text, "How fees are taken: deducted, invoiced or unknown"),
        Column::required("lines", Int64, "Number of lines").in_unit("lines"),
        Column::minor("capture_minor", "Captured from buyers"),
        Column::minor("refund_minor", "Given back to buyers, never above zero"),
        Column::minor("fee_minor", "Cost of the provider's service"),
        Column::minor("fee_vat_minor", "Value added tax on the fee"),
        SCHEMA_VERSION,
    ],
};

/// What was in transit when a month began, what came in and went out, and what was in transit when it ended.
pub const MONTH_BRIDGE: Table = Table {
    name: "month_bridge",
    meaning: "One row per calendar month, provider, payment product and currency: \
              `opening + net of happened - paid out = closing`, and a month's closing is the next one's opening.",
    columns: &[
        ACCOUNT_ID,
        Column::required("accounting_month", Text, "The month, as in 2026-10"),
        PROVIDER,
        PAYMENT_PRODUCT,
        CURRENCY,
        EXPONENT,
        Column::minor("opening_minor", "In transit when the month began"),
        Column::minor("happened_capture_minor", "Captured in the month"),
        Column::minor("happened_refund_minor", "Refunded in the month"),
        Column::minor("happened_fee_minor", "Fees of what happened in the month, without those that are invoiced"),
        Column::minor("happened_fee_vat_minor", "Value added tax on them"),
        Column::minor("happened_chargeback_minor", "Disputed in the month"),
        Column::minor("happened_reserve_minor", "Held back or given free in the month"),
        Column::minor("happened_adjustment_minor", "Adjusted in the month"),
        Column::minor("paid_capture_minor", "Captures that were paid out in the month, whenever they happened"),
        Column::minor("paid_refund_minor", "Refunds that were taken from payouts of the month"),
        Column::minor("paid_fee_minor", "Fees that were taken from payouts of the month"),
        Column::minor("paid_fee_vat_minor", "Value added tax on them"),
        Column::minor("paid_chargeback_minor", "Disputed money in payouts of the month"),
        Column::minor("paid_reserve_minor", "Security in payouts of the month"),
        Column::minor("paid_adjustment_minor", "Adjustments in payouts of the month"),
        Column::minor(
            "carried_minor",
            "Of the payouts of the month, balances of settlements before, less those carried on",
        ),
        Column::minor("paid_out_minor", "Paid out in the month"),
        Column::minor("closing_minor", "In transit when the month ended"),
        Column::minor("invoiced_fee_minor", "Invoiced fees of what happened in the month, for information"),
        Column::minor("invoiced_fee_vat_minor", "Value added tax on them"),
        SCHEMA_VERSION,
    ],
};

/// The columns of all tables.
pub const DATA_DICTIONARY: Table = Table {
    name: "data_dictionary",
    meaning: "One row per column of a table.",
    columns: &[
        Column::required("table_name", Text, "Name of the table"),
        Column::required("position", Int32, "Place of the column in the table, from 1"),
        Column::required("column_name", Text, "Name of the column"),
        Column::required("data_type", Text, "Type of its cells in SQL"),
        Column::required("is_nullable", Flag, "Whether a cell may be empty"),
        Column::required("unit", Text, "What its numbers count; an empty text for what is no quantity"),
        Column::required("meaning", Text, "What the column says"),
        Column::required("since_version", Int32, "Version of the schemas that brought the column"),
    ],
};
