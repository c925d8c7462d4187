#!/usr/bin/env python3
"""How many damaged feeds are read as if they were sound: the feeds below some folders, each damaged in every way that applies to
it, must give the same number of entries with the same titles as before. Of one that is cut off those count that are whole.
Prints the share of each kind; --misses prints each feed that is read otherwise, too.

Needs: Python 3 and a release build (FEEDMILL= names another).

usage: benches/damage.py [--misses] FOLDER...
"""
import pathlib, re, sys, tempfile

import preview

TEXT = re.compile(rb"(<(?:description|summary|content|content:encoded)\b[^>/]*>)(?!<!\[CDATA)")
END = re.compile(rb"</(?:item|entry)\s*>")


def root(damage):
    """Damages the tag that the document begins with."""
    return lambda feed: re.sub(rb"<(rss|feed|rdf:RDF)\b[^>]*>", lambda tag: damage(tag[0]), feed, count=1)


def inside(text):
    """Puts something at the beginning of each text that is no CDATA."""
    return lambda feed: TEXT.sub(lambda tag: tag[0] + text, feed)


def label(encoding):
    """Names another encoding than the document has."""
    def damage(feed):
        body = re.sub(rb"^\s*<\?xml.*?\?>", b"", feed)
        return b'<?xml version="1.0" encoding="' + encoding + b'"?>' + body if is_utf8(feed) else feed
    return damage


def is_utf8(feed):
    try:
        return bool(feed.decode())
    except UnicodeDecodeError:
        return False


def recoded(encoding, named):
    """Writes the document in another encoding, with a label or with a wrong one."""
    def damage(feed):
        body = re.sub(rb"^\xef\xbb\xbf|<\?xml.*?\?>", b"", feed)
        try:
            body = body.decode().encode(encoding)
        except UnicodeError:
            return feed
        return b'<?xml version="1.0" encoding="' + named + b'"?>' + body
    return damage


def every_other(pattern):
    """Leaves out every other match."""
    def damage(feed):
        places = [match.span() for match in re.finditer(pattern, feed)][::2]
        for start, end in reversed(places):
            feed = feed[:start] + feed[end:]
        return feed
    return damage


KINDS = {
    "white space first": lambda feed: b"\n\n  \t" + feed,
    "two byte order marks": lambda feed: b"\xef\xbb\xbf\xef\xbb\xbf" + feed if is_utf8(feed) else feed,
    "a warning first": lambda feed: b"<br />\n<b>Warning</b>: Undefined index in <b>/srv/feed.php</b> on line <b>7</b><br />\n" + feed,
    "a comment first": lambda feed: b"<!-- cached -- page -->\n" + feed,
    "zeros first": lambda feed: b"\0\0" + feed,
    "text behind": lambda feed: feed + b"\n<!-- 0.25 s --><script>track()</script> & more",
    "two declarations": lambda feed: b'<?xml version="1.0"?>' + feed,
    "an unfinished comment behind": lambda feed: feed + b"<!-- ",
    "no escaped ampersands": lambda feed: feed.replace(b"&amp;", b"&"),
    "a single ampersand": inside(b"this & that &"),
    "entities of HTML": inside(b"&nbsp;&copy; 2026&hellip; &eacute;&mdash;"),
    "entities of nobody": inside(b"&foo; &bar;"),
    "control characters": inside(b"\x01\x0b\x1f"),
    "references to none": inside(b"&#0;&#x1f;&#xFFFF;&#99999999;"),
    "less than": inside(b"a < b <3 "),
    "crossed elements": inside(b"<b><i>both</b></i>"),
    "elements that do not end": inside(b"<p>one<p>two<br>"),
    "an unfinished text": every_other(rb"</(?:description|summary)\s*>"),
    "an unfinished CDATA": lambda feed: re.sub(rb"\]\]>(\s*</(?:description|content:encoded|summary|content)>)", rb"\1", feed, count=1),
    "no ends of the document": lambda feed: re.sub(rb"</(?:channel|rss|feed|rdf:RDF)\s*>", b"", feed),
    "no ends of entries": every_other(END),
    "no declared prefixes": root(lambda tag: re.sub(rb"""\s+xmlns:\w+\s*=\s*("[^"]*"|'[^']*')""", b"", tag)),
    "no name space": root(lambda tag: re.sub(rb"""\s+xmlns\s*=\s*("[^"]*"|'[^']*')""", b"", tag)),
    "an attribute twice": root(lambda tag: tag[:-1] + b' lang="en" lang="en">'),
    "attributes without quotes": root(lambda tag: tag[:-1] + b" version=2.0 checked>"),
    "a document type": lambda feed: re.sub(rb"^(\s*<\?xml.*?\?>)?", rb'\1<!DOCTYPE rss [<!ENTITY x "y">]>', feed, count=1),
    "labelled us-ascii": label(b"us-ascii"),
    "labelled utf-16": label(b"utf-16"),
    "labelled gb2312": label(b"gb2312"),
    "labelled by a word": label(b"unicode"),
    "GBK without a label": lambda feed: recoded("gb18030", b"utf-8")(feed) if re.search("[\u4e00-\u9fff]{2}", feed.decode(errors="replace")) else feed,
    "windows-1252 labelled utf-8": recoded("cp1252", b"utf-8"),
    "UTF-16 labelled utf-8": lambda feed: feed.decode().encode("utf-16") if is_utf8(feed) else feed,
    "a byte of windows-1252": inside(b"we\x92re "),
    "cut at a third": lambda feed: feed[: len(feed) // 3],
    "cut at two thirds": lambda feed: feed[: len(feed) * 2 // 3],
    "cut before the end": lambda feed: feed[:-25],
}


def titles(paths):
    """The titles of the entries that each file is read as, in order."""
    return [[item.get("title") for item in items] for items in preview.items(paths)]


sound = [path for folder in preview.folders(__doc__) for path in preview.files(folder, {".xml", ".rss", ".atom", ".rdf"})]
sound = [(path, path.read_bytes(), read) for path, read in zip(sound, titles(sound)) if read]
same = count = 0
with tempfile.TemporaryDirectory() as folder:
    for kind, damage in KINDS.items():
        damaged = [(path, feed, damage(feed), read) for path, feed, read in sound]
        damaged = [(path, after, read) for path, feed, after, read in damaged if after != feed]
        files = [pathlib.Path(folder, f"{number}.xml") for number in range(len(damaged))]
        for file, (_, after, _) in zip(files, damaged):
            file.write_bytes(after)
        right = 0
        for (path, after, expected), found in zip(damaged, titles(files)):
            if kind.startswith("cut"):
                whole = len(END.findall(after))
                is_right = len(found) >= whole and found[:whole] == expected[:whole]
            else:
                is_right = found == expected
            right += is_right
            if not is_right and "--misses" in sys.argv:
                print(f"{path}: {kind}: {len(found)} of {len(expected)} entries, {[pair for pair in zip(found, expected) if pair[0] != pair[1]][:2]}")
        print(f"{kind}: {right} of {len(damaged)}", flush=True)
        same, count = same + right, count + len(damaged)
print(f"{100 * same / max(count, 1):.2f} % of {count} damaged feeds, made of {len(sound)}")
