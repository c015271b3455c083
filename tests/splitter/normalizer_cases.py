"""Writes normalizer_cases.json: texts and what the Python package `tokenizers` makes of them.

    python3 tests/splitter/normalizer_cases.py >tests/splitter/normalizer_cases.json
"""

import json
import random

from tokenizers import Tokenizer, models

NORMALIZERS = [
    {"type": "NFC"},
    {"type": "NFD"},
    {"type": "NFKC"},
    {"type": "NFKD"},
    {"type": "Lowercase"},
    {"type": "Strip", "strip_left": True, "strip_right": False},
    {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
    {"type": "Replace", "pattern": {"Regex": " {2,}|\\s\\p{N}"}, "content": "$0 "},
    {"type": "Prepend", "prepend": "\u2581"},
    {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]},
    {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "\u2581"},
        {"type": "Sequence", "normalizers": [
            {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]}]},
]
RANGES = [(0x20, 0x7f), (0xa0, 0x250), (0x300, 0x370), (0x370, 0x400), (0x410, 0x460), (0x5d0, 0x5ea),
          (0x1e00, 0x1f00), (0x2000, 0x206f), (0x2100, 0x2190), (0x3041, 0x3097), (0xac00, 0xac80),
          (0x1100, 0x1112), (0xfb00, 0xfb07), (0xff01, 0xff5e), (0x1d400, 0x1d430), (0x1f600, 0x1f640)]
BLANKS = " \t\n\u00a0\u2009\u3000\u0085\u001c"


def text(draw):
    characters = []
    for _ in range(draw.randrange(0, 14)):
        if draw.random() < 0.25:
            characters.append(draw.choice(BLANKS))
        else:
            low, high = draw.choice(RANGES)
            characters.append(chr(draw.randrange(low, high)))
    return "".join(characters)


def normal(normalizer, texts):
    root = json.loads(Tokenizer(models.BPE()).to_str())
    root["normalizer"] = normalizer
    made = Tokenizer.from_str(json.dumps(root)).normalizer
    return [made.normalize_str(t) for t in texts]


def main():
    draw = random.Random(20)
    texts = ["", " ", "\u0130I\u03a3 \u1e9e\u00df", "e\u0301\u0323", "\ufb01 \u2460", "  a  1  "]
    texts += [text(draw) for _ in range(150)]
    cases = [{"normalizer": n, "normal": normal(n, texts)} for n in NORMALIZERS]
    print(json.dumps({"texts": texts, "cases": cases}, indent=0))


main()
