//! Files of at most one mebibyte that try to cost as much time or memory as they can.

use std::fmt::Write;

use crate::generate::{Seed, portal_head};
use crate::workbook::{archive, workbook};

const SIZE_BYTES: usize = 1024 * 1024;

/// Every hostile file with its name.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut files = vec![
        ("rows-beyond-count.xlsx", rows_beyond_count()),
        ("many-short-texts.xlsx", many_short_texts()),
        ("one-long-text-everywhere.xlsx", one_long_text_everywhere()),
        ("cells-without-end.xlsx", cells_without_end()),
        ("many-entries.zip", many_entries()),
        ("packed-report-of-problems.zip", archive([("a.csv", portal("x;", 40 * SIZE_BYTES))])),
        ("problems-only.csv", portal("x;", SIZE_BYTES)),
        ("quotes-only.csv", portal("\"", SIZE_BYTES)),
        ("delimiters-only.csv", portal(";", SIZE_BYTES)),
        ("line-ends-only.csv", portal("\n", SIZE_BYTES)),
        ("many-settlements.csv", many_settlements()),
        ("deep.xml", xml(&"<a>".repeat(SIZE_BYTES / 3))),
        ("references.xml", xml(&"&amp;".repeat(SIZE_BYTES / 5))),
        ("one-long-tag.xml", xml(&format!("<a b=\"{}", "x".repeat(SIZE_BYTES)))),
        ("unknown-elements.xml", xml(&"<a/>".repeat(SIZE_BYTES / 4))),
        ("many-attributes.xml", xml(&many_attributes())),
        ("many-services.xml", swedbank_pay()),
    ];
    let mut seed = Seed(7);
    let noise: Vec<u8> = (0..SIZE_BYTES / 8).flat_map(|_| seed.draw().to_le_bytes()).collect();
    for name in ["noise.csv", "noise.xml", "noise.xlsx"] {
        files.push((name, noise.clone()));
    }
    let mut torn = workbook(&"<row/>".repeat(100_000), "");
    let middle = torn.len() / 2;
    torn[middle] ^= 0xff;
    files.push(("torn.xlsx", torn));
    files
}

/// Random letters that do not pack, so that the rest may pack better than the limit on the ratio allows for all.
fn filler(size_bytes: usize) -> String {
    let mut seed = Seed(1);
    let letter = |draw: u64| char::from(b'!' + (draw % 64) as u8);
    let letters: String = (0..size_bytes).map(|_| letter(seed.draw())).filter(|c| !"<>&-".contains(*c)).collect();
    letters.as_bytes().chunks(1_000).map(|chunk| format!("<!--{}-->", String::from_utf8_lossy(chunk))).collect()
}

/// The first rows of a portal report, so that a workbook is claimed and read to its end.
fn portal_rows() -> String {
    let cell = |text: &str| format!("<c t=\"str\"><v>{text}</v></c>");
    let header = "Salgsdato;Salgssted;Vippsnummer;Produkt;Transaksjons-ID;Ordre-ID;Brutto;Gebyr;Netto;Transaksjonstype;\
                  Oppgjørs-ID;Oppgjørsdato;Oppgjørssum;Oppgjørskonto";
    let header: String = header.split(';').map(cell).collect();
    format!("<row>{}</row><row>{header}</row>", cell("Oppgjørsrapport"))
}

fn rows_beyond_count() -> Vec<u8> {
    let row = "<row><c><v>1</v></c></row>";
    let rows = format!("{}{}{}", portal_rows(), row.repeat(21 * SIZE_BYTES / row.len()), filler(1_290_000));
    workbook(&rows, "")
}

fn many_short_texts() -> Vec<u8> {
    let text = "<si><t>a</t></si>";
    workbook(&portal_rows(), &format!("{}{}", text.repeat(21 * SIZE_BYTES / 17), filler(1_290_000)))
}

fn one_long_text_everywhere() -> Vec<u8> {
    let row = format!("<row>{}</row>", "<c t=\"s\"><v>0</v></c>".repeat(4));
    let texts = format!("<si><t>{}</t></si>", "x".repeat(60_000));
    let rows = format!("{}{}{}", portal_rows(), row.repeat(21 * SIZE_BYTES / row.len()), filler(1_290_000));
    workbook(&rows, &texts)
}

fn cells_without_end() -> Vec<u8> {
    let rows = format!("{}<row>{}{}", portal_rows(), "<c/>".repeat(21 * SIZE_BYTES / 4), filler(1_290_000));
    workbook(&rows, "")
}

fn many_entries() -> Vec<u8> {
    let names: Vec<String> = (0..10_000).map(|number| format!("{number}")).collect();
    archive(names.iter().map(|name| (name.as_str(), Vec::new())))
}

/// A portal report whose rows are `row` over and over.
fn portal(row: &str, size_bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    portal_head(&mut out).expect("memory");
    let row = if row == ";" || row == "\"" { row.repeat(1_000) } else { row.to_owned() };
    while out.len() + row.len() + 1 < size_bytes {
        out.extend_from_slice(row.as_bytes());
        out.push(b'\n');
    }
    out
}

/// Settlements that are announced, one a row, and never paid.
fn many_settlements() -> Vec<u8> {
    let mut out = Vec::new();
    portal_head(&mut out).expect("memory");
    for number in 1_u64.. {
        let row = format!("01.10.2026;;1;;{number};;1,00;0,00;1,00;Salg;{number};01.10.2026;;;;;\n");
        if out.len() + row.len() > SIZE_BYTES {
            break;
        }
        out.extend_from_slice(row.as_bytes());
    }
    out
}

fn xml(inside: &str) -> Vec<u8> {
    let root = "<SettlementReport xmlns=\"http://vipps.no/xmlschema/SettlementReport-3.0.xsd\">";
    let mut text = format!("{root}{inside}");
    text.truncate(SIZE_BYTES);
    text.into_bytes()
}

fn many_attributes() -> String {
    let mut tag = String::from("<a");
    for number in 0..30_000 {
        write!(tag, " a{number}=\"\"").expect("memory");
    }
    tag + "/>"
}

/// As many services as are allowed, and rows that ask for the last of them.
fn swedbank_pay() -> Vec<u8> {
    let mut out = String::from(
        "<SalesAccountedTransactions AccountingNo=\"R1-1\" TotalNoOfTransactions=\"1\" AccountingDate=\"2026-10-09\" \
         xmlns=\"http://www.payex.com/xml/SalesAccountedTransactions%5B2.0%5D.xsd\"><Summary><Currency Currency=\"SEK\">\
         <ServiceType>",
    );
    for number in 0..256 {
        write!(
            out,
            "<Service ServiceName=\"s{number}\" NoOfDebit=\"1\" NoOfCredit=\"0\" Amount=\"1.00\" \
             FromDate=\"2026-10-01\" ToDate=\"2026-10-01\"/>"
        )
        .expect("memory");
    }
    out.push_str("</ServiceType></Currency></Summary><Currency Sum=\"1.00\" Currency=\"SEK\">");
    for number in 1.. {
        if out.len() > SIZE_BYTES - 300 {
            break;
        }
        write!(
            out,
            "<Transaction Amount=\"1.00\" Currency=\"SEK\" DateCreated=\"2026-10-01 00:00:00\" ServiceName=\"s255\" \
             PayexTransactionNo=\"{number}\" a{}=\"1.00\"/>",
            number % 60
        )
        .expect("memory");
    }
    (out + "</Currency></SalesAccountedTransactions>").into_bytes()
}
