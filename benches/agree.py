#!/usr/bin/env python3
"""How far what Feedmill reads agrees with what Python's feedparser 6 reads: of the feeds below some folders the number of
entries, and the title, link and date of each where both give one. Prints shares; --misses prints each miss as well.

feedparser gives a title as it is written, Feedmill as text: of a title that is HTML the text is compared.
Needs: Python 3 with feedparser, and a release build (FEEDMILL= names another).

usage: benches/agree.py [--misses] FOLDER...
"""
import calendar, datetime, html, re, sys, warnings

import preview

try:
    import feedparser
except ImportError:
    sys.exit("feedparser is needed: pip install feedparser")
warnings.filterwarnings("ignore")
SUFFIXES = {".xml", ".rss", ".atom", ".rdf", ".json"}


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


for folder in preview.folders(__doc__):
    paths = preview.files(folder, SUFFIXES)
    counts = {what: [0, 0] for what in ("entries", "titles", "links", "dates")}

    def compare(what, path, mine, other):
        counts[what][0] += mine == other
        counts[what][1] += 1
        if mine != other and "--misses" in sys.argv:
            print(f"{path}: {what}: {mine!r}, feedparser: {other!r}")

    for path, items in zip(paths, preview.items(paths)):
        read = feedparser.parse(path.read_bytes())
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
