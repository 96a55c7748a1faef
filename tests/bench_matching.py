"""Times `avstem match` beside a join of DuckDB, in turn, and prints ratios. Called by bench.sh.

DuckDB is given the captures and refunds of the mirror as a flat table, and compares one key and the amount; avstem reads the mirror
itself, goes down the ladder of keys, looks for duplicates across settlements and gives each line its reason.
"""

import glob
import os
import statistics
import sys

from bench import measure, run

EVENTS = """
import duckdb, sys
home, target = sys.argv[1:3]
duckdb.sql(f'''COPY (
  SELECT transaction_id, payment_product, merchant_reference, json_extract_string(event, '$.kind') AS kind,
         json_extract(event, '$.amount_minor')::BIGINT AS amount_minor,
         json_extract_string(event, '$.keys."vipps:transactionInfo.transactionId"') AS key
  FROM (SELECT *, unnest(from_json(events, '["JSON"]')) AS event FROM '{home}/mirror/*/*.parquet')
) TO '{target}' (FORMAT parquet, COMPRESSION zstd)''')
"""

JOIN = """
import duckdb, sys
lines, events, target = sys.argv[1:4]
db = duckdb.connect()
db.execute("SET threads = 1")
db.execute(f'''COPY (
  SELECT line.merchant_number, line.settlement_id, line.currency, line.line_no,
         CASE WHEN transaction_id IS NULL THEN 'transaction_unknown' ELSE 'matched' END AS state,
         transaction_id, payment_product, merchant_reference, line.payout_on
  FROM '{lines}' AS line LEFT JOIN '{events}' AS event
    ON event.key = line.provider_transaction_id
   AND event.kind = CASE line.kind WHEN 'sale' THEN 'CAPTURE' ELSE 'REFUND' END
   AND event.amount_minor = line.capture_minor - line.refund_minor
) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)''')
"""


def main():
    avstem, home, folder, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    (lines,) = glob.glob(os.path.join(home, "lake/reports/*/*/*/settlement_line.parquet"))
    events, joined = os.path.join(folder, "events.parquet"), os.path.join(folder, "joined.parquet")
    measure([sys.executable, "-c", EVENTS, home, events])
    commands = {
        "avstem": [avstem, "match", "--home", home],
        "duckdb": [sys.executable, "-c", JOIN, lines, events, joined],
    }
    median, ratio = run(commands, rounds)
    (matched,) = glob.glob(os.path.join(home, "lake/reports/*/*/match/*.parquet"))
    if states(matched) != states(joined):
        sys.exit(f"The two found other states: {states(matched)} and {states(joined)}")
    for name, (cpu, wall, memory) in median.items():
        print(f"{name:<7} cpu {cpu:6.2f} s  wall {wall:6.2f} s  peak {memory:6.0f} MiB")
    print(f"avstem takes {1 / ratio:.2f} times as long as duckdb's join of one key (cpu, one thread each)")


def states(path):
    """How many lines have which state."""
    import duckdb

    query = f"SELECT state, count(*), count(DISTINCT transaction_id) FROM '{path}' GROUP BY ALL ORDER BY ALL"
    return duckdb.sql(query).fetchall()


if __name__ == "__main__":
    main()
