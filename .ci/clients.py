#!/usr/bin/env python3
"""Serves the sample articles and reads the feeds with the programs that people read feeds with.

usage: clients.py FEEDMILL          (needs feedparser from PyPI; newsboat, sfeed and libxml2-utils from Debian)
"""
import gzip, http.client, json, pathlib, re, sqlite3, subprocess, sys, tempfile, time, urllib.parse

import feedparser

BINARY = sys.argv[1]
ARTICLES = pathlib.Path(__file__).resolve().parent.parent / "tests/fixtures/articles"
FEEDS = ["/feed", "/category/科技", "/tag/人工智能", "/tag/c++", "/tag/.net", "/tag/ai-ml", "/tag/asp-rss", "/tag/🦀", "/tag/ünïcode",
         "/language/zh", "/language/ar", "/source/articles", "/author/ada-fields"]
passed, failed = 0, []


def check(name: str, test) -> None:
    global passed
    try:
        test()
        passed += 1
    except Exception as error:  # one check that fails must not hide the others
        failed.append(name)
        print(f"FAILED {name}: {type(error).__name__}: {error}")


class Site:
    def __init__(self, base: str):
        self.base, self.host = base, urllib.parse.urlsplit(base).netloc

    def ask(self, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        connection.request(method, urllib.parse.quote(path, safe="/?=&,%+:@-._~"), headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        response.body = response.read()
        connection.close()
        return response

    def get(self, path: str) -> bytes:
        response = self.ask(path)
        assert response.status == 200, f"{path}: {response.status}"
        return response.body


def facts(document: bytes, kind: str) -> list:
    """Id, title, link, date and labels of each entry, as feedparser sees them."""
    if kind == "json":
        feed = json.loads(document)
        assert feed["version"] == "https://jsonfeed.org/version/1.1" and feed["feed_url"].endswith(".json") and feed["title"]
        for item in feed["items"]:
            assert ("content_html" in item) or ("content_text" in item), item["id"]
            assert None not in item.values() and isinstance(item["id"], str) and len(set(item.get("tags", []))) == len(item.get("tags", []))
        return [(i["id"], i.get("title"), i["url"], i["date_published"][:19], sorted(set(i.get("tags", [])))) for i in feed["items"]]
    feed = feedparser.parse(document)
    assert not feed.bozo, feed.bozo_exception
    stamp = lambda entry: time.strftime("%Y-%m-%dT%H:%M:%S", entry.published_parsed)
    label = lambda tag: tag.label or tag.term
    return [(e.id, e.title, e.link, stamp(e), sorted({label(t) for t in e.get("tags", [])})) for e in feed.entries]


def formats_agree(site: Site, path: str) -> None:
    rss, atom, feed = (facts(site.get(f"{path}.{kind}"), kind) for kind in ("rss", "atom", "json"))
    assert rss and [e[0] for e in rss] == [e[0] for e in atom] == [e[0] for e in feed]
    normal = lambda entries: [(i, re.sub(r"\s+", " ", t or ""), l, d, c) for i, t, l, d, c in entries]
    # feedparser sanitises titles of RSS as if they were HTML, so that a title with a tag in it loses it there alone.
    tame = lambda entries: [e for e in normal(entries) if "<" not in e[1] and "&" not in e[1]]
    by_id = {e[0]: e for e in normal(atom)}
    assert normal(atom) == normal(feed), (normal(atom)[0], normal(feed)[0])
    titles = {e[0] for e in tame(feed)}
    assert [e for e in normal(rss) if e[0] in titles] == [by_id[e[0]] for e in normal(rss) if e[0] in titles]


def every_article_is_read(site: Site) -> None:
    entries = facts(site.get("/feed.atom?limit=500"), "atom")
    assert len(entries) == 44, len(entries)
    titles = {e[1] for e in entries}
    for hurt in ("AT&T、<b> 和别的一些让标题为难的东西", "数组的结尾写作 ]]>，这不是笔误", "الطاحونة القديمة عند النهر (2024)"):
        assert hurt in titles, hurt
    dates = {e[1]: e[3] for e in entries}
    assert dates["山谷里的老磨坊重新转动"] == "2024-03-18T00:15:20", "the time zone of the folder"


def well_formed(site: Site, path: str) -> None:
    for kind in ("rss", "atom"):
        subprocess.run(["xmllint", "--noout", "-"], input=site.get(f"{path}.{kind}"), check=True, capture_output=True)


def sfeed_reads(site: Site) -> None:
    for kind in ("rss", "atom"):
        done = subprocess.run(["sfeed"], input=site.get(f"/feed.{kind}?limit=500"), check=True, capture_output=True)
        rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
        assert len(rows) == 44 and all(row[0].isdigit() and row[1] and row[2].startswith("http") and row[5] for row in rows), f"{kind}: {len(rows)} rows"
        assert any(row[1] == "AT&T、<b> 和别的一些让标题为难的东西" for row in rows), kind


def newsboat_reads(site: Site) -> None:
    # A cache of its own for each feed: newsboat keeps one copy of an id over all feeds.
    for path, count in (("/feed.rss", 44), ("/feed.atom", 44), ("/tag/人工智能.rss", 2), ("/tag/人工智能.atom", 2)):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "urls").write_text(f"{site.base}{urllib.parse.quote(path)}\n")
            pathlib.Path(folder, "config").write_text("")
            command = ["newsboat", "-C", f"{folder}/config", "-u", f"{folder}/urls", "-c", f"{folder}/cache.db", "-x", "reload"]
            subprocess.run(command, check=True, capture_output=True, timeout=60)
            with sqlite3.connect(f"{folder}/cache.db") as database:
                read = database.execute("SELECT count(*) FROM rss_item WHERE title != '' AND url != '' AND pubDate > 0 AND content != ''").fetchone()[0]
        assert read == count, (path, read)


def conditional(site: Site) -> None:
    for path in ("/feed.rss", "/tag/rust.atom", "/category/科技.json", "/", "/tags"):
        plain, zipped = site.ask(path), site.ask(path, Accept_Encoding="gzip")
        assert gzip.decompress(zipped.body) == plain.body and zipped.headers["Content-Encoding"] == "gzip"
        for tag in (plain.headers["ETag"], zipped.headers["ETag"], "W/" + zipped.headers["ETag"], '"x", ' + plain.headers["ETag"][:-1] + '-gzip"'):
            answer = site.ask(path, If_None_Match=tag)
            assert answer.status == 304 and not answer.body and answer.headers["ETag"], (path, tag, answer.status)
        assert site.ask(path, If_None_Match='"other"').status == 200
        head = site.ask(path, "HEAD")
        assert head.status == 200 and not head.body and head.headers["Content-Length"] == str(len(plain.body))
        assert "Accept-Encoding" in plain.headers["Vary"] and "max-age=300" in plain.headers["Cache-Control"]


def addresses(site: Site) -> None:
    for sent, expected in {"/tag/Rust.rss": "/tag/rust.rss", "/feed.rss?tag=rust": "/tag/rust.rss", "/rss.xml": "/feed.rss", "/tags/ai/ml/index.xml": "/tag/ai-ml.rss",
                           "/feed.atom?tag=-x&tag=b,a&category=z": "/feed.atom?category=z&tag=a,b&tag=-x"}.items():
        answer = site.ask(sent)
        assert answer.status == 301 and answer.headers["Location"] == expected, (sent, answer.status, answer.headers["Location"])
    problem = site.ask("/feed.rss?limit=0")
    assert problem.status == 400 and problem.headers["Content-Type"] == "application/problem+json" and json.loads(problem.body)["parameter"] == "limit"
    missing = site.ask("/tag/rustt")
    assert missing.status == 404 and any(near["name"] == "Rust" for near in json.loads(missing.body)["nearest"])
    person = site.ask("/tag/rust.rss", Sec_Fetch_Dest="document", Sec_Fetch_Mode="navigate")
    assert person.status == 303 and person.headers["Location"] == "/tag/rust"
    assert site.ask("/feed.rss", "POST").status == 405


with tempfile.TemporaryDirectory() as folder:
    command = [BINARY, "serve", str(ARTICLES), "--bind", "127.0.0.1:0", "--store", f"sqlite:{folder}/feedmill.db"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        base = next(found.group(0) for line in server.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        site = Site(base)
        check("every article is read", lambda: every_article_is_read(site))
        for path in FEEDS:
            check(f"formats agree: {path}", lambda path=path: formats_agree(site, path))
            check(f"well formed: {path}", lambda path=path: well_formed(site, path))
        check("sfeed reads", lambda: sfeed_reads(site))
        check("newsboat reads", lambda: newsboat_reads(site))
        check("conditional requests", lambda: conditional(site))
        check("addresses", lambda: addresses(site))
    finally:
        server.terminate()
        server.wait(10)
print(f"{passed} passed, {len(failed)} failed")
sys.exit(bool(failed))
