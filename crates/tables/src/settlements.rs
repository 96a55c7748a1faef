//! The `settlement` table of one report.

use std::io::Write;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use settlement::Settlement;

use crate::TableError;
use crate::packing::Packing;
use crate::schema::{SCHEMA_VERSION, SHOWN_PRECISION, SHOWN_SCALE, settlement_schema};
use crate::writer::{TableOwner, days, shown_minor};

/// Writes one row per settlement, with the version that it is, to `output` as Parquet.
///
/// # Errors
/// When the output or Parquet refuses.
pub fn write_settlements(
    output: impl Write + Send,
    owner: &TableOwner,
    versions: &[(u32, &Settlement)],
    packing: Packing,
) -> Result<(), TableError> {
    let schema = settlement_schema();
    let properties = packing.properties()?.build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(output, Arc::clone(&schema), options)?;
    writer.write(&RecordBatch::try_new(schema, columns(owner, versions)?)?)?;
    writer.close()?;
    Ok(())
}

/// The columns in the order of [`settlement_schema`].
fn columns(owner: &TableOwner, versions: &[(u32, &Settlement)]) -> Result<Vec<ArrayRef>, TableError> {
    let rows = versions.len();
    let settlements = || versions.iter().map(|(_, settlement)| *settlement);
    let numbers = versions.iter().map(|(version, _)| i32::try_from(*version).unwrap_or(i32::MAX));
    let same = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; rows])) };
    let text = |value: fn(&Settlement) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(settlements().map(value)))
    };
    let money = |value: fn(&Settlement) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(settlements().map(value)))
    };
    let day = |value: fn(&Settlement) -> Option<Date>| -> ArrayRef {
        Arc::new(Date32Array::from_iter(settlements().map(|settlement| value(settlement).map(days))))
    };
    let exponents = settlements().map(|s| i8::try_from(s.head.exponent).unwrap_or(2));
    let shown = settlements().map(|s| s.payout_minor.map(|minor| shown_minor(minor, s.head.exponent)));
    Ok(vec![
        same(&owner.account_id),
        same(&owner.provider),
        text(|s| Some(s.head.merchant_number.clone())),
        text(|s| Some(s.head.settlement_id.clone())),
        text(|s| Some(s.head.currency.to_string())),
        Arc::new(Int8Array::from_iter_values(exponents)),
        same(&owner.report_id),
        Arc::new(Int32Array::from_iter_values(numbers)),
        Arc::new(BooleanArray::from(vec![true; rows])),
        same(&owner.format),
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
        money(Settlement::net_minor),
        money(|s| s.opening_minor),
        money(|s| s.closing_minor),
        Arc::new(Int64Array::from_iter(settlements().map(|s| s.payout_minor))),
        Arc::new(Decimal128Array::from_iter(shown).with_precision_and_scale(SHOWN_PRECISION, SHOWN_SCALE)?),
        text(|s| s.bank_account.clone()),
        text(|s| s.bank_reference.clone()),
        text(|s| Some(s.hash.map(|hash| hash.to_string()).unwrap_or_default())),
        Arc::new(Int32Array::from_value(SCHEMA_VERSION, rows)),
    ])
}
