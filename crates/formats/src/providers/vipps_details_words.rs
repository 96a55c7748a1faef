//! Vipps MobilePay: the words of the settlement report's details, and what people are told of its ledger.

use settlement::{Kind, MajorUnits, Problem, WaitingEntries, WaitingReason};

use crate::ledger::Break;
use crate::read::field::{Cells, Column, optional, required};
use crate::read::shown::trimmed;

pub(super) const ADVICE: &str = "Download the report again; do not edit it";

/// The columns; those that are not read are optional.
pub(super) const COLUMNS: &[Column] = &[
    required("MSN/Vippsnummer").or(&["MSN/MobilePay number", "MSN/Vipps number", "MSN"]),
    required("Tidspunkt").or(&["Time"]),
    required("Bokføringsdato").or(&["Booking date"]),
    required("Type"),
    required("Beløp").or(&["Amount"]),
    required("Balanse").or(&["Balance"]),
    required("Gebyr").or(&["Fee"]),
    required("Nettobeløp").or(&["Net amount"]),
    required("Valuta").or(&["Currency"]),
    required("PSP-referanse").or(&["PSP reference"]),
    required("Ordre-ID/Referanse").or(&["Order ID/Reference"]),
    required("Utbetalingsnummer").or(&["Payout number"]),
    required("Bankkonto for utbetaling").or(&["Payout account"]),
    required("Planlagt utbetalingsdato").or(&["Scheduled payout date"]),
    optional("Betalingsløsning").or(&["Payment solution"]),
    optional("Salgssted").or(&["Sales unit"]),
    optional("Land").or(&["Country"]),
    optional("Kundens navn").or(&["Customer name"]),
    optional("Kundens telefonnummer").or(&["Customer phone number"]),
    optional("Melding").or(&["Message"]),
    optional("Kategori").or(&["Category"]),
];

pub(super) const MERCHANT: usize = 0;
pub(super) const TIME: usize = 1;
pub(super) const BOOKED: usize = 2;
pub(super) const TYPE: usize = 3;
pub(super) const AMOUNT: usize = 4;
pub(super) const BALANCE: usize = 5;
pub(super) const FEE: usize = 6;
pub(super) const NET: usize = 7;
pub(super) const CURRENCY: usize = 8;
pub(super) const TRANSACTION: usize = 9;
pub(super) const ORDER: usize = 10;
pub(super) const PAYOUT: usize = 11;
pub(super) const ACCOUNT: usize = 12;
pub(super) const PAID_ON: usize = 13;
pub(super) const METHOD: usize = 14;

/// What a row is, by the provider's word. The English words of refunds and fees are assumed.
pub(super) const TYPES: &[(&str, RowType)] = &[
    ("Belastning", RowType::Capture),
    ("Capture", RowType::Capture),
    ("Refusjon", RowType::Refund),
    ("Refund", RowType::Refund),
    ("Gebyrer fratrukket", RowType::Fees),
    ("Fees retained", RowType::Fees),
    ("Utbetaling planlagt", RowType::Payout),
    ("Payout scheduled", RowType::Payout),
];

/// What a row is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowType {
    Capture,
    Refund,
    Fees,
    Payout,
}

/// Whether a row of heads is that of this report, in whatever language: one of them names the sales unit by its MSN.
pub(super) fn is_header<'h>(heads: impl Iterator<Item = &'h str>) -> bool {
    const HEADS_MIN: usize = 10;
    let (mut count, mut names_msn) = (0, false);
    for head in heads.map(trimmed) {
        count += usize::from(!head.is_empty());
        names_msn |= head == "MSN" || head.starts_with("MSN/");
    }
    names_msn && count >= HEADS_MIN
}

/// The type of a row; `None` when its word is not known.
pub(super) fn row_type(row: &Cells<'_, '_>) -> Option<RowType> {
    let word = row.text(TYPE);
    TYPES.iter().find(|(known, _)| *known == word).map(|(_, of)| *of)
}

/// What a person is told of entries that are in no settlement.
///
/// Where they are not kept, a person has to bring all of a payout in one report.
pub(super) fn waiting_message(waiting: &WaitingEntries, kept: bool) -> String {
    let WaitingEntries { merchant_number, currency, entries, from, to, .. } = waiting;
    let sum = MajorUnits::new(waiting.sum_minor, waiting.exponent);
    let what = if *entries == 1 { "an entry".to_owned() } else { format!("{entries} entries") };
    let found =
        format!("Found {what} of {merchant_number} from {from} to {to}, {sum} {currency} in sum, in no settlement");
    match waiting.reason {
        WaitingReason::Payout if kept => {
            format!("{found}: the payout is not in the report. They wait for the report that has it")
        }
        WaitingReason::Payout => {
            format!("{found}: the payout is not in the report. Download it again once it is, from {from} on")
        }
        WaitingReason::Beginning => format!(
            "{found}: the balance before them is {}, so that the report begins within a payout. {}",
            MajorUnits::new(waiting.opening_minor, waiting.exponent),
            match kept {
                true => "They wait for the report that has the days before",
                false => "Download it from an earlier day on",
            }
        ),
        WaitingReason::Fees => format!("{found}: their fees are in a report of their own"),
        WaitingReason::UnknownType { row } => format!("{found}: row {row} has a type that is not known"),
    }
}

/// How the entries of a sales unit do not fit one another, for a person.
pub(super) fn broken_chain(number: &str, exponent: u8, broken: Break) -> Problem {
    let show = |minor: i64| MajorUnits::new(minor, exponent);
    let wide = |minor: i128| show(i64::try_from(minor).unwrap_or(i64::MAX));
    let (row, message) = match broken {
        Break::Balance { row, before_minor, after_minor } => (
            row,
            format!(
                "Found a balance of {} before this row of {number}, where the row before it leaves {}: rows are missing, \
                 changed or twice. Download the report again with every type of entry, oldest first",
                show(before_minor),
                show(after_minor)
            ),
        ),
        Break::PaidOut { row, booked_on } => {
            (row, format!("Found a row of {number} booked on {booked_on}, a day that was paid out before it. {ADVICE}"))
        }
        Break::LaterDay { row, booked_on } => (
            row,
            format!("Found a row of {number} booked on {booked_on} before the payout of an earlier day. {ADVICE}"),
        ),
        Break::Fees { row, booked_on, rows_minor, taken_minor } => (
            row,
            format!(
                "Found {} taken for fees of {number} on {booked_on}, where the rows of that day state {}. {ADVICE}",
                wide(taken_minor),
                wide(rows_minor)
            ),
        ),
        Break::ManyDays { row } => {
            (row, format!("Found more days without a payout of {number} than can be put together. {ADVICE}"))
        }
        Break::FeesTwice { row, booked_on } => {
            (row, format!("Found a second row of fees of {number} on {booked_on}, expected one. {ADVICE}"))
        }
    };
    Problem::error(Kind::ControlTotal, message).at_row(u64::from(row))
}
