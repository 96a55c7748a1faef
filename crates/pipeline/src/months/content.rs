//! What is known of one month, made of what is known of the account. Pure.

use std::collections::BTreeMap;

use documents::{
    Apart, ApartKind, Figures, FiguresOf, InTransit, MonthBridge, MonthContent, MonthPayout, TransitState,
};
use jiff::civil::Date;
use settlement::{Currency, Fees, Month, TermSums, Terms, exponent};
use store::{DayPayout, DaySum};

use super::collect::{Collected, SettlementInForce};
use super::day_behind;
use crate::StepError;

/// A report that is held may be of a month's last payouts when it arrived so many days behind the month.
const HELD_DAYS_BEHIND: i64 = 8;

/// What figures are summed by: provider, what the lines have in common, product, currency.
type FiguresBy<'a> = (&'a str, FiguresOf, Option<&'a str>, Currency);

/// What in transit is summed by: provider, product, currency, state, day of the payout, merchant.
type TransitOf<'a> = (&'a str, Option<&'a str>, Currency, TransitState, Option<Date>, Option<&'a str>);

impl Collected {
    /// What is known of a month.
    pub(super) fn content(&self, month: Month) -> Result<MonthContent, StepError> {
        let mut content = MonthContent {
            figures: self.figures(month)?,
            payouts: self.payouts(month),
            bridge: self.bridge(month)?,
            in_transit: self.in_transit(month)?,
            apart: Vec::new(),
        };
        let apart = [self.held(month), self.not_exact(month), self.unmatched(month)?, self.open_events(month)?];
        let missed = self.open.missed(day_behind(month)).apart()?;
        content.apart = apart.into_iter().flatten().chain(missed).collect();
        Ok(content)
    }

    fn days_of(&self, month: Month) -> impl Iterator<Item = &store::DayItem> {
        self.days.iter().filter(move |(day, _)| Month::of(*day) == month).map(|(_, day)| day)
    }

    fn figures(&self, month: Month) -> Result<Vec<Figures>, StepError> {
        let mut sums: BTreeMap<FiguresBy<'_>, (u64, TermSums, i128)> = BTreeMap::new();
        let paid = self.days_of(month).flat_map(|day| &day.sums).filter(|sum| sum.of.is_paid);
        for DaySum { of, lines, terms } in paid {
            let (figures_of, product) = figures_of(&of.state, &of.payment_product);
            let (count, sum, invoiced) = sums.entry((&of.provider, figures_of, product, of.currency)).or_default();
            *count += lines;
            sum.add(terms);
            if of.fees == Fees::Invoiced {
                *invoiced += i128::from(terms.fee_minor) + i128::from(terms.fee_vat_minor);
            }
        }
        let mut carried: BTreeMap<(&str, Currency), i128> = BTreeMap::new();
        for payout in self.days_of(month).flat_map(|day| &day.payouts) {
            *carried.entry((&payout.provider, payout.currency)).or_default() += carried_by(payout);
        }
        let mut rows = Vec::new();
        for ((provider, figures_of, product, currency), (lines, terms, invoiced)) in sums {
            let sums = terms.terms().ok_or_else(|| too_large(month))?;
            let net = sums.net_minor().map(i128::from).ok_or_else(|| too_large(month))?;
            rows.push(Figures {
                provider: provider.to_owned(),
                of: figures_of,
                payment_product: product.map(str::to_owned),
                currency,
                exponent: exponent(provider, currency),
                lines,
                sums,
                invoiced_minor: narrow(invoiced, month)?,
                carried_minor: 0,
                paid_out_minor: narrow(net + invoiced, month)?,
            });
        }
        for ((provider, currency), carried) in carried.into_iter().filter(|(_, carried)| *carried != 0) {
            let carried_minor = narrow(carried, month)?;
            rows.push(Figures {
                provider: provider.to_owned(),
                of: FiguresOf::Carried,
                payment_product: None,
                currency,
                exponent: exponent(provider, currency),
                lines: 0,
                sums: Terms::default(),
                invoiced_minor: 0,
                carried_minor,
                paid_out_minor: carried_minor,
            });
        }
        rows.sort_by(|a, b| {
            (a.currency, &a.provider, a.of, &a.payment_product).cmp(&(
                b.currency,
                &b.provider,
                b.of,
                &b.payment_product,
            ))
        });
        Ok(rows)
    }

    fn counting(&self, month: Month) -> impl Iterator<Item = &SettlementInForce> {
        self.settlements.iter().filter(move |counting| Month::of(counting.settlement.head.payout_on) == month)
    }

    fn payouts(&self, month: Month) -> Vec<MonthPayout> {
        let exact = self.counting(month).filter(|counting| counting.not_exact.is_none());
        let mut payouts: Vec<MonthPayout> = exact.map(payout).collect();
        payouts.sort_by(|a, b| {
            let place = |payout: &MonthPayout| (payout.payout_on, payout.provider.clone(), payout.currency);
            (place(a), &a.merchant_number, &a.settlement_id).cmp(&(place(b), &b.merchant_number, &b.settlement_id))
        });
        payouts
    }

    fn bridge(&self, month: Month) -> Result<Vec<MonthBridge>, StepError> {
        let mut rows = Vec::new();
        for group in &self.bridges {
            let of = &group.group;
            let last = group.months.last().filter(|row| row.month < month);
            let own = group.months.iter().find(|row| row.month == month);
            // Behind the last month nothing happened, and what was in transit still is.
            let closing = last.map(|row| (row.closing_minor, Terms::default(), 0, row.closing_minor, 0));
            let own = own.map(|row| {
                let invoiced = i128::from(row.invoiced_fee_minor) + i128::from(row.invoiced_fee_vat_minor);
                (row.opening_minor, row.happened, row.paid_out_minor, row.closing_minor, invoiced)
            });
            let Some((opening_minor, happened, paid_out_minor, closing_minor, invoiced)) = own.or(closing) else {
                continue;
            };
            let is_empty = [opening_minor, paid_out_minor, closing_minor] == [0; 3] && happened == Terms::default();
            if is_empty && invoiced == 0 {
                continue;
            }
            rows.push(MonthBridge {
                provider: of.provider.clone(),
                payment_product: of.payment_product.clone(),
                currency: of.currency,
                exponent: exponent(&of.provider, of.currency),
                opening_minor,
                happened,
                paid_out_minor,
                closing_minor,
                invoiced_minor: narrow(invoiced, month)?,
            });
        }
        rows.sort_by(|a, b| {
            (a.currency, &a.provider, &a.payment_product).cmp(&(b.currency, &b.provider, &b.payment_product))
        });
        Ok(rows)
    }

    /// By payout: what had happened by the end of the month and left later, or has not left, less what left before it happened.
    fn in_transit(&self, month: Month) -> Result<Vec<InTransit>, StepError> {
        let mut sums: BTreeMap<TransitOf<'_>, i128> = BTreeMap::new();
        for (day, DaySum { of, terms, .. }) in
            self.days.iter().flat_map(|(day, item)| item.sums.iter().map(move |s| (day, s)))
        {
            let (has_happened, was_paid) = (Month::of(of.month) <= month, of.is_paid && Month::of(*day) <= month);
            let state = match (has_happened, was_paid, of.is_paid) {
                (true, false, true) => TransitState::PaidLater,
                (true, false, false) => TransitState::NotProved,
                (false, true, _) => TransitState::PaidAhead,
                (true, true, _) | (false, false, _) => continue,
            };
            let net = net_of(terms, of.fees);
            let net = if state == TransitState::PaidAhead { -net } else { net };
            let product = of.payment_product.as_deref();
            let name =
                (of.provider.as_str(), product, of.currency, state, Some(*day), Some(of.merchant_number.as_str()));
            *sums.entry(name).or_default() += net;
        }
        for (_, day) in self.days.iter().filter(|(day, _)| Month::of(*day) <= month) {
            for payout in &day.payouts {
                let name = (payout.provider.as_str(), None, payout.currency, TransitState::Balance, None, None);
                *sums.entry(name).or_default() -= carried_by(payout);
            }
        }
        for waits in self.waiting.iter().filter(|waits| Month::of(waits.month) <= month) {
            let product = Some(waits.payment_product.as_str());
            let name = (waits.provider.as_str(), product, waits.currency, TransitState::NotSettled, None, None);
            *sums.entry(name).or_default() += i128::from(waits.capture_minor) + i128::from(waits.refund_minor);
        }
        let mut parts = Vec::new();
        for ((provider, product, currency, state, payout_on, merchant), sum) in
            sums.into_iter().filter(|(_, sum)| *sum != 0)
        {
            parts.push(InTransit {
                provider: provider.to_owned(),
                payment_product: product.map(str::to_owned),
                currency,
                exponent: exponent(provider, currency),
                state,
                payout_on,
                merchant_number: merchant.map(str::to_owned),
                settlements: self.settlements_of(provider, merchant, currency, payout_on),
                amount_minor: narrow(sum, month)?,
            });
        }
        let place = |part: &InTransit| (part.currency, part.state, part.payout_on, part.provider.clone());
        parts.sort_by_key(place);
        Ok(parts)
    }

    /// The settlements of a merchant that are paid out on a day.
    fn settlements_of(
        &self,
        provider: &str,
        merchant: Option<&str>,
        currency: Currency,
        payout_on: Option<Date>,
    ) -> Vec<String> {
        let Some((merchant, payout_on)) = merchant.zip(payout_on) else { return Vec::new() };
        let own = self.settlements.iter().filter(|counting| {
            let key = &counting.key;
            counting.settlement.head.payout_on == payout_on
                && (key.provider.as_str(), key.merchant_number.as_str(), key.currency) == (provider, merchant, currency)
        });
        own.map(|counting| counting.key.settlement_id.to_string()).collect()
    }

    fn held(&self, month: Month) -> Vec<Apart> {
        let until = month.last_day().saturating_add(jiff::Span::new().days(HELD_DAYS_BEHIND));
        let own = self.held.iter().filter(|held| held.arrived_on >= month.first_day() && held.arrived_on <= until);
        let mut found: Vec<Apart> = own
            .map(|held| Apart {
                reference: held.name.clone(),
                day: Some(held.arrived_on),
                state: held.state.clone(),
                count: Some(1),
                ..Apart::of(ApartKind::HeldReport, &held.provider, None)
            })
            .collect();
        found.sort_by(|a, b| (a.day, &a.reference).cmp(&(b.day, &b.reference)));
        found
    }

    fn not_exact(&self, month: Month) -> Vec<Apart> {
        let not_exact = self.counting(month).filter_map(|counting| Some((counting, counting.not_exact?)));
        let mut found: Vec<Apart> = not_exact
            .map(|(counting, why)| Apart {
                reference: counting.key.settlement_id.to_string(),
                merchant_number: Some(counting.key.merchant_number.to_string()),
                day: Some(counting.settlement.head.payout_on),
                state: why.to_owned(),
                count: Some(counting.settlement.lines),
                amount_minor: counting.settlement.sums.net_minor(),
                ..Apart::of(ApartKind::NotExact, &counting.key.provider, Some(counting.key.currency))
            })
            .collect();
        found.sort_by(|a, b| (a.day, &a.reference).cmp(&(b.day, &b.reference)));
        found
    }

    /// Lines that are paid out and have no transaction, by why they have none.
    fn unmatched(&self, month: Month) -> Result<Vec<Apart>, StepError> {
        let mut sums: BTreeMap<(&str, Currency, &str), (u64, i128)> = BTreeMap::new();
        for DaySum { of, lines, terms } in self.days_of(month).flat_map(|day| &day.sums).filter(|sum| sum.of.is_paid) {
            if figures_of(&of.state, &of.payment_product).0 != FiguresOf::Unmatched {
                continue;
            }
            let state = of.state.as_deref().unwrap_or("not_matched");
            let (count, net) = sums.entry((&of.provider, of.currency, state)).or_default();
            *count += lines;
            *net += net_of(terms, of.fees);
        }
        let unmatched = |((provider, currency, state), (count, net)): ((&str, Currency, &str), (u64, i128))| {
            Ok(Apart {
                state: state.to_owned(),
                count: Some(count),
                amount_minor: Some(narrow(net, month)?),
                ..Apart::of(ApartKind::Unmatched, provider, Some(currency))
            })
        };
        sums.into_iter().map(unmatched).collect()
    }

    fn open_events(&self, month: Month) -> Result<Vec<Apart>, StepError> {
        let mut found = Vec::new();
        for events in &self.events {
            let Some(counting) = self.counting(month).find(|counting| counting.key == events.key) else { continue };
            found.push(Apart {
                reference: events.key.settlement_id.to_string(),
                merchant_number: Some(events.key.merchant_number.to_string()),
                day: Some(counting.settlement.head.payout_on),
                state: events.state.to_owned(),
                count: Some(events.count),
                amount_minor: Some(narrow(events.amount, month)?),
                ..Apart::of(ApartKind::Event, &events.key.provider, Some(events.key.currency))
            });
        }
        Ok(found)
    }
}

/// The row of figures that lines with this state and product belong to.
fn figures_of<'a>(state: &Option<String>, product: &'a Option<String>) -> (FiguresOf, Option<&'a str>) {
    match (state.as_deref(), product.as_deref()) {
        (Some("matched") | None, Some(product)) => (FiguresOf::Product, Some(product)),
        (Some("not_a_transaction"), _) => (FiguresOf::NoTransaction, None),
        _ => (FiguresOf::Unmatched, None),
    }
}

fn payout(counting: &SettlementInForce) -> MonthPayout {
    let (key, settlement) = (&counting.key, &counting.settlement);
    MonthPayout {
        payout_on: settlement.head.payout_on,
        provider: key.provider.to_string(),
        merchant_number: key.merchant_number.to_string(),
        settlement_id: key.settlement_id.to_string(),
        version: counting.version,
        bank_reference: settlement.bank_reference.clone(),
        bank_account: settlement.bank_account.clone(),
        currency: key.currency,
        exponent: settlement.head.exponent,
        lines: settlement.lines,
        sums: settlement.sums,
        fees: settlement.fees,
        opening_minor: settlement.opening_minor,
        closing_minor: settlement.closing_minor,
        payout_minor: settlement.payout_minor.unwrap_or(0),
    }
}

/// Net of lines, the fees of which never leave the payout when they are invoiced.
fn net_of(terms: &Terms, fees: Fees) -> i128 {
    let fee = match fees {
        Fees::Invoiced => 0,
        Fees::Deducted | Fees::Unknown => i128::from(terms.fee_minor) + i128::from(terms.fee_vat_minor),
    };
    let rest = [terms.chargeback_minor, terms.reserve_minor, terms.adjustment_minor];
    i128::from(terms.capture_minor) + i128::from(terms.refund_minor) - fee + rest.map(i128::from).iter().sum::<i128>()
}

fn carried_by(payout: &DayPayout) -> i128 {
    i128::from(payout.opening_minor) - i128::from(payout.closing_minor)
}

fn narrow(wide: i128, month: Month) -> Result<i64, StepError> {
    i64::try_from(wide).map_err(|_| too_large(month))
}

fn too_large(month: Month) -> StepError {
    StepError::Refused(format!("A sum of {month} is beyond any amount that is believed"))
}
