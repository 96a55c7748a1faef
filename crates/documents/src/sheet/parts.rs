//! The parts of a workbook that are not cells.

use std::fmt::Write as _;

use super::cell::{letters, xml};
use super::{Book, Sheet, Table};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const CONTENT: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/// Name and content of every part before the sheets.
pub(super) fn of(book: &Book<'_>) -> Vec<(String, String)> {
    let mut parts = vec![
        ("[Content_Types].xml".to_owned(), content_types(book)),
        ("_rels/.rels".to_owned(), package_relations()),
        ("docProps/core.xml".to_owned(), core(book)),
        ("xl/workbook.xml".to_owned(), workbook(book)),
        ("xl/_rels/workbook.xml.rels".to_owned(), workbook_relations(book)),
        ("xl/styles.xml".to_owned(), styles(book.exponent)),
    ];
    for (number, sheet) in (1..).zip(&book.sheets) {
        if let Some(described) = &sheet.table {
            let target = format!("../tables/table{number}.xml");
            let relations = relations(&[("table", &target)]);
            parts.push((format!("xl/worksheets/_rels/sheet{number}.xml.rels"), relations));
            parts.push((format!("xl/tables/table{number}.xml"), table(described, number)));
        }
    }
    parts
}

/// The path of the sheet with this number, from 1.
pub(super) fn sheet_name(number: usize) -> String {
    format!("xl/worksheets/sheet{number}.xml")
}

/// The XML before the rows of a sheet.
pub(super) fn sheet_head(sheet: &Sheet, is_first: bool) -> String {
    let selected = if is_first { " tabSelected=\"1\"" } else { "" };
    let mut head = format!("{HEAD}<worksheet xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\">");
    head.push_str("<sheetPr><pageSetUpPr fitToPage=\"1\"/></sheetPr>");
    if let Some(table) = &sheet.table {
        let _ = write!(head, "<dimension ref=\"{}\"/>", range(table, table.total_row()));
    }
    head.push_str("<sheetViews>");
    let (frozen, lines) = (sheet.frozen_rows(), if sheet.table.is_some() { "" } else { " showGridLines=\"0\"" });
    if frozen > 0 {
        let first = format!("A{}", frozen + 1);
        let pane = format!(
            "<pane ySplit=\"{frozen}\" topLeftCell=\"{first}\" activePane=\"bottomLeft\" state=\"frozen\"/>\
             <selection pane=\"bottomLeft\" activeCell=\"{first}\" sqref=\"{first}\"/>"
        );
        let _ = write!(head, "<sheetView{lines}{selected} workbookViewId=\"0\">{pane}</sheetView>");
    } else {
        let _ = write!(head, "<sheetView showGridLines=\"0\"{selected} workbookViewId=\"0\"/>");
    }
    head.push_str("</sheetViews><sheetFormatPr defaultRowHeight=\"15\"/><cols>");
    for (number, width) in (1..).zip(&sheet.widths) {
        let _ = write!(head, "<col min=\"{number}\" max=\"{number}\" width=\"{width}\" customWidth=\"1\"/>");
    }
    head.push_str("</cols><sheetData>");
    head
}

/// The XML after the rows of a sheet, which prints one page wide on A4.
pub(super) fn sheet_foot(sheet: &Sheet) -> String {
    let orientation = if sheet.is_landscape { "landscape" } else { "portrait" };
    let mut foot = String::from("</sheetData>");
    foot.push_str("<pageMargins left=\"0.4\" right=\"0.4\" top=\"0.6\" bottom=\"0.6\" header=\"0.3\" footer=\"0.3\"/>");
    let _ = write!(foot, "<pageSetup paperSize=\"9\" orientation=\"{orientation}\" fitToHeight=\"0\"/>");
    foot.push_str("<headerFooter><oddFooter>&amp;L&amp;F  &amp;A&amp;R&amp;P / &amp;N</oddFooter></headerFooter>");
    if sheet.table.is_some() {
        foot.push_str("<tableParts count=\"1\"><tablePart r:id=\"rId1\"/></tableParts>");
    }
    foot.push_str("</worksheet>");
    foot
}

fn content_types(book: &Book<'_>) -> String {
    let mut types = format!("{HEAD}<Types xmlns=\"{PACKAGE}/content-types\">");
    let _ = write!(types, "<Default Extension=\"rels\" ContentType=\"{}\"/>", relations_type());
    types.push_str("<Default Extension=\"xml\" ContentType=\"application/xml\"/>");
    let mut part = |name: &str, content: &str| {
        let _ = write!(types, "<Override PartName=\"/{name}\" ContentType=\"{content}\"/>");
    };
    part("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml");
    part("xl/workbook.xml", &format!("{CONTENT}.sheet.main+xml"));
    part("xl/styles.xml", &format!("{CONTENT}.styles+xml"));
    for (number, sheet) in (1..).zip(&book.sheets) {
        part(&sheet_name(number), &format!("{CONTENT}.worksheet+xml"));
        if sheet.table.is_some() {
            part(&format!("xl/tables/table{number}.xml"), &format!("{CONTENT}.table+xml"));
        }
    }
    types.push_str("</Types>");
    types
}

fn relations_type() -> &'static str {
    "application/vnd.openxmlformats-package.relationships+xml"
}

fn relations(targets: &[(&str, &str)]) -> String {
    let mut text = format!("{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\">");
    for (number, (kind, target)) in (1..).zip(targets) {
        let kind = match *kind {
            "core" => format!("{PACKAGE}/relationships/metadata/core-properties"),
            kind => format!("{RELATIONS}/{kind}"),
        };
        let _ = write!(text, "<Relationship Id=\"rId{number}\" Type=\"{kind}\" Target=\"{target}\"/>");
    }
    text.push_str("</Relationships>");
    text
}

fn package_relations() -> String {
    relations(&[("officeDocument", "xl/workbook.xml"), ("core", "docProps/core.xml")])
}

fn workbook_relations(book: &Book<'_>) -> String {
    let sheets: Vec<String> = (1..=book.sheets.len()).map(|number| format!("worksheets/sheet{number}.xml")).collect();
    let mut targets: Vec<(&str, &str)> = sheets.iter().map(|target| ("worksheet", target.as_str())).collect();
    targets.push(("styles", "styles.xml"));
    relations(&targets)
}

fn core(book: &Book<'_>) -> String {
    let time = format!("{}T00:00:00Z", book.created_on);
    let mut text = format!("{HEAD}<cp:coreProperties xmlns:cp=\"{PACKAGE}/metadata/core-properties\"");
    text.push_str(" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:dcterms=\"http://purl.org/dc/terms/\"");
    text.push_str(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">");
    let _ = write!(text, "<dc:title>{}</dc:title><dc:creator>avstem</dc:creator>", xml(book.title));
    let _ = write!(text, "<dcterms:created xsi:type=\"dcterms:W3CDTF\">{time}</dcterms:created>");
    let _ = write!(text, "<dc:language>{}</dc:language></cp:coreProperties>", book.language);
    text
}

fn workbook(book: &Book<'_>) -> String {
    let mut text = format!("{HEAD}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\">");
    text.push_str("<bookViews><workbookView/></bookViews><sheets>");
    for (number, sheet) in (1..).zip(&book.sheets) {
        let name = xml(&sheet.name);
        let _ = write!(text, "<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>");
    }
    text.push_str("</sheets><definedNames>");
    for (number, sheet) in book.sheets.iter().enumerate().filter(|(_, sheet)| sheet.frozen_rows() > 0) {
        let (name, rows) = (xml(&sheet.name), sheet.frozen_rows());
        let _ = write!(text, "<definedName name=\"_xlnm.Print_Titles\" localSheetId=\"{number}\">");
        let _ = write!(text, "'{name}'!$1:${rows}</definedName>");
    }
    text.push_str("</definedNames></workbook>");
    text
}

/// The range of a table down to this row.
fn range(table: &Table, row: u64) -> String {
    format!("A1:{}{row}", letters(table.columns.len().saturating_sub(1)))
}

fn table(described: &Table, number: u64) -> String {
    let (total, name) = (described.total_row(), &described.name);
    let mut text = format!("{HEAD}<table xmlns=\"{MAIN}\" id=\"{number}\" name=\"{name}\" displayName=\"{name}\"");
    let _ = write!(text, " ref=\"{}\" totalsRowCount=\"1\">", range(described, total));
    let _ = write!(text, "<autoFilter ref=\"{}\"/>", range(described, total - 1));
    let _ = write!(text, "<tableColumns count=\"{}\">", described.columns.len());
    for (number, column) in (1..).zip(&described.columns) {
        let total = match (column.is_summed, number) {
            (true, _) => " totalsRowFunction=\"sum\"".to_owned(),
            (false, 1) => format!(" totalsRowLabel=\"{}\"", xml(described.total)),
            (false, _) => String::new(),
        };
        let _ = write!(text, "<tableColumn id=\"{number}\" name=\"{}\"{total}/>", xml(&column.name));
    }
    text.push_str("</tableColumns><tableStyleInfo name=\"TableStyleLight1\" showFirstColumn=\"0\"");
    text.push_str(" showLastColumn=\"0\" showRowStripes=\"1\" showColumnStripes=\"0\"/></table>");
    text
}

/// Fonts, fills and borders by number, then one format for each [`super::Style`].
fn styles(exponent: u8) -> String {
    // Formats 3, 4, 14 and 49 are Excel's own; a day of format 14 is shown as the reader's own country writes it.
    let (own, amount) = match exponent {
        0 => (String::new(), 3),
        2 => (String::new(), 4),
        decimals => {
            let zeros = "0".repeat(usize::from(decimals));
            (format!("<numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"#,##0.{zeros}\"/></numFmts>"), 164)
        }
    };
    let mut text = format!("{HEAD}<styleSheet xmlns=\"{MAIN}\">{own}");
    let font = |inside: &str| format!("<font>{inside}<name val=\"Calibri\"/><family val=\"2\"/></font>");
    let fonts = [font("<sz val=\"11\"/>"), font("<b/><sz val=\"11\"/>"), font("<b/><sz val=\"16\"/>")];
    let grey = font("<sz val=\"9\"/><color rgb=\"FF595959\"/>");
    let _ = write!(text, "<fonts count=\"4\">{}{grey}</fonts>", fonts.concat());
    text.push_str("<fills count=\"3\"><fill><patternFill patternType=\"none\"/></fill>");
    text.push_str("<fill><patternFill patternType=\"gray125\"/></fill>");
    text.push_str("<fill><patternFill patternType=\"solid\"><fgColor rgb=\"FFEDEDED\"/></patternFill></fill></fills>");
    let line = |side: &str| format!("<{side} style=\"thin\"><color rgb=\"FF595959\"/></{side}>");
    let _ = write!(text, "<borders count=\"3\"><border/><border>{}</border>", line("top"));
    let _ = write!(text, "<border>{}</border></borders>", line("bottom"));
    text.push_str("<cellStyleXfs count=\"1\"><xf/></cellStyleXfs>");
    let formats = [
        (0, 0, 0, 0, ""),
        (49, 0, 0, 0, ""),
        (49, 2, 0, 0, ""),
        (49, 1, 0, 0, ""),
        (amount, 0, 0, 0, ""),
        (amount, 1, 0, 1, ""),
        (3, 0, 0, 0, ""),
        (14, 0, 0, 0, ""),
        (49, 1, 2, 2, "<alignment vertical=\"center\" wrapText=\"1\"/>"),
        (49, 1, 2, 2, "<alignment horizontal=\"right\" vertical=\"center\" wrapText=\"1\"/>"),
        (49, 1, 0, 1, ""),
        (49, 3, 0, 0, ""),
        (14, 0, 0, 0, "<alignment horizontal=\"left\"/>"),
        (3, 1, 0, 1, ""),
    ];
    let _ = write!(text, "<cellXfs count=\"{}\">", formats.len());
    for (number, font, fill, border, alignment) in formats {
        let _ = write!(
            text,
            "<xf numFmtId=\"{number}\" fontId=\"{font}\" fillId=\"{fill}\" borderId=\"{border}\" xfId=\"0\""
        );
        let _ = write!(text, " applyNumberFormat=\"1\" applyFont=\"1\" applyFill=\"1\" applyBorder=\"1\"");
        let _ = write!(text, " applyAlignment=\"1\">{alignment}</xf>");
    }
    text.push_str(
        "</cellXfs><cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles>",
    );
    text.push_str("</styleSheet>");
    text
}
