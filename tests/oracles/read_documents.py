"""Reads every form of a Dintero report with readers that avstem did not write, and sums its lines anew.

Usage: read_documents.py FOLDER...
Each folder has the forms and `about.json` with the currency's exponent and the language. Prints one JSON object a folder:
for each form, how many lines it has, the sums of its lines and the totals it states, in minor units and signed towards the
merchant. Ends with an error when a form is malformed.
"""

import csv
import datetime
import decimal
import json
import pathlib
import re
import sys

import lxml.etree
import openpyxl
import pypdf

TERMS = ["capture", "refund", "fee", "fee_vat", "chargeback", "reserve", "adjustment", "net"]
# Dintero's signs in the forms for programs: what costs the merchant is positive there.
COSTS = ["refund", "fee", "fee_vat", "chargeback"]
MARKS = {"nb": (",", "\u00a0"), "sv": (",", "\u00a0"), "da": (",", "."), "fi": (",", "\u00a0"), "en": (".", ",")}
DAYS = {"nb": "%d.%m.%Y", "sv": "%Y-%m-%d", "da": "%d.%m.%Y", "fi": "%d.%m.%Y", "en": "%d %b %Y"}


def minor(value, exponent):
    """Decimal text, or a double of a workbook, as minor units; never rounded by more than a double is off."""
    exact = decimal.Decimal(value if isinstance(value, str) else repr(value)).scaleb(exponent)
    whole = exact.to_integral_value()
    assert abs(exact - whole) < decimal.Decimal("0.000001"), value
    return int(whole)


def summed(rows):
    return {"lines": len(rows), "sums": {term: sum(row[term] for row in rows) for term in TERMS}}


def towards_merchant(row):
    return {term: -amount if term in COSTS else amount for term, amount in row.items()}


def read_csv(path, exponent):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert all(None not in row and None not in row.values() for row in rows), "a row of another width"
    names = [*TERMS[:-1], "amount"]
    amounts = [towards_merchant({t: minor(row[n], exponent) for t, n in zip(TERMS, names)}) for row in rows]
    assert [row["record_type"] for row in rows] == ["transaction"] * (len(rows) - 1) + ["proof"]
    return summed(amounts[:-1]) | {"totals": amounts[-1], "references": [row["reference"] for row in rows[:-1]]}


def read_json(path, exponent):
    report = json.loads(path.read_text(encoding="utf-8"))
    names = [*TERMS[:-1], "amount"]
    pick = lambda row: towards_merchant({term: row[name] for term, name in zip(TERMS, names)})
    rows = report["transactions"]
    references = [row["reference"] or "" for row in rows]
    return summed([pick(row) for row in rows]) | {"totals": pick(report["proof"]), "references": references}


def read_xml(path, exponent):
    schema = lxml.etree.XMLSchema(file=str(pathlib.Path(__file__).with_name("dintero-report.xsd")))
    tree = lxml.etree.parse(str(path))
    schema.assertValid(tree)
    lines = ["Capture", "Refund", "Fee", "FeeVat", "Chargeback", "Reserve", "Adjustment", "Amount"]
    rows = tree.findall(".//TransactionInfo")
    pick = lambda row, names: towards_merchant(
        {term: minor(row.findtext(name), exponent) for term, name in zip(TERMS, names)})
    amounts = [pick(row, ["Transaction" + name for name in lines]) for row in rows]
    totals = pick(tree.find(".//SettlementProof"), [*lines[:-1], "Net"])
    return summed(amounts) | {"totals": totals, "references": [row.findtext("Reference") for row in rows]}


def read_semicolon(path, exponent, language):
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n")
    with open(path, newline="", encoding="utf-8-sig") as file:
        header, *rows = list(csv.reader(file, delimiter=";", strict=True))
    assert all(len(row) == len(header) for row in rows), "a row of another width"
    decimal_mark, _ = MARKS[language]
    amounts = []
    for row in rows:
        cells = row[-9:-1]
        assert all((decimal_mark in cell) == (exponent > 0) for cell in cells), cells
        amounts.append({t: minor(cell.replace(decimal_mark, "."), exponent) for t, cell in zip(TERMS, cells)})
    for row in rows[:-1]:
        datetime.date.fromisoformat(row[1])
    return summed(amounts[:-1]) | {"totals": amounts[-1], "references": [row[3] for row in rows[:-1]]}


def read_xlsx(path, exponent):
    formulas = openpyxl.load_workbook(path)
    results = openpyxl.load_workbook(path, data_only=True)
    sheet = next(sheet for sheet in formulas if sheet.tables)
    (table,) = sheet.tables.values()
    assert sheet.freeze_panes == "A2" and sheet.print_title_rows == "$1:$1" and table.totalsRowCount == 1
    assert sheet.page_setup.orientation == "landscape" and sheet.sheet_properties.pageSetUpPr.fitToPage
    assert table.autoFilter and table.ref == sheet.dimensions, (table.ref, sheet.dimensions)
    header, *lines, total = list(sheet.iter_rows())
    assert [cell.value for cell in header] == [column.name for column in table.tableColumns]
    # A table without lines has a blank row.
    lines = [row for row in lines if any(cell.value is not None for cell in row)]
    money = slice(9, 17)
    amounts = []
    for row in lines:
        assert all(cell.data_type == "n" and cell.number_format.startswith("#,##0") for cell in row[money])
        assert row[1].is_date and isinstance(row[1].value, datetime.datetime)
        assert all(cell.data_type == "s" or cell.value is None for cell in (*row[2:9], row[17]))
        amounts.append({term: minor(cell.value, exponent) for term, cell in zip(TERMS, row[money])})
    for cell, column in zip(total[money], header[money]):
        assert cell.value == f"=SUBTOTAL(109,{table.name}[{column.value}])", cell.value
    cached = results[sheet.title][total[0].row][money]
    summary = [(row[0].value, row[1].value) for row in results.worksheets[0].iter_rows(max_col=2)]
    balance = [minor(value, exponent) for _, value in summary if isinstance(value, (int, float))]
    return summed(amounts) | {
        "totals": {term: minor(cell.value, exponent) for term, cell in zip(TERMS, cached)},
        "references": [row[3].value or "" for row in lines],
        "balance": balance,
        "parts": [parts(formulas.worksheets[1], results.worksheets[1], exponent)],
        "proof": next(value for _, value in reversed(summary) if isinstance(value, str) and "=" in value),
        "sheets": len(formulas.worksheets),
        "deviations": deviations(formulas.worksheets[formulas.worksheets.index(sheet) + 1:], exponent),
    }


def deviations(sheets, exponent):
    """Rows of the sheet behind the lines, where there is one: row of the source, reference, payment and amount."""
    found = []
    for sheet in sheets:
        assert sheet.freeze_panes == "A2" and sheet.max_column == 6
        for row, reference, what, payment, amount, currency in sheet.iter_rows(min_row=2, values_only=True):
            if currency is None:
                continue
            assert what and isinstance(amount, (int, float)), (what, amount)
            found.append([row, reference, payment, minor(amount, exponent)])
    return found


def parts(formulas, results, exponent):
    """Sums of each way to part the settlement: the parts' own, held against the results of the formulas."""
    found, rows = [], []
    for row, result in zip(formulas.iter_rows(min_col=2), results.iter_rows(min_col=2)):
        cells = [cell.value for cell in row[1:9]] or [None]
        if isinstance(cells[0], str) and cells[0].startswith("=SUM("):
            totals = {term: minor(cell.value, exponent) for term, cell in zip(TERMS, result[1:9])}
            own = {term: sum(part[term] for part in rows) for term in TERMS}
            assert totals == own, (totals, own)
            found.append(totals)
            rows = []
        elif isinstance(cells[0], (int, float)):
            rows.append({term: minor(value, exponent) for term, value in zip(TERMS, cells)})
    return found


def read_pdf(path, exponent, language):
    """The lines of a specification by where their texts stand: only terms that any line has are columns there."""
    reader = pypdf.PdfReader(path, strict=True)
    decimal_mark, group = MARKS[language]
    fraction = re.escape(decimal_mark) + r"\d{%d}" % exponent if exponent else ""
    amount = re.compile(r"-?\d{1,3}(?:[ \u00a0%s]\d{3})*%s" % (re.escape(group), fraction))
    lines, last, texts = [], None, []
    for page in reader.pages:
        rows = {}

        def visit(text, matrix, text_matrix, *_):
            if text.strip():
                rows.setdefault(round(text_matrix[5]), []).append((text_matrix[4], text.strip()))

        page.extract_text(visitor_text=visit)
        for _, cells in sorted(rows.items(), reverse=True):
            cells = [text for _, text in sorted(cells)]
            texts.append(cells)
            amounts = []
            while cells and amount.fullmatch(cells[-1]) and len(amounts) < len(TERMS):
                plain = re.sub(r"[ \u00a0%s]" % re.escape(group), "", cells.pop())
                amounts.insert(0, minor(plain.replace(decimal_mark, "."), exponent))
            if len(amounts) > 3 and len(cells) > 1 and is_day(cells[1], language):
                lines.append((cells, amounts))
            elif len(amounts) > 3:
                last = amounts
    return {
        "lines": len(lines),
        "columns": [sum(column) for column in zip(*(amounts for _, amounts in lines))],
        "totals": last,
        "pages": len(reader.pages),
        "text": "\n".join(" ".join(cells) for cells in texts),
    }


def is_day(text, language):
    try:
        datetime.datetime.strptime(text.replace("\u00a0", " "), DAYS[language])
        return True
    except ValueError:
        return False


def main():
    for folder in map(pathlib.Path, sys.argv[1:]):
        about = json.loads((folder / "about.json").read_text())
        exponent, language = about["exponent"], about["language"]
        file = lambda ending: folder / f"dintero-report.{ending}"
        print(json.dumps({
            "csv": read_csv(file("csv"), exponent),
            "json": read_json(file("json"), exponent),
            "xml": read_xml(file("xml"), exponent),
            "semicolon.csv": read_semicolon(file("semicolon.csv"), exponent, language),
            "xlsx": read_xlsx(file("xlsx"), exponent),
            "pdf": read_pdf(file("pdf"), exponent, language),
        }))


main()
