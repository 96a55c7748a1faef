//! The month on paper, to be filed: what was paid out, the bridge in both ways, every payout, what has to be cleared up, and
//! the checks.

use std::io::Write;

use sha2::{Digest, Sha256};

use super::MonthSummary;
use super::statement::{ColumnKind, Section, Shown, sections};
use crate::error::DocumentError;
use crate::labels::Language;
use crate::locale::Locale;
use crate::page::{Grid, GridColumn, Ink, LEFT, Pages, Paper, RIGHT, Tone};

const SIZE: i32 = 720;
const FACT_SIZE: i32 = 850;
const FACT_LEADING: i32 = 1_300;
const VALUES_AT: i32 = LEFT + 13_500;
/// Narrower columns of amounts are hard to read.
const AMOUNT_WIDTH_WANTED: i32 = 4_200;
/// About how many rows fit on a page.
const ROWS_OF_PAGE: u64 = 40;
/// A longer text gets no more room on the page and is wrapped.
const CHARS_MAX: usize = 36;

pub(super) fn write(summary: &MonthSummary, language: Language, out: &mut dyn Write) -> Result<(), DocumentError> {
    let labels = language.labels();
    let (title, sections) = (summary.title(language), sections(summary, language)?);
    let json = serde_json::to_vec(summary).map_err(std::io::Error::from)?;
    let id = Sha256::new().chain_update(json).chain_update(language.tag()).finalize();
    let rows: usize = sections.iter().map(|section| section.rows.len() + 6).sum();
    let running_head = format!("{title} – {}", summary.name);
    let paper = Paper {
        title: &running_head,
        language: language.tag(),
        created_on: summary.month.last_day(),
        id: id.get(..16).unwrap_or_default(),
        running_head: &running_head,
        footer: vec![footer(summary, language)],
        page_of: labels.page_of,
        pages_about: u64::try_from(rows).unwrap_or(0) / ROWS_OF_PAGE + 1,
    };
    let mut pages = Pages::begin(out, &paper)?;
    head(summary, language, &title, &mut pages)?;
    for (name, value) in summary.facts(language) {
        let ink = Ink::regular(FACT_SIZE);
        pages.text(LEFT, pages.y, Ink::grey(FACT_SIZE), name);
        pages.text(VALUES_AT, pages.y, ink, &ink.cut(&value, RIGHT - VALUES_AT));
        pages.y += FACT_LEADING;
    }
    proofs(summary, language, &mut pages)?;
    for section in &sections {
        write_section(section, &language.locale(), &mut pages)?;
    }
    pages.finish()
}

fn footer(summary: &MonthSummary, language: Language) -> String {
    let labels = language.labels();
    let revision = if summary.is_so_far() { "–".to_owned() } else { summary.revision.to_string() };
    format!(
        "{}  {}    {}  {}    {}  {revision}",
        labels.account, summary.account, labels.month.title, summary.month, labels.version
    )
}

/// The head: whose month, and what was paid out in it.
fn head(
    summary: &MonthSummary,
    language: Language,
    title: &str,
    pages: &mut Pages<'_, '_>,
) -> Result<(), DocumentError> {
    let (labels, locale) = (language.labels(), language.locale());
    let y = pages.y + 600;
    pages.text(LEFT, y, Ink::bold(1_700), title);
    let ink = Ink::grey(1_000);
    pages.text(LEFT, y + 1_700, ink, &ink.cut(&summary.name, (RIGHT - LEFT) / 2));
    let totals = summary.content.totals()?;
    let mut down = y;
    for (place, total) in totals.iter().enumerate() {
        let amount = format!("{} {}", locale.amount(total.paid_out_minor, total.exponent), total.currency);
        down = y + i32::try_from(place).unwrap_or(0) * 2_000;
        pages.text_right(RIGHT, down, Ink::bold(1_700), &amount);
    }
    let payouts: u64 = totals.iter().map(|total| total.payouts).sum();
    let under = format!("{}: {}", labels.month.payouts_count, locale.count(payouts));
    pages.text_right(RIGHT, down + 1_700, ink, &under);
    pages.rule(LEFT, RIGHT, down + 2_700, Tone::Grey);
    pages.y = down + 4_400;
    Ok(())
}

fn proofs(summary: &MonthSummary, language: Language, pages: &mut Pages<'_, '_>) -> Result<(), DocumentError> {
    let labels = language.labels();
    pages.y += 300;
    pages.rule(LEFT, RIGHT, pages.y - 400, Tone::Grey);
    pages.y += 800;
    let ink = Ink::bold(FACT_SIZE);
    for proof in summary.proofs(language)? {
        pages.text(LEFT, pages.y, ink, &ink.cut(&format!("{}: {proof}", labels.proof), RIGHT - LEFT));
        pages.y += FACT_LEADING;
    }
    pages.text(LEFT, pages.y, Ink::grey(SIZE), labels.month.signs);
    pages.y += 2_200;
    Ok(())
}

fn write_section(section: &Section, locale: &Locale, pages: &mut Pages<'_, '_>) -> Result<(), DocumentError> {
    let kept = kept_columns(section);
    if !pages.has_room(8_000) {
        pages.break_page()?;
    }
    pages.text(LEFT, pages.y, Ink::bold(1_000), &section.title);
    pages.y += 1_150;
    let note = Ink::grey(SIZE);
    pages.text(LEFT, pages.y, note, &note.cut(&section.note, RIGHT - LEFT));
    pages.y += 1_500;
    if section.rows.is_empty() && section.total.is_none() {
        pages.y += 700;
        return Ok(());
    }
    let columns = kept.iter().map(|place| grid_column(section, *place, locale));
    let grid = Grid::new(columns.collect(), SIZE);
    grid.header(pages)?;
    for row in &section.rows {
        let cells: Vec<String> = kept.iter().map(|place| show(row.get(*place), locale)).collect();
        grid.row(pages, &cells.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    if let Some(total) = &section.total {
        let cells: Vec<String> = kept.iter().map(|place| show(total.get(*place), locale)).collect();
        grid.total(pages, &cells.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    pages.y += 1_700;
    Ok(())
}

/// The columns that paper does not leave out.
fn kept_columns(section: &Section) -> Vec<usize> {
    let says =
        |place: usize| {
            section.rows.iter().chain(&section.total).any(|row| {
                !matches!(row.get(place), None | Some(Shown::Nothing | Shown::Amount(0, _) | Shown::Day(None)))
            })
        };
    let columns = section.columns.iter().enumerate();
    columns.filter(|(place, column)| !column.may_be_left_out || says(*place)).map(|(place, _)| place).collect()
}

fn grid_column(section: &Section, place: usize, locale: &Locale) -> GridColumn {
    let Some(column) = section.columns.get(place) else { return GridColumn::of_texts("", 0) };
    let rows = section.rows.iter().chain(&section.total);
    let texts = rows.map(|row| show(row.get(place), locale));
    if column.kind != ColumnKind::Text {
        let width = texts.map(|text| Ink::bold(SIZE).width(&text)).max().unwrap_or(0);
        let wanted = if column.kind == ColumnKind::Amount { AMOUNT_WIDTH_WANTED } else { width };
        return GridColumn { wanted, ..GridColumn::of_numbers(column.name, width) };
    }
    let chars = texts.map(|text| text.chars().count()).max().unwrap_or(0).min(CHARS_MAX);
    let is_day = section.rows.iter().any(|row| matches!(row.get(place), Some(Shown::Day(Some(_)))));
    let wanted = Ink::regular(SIZE).width(&"0".repeat(chars));
    let column = GridColumn::of_texts(column.name, wanted);
    // Days are not broken over lines.
    if is_day { GridColumn { width: wanted, is_elastic: false, ..column } } else { column }
}

fn show(cell: Option<&Shown>, locale: &Locale) -> String {
    match cell {
        Some(Shown::Text(text)) => text.clone(),
        Some(Shown::Amount(minor, exponent)) => locale.amount(*minor, *exponent),
        Some(Shown::Count(count)) => locale.count(*count),
        Some(Shown::Day(Some(day))) => locale.day(*day),
        Some(Shown::Day(None) | Shown::Nothing) | None => String::new(),
    }
}
