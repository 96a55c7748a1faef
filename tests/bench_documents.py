"""Times the workbook and the PDF of one large settlement beside Python's workbook writers, in turn. Called by bench.sh.

The peers write the sheet of lines alone, from our own CSV, in their modes of least memory; ours also proves the lines and
writes the other sheets.
"""

import os
import statistics
import sys

from bench import measure

READ = """
import csv, datetime, sys
def rows(source):
    with open(source, newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file, delimiter=";")
        yield next(lines)
        for line in lines:
            if line[1]:
                number = lambda text: float(text.replace(",", "."))
                yield [int(line[0]), datetime.date.fromisoformat(line[1]), *line[2:9], *map(number, line[9:17]), line[17]]
source, target = sys.argv[1:3]
"""
PEERS = {
    "openpyxl.xlsx": READ + """
import openpyxl
book = openpyxl.Workbook(write_only=True)
sheet = book.create_sheet("lines")
for row in rows(source):
    sheet.append(row)
book.save(target)
""",
    "xlsxwriter.xlsx": READ + """
import xlsxwriter
book = xlsxwriter.Workbook(target, {"constant_memory": True, "default_date_format": "yyyy-mm-dd", "strings_to_formulas": False})
sheet = book.add_worksheet("lines")
for number, row in enumerate(rows(source)):
    sheet.write_row(number, 0, row)
book.close()
""",
}


def net(path):
    """Sum of the last column of money, in minor units, and the number of lines."""
    # Imported here, since a process begins with the peak of the one that starts it: this one must be small until then.
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    amounts = [row[16] for row in book.worksheets[-1].iter_rows(min_row=2, values_only=True) if row[1]]
    return len(amounts), sum(round(amount * 100) for amount in amounts)


def main():
    writer, folder, lines, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    place = lambda name: os.path.join(folder, f"documents-{name}")
    measure([writer, "semicolon.csv", lines, place("lines.csv")])
    commands = {
        "avstem.xlsx": [writer, "xlsx", lines, place("avstem.xlsx")],
        **{name: [sys.executable, "-c", script, place("lines.csv"), place(name)] for name, script in PEERS.items()},
        "avstem.pdf": [writer, "pdf", lines, place("avstem.pdf")],
    }
    runs = {name: [] for name in commands}
    for round_number in range(rounds + 1):
        for name, command in commands.items():
            figures = measure(command)
            if round_number > 0:
                runs[name].append(figures)
    ours = net(place("avstem.xlsx"))
    if ours[0] != int(lines) or any(net(place(name)) != ours for name in PEERS):
        sys.exit("The workbooks do not have the same sums")
    for name, figures in runs.items():
        cpu, wall, memory = (statistics.median(column) for column in zip(*figures))
        size = os.path.getsize(place(name)) / 1e6
        print(f"{name:<15} cpu {cpu:6.2f} s  wall {wall:6.2f} s  peak {memory:6.1f} MiB  file {size:6.1f} MB")
    for name in PEERS:
        ratio = statistics.median(b[0] / a[0] for a, b in zip(runs["avstem.xlsx"], runs[name]))
        memory = statistics.median(a[2] / b[2] for a, b in zip(runs["avstem.xlsx"], runs[name]))
        print(f"avstem.xlsx is {ratio:.1f} times as fast as {name} (cpu) and takes {memory:.2f} of its memory")


if __name__ == "__main__":
    main()
