//! Vipps MobilePay: rows of the settlement report's details kept as entries of a ledger, and entries written as such rows.
//!
//! What several files have of a payout is put together in a report like any other: it can be read, kept and proved by
//! whoever has it. Columns that are never read are left out.

use std::io;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use settlement::{Currency, Kind, LedgerEntry, LedgerEntryKind, LedgerPayout, MajorUnits, Problem, mask_cards};

use super::vipps_details_words::{
    ACCOUNT, AMOUNT, BALANCE, COLUMNS, FEE, METHOD, ORDER, PAID_ON, PAYOUT, RowType, TRANSACTION, TYPE, TYPES, row_type,
};
use crate::failure::Failure;
use crate::read::amount::DecimalMark;
use crate::read::date::DateForm;
use crate::read::field::{Cell, Cells, last_four};

/// An amount, in minor units.
pub(super) fn amount(cell: Cell<'_>, exponent: u8) -> Result<i64, Problem> {
    cell.amount(DecimalMark::Dot, exponent)
}

/// A row as it is kept while it is in no settlement. What proves no money is left out where it cannot be kept.
pub(super) fn ledger_entry(
    row: &Cells<'_, '_>,
    number: &str,
    currency: Currency,
    exponent: u8,
    booked_on: Date,
    time: DateTime,
) -> Result<LedgerEntry, Failure> {
    let kind = match row_type(row) {
        Some(RowType::Capture) => LedgerEntryKind::Capture,
        Some(RowType::Refund) => LedgerEntryKind::Refund,
        Some(RowType::Fees) => LedgerEntryKind::Fees,
        Some(RowType::Payout) => LedgerEntryKind::Payout,
        None => LedgerEntryKind::Unknown,
    };
    let is_payment = matches!(kind, LedgerEntryKind::Capture | LedgerEntryKind::Refund);
    let text = |column| row.cell(column).kept_text().unwrap_or_default();
    let bad = |_| Problem::error(Kind::Identifier, "Found an MSN or a payout number that is no id");
    let payout = match kind {
        LedgerEntryKind::Payout => Some(LedgerPayout {
            settlement_id: row.cell(PAYOUT).digits()?.parse().map_err(bad)?,
            paid_on: row.cell(PAID_ON).day(DateForm::Iso)?,
            account: last_four(text(ACCOUNT)),
        }),
        _ => None,
    };
    Ok(LedgerEntry {
        merchant_number: number.parse().map_err(bad)?,
        currency,
        exponent,
        kind,
        provider_kind: text(TYPE).to_owned(),
        time,
        booked_on,
        amount_minor: amount(row.cell(AMOUNT), exponent)?,
        balance_minor: amount(row.cell(BALANCE), exponent)?,
        fee_minor: is_payment.then(|| amount(row.cell(FEE), exponent)).transpose()?.map(i64::saturating_neg),
        transaction_id: match kind {
            // It ends in the number of the payout, and is no card.
            LedgerEntryKind::Payout => row.cell(TRANSACTION).reference()?.to_owned(),
            _ if is_payment => mask_cards(row.cell(TRANSACTION).reference()?).into_owned(),
            _ => mask_cards(text(TRANSACTION)).into_owned(),
        },
        order_reference: mask_cards(text(ORDER)).into_owned(),
        method: mask_cards(text(METHOD)).into_owned(),
        payout,
    })
}

/// Writes entries in their order.
///
/// # Errors
/// When memory runs out; nothing else fails.
pub(super) fn write(entries: &[LedgerEntry]) -> io::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS.iter().take(METHOD + 1).map(|column| column.name))?;
    for entry in entries {
        let money = |minor: i64| MajorUnits::new(minor, entry.exponent).to_string();
        let is_payment = matches!(entry.kind, LedgerEntryKind::Capture | LedgerEntryKind::Refund);
        let fee_minor = entry.fee_minor.filter(|_| is_payment);
        let fee = fee_minor.map(|minor| money(minor.saturating_neg())).unwrap_or_default();
        let net = fee_minor.map(|minor| money(entry.amount_minor.saturating_sub(minor))).unwrap_or_default();
        let payout = entry.payout.as_ref();
        out.write_record([
            entry.merchant_number.as_str(),
            &entry.time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            &entry.booked_on.to_string(),
            word(entry),
            &money(entry.amount_minor),
            &money(entry.balance_minor),
            &fee,
            &net,
            entry.currency.as_str(),
            &entry.transaction_id,
            &entry.order_reference,
            payout.map_or("", |payout| payout.settlement_id.as_str()),
            payout.and_then(|payout| payout.account.as_deref()).unwrap_or_default(),
            &payout.map(|payout| payout.paid_on.to_string()).unwrap_or_default(),
            &entry.method,
        ])?;
    }
    out.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// The word of the portal for what an entry is, in the language that the entry came in.
fn word(entry: &LedgerEntry) -> &str {
    let of = match entry.kind {
        LedgerEntryKind::Capture => RowType::Capture,
        LedgerEntryKind::Refund => RowType::Refund,
        LedgerEntryKind::Fees => RowType::Fees,
        LedgerEntryKind::Payout => RowType::Payout,
        LedgerEntryKind::TransactionFee | LedgerEntryKind::Unknown => return &entry.provider_kind,
    };
    let words = TYPES.iter().filter(|(_, known)| *known == of).map(|(word, _)| *word);
    words.clone().find(|word| *word == entry.provider_kind).or(words.clone().next()).unwrap_or_default()
}

/// The zone of a sales unit's times, which the file does not name: that of the country with its currency. Finland alone
/// has the euro here.
pub(super) fn zone_of(currency: Currency) -> Option<TimeZone> {
    let zone = match currency.as_str() {
        "NOK" => "Europe/Oslo",
        "DKK" => "Europe/Copenhagen",
        "SEK" => "Europe/Stockholm",
        "EUR" => "Europe/Helsinki",
        _ => return None,
    };
    TimeZone::get(zone).ok()
}
