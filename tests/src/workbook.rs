//! Workbooks and archives made for tests.

use std::fmt::Write as _;
use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::generate::{Report, dot, norwegian};

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";

/// What a cell holds.
#[derive(Debug, Clone)]
pub enum Cell {
    /// No cell.
    Empty,
    /// Text among the shared ones.
    Text(String),
    /// A number as it is written.
    Number(String),
}

/// An archive of entries by name.
pub fn archive<'a>(entries: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name, SimpleFileOptions::default()).expect("a new entry");
        zip.write_all(&bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

/// A workbook of one sheet with that data and those shared texts; what they say is up to the test.
pub fn workbook(sheet_data: &str, shared_texts: &str) -> Vec<u8> {
    let sheet = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{sheet_data}</sheetData></worksheet>");
    let texts = format!("<sst xmlns=\"{MAIN}\">{shared_texts}</sst>");
    workbook_of_parts(sheet.as_bytes(), texts.as_bytes())
}

/// A workbook whose two parts of content are these bytes.
pub fn workbook_of_parts(sheet: &[u8], shared_texts: &[u8]) -> Vec<u8> {
    let relations = format!(
        "<Relationships xmlns=\"{PACKAGE}/relationships\">\
         <Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
         <Relationship Id=\"rId2\" Type=\"{OFFICE}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
    );
    let book = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"Rapport\" sheetId=\"1\" r:id=\"rId1\"/>\
         </sheets></workbook>"
    );
    archive([
        ("[Content_Types].xml", format!("<Types xmlns=\"{PACKAGE}/content-types\"/>").into_bytes()),
        ("xl/workbook.xml", book.into_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.into_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.to_vec()),
        ("xl/sharedStrings.xml", shared_texts.to_vec()),
    ])
}

/// A workbook of rows.
pub fn workbook_of(rows: &[Vec<Cell>]) -> Vec<u8> {
    let (mut sheet, mut texts, mut count) = (String::new(), String::new(), 0);
    for (row, cells) in (1..).zip(rows) {
        write!(sheet, "<row r=\"{row}\">").expect("memory");
        for (column, cell) in (b'A'..).zip(cells) {
            let address = format!("{}{row}", char::from(column));
            match cell {
                Cell::Empty => {}
                Cell::Number(number) => write!(sheet, "<c r=\"{address}\"><v>{number}</v></c>").expect("memory"),
                Cell::Text(text) => {
                    let text = text.replace('&', "&amp;").replace('<', "&lt;");
                    write!(texts, "<si><t xml:space=\"preserve\">{text}</t></si>").expect("memory");
                    write!(sheet, "<c r=\"{address}\" t=\"s\"><v>{count}</v></c>").expect("memory");
                    count += 1;
                }
            }
        }
        sheet.push_str("</row>");
    }
    workbook(&sheet, &texts)
}

/// A double as spreadsheets write it: with all its digits, which are more than the amount has.
fn double(minor: i64) -> Cell {
    let value: f64 = dot(minor).parse().expect("an amount");
    let exponent = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let decimals = (16.0 - exponent).clamp(0.0, 17.0) as usize;
    Cell::Number(format!("{value:.decimals$}"))
}

/// The report as the portal's workbook with 14 columns.
pub fn portal_xlsx(report: &Report) -> Vec<u8> {
    const HEADER: &str = "Salgsdato;Salgssted;Vippsnummer;Produkt;Transaksjons-ID;Ordre-ID;Brutto;Gebyr;Netto;\
                          Transaksjonstype;Oppgjørs-ID;Oppgjørsdato;Oppgjørssum;Oppgjørskonto";
    let text = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
    let mut rows = vec![vec![text("Oppgjørsrapport")], HEADER.split(';').map(text).collect()];
    for settlement in &report.settlements {
        let (merchant, id) = (report.merchant.to_string(), settlement.id.to_string());
        let payout_on = norwegian(settlement.payout_on);
        for line in &settlement.lines {
            let gross = line.capture_minor + line.refund_minor;
            let kind = if line.refund_minor < 0 { "Refundering" } else { "Salg" };
            rows.push(vec![
                text(&norwegian(line.captured_on)),
                text("Eksempelbutikken"),
                Cell::Number(merchant.clone()),
                text("Vipps"),
                text(&line.transaction.to_string()),
                text(&line.order),
                double(gross),
                double(-line.fee_minor),
                double(gross - line.fee_minor),
                text(kind),
                text(&id),
                text(&payout_on),
            ]);
        }
        let (capture, refund, fee) = settlement.sums();
        let mut payout = vec![Cell::Empty; 14];
        for (place, cell) in [
            (0, text("Til utbetaling netto")),
            (2, text(&merchant)),
            (10, text(&id)),
            (11, text(&payout_on)),
            (12, double(capture + refund - fee)),
            (13, text("01234567891")),
        ] {
            payout[place] = cell;
        }
        rows.extend([payout, Vec::new()]);
    }
    workbook_of(&rows)
}
