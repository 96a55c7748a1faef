//! The table that lies beside each month summary.

use super::ColumnKind::{Day, Int8, Int32, Int64, Text};
use super::{Column, Table};

const fn minor(name: &'static str, meaning: &'static str) -> Column {
    Column { is_nullable: true, ..Column::minor(name, meaning) }
}

/// A month summary as flat records; which fields a record has depends on what it is.
pub const MONTH_SUMMARY: Table = Table {
    name: "month_summary",
    meaning: "One row per record of one revision of a month summary. Records `figures` sum to what was paid out, and so do \
              records `payout`: sum one of them, and only where the currency is the same.",
    columns: &[
        Column::required("account_id", Text, "The Dintero account"),
        Column::required("accounting_month", Text, "The month, as in 2026-10"),
        Column::required(
            "revision",
            Int32,
            "Revision of the summary, from 1; a later one takes the place of all before it",
        ),
        Column::required(
            "record",
            Text,
            "What the row is: figures, total, payout, bridge, in_transit, held_report, not_exact, unmatched, event, overdue, \
             missing_report or difference",
        ),
        Column::optional("provider", Text, "The payment provider"),
        Column::optional("payment_product", Text, "Product that was paid with, in Dintero's words"),
        Column::optional("merchant_number", Text, "The provider's number of the merchant or sales unit"),
        Column::optional("settlement_id", Text, "The provider's id of the settlement, or of several with commas"),
        Column::optional("version", Int32, "Version of the settlement that counts"),
        Column::optional("day", Day, "Day of the payout, of arrival, or when something was due"),
        Column::optional("state", Text, "How it stands, by the kind of record"),
        Column::optional(
            "reference",
            Text,
            "Text on the bank statement, file name, product or settlement, by the kind of record",
        ),
        Column::optional("currency", Text, "ISO 4217 code of all amounts of the row"),
        Column::optional("exponent", Int8, "Decimals of the currency in the provider's files"),
        Column::optional("count", Int64, "Number of lines, payouts, events or captures, by the kind of record")
            .in_unit("things"),
        minor("capture_minor", "Captured from buyers"),
        minor("refund_minor", "Given back to buyers, never above zero"),
        minor("fee_minor", "Cost of the provider's service"),
        minor("fee_vat_minor", "Value added tax on the fee"),
        minor("chargeback_minor", "Disputed money, signed towards the merchant"),
        minor("reserve_minor", "Held back below zero, given free above"),
        minor("adjustment_minor", "Anything else, signed towards the merchant"),
        minor("invoiced_minor", "Fees and their tax that are invoiced, and so are paid out all the same"),
        minor("opening_minor", "In transit when the month began"),
        minor("carried_minor", "Balances of settlements before, less those carried on"),
        minor("paid_out_minor", "Paid out in the month"),
        minor("closing_minor", "In transit when the month ended"),
        minor("amount_minor", "Amount of what is in transit or stands apart, signed towards the merchant"),
        minor("before_minor", "Of a difference, what the revision before had"),
        minor("after_minor", "Of a difference, what this revision has"),
        Column::required("schema_version", Int32, "Version of the table's schema"),
    ],
};
