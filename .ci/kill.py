#!/usr/bin/env python3
"""Kills an import again and again, and checks that the store opens, holds whole articles only, and is completed by
running the import once more.

usage: kill.py FEEDMILL FOLDER TIMES
"""
import json, pathlib, random, signal, sqlite3, subprocess, sys, tempfile, time

binary, folder, times = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), int(sys.argv[3])
count = len(list(folder.glob("*.md")))
chance = random.Random(9)


def run(store: str, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([binary, "--store", store, "--json", *words], capture_output=True, text=True, timeout=300)


def whole(path: str) -> int:
    """The articles in the file, each with its text, its terms and as many members of each term as the term counts."""
    with sqlite3.connect(path) as database:
        one = lambda sql: database.execute(sql).fetchone()[0]
        assert one("PRAGMA integrity_check") == "ok"
        assert one("SELECT count(*) FROM articles a WHERE NOT EXISTS (SELECT 1 FROM bodies b WHERE b.article = a.id AND b.content IS NOT NULL)") == 0
        assert one("SELECT count(*) FROM articles a WHERE (SELECT count(*) FROM memberships m WHERE m.article = a.id) < 6") == 0
        assert one("SELECT count(*) FROM terms t WHERE articles != (SELECT count(*) FROM memberships m WHERE m.term = t.id AND m.gone = 0)") == 0
        by_article = "SELECT term, article, gone FROM memberships WHERE origins != 0"
        by_term = "SELECT * FROM members UNION ALL SELECT * FROM new_members"
        assert one(f"SELECT count(*) FROM ({by_article} EXCEPT SELECT * FROM ({by_term}))") == 0
        assert one(f"SELECT count(*) FROM ({by_term})") == one(f"SELECT count(*) FROM ({by_article})")
        return one("SELECT count(*) FROM articles")


with tempfile.TemporaryDirectory() as temporary:
    started = time.monotonic()
    assert run(f"sqlite:{temporary}/whole.db", "add", str(folder)).returncode == 0
    duration = time.monotonic() - started
    cut = 0
    for attempt in range(times):
        path = f"{temporary}/{attempt}.db"
        command = [binary, "--store", f"sqlite:{path}", "--quiet", "add", str(folder), "--tag", "kept"]
        process = subprocess.Popen(command)
        time.sleep(chance.uniform(0.1, 1.0) * duration)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = whole(path) if pathlib.Path(path).stat().st_size else 0
        cut += before < count
        done = run(f"sqlite:{path}", "add", str(folder), "--tag", "kept")
        assert done.returncode == 0, done.stderr
        assert whole(path) == count, (attempt, before, whole(path))
        again = json.loads(run(f"sqlite:{path}", "refresh", "--force").stdout.splitlines()[-1])
        assert again["applied"]["added"] == again["applied"]["updated"] == 0, again
    print(f"{times} imports of {count} articles killed, {cut} of them halfway, all completed")
    print(f"{times} passed, 0 failed")
