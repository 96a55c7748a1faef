//! The month as a workbook: overview, the bridge in both ways, payouts as a table per currency, what has to be cleared up,
//! and what changed.

use std::io::Write;

use super::MonthSummary;
use super::statement::{Column, ColumnKind, Part, Section, Shown, sections};
use crate::error::DocumentError;
use crate::labels::Language;
use crate::sheet::{Book, Cell, Sheet, Style, Table, TableColumn, Workbook, fitting, letters};
use crate::value::Value;

pub(super) fn write(summary: &MonthSummary, language: Language, out: &mut dyn Write) -> Result<(), DocumentError> {
    let (title, sections) = (summary.title(language), sections(summary, language)?);
    let places = sheets_of(&sections, language);
    let book = Book {
        title: &title,
        language: language.tag(),
        created_on: summary.month.last_day(),
        exponent: sections.first().map_or(2, |section| section.exponent),
        sheets: places.iter().map(|place| sheet(place, language)).collect(),
    };
    let mut workbook = Workbook::begin(out, &book)?;
    for place in &places {
        workbook.begin_sheet()?;
        match place.sections.as_slice() {
            [only] if place.is_table => table_rows(only, &mut workbook)?,
            sections => {
                if place.has_head {
                    head(summary, language, &title, &mut workbook)?;
                }
                for section in sections {
                    section_rows(section, place.has_header_on_top(), &mut workbook)?;
                }
                workbook.end_sheet(&[])?;
            }
        }
    }
    workbook.finish()
}

/// A sheet with the sections that it holds.
struct Place<'a> {
    name: String,
    sections: Vec<&'a Section>,
    is_table: bool,
    has_head: bool,
}

impl Place<'_> {
    /// Whether its first row is the header of its only section, which then stays visible.
    fn has_header_on_top(&self) -> bool {
        matches!(self.sections.as_slice(), [only] if matches!(only.part, Part::Apart | Part::Differences))
    }
}

fn sheets_of(sections: &[Section], language: Language) -> Vec<Place<'_>> {
    let labels = language.labels();
    let of = |wanted: &[Part]| sections.iter().filter(|section| wanted.contains(&section.part)).collect::<Vec<_>>();
    let plain = |name: &str, parts: &[Part]| Place {
        name: name.to_owned(),
        sections: of(parts),
        is_table: false,
        has_head: parts.contains(&Part::Figures),
    };
    let mut places =
        vec![plain(labels.summary, &[Part::Figures]), plain(labels.month.bridge, &[Part::Bridge, Part::InTransit])];
    places.extend(of(&[Part::Payouts]).into_iter().map(|section| Place {
        name: format!("{} {}", labels.month.payouts, section.code),
        sections: vec![section],
        is_table: true,
        has_head: false,
    }));
    places.push(plain(labels.month.apart, &[Part::Apart]));
    if sections.iter().any(|section| section.part == Part::Differences) {
        places.push(plain(labels.month.change, &[Part::Differences]));
    }
    places
}

fn sheet(place: &Place<'_>, language: Language) -> Sheet {
    let widths =
        |columns: &[Column]| columns.iter().map(|column| fitting(column.name, column.width)).collect::<Vec<u32>>();
    let width = place.sections.iter().map(|section| widths(&section.columns)).reduce(wider).unwrap_or_default();
    let table = place.sections.first().filter(|_| place.is_table).map(|section| Table {
        name: format!("Payouts_{}", section.code),
        columns: section.columns.iter().map(table_column).collect(),
        rows: u64::try_from(section.rows.len()).unwrap_or(u64::MAX),
        total: language.labels().total,
    });
    let header_rows = if place.has_header_on_top() { 1 } else { 0 };
    Sheet { name: place.name.clone(), widths: width, table, is_landscape: true, header_rows }
}

fn wider(mut one: Vec<u32>, other: Vec<u32>) -> Vec<u32> {
    one.resize(one.len().max(other.len()), 0);
    one.iter_mut().zip(other).for_each(|(one, other)| *one = (*one).max(other));
    one
}

fn table_column(column: &Column) -> TableColumn {
    TableColumn::new(column.name, column.kind == ColumnKind::Amount)
}

fn head(
    summary: &MonthSummary,
    language: Language,
    title: &str,
    workbook: &mut Workbook<'_, '_>,
) -> Result<(), DocumentError> {
    let labels = language.labels();
    workbook.row(&[Cell::text(title, Style::Title)])?;
    workbook.row(&[])?;
    for (name, value) in summary.facts(language) {
        workbook.row(&[Cell::text(name, Style::Text), Cell::text(&value, Style::Text)])?;
    }
    let payouts: u64 = summary.content.totals()?.iter().map(|total| total.payouts).sum();
    workbook.row(&[
        Cell::text(labels.month.payouts_count, Style::Text),
        Cell::text(&language.locale().count(payouts), Style::Text),
    ])?;
    workbook.row(&[])?;
    for proof in summary.proofs(language)? {
        workbook.row(&[Cell::text(labels.proof, Style::Section), Cell::text(&proof, Style::Section)])?;
    }
    workbook.row(&[Cell::text(labels.month.signs, Style::Note)])?;
    workbook.row(&[])
}

fn section_rows(section: &Section, is_bare: bool, workbook: &mut Workbook<'_, '_>) -> Result<(), DocumentError> {
    if !is_bare {
        workbook.row(&[Cell::text(&section.title, Style::Section)])?;
        workbook.row(&[Cell::text(&section.note, Style::Note)])?;
    }
    let header = section.columns.iter().map(|column| {
        Cell::text(column.name, if column.kind == ColumnKind::Text { Style::Header } else { Style::HeaderOfAmounts })
    });
    workbook.row(&header.collect::<Vec<_>>())?;
    let first = workbook.next_row();
    for row in &section.rows {
        workbook.row(&row.iter().map(cell).collect::<Vec<_>>())?;
    }
    let last = workbook.next_row().saturating_sub(1);
    if let Some(total) = &section.total {
        let cells = total.iter().enumerate().map(|(column, cell)| match cell {
            Shown::Amount(minor, exponent) if last >= first => {
                let letters = letters(column);
                Cell::formula(format!("SUM({letters}{first}:{letters}{last})"), *minor).in_decimals(*exponent)
            }
            Shown::Amount(minor, exponent) => Cell::new(Value::Amount(*minor), Style::Total).in_decimals(*exponent),
            Shown::Count(count) => Cell::new(Value::Count(*count), Style::TotalCount),
            Shown::Text(text) => Cell::text(text, Style::TotalText),
            Shown::Day(_) | Shown::Nothing => Cell::text("", Style::TotalText),
        });
        workbook.row(&cells.collect::<Vec<_>>())?;
    }
    if is_bare {
        workbook.row(&[])?;
        return workbook.row(&[Cell::text(&section.note, Style::Note)]);
    }
    workbook.row(&[])
}

fn table_rows(section: &Section, workbook: &mut Workbook<'_, '_>) -> Result<(), DocumentError> {
    for row in &section.rows {
        workbook.row(&row.iter().map(cell).collect::<Vec<_>>())?;
    }
    let summed = section.columns.iter().zip(section.total.iter().flatten());
    let totals = summed.filter(|(column, _)| table_column(column).is_summed).map(|(_, total)| match total {
        Shown::Amount(minor, _) => Ok(*minor),
        _ => Err(DocumentError::NotCountable { what: section.title.clone() }),
    });
    workbook.end_sheet(&totals.collect::<Result<Vec<i64>, _>>()?)
}

fn cell(shown: &Shown) -> Cell {
    match shown {
        Shown::Text(text) => Cell::text(text, Style::Text),
        Shown::Amount(minor, exponent) => Cell::plain(Value::Amount(*minor)).in_decimals(*exponent),
        Shown::Count(count) => Cell::plain(Value::Count(*count)),
        Shown::Day(day) => Cell::plain(Value::Date(*day)),
        Shown::Nothing => Cell::text("", Style::Text),
    }
}
