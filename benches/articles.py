#!/usr/bin/env python3
"""Writes a folder of generated Markdown articles in the usual form: Hugo front matter, about 4 KB of Chinese text,
20 categories, 4,200 tags (or as many as are said) of which each article has four, a lone link as the last paragraph. The same numbers give
the same files.

usage: articles.py COUNT FOLDER [TAGS]
"""
import pathlib, random, sys

COUNT, FOLDER = int(sys.argv[1]), pathlib.Path(sys.argv[2])
TAGS = int(sys.argv[3]) if len(sys.argv) > 3 else 4200
FOLDER.mkdir(parents=True, exist_ok=True)
HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 2500)]
chance = random.Random(20260101)


def text(length: int, marks: bool = True) -> str:
    return "".join("，。"[chance.random() < 0.3] if marks and chance.random() < 0.08 else chance.choice(HAN) for _ in range(length))


for number in range(COUNT):
    paragraphs = [text(chance.randint(150, 420)) for _ in range(4)]
    tags = chance.sample(range(TAGS), 4)
    date = f"{chance.randint(2015, 2024)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02} {chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{number % 60:02}"
    lines = ["---", f'title: "{text(chance.randint(12, 30), False)}"', f'date: "{date}"', f'summary: "{paragraphs[0][:60]}..."']
    lines += ["categories:", f'  - "分类{chance.randint(1, 20)}"', "lang:", '  - "zh-CN"', "translations:", '  - "zh-CN"', "tags:"]
    lines += [f'  - "标签{tag}"' for tag in tags]
    lines += ['menu: ""', f'thumbnail: "https://pictures.example/{number}/0"', 'lead: ""', "comments: false", "authorbox: false"]
    lines += ["pager: true", "toc: false", "mathjax: false", 'sidebar: "right"', "widgets:", '  - "search"', '  - "recent"', '  - "taglist"', "---", ""]
    body = "\n\n".join(paragraphs) + f"\n\n[原文](https://news.example/a/{number})\n"
    (FOLDER / f"{number:06}.md").write_text("\n".join(lines) + "\n" + body, encoding="utf-8")
