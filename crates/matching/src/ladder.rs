//! Matching one line: the ladder of keys from the top, until the line is one capture or refund or has a reason why not.

use settlement::{Currency, LineKind, LineRecord, TransactionEventKind, TransactionStatus};

use crate::index::{Facts, Hit, Index};
use crate::keys::{Against, LineField, ProviderKeys, Rung, Weight, keys_of};
use crate::seen::{Seen, SettlementNumber};
use crate::state::{Forbidden, MatchState, Matched, Nearest, Nearness, Unclear};

/// A value that more transactions than this have names none of them, and they are not searched.
const HITS_MAX: usize = 256;

/// No more candidates than this are named to a person.
const NAMED_MAX: usize = 5;

/// Matches a line of `provider` and records in `seen` the capture or refund that it is.
///
/// The caller passes lines settlement by settlement in the order of payouts, and the lines of a settlement in the order
/// of its rows: the first line of a capture or refund takes it, and a later line of the same one is a duplicate. A
/// capture and its refunds may share every id, so that the amount decides which event a line is. Each event is one
/// line. A line costs a few searches in the index, however many lines came before.
pub fn match_line(index: &Index, provider: &str, line: &LineRecord, seen: &mut Seen) -> MatchState {
    let (kind, amount_minor) = match wanted(line) {
        Ok(wanted) => wanted,
        Err(state) => return state,
    };
    let Some(keys) = keys_of(provider) else { return MatchState::NeedsAPerson(Unclear::UnknownProvider) };
    let settlement = seen.settlement(provider, line);
    let duplicate = seen.note_line(provider, line, settlement);
    let search = Search { index, seen, provider, keys, line, kind, amount_minor, settlement };
    let found = match duplicate {
        // Its event is taken. A search as for a new line could give it another event of the same amount.
        Some(first) => Found::State(search.duplicate(first, &search.climb())),
        None => search.climb(),
    };
    match found {
        Found::Event { transaction_id, position, by, place, number } => {
            seen.take(provider, line, settlement, position, place);
            MatchState::Matched(Matched { transaction_id, position, by, kind, event: number })
        }
        Found::State(state) => state,
    }
}

/// Capture or refund, and its amount in minor units above zero; or the state of a line that is neither.
fn wanted(line: &LineRecord) -> Result<(TransactionEventKind, i64), MatchState> {
    match line.kind {
        LineKind::Unknown => Err(MatchState::NeedsAPerson(Unclear::UnknownKind)),
        LineKind::Sale | LineKind::Refund if line.terms.capture_minor != 0 && line.terms.refund_minor != 0 => {
            Err(MatchState::NeedsAPerson(Unclear::CaptureAndRefund))
        }
        LineKind::Sale => Ok((TransactionEventKind::Capture, line.terms.capture_minor)),
        LineKind::Refund => Ok((TransactionEventKind::Refund, line.terms.refund_minor.saturating_neg())),
        kind => Err(MatchState::NotATransaction(kind)),
    }
}

/// The search for one line.
struct Search<'a> {
    index: &'a Index,
    seen: &'a Seen,
    provider: &'a str,
    keys: &'static ProviderKeys,
    line: &'a LineRecord,
    kind: TransactionEventKind,
    amount_minor: i64,
    settlement: SettlementNumber,
}

/// The result of a search.
enum Found {
    Event { transaction_id: String, position: u32, by: Rung, place: u32, number: u32 },
    State(MatchState),
}

/// How a transaction fits the line.
#[derive(Clone, Copy)]
enum Fit {
    /// This event is free and of the line's amount.
    Event {
        place: u32,
        number: u32,
    },
    /// The event of the line's amount is taken by a line of this settlement.
    Taken(SettlementNumber),
    Amount(Option<i64>),
    Forbidden(Forbidden),
    Currency(Currency),
}

impl Fit {
    /// The order in which failures are reported: the most telling first, then the nearest amount.
    fn rank(&self, amount_minor: i64) -> (u8, u64) {
        match self {
            Fit::Event { .. } => (0, 0),
            Fit::Taken(_) => (1, 0),
            Fit::Amount(known) => (2, known.map_or(u64::MAX, |known| known.abs_diff(amount_minor))),
            Fit::Forbidden(_) => (3, 0),
            Fit::Currency(_) => (4, 0),
        }
    }
}

impl Search<'_> {
    fn climb(&self) -> Found {
        let mut failed = None;
        let mut aside = None;
        for rung in self.keys.ladder() {
            let Some(text) = rung.line.of(self.line) else { continue };
            let hits = match self.hits(rung, text) {
                Ok(hits) => hits,
                Err(times) => {
                    let unclear = Unclear::KeyTellsNothing { by: rung, times };
                    failed.get_or_insert(MatchState::NeedsAPerson(unclear));
                    continue;
                }
            };
            let (own, others): (Vec<Hit>, Vec<Hit>) = hits.into_iter().partition(|hit| self.elsewhere(hit).is_none());
            if aside.is_none() {
                aside = self.aside(&others);
            }
            match self.judge(rung, &own) {
                None => {}
                Some(Found::State(state)) if rung.weight == Weight::Refers && !needs_a_person(&state) => {
                    failed.get_or_insert(state);
                }
                Some(found) => return found,
            }
        }
        let state = failed.unwrap_or_else(|| match aside {
            Some(nearest) => MatchState::TransactionUnknown { nearest: Some(nearest) },
            None => self.unknown(),
        });
        Found::State(state)
    }

    /// The transactions with a value, each once; their number when they are too many.
    fn hits(&self, rung: Rung, text: &str) -> Result<Vec<Hit>, usize> {
        if let Against::EarlierLine(field) = rung.against {
            let transaction = self.seen.earlier(self.provider, self.line, field, text);
            return Ok(transaction.map(|transaction| Hit { transaction, event: None }).into_iter().collect());
        }
        let found = self.index.find(rung.against, text);
        if found.len() > HITS_MAX {
            return Err(found.len());
        }
        // Only a value that names one payment names one event of it. Many events may have a value of the merchant's
        // own.
        let found = found.map(|hit| Hit { event: hit.event.filter(|_| rung.weight == Weight::NamesOne), ..hit });
        let mut hits: Vec<Hit> = found.collect();
        hits.dedup();
        Ok(hits)
    }

    /// Why a transaction cannot be in this provider's settlements under this merchant number.
    fn elsewhere(&self, hit: &Hit) -> Option<Nearness> {
        let (product, _) = self.index.payment_product(hit.transaction)?;
        if !self.keys.provider.pays(product) {
            return Some(Nearness::OtherProduct);
        }
        let number = self.index.merchant_number(self.index.facts(hit.transaction)?)?;
        let ours = self.keys.merchant_number.is_none() || number == self.line.merchant_number;
        (!ours).then_some(Nearness::OtherMerchantNumber)
    }

    /// The result of all transactions that have one value; `None` when there is none.
    fn judge(&self, rung: Rung, hits: &[Hit]) -> Option<Found> {
        let fits = hits.iter().filter_map(|hit| Some((self.index.facts(hit.transaction)?, *hit)));
        let mut judged: Vec<(&Facts, u32, Fit)> =
            fits.map(|(facts, hit)| (facts, hit.transaction, self.fit(facts, hit))).collect();
        judged.sort_by(|(one, _, first), (other, _, second)| {
            (first.rank(self.amount_minor), &one.id).cmp(&(second.rank(self.amount_minor), &other.id))
        });
        let mut fitting: Vec<(&Facts, u32)> = judged
            .iter()
            .filter(|(_, _, fit)| matches!(fit, Fit::Event { .. }))
            .map(|(facts, position, _)| (*facts, *position))
            .collect();
        fitting.dedup_by_key(|(_, position)| *position);
        if fitting.len() > 1 {
            let transaction_ids = fitting.iter().take(NAMED_MAX).map(|(facts, _)| facts.id.to_string()).collect();
            let unclear = Unclear::SeveralTransactions { by: rung, transaction_ids };
            return Some(Found::State(MatchState::NeedsAPerson(unclear)));
        }
        let (facts, position, fit) = judged.into_iter().next()?;
        Some(match fit {
            Fit::Event { place, number } => {
                Found::Event { transaction_id: facts.id.to_string(), position, by: rung, place, number }
            }
            fit => Found::State(self.failure(rung, facts, fit)),
        })
    }

    /// How a transaction fits the line.
    fn fit(&self, facts: &Facts, hit: Hit) -> Fit {
        if facts.currency != self.line.currency {
            return Fit::Currency(facts.currency);
        }
        match facts.status {
            TransactionStatus::AuthorizationVoided => return Fit::Forbidden(Forbidden::Voided),
            status @ (TransactionStatus::Declined | TransactionStatus::Failed) => {
                return Fit::Forbidden(Forbidden::NotCaptured(status));
            }
            _ => {}
        }
        let events = self.index.events(hit.transaction).filter(|(_, event)| event.kind == self.kind);
        // The value may name the capture that a refund belongs to. It then names the transaction and no event.
        let named = events.clone().find(|(_, event)| hit.event == Some(event.number));
        if let Some((_, event)) = named.filter(|(_, event)| event.amount_minor != Some(self.amount_minor)) {
            return Fit::Amount(event.amount_minor);
        }
        let of_amount = events.clone().filter(|(_, event)| event.amount_minor == Some(self.amount_minor));
        // A named event is the line's even when it is taken. Any other event of the amount would be a guess.
        let candidates = named.into_iter().chain(of_amount.filter(|_| named.is_none()));
        let free = candidates.clone().find(|(place, _)| self.seen.taken_by(*place).is_none());
        if let Some((place, event)) = free {
            let beyond = self.refunded_more_than_captured(hit.transaction);
            return beyond.map_or(Fit::Event { place, number: event.number }, Fit::Forbidden);
        }
        let takers = candidates.filter_map(|(place, _)| self.seen.taken_by(place));
        match takers.min_by_key(|taker| (*taker == self.settlement, *taker)) {
            Some(taker) if taker == self.settlement => return Fit::Forbidden(Forbidden::MoreLinesThanEvents),
            Some(taker) => return Fit::Taken(taker),
            None => {}
        }
        if let Some(beyond) = self.refunded_more_than_captured(hit.transaction) {
            return Fit::Forbidden(beyond);
        }
        let known = events.clone().filter_map(|(_, event)| event.amount_minor);
        match events.clone().next() {
            Some(_) => Fit::Amount(known.min_by_key(|known| (known.abs_diff(self.amount_minor), *known))),
            None if self.kind == TransactionEventKind::Refund => Fit::Forbidden(Forbidden::NotRefunded(facts.status)),
            None => Fit::Forbidden(Forbidden::NotCaptured(facts.status)),
        }
    }

    /// Whether this refund and those that are in settlements already exceed the captured sum.
    fn refunded_more_than_captured(&self, transaction: u32) -> Option<Forbidden> {
        if self.kind != TransactionEventKind::Refund {
            return None;
        }
        let (mut captured, mut refunded) = (0_i64, self.amount_minor);
        for (place, event) in self.index.events(transaction) {
            match event.kind {
                // A capture of unknown amount is no limit.
                TransactionEventKind::Capture => captured = captured.saturating_add(event.amount_minor?),
                _ if self.seen.taken_by(place).is_some() => {
                    refunded = refunded.saturating_add(event.amount_minor.unwrap_or(0));
                }
                _ => {}
            }
        }
        let currency = self.line.currency;
        let beyond =
            Forbidden::RefundedMoreThanCaptured { refunded_minor: refunded, captured_minor: captured, currency };
        (refunded > captured).then_some(beyond)
    }

    fn failure(&self, by: Rung, facts: &Facts, fit: Fit) -> MatchState {
        let transaction_id = facts.id.to_string();
        match fit {
            Fit::Taken(settlement) => match self.seen.name(settlement) {
                Some(first) => MatchState::DuplicateAcrossSettlements {
                    first: first.clone(),
                    transaction_id: Some(transaction_id),
                },
                None => self.unknown(),
            },
            Fit::Amount(expected_minor) => MatchState::AmountDiffers {
                transaction_id,
                by,
                kind: self.kind,
                found_minor: self.amount_minor,
                expected_minor,
                currency: self.line.currency,
            },
            Fit::Forbidden(why) => MatchState::StatusForbids { transaction_id, by, why },
            Fit::Currency(expected) => {
                MatchState::CurrencyDiffers { transaction_id, by, found: self.line.currency, expected }
            }
            Fit::Event { .. } => self.unknown(),
        }
    }

    /// The state of a line whose own id is in an earlier settlement.
    fn duplicate(&self, first: SettlementNumber, found: &Found) -> MatchState {
        let Some(first) = self.seen.name(first).cloned() else { return self.unknown() };
        let transaction_id = match found {
            Found::Event { transaction_id, .. } => Some(transaction_id.clone()),
            Found::State(state) => state.transaction_id().map(str::to_owned),
        };
        MatchState::DuplicateAcrossSettlements { first, transaction_id }
    }

    /// The one transaction whose money fits among those that have the value and cannot be in this settlement.
    fn aside(&self, others: &[Hit]) -> Option<Nearest> {
        let mut fitting = others.iter().filter_map(|hit| {
            let facts = self.index.facts(hit.transaction)?;
            matches!(self.fit(facts, *hit), Fit::Event { .. }).then_some((facts, self.elsewhere(hit)?))
        });
        let (facts, nearness) = fitting.next()?;
        let alone = fitting.next().is_none();
        alone.then(|| Nearest { transaction_id: facts.id.to_string(), nearness })
    }

    /// The state of a line that no key leads to a transaction for, with a transaction whose reference is alike.
    fn unknown(&self) -> MatchState {
        let text = LineField::OrderReference.of(self.line).unwrap_or("");
        let nearness = [Nearness::SameLetters, Nearness::SameNumber];
        let nearest = self.index.alike(text).into_iter().zip(nearness).find_map(|(hits, nearness)| {
            // Among more than a few, naming one would be a guess.
            let few = hits.len() <= HITS_MAX;
            let own = hits.take(HITS_MAX).filter(|hit| few && self.elsewhere(hit).is_none());
            let facts: Vec<(Hit, &Facts)> =
                own.filter_map(|hit| Some((hit, self.index.facts(hit.transaction)?))).collect();
            let fits = |(hit, facts): &&(Hit, &Facts)| matches!(self.fit(facts, *hit), Fit::Event { .. });
            let fitting: Vec<&(Hit, &Facts)> = facts.iter().filter(fits).collect();
            let one = match (fitting.as_slice(), facts.as_slice()) {
                ([(_, one)], _) | ([], [(_, one)]) => one,
                _ => return None,
            };
            Some(Nearest { transaction_id: one.id.to_string(), nearness })
        });
        MatchState::TransactionUnknown { nearest }
    }
}

fn needs_a_person(state: &MatchState) -> bool {
    matches!(state, MatchState::NeedsAPerson(_))
}

#[cfg(test)]
mod tests;
