//! The small tables: settlements and fees by month of payout, and the bridge of all months.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use matching::GroupBridge;
use settlement::{Month, TermSums, exponent};
use store::keys::Key;
use store::{Expect, ObjectMeta, Place, PortErrorKind};
use tables::{FEE_SUMMARY, FeeSummaryRow, MONTH_BRIDGE, MonthBridgeRow, SETTLEMENT, SettlementRow, Table};
use tempfile::NamedTempFile;

use super::bridge;
use super::files::{Replaced, replace};
use super::versions::Version;
use super::{Before, Builder, Pass};
use crate::StepError;
use store::{BuiltItem, DayItem, DaySum};

/// The tables of one object a month that come with the days of the month.
pub(super) const TABLES: [&Table; 2] = [&SETTLEMENT, &FEE_SUMMARY];

impl Builder<'_> {
    /// Makes the small tables of the months that days were made of, and the bridge, which any day may change in all months.
    pub(super) async fn build_months(
        &mut self,
        months: &BTreeSet<Month>,
        versions: &[Version],
        before: &Before,
    ) -> Result<Pass, StepError> {
        let days = bridge::days(self.ports, &self.command.account).await?;
        let (account, packing) = (&self.command.account.clone(), self.ports.packing);
        for month in months {
            let [settlements, fees] = TABLES.map(|table| self.month_key(table.name, *month));
            let own: Vec<&Version> = versions.iter().filter(|v| Month::of(v.payout_on()) == *month).collect();
            if own.is_empty() && !before.objects.contains_key(&settlements) {
                continue;
            }
            let file = NamedTempFile::new_in(&self.command.scratch)?;
            let rows: Vec<SettlementRow<'_>> = own.iter().map(|version| version.row()).collect();
            tables::write_settlements(file.reopen()?, &rows, packing)?;
            if self.put(&settlements, &file, before.objects.get(&settlements)).await? == Pass::Overtaken {
                return Ok(Pass::Overtaken);
            }
            let file = NamedTempFile::new_in(&self.command.scratch)?;
            tables::write_fee_summary(file.reopen()?, account, &fee_rows(*month, &days)?, packing)?;
            if self.put(&fees, &file, before.objects.get(&fees)).await? == Pass::Overtaken {
                return Ok(Pass::Overtaken);
            }
        }
        self.build_bridge().await
    }

    async fn build_bridge(&mut self) -> Result<Pass, StepError> {
        let (ports, account) = (self.ports, &self.command.account.clone());
        let place = Place::lake_built(account);
        let (mut built, revision) = match place.read::<BuiltItem>(&*ports.state).await? {
            Some((built, revision)) => (built, Some(revision)),
            None => (BuiltItem::default(), None),
        };
        // The months have to be known before their objects are listed, and the objects are read after that.
        let (first, _) = bridge::bridge(ports, account, &bridge::days(ports, account).await?).await?;
        let mut months = built.bridge_months.clone();
        months.extend(first.iter().flat_map(|groups| months_of(groups)));
        let mut before = BTreeMap::new();
        for month in &months {
            let key = self.month_key(MONTH_BRIDGE.name, Month::of(*month));
            before.insert(*month, ports.objects.head(&key).await?);
        }
        let (bridge, matching) = bridge::bridge(ports, account, &bridge::days(ports, account).await?).await?;
        built.matching = matching;
        match bridge {
            Err(error) => self.built.no_bridge = Some(error),
            Ok(groups) => {
                self.built.no_bridge = None;
                if months_of(&groups).any(|month| !months.contains(&month)) {
                    return Ok(Pass::Overtaken);
                }
                for (month, before) in before {
                    let key = self.month_key(MONTH_BRIDGE.name, Month::of(month));
                    let file = NamedTempFile::new_in(&self.command.scratch)?;
                    let rows = bridge_rows(Month::of(month), &groups);
                    tables::write_bridge(file.reopen()?, account, &rows, ports.packing)?;
                    if self.put(&key, &file, before.as_ref()).await? == Pass::Overtaken {
                        return Ok(Pass::Overtaken);
                    }
                }
                built.bridge_months = months;
            }
        }
        let expect = revision.map_or(Expect::Absent, Expect::Revision);
        match ports.state.put_if(&place.put(&built, expect)?).await {
            Err(error) if error.kind == PortErrorKind::Conflict => Ok(Pass::Overtaken),
            written => Ok(written.map(|()| Pass::Done)?),
        }
    }

    /// Puts a view in place of what was seen before.
    pub(super) async fn put(
        &mut self,
        key: &Key,
        file: &NamedTempFile,
        before: Option<&ObjectMeta>,
    ) -> Result<Pass, StepError> {
        match replace(self.ports, key, file, before, &self.command.scratch).await? {
            Replaced::Overtaken => return Ok(Pass::Overtaken),
            Replaced::Same(_) => {}
            Replaced::Put(_) => self.built.objects += 1,
        }
        Ok(Pass::Done)
    }
}

fn months_of(groups: &[GroupBridge]) -> impl Iterator<Item = Date> {
    groups.iter().flat_map(|group| &group.months).map(|row| row.month.first_day())
}

fn fee_rows(month: Month, days: &[(Date, DayItem)]) -> Result<Vec<FeeSummaryRow>, StepError> {
    let mut sums: BTreeMap<_, (u64, TermSums)> = BTreeMap::new();
    let own = days.iter().filter(|(day, _)| Month::of(*day) == month);
    for DaySum { of, lines, terms } in own.flat_map(|(_, day)| &day.sums) {
        let group = (&of.provider, &of.merchant_number, &of.payment_product, of.currency, of.fees);
        let sum = sums.entry(group).or_default();
        sum.0 += lines;
        sum.1.add(terms);
    }
    let row = |((provider, merchant_number, payment_product, currency, fees), (lines, terms)): (_, (u64, TermSums))| {
        let (provider, merchant_number, payment_product): (&String, &String, &Option<String>) =
            (provider, merchant_number, payment_product);
        Some(FeeSummaryRow {
            accounting_month: month.to_string(),
            exponent: exponent(provider, currency),
            provider: provider.clone(),
            merchant_number: merchant_number.clone(),
            payment_product: payment_product.clone(),
            currency,
            fees,
            lines,
            terms: terms.terms()?,
        })
    };
    let rows: Option<Vec<FeeSummaryRow>> = sums.into_iter().map(row).collect();
    rows.ok_or_else(|| StepError::Refused(format!("A sum of {month} is beyond any amount that is believed")))
}

fn bridge_rows(month: Month, groups: &[GroupBridge]) -> Vec<MonthBridgeRow<'_>> {
    let rows = groups.iter().flat_map(|group| group.months.iter().map(move |row| (&group.group, row)));
    rows.filter(|(_, row)| row.month == month)
        .map(|(group, row)| MonthBridgeRow {
            provider: &group.provider,
            payment_product: group.payment_product.as_deref(),
            currency: group.currency,
            exponent: exponent(&group.provider, group.currency),
            figures: row,
        })
        .collect()
}
