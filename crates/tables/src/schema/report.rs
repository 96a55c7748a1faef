//! The tables that each report has, and that the lake gathers.

use super::ColumnKind::{Amount, Day, Flag, Instant, Int8, Int32, Int64, Text};
use super::{Column, Table};

const ACCOUNT_ID: Column = Column::required("account_id", Text, "The Dintero account");
const PROVIDER: Column =
    Column::required("provider", Text, "The payment provider that pays, as `avstem formats` names it");
const MERCHANT_NUMBER: Column =
    Column::required("merchant_number", Text, "The provider's number of the merchant or sales unit");
const SETTLEMENT_ID: Column = Column::required(
    "settlement_id",
    Text,
    "The provider's id of the settlement, unique within its merchant number only",
);
const CURRENCY: Column = Column::required("currency", Text, "ISO 4217 code of all amounts of the row");
const EXPONENT: Column = Column::required("exponent", Int8, "Decimals of the currency in the provider's files");
const REPORT_ID: Column = Column::required("report_id", Text, "SHA-256 of the report that brought the row");
const REPORT_VERSION: Column = Column::required(
    "report_version",
    Int32,
    "Version of the settlement, from 1; a released correction is the next one",
);
const IS_CURRENT: Column =
    Column::required("is_current", Flag, "Whether this version of the settlement counts; sum only rows where it does");
const PAYOUT_ON: Column = Column::required("payout_on", Day, "The day the money is paid out");
const LINE_PART: Column =
    Column::optional("line_part", Int32, "Tells lines of one line_no apart, from 1; empty in the table of one report");
const SCHEMA_VERSION: Column = Column::required("schema_version", Int32, "Version of the table's schema");

const CAPTURE: Column = Column::minor("capture_minor", "Captured from buyers, never below zero");
const REFUND: Column = Column::minor("refund_minor", "Given back to buyers, never above zero");
const FEE: Column = Column::minor("fee_minor", "Cost of the provider's service; below zero when given back");
const FEE_VAT: Column = Column::minor("fee_vat_minor", "Value added tax on the fee, signed as the fee");
const CHARGEBACK: Column = Column::minor("chargeback_minor", "Disputed money, a loss below zero");
const RESERVE: Column = Column::minor("reserve_minor", "Security, below zero when held back and above when given free");
const ADJUSTMENT: Column =
    Column::minor("adjustment_minor", "Anything else that moves the payout, signed towards the merchant");
const NET: Column = Column::minor("net_minor", "capture + refund - fee - fee_vat + chargeback + reserve + adjustment");

/// One row per line of a settlement.
///
/// The table of one report is written while the report is read, before it is known whether its settlements are new:
/// `report_version` is 1 and `is_current` true in all its rows. What counts is in the lake.
pub const SETTLEMENT_LINE: Table = Table {
    name: "settlement_line",
    meaning: "One row per line of a settlement, of every version of it.",
    columns: &[
        ACCOUNT_ID,
        PROVIDER,
        MERCHANT_NUMBER,
        SETTLEMENT_ID,
        REPORT_ID,
        REPORT_VERSION,
        IS_CURRENT,
        Column::required("line_no", Int64, "Line or row in the report, from 1; 0 for what a payout notice adds"),
        Column::required("kind", Text, "What the line is about: sale, refund, fee, chargeback and so on"),
        CAPTURE,
        REFUND,
        FEE,
        FEE_VAT,
        CHARGEBACK,
        RESERVE,
        ADJUSTMENT,
        NET,
        Column::required("net", Amount, "The same as net_minor, in major units").in_unit("major units"),
        CURRENCY,
        EXPONENT,
        Column::optional("provider_transaction_id", Text, "The provider's id of the capture or refund"),
        Column::optional(
            "original_reference",
            Text,
            "The provider's id of the capture that a refund or chargeback is of",
        ),
        Column::optional("order_reference", Text, "The merchant's order reference"),
        Column::optional("correlation_id", Text, "The id that Dintero knows as payout_correlation_id"),
        Column::optional("provider_method", Text, "The provider's product or method, in its own words"),
        Column::optional("provider_kind", Text, "The provider's own word for the kind of row"),
        Column::optional("captured_at", Instant, "When it was captured or refunded"),
        Column::optional("captured_on", Day, "The day of that in the account's zone"),
        Column::optional("provider_date", Day, "The day that the provider writes on the row"),
        PAYOUT_ON,
        Column::optional("store_id", Text, "The merchant's shop or outlet"),
        Column::optional("payout_destination_id", Text, "The seller that the money goes to, where payouts are split"),
        SCHEMA_VERSION,
        LINE_PART,
    ],
};

/// One row per line, with what it was matched with.
///
/// `event_state` is how far its settlement event at Dintero has come; the table of one report leaves it empty, since it is known
/// later.
pub const MATCH: Table = Table {
    name: "match",
    meaning: "One row per line of a settlement's version that counts, with what it was matched with.",
    columns: &[
        ACCOUNT_ID,
        PROVIDER,
        MERCHANT_NUMBER,
        SETTLEMENT_ID,
        CURRENCY,
        REPORT_ID,
        Column::required("line_no", Int64, "Line or row in the report, as in settlement_line"),
        Column::required("state", Text, "What became of the line, in one word"),
        Column::required("reason", Text, "Why it has this state, for a person"),
        Column::optional("transaction_id", Text, "Dintero's id of the transaction"),
        Column::optional(
            "transaction_event",
            Int32,
            "Place of the capture or refund among the transaction's events, from 0",
        ),
        Column::optional("payment_product", Text, "Product that it was paid with, in Dintero's words"),
        Column::optional("payment_product_type", Text, "Kind of that product"),
        Column::optional("merchant_reference", Text, "The merchant's reference of the transaction"),
        Column::optional("merchant_reference_2", Text, "The merchant's second reference of it"),
        Column::optional("event_state", Text, "How far its settlement event at Dintero has come"),
        PAYOUT_ON,
        SCHEMA_VERSION,
        LINE_PART,
    ],
};

/// One row per settlement that a report brought, with the version that it is; known ones are left out.
pub const SETTLEMENT: Table = Table {
    name: "settlement",
    meaning: "One row per version of a settlement, with fees and payout as its notice makes them.",
    columns: &[
        ACCOUNT_ID,
        PROVIDER,
        MERCHANT_NUMBER,
        SETTLEMENT_ID,
        CURRENCY,
        EXPONENT,
        REPORT_ID,
        REPORT_VERSION,
        IS_CURRENT,
        Column::required("format", Text, "The format that the report was read as"),
        Column::required("proof", Text, "How far the payout is proved: exact, gross_only or rows_only"),
        Column::required("fees", Text, "How fees are taken: deducted, invoiced or unknown"),
        Column::optional("period_from", Day, "First day that the report covers"),
        Column::optional("period_to", Day, "Last day that the report covers"),
        PAYOUT_ON,
        Column::required("lines", Int64, "Number of its lines").in_unit("lines"),
        CAPTURE,
        REFUND,
        FEE,
        FEE_VAT,
        CHARGEBACK,
        RESERVE,
        ADJUSTMENT,
        NET,
        Column::minor("opening_minor", "Balance carried in from before"),
        Column::minor("closing_minor", "Balance carried on"),
        Column::optional("payout_minor", Int64, "Paid out; empty when nothing states it").in_unit("minor units"),
        Column::optional("payout", Amount, "The same in major units").in_unit("major units"),
        Column::optional("bank_account", Text, "Last four digits of the account that the money goes to"),
        Column::optional("bank_reference", Text, "The text that the bank statement carries"),
        Column::required("settlement_hash", Text, "Hash of the settlement's content"),
        SCHEMA_VERSION,
    ],
};
