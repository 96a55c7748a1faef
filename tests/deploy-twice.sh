#!/usr/bin/env bash
# Deploys the template into an emulator of AWS with the commands of infra/README.md: after a creation that failed, after it was deleted,
# and as an upgrade from an earlier commit, whose parameters and records must be as they were. No function is built or called.
set -euo pipefail
cd "$(dirname "$0")/.."
earlier="${1:-f01743d}"
git cat-file -e "$earlier:infra/template.yaml" || { echo "found no commit $earlier, expected the whole history: git fetch --unshallow"; exit 1; }
source tests/emulator/environment.sh
sam="$target/sam/venv/bin/sam"
if ! cmp -s tests/emulator/sam-requirements.txt "$target/sam/installed.txt" || [ ! -x "$sam" ]; then
    python3 -m venv --clear "$target/sam/venv"
    "$target/sam/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r tests/emulator/sam-requirements.txt
    cp tests/emulator/sam-requirements.txt "$target/sam/installed.txt"
fi
exec "$emulator" tests/emulator/twice.py "$sam" "$earlier"
