//! What a person reads: settlements as a table, problems as lines.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;

use adapters::app::Home;
use pipeline::StepError;
use pipeline::current::notice::NoticeCheck;
use pipeline::posting::post::Posted;
use serde_json::{Value, json};
use settlement::{MajorUnits, Problems, SettleKey, Settlement, Severity, Verdict, exponent, mask_cards};
use store::keys::Key;
use store::{EventState, OutboxItem};

/// Whether words of a state are coloured: only where a person watches.
static COLOURS: OnceLock<bool> = OnceLock::new();

/// Colours words of a state from now on, or never.
pub(crate) fn set_colours(on: bool) {
    // Whoever sets it first decides: a process has one terminal.
    let _ = COLOURS.set(on);
}

/// A verdict in a column of its own, green, red or faint on a terminal.
pub(crate) fn verdict(verdict: Verdict) -> String {
    let word = format!("{verdict:<11}");
    if !COLOURS.get().copied().unwrap_or(false) {
        return word;
    }
    let colour = match verdict {
        Verdict::Accepted => "32",
        Verdict::Duplicate => "2",
        Verdict::Quarantined | Verdict::Rejected => "31",
    };
    format!("\u{1b}[{colour}m{word}\u{1b}[0m")
}

/// An error with its causes, each said once.
pub(crate) fn error(error: &anyhow::Error) -> String {
    let mut said = String::new();
    let mut last = String::new();
    for cause in error.chain().map(ToString::to_string) {
        let is_said = said.contains(&cause) || (!last.is_empty() && cause.contains(&last));
        if !is_said {
            if !said.is_empty() {
                said.push_str(": ");
            }
            said.push_str(&cause);
        }
        last = cause;
    }
    said
}

/// Says which documents were written, folder by folder.
pub(crate) fn documents(out: &mut dyn Write, indent: &str, home: &Home, written: &[Key]) -> io::Result<()> {
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for key in written {
        let key = key.to_string();
        let (folder, name) = key.rsplit_once('/').unwrap_or(("", &key));
        let form = name.split_once('.').map_or(name, |(_, form)| form);
        folders.entry(folder.to_owned()).or_default().push(form.to_owned());
    }
    for (folder, forms) in &folders {
        writeln!(out, "{indent}wrote {} in {}", forms.join(", "), home.place(folder))?;
    }
    Ok(())
}

/// What came of posting, for programs.
pub(crate) fn posted_json(posted: &Result<Posted, StepError>) -> Value {
    let posted = match posted {
        Ok(posted) => posted,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &posted.events {
        *states.entry(event.state.word()).or_default() += 1;
    }
    json!({
        "off": posted.off,
        "events": states,
        "settlements": posted.outboxes.iter().map(|outbox| json!({
            "settlement": outbox.settlement.to_string(),
            "lines_minor": outbox.lines_minor,
            "events_minor": outbox.events_minor,
            "not_postable_minor": outbox.not_postable_minor,
            "unmatched_minor": outbox.unmatched_minor,
            "unmatched_lines": outbox.unmatched_lines,
            "currency": outbox.settlement.currency,
        })).collect::<Vec<_>>(),
        "withheld": posted.withheld.iter().map(|(key, why)| json!({ "settlement": key.to_string(), "why": why }))
            .collect::<Vec<_>>(),
        "not_before": posted.not_before,
    })
}

/// A file name as it may stand in a line for people: without control characters and card numbers.
pub(crate) fn name(path: &Path) -> String {
    text(&path.display().to_string())
}

/// A text of somebody else's, in the same way.
pub(crate) fn text(text: &str) -> String {
    mask_cards(text).chars().flat_map(|c| if c.is_control() { c.escape_debug().collect() } else { vec![c] }).collect()
}

/// Problems shown of one file; the rest are counted.
const SHOWN_MAX: usize = 20;

/// Writes settlements as a table with one line each.
pub(crate) fn settlements(out: &mut dyn Write, indent: &str, settlements: &[Settlement]) -> io::Result<()> {
    if settlements.is_empty() {
        return Ok(());
    }
    const HEADER: [&str; 12] = [
        "merchant",
        "settlement",
        "paid out",
        "lines",
        "capture",
        "refund",
        "fee",
        "fee VAT",
        "other",
        "payout",
        "diff",
        "proof",
    ];
    let rows: Vec<[String; 12]> = settlements.iter().map(row).collect();
    // Names and days to the left, amounts to the right.
    table(out, indent, &HEADER, |column| matches!(column, 0..=2 | 11), &rows)
}

/// Writes rows as a table; the columns that `is_left` says stand to the left.
pub(crate) fn table<const N: usize>(
    out: &mut dyn Write,
    indent: &str,
    header: &[&str; N],
    is_left: impl Fn(usize) -> bool,
    rows: &[[String; N]],
) -> io::Result<()> {
    let header = header.map(str::to_owned);
    let rows = || std::iter::once(&header).chain(rows);
    let width = |column: usize| rows().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows() {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match is_left(column) {
            true => format!("{cell:<width$}"),
            false => format!("{cell:>width$}"),
        });
        writeln!(out, "{indent}{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

fn row(settlement: &Settlement) -> [String; 12] {
    let head = &settlement.head;
    let show = |minor: i64| MajorUnits::new(minor, head.exponent).to_string();
    let sums = &settlement.sums;
    let other = sums.chargeback_minor + sums.reserve_minor + sums.adjustment_minor;
    [
        head.merchant_number.to_string(),
        head.settlement_id.to_string(),
        head.payout_on.to_string(),
        settlement.lines.to_string(),
        show(sums.capture_minor),
        show(sums.refund_minor),
        match settlement.fees {
            settlement::Fees::Invoiced => format!("{} invoiced", show(sums.fee_minor)),
            _ => show(sums.fee_minor),
        },
        show(sums.fee_vat_minor),
        show(other),
        settlement
            .payout_minor
            .map_or_else(|| "not stated".to_owned(), |payout| format!("{} {}", show(payout), head.currency)),
        settlement.difference_minor().map_or_else(|| "-".to_owned(), show),
        settlement.proof.as_str().to_owned(),
    ]
}

/// Says how a settlement stands to its payout notice.
pub(crate) fn notice_check(out: &mut dyn Write, indent: &str, key: &SettleKey, check: &NoticeCheck) -> io::Result<()> {
    let SettleKey { provider, merchant_number, settlement_id, currency, .. } = key;
    match check {
        NoticeCheck::WaitsForNotice => writeln!(
            out,
            "{indent}settlement {settlement_id} waits for its fees and payout: tell them with \
             `avstem notice add {provider} {merchant_number}/{settlement_id} --currency {currency} …`"
        ),
        NoticeCheck::WaitsForList => {
            writeln!(out, "{indent}The notice of settlement {settlement_id} waits for its list of transactions")
        }
        NoticeCheck::Agree(confirmed) => {
            writeln!(out, "{indent}The notice of settlement {settlement_id} agrees with its list of transactions")?;
            settlements(out, "  ", std::slice::from_ref(&confirmed.settlement))
        }
        NoticeCheck::Disagree(found) => {
            writeln!(out, "{indent}Settlement {settlement_id} and its notice are held")?;
            found.iter().try_for_each(|problem| writeln!(out, "{indent}  {}: {}", problem.kind, problem.message))
        }
    }
}

/// Writes problems, each with its place.
pub(crate) fn problems(out: &mut dyn Write, indent: &str, problems: &Problems) -> io::Result<()> {
    for problem in problems.list().iter().take(SHOWN_MAX) {
        let severity = match problem.severity {
            Severity::Error => "",
            Severity::Note => "note: ",
        };
        let place = match (problem.row, &problem.column) {
            (Some(row), Some(column)) => format!("row {row}, column {}: ", column.escape_debug()),
            (Some(row), None) => format!("row {row}: "),
            (None, Some(column)) => format!("column {}: ", column.escape_debug()),
            (None, None) => String::new(),
        };
        writeln!(out, "{indent}{severity}{}: {place}{}", problem.kind, problem.message)?;
    }
    let hidden = problems.list().len().saturating_sub(SHOWN_MAX) as u64 + problems.beyond_limit();
    if hidden > 0 {
        writeln!(out, "{indent}and {hidden} more problems; `avstem check --json` lists up to 1000")?;
    }
    Ok(())
}

/// What Dintero was told of settlements; nothing when there was nothing to tell.
pub(crate) fn posted(out: &mut dyn Write, indent: &str, posted: &Posted) -> io::Result<()> {
    if let Some(off) = &posted.off {
        return writeln!(out, "{indent}nothing was posted to Dintero: {off}");
    }
    for outbox in &posted.outboxes {
        self::outbox(out, indent, outbox)?;
    }
    for (key, why) in &posted.withheld {
        writeln!(out, "{indent}settlement {}: nothing more is sent, {why}", key.settlement_id)?;
    }
    if posted.events.is_empty() {
        return Ok(());
    }
    let words = ["POSTED", "PLANNED", "IN_FLIGHT", "UNKNOWN", "REFUSED", "SUPERSEDED", "HUMAN"];
    let counts = words.map(|word| (posted.count(word), word));
    let told: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    writeln!(out, "{indent}settlement events at Dintero: {}", told.join(", "))?;
    for event in &posted.events {
        let why = match &event.state {
            EventState::Refused { message, .. } => message,
            EventState::Unknown { why, .. } | EventState::Human { why } => why,
            _ => continue,
        };
        writeln!(out, "{indent}  {} {}: {why}", event.state.word(), event.transaction)?;
    }
    if let Some(until) = posted.not_before {
        writeln!(out, "{indent}  the rest is taken up again from {until:.0} on, by `avstem post`")?;
    }
    Ok(())
}

/// The same where Dintero may have been out of reach.
pub(crate) fn posted_or_not(out: &mut dyn Write, indent: &str, posted: &Result<Posted, StepError>) -> io::Result<()> {
    match posted {
        Ok(posted) => self::posted(out, indent, posted),
        Err(error) => writeln!(out, "{indent}not posted to Dintero yet, `avstem post` goes on: {error}"),
    }
}

fn outbox(out: &mut dyn Write, indent: &str, outbox: &OutboxItem) -> io::Result<()> {
    let key = &outbox.settlement;
    let show = |minor| MajorUnits::new(minor, exponent(&key.provider, key.currency));
    writeln!(
        out,
        "{indent}settlement {}: lines {} = events {} + not postable {} + without a transaction {}",
        key.settlement_id,
        show(outbox.lines_minor),
        show(outbox.events_minor),
        show(outbox.not_postable_minor),
        show(outbox.unmatched_minor)
    )?;
    for line in &outbox.unmatched {
        let order = line.order_reference.as_deref().unwrap_or("no order");
        writeln!(out, "{indent}  line {} ({order}, {}): {}", line.line_no, show(line.net_minor), line.why)?;
    }
    let more = outbox.unmatched_lines.saturating_sub(outbox.unmatched.len() as u64);
    if more > 0 {
        writeln!(out, "{indent}  and {more} more lines without a transaction")?;
    }
    for event in &outbox.changed {
        writeln!(
            out,
            "{indent}  {} was told {}, the lines now say {}: set it right by hand, nothing is taken back",
            event.transaction,
            show(event.before_minor),
            show(event.now_minor)
        )?;
    }
    Ok(())
}
