#!/usr/bin/env bash
# The whole way on an emulator of AWS: the real template, the real functions, their real permissions, and a stand-in for Dintero.
# Prints each stage with its time and fails at the first that does not come about. --without ACTION takes a permission away.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/emulator/environment.sh
cargo build --quiet -p tests --bins
bash tests/shipped.sh
exec "$emulator" tests/emulator/e2e.py --binaries "$target/debug" "$@"
