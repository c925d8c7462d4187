#!/usr/bin/env bash
# Reads the feeds below a folder with feedmill's reader and with Python's feedparser, one thread each, in turn: entries a
# second. Both clean the HTML of the entries.
# Needs: cargo, and a Python that can import `feedparser` 6 (PYTHON=its path).
#
# usage: benches/read.sh FOLDER [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath "${1:?usage: benches/read.sh FOLDER [ROUNDS]}") rounds=${2:-3} python=${PYTHON:-python3}
"$python" -c 'import feedparser' 2>/dev/null || { echo "a Python with feedparser is needed" >&2; exit 2; }
cargo build --quiet --release --bench read
for _ in $(seq "$rounds"); do
    cargo bench --quiet --bench read -- "$folder"
    "$python" - "$folder" <<'PY'
import pathlib, sys, time
import feedparser
documents = [path.read_bytes() for path in sorted(pathlib.Path(sys.argv[1]).rglob("*")) if path.is_file()]
start = time.monotonic()
entries = sum(len(feedparser.parse(document).entries) for document in documents)
print(f"feedparser {entries} entries of {len(documents)} documents, {entries / (time.monotonic() - start):.0f} entries a second")
PY
done
