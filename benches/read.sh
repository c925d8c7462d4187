#!/usr/bin/env bash
# Reads the feeds below a folder with feedmill's reader, with Python's feedparser and, where it is there, with feedsmith, one
# thread each, in turn: entries a second. Feedmill and feedparser clean the HTML of the entries; feedsmith does not, and is
# given twenty rounds in which its code becomes fast.
# Needs: cargo, and a Python that can import `feedparser` 6 (PYTHON=its path). Of feedsmith: node, and FEEDSMITH=the folder
# that it was installed into by npm.
#
# usage: benches/read.sh FOLDER [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath "${1:?usage: benches/read.sh FOLDER [ROUNDS]}") rounds=${2:-3} python=${PYTHON:-python3} feedsmith=${FEEDSMITH:-}
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
    [ -z "$feedsmith" ] || node --input-type=module - "$folder" "$(realpath "$feedsmith")" <<'JS'
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
const [folder, installed] = process.argv.slice(2);
const { parseFeed } = createRequire(join(installed, "package.json"))("feedsmith");
const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const documents = files.map((file) => readFileSync(join(file.parentPath ?? file.path, file.name)));
const entries = () => documents.reduce((sum, bytes) => {
    try {
        const { feed } = parseFeed(bytes.toString());
        return sum + (feed.items ?? feed.entries ?? []).length;
    } catch {
        return sum;
    }
}, 0);
for (let round = 0; round < 20; round++) entries();
const start = process.hrtime.bigint();
let read = 0;
for (let round = 0; round < 10; round++) read += entries();
const rate = read / (Number(process.hrtime.bigint() - start) / 1e9);
console.log(`feedsmith  ${read / 10} entries of ${documents.length} documents, ${rate.toFixed(0)} entries a second`);
JS
done
