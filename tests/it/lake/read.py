"""Reads a lake with DuckDB, through its SQL, and with pyarrow, and prints what each finds as JSON."""

import json
import sys

import duckdb
import pyarrow.dataset
import pyarrow.parquet

lake, sql = sys.argv[1:3]
TERMS = ["capture", "refund", "fee", "fee_vat", "chargeback", "reserve", "adjustment", "net"]
MINOR = [f"{term}_minor" for term in TERMS]

db = duckdb.connect()
db.execute("SET enable_progress_bar = false")
db.execute(f"SET VARIABLE lake = '{lake}'")
db.execute(open(sql).read())


def rows(query):
    return [list(row) for row in db.execute(query).fetchall()]


sums = ", ".join(f"sum({name})::BIGINT" for name in MINOR)
names = "merchant_number, settlement_id, currency"
payout = "strftime(payout_on, '%Y-%m-%d')"
by_duckdb = rows(
    f"SELECT {names}, {payout}, payout_month, count(*), {sums}, (sum(net) * 100)::BIGINT"
    " FROM settlement_line GROUP BY ALL ORDER BY ALL"
)

table = pyarrow.dataset.dataset(f"{lake}/settlement_line", format="parquet", partitioning="hive").to_table()
table = table.filter(table["is_current"])
groups = ["merchant_number", "settlement_id", "currency", "payout_on", "payout_month"]
grouped = table.group_by(groups).aggregate([("line_no", "count"), *[(name, "sum") for name in [*MINOR, "net"]]])
by_pyarrow = [
    [
        row["merchant_number"], row["settlement_id"], row["currency"], str(row["payout_on"]), row["payout_month"],
        row["line_no_count"], *[row[f"{name}_sum"] for name in MINOR], int(row["net_sum"] * 100),
    ]
    for row in grouped.to_pylist()
]

bridge_terms = [f"{way}_{term}_minor" for way in ["happened", "paid"] for term in TERMS[:-1]]
bridge = ["opening_minor", *bridge_terms, "carried_minor", "paid_out_minor", "closing_minor", "invoiced_fee_minor",
          "invoiced_fee_vat_minor"]
views = [row[0] for row in rows("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL")]
exports = ["settlement_line", "match", "settlement", "fee_summary", "month_bridge", "data_dictionary"]
print(json.dumps({
    "duckdb": by_duckdb,
    "pyarrow": sorted(by_pyarrow),
    "settlement": rows(f"SELECT {names}, {payout}, payout_month, lines, {', '.join(MINOR)} FROM settlement ORDER BY ALL"),
    "bridge": rows(
        f"SELECT accounting_month, provider, payment_product, currency, {', '.join(bridge)} FROM month_bridge"
        " WHERE accounting_month = payout_month ORDER BY currency, provider, payment_product NULLS FIRST, accounting_month"
    ),
    "summary": rows(
        f"SELECT calendar_month, provider, payment_product, currency, {', '.join(MINOR[:-1])}, carried_minor, paid_out_minor"
        " FROM v_month_summary ORDER BY ALL NULLS FIRST"
    ),
    "fees": rows(
        "SELECT payout_month, merchant_number, payment_product, currency, fees, sum(lines)::BIGINT,"
        " sum(capture_minor)::BIGINT, sum(refund_minor)::BIGINT, sum(fee_minor)::BIGINT, sum(fee_vat_minor)::BIGINT"
        " FROM fee_summary GROUP BY ALL ORDER BY ALL NULLS FIRST"
    ),
    "fees_of_lines": rows(
        "SELECT payout_month, merchant_number, payment_product, currency, fees, count(*), sum(capture_minor)::BIGINT,"
        " sum(refund_minor)::BIGINT, sum(fee_minor)::BIGINT, sum(fee_vat_minor)::BIGINT"
        " FROM fact_settlement_line GROUP BY ALL ORDER BY ALL NULLS FIRST"
    ),
    "views": {view: rows(f'SELECT count(*) FROM "{view}"')[0][0] for view in views},
    "exports": {name: pyarrow.parquet.read_metadata(f"{lake}/export/{name}.parquet").num_rows for name in exports},
}))
