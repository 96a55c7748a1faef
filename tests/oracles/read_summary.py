"""Reads every form of a month summary with readers that avstem did not write, and sums its rows anew.

Usage: read_summary.py FOLDER...
Each folder has the forms, and their language in the file `language`. Prints one JSON object a folder: for each form, what was paid
out, the number of payouts, and what was in transit at both ends, by currency and in minor units. Every row of a form for people is
added up, every column against its total, and a formula against its result. All currencies here have two decimals.
"""

import csv
import decimal
import json
import pathlib
import re
import sys

import duckdb
import openpyxl
import pypdf

MARKS = {"nb": (",", "\u00a0"), "sv": (",", "\u00a0"), "da": (",", "."), "fi": (",", "\u00a0"), "en": (".", ",")}


def minor(value):
    exact = decimal.Decimal(value if isinstance(value, str) else repr(value)).scaleb(2)
    whole = exact.to_integral_value()
    assert abs(exact - whole) < decimal.Decimal("0.000001"), value
    return int(whole)


def told(figures, payouts, bridge, transit):
    """By currency, from rows of (currency, amount); the parts must agree with each other."""
    found = {}
    for currency, amount in payouts:
        one = found.setdefault(currency, {"paid_out": 0, "payouts": 0, "opening": 0, "closing": 0})
        one["paid_out"] += amount
        one["payouts"] += 1
    for currency, opening, paid_out, closing in bridge:
        found[currency]["opening"] += opening
        found[currency]["closing"] += closing
    for currency, one in found.items():
        of = lambda rows: sum(row[-1] for row in rows if row[0] == currency)
        assert of(figures) == one["paid_out"], (currency, of(figures), one)
        assert of(transit) == one["closing"], (currency, of(transit), one)
        assert sum(row[2] for row in bridge if row[0] == currency) == one["paid_out"]
    return found


def by_record(rows):
    """Rows with the amounts in minor units, as the machine's forms have them."""
    of = lambda record: [row for row in rows if row["record"] == record]
    for row in of("figures") + of("payout"):
        net = row["capture"] + row["refund"] - row["fee"] - row["fee_vat"] + row["chargeback"] + row["reserve"]
        assert net + row["adjustment"] + row["invoiced"] + row["carried"] == row["paid_out"], row
    for row in of("bridge"):
        net = row["capture"] + row["refund"] - row["fee"] - row["fee_vat"] + row["chargeback"] + row["reserve"]
        assert row["opening"] + net + row["adjustment"] - row["paid_out"] == row["closing"], row
    totals = {row["currency"]: row for row in of("total")}
    found = told(
        [(row["currency"], row["paid_out"]) for row in of("figures")],
        [(row["currency"], row["paid_out"]) for row in of("payout")],
        [(row["currency"], row["opening"], row["paid_out"], row["closing"]) for row in of("bridge")],
        [(row["currency"], row["amount"]) for row in of("in_transit")],
    )
    for currency, one in found.items():
        assert [totals[currency][name] for name in ("paid_out", "opening", "closing", "count")] == [
            one["paid_out"], one["opening"], one["closing"], one["payouts"]]
    return found


AMOUNTS = ["capture", "refund", "fee", "fee_vat", "chargeback", "reserve", "adjustment", "invoiced", "opening", "carried",
           "paid_out", "closing", "amount"]


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert all(None not in row and None not in row.values() for row in rows), "a row of another width"
    amounts = lambda row: {name: minor(row[name]) if row[name] else None for name in AMOUNTS}
    count = lambda row: int(row["count"]) if row["count"] else None
    return len(rows), by_record([row | amounts(row) | {"count": count(row)} for row in rows])


def read_parquet(path):
    names = ", ".join(f"{name}_minor AS {name}" for name in AMOUNTS)
    query = f'SELECT record, currency, "count", {names} FROM \'{path}\' WHERE revision = 2 AND schema_version = 1'
    relation = duckdb.sql(query)
    return by_record([dict(zip(relation.columns, row)) for row in relation.fetchall()])


def read_json(path):
    content = json.loads(path.read_text(encoding="utf-8"))["content"]
    row = lambda record, row, terms: (
        {name: 0 for name in AMOUNTS} | {"record": record, "currency": row["currency"], "count": row.get("lines")}
        | {name.removesuffix("_minor"): value for name, value in (row.get(terms) or {}).items()}
        | {name.removesuffix("_minor"): value for name, value in row.items() if name.endswith("_minor")})
    rows = [row("figures", one, "sums") for one in content["figures"]]
    rows += [row("bridge", one, "happened") | {"carried": 0} for one in content["bridge"]]
    rows += [row("in_transit", one, "") for one in content["in_transit"]]
    for one in content["payouts"]:
        invoiced = one["sums"]["fee_minor"] + one["sums"]["fee_vat_minor"] if one["fees"] == "invoiced" else 0
        rows.append(row("payout", one, "sums") | {
            "invoiced": invoiced, "carried": one["opening_minor"] - one["closing_minor"], "paid_out": one["payout_minor"]})
    of = lambda record: [row for row in rows if row["record"] == record]
    return told(
        [(row["currency"], row["paid_out"]) for row in of("figures")],
        [(row["currency"], row["paid_out"]) for row in of("payout")],
        [(row["currency"], row["opening"], row["paid_out"], row["closing"]) for row in of("bridge")],
        [(row["currency"], row["amount"]) for row in of("in_transit")],
    )


def of_sections(sections):
    """Sections in the order of the summary: as many currencies, each with figures, then bridges, in transit, payouts."""
    money = [section for section in sections if section["currency"]]
    size = len({section["currency"] for section in money})
    assert len(money) == 4 * size, [section["title"] for section in sections]
    for section in money:
        for column, total in enumerate(section["total"]):
            assert sum(row[column] for row in section["rows"]) == total, section["title"]
    figures, bridge, transit, payouts = (money[part * size:(part + 1) * size] for part in range(4))
    for section in figures + payouts:
        assert all(sum(row[:-1]) == row[-1] for row in section["rows"]), section
    for section in bridge:
        assert all(sum(row[:-1]) == row[-1] for row in section["rows"]), section
    rows = lambda sections: [(section["currency"], row) for section in sections for row in section["rows"]]
    return told(
        [(currency, row[-1]) for currency, row in rows(figures)],
        [(currency, row[-1]) for currency, row in rows(payouts)],
        [(currency, row[0], -row[-2], row[-1]) for currency, row in rows(bridge)],
        [(currency, row[-1]) for currency, row in rows(transit)],
    )


def currency_of(title):
    found = re.search(r"\(([A-Z]{3})\)$", title or "")
    return found and found[1]


def read_semicolon(path, language):
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n")
    mark, _ = MARKS[language]
    amount = re.compile(r"-?\d+%s\d\d" % re.escape(mark))
    sections, rows = [], list(csv.reader(open(path, newline="", encoding="utf-8-sig"), delimiter=";", strict=True))
    for place, row in enumerate(rows):
        if not row and place + 1 < len(rows):
            sections.append({"title": rows[place + 1][0], "currency": currency_of(rows[place + 1][0]), "rows": []})
        elif sections and (amounts := [cell for cell in row if amount.fullmatch(cell)]):
            sections[-1]["rows"].append([minor(cell.replace(mark, ".")) for cell in amounts])
    for section in sections:
        section["total"] = section["rows"].pop() if section["currency"] else []
    return of_sections(sections)


def read_xlsx(path):
    formulas, results = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    sections = []
    for sheet in formulas.worksheets:
        assert sheet.page_setup.orientation == "landscape" and sheet.sheet_properties.pageSetUpPr.fitToPage
        if sheet.tables:
            sections.append(table_of(sheet, results[sheet.title]))
            continue
        for row, result in zip(sheet.iter_rows(), results[sheet.title].iter_rows()):
            title = row[0].value if row else None
            if currency_of(title if isinstance(title, str) else None):
                sections.append({"title": title, "currency": currency_of(title), "rows": [], "total": []})
            is_amount = lambda cell: cell.data_type in "nf" and cell.value is not None and cell.number_format == "#,##0.00"
            amounts = [(cell, minor(value.value)) for cell, value in zip(row, result) if is_amount(cell)]
            if not sections or not amounts or sections[-1]["total"]:
                continue
            if amounts[0][0].data_type == "f":
                first, last = row[0].row - len(sections[-1]["rows"]), row[0].row - 1
                for cell, _ in amounts:
                    assert cell.value == f"=SUM({cell.column_letter}{first}:{cell.column_letter}{last})", cell.value
                sections[-1]["total"] = [value for _, value in amounts]
            else:
                sections[-1]["rows"].append([value for _, value in amounts])
    for sheet in formulas.worksheets[-2:]:
        assert sheet.freeze_panes == "A2" and sheet.print_title_rows == "$1:$1", sheet.title
    return len(formulas.worksheets), of_sections(sorted(sections, key=lambda section: section.get("is_table", False)))


def table_of(sheet, results):
    (table,) = sheet.tables.values()
    assert sheet.freeze_panes == "A2" and sheet.print_title_rows == "$1:$1" and table.totalsRowCount == 1
    assert table.autoFilter and table.ref == sheet.dimensions, (table.ref, sheet.dimensions)
    header, *lines, total = list(sheet.iter_rows())
    money = [place for place, cell in enumerate(total) if cell.data_type == "f"]
    for place in money:
        assert total[place].value == f"=SUBTOTAL(109,{table.name}[{header[place].value}])", total[place].value
    assert all(row[0].is_date for row in lines)
    return {
        "title": sheet.title, "currency": sheet.title.split()[-1], "is_table": True,
        "rows": [[minor(row[place].value) for place in money] for row in lines],
        "total": [minor(results[total[0].row][place].value) for place in money],
    }


def read_pdf(path, language):
    """Sections by where their texts stand: columns that are zero throughout are left out there."""
    mark, group = MARKS[language]
    amount = re.compile(r"-?\d{1,3}(?:[ \u00a0%s]\d{3})*%s\d\d" % (re.escape(group), re.escape(mark)))
    reader = pypdf.PdfReader(path, strict=True)
    sections = []
    for page in reader.pages:
        rows = {}

        def visit(text, matrix, text_matrix, *_):
            if text.strip():
                rows.setdefault(round(text_matrix[5]), []).append((text_matrix[4], text.strip()))

        page.extract_text(visitor_text=visit)
        for _, cells in sorted(rows.items(), reverse=True):
            cells = [text for _, text in sorted(cells)]
            if len(cells) == 1 and currency_of(cells[0]):
                sections.append({"title": cells[0], "currency": currency_of(cells[0]), "rows": [], "is_over": False})
            amounts = []
            while cells and amount.fullmatch(cells[-1]):
                plain = re.sub(r"[ \u00a0%s]" % re.escape(group), "", cells.pop())
                amounts.insert(0, minor(plain.replace(mark, ".")))
            if sections and amounts and not sections[-1]["is_over"]:
                sections[-1]["rows"].append(amounts)
                # The row of totals names no provider.
                sections[-1]["is_over"] = len(cells) <= 2 and not any("Vipps" in cell for cell in cells)
    for section in sections:
        section["total"] = section["rows"].pop()
    return len(reader.pages), of_sections(sections)


def main():
    for folder in map(pathlib.Path, sys.argv[1:]):
        language = (folder / "language").read_text()
        file = lambda ending: folder / f"month-summary.{ending}"
        records, of_csv = read_csv(file("csv"))
        sheets, of_xlsx = read_xlsx(file("xlsx"))
        pages, of_pdf = read_pdf(file("pdf"), language)
        print(json.dumps({
            "csv": of_csv,
            "json": read_json(file("json")),
            "parquet": read_parquet(file("parquet")),
            "xlsx": of_xlsx,
            "semicolon.csv": read_semicolon(file("semicolon.csv"), language),
            "pdf": of_pdf,
            "records": records,
            "sheets": sheets,
            "pages": pages,
        }))


main()
