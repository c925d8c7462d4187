#!/usr/bin/env python3
"""How far what Feedmill reads agrees with what Python's feedparser 6 reads: of the feeds below some folders the number of
entries, and the title, link and date of each where both give one. Prints shares; --misses prints each miss as well.

feedparser gives a title as it is written, Feedmill as text: of a title that is HTML the text is compared.
Needs: Python 3 with feedparser, and a release build (FEEDMILL= names another).

usage: benches/agree.py [--misses] FOLDER...
"""
import calendar, datetime, html, json, os, pathlib, re, subprocess, sys, warnings

try:
    import feedparser
except ImportError:
    sys.exit("feedparser is needed: pip install feedparser")
warnings.filterwarnings("ignore")
program = os.environ.get("FEEDMILL", str(pathlib.Path(__file__).parent.parent / "target/release/feedmill"))
if not os.access(program, os.X_OK):
    sys.exit("build first: cargo build --release")
folders = [name for name in sys.argv[1:] if name != "--misses"]
if not folders:
    sys.exit(__doc__)
SUFFIXES = {".xml", ".rss", ".atom", ".rdf", ".json"}
AT_ONCE = 200


def text(title, is_markup):
    """A title's text on one line."""
    return " ".join((html.unescape(re.sub(r"<[^>]*>", "", title)) if is_markup else title).split())


def theirs(entry):
    title, when = entry.get("title_detail"), entry.get("published_parsed") or entry.get("updated_parsed")
    return {
        "titles": title and text(title["value"], title["type"] != "text/plain"),
        "links": entry.get("link"),
        "dates": when and calendar.timegm(when),
    }


def ours(item):
    when = item.get("date_published") or item.get("date_modified")
    return {
        "titles": text(item.get("title") or "", False),
        "links": item.get("url"),
        "dates": when and datetime.datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp(),
    }


for folder in folders:
    paths = sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix in SUFFIXES)
    lines = []
    for start in range(0, len(paths), AT_ONCE):
        command = [program, "preview", "--json", *map(str, paths[start : start + AT_ONCE])]
        lines += [line for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines() if line.strip()]
    if len(lines) != len(paths):
        sys.exit(f"{program} previews {len(lines)} of {len(paths)} files")
    counts = {what: [0, 0] for what in ("entries", "titles", "links", "dates")}

    def compare(what, path, mine, other):
        counts[what][0] += mine == other
        counts[what][1] += 1
        if mine != other and "--misses" in sys.argv:
            print(f"{path}: {what}: {mine!r}, feedparser: {other!r}")

    for path, line in zip(paths, lines):
        read, items = feedparser.parse(path.read_bytes()), json.loads(line).get("items") or []
        # What neither takes for a feed is none.
        if not read.get("version") and not read.entries:
            continue
        compare("entries", path, len(items), len(read.entries))
        if len(items) != len(read.entries):
            continue
        for item, entry in zip(items, read.entries):
            mine = ours(item)
            for what, other in theirs(entry).items():
                if other not in (None, ""):
                    compare(what, path, mine[what], other)
    shares = [f"{what} {100 * same / max(count, 1):.1f} % of {count}" for what, (same, count) in counts.items()]
    print(f"{folder}: {', '.join(shares)}")
