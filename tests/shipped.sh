#!/usr/bin/env bash
# Builds what ships, the functions and avstem, in a call of cargo of its own: built together with the tests, it would get the
# features that tests turn on, and with them the rules that a test can break.
set -euo pipefail
cd "$(dirname "$0")/.."
functions=(functions/*/)
functions=("${functions[@]#functions/}")
functions=("${functions[@]%/}")
exec cargo build --quiet --bins -p cli "${functions[@]/#/--package=}" "$@"
