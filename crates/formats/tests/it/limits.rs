//! A file at a limit is read; one beyond it is held with the kind that says so.

use fixtures::files;
use fixtures::generate::{Seed, report};
use fixtures::workbook::portal_xlsx;
use formats::Limits;
use settlement::Kind;

use crate::judged::judged_within;

/// A good file, the limit that it meets, how to set that limit, and the kind of a file beyond it.
type Met = (&'static str, u64, fn(&mut Limits, u64), Kind);

const MET: &[Met] = &[
    ("vipps-portal-csv/basic-17.csv", 1_852, |limits, most| limits.file_bytes_max = most, Kind::TooLarge),
    ("vipps-portal-csv/basic-17.csv", 8, |limits, most| limits.lines_max = most, Kind::TooLarge),
    ("vipps-portal-csv/basic-17.csv", 3, |limits, most| limits.settlements_max = most as usize, Kind::TooLarge),
    (ZIP, 526, |limits, most| limits.archive_bytes_max = most, Kind::TooLarge),
    (XLSX, 5, |limits, most| limits.archive_entries_max = most as usize, Kind::ArchiveLimits),
    (XLSX, 1_217, |limits, most| limits.entry_bytes_max = most, Kind::ArchiveLimits),
    (XLSX, 2_838, |limits, most| limits.unpacked_bytes_max = most, Kind::ArchiveLimits),
    (XLSX, 4, |limits, most| limits.sheet_rows_max = most as u32, Kind::ArchiveLimits),
    (XLSX, 14, |limits, most| limits.sheet_columns_max = most as usize, Kind::ArchiveLimits),
    // 26 texts of 271 bytes, and four bytes for the end of each.
    (XLSX, 375, |limits, most| limits.shared_texts_bytes_max = most as usize, Kind::ArchiveLimits),
    // The header is too wide, so that no format knows the workbook.
    (XLSX, 14, |limits, most| limits.columns_max = most as usize, Kind::UnknownLayout),
    ("vipps-settlement-xml-v3/one-line.xml", 6, |limits, most| limits.xml_depth_max = most as usize, Kind::XmlLimits),
    // The root with its namespace is the longest tag, and a time the longest text.
    ("vipps-settlement-xml-v3/one-line.xml", 77, |limits, most| limits.row_bytes_max = most as usize, Kind::XmlLimits),
    (
        "vipps-settlement-xml-v3/one-line.xml",
        29,
        |limits, most| limits.field_bytes_max = most as usize,
        Kind::XmlLimits,
    ),
    (ATTRIBUTES, 15, |limits, most| limits.xml_attributes_max = most as usize, Kind::XmlLimits),
    (ATTRIBUTES, 32, |limits, most| limits.field_bytes_max = most as usize, Kind::XmlLimits),
];

const ZIP: &str = "vipps-portal-csv/zipped.csv.zip";
const XLSX: &str = "vipps-portal-xlsx/one-line.xlsx";
const ATTRIBUTES: &str = "swedbankpay-sales-xml-v2/one-row.xml";

fn first_kind(place: &str, set: fn(&mut Limits, u64), most: u64) -> Option<Kind> {
    let mut limits = Limits::default();
    set(&mut limits, most);
    let name = place.rsplit('/').next().unwrap();
    judged_within(name, &files::read(place), &limits).kind()
}

#[test]
fn a_file_at_a_limit_is_read_and_one_beyond_is_held() {
    for (line, (place, most, set, kind)) in MET.iter().enumerate() {
        assert_eq!(first_kind(place, *set, *most), None, "{line}: {place} is read at {most}");
        assert_eq!(first_kind(place, *set, most - 1), Some(*kind), "{line}: {place} is held at {}", most - 1);
    }
}

#[test]
fn a_row_of_a_sheet_is_as_long_as_its_cells_together() {
    let mut report = report(&mut Seed(1), 1, 1);
    let line = &mut report.settlements[0].lines[0];
    line.order = "x".repeat(400);
    let bytes = portal_xlsx(&report);
    let kind = |most| judged_within("a.xlsx", &bytes, &Limits { row_bytes_max: most, ..Limits::default() }).kind();
    let shortest = (400..600).find(|most| kind(*most).is_none()).expect("the row and its other cells");
    assert_eq!(kind(shortest - 1), Some(Kind::FieldTooLarge));
}
