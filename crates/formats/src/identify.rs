//! Which format a file is: exactly one must claim it.

use settlement::{Kind, Problem};

use crate::format::Format;
use crate::head::Head;
use crate::providers::{FORMATS, REFUSED};
use crate::read::delimiter::{DELIMITERS, cells};
use crate::read::field::Column;
use crate::read::shown::{shown_name, shown_up_to, trimmed};
use crate::read::text::TextEncoding;
use crate::read::xml::{root_name, root_namespace};

/// First bytes that name the kind of a file when no format claims it.
const CONTAINERS: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a ZIP archive or XLSX workbook"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF; the figures of a payout notice are told with `avstem notice add`"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or encrypted workbook"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
];

/// The one format that claims the file.
///
/// # Errors
/// A problem that says why none does: empty, unreadable, unknown, refused by name, claimed twice, or misnamed.
pub fn identify(head: &Head) -> Result<&'static Format, Problem> {
    if head.bytes().is_empty() {
        return Err(Problem::error(Kind::Empty, "Found an empty file, expected a report. Upload the file again"));
    }
    let is_workbook = !head.sheets().is_empty();
    if !is_workbook && let Some((_, what)) = CONTAINERS.iter().find(|(magic, _)| head.bytes().starts_with(magic)) {
        return Err(unknown(&format!("Found {what}")));
    }
    if !is_workbook {
        TextEncoding::sniff(head.bytes())?;
    }
    if let Some(refused) = REFUSED.iter().find(|refused| (refused.detect)(head)) {
        return Err(Problem::error(Kind::UnknownLayout, refused.advice));
    }
    let claims: Vec<&Format> = FORMATS.iter().filter(|format| (format.detect)(head)).collect();
    match claims.as_slice() {
        [format] => agrees_with_name(format, head).map(|()| *format),
        [] => Err(unclaimed(head)),
        several => {
            let ids: Vec<&str> = several.iter().map(|format| format.id).collect();
            let message =
                format!("Found a file that {} all claim. Report this as a fault of avstem", ids.join(" and "));
            Err(Problem::error(Kind::AmbiguousLayout, message))
        }
    }
}

/// The ending of a file name in lower case, without the dot.
pub fn extension(name: &str) -> Option<String> {
    let (stem, ending) = name.rsplit(['/', '\\']).next()?.rsplit_once('.')?;
    (!stem.is_empty() && !ending.is_empty()).then(|| ending.to_lowercase())
}

fn agrees_with_name(format: &Format, head: &Head) -> Result<(), Problem> {
    match extension(head.name()) {
        // Mail programs and browsers rename what they take for text.
        Some(ending) if ending == "txt" && !is_workbook(format) => Ok(()),
        Some(ending) if !format.file_types.contains(&ending.as_str()) => Err(unknown(&format!(
            "Found {} in a file whose name ends in {}, expected .{}",
            format.id,
            shown_up_to(20, &ending),
            format.file_types.join(" or .")
        ))),
        _ => Ok(()),
    }
}

fn is_workbook(format: &Format) -> bool {
    format.file_types.contains(&"xlsx")
}

/// Says what the file is as far as its own structure tells: none of its text is shown but names of elements.
fn unclaimed(head: &Head) -> Problem {
    if let [_, _, ..] = head.sheets() {
        let count = head.sheets().len();
        return unknown(&format!("Found a workbook of {count} sheets, which no known report has"));
    }
    if let Some(rows) = head.sheet() {
        let rows = rows.iter().map(|row| row.iter().map(|cell| trimmed(cell)).collect());
        return unknown(&match nearest(rows) {
            Some(near) => format!("Found a workbook {near}"),
            None => "Found a workbook whose first rows have the header of no known format".to_owned(),
        });
    }
    let text = head.text().trim_start();
    if text.is_empty() {
        return Problem::error(Kind::Empty, "Found a file without content, expected a report. Upload the file again");
    }
    let lower: String = text.chars().take(64).collect::<String>().to_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return unknown("Found a web page");
    }
    if let Some(root) = root_name(text) {
        let namespace = match root_namespace(text) {
            Some(namespace) => format!("of the namespace {}", shown_up_to(80, &namespace)),
            None => "of no namespace".to_owned(),
        };
        return unknown(&format!("Found XML with the root element {} {namespace}", shown_name(&root)));
    }
    if text.starts_with(['{', '[']) {
        return unknown("Found JSON");
    }
    let rows = head.lines().flat_map(|line| DELIMITERS.map(|delimiter| cells(line, delimiter).collect()));
    unknown(&match nearest(rows) {
        Some(near) => format!("Found a text file {near}"),
        None => "Found a text file whose first lines have the header of no known format".to_owned(),
    })
}

/// The format that the best of these rows is nearest to being the header of, and what it lacks.
fn nearest<'h>(rows: impl Iterator<Item = Vec<&'h str>>) -> Option<String> {
    let mut best: Option<(usize, &Format, Vec<&str>)> = None;
    for row in rows {
        for format in FORMATS {
            let has = |column: &&Column| row.iter().any(|head| column.is_called(head));
            let known = format.columns.iter().filter(has).count();
            if known * 2 > format.columns.len() && best.as_ref().is_none_or(|(most, ..)| known > *most) {
                let missing = format.columns.iter().filter(|column| column.required && !has(column));
                best = Some((known, format, missing.map(|column| column.name).collect()));
            }
        }
    }
    let (_, format, missing) = best?;
    Some(match missing.as_slice() {
        [] => format!("with the header of {} and another beginning", format.id),
        missing => format!("with most of the header of {}, which lacks {}", format.id, missing.join(", ")),
    })
}

fn unknown(found: &str) -> Problem {
    let advice = "Run `avstem formats` for the reports that can be read and download one of them from the provider";
    Problem::error(Kind::UnknownLayout, format!("{found}. {advice}"))
}
