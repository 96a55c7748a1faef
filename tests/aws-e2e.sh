#!/usr/bin/env bash
# The whole way on an emulator of AWS: the real template, the real functions, their real permissions, and a stand-in for Dintero.
# Prints each stage with its time and fails at the first that does not come about. --without ACTION takes a permission away.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
home="$target/emulator"
mkdir -p "$home"
exec 9>"$home/lock"
flock 9
if ! cmp -s tests/emulator/requirements.txt "$home/installed.txt" || [ ! -x "$home/venv/bin/python" ]; then
    python3 -m venv --clear "$home/venv"
    "$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r tests/emulator/requirements.txt
    cp tests/emulator/requirements.txt "$home/installed.txt"
fi
flock -u 9
# All packages together, as the tests are built, so that nothing is compiled for this alone.
cargo build --quiet --workspace --bins
exec "$home/venv/bin/python" tests/emulator/e2e.py --binaries "$target/debug" "$@"
