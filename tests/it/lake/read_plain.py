"""What a reader finds in every Parquet file of a folder, as JSON: `read_plain.py FOLDER fastparquet|duckdb|pyarrow`.

Of each file its rows and the sum of each whole number of money; pyarrow says the encodings of the pages as well.
"""

import json
import pathlib
import sys


def by_fastparquet(path):
    import fastparquet

    table = fastparquet.ParquetFile(str(path)).to_pandas()
    sums = {name: int(table[name].fillna(0).sum()) for name in table.columns if name.endswith("_minor")}
    return len(table), sums, None


def by_duckdb(path):
    import duckdb

    database = duckdb.connect()
    table = f"read_parquet('{path}', hive_partitioning = false)"
    columns = [row[0] for row in database.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()]
    money = [name for name in columns if name.endswith("_minor")]
    sums = ", ".join(f"coalesce(sum({name}), 0)::HUGEINT" for name in money)
    row = database.execute(f"SELECT count(*){', ' if sums else ''}{sums} FROM {table}").fetchone()
    # Every cell is decoded, not only the money.
    database.execute(f"SELECT * FROM {table}").fetchall()
    return row[0], dict(zip(money, map(int, row[1:]))), None


def by_pyarrow(path):
    import pyarrow.compute
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(path)
    table = file.read()
    money = [name for name in table.column_names if name.endswith("_minor")]
    sums = {name: pyarrow.compute.sum(table[name]).as_py() or 0 for name in money}
    groups = [file.metadata.row_group(place) for place in range(file.metadata.num_row_groups)]
    chunks = [group.column(place) for group in groups for place in range(group.num_columns)]
    shape = {encoding for chunk in chunks for encoding in chunk.encodings}, {chunk.compression for chunk in chunks}
    return table.num_rows, sums, [sorted(names) for names in shape]


def main():
    folder, reader = pathlib.Path(sys.argv[1]), globals()[f"by_{sys.argv[2]}"]
    found = {}
    for path in sorted(folder.rglob("*.parquet")):
        rows, sums, shape = reader(path)
        found[str(path.relative_to(folder))] = {"rows": rows, "sums": sums, "shape": shape}
    print(json.dumps(found))


main()
