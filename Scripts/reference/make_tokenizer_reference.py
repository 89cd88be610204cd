#!/usr/bin/env python3
"""Writes what transformers makes of every line of some texts: JSON lines of {"text", "input_ids"}.

usage: make_tokenizer_reference.py TOKENIZER_FOLDER OUT.jsonl TEXT_FILE...

Nothing is padded or cut, special tokens are included; `flowsteer verify-model MODEL --component tokenizer_3 --reference
OUT.jsonl` compares them. Lines end at newlines only, and empty ones are left out. A folder with only `spiece.model`
needs sentencepiece and protobuf beside transformers.

Ten thousand lines of real text in many scripts are at hand where Debian's unicode-cldr-core (annotations, in
/usr/share/unicode/cldr), iso-codes, manpages-ja and fortunes-zh are installed; of XML the text is to be taken first:
  sed -n 's/.*<annotation[^>]*>\\(.*\\)<.annotation>.*/\\1/p' /usr/share/unicode/cldr/common/annotations/*.xml
"""
import json
import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
from transformers import AutoTokenizer


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    lines = [
        line
        for name in sys.argv[3:]
        for line in pathlib.Path(name).read_bytes().decode("utf-8").split("\n")
        if line
    ]
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        for line, tokens in zip(lines, tokenizer(lines).input_ids):
            out.write(json.dumps({"text": line, "input_ids": tokens}, ensure_ascii=False) + "\n")
    print(f"{sys.argv[2]}: {len(lines)} lines, by {type(tokenizer).__name__}")


if __name__ == "__main__":
    main()
