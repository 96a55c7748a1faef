# The emulator's Python packages, installed once into target/emulator. Sets `target` and `emulator`, the interpreter of them.
target="${CARGO_TARGET_DIR:-target}"
mkdir -p "$target/emulator"
exec 9>"$target/emulator/lock"
flock 9
emulator="$target/emulator/venv/bin/python"
if ! cmp -s tests/emulator/requirements.txt "$target/emulator/installed.txt" || [ ! -x "$emulator" ]; then
    python3 -m venv --clear "$target/emulator/venv"
    "$emulator" -m pip install --quiet --disable-pip-version-check --no-deps -r tests/emulator/requirements.txt
    cp tests/emulator/requirements.txt "$target/emulator/installed.txt"
fi
flock -u 9
