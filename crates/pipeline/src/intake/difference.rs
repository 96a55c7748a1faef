//! What changed between two versions of a settlement, row by row.

use std::collections::BTreeMap;

use settlement::{Kind, LineRecord, MajorUnits, Problem, Settlement};

/// Settlements with more lines than this are told apart by their sums only: both versions are held in memory.
pub const COMPARED_LINES_MAX: u64 = 100_000;

/// So many settlements of one report are told apart by row, the rest by their sums: each reads both reports once.
pub const COMPARED_SETTLEMENTS_MAX: usize = 10;

/// Says what is different in `now` against `before`, as problems with the rows of the new file.
pub fn between(
    before: &Settlement,
    now: &Settlement,
    lines_before: impl Iterator<Item = LineRecord>,
    lines_now: impl Iterator<Item = LineRecord>,
) -> Vec<Problem> {
    let mut problems = vec![totals(before, now)];
    let show = |minor| MajorUnits::new(minor, now.head.exponent);
    let mut old: BTreeMap<Name, LineRecord> = named(lines_before).collect();
    for (name, line) in named(lines_now) {
        let row = u64::try_from(line.line_no).unwrap_or(0);
        let Some(was) = old.remove(&name) else {
            let net = show(line.terms.net_minor().unwrap_or(0));
            let message = format!("{} is new, with net {net}", describe(&line));
            problems.push(Problem::error(Kind::SettlementConflict, message).at_row(row));
            continue;
        };
        let mut changes: Vec<String> = was
            .terms
            .named()
            .iter()
            .zip(line.terms.named())
            .filter(|((_, old), (_, new))| old != new)
            .map(|((term, old), (_, new))| format!("{term} was {} and is {}", show(*old), show(new)))
            .collect();
        if was.order_reference != line.order_reference {
            changes.push(format!(
                "order reference was {:?} and is {:?}",
                was.order_reference.as_deref().unwrap_or(""),
                line.order_reference.as_deref().unwrap_or("")
            ));
        }
        if !changes.is_empty() {
            let message = format!("{}: {}", describe(&line), changes.join(", "));
            problems.push(Problem::error(Kind::SettlementConflict, message).at_row(row));
        }
    }
    for line in old.values() {
        let net = show(line.terms.net_minor().unwrap_or(0));
        let message = format!("{} is missing, it had net {net}", describe(line));
        problems.push(Problem::error(Kind::SettlementConflict, message));
    }
    problems
}

fn totals(before: &Settlement, now: &Settlement) -> Problem {
    let show = |settlement: &Settlement| {
        let payout = settlement.payout_minor.or_else(|| settlement.net_minor());
        let payout = payout.map_or_else(
            || "more than can be counted".to_owned(),
            |minor| MajorUnits::new(minor, settlement.head.exponent).to_string(),
        );
        format!("{} lines and {payout}", settlement.lines)
    };
    let message = format!(
        "Found {} with other content than before: it had {}, it has {}. Look at the differences; \
         `avstem held release` makes this the new version",
        now.name(),
        show(before),
        show(now)
    );
    Problem::error(Kind::SettlementConflict, message)
}

/// Tells two lines of one settlement apart: id or order, kind, and the occurrence among lines alike.
type Name = (String, &'static str, u32);

fn named(lines: impl Iterator<Item = LineRecord>) -> impl Iterator<Item = (Name, LineRecord)> {
    let mut seen: BTreeMap<(String, &'static str), u32> = BTreeMap::new();
    lines.map(move |line| {
        let id = line.provider_transaction_id.clone().or_else(|| line.order_reference.clone()).unwrap_or_default();
        let occurrence = seen.entry((id.clone(), line.kind.as_str())).or_default();
        *occurrence += 1;
        ((id, line.kind.as_str(), *occurrence), line)
    })
}

fn describe(line: &LineRecord) -> String {
    match &line.provider_transaction_id {
        Some(id) => format!("The {} of transaction {id}", line.kind.as_str()),
        None => format!("The {} without transaction id", line.kind.as_str()),
    }
}
