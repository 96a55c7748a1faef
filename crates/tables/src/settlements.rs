//! The `settlement` table: of one report, and of a month of payouts.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use jiff::civil::Date;
use settlement::Settlement;

use crate::calendar::days;
use crate::error::TableError;
use crate::packing::Packing;
use crate::schema::{SCHEMA_VERSION, SETTLEMENT, SHOWN_PRECISION, SHOWN_SCALE};
use crate::stream::TableStream;
use crate::writer::{TableOwner, shown_minor};

/// A version of a settlement.
#[derive(Debug, Clone, Copy)]
pub struct SettlementRow<'a> {
    /// The account, the provider and the report of the settlement.
    pub owner: &'a TableOwner,
    /// Its version, from 1.
    pub version: u32,
    /// Whether this version is in force.
    pub is_current: bool,
    /// The settlement.
    pub settlement: &'a Settlement,
}

/// Writes one row per version of a settlement to `output` as Parquet.
///
/// # Errors
/// When the output or Parquet refuses.
pub fn write_settlements(
    output: impl Write + Send,
    rows: &[SettlementRow<'_>],
    packing: Packing,
) -> Result<(), TableError> {
    let mut table = TableStream::create(output, &SETTLEMENT, packing)?;
    table.write(&RecordBatch::try_new(SETTLEMENT.schema(), columns(rows)?)?)?;
    table.close()?;
    Ok(())
}

/// The columns in the order of [`SETTLEMENT`].
fn columns(rows: &[SettlementRow<'_>]) -> Result<Vec<ArrayRef>, TableError> {
    let settlements = || rows.iter().map(|row| row.settlement);
    let numbers = rows.iter().map(|row| i32::try_from(row.version).unwrap_or(i32::MAX));
    let owned = |value: fn(&TableOwner) -> &String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| value(row.owner))))
    };
    let text = |value: fn(&Settlement) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(settlements().map(value)))
    };
    let money = |value: fn(&Settlement) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(settlements().map(value)))
    };
    let day = |value: fn(&Settlement) -> Option<Date>| -> ArrayRef {
        Arc::new(Date32Array::from_iter(settlements().map(|settlement| value(settlement).map(days))))
    };
    let nets: Option<Vec<i64>> = settlements().map(Settlement::net_minor).collect();
    let nets = nets.ok_or(TableError::Amount)?;
    let exponents = settlements().map(|s| i8::try_from(s.head.exponent).unwrap_or(2));
    let shown = settlements().map(|s| s.payout_minor.map(|minor| shown_minor(minor, s.head.exponent)));
    Ok(vec![
        owned(|owner| &owner.account_id),
        owned(|owner| &owner.provider),
        text(|s| Some(s.head.merchant_number.to_string())),
        text(|s| Some(s.head.settlement_id.to_string())),
        text(|s| Some(s.head.currency.to_string())),
        Arc::new(Int8Array::from_iter_values(exponents)),
        owned(|owner| &owner.report_id),
        Arc::new(Int32Array::from_iter_values(numbers)),
        Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.is_current)))),
        owned(|owner| &owner.format),
        text(|s| Some(s.proof.as_str().to_owned())),
        text(|s| Some(s.fees.as_str().to_owned())),
        day(|s| s.period_from),
        day(|s| s.period_to),
        day(|s| Some(s.head.payout_on)),
        money(|s| i64::try_from(s.lines).unwrap_or(i64::MAX)),
        money(|s| s.sums.capture_minor),
        money(|s| s.sums.refund_minor),
        money(|s| s.sums.fee_minor),
        money(|s| s.sums.fee_vat_minor),
        money(|s| s.sums.chargeback_minor),
        money(|s| s.sums.reserve_minor),
        money(|s| s.sums.adjustment_minor),
        Arc::new(Int64Array::from_iter_values(nets)),
        money(|s| s.opening_minor),
        money(|s| s.closing_minor),
        Arc::new(Int64Array::from_iter(settlements().map(|s| s.payout_minor))),
        Arc::new(Decimal128Array::from_iter(shown).with_precision_and_scale(SHOWN_PRECISION, SHOWN_SCALE)?),
        text(|s| s.bank_account.clone()),
        text(|s| s.bank_reference.clone()),
        text(|s| Some(s.hash.map(|hash| hash.to_string()).unwrap_or_default())),
        Arc::new(Int32Array::from_value(SCHEMA_VERSION, rows.len())),
    ])
}

#[cfg(test)]
mod tests {
    use settlement::{SettlementHead, Terms};

    use super::*;

    #[test]
    fn a_net_beyond_i64_is_refused_and_never_zero() {
        let owner = TableOwner {
            account_id: "T00000001".into(),
            provider: "vipps".into(),
            format: "vipps-portal-csv".into(),
            report_id: "07".repeat(32),
            zone: "Europe/Oslo".into(),
        };
        let head = SettlementHead {
            merchant_number: "123456".parse().unwrap(),
            settlement_id: "2000461".parse().unwrap(),
            currency: settlement::Currency::NOK,
            exponent: 2,
            payout_on: jiff::civil::date(2026, 10, 5),
        };
        let write = |fee_minor: i64| {
            let sums = Terms { capture_minor: i64::MAX, fee_minor, ..Terms::default() };
            let settlement = Settlement { sums, ..Settlement::new(head.clone()) };
            let row = SettlementRow { owner: &owner, version: 1, is_current: true, settlement: &settlement };
            write_settlements(Vec::new(), &[row], Packing::None)
        };
        assert!(write(1).is_ok());
        assert!(matches!(write(-1), Err(TableError::Amount)));
    }
}
