#!/usr/bin/env python3
"""What serving costs, beside nginx with the same head and body in the same coding, in one run.

    benches/serve.py [--articles 10000] [--rounds 5] [--seconds 3] [--workers 1] [--feed PATH] [--store FILE]

It needs nginx, wrk and `cargo build --release`, and installs nothing. Hot: requests a second for one feed (of about 64 KB, or
--feed), their 99th percentile, and the server's CPU for each, which other work disturbs less, feedmill and nginx in turn; only
the ratio of the two says something. Cold: feeds that nobody asked for before, each once. Then memory, under that load and
under one that changes what the cache holds many times, the time to start, the size of the program. With --store an existing store is served.
"""

import argparse
import concurrent.futures
import http.client
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
PROGRAM = HERE.parent / "target/release/feedmill"
CODINGS = {"identity": "", "gzip": ".gz", "br": ".br", "zstd": ".zst"}

NGINX = """worker_processes {workers}; pid {folder}/nginx.pid; error_log {folder}/nginx.log; daemon off;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; etag on;
  types {{ application/rss+xml rss; }}
  server {{
    listen 127.0.0.1:{port}; root {folder}; open_file_cache max=100;
    location /identity/ {{ alias {folder}/; {head} }}
    location /gzip/ {{ alias {folder}/; gzip_static always; {head} }}
    location /br/ {{ alias {folder}/br/; add_header Content-Encoding br; {head} }}
    location /zstd/ {{ alias {folder}/zstd/; add_header Content-Encoding zstd; {head} }}
  }}
}}
"""


def check_needs():
    missing = [tool for tool in ("nginx", "wrk") if not shutil.which(tool)]
    if missing or not PROGRAM.exists():
        sys.exit(f"it needs {' and '.join(missing) or 'a release build: cargo build --release'}")


def fill(store, articles, folder):
    """A store with generated articles; each tag has some fifty."""
    subprocess.run([HERE / "articles.py", str(articles), folder, str(articles // 25)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([PROGRAM, "--store", f"sqlite:{store}", "--quiet", "import", folder], check=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(port, path, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    return answer, answer.read()


def cpu(*pids):
    stats = [pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


def memory(pid, field):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024


class Feedmill:
    """A server over a store, and how long it took to answer first."""

    def __init__(self, store, workers):
        self.port = free_port()
        environment = {**os.environ, "FEEDMILL_WORKERS": str(workers)}
        command = [PROGRAM, "--store", f"sqlite:{store}", "--quiet", "serve", "--bind", f"127.0.0.1:{self.port}"]
        command += ["--public-url", "http://feeds.example.org"]
        started = time.perf_counter()
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        while True:
            try:
                get(self.port, "/feed.rss?limit=1")
                break
            except OSError:
                time.sleep(0.002)
        self.start = time.perf_counter() - started

    def settle(self):
        """Waits until nothing is left to be done in the background."""
        before, quiet = cpu(self.pid), 0
        while quiet < 4:
            time.sleep(0.5)
            now = cpu(self.pid)
            quiet = quiet + 1 if now - before < 0.03 else 0
            before = now

    def stop(self):
        self.process.terminate()
        self.process.wait()


def head(feedmill, feed):
    """What nginx is to say of the feed so that its head is ours: a load generator reads both."""
    own = {"content-length", "content-type", "content-encoding", "etag", "last-modified", "date"}
    lines = [(name, value) for name, value in get(feedmill.port, feed)[0].getheaders() if name.lower() not in own]
    return " ".join(f"add_header {name} '{value}';" for name, value in lines)


def save(feedmill, feed, folder):
    """Saves the feed in each coding, once it is compressed as a whole; gives the tag of each."""
    tags = {}
    for coding, ending in CODINGS.items():
        while True:
            answer, body = get(feedmill.port, feed, {"Accept-Encoding": coding})
            tags[coding] = answer.getheader("ETag")
            if coding == "identity" or tags[coding].endswith(f'-{coding}"'):
                break
        place = folder / {"br": "br/feed.rss", "zstd": "zstd/feed.rss"}.get(coding, f"feed.rss{ending}")
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(body)
    return tags


def wrk(url, headers, seconds, pids, clients=48):
    """Requests a second, their 99th percentile, and the CPU that the processes took for each."""
    before = cpu(*pids)
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    out = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in out, out
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    used = (cpu(*pids) - before) / int(re.search(r"(\d+) requests in", out)[1])
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit], used


def spread(values):
    return f"{statistics.median(values):.2f} [{min(values):.2f}-{max(values):.2f}]"


def hot(feedmill, feed, nginx_port, nginx_pids, tags, rounds, seconds):
    cases = [(coding, [f"Accept-Encoding: {coding}"]) for coding in CODINGS]
    for name, headers in [*cases, ("304", ["Accept-Encoding: gzip"])]:
        coding = "gzip" if name == "304" else name
        ratios = []
        theirs = f"http://127.0.0.1:{nginx_port}/{coding}/feed.rss"
        nginx_tag = get(nginx_port, f"/{coding}/feed.rss")[0].getheader("ETag")
        for _ in range(rounds):
            more = ([f"If-None-Match: {nginx_tag}"], [f"If-None-Match: {tags[coding]}"]) if name == "304" else ([], [])
            nginx = wrk(theirs, headers + more[0], seconds, nginx_pids)
            ours = wrk(f"http://127.0.0.1:{feedmill.port}{feed}", headers + more[1], seconds, [feedmill.pid])
            ratios.append([own / other for own, other in zip(ours, nginx)])
        rates, tails, used = map(spread, zip(*ratios))
        print(f"{name:9} of nginx's: requests a second {rates}, 99th percentile {tails}, CPU of a request {used}", flush=True)


def tags_of(feedmill):
    """The paths of the tags that its directory lists."""
    page = get(feedmill.port, "/tags")[1].decode()
    return list(dict.fromkeys(re.findall(r'href="(/tag/[^"?#.]+)"', page)))


def cold(feedmill, most):
    """Every tag's feed once: none was asked for before, and each has 50 articles."""
    paths = tags_of(feedmill)[:most]
    connection = http.client.HTTPConnection("127.0.0.1", feedmill.port, timeout=60)
    for suffix in (".rss", ".atom", ".json"):
        for coding in ("gzip", "identity"):
            before, times, entries = cpu(feedmill.pid), [], 0
            limit = "?limit=49" if coding == "identity" else ""
            for path in paths:
                started = time.perf_counter()
                connection.request("GET", path + suffix + limit, headers={"Accept-Encoding": coding})
                entries += len(connection.getresponse().read())
                times.append(time.perf_counter() - started)
            used, times = (cpu(feedmill.pid) - before) / len(paths), sorted(times)
            print(
                f"cold {suffix:5} {coding:8} {len(paths)} feeds of {entries / len(paths) / 1024:.0f} KB: CPU {used * 1000:.2f} ms each, "
                f"answered in {times[len(times) // 2] * 1000:.2f} ms, 99th percentile {times[len(times) * 99 // 100] * 1000:.2f} ms",
                flush=True,
            )


def varied(feedmill, count=1500):
    """Memory while feeds that differ are asked for again and again, in every coding: many times what the cache may hold."""
    paths = tags_of(feedmill)
    connection, dice, size = http.client.HTTPConnection("127.0.0.1", feedmill.port, timeout=60), random.Random(7), 0
    for number in range(count):
        target = f"{dice.choice(paths)}{dice.choice(['.rss', '.atom', '.json'])}?limit={51 + number % 40}"
        for _ in range(4):
            connection.request("GET", target, headers={"Accept-Encoding": dice.choice(list(CODINGS))})
            size += len(connection.getresponse().read())
    feedmill.settle()
    print(f"{count} different feeds in all codings, {size / 1e6:.0f} MB of answers: {memory(feedmill.pid, 'VmHWM'):.0f} MB at most, "
          f"{memory(feedmill.pid, 'VmRSS'):.0f} MB after that", flush=True)


def crowded(feedmill, count=40_000, clients=16):
    """Memory while many ask at once for pages and feeds that differ, most of them small, in every coding."""
    paths = tags_of(feedmill)

    def ask(seed):
        connection, dice = http.client.HTTPConnection("127.0.0.1", feedmill.port, timeout=60), random.Random(seed)
        for _ in range(count // clients):
            target = f"{dice.choice(paths)}{dice.choice(['', '.rss', '.atom', '.json'])}?limit={dice.randint(1, 40)}{dice.choice(['', '', '&via=body'])}"
            connection.request("GET", target, headers={"Accept-Encoding": dice.choice(list(CODINGS))})
            connection.getresponse().read()

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(ask, range(clients)))
    print(f"{count} pages and feeds that differ, {clients} clients: {memory(feedmill.pid, 'VmHWM'):.0f} MB at most, "
          f"{memory(feedmill.pid, 'VmRSS'):.0f} MB after that", flush=True)


def main():
    options = argparse.ArgumentParser()
    for name, default in (("articles", 10_000), ("rounds", 5), ("seconds", 3), ("workers", 1), ("most", 2000)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--store", type=pathlib.Path)
    options.add_argument("--feed", default="/feed.rss?limit=14")
    options = options.parse_args()
    check_needs()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        store = options.store
        if not store:
            store = folder / "feedmill.db"
            fill(store, options.articles, folder / "articles")
        feedmill = Feedmill(store, options.workers)
        feedmill.settle()
        print(f"after everything was indexed and prepared: {memory(feedmill.pid, 'VmRSS'):.0f} MB, {memory(feedmill.pid, 'VmHWM'):.0f} MB at most")
        feedmill.stop()
        feedmill = Feedmill(store, options.workers)
        time.sleep(2)
        print(f"first answer {feedmill.start * 1000:.0f} ms after the start; idle {memory(feedmill.pid, 'VmRSS'):.0f} MB")
        cold(feedmill, options.most)
        tags, port = save(feedmill, options.feed, folder), free_port()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, workers=options.workers, head=head(feedmill, options.feed)))
        nginx = subprocess.Popen(["nginx", "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        workers = pathlib.Path(f"/proc/{nginx.pid}/task/{nginx.pid}/children").read_text().split()
        try:
            hot(feedmill, options.feed, port, workers, tags, options.rounds, options.seconds)
        finally:
            nginx.terminate()
            nginx.wait()
        print(f"under load {memory(feedmill.pid, 'VmHWM'):.0f} MB at most; the program {PROGRAM.stat().st_size / 1e6:.1f} MB; a file of {store.stat().st_size / 1e6:.0f} MB")
        varied(feedmill)
        crowded(feedmill)
        feedmill.stop()


if __name__ == "__main__":
    main()
