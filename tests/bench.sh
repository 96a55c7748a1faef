#!/usr/bin/env bash
# Benchmarks beside a peer, in one run on one machine: ratios count, seconds do not.
# Usage: bash tests/bench.sh [LINES ...]   (default 1000000)
#        bash tests/bench.sh --lambda [FOLDER]
# --lambda shows size, start and memory of each function, built as they are deployed but for this machine's own processor; with a
# FOLDER of binaries that are there, such as target/debug, nothing is built. LINES_OF_REPORT (default 1000000)
# lines are in the report that is parsed.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --lambda ]; then
    source tests/emulator/environment.sh
    folder="${2:-}"
    mkdir -p "$target/bench"
    if [ -z "$folder" ]; then
        folder="$target/lambda"
        tools="$target/cargo-lambda"
        [ -x "$tools/bin/cargo-lambda" ] || python3 -m venv "$tools"
        "$tools/bin/pip" install --quiet --disable-pip-version-check cargo-lambda==1.9.2
        names=(functions/*/)
        PATH="$(realpath "$tools")/bin:$PATH" cargo lambda build --profile lambda $(printf -- '-p %s ' "${names[@]##functions/}" | tr -d /)
    fi
    lines="${LINES_OF_REPORT:-1000000}"
    report="$target/bench/$lines.csv"
    if [ ! -s "$report" ]; then
        cargo build --quiet -p tests --bins
        "$target/debug/generate-report" "$lines" >"$report"
    fi
    exec "$emulator" tests/bench_lambda.py "$folder" "$report" --rounds "${ROUNDS:-15}"
fi
work=target/bench
mkdir -p "$work"
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.0 polars==2.1.0 xlsxwriter==3.3.1 -r tests/requirements.txt
# What is measured is what ships: built together with the tests, it would have the rules that a test can break.
cargo build --quiet --release -p tests --bins
cargo build --quiet --release -p cli
if grep -q avstem-seeded-defects target/release/avstem; then
    echo "target/release/avstem has seeded defects in it" >&2
    exit 1
fi
echo "Refusing hostile files, each in a process of its own (meant: at most 300 ms and 65536 KiB)"
target/release/measure-refusal
echo "All forms of the Dintero report of five lines (meant: at most 2 ms)"
target/release/write-documents small
echo "Dintero report of 100000 lines, as people get it"
"$work/venv/bin/python" tests/bench_documents.py target/release/write-documents "$work" 100000 "${ROUNDS:-5}"
for lines in "${@:-1000000}"; do
    report="$work/$lines.csv"
    [ -s "$report" ] || target/release/generate-report "$lines" >"$report"
    echo "Vipps portal CSV of $lines lines, $(($(stat -c %s "$report") / 1000000)) MB, to proved Parquet"
    "$work/venv/bin/python" tests/bench.py target/release/avstem "$report" "$work" "${ROUNDS:-5}"
    details="$work/$lines-details.csv"
    [ -s "$details" ] || target/release/generate-report "$lines" --details >"$details"
    echo "Vipps settlement report's details of $lines lines, $(($(stat -c %s "$details") / 1000000)) MB, to proved Parquet"
    "$work/venv/bin/python" tests/bench.py target/release/avstem "$details" "$work" "${ROUNDS:-5}" --details
    home="$work/home-$lines"
    if [ ! -e "$home/mirror" ]; then
        rm -rf "$home" && mkdir -p "$home/inbox" && ln "$report" "$home/inbox/report.csv"
        target/release/avstem run --inbox "$home/inbox" --home "$home" >/dev/null
        target/release/generate-mirror "$lines" "$home"
    fi
    echo "The same lines against as many transactions, to one state for each"
    "$work/venv/bin/python" tests/bench_matching.py target/release/avstem "$home" "$work" "${ROUNDS:-5}"
done
