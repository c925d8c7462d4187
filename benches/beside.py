#!/usr/bin/env python3
"""How long a cached feed takes while very many sources are read, beside an idle server, in one run.

    benches/beside.py [SOURCES, 10000] [ROUNDS, 3]   (environment: PORT=8973, where nginx serves the sources)

It needs nginx, wrk and `cargo build --release`, and installs nothing; 300 MB of disk for 10,000 sources. All of it shares the machine: the
server, the clients, and the nginx that the sources are read from, each at a loopback address of its own. The clients ask without a
pause (wrk, 16 and 64 connections) or 300 times a second (one connection).
"""

import os
import pathlib
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from serve import HERE, PROGRAM, Feedmill, check_needs, fill, get, tags_of, wrk

SECONDS = 4
NGINX = """pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; daemon off;
events {{ worker_connections 4096; }}
http {{
  access_log off; etag on; sendfile on; types {{ application/rss+xml xml; }}
  server {{ listen 0.0.0.0:{port} backlog=4096; root {folder}; }}
}}
"""


def now_and_then(port, path, rate):
    """The median and the 99th percentile of a client that asks so many times a second, in milliseconds."""
    times, due = [], time.perf_counter()
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as answers:
        for _ in range(rate * SECONDS):
            time.sleep(max(0, due - time.perf_counter()))
            started, length = time.perf_counter(), 0
            connection.sendall(request)
            while (line := answers.readline().lower()) != b"\r\n":
                length = int(line.split(b":")[1]) if line.startswith(b"content-length") else length
            answers.read(length)
            times.append(time.perf_counter() - started)
            due += 1 / rate
    times.sort()
    return times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000


def measured(feedmill, path, rounds, what):
    cases = {}
    for _ in range(rounds):
        for clients in (16, 64):
            rate, tail, _ = wrk(f"http://127.0.0.1:{feedmill.port}{path}", ["Accept-Encoding: gzip"], SECONDS, [feedmill.pid], clients)
            cases.setdefault(f"{clients} clients", []).append((rate / 1000, tail))
        cases.setdefault("300 a second", []).append(now_and_then(feedmill.port, path, 300))
    for name, values in cases.items():
        first, tail = (statistics.median(column) for column in zip(*values))
        unit = "ms at the median" if name.startswith("300") else "thousand a second"
        print(f"{what}, {name}: {first:.2f} {unit}, 99th percentile {tail:.2f} ms", flush=True)
    return {name: statistics.median(tail for _, tail in values) for name, values in cases.items()}


def main():
    sources = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    port = int(os.environ.get("PORT", "8973"))
    check_needs()
    os.environ["FEEDMILL_POLL_ALLOW_ADDRESSES"] = "127.0.0.0/8"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        store = folder / "feedmill.db"
        subprocess.run([HERE / "feeds.py", str(sources), folder, str(port)], check=True, stdout=subprocess.DEVNULL)
        fill(store, 10_000, folder / "articles")
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
        nginx = subprocess.Popen(["nginx", "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
        feedmill = Feedmill(store, 2)
        try:
            feedmill.settle()
            path = tags_of(feedmill)[0] + ".rss"
            idle = measured(feedmill, path, rounds, "idle")
            feedmill.stop()
            subprocess.run([PROGRAM, "--store", f"sqlite:{store}", "--quiet", "add", folder / "feeds.opml"], check=True, stdout=subprocess.DEVNULL)
            with sqlite3.connect(store) as connection:
                # Sources that are new are asked one after the other; these are all due at once.
                connection.execute("UPDATE sources SET due = 1 WHERE kind = 'feed'")
            feedmill = Feedmill(store, 2)
            busy = measured(feedmill, path, rounds, "reading")
            metrics = get(feedmill.port, "/metrics")[1].decode()
            good = int(metrics.split('feedmill_sources{state="good"} ')[1].split()[0]) - 1  # the folder is none of them
            print(f"{good} of {sources} sources were read by then", flush=True)
            for name, tail in busy.items():
                print(f"{name}: 99th percentile {tail / idle[name]:.2f} times that of an idle server")
        finally:
            feedmill.stop()
            nginx.terminate()
            nginx.wait()


if __name__ == "__main__":
    main()
