#!/usr/bin/env bash
# Imports a folder of generated Markdown articles with feedmill, and builds the same folder with Hugo as a site with a
# full-content feed for each term, in turn; prints the medians of wall time and peak memory, and their ratios. Feedmill's
# time goes on until a search answers over all articles: searching takes those into the index that are not in it yet.
# Needs: hugo, python3, GNU time (Debian: hugo python3 time), and a release build of feedmill.
#
# usage: benches/import.sh [COUNT] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-10000} runs=${2:-3}
for tool in hugo python3 /usr/bin/time; do command -v "$tool" >/dev/null || { echo "$tool is needed" >&2; exit 2; }; done
[ -x target/release/feedmill ] || { echo "build first: cargo build --release" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 benches/articles.py "$count" "$work/site/content/posts"
mkdir -p "$work/site/layouts/_default"
cat > "$work/site/hugo.toml" <<'TOML'
baseURL = "https://bench.example/"
title = "Bench"
timeZone = "Asia/Shanghai"
disableKinds = ["sitemap", "robotsTXT", "404"]
[services.rss]
limit = 50
TOML
echo '<h1>{{ .Title }}</h1>{{ .Content }}' > "$work/site/layouts/_default/single.html"
echo '{{ range first 50 .Pages }}<a href="{{ .Permalink }}">{{ .Title }}</a>{{ end }}' > "$work/site/layouts/_default/list.html"
cat > "$work/site/layouts/_default/rss.xml" <<'XML'
<rss version="2.0"><channel><title>{{ .Title }}</title><link>{{ .Permalink }}</link><description>{{ .Title }}</description>
{{ range first 50 .Pages }}<item><title>{{ .Title }}</title><link>{{ .Permalink }}</link><guid>{{ .Permalink }}</guid><pubDate>{{ .Date.Format "Mon, 02 Jan 2006 15:04:05 -0700" }}</pubDate><description>{{ .Content | html }}</description></item>
{{ end }}</channel></rss>
XML
measure() { /usr/bin/time -f "%e %M" -o "$work/time" "$@" >/dev/null 2>"$work/err" || { cat "$work/err" >&2; exit 1; }; tail -n 1 "$work/time"; }
for _ in $(seq "$runs"); do
    rm -rf "$work/public" "$work"/bench.db*
    measure hugo --quiet -s "$work/site" -d "$work/public" >> "$work/hugo"
    measure sh -c "target/release/feedmill --store 'sqlite:$work/bench.db' add '$work/site/content' &&
        target/release/feedmill --store 'sqlite:$work/bench.db' feed '/feed?q=bench'" >> "$work/feedmill"
done
python3 - "$work" "$count" <<'PY'
import statistics, sys
read = lambda name: [tuple(map(float, line.split())) for line in open(f"{sys.argv[1]}/{name}")]
hugo, ours = read("hugo"), read("feedmill")
seconds, memory = (lambda rows: statistics.median(r[0] for r in rows)), (lambda rows: statistics.median(r[1] for r in rows) / 1024)
for name, rows in (("hugo", hugo), ("feedmill", ours)):
    print(f"{name:9} {seconds(rows):7.2f} s ({min(r[0] for r in rows):.2f} to {max(r[0] for r in rows):.2f})  {memory(rows):7.0f} MiB")
print(f"{sys.argv[2]} articles: feedmill takes {seconds(ours) / seconds(hugo):.3f} of Hugo's time and {memory(ours) / memory(hugo):.3f} of its memory.")
print("Hugo also writes a page for each article and term; feedmill stores, and renders when asked.")
PY
