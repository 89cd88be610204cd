#!/usr/bin/env python3
"""Writes ten thousand lines of real words in many scripts, and what transformers' tokenizers make of them, compactly.

usage: make_tokenizer_lines.py FOLDER

The words are those of the C library's locales (Debian's package `locales`, /usr/share/i18n/locales), in whose data the
Free Software Foundation claims no copyright: days, months, languages, countries, titles and answers. FOLDER holds
`tokenizer`, `tokenizer_2` and `tokenizer_3`, and gets `lines.txt` and `lines.json`: for every tokenizer the beginning, 8
digits, of the SHA-256 of every hundred lines' tokens, which are decimal, parted by commas, a newline behind each line.
Needs transformers.
"""
import hashlib
import json
import os
import pathlib
import random
import re
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
from transformers import AutoTokenizer

LOCALES = pathlib.Path("/usr/share/i18n/locales")
COUNT, BLOCK = 10_000, 100
FIELDS = ("abday", "day", "abmon", "mon", "lang_name", "country_name", "yesstr", "nostr", "name_miss", "name_mr", "am_pm")
TOKENIZERS = ("tokenizer", "tokenizer_2", "tokenizer_3")


def words():
    """(locale, words of one field), in order."""
    for path in sorted(LOCALES.iterdir()):
        text = path.read_text("utf-8", errors="ignore").replace("/\n", "")
        for field in FIELDS:
            for value in re.findall(rf"^\s*{field}\s+(.*)$", text, re.MULTILINE):
                found = [re.sub(r"<U([0-9A-Fa-f]{4,8})>", lambda m: chr(int(m[1], 16)), w)
                         for w in re.findall(r'"([^"\n]*)"', value)]
                found = [w.strip() for w in found if w.strip() and "\n" not in w]
                if found:
                    yield path.name, found


def lines():
    """Distinct lines: a word, or several of a locale as a date or a list has them."""
    by_locale = {}
    for locale, found in words():
        by_locale.setdefault(locale, []).extend(found)
    draw = random.Random(0)
    seen = dict.fromkeys(word for found in by_locale.values() for word in found)
    names = sorted(by_locale)
    while len(seen) < COUNT:
        found = by_locale[draw.choice(names)]
        first, second, third = (draw.choice(found) for _ in range(3))
        number = draw.randrange(1, 3000)
        seen[draw.choice((f"{first}, {number} {second}", f"{first} {second}", f"«{first}» – {second}; {third}",
                          f"{number}. {first}-{second}!", f"{first} ({second}) {third.upper()}"))] = None
    chosen = list(seen)[:COUNT]
    draw.shuffle(chosen)
    return chosen


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    text = lines()
    (folder / "lines.txt").write_text("\n".join(text) + "\n", "utf-8")
    digests = {}
    for name in TOKENIZERS:
        tokens = AutoTokenizer.from_pretrained(folder / name)(text).input_ids
        rows = ["".join(f"{','.join(map(str, row))}\n" for row in tokens[i:i + BLOCK]) for i in range(0, COUNT, BLOCK)]
        digests[name] = [hashlib.sha256(row.encode()).hexdigest()[:8] for row in rows]
    (folder / "lines.json").write_text(json.dumps(digests) + "\n", "utf-8")


if __name__ == "__main__":
    main()
