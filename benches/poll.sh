#!/usr/bin/env bash
# Polls feeds of a local nginx with feedmill, and with its peers yarr and Python's `reader` where they are there: first
# when all is new, then when nothing changed (304), in turn. Prints medians, ratios, and how many items were stored.
# Needs: nginx, python3 with sqlite3, and a release build of feedmill. Peers: `yarr` on the PATH (or YARR=its path); READER=a
# Python that can import `reader`. They get fewer sources if that is set, since they take long.
#
# nginx has one worker and shares the machine. Each source has a loopback address of its own, as most feeds have a host of
# their own: feedmill asks a host for one document at a time, with a pause after it, which thus hold nobody up here. All
# that is configured for it is that these private addresses may be asked. With ONE=1 all sources are at one address, and the
# pause is none, as for feeds of one's own server; feedmill asks still one at a time, over one connection.
#
# usage: benches/poll.sh [COUNT] [ROUNDS]   (environment: ONE= PORT=8973 PEERS=400 YARR= READER= FEEDMILL=)
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-2000} rounds=${2:-3}
port=${PORT:-8973} peers=${PEERS:-400}
feedmill=${FEEDMILL:-target/release/feedmill} yarr=${YARR:-$(command -v yarr || true)} reader=${READER:-}
for tool in nginx python3; do command -v "$tool" >/dev/null || { echo "$tool is needed" >&2; exit 2; }; done
[ -x "$feedmill" ] || { echo "build first: cargo build --release" >&2; exit 2; }
work=$(mktemp -d)
chmod 755 "$work"
nginx=""
trap '[ -z "$nginx" ] || kill "$nginx"; rm -rf "$work"' EXIT
python3 benches/feeds.py "$count" "$work" "$port"
cat > "$work/nginx.conf" <<CONF
pid $work/nginx.pid;
error_log $work/error.log;
worker_processes 1;
daemon off;
events { worker_connections 4096; }
http {
    access_log off;
    etag on;
    sendfile on;
    keepalive_requests 100000;
    types { application/rss+xml xml; }
    server { listen 0.0.0.0:$port backlog=4096; root $work; }
}
CONF
nginx -c "$work/nginx.conf" -p "$work" & nginx=$!
sleep 0.5
kill -0 "$nginx" || { nginx=""; echo "nginx does not start; is port $port free?" >&2; exit 2; }
cat > "$work/feedmill.toml" <<TOML
store = "sqlite:$work/feedmill.db"
[poll]
allow_addresses = ["127.0.0.0/8"]
TOML
if [ -n "${ONE:-}" ]; then
    echo 'spacing = "0s"' >> "$work/feedmill.toml"
    sed -i -E 's,http://127\.[0-9.]+:,http://127.0.0.1:,' "$work/feeds.opml"
fi
cat > "$work/run.py" <<'PY'
"""Runs one program over the sources: `first` and `again`; prints program, which, sources, seconds, CPU seconds, peak KiB, items."""
import json, os, pathlib, resource, signal, sqlite3, subprocess, sys, time, urllib.request

program, work, limit, path = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
opml = (work / "feeds.opml").read_text()
urls = [part.split('"')[0] for part in opml.split('xmlUrl="')[1:]][:limit]


def clean(name):
    for suffix in ("", "-wal", "-shm"):
        pathlib.Path(f"{work / name}{suffix}").unlink(missing_ok=True)


def items(name, sql):
    return sqlite3.connect(work / name).execute(sql).fetchone()[0]


def say(which, seconds, cpu, peak, stored):
    print(program, which, len(urls), seconds, cpu, peak, stored, flush=True)


def timed(which, command, stored, last=None):
    """`last`: what stands in the line by which the program says that all is stored, though it works on."""
    start, stored_after = time.monotonic(), None
    child = subprocess.Popen(command, stdout=subprocess.PIPE if last else subprocess.DEVNULL, text=True)
    for line in child.stdout or ():
        if last in line:
            stored_after = time.monotonic() - start
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - start
    if status != 0:
        sys.exit(f"{command} failed")
    if stored_after:
        say("stored", stored_after, 0, 0, stored())
    say(which, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, stored())


def feedmill():
    clean("feedmill.db")
    command = [path, "--config", str(work / "feedmill.toml")]
    (work / "some.opml").write_text("<opml><body>" + "".join(f'<outline xmlUrl="{url}"/>' for url in urls) + "</body></opml>")
    subprocess.run([*command, "--quiet", "import", str(work / "some.opml")], check=True)
    stored = lambda: items("feedmill.db", "SELECT count(*) FROM articles")
    timed("first", [*command, "refresh"], stored, "sources read")
    time.sleep(3)  # the pause of the hosts that were asked last
    timed("again", [*command, "--quiet", "refresh", "--force"], stored)


def reader():
    clean("reader.db")
    prepare = f"import reader, sys; r = reader.make_reader({str(work / 'reader.db')!r}); [r.add_feed(url) for url in sys.stdin.read().split()]"
    subprocess.run([path, "-c", prepare], input="\n".join(urls), text=True, check=True)
    update = f"import reader; r = reader.make_reader({str(work / 'reader.db')!r}); r.update_feeds(workers=8)"
    for which in ("first", "again"):
        timed(which, [path, "-c", update], lambda: items("reader.db", "SELECT count(*) FROM entries"))


def yarr():
    clean("yarr.db")
    address = "127.0.0.1:8974"
    server = lambda: subprocess.Popen([path, "-addr", address, "-db", str(work / "yarr.db")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(what, method="GET"):
        request = urllib.request.Request(f"http://{address}{what}", method=method, headers={"X-Requested-By": "yarr"})
        return urllib.request.urlopen(request).read()

    def up():
        for _ in range(200):
            try:
                return ask("/api/status")
            except OSError:
                time.sleep(0.05)
        sys.exit("yarr does not start")

    child = server()
    up()
    child.terminate()
    child.wait()
    # With an icon each, so that it looks for none meanwhile.
    with sqlite3.connect(work / "yarr.db") as store:
        store.executemany("INSERT INTO feeds (title, description, link, feed_link, icon) VALUES (?1, '', '', ?1, x'00')", [(url,) for url in urls])
    store.close()
    child = server()
    up()
    usage = lambda: sum(map(int, pathlib.Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    peak = lambda: next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{child.pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    for which in ("first", "again"):
        cpu, start = usage(), time.monotonic()
        ask("/api/feeds/refresh", "POST")
        while json.loads(ask("/api/status"))["running"] > 0:
            time.sleep(0.02)
        seconds = time.monotonic() - start
        say(which, seconds, usage() - cpu, peak(), items("yarr.db", "SELECT count(*) FROM items"))
    child.send_signal(signal.SIGTERM)
    child.wait()


{"feedmill": feedmill, "reader": reader, "yarr": yarr}[program]()
PY
for _ in $(seq "$rounds"); do
    python3 "$work/run.py" feedmill "$work" "$count" "$(realpath "$feedmill")" | tee -a "$work/results"
    [ -z "$yarr" ] || python3 "$work/run.py" yarr "$work" "$((peers < count ? peers : count))" "$yarr" | tee -a "$work/results"
    [ -z "$reader" ] || python3 "$work/run.py" reader "$work" "$((peers < count ? peers : count))" "$reader" | tee -a "$work/results"
done
python3 - "$work/results" <<'PY'
import statistics, sys
rows = [line.split() for line in open(sys.argv[1])]
rate = {}
print(f"{'':9} {'':6} {'sources':>7} {'a second':>9} {'CPU ms each':>11} {'peak MiB':>8} {'items':>6}")
for program in ("feedmill", "yarr", "reader"):
    for which in ("stored", "first", "again"):
        runs = [list(map(float, row[2:])) for row in rows if row[:2] == [program, which]]
        if not runs:
            continue
        median = lambda part: statistics.median(part(run) for run in runs)
        sources = runs[0][0]
        rate[program, which] = median(lambda run: run[0] / run[1])
        items, lost = min(run[4] for run in runs), max(20 * run[0] - run[4] for run in runs)
        print(f"{program:9} {which:6} {sources:7.0f} {rate[program, which]:9.0f} {median(lambda run: 1e3 * run[2] / run[0]):11.3f} "
              f"{median(lambda run: run[3]) / 1024:8.0f} {items:6.0f}" + (f"  {lost:.0f} lost" if lost else ""))
# Neither peer takes anything into its search meanwhile.
for program in ("yarr", "reader"):
    for which, theirs, words in (
        ("stored", "first", "first polls a second, until all is stored, as"),
        ("first", "first", "first polls a second, the search included, as"),
        ("again", "again", "unchanged polls a second as"),
    ):
        if (program, theirs) in rate:
            print(f"feedmill makes {rate['feedmill', which] / rate[program, theirs]:.1f} times as many {words} {program}")
PY
