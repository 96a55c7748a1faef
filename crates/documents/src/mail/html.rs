//! The letter as HTML: with inline styles and without pictures. Text from reports is escaped by type.

use super::letter::{Block, Cell, Letter, Table, Tone};
use settlement::WebAddress;

/// HTML. Only constants of this file are added without escaping.
struct Markup(String);

impl Markup {
    fn raw(&mut self, marks: &'static str) -> &mut Self {
        self.0.push_str(marks);
        self
    }

    /// Adds text, escaped.
    fn text(&mut self, text: &str) -> &mut Self {
        for sign in text.chars() {
            match sign {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // No control or bidirectional character may hide or reorder text.
                '\n' | '\t' | '\r' => self.0.push(' '),
                sign if sign.is_control() || matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                    self.0.push('\u{fffd}');
                }
                sign => self.0.push(sign),
            }
        }
        self
    }

    fn link(&mut self, address: &WebAddress, text: &str) -> &mut Self {
        self.raw("<a style=\"color:#0b5c50\" href=\"").text(address.as_str()).raw("\">").text(text).raw("</a>")
    }
}

const HEADING: &str = "<h2 style=\"margin:28px 0 6px;font-size:15px;line-height:20px;font-weight:600;color:#33424f\">";
const TABLE: &str = "<div style=\"overflow-x:auto\"><table role=\"table\" cellpadding=\"0\" cellspacing=\"0\" \
                     style=\"width:100%;border-collapse:collapse;font-size:14px;line-height:20px\">";
const ROW: &str = "<tr>";
const SUM_ROW: &str = "<tr style=\"font-weight:600\">";

/// The letter as a whole page.
pub(super) fn write(letter: &Letter) -> String {
    let mut out = Markup(String::with_capacity(8_192));
    out.raw("<!DOCTYPE html>\n<html lang=\"").text(letter.language.tag());
    out.raw("\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    out.raw("<meta name=\"color-scheme\" content=\"light\"><title>").text(&letter.title).raw("</title></head>\n");
    out.raw("<body style=\"margin:0;padding:0;background:#eef2f4;color:#16212b;-webkit-text-size-adjust:100%\">");
    out.raw("<div style=\"max-width:600px;margin:0 auto;padding:16px 12px 32px;");
    out.raw("font-family:-apple-system,'Segoe UI',Roboto,'Noto Sans',Helvetica,Arial,sans-serif\">\n");
    out.raw("<div style=\"padding:4px 8px 10px;font-size:13px;line-height:18px;color:#51616f\">");
    out.text(&letter.sender).raw("</div>\n");
    out.raw("<div style=\"background:#ffffff;border:1px solid #d9e1e6;border-radius:8px;padding:20px 20px 24px\">\n");
    out.raw("<h1 style=\"margin:0 0 8px;font-size:20px;line-height:27px;font-weight:600\">").text(&letter.title);
    out.raw("</h1>\n");
    for block in &letter.blocks {
        write_block(&mut out, block);
    }
    out.raw("</div>\n");
    if !letter.footer.is_empty() {
        out.raw("<div style=\"padding:12px 8px 0;font-size:12px;line-height:18px;color:#51616f\">");
        for line in &letter.footer {
            out.raw("<p style=\"margin:0 0 6px\">").text(line).raw("</p>");
        }
        if let Some((text, address)) = &letter.stop {
            out.raw("<p style=\"margin:0 0 6px\">").link(address, text).raw("</p>");
        }
        out.raw("</div>\n");
    }
    out.raw("</div></body></html>\n");
    out.0
}

fn write_block(out: &mut Markup, block: &Block) {
    match block {
        Block::Paragraph(text) => {
            out.raw("<p style=\"margin:10px 0;font-size:15px;line-height:22px\">").text(text).raw("</p>\n");
        }
        Block::Banner(tone, text) => {
            out.raw(match tone {
                Tone::Good => {
                    "<p style=\"margin:16px 0 0;padding:9px 12px;background:#e6f4ef;border-left:4px solid #12806a;"
                }
                Tone::Bad => {
                    "<p style=\"margin:12px 0;padding:9px 12px;background:#fdeeea;border-left:4px solid #c2411c;"
                }
            });
            out.raw("font-size:14px;line-height:20px\">").text(text).raw("</p>\n");
        }
        Block::Code(text) => {
            out.raw("<p style=\"margin:14px 0;padding:12px;background:#eef2f4;border-radius:6px;font-size:16px;");
            out.raw("line-height:22px;font-family:ui-monospace,Menlo,Consolas,monospace;word-break:break-all\">");
            out.text(text).raw("</p>\n");
        }
        Block::Table(table) => write_table(out, table),
        Block::List(heading, lines) => {
            out.raw(HEADING).text(heading).raw("</h2>\n");
            out.raw("<ul style=\"margin:0;padding:0 0 0 18px;font-size:14px;line-height:21px\">");
            for line in lines {
                out.raw("<li style=\"margin:0 0 3px\">").text(line).raw("</li>");
            }
            out.raw("</ul>\n");
        }
        Block::Link(text, address) => {
            out.raw("<p style=\"margin:14px 0 0;font-size:14px;line-height:20px\">").link(address, text).raw("</p>\n");
        }
    }
}

fn write_table(out: &mut Markup, table: &Table) {
    if let Some(heading) = &table.heading {
        out.raw(HEADING).text(heading).raw("</h2>\n");
    }
    out.raw(TABLE);
    if !table.columns.is_empty() {
        out.raw("<thead><tr>");
        for (column, is_money) in &table.columns {
            out.raw("<th scope=\"col\" style=\"padding:5px 0 5px 10px;border-bottom:1px solid #9fb0bc;font-size:12px;");
            out.raw("font-weight:600;color:#51616f;vertical-align:bottom;");
            out.raw(if *is_money { "text-align:right\">" } else { "text-align:left;padding-left:0\">" });
            out.text(column).raw("</th>");
        }
        out.raw("</tr></thead>");
    }
    out.raw("<tbody>");
    for row in &table.rows {
        out.raw(if row.is_sum { SUM_ROW } else { ROW });
        for cell in &row.cells {
            out.raw("<td style=\"padding:5px 0 5px 10px;vertical-align:top;");
            out.raw(if row.is_sum { "border-top:1px solid #9fb0bc;" } else { "border-top:1px solid #e6ecef;" });
            match cell {
                Cell::Text(text) => out.raw("text-align:left;padding-left:0\">").text(text),
                Cell::Money(text) => {
                    out.raw("text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums\">").text(text)
                }
                Cell::Fact(text) => out.raw("text-align:right;word-break:break-word\">").text(text),
            };
            out.raw("</td>");
        }
        out.raw("</tr>");
    }
    out.raw("</tbody></table></div>\n");
}
