//! A workbook: summary, parts, the lines as a table, and what a person should look at.

use std::io::Write;

use settlement::LineRecord;

use super::DinteroReport;
use super::statement::{Fact, LineColumn, line_columns, part_name, partings, source_row};
use crate::breakdown::{Part, Tally, not_countable};
use crate::deviation::NAMED_MAX;
use crate::error::DocumentError;
use crate::labels::filled;
use crate::sheet::{Book, Cell, ROWS_MAX, Sheet, Style, Table, TableColumn, Workbook, fitting, letters};
use crate::term::{NET, TERMS, Term};
use crate::value::Value;

pub(super) fn write(
    report: &DinteroReport<'_>,
    mut lines: impl Iterator<Item = Result<LineRecord, DocumentError>>,
    out: &mut dyn Write,
) -> Result<(), DocumentError> {
    let (title, columns) = (report.title(), line_columns());
    let book = Book {
        title: &title,
        language: report.language.tag(),
        created_on: report.settlement.head.payout_on,
        exponent: report.settlement.head.exponent,
        sheets: sheets(report, &columns),
    };
    let mut workbook = Workbook::begin(out, &book)?;
    summary(report, &title, &mut workbook)?;
    parts(report, &mut workbook)?;
    for _ in book.sheets.iter().filter(|sheet| sheet.table.is_some()) {
        transactions(report, &columns, &mut lines, &mut workbook)?;
    }
    if !report.breakdown.deviations.is_empty() {
        deviations(report, &mut workbook)?;
    }
    // Further lines are not those that were proved: the caller counts them and refuses the document.
    for line in lines {
        line?;
    }
    workbook.finish()
}

fn sheets(report: &DinteroReport<'_>, columns: &[LineColumn]) -> Vec<Sheet> {
    let labels = report.language.labels();
    let plain = |name: &str, widths: Vec<u32>, is_landscape| Sheet {
        name: name.to_owned(),
        widths,
        table: None,
        is_landscape,
        header_rows: 0,
    };
    let money = std::iter::repeat_n(15, TERMS.len() + 1);
    let mut sheets = vec![
        plain(labels.summary, vec![44, 24, 10], false),
        plain(labels.per_method, [36, 10].into_iter().chain(money).chain([10]).collect(), true),
    ];
    let mut rows = report.settlement.lines;
    for number in 1_u64.. {
        let more =
            |name: &str, joint: &str| if number == 1 { name.to_owned() } else { format!("{name}{joint}{number}") };
        let column = |column: &LineColumn| TableColumn::new((column.name)(labels), column.is_money());
        sheets.push(Sheet {
            name: more(labels.transactions, " "),
            widths: columns.iter().map(|column| fitting((column.name)(labels), column.width)).collect(),
            table: Some(Table {
                name: more("Transactions", "_"),
                columns: columns.iter().map(column).collect(),
                rows: rows.min(ROWS_MAX),
                total: labels.total,
            }),
            is_landscape: true,
            header_rows: 0,
        });
        rows = rows.saturating_sub(ROWS_MAX);
        if rows == 0 {
            break;
        }
    }
    if !report.breakdown.deviations.is_empty() {
        let sheet = plain(labels.deviations, vec![11, 28, 40, 24, 15, 10], true);
        sheets.push(Sheet { header_rows: 1, ..sheet });
    }
    sheets
}

fn summary(report: &DinteroReport<'_>, title: &str, workbook: &mut Workbook<'_, '_>) -> Result<(), DocumentError> {
    let labels = report.language.labels();
    let currency = || Cell::plain(report.currency());
    workbook.begin_sheet()?;
    workbook.row(&[Cell::text(title, Style::Title)])?;
    workbook.row(&[])?;
    for fact in report.facts() {
        workbook.row(&fact_cells(fact))?;
    }
    workbook.row(&[])?;
    for row in report.balance() {
        let (name, value) = if row.is_sum { (Style::TotalText, Style::Total) } else { (Style::Text, Style::Amount) };
        let value = match row.value {
            Value::Amount(_) => Cell::new(row.value, value),
            other => Cell::new(other, name),
        };
        workbook.row(&[Cell::text(row.name, name), value, currency()])?;
    }
    workbook.row(&[])?;
    workbook.row(&[Cell::text(labels.proof, Style::Section), Cell::text(&report.proof_line(), Style::Section)])?;
    workbook.row(&[])?;
    workbook.row(&[Cell::text(labels.signs, Style::Note)])?;
    for fact in report.origin() {
        workbook.row(&[Cell::text(fact.name, Style::Note), Cell::new(fact.value, Style::Note)])?;
    }
    workbook.end_sheet(&[])
}

fn fact_cells(fact: Fact) -> [Cell; 2] {
    let style = if matches!(fact.value, Value::Date(_)) { Style::DateOfFact } else { Style::Text };
    [Cell::text(fact.name, Style::Text), Cell::new(fact.value, style)]
}

/// Each breakdown of the settlement, one below the other, with its own sums.
fn parts(report: &DinteroReport<'_>, workbook: &mut Workbook<'_, '_>) -> Result<(), DocumentError> {
    let labels = report.language.labels();
    let money = || TERMS.iter().chain([&NET]);
    workbook.begin_sheet()?;
    for (title, name, parts) in partings(report) {
        workbook.row(&[Cell::text(title, Style::Title)])?;
        let mut header = vec![Cell::text(name, Style::Header), Cell::text(labels.lines, Style::HeaderOfAmounts)];
        header.extend(money().map(|term| Cell::text((term.name)(labels), Style::HeaderOfAmounts)));
        header.push(Cell::text(labels.currency, Style::Header));
        workbook.row(&header)?;
        let first = workbook.next_row();
        for part in &parts {
            let mut row = vec![Cell::text(part_name(part, labels), Style::Text), Cell::plain(Value::Count(part.lines))];
            row.extend(money().map(|term| {
                let minor = part.sums.and_then(|sums| term.minor(&sums));
                Cell::plain(Value::amount_or_words(minor, labels))
            }));
            row.push(Cell::plain(report.currency()));
            workbook.row(&row)?;
        }
        workbook.row(&total_of_parts(report, &parts, first, money())?)?;
        workbook.row(&[])?;
    }
    workbook.end_sheet(&[])
}

fn total_of_parts<'t>(
    report: &DinteroReport<'_>,
    parts: &[Part],
    first_row: u64,
    money: impl Iterator<Item = &'t Term>,
) -> Result<Vec<Cell>, DocumentError> {
    let last_row = first_row + (parts.len() as u64).saturating_sub(1);
    let lines = parts.iter().map(|part| part.lines).sum();
    let mut row = vec![
        Cell::text(report.language.labels().total, Style::TotalText),
        Cell::new(Value::Count(lines), Style::TotalCount),
    ];
    for (column, term) in (2..).zip(money) {
        let letters = letters(column);
        let formula = format!("SUM({letters}{first_row}:{letters}{last_row})");
        let minor = term.minor(&report.settlement.sums).ok_or_else(|| not_countable(report.settlement))?;
        row.push(Cell::formula(formula, minor));
    }
    row.push(Cell::new(report.currency(), Style::TotalText));
    Ok(row)
}

/// The next sheet of lines, with its own totals.
fn transactions(
    report: &DinteroReport<'_>,
    columns: &[LineColumn],
    lines: &mut impl Iterator<Item = Result<LineRecord, DocumentError>>,
    workbook: &mut Workbook<'_, '_>,
) -> Result<(), DocumentError> {
    workbook.begin_sheet()?;
    let mut tally = Tally::default();
    let mut cells = Vec::with_capacity(columns.len());
    while tally.lines < ROWS_MAX {
        let Some(line) = lines.next() else { break };
        let line = line?;
        tally.add(&line.terms);
        cells.clear();
        cells.extend(columns.iter().map(|column| Cell::plain(column.value(report, &line))));
        workbook.row(&cells)?;
    }
    let sums = tally.terms().ok_or_else(|| not_countable(report.settlement))?;
    let totals = columns.iter().filter_map(LineColumn::term).map(|term| term.minor(&sums));
    let totals: Option<Vec<i64>> = totals.collect();
    workbook.end_sheet(&totals.ok_or_else(|| not_countable(report.settlement))?)
}

fn deviations(report: &DinteroReport<'_>, workbook: &mut Workbook<'_, '_>) -> Result<(), DocumentError> {
    let labels = report.language.labels();
    let (named, more) = report.breakdown.deviations.first(NAMED_MAX);
    workbook.begin_sheet()?;
    let texts = [labels.row, labels.reference, labels.deviation, labels.original_reference];
    let mut header = texts.map(|name| Cell::text(name, Style::Header)).to_vec();
    header.push(Cell::text(labels.amount, Style::HeaderOfAmounts));
    header.push(Cell::text(labels.currency, Style::Header));
    workbook.row(&header)?;
    for deviation in named {
        workbook.row(&[
            Cell::plain(source_row(deviation.line_no)),
            Cell::plain(Value::text(deviation.reference.as_deref())),
            Cell::text(&deviation.text(labels), Style::Text),
            Cell::plain(Value::text(deviation.original_reference.as_deref())),
            Cell::plain(Value::amount_or_words(deviation.net_minor, labels)),
            Cell::plain(report.currency()),
        ])?;
    }
    if more > 0 {
        let text = filled(labels.deviations_more, &[("{count}", &report.language.locale().count(more))]);
        workbook.row(&[Cell::text(&text, Style::Note)])?;
    }
    workbook.row(&[])?;
    workbook.row(&[Cell::text(labels.deviations_note, Style::Note)])?;
    workbook.end_sheet(&[])
}
