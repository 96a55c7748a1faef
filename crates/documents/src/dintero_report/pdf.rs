//! A specification on paper: who pays whom how much, every line, and the check that the lines add up.

use std::io::Write;

use jiff::civil::date;
use settlement::{LineKind, LineRecord, Terms};
use sha2::{Digest, Sha256};

use super::DinteroReport;
use super::statement::{part_name, partings, source_row};
use crate::deviation::NAMED_MAX;
use crate::error::DocumentError;
use crate::labels::filled;
use crate::page::{Grid, GridColumn, Ink, LEFT, Pages, Paper, RIGHT, Tone};
use crate::term::{NET, TERMS, Term};
use crate::value::Value;

const SIZE: i32 = 720;
const FACT_SIZE: i32 = 850;
const FACT_LEADING: i32 = 1_300;
/// Positions of the values beside their labels, and of the calculation.
const VALUES_AT: i32 = LEFT + 13_500;
const BALANCE_AT: i32 = 49_000;
/// Narrower columns of amounts are hard to read.
const AMOUNT_WIDTH_WANTED: i32 = 4_200;
/// About how many lines fit on a page.
const LINES_OF_PAGE: u64 = 45;
/// A longer text gets no more room on the page and is wrapped.
const CHARS_MAX: usize = 40;
/// Room for the name of a part.
const PART_CHARS: usize = 24;

pub(super) fn write(
    report: &DinteroReport<'_>,
    lines: impl Iterator<Item = Result<LineRecord, DocumentError>>,
    out: &mut dyn Write,
) -> Result<(), DocumentError> {
    let labels = report.language.labels();
    let title = report.title();
    let shown = |value: &Value| show(report, value);
    let id = Sha256::digest(format!("{}/v{}/{}", report.key, report.version, report.language.tag()));
    let paper = Paper {
        title: &title,
        language: report.language.tag(),
        created_on: report.settlement.head.payout_on,
        id: id.get(..16).unwrap_or_default(),
        running_head: &title,
        footer: report.origin().iter().map(|fact| format!("{}  {}", fact.name, shown(&fact.value))).collect(),
        page_of: labels.page_of,
        pages_about: report.settlement.lines / LINES_OF_PAGE + 1,
    };
    let mut pages = Pages::begin(out, &paper)?;
    head(report, &mut pages);
    let (facts_end, balance_end) = (facts(report, &mut pages), balance(report, &mut pages));
    pages.y = facts_end.max(balance_end) + 300;
    proof(report, &mut pages);
    parts(report, &mut pages)?;
    transactions(report, lines, &mut pages)?;
    deviations(report, &mut pages)?;
    pages.finish()
}

/// A value as the language writes it.
fn show(report: &DinteroReport<'_>, value: &Value) -> String {
    let locale = report.language.locale();
    match value {
        Value::Text(text) => text.clone(),
        Value::Amount(minor) => locale.amount(*minor, report.settlement.head.exponent),
        Value::Count(count) => locale.count(*count),
        Value::Date(day) => day.map(|day| locale.day(day)).unwrap_or_default(),
    }
}

/// The head: what was paid out, and when.
fn head(report: &DinteroReport<'_>, pages: &mut Pages<'_, '_>) {
    let labels = report.language.labels();
    let settlement = report.settlement;
    let y = pages.y + 600;
    pages.text(LEFT, y, Ink::bold(1_700), labels.title);
    let ink = Ink::grey(1_000);
    let names = format!("{} – {} {}", report.provider(), labels.settlement, settlement.head.settlement_id);
    pages.text(LEFT, y + 1_700, ink, &ink.cut(&names, BALANCE_AT - LEFT));
    let (label, payout) = report.payout();
    let is_amount = matches!(payout, Value::Amount(_));
    let currency = if is_amount { format!(" {}", settlement.head.currency) } else { String::new() };
    let paid_out = format!("{}{currency}", show(report, &payout));
    pages.text_right(RIGHT, y, Ink::bold(1_700), &paid_out);
    let day = show(report, &Value::Date(Some(settlement.head.payout_on)));
    pages.text_right(RIGHT, y + 1_700, ink, &format!("{label} {day}"));
    pages.rule(LEFT, RIGHT, y + 2_700, Tone::Grey);
    pages.y = y + 4_400;
}

fn facts(report: &DinteroReport<'_>, pages: &mut Pages<'_, '_>) -> i32 {
    let mut y = pages.y;
    let ink = Ink::regular(FACT_SIZE);
    for fact in report.facts() {
        pages.text(LEFT, y, Ink::grey(FACT_SIZE), fact.name);
        pages.text(VALUES_AT, y, ink, &ink.cut(&show(report, &fact.value), BALANCE_AT - VALUES_AT - 1_000));
        y += FACT_LEADING;
    }
    y
}

/// The calculation from the lines to the payout, each sum under a rule.
fn balance(report: &DinteroReport<'_>, pages: &mut Pages<'_, '_>) -> i32 {
    let mut y = pages.y;
    pages.text_right(RIGHT, y, Ink::grey(FACT_SIZE), report.settlement.head.currency.as_str());
    y += FACT_LEADING;
    for row in report.balance() {
        let ink = if row.is_sum { Ink::bold(FACT_SIZE) } else { Ink::regular(FACT_SIZE) };
        if row.is_sum {
            pages.rule(BALANCE_AT, RIGHT, y - 950, Tone::Grey);
            y += 150;
        }
        pages.text(BALANCE_AT, y, ink, row.name);
        pages.text_right(RIGHT, y, ink, &show(report, &row.value));
        y += FACT_LEADING;
    }
    y
}

fn proof(report: &DinteroReport<'_>, pages: &mut Pages<'_, '_>) {
    let labels = report.language.labels();
    // The sentence ends with a difference, unless no payout is stated.
    let currency = report.settlement.difference_minor().map(|_| format!(" {}", report.settlement.head.currency));
    pages.rule(LEFT, RIGHT, pages.y - 400, Tone::Grey);
    pages.y += 800;
    let proof = format!("{}: {}{}", labels.proof, report.proof_line(), currency.unwrap_or_default());
    pages.text(LEFT, pages.y, Ink::bold(950), &proof);
    pages.text_right(RIGHT, pages.y, Ink::grey(SIZE), labels.signs);
    pages.y += 2_600;
}

/// The terms that any line has; sales, refunds, fees and net always.
fn shown_terms(report: &DinteroReport<'_>) -> Vec<(&'static Term, (i64, i64))> {
    let extents = &report.breakdown.extents;
    let terms = TERMS.iter().zip(extents.amounts_minor).enumerate();
    let used = terms.filter(|(number, (_, extent))| *number < 3 || *extent != (0, 0)).map(|(_, used)| used);
    used.chain([(&NET, extents.net_minor)]).collect()
}

/// Columns of money, wide enough for their amounts and their total.
fn money_columns(report: &DinteroReport<'_>, terms: &[(&'static Term, (i64, i64))]) -> Vec<GridColumn> {
    let labels = report.language.labels();
    let column = |(term, (least, greatest)): &(&Term, (i64, i64))| {
        let amounts = [Some(*least), Some(*greatest), term.minor(&report.settlement.sums)];
        let widths = amounts.map(|minor| Ink::bold(SIZE).width(&show(report, &Value::amount_or_words(minor, labels))));
        let column = GridColumn::of_numbers((term.name)(labels), widths.into_iter().max().unwrap_or(0));
        GridColumn { wanted: AMOUNT_WIDTH_WANTED, ..column }
    };
    terms.iter().map(column).collect()
}

fn amounts(report: &DinteroReport<'_>, terms: &[(&Term, (i64, i64))], sums: Option<&Terms>) -> Vec<String> {
    let labels = report.language.labels();
    let minor = |term: &Term| sums.and_then(|sums| term.minor(sums));
    terms.iter().map(|(term, _)| show(report, &Value::amount_or_words(minor(term), labels))).collect()
}

/// A column of texts of up to `chars` characters.
fn text_column(name: &str, chars: usize) -> GridColumn {
    let sample = "0".repeat(chars.min(CHARS_MAX));
    GridColumn::of_texts(name, Ink::regular(SIZE).width(&sample))
}

fn parts(report: &DinteroReport<'_>, pages: &mut Pages<'_, '_>) -> Result<(), DocumentError> {
    let labels = report.language.labels();
    let terms = shown_terms(report);
    let sums = &report.settlement.sums;
    for (title, name, parts) in partings(report) {
        let width = Ink::bold(SIZE).width(&show(report, &Value::Count(report.settlement.lines)));
        let mut columns = vec![text_column(name, PART_CHARS), GridColumn::of_numbers(labels.lines, width)];
        // Wider than amounts need, so that the eye finds its way from a name to them.
        columns
            .extend(money_columns(report, &terms).into_iter().map(|column| GridColumn { is_elastic: true, ..column }));
        let grid = Grid::new(columns, SIZE);
        section(report, title, pages)?;
        grid.header(pages)?;
        let row = |name: &str, lines: u64, sums: Option<&Terms>| {
            let mut row = vec![name.to_owned(), show(report, &Value::Count(lines))];
            row.extend(amounts(report, &terms, sums));
            row
        };
        for part in &parts {
            grid.row(pages, &texts(&row(part_name(part, labels), part.lines, part.sums.as_ref())))?;
        }
        grid.total(pages, &texts(&row(labels.total, report.settlement.lines, Some(sums))))?;
        pages.y += 1_500;
    }
    Ok(())
}

fn texts(cells: &[String]) -> Vec<&str> {
    cells.iter().map(String::as_str).collect()
}

fn section(report: &DinteroReport<'_>, title: &str, pages: &mut Pages<'_, '_>) -> Result<(), DocumentError> {
    if !pages.has_room(6_000) {
        pages.break_page()?;
    }
    pages.text(LEFT, pages.y, Ink::bold(1_000), &format!("{title} ({})", report.settlement.head.currency));
    pages.y += 1_600;
    Ok(())
}

/// A text column that at least one line of the settlement fills.
struct TextColumn {
    column: GridColumn,
    text: fn(&LineRecord) -> &str,
}

fn text_columns(report: &DinteroReport<'_>) -> Vec<TextColumn> {
    let (labels, extents) = (report.language.labels(), &report.breakdown.extents);
    let column = |name, chars: usize, text| (chars > 0).then(|| TextColumn { column: text_column(name, chars), text });
    let all = [
        column(labels.order_reference, extents.order_reference.max(8), |l| l.order_reference.as_deref().unwrap_or("")),
        column(labels.transaction_id, extents.transaction_id, |l| l.provider_transaction_id.as_deref().unwrap_or("")),
        column(labels.method, extents.method, |l| l.provider_method.as_deref().unwrap_or("")),
        column(labels.store, extents.store, |l| l.store_id.as_deref().unwrap_or("")),
        column(labels.destination, extents.destination, |l| l.payout_destination_id.as_deref().unwrap_or("")),
    ];
    all.into_iter().flatten().collect()
}

fn transactions(
    report: &DinteroReport<'_>,
    lines: impl Iterator<Item = Result<LineRecord, DocumentError>>,
    pages: &mut Pages<'_, '_>,
) -> Result<(), DocumentError> {
    let labels = report.language.labels();
    let (terms, text_columns) = (shown_terms(report), text_columns(report));
    let width = |text: &str| Ink::regular(SIZE).width(text);
    let fixed = |name, text: &str| GridColumn { is_elastic: false, ..GridColumn::of_texts(name, width(text)) };
    // Months are of different length where they have names.
    let days = (1..=12).map(|month| show(report, &Value::Date(Some(date(2028, month, 28)))));
    let day = days.max_by_key(|day| width(day)).unwrap_or_default();
    let day = GridColumn { width: width(&day), ..fixed(labels.day, &day) };
    let kinds = LineKind::ALL.map(|(kind, _)| labels.kinds.of(kind));
    let longest = kinds.into_iter().max_by_key(|kind| width(kind)).unwrap_or_default();
    let longest_word = kinds.into_iter().flat_map(|kind| kind.split(' ')).map(width).max().unwrap_or(0);
    let kind = GridColumn { width: longest_word, ..fixed(labels.kind, longest) };
    let mut columns = vec![GridColumn::of_numbers(labels.row, width("0000000")), day, kind];
    columns.extend(text_columns.iter().map(|text| text.column.clone()));
    columns.extend(money_columns(report, &terms));
    let grid = Grid::new(columns, SIZE);
    section(report, labels.transactions, pages)?;
    grid.header(pages)?;
    for line in lines {
        let line = line?;
        let row = show(report, &source_row(line.line_no));
        let day = show(report, &Value::Date(line.captured_on.or(line.provider_date)));
        let amounts = amounts(report, &terms, Some(&line.terms));
        let mut cells: Vec<&str> = vec![&row, &day, labels.kinds.of(line.kind)];
        cells.extend(text_columns.iter().map(|text| (text.text)(&line)));
        cells.extend(amounts.iter().map(String::as_str));
        grid.row(pages, &cells)?;
    }
    let amounts = amounts(report, &terms, Some(&report.settlement.sums));
    let mut cells = vec!["", "", labels.total];
    cells.extend(text_columns.iter().map(|_| ""));
    cells.extend(amounts.iter().map(String::as_str));
    grid.total(pages, &cells)
}

fn deviations(report: &DinteroReport<'_>, pages: &mut Pages<'_, '_>) -> Result<(), DocumentError> {
    if report.breakdown.deviations.is_empty() {
        return Ok(());
    }
    let labels = report.language.labels();
    let (named, more) = report.breakdown.deviations.first(NAMED_MAX);
    let width = |text: &str| Ink::regular(SIZE).width(text);
    let columns = vec![
        GridColumn::of_numbers(labels.row, width("0000000")),
        text_column(labels.reference, CHARS_MAX / 2),
        text_column(labels.deviation, CHARS_MAX),
        text_column(labels.original_reference, CHARS_MAX / 2),
        GridColumn::of_numbers(labels.amount, width("-000 000 000,00")),
    ];
    let grid = Grid::new(columns, SIZE);
    pages.y += 1_500;
    section(report, labels.deviations, pages)?;
    grid.header(pages)?;
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    for deviation in named {
        let (row, amount) = (
            show(report, &source_row(deviation.line_no)),
            show(report, &Value::amount_or_words(deviation.net_minor, labels)),
        );
        let (reference, original) = (optional(&deviation.reference), optional(&deviation.original_reference));
        grid.row(pages, &[&row, &reference, &deviation.text(labels), &original, &amount])?;
    }
    if more > 0 {
        let text = filled(labels.deviations_more, &[("{count}", &report.language.locale().count(more))]);
        grid.row(pages, &["", "", &text, "", ""])?;
    }
    Ok(())
}
