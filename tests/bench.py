"""Times `avstem convert` beside DuckDB and polars on one report, in turn, and prints ratios. Called by bench.sh.

All write the same table with zstd; avstem also hashes the report, checks every row and proves every settlement.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys

DUCKDB = """
import duckdb, sys
source, target = sys.argv[1:3]
db = duckdb.connect()
db.execute("SET threads = 1")
db.execute("SET preserve_insertion_order = true")
db.execute(f'''
COPY (
  SELECT 'T00000001' AS account_id, 'vipps' AS provider, Vippsnummer AS merchant_number,
         "Oppgjørs-ID" AS settlement_id, repeat('0', 64) AS report_id, 1::INTEGER AS report_version,
         true AS is_current, row_number() OVER () AS line_no,
         CASE Transaksjonstype WHEN 'Salg' THEN 'sale' WHEN 'Refundering' THEN 'refund' ELSE 'unknown' END AS kind,
         (greatest(Brutto, 0) * 100)::BIGINT AS capture_minor, (least(Brutto, 0) * 100)::BIGINT AS refund_minor,
         (-Gebyr * 100)::BIGINT AS fee_minor, 0::BIGINT AS fee_vat_minor, 0::BIGINT AS chargeback_minor,
         0::BIGINT AS reserve_minor, 0::BIGINT AS adjustment_minor, (Netto * 100)::BIGINT AS net_minor, Netto AS net,
         'NOK' AS currency, 2::TINYINT AS exponent, "Transaksjons-ID" AS provider_transaction_id,
         NULL::VARCHAR AS original_reference, "Ordre-ID" AS order_reference, NULL::VARCHAR AS correlation_id,
         Produkt AS provider_method, Transaksjonstype AS provider_kind, NULL::TIMESTAMPTZ AS captured_at,
         strptime(Salgsdato, '%d.%m.%Y')::DATE AS captured_on, strptime(Salgsdato, '%d.%m.%Y')::DATE AS provider_date,
         strptime("Oppgjørsdato", '%d.%m.%Y')::DATE AS payout_on, NULL::VARCHAR AS store_id,
         NULL::VARCHAR AS payout_destination_id, 1::INTEGER AS schema_version
  FROM read_csv('{source}', delim = ';', header = true, skip = 7, quote = '"', decimal_separator = ',',
                auto_detect = false, null_padding = true, parallel = false, columns = {{
    'Salgsdato': 'VARCHAR', 'Salgssted': 'VARCHAR', 'Vippsnummer': 'VARCHAR', 'Produkt': 'VARCHAR',
    'Transaksjons-ID': 'VARCHAR', 'Ordre-ID': 'VARCHAR', 'Brutto': 'DECIMAL(18,2)', 'Gebyr': 'DECIMAL(18,2)',
    'Netto': 'DECIMAL(18,2)', 'Transaksjonstype': 'VARCHAR', 'Oppgjørs-ID': 'VARCHAR', 'Oppgjørsdato': 'VARCHAR',
    'Oppgjørssum': 'DECIMAL(18,2)', 'Oppgjørskonto': 'VARCHAR', 'Fornavn': 'VARCHAR', 'Etternavn': 'VARCHAR',
    'Melding': 'VARCHAR'}})
  WHERE Salgsdato IS NOT NULL AND Salgsdato <> 'Til utbetaling netto'
) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)''')
"""

# The same table by polars, which streams the file through one thread.
POLARS = """
import os, sys
os.environ["POLARS_MAX_THREADS"] = "1"
import polars as pl
source, target = sys.argv[1:3]
def money(name):
    return pl.col(name).str.replace(",", ".", literal=True).cast(pl.Decimal(18, 2))
def minor(amount):
    return (amount * 100).cast(pl.Int64)
def day(name):
    return pl.col(name).str.to_date("%d.%m.%Y")
none, zero = pl.lit(None, dtype=pl.String), pl.lit(0, dtype=pl.Int64)
gross, nothing = money("Brutto"), pl.lit(0).cast(pl.Decimal(18, 2))
kinds = {"Salg": "sale", "Refundering": "refund"}
rows = pl.scan_csv(source, separator=";", skip_rows=7, has_header=True, infer_schema=False)
rows = rows.filter(pl.col("Salgsdato").is_not_null() & (pl.col("Salgsdato") != "Til utbetaling netto"))
rows.select(
    account_id=pl.lit("T00000001"), provider=pl.lit("vipps"), merchant_number=pl.col("Vippsnummer"),
    settlement_id=pl.col("Oppgjørs-ID"), report_id=pl.lit("0" * 64), report_version=pl.lit(1, dtype=pl.Int32),
    is_current=pl.lit(True), line_no=pl.int_range(pl.len(), dtype=pl.Int64),
    kind=pl.col("Transaksjonstype").replace_strict(kinds, default="unknown"),
    capture_minor=minor(pl.max_horizontal(gross, nothing)), refund_minor=minor(pl.min_horizontal(gross, nothing)),
    fee_minor=minor(-money("Gebyr")), fee_vat_minor=zero, chargeback_minor=zero, reserve_minor=zero,
    adjustment_minor=zero, net_minor=minor(money("Netto")), net=money("Netto"), currency=pl.lit("NOK"),
    exponent=pl.lit(2, dtype=pl.Int8), provider_transaction_id=pl.col("Transaksjons-ID"), original_reference=none,
    order_reference=pl.col("Ordre-ID"), correlation_id=none, provider_method=pl.col("Produkt"),
    provider_kind=pl.col("Transaksjonstype"), captured_at=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
    captured_on=day("Salgsdato"), provider_date=day("Salgsdato"), payout_on=day("Oppgjørsdato"), store_id=none,
    payout_destination_id=none, schema_version=pl.lit(1, dtype=pl.Int32),
).sink_parquet(target, compression="zstd", compression_level=1)
"""

# The same of the settlement report's details: a payout row pays out the booking days up to its own, of its sales unit.
DUCKDB_DETAILS = """
import duckdb, sys
source, target = sys.argv[1:3]
db = duckdb.connect()
db.execute("SET threads = 1")
db.execute("SET preserve_insertion_order = true")
db.execute(f'''
CREATE TEMP TABLE entry AS
SELECT "MSN/Vippsnummer" AS msn, "Betalingsløsning" AS method, Tidspunkt AS time, "Bokføringsdato" AS booked_on,
       Type AS type, (100 * "Beløp")::BIGINT AS amount, (-100 * coalesce(Gebyr, 0))::BIGINT AS fee, Valuta AS currency,
       "PSP-referanse" AS psp, "Ordre-ID/Referanse" AS reference, Utbetalingsnummer AS payout,
       "Planlagt utbetalingsdato" AS paid_on, row_number() OVER () AS line_no
FROM read_csv('{source}', delim = ',', header = true, quote = '"', auto_detect = false, parallel = false, columns = {{
    'Salgssted': 'VARCHAR', 'MSN/Vippsnummer': 'VARCHAR', 'Land': 'VARCHAR', 'Betalingsløsning': 'VARCHAR',
    'Tidspunkt': 'TIMESTAMP', 'Bokføringsdato': 'DATE', 'Type': 'VARCHAR', 'Beløp': 'DECIMAL(18,2)',
    'Balanse': 'DECIMAL(18,2)', 'Gebyr': 'DECIMAL(18,2)', 'Nettobeløp': 'DECIMAL(18,2)', 'Valuta': 'VARCHAR',
    'Kundens navn': 'VARCHAR', 'Kundens telefonnummer': 'VARCHAR', 'Melding': 'VARCHAR', 'Kategori': 'VARCHAR',
    'PSP-referanse': 'VARCHAR', 'Ordre-ID/Referanse': 'VARCHAR', 'Utbetalingsnummer': 'VARCHAR',
    'Bankkonto for utbetaling': 'VARCHAR', 'Planlagt utbetalingsdato': 'DATE'}})''')
db.execute(f'''
COPY (
  SELECT 'T00000001' AS account_id, 'vipps' AS provider, line.msn AS merchant_number,
         paid.payout AS settlement_id, repeat('0', 64) AS report_id, 1::INTEGER AS report_version,
         true AS is_current, line_no,
         CASE type WHEN 'Belastning' THEN 'sale' ELSE 'refund' END AS kind,
         greatest(amount, 0) AS capture_minor, least(amount, 0) AS refund_minor, fee AS fee_minor,
         0::BIGINT AS fee_vat_minor, 0::BIGINT AS chargeback_minor, 0::BIGINT AS reserve_minor,
         0::BIGINT AS adjustment_minor, amount - fee AS net_minor, ((amount - fee) / 100)::DECIMAL(18,2) AS net,
         currency, 2::TINYINT AS exponent, psp AS provider_transaction_id, NULL::VARCHAR AS original_reference,
         reference AS order_reference, NULL::VARCHAR AS correlation_id, method AS provider_method,
         type AS provider_kind, time AS captured_at, time::DATE AS captured_on, time::DATE AS provider_date,
         paid.paid_on AS payout_on, NULL::VARCHAR AS store_id, NULL::VARCHAR AS payout_destination_id,
         1::INTEGER AS schema_version
  FROM entry AS line
  ASOF JOIN (SELECT msn, booked_on, payout, paid_on FROM entry WHERE type = 'Utbetaling planlagt') AS paid
    ON line.msn = paid.msn AND line.booked_on <= paid.booked_on
  WHERE type IN ('Belastning', 'Refusjon')
  ORDER BY line_no
) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)''')
"""

# The same figures from the tables of reports: what was paid out by month of payout, and what happened by month of capture.
MONTHS = """
import duckdb, sys
db = duckdb.connect()
db.execute("SET threads = 1")
lines = f"read_parquet('{sys.argv[1]}/lake/reports/*/*/*/settlement_line.parquet')"
sums = "sum(capture_minor), sum(refund_minor), sum(fee_minor), sum(fee_vat_minor), sum(net_minor)"
for day in ["payout_on", "coalesce(captured_on, provider_date, payout_on)"]:
    db.execute(f"SELECT strftime({day}, '%Y-%m') AS month, provider, currency, {sums} FROM {lines} GROUP BY ALL").fetchall()
"""


def measure(command):
    """Runs one process to its end: CPU seconds, wall seconds, peak memory in MiB."""
    before = os.times()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    after = os.times()
    if status != 0:
        sys.exit(f"{command[0]} ended with {status}")
    return usage.ru_utime + usage.ru_stime, after.elapsed - before.elapsed, usage.ru_maxrss / 1024


def run(commands, rounds):
    """Runs the commands in turn; the median of each one's figures, and of each peer's CPU time over avstem's."""
    runs = {name: [] for name in commands}
    for round_number in range(rounds + 1):
        for name, command in commands.items():
            figures = measure(command)
            if round_number > 0:
                runs[name].append(figures)
    median = {name: [statistics.median(column) for column in zip(*figures)] for name, figures in runs.items()}
    ratios = {name: statistics.median(b[0] / a[0] for a, b in zip(runs["avstem"], runs[name])) for name in commands}
    return median, ratios


def sums(path):
    """What DuckDB reads back from a result: both have written the same table."""
    query = "count(*), sum(capture_minor), sum(refund_minor), sum(fee_minor), sum(net), count(DISTINCT order_reference)"
    # The bar of a long query would be printed among the sums.
    quiet = "duckdb.sql('SET enable_progress_bar = false')"
    script = f"import duckdb; {quiet}; print(duckdb.sql(\"SELECT {query} FROM read_parquet('{path}')\").fetchall())"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def main():
    avstem, source, folder, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    is_details = "--details" in sys.argv[5:]
    peers = {"duckdb": DUCKDB_DETAILS} if is_details else {"duckdb": DUCKDB, "polars": POLARS}
    results = {name: os.path.join(folder, f"{name}.parquet") for name in ["avstem", *peers]}
    commands = {"avstem": [avstem, "convert", source, "-o", results["avstem"]]}
    commands |= {name: [sys.executable, "-c", script, source, results[name]] for name, script in peers.items()}
    median, ratios = run(commands, rounds)
    for name in peers:
        if sums(results["avstem"]) != sums(results[name]):
            sys.exit(f"avstem and {name} do not have the same sums")
    for name, (cpu, wall, memory) in median.items():
        size = os.path.getsize(results[name]) / 1e6
        print(f"{name:<7} cpu {cpu:6.2f} s  wall {wall:6.2f} s  peak {memory:6.0f} MiB  parquet {size:6.1f} MB")
    for name in peers:
        memory = median["avstem"][2] / median[name][2]
        print(f"avstem is {ratios[name]:.2f} times as fast as {name} (cpu, one thread each) and takes {memory:.2f} of its memory")
    if not is_details:
        lake(avstem, source, folder, rounds)


def lake(avstem, source, folder, rounds):
    """Builds the whole lake anew and shows its months, beside DuckDB on the tables of reports."""
    home, inbox = os.path.join(folder, "home"), os.path.join(folder, "inbox")
    for path in [home, inbox]:
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
    os.link(source, os.path.join(inbox, os.path.basename(source)))
    subprocess.run([avstem, "account", "add", "T00000001", "--home", home], stdout=subprocess.DEVNULL, check=True)
    subprocess.run([avstem, "run", "--register-merchants", "--inbox", inbox, "--home", home], stdout=subprocess.DEVNULL, check=True)
    commands = {
        "lake rebuild": [avstem, "lake", "rebuild", "--home", home],
        "months": [avstem, "months", "--home", home],
        "duckdb": [sys.executable, "-c", MONTHS, home],
    }
    print("Month figures: avstem over the lake, DuckDB over the tables of reports")
    for name, command in commands.items():
        runs = [measure(command) for _ in range(rounds)]
        cpu, wall, memory = [statistics.median(column) for column in zip(*runs)]
        print(f"{name:<12} cpu {cpu:6.2f} s  wall {wall:6.2f} s  peak {memory:6.0f} MiB")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
