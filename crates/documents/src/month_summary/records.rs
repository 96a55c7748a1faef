//! The summary as one list of flat records, which the CSV for programs and the Parquet table hold.

use settlement::{Currency, MonthRecord};

use super::MonthSummary;
use crate::error::DocumentError;

impl MonthSummary {
    /// The summary as records: `figures` and their `total` by currency, `payout`, `bridge`, `in_transit`, a record for each thing to
    /// clear up, and `difference`. Only `figures` sum to what was paid out, and so do only `payout` records.
    ///
    /// # Errors
    /// When a sum is beyond the range of `i64`.
    pub fn records(&self) -> Result<Vec<MonthRecord>, DocumentError> {
        let content = &self.content;
        let mut records: Vec<MonthRecord> = Vec::new();
        records.extend(content.figures.iter().map(|row| MonthRecord {
            payment_product: row.payment_product.clone(),
            state: Some(row.of.as_str().to_owned()),
            count: Some(row.lines),
            terms: Some(row.sums),
            invoiced_minor: Some(row.invoiced_minor),
            carried_minor: Some(row.carried_minor),
            paid_out_minor: Some(row.paid_out_minor),
            ..of("figures", Some(&row.provider), row.currency, row.exponent)
        }));
        records.extend(content.totals()?.into_iter().map(|total| MonthRecord {
            count: Some(total.payouts),
            terms: Some(total.sums),
            invoiced_minor: Some(total.invoiced_minor),
            opening_minor: Some(total.opening_minor),
            carried_minor: Some(total.carried_minor),
            paid_out_minor: Some(total.paid_out_minor),
            closing_minor: Some(total.closing_minor),
            ..of("total", None, total.currency, total.exponent)
        }));
        records.extend(content.payouts.iter().map(|payout| MonthRecord {
            merchant_number: Some(payout.merchant_number.clone()),
            settlement_id: Some(payout.settlement_id.clone()),
            version: Some(payout.version),
            day: Some(payout.payout_on),
            state: Some(payout.fees.as_str().to_owned()),
            reference: payout.bank_reference.clone(),
            count: Some(payout.lines),
            terms: Some(payout.sums),
            invoiced_minor: Some(payout.invoiced_minor()),
            carried_minor: Some(payout.carried_minor()),
            paid_out_minor: Some(payout.payout_minor),
            ..of("payout", Some(&payout.provider), payout.currency, payout.exponent)
        }));
        records.extend(content.bridge.iter().map(|row| MonthRecord {
            payment_product: row.payment_product.clone(),
            terms: Some(row.happened),
            invoiced_minor: Some(row.invoiced_minor),
            opening_minor: Some(row.opening_minor),
            paid_out_minor: Some(row.paid_out_minor),
            closing_minor: Some(row.closing_minor),
            ..of("bridge", Some(&row.provider), row.currency, row.exponent)
        }));
        records.extend(content.in_transit.iter().map(|part| MonthRecord {
            payment_product: part.payment_product.clone(),
            merchant_number: part.merchant_number.clone(),
            settlement_id: Some(part.settlements.join(", ")).filter(|settlements| !settlements.is_empty()),
            day: part.payout_on,
            state: Some(part.state.as_str().to_owned()),
            amount_minor: Some(part.amount_minor),
            ..of("in_transit", Some(&part.provider), part.currency, part.exponent)
        }));
        records.extend(self.records_apart());
        Ok(records)
    }

    fn records_apart(&self) -> impl Iterator<Item = MonthRecord> {
        let apart = self.content.apart.iter().map(|apart| MonthRecord {
            record: apart.kind.as_str(),
            provider: Some(apart.provider.clone()),
            merchant_number: apart.merchant_number.clone(),
            day: apart.day,
            state: Some(apart.state.clone()),
            reference: Some(apart.reference.clone()),
            currency: apart.currency,
            exponent: apart.currency.map(|_| apart.exponent),
            count: apart.count,
            amount_minor: apart.amount_minor,
            ..MonthRecord::default()
        });
        let differences = self.differences.iter().map(|difference| MonthRecord {
            record: "difference",
            provider: Some(difference.provider.clone()),
            merchant_number: difference.merchant_number.clone(),
            version: difference.version,
            day: difference.day,
            state: Some(format!("{} {}", difference.of.as_str(), difference.term)),
            reference: Some(difference.subject.clone()),
            currency: difference.currency,
            exponent: Some(difference.exponent),
            before_minor: difference.before_minor,
            after_minor: difference.after_minor,
            ..MonthRecord::default()
        });
        apart.chain(differences)
    }
}

fn of(record: &'static str, provider: Option<&str>, currency: Currency, exponent: u8) -> MonthRecord {
    MonthRecord {
        record,
        provider: provider.map(str::to_owned),
        currency: Some(currency),
        exponent: Some(exponent),
        ..MonthRecord::default()
    }
}
