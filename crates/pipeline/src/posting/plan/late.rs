//! Lines that had no transaction when the same version of their settlement was planned before.

use std::collections::BTreeMap;

use settlement::{LineRecord, MajorUnits, SettleKey, exponent};
use store::{ChangedEvent, EventState, OutboxItem, PlannedEvent, UnmatchedLine, event_id};

use super::{LineIs, counted, event_of, first_state};
use crate::StepError;

/// The lines that an outbox lists without a transaction, as they are matched now.
#[derive(Default)]
pub(super) struct LateLines(BTreeMap<Name, Listed>);

/// Number, order and net amount of a line. Lines may share a number, as in XML without line ends.
type Name = (i64, Option<String>, i64);

/// The lines of one name.
#[derive(Default)]
struct Listed {
    /// Those that the outbox lists.
    before: Vec<UnmatchedLine>,
    /// Those of the settlement, at most one more than are listed.
    now: Vec<LateLine>,
}

struct LateLine {
    /// Net amount in minor units.
    net: i128,
    /// Capture, refund and fee in minor units.
    money: [i128; 3],
    is: LineIs,
}

impl LateLines {
    /// Waits for the lines that an outbox lists.
    pub(super) fn of(outbox: &OutboxItem) -> Self {
        let mut lines: BTreeMap<Name, Listed> = BTreeMap::new();
        for line in &outbox.unmatched {
            let name = (line.line_no, line.order_reference.clone(), line.net_minor);
            lines.entry(name).or_default().before.push(line.clone());
        }
        LateLines(lines)
    }

    /// Keeps a line when it is listed.
    pub(super) fn add(&mut self, line: &LineRecord, net: i128, money: [i128; 3], is: &LineIs) {
        if self.0.is_empty() {
            return;
        }
        let Ok(net_minor) = i64::try_from(net) else { return };
        if let Some(Listed { before, now }) = self.0.get_mut(&(line.line_no, line.order_reference.clone(), net_minor))
            && now.len() <= before.len()
        {
            now.push(LateLine { net, money, is: is.clone() });
        }
    }

    /// Plans the lines that have a transaction now. Gives the new events and the outbox, which does not list their
    /// batches yet. Amounts are in minor units.
    ///
    /// The events that `outbox` lists stay as they are, and so do the lines that they sum: no line is counted twice.
    /// - A transaction without an event gets one. It is to be sent when all lines of the transaction had none before;
    ///   otherwise some of them are part of another event, and a person decides.
    /// - A transaction with an event, sent or not, is listed as changed, with the late lines added to its amount: a person
    ///   sets it right at Dintero.
    /// - A line that is nothing to Dintero now is counted as not postable, and any other is listed again.
    ///
    /// Only lines that the outbox lists are planned. Where it counts more lines than it lists, the others stay counted as
    /// unmatched; so are those that share number, order and amount with lines that it does not list.
    ///
    /// # Errors
    /// When a sum is beyond counting.
    pub(super) fn plan<'a>(
        self,
        key: &SettleKey,
        outbox: &OutboxItem,
        planned: impl Iterator<Item = &'a PlannedEvent>,
        lines_of: impl Fn(&str) -> u64,
    ) -> Result<(Vec<PlannedEvent>, OutboxItem), StepError> {
        let mut item = OutboxItem { unmatched: Vec::new(), ..outbox.clone() };
        let [mut events_minor, mut not_postable, mut unmatched] =
            [outbox.events_minor, outbox.not_postable_minor, outbox.unmatched_minor].map(i128::from);
        let mut late: BTreeMap<String, (u64, [i128; 3])> = BTreeMap::new();
        for Listed { before, now } in self.0.into_values() {
            if before.len() != now.len() {
                item.unmatched.extend(before);
                continue;
            }
            for (line, LateLine { net, money, is }) in before.into_iter().zip(now) {
                let postable = match is {
                    LineIs::Unmatched(why) => {
                        item.unmatched.push(UnmatchedLine { why, ..line });
                        continue;
                    }
                    LineIs::Nothing => 0,
                    LineIs::Event(transaction) => {
                        let (lines, sums) = late.entry(transaction).or_default();
                        *lines += 1;
                        sums.iter_mut().zip(money).for_each(|(sum, minor)| *sum += minor);
                        let [capture, refund, fee] = money;
                        capture - refund - fee
                    }
                };
                item.unmatched_lines = item.unmatched_lines.saturating_sub(1);
                unmatched -= net;
                events_minor += postable;
                not_postable += net - postable;
            }
        }
        item.events_minor = counted(events_minor)?;
        item.not_postable_minor = counted(not_postable)?;
        item.unmatched_minor = counted(unmatched)?;
        let planned = planned.filter(|event| event.state != EventState::Superseded);
        let planned: BTreeMap<&str, &PlannedEvent> = planned.map(|event| (event.id.as_str(), event)).collect();
        let mut events = Vec::new();
        for (transaction, (lines, sums)) in late {
            let event = event_of(key, sums)?;
            let more = event.amount_minor;
            if let Some(changed) = item.changed.iter_mut().find(|changed| changed.transaction == transaction) {
                changed.now_minor = counted(i128::from(changed.now_minor) + i128::from(more))?;
                continue;
            }
            let id = event_id(key, &transaction, None);
            if let Some(planned) = planned.get(id.as_str()) {
                let before_minor = planned.event.amount_minor;
                let now_minor = counted(i128::from(before_minor) + i128::from(more))?;
                item.changed.push(ChangedEvent { transaction, before_minor, now_minor });
                continue;
            }
            let state = if lines == lines_of(&transaction) {
                first_state(key, &event)
            } else {
                let more = MajorUnits::new(more, exponent(&key.provider, key.currency));
                let why = format!(
                    "some of its lines are part of another transaction's event already; the others come to {more}"
                );
                EventState::Human { why }
            };
            events.push(PlannedEvent { id, transaction, event, lines, state });
        }
        Ok((events, item))
    }
}

#[cfg(test)]
mod tests;
