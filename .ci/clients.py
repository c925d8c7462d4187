#!/usr/bin/env python3
"""Serves the sample articles and reads the feeds with the programs that people read feeds with.

usage: clients.py FEEDMILL     (needs brotli, feedparser and zstandard from PyPI; newsboat, sfeed and libxml2-utils from Debian)
"""
import datetime, gzip, http.client, json, os, pathlib, re, sqlite3, subprocess, sys, tempfile, threading, time, urllib.parse

import brotli, feedparser, zstandard

BINARY = sys.argv[1]
FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "tests/fixtures"
SHOWN = 44  # of the sample articles; the others are drafts, expired or not due yet
DECODE = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)}
FEEDS = ["/feed", "/category/科技", "/tag/人工智能", "/tag/c++", "/tag/.net", "/tag/ai-ml", "/tag/asp-rss", "/tag/🦀", "/tag/ünïcode",
         "/language/zh", "/language/ar", "/source/articles", "/source/radio", "/author/ada-fields"]
passed, failed = 0, []


def check(name: str, test) -> None:
    global passed
    try:
        test()
        passed += 1
    except Exception as error:  # one check that fails must not hide the others
        failed.append(name)
        line = error.__traceback__.tb_next.tb_next or error.__traceback__.tb_next
        print(f"FAILED {name}: {type(error).__name__} at line {line.tb_lineno}: {error}")


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


def moment(text: str) -> datetime.datetime:
    # Python before 3.11 does not know `Z`.
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def is_url(text) -> bool:
    return isinstance(text, str) and bool(re.match("(https?://[^/]|mailto:)", text))


def holds_to_json_feed(feed: dict) -> None:
    """The rules of JSON Feed 1.1."""
    assert feed["version"] == "https://jsonfeed.org/version/1.1" and feed["title"]
    assert feed["feed_url"].endswith(".json") and all(is_url(feed[key]) for key in ("feed_url", "home_page_url", "icon", "favicon") if key in feed)
    ids = [item["id"] for item in feed["items"]]
    assert all(isinstance(i, str) and i for i in ids) and len(set(ids)) == len(ids), "ids are unique strings"
    for item in feed["items"]:
        assert "content_html" in item or "content_text" in item, item["id"]
        assert None not in item.values() and all(isinstance(item.get(key, ""), str) for key in ("title", "summary", "language", "content_html", "content_text"))
        assert all(is_url(item[key]) for key in ("url", "external_url", "image", "banner_image") if key in item), item["id"]
        assert all(moment(item[key]).tzinfo for key in ("date_published", "date_modified") if key in item), item["id"]
        tags = item.get("tags", [])
        assert all(isinstance(tag, str) and tag for tag in tags) and len(set(tags)) == len(tags), tags
        assert all(is_url(a["url"]) and "/" in a["mime_type"] and isinstance(a.get("size_in_bytes", 0), int) for a in item.get("attachments", []))
    for author in sum((item.get("authors", []) for item in feed["items"]), feed.get("authors", [])):
        assert author and all(author.values()) and author.keys() <= {"name", "url", "avatar"}, author
    assert "author" not in feed and not any("author" in item for item in feed["items"]), "1.1 has `authors`"


def facts(document: bytes, kind: str) -> list:
    """Id, title, link, date and labels of each entry, as feedparser sees them."""
    if kind == "json":
        feed = json.loads(document)
        holds_to_json_feed(feed)
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
    entries = facts(site.get("/source/articles.atom?limit=500"), "atom")
    assert len(entries) == SHOWN, len(entries)
    titles = {e[1] for e in entries}
    for hurt in ("AT&T、<b> 和别的一些让标题为难的东西", "数组的结尾写作 ]]>，这不是笔误", "الطاحونة القديمة عند النهر (2024)"):
        assert hurt in titles, hurt
    dates = {e[1]: e[3] for e in entries}
    assert dates["山谷里的老磨坊重新转动"] == "2024-03-18T00:15:20", "the time zone of the folder"


def well_formed(site: Site, path: str) -> None:
    done = subprocess.run(["xmllint", "--noout", "-"], input=site.get(path), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[:500]


def details_are_read(site: Site) -> None:
    """Authors and enclosures, of feeds that were imported."""
    people = {"Sleeper to the coast": "Noor Vale", "雨后的桥 & 旧书店": "林小舟"}
    files = {"Sleeper to the coast": ("https://trains.example/3.mp3", "audio/mpeg", "1000"), "雨后的桥 & 旧书店": ("https://river.example/bridge.mp3", "audio/mpeg", "12345")}
    for kind in ("rss", "atom"):
        entries = {entry.title: entry for entry in feedparser.parse(site.get(f"/source/radio.{kind}")).entries}
        for title, name in people.items():
            assert entries[title].author == name, (kind, entries[title].author)
            assert [(e.href, e.type, e.length) for e in entries[title].enclosures] == [files[title]], (kind, entries[title].enclosures)
            assert entries[title].source.title == "radio", kind
    items = {item["title"]: item for item in json.loads(site.get("/source/radio.json"))["items"]}
    for title, name in people.items():
        assert [author["name"] for author in items[title]["authors"]] == [name]
        assert [(a["url"], a["mime_type"], str(a["size_in_bytes"])) for a in items[title]["attachments"]] == [files[title]]


def summaries(site: Site) -> None:
    full, short = (json.loads(site.get(f"/feed.json?{query}limit=500"))["items"] for query in ("", "content=summary&"))
    assert [item["id"] for item in full] == [item["id"] for item in short] and len(json.dumps(short)) < len(json.dumps(full))


def sfeed_reads(site: Site) -> None:
    for kind in ("rss", "atom"):
        document = site.get(f"/feed.{kind}?limit=500")
        done = subprocess.run(["sfeed"], input=document, check=True, capture_output=True, timeout=60)
        # Time, title, link, content, content type, id, author, enclosure, categories. A line ends with "\n" alone.
        rows = [line.split("\t") for line in done.stdout.decode().split("\n") if line]
        items = {item["id"]: item for item in json.loads(site.get("/feed.json?limit=500"))["items"]}
        assert len(rows) == len(items), (kind, len(rows))
        for time_, title, link, content, _, key, author, enclosure, categories in rows:
            item = items[key]
            assert int(time_) == moment(item["date_published"]).timestamp() and content, (kind, key)
            assert title == re.sub(r"\s+", " ", item["title"]) and link == item["url"], (kind, title, link)
            # Of a category in Atom it shows the term, which is our slug.
            ours = item["_feedmill"]["categories"] + item["_feedmill"].get("tags", [])
            labels = {label["slug"] for label in ours} if kind == "atom" else set(item["tags"])
            assert set(categories.split("|")) == labels, (kind, categories)
            names = [person["name"] for person in item.get("authors", [])]
            assert not names or any(name in author for name in names), (kind, author)
            assert enclosure == item.get("attachments", [{"url": ""}])[0]["url"], (kind, enclosure)


def newsboat_reads(site: Site) -> None:
    # A cache of its own for each feed: newsboat keeps one copy of an id over all feeds.
    for path in ("/feed.rss", "/feed.atom", "/tag/人工智能.rss", "/tag/人工智能.atom", "/source/radio.rss", "/source/radio.atom"):
        items = json.loads(site.get(re.sub(r"\w+$", "json", path)))["items"]
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "urls").write_text(f"{site.base}{urllib.parse.quote(path)}\n")
            pathlib.Path(folder, "config").write_text("")
            command = ["newsboat", "-C", f"{folder}/config", "-u", f"{folder}/urls", "-c", f"{folder}/cache.db", "-x", "reload"]
            # It keeps what the locale can write.
            environment = os.environ | {"LC_ALL": "C.UTF-8", "HOME": folder}
            subprocess.run(command, check=True, capture_output=True, timeout=60, env=environment)
            with sqlite3.connect(f"{folder}/cache.db") as database:
                rows = database.execute("SELECT guid, title, url, pubDate, enclosure_url FROM rss_item WHERE content != ''").fetchall()
        stamp = lambda item: int(moment(item["date_published"]).timestamp())
        wanted = [(i["id"], i["title"], i["url"], stamp(i), i.get("attachments", [{"url": ""}])[0]["url"]) for i in items]
        assert sorted(rows) == sorted(wanted), (path, sorted(set(rows) ^ set(wanted))[:4])


def newsboat_keeps_overlapping_feeds(site: Site) -> None:
    paths = ("/category/科技.rss?ids=feed", "/tag/人工智能.rss?ids=feed", "/feed.rss?ids=feed&limit=500")
    wanted = [len(json.loads(site.get(path.replace(".rss", ".json")))["items"]) for path in paths]
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "urls").write_text("".join(f"{site.base}{urllib.parse.quote(path, safe='/?=&')}\n" for path in paths))
        pathlib.Path(folder, "config").write_text("")
        command = ["newsboat", "-C", f"{folder}/config", "-u", f"{folder}/urls", "-c", f"{folder}/cache.db", "-x", "reload"]
        subprocess.run(command, check=True, capture_output=True, timeout=60, env=os.environ | {"LC_ALL": "C.UTF-8", "HOME": folder})
        with sqlite3.connect(f"{folder}/cache.db") as database:
            kept = dict(database.execute("SELECT feedurl, count(*) FROM rss_item GROUP BY feedurl").fetchall())
    assert sorted(kept.values()) == sorted(wanted), (kept, wanted)


def words_are_found(site: Site) -> None:
    # An article is in its feeds at once, in the search within seconds.
    until = time.monotonic() + 20
    while not json.loads(site.get("/feed.json?q=模型"))["items"] and time.monotonic() < until:
        time.sleep(0.1)
    for words, least in (("模型", 2), ("編譯器", 1), ("编译器 -慢", 0), ("\"人工智能\"", 1), ("compil*", 1)):
        path = f"/feed.atom?q={words}"
        found = feedparser.parse(site.get(path))
        assert len(found.entries) >= least and not found.bozo, words
        for entry in found.entries:
            text = re.sub(r"<[^>]+>", "", entry.title + str(entry.get("content", "")) + entry.get("summary", "") + str(entry.get("tags", "")))
            assert words[:2] != "模型" or "模型" in text, (words, entry.title)
    page = site.get("/?explain=1&q=模型").decode()
    assert "<mark>模型</mark>" in page and "Read as:" in page


def archives_lead_to_the_oldest(site: Site) -> None:
    everything = {item["id"] for item in json.loads(site.get("/feed.json?limit=500"))["items"]}
    for kind in ("rss", "atom"):
        document = site.get(f"/feed.{kind}?limit=5")
        found = [entry.id for entry in feedparser.parse(document).entries]
        assert len(found) == 5
        while older := re.search(rb'<(?:atom:)?link [^>]*rel="prev-archive"[^>]*>', document):
            url = re.search(rb'href="([^"]+)"', older.group(0)).group(1).decode().replace("&amp;", "&")
            document = site.get(urllib.parse.unquote(url[url.index("/feed") :]))
            archived = [entry.id for entry in feedparser.parse(document).entries]
            assert len(set(archived)) == len(archived)
            found += archived
        assert set(found) == everything, (kind, len(set(found)), len(everything))


def conditional(site: Site) -> None:
    for path in ("/feed.rss", "/tag/rust.atom", "/category/科技.json", "/", "/tags"):
        plain = site.ask(path)
        tags = [plain.headers["ETag"], '"x", ' + plain.headers["ETag"][:-1] + '-gzip"']
        for coding, decode in DECODE.items():
            patience = time.monotonic() + 30
            # A coding that is not ready comes in its time; until then the document comes as it is.
            while (encoded := site.ask(path, Accept_Encoding=coding)).headers["Content-Encoding"] != coding:
                assert encoded.body == plain.body and time.monotonic() < patience, (path, coding)
            assert decode(encoded.body) == plain.body and len(encoded.body) < len(plain.body), (path, coding)
            tags += [encoded.headers["ETag"], "W/" + encoded.headers["ETag"]]
        assert len(set(tags)) == len(tags), "a strong tag names one coding"
        for tag in tags:
            for accepted in ("identity", *DECODE):
                answer = site.ask(path, If_None_Match=tag, Accept_Encoding=accepted)
                assert answer.status == 304 and not answer.body and answer.headers["ETag"] and answer.headers["Vary"], (path, tag, answer.status)
        assert site.ask(path, If_None_Match='"other"').status == 200
        assert site.ask(path, Accept_Encoding="gzip;q=0.1, br;q=0.9").headers["Content-Encoding"] == "br"
        head = site.ask(path, "HEAD")
        assert head.status == 200 and not head.body and head.headers["Content-Length"] == str(len(plain.body))
        assert "Accept-Encoding" in plain.headers["Vary"] and "max-age=300" in plain.headers["Cache-Control"]
        for name in ("ETag", "Content-Type", "Last-Modified"):
            assert head.headers[name] == plain.headers[name], (path, name)


def addresses(site: Site) -> None:
    for sent, expected in {"/tag/Rust.rss": "/tag/rust.rss", "/feed.rss?tag=rust": "/tag/rust.rss", "/rss.xml": "/feed.rss", "/atom.xml": "/feed.atom", "/feed": "/feed.rss",
                           "/tags/ai/ml/index.xml": "/tag/ai-ml.rss", "/categories/科技/": "/category/%E7%A7%91%E6%8A%80", "/page/2/": "/", "/tag/rust.xml": "/tag/rust.rss",
                           "/language/zh_cn.rss": "/language/zh-CN.rss", "/feed.rss?utm_source=x": "/feed.rss",
                           "/feed.atom?tag=-x&tag=b,a&category=z": "/feed.atom?category=z&tag=a,b&tag=-x"}.items():
        answer = site.ask(sent)
        assert answer.status == 301 and answer.headers["Location"] == expected, (sent, answer.status, answer.headers["Location"])
        assert "max-age=86400" in answer.headers["Cache-Control"], sent
    for path in ("/tag/C%2B%2B.rss", "/tag/c%2b%2b.rss", "/tag/c++.rss/"):
        answer = site.ask(path)
        assert answer.status == (301 if "C" in path else 200), (path, answer.status)
    person = site.ask("/tag/rust.rss", Sec_Fetch_Dest="document", Sec_Fetch_Mode="navigate")
    assert person.status == 303 and person.headers["Location"] == "/tag/rust"
    for path, kind in {"/feed.rss": "application/rss+xml; charset=utf-8", "/feed.atom": "application/atom+xml; charset=utf-8", "/feed.json": "application/feed+json"}.items():
        answer = site.ask(path)
        assert answer.headers["Content-Type"] == kind and answer.headers["Access-Control-Allow-Origin"] == "*", path


def problems(site: Site) -> None:
    def problem(path: str, status: int, method: str = "GET") -> dict:
        answer = site.ask(path, method)
        assert answer.status == status and answer.headers["Content-Type"] == "application/problem+json", (path, answer.status)
        document = json.loads(answer.body)
        assert document["status"] == status and document["title"] and document["detail"], path
        return document

    for query in ("limit=0", "limit=501", "limit=many", "content=half", "q=!", "since=soon", "digest=hourly", "before=abcdefghij234", "language=!"):
        name = query.split("=")[0]
        assert problem(f"/feed.rss?{query}", 400)["parameter"] == name, query
    assert problem("/feed.rss?limit=5&limit=6", 400)["parameter"] == "limit"
    assert any(near["name"] == "Rust" for near in problem("/tag/rustt", 404)["nearest"])
    assert any(near["name"] == "articles" for near in problem("/source/article.atom", 404)["nearest"])
    for path in ("/nothing", "/article/abcdefghij234", "/tags.rss", "/../etc/passwd", "//feed.rss"):
        problem(path, 404)
    problem("/tag/%ff", 400)
    problem("/feed.rss", 405, "POST")
    page = site.ask("/tag/rustt", Accept="text/html")
    assert page.status == 404 and page.headers["Content-Type"].startswith("text/html") and b"/tag/rust" in page.body


with tempfile.TemporaryDirectory() as folder:
    store = f"sqlite:{folder}/feedmill.db"
    feeds = [str(FIXTURES / "feeds" / name) for name in ("podcast.xml", "rss-zh.xml")]
    subprocess.run([BINARY, "--store", store, "--quiet", "import", "--into", "radio", *feeds], check=True, timeout=60)
    command = [BINARY, "serve", str(FIXTURES / "articles"), "--bind", "127.0.0.1:0", "--store", store]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    # A server that hangs must not keep the gate for ever.
    watchdog = threading.Timer(300, server.kill)
    watchdog.start()
    try:
        base = next((found.group(0) for line in server.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line))), None)
        if base is None:
            sys.exit("FAILED: the server ended without an address")
        site = Site(base)
        check("every article is read", lambda: every_article_is_read(site))
        for path in FEEDS:
            check(f"formats agree: {path}", lambda path=path: formats_agree(site, path))
            for kind in ("rss", "atom"):
                check(f"well formed: {path}.{kind}", lambda path=f"{path}.{kind}": well_formed(site, path))
        for path in ("/opml", "/opml/feeds", "/sitemap.xml"):
            check(f"well formed: {path}", lambda path=path: well_formed(site, path))
        check("authors and enclosures", lambda: details_are_read(site))
        check("summaries", lambda: summaries(site))
        check("sfeed reads", lambda: sfeed_reads(site))
        check("newsboat reads", lambda: newsboat_reads(site))
        check("newsboat keeps overlapping feeds", lambda: newsboat_keeps_overlapping_feeds(site))
        check("words are found", lambda: words_are_found(site))
        check("archives lead to the oldest", lambda: archives_lead_to_the_oldest(site))
        check("conditional requests and codings", lambda: conditional(site))
        check("addresses", lambda: addresses(site))
        check("problem documents", lambda: problems(site))
    finally:
        watchdog.cancel()
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
print(f"{passed} passed, {len(failed)} failed")
sys.exit(bool(failed))
