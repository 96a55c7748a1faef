//! Which format a file is: exactly one must claim it.

use settlement::{Kind, Problem};

use crate::format::Format;
use crate::head::Head;
use crate::providers::{FORMATS, REFUSED};
use crate::read::field::shown_up_to;
use crate::read::text::TextEncoding;

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
    let is_workbook = head.sheet().is_some();
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
        Some(ending) if !format.file_types.contains(&ending.as_str()) => Err(unknown(&format!(
            "Found {} in a file whose name ends in {}, expected .{}",
            format.id,
            shown_up_to(20, &ending),
            format.file_types.join(" or .")
        ))),
        _ => Ok(()),
    }
}

fn unclaimed(head: &Head) -> Problem {
    if let Some(rows) = head.sheet() {
        let words: Vec<&str> = rows.iter().flatten().map(String::as_str).filter(|word| !word.is_empty()).collect();
        let start = shown_up_to(60, &words.join(" "));
        return unknown(&format!("Found a workbook that begins with {start}, which no known format does"));
    }
    let text = head.text().trim_start();
    if text.is_empty() {
        return Problem::error(Kind::Empty, "Found a file without content, expected a report. Upload the file again");
    }
    let lower: String = text.chars().take(64).collect::<String>().to_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return unknown("Found a web page");
    }
    let start = shown_up_to(60, text.lines().next().unwrap_or(""));
    unknown(&format!("Found a file that begins with {start}, which no known format does"))
}

fn unknown(found: &str) -> Problem {
    let advice = "Run `avstem formats` for the reports that can be read and download one of them from the provider";
    Problem::error(Kind::UnknownLayout, format!("{found}. {advice}"))
}
