#!/usr/bin/env python3
"""Writes feeds for the poller: RSS of 20 entries, about 30 KB each, every other one Chinese, and a list of them (OPML)
that gives each a loopback address of its own. The same numbers give the same files.

usage: feeds.py COUNT FOLDER PORT
"""
import pathlib, random, sys

COUNT, FOLDER, PORT = int(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
ENTRIES = 20
(FOLDER / "feeds").mkdir(parents=True, exist_ok=True)
HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 2500)]
WORDS = """the of and to in is that it was for on are with as his they be at one have this from or had by hot but some what there
we can out other were all your when up use word how said an each she which do their time if will way about many then them would
write like so these her long make thing see him two has look more day could go come did my sound no most number who over know
water than call first people may down side been now find any new work part take get place made live where after back little only
round man year came show every good me give our under name very through just form much great think say help low line before turn
cause same mean differ move right boy old too does tell sentence set three want air well also play small end put home read hand
port large spell add even land here must big high such follow act why ask men change went light kind off need house picture try
server system program machine language release memory network writer reader article feed source page""".split()
chance = random.Random(20260102)
WEIGHTS = [1 / (rank + 6) for rank in range(len(WORDS))]  # the words stand in the order of how common they are


def chinese(length: int) -> str:
    return "".join("，。"[chance.random() < 0.3] if chance.random() < 0.08 else "的是不了在有"[chance.randrange(6)] if chance.random() < 0.15 else chance.choice(HAN) for _ in range(length))


def english(length: int) -> str:
    words = chance.choices(WORDS, WEIGHTS, k=length // 4)
    return " ".join(words)[:length].rstrip().capitalize() + "."


def paragraphs(text, length: int, number: int, entry: int) -> str:
    one, two, three = text(length), text(length), text(length)
    return (
        f'<p>{one}</p>\n<p><a href="/about?utm_source=feed">{text(8)}</a> <strong>{text(10)}</strong> {two}</p>\n'
        f'<p><img src="/pictures/{number}-{entry}.jpg" alt="{text(6)}"></p>\n<blockquote><p>{three}</p></blockquote>\n'
        f"<ul><li>{text(12)}</li><li><em>{text(12)}</em></li></ul>"
    )


outlines = []
for number in range(COUNT):
    text, length = (chinese, 110) if number % 2 else (english, 370)
    site = f"https://site-{number}.example"
    items = []
    for entry in range(ENTRIES):
        html = paragraphs(text, length, number, entry)
        date = f"{chance.randint(1, 28):02} {'Jan Feb Mar Apr May Jun'.split()[entry % 6]} 2025 {chance.randint(0, 23):02}:{chance.randint(0, 59):02}:00 +0000"
        items.append(
            f"<item><title>{text(20)}</title><link>{site}/posts/{entry}</link><guid>{site}/posts/{entry}</guid><pubDate>{date}</pubDate>"
            f"<category>{chance.choice(WORDS) if text is english else chinese(3)}</category><description><![CDATA[{html}]]></description></item>"
        )
    feed = f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>Site {number}</title><link>{site}/</link><description>{text(20)}</description>\n'
    (FOLDER / "feeds" / f"{number:06}.xml").write_text(feed + "\n".join(items) + "\n</channel></rss>\n", encoding="utf-8")
    outlines.append(f'<outline type="rss" text="Site {number}" xmlUrl="http://127.0.{number // 250 % 250}.{number % 250 + 1}:{PORT}/feeds/{number:06}.xml"/>')
(FOLDER / "feeds.opml").write_text('<?xml version="1.0"?>\n<opml version="2.0"><body>\n' + "\n".join(outlines) + "\n</body></opml>\n")
