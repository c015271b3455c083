#!/usr/bin/env python3
"""Texts and their scores by SQuAD's rules, in Python's own str and re, for test_squad.c.

    squad_pairs.py characters            every character, alone and beside letters
    squad_pairs.py answers FILE...       200,000 pairs of an answer and what a model might have said

Writes to standard output, in the machine's byte order: texts as a length (uint32) and UTF-8. A record of
`characters` is a text and its normalised form, one of `answers` two texts and the doubles F1 and EM.

normalize, f1 and exact_match follow the published scripts evaluate-v1.1.py and evaluate-v2.0.py
(Rajpurkar et al. 2016, 2018) line by line. Two texts without words: 2.0's rule.
"""

from __future__ import annotations

import json
import random
import re
import string
import struct
import sys
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO, Iterable

N_PAIRS = 200_000
PUNCTUATION = set(string.punctuation)

# Where a character can matter: words, articles, capital letters, the final sigma's neighbours.
CONTEXTS = ["{}", "a{}", "{}a", "a{}b", "{}the", "the{}", "an{}the", "A{}", "{}Z", "x{}y", "{0}{0}",
            "\u03a3{}", "{}\u03a3", "a{}\u03a3", "\u03a3{}b", "a\u03a3{}b", "a\u03a3{}", "\u0130{}"]
# Planes 4 to 13 have no characters, 15 and 16 private ones alone.
FULL = [*range(1, 0xD800), *range(0xE000, 0x34000), *range(0xE0000, 0xE1000)]
ALONE = [*range(0x34000, 0xE0000), *range(0xE1000, 0x110000)]

ANSWERS = ["54\u00a0Mbit/s", "54 Mbit/s", "The\u2019Beatles", "a\u2014b", "Ștefan cel Mare", "İstanbul",
           "ΟΔΥΣΣΕΥΣ", "Ό ΣΊΣΥΦΟΣ", "Ґудзь", "ＡＢＣ　１２３", "STRASSE ẞ", "an\u0301", "the\u2009the", "A\u0085an",
           "x\x1cy", "The", "!", "", "the the of the", "1,000.50 $", "𐐀𐐁 THE", "Ꙁ Ɐ", "ﬁn", "東京 大阪", "a_b",
           "é the", "ǅ", "Ⅷ the Ⓐ", "one two three four five six seven", "red red blue", "\u200bThe\u200b"]
PIECES = [" ", "\u00a0", "\u2009", "\u3000", "\t", "\n", "\x1f", "\u0085", "\u2028", "\ufeff", "\u200b", "a", "an", "the", "THE",
          "The ", " a ", "\u0301", "\u0307", "'", "\u2019", ".", ",", "-", "\u2014", "\u03a3", "\u0130", "\u1e9e", "\u0345", "_", "$", "Ș",
          "\u01c5", "\u2160", "ª", "²", "\U00010400", "\ufffd", "\u00ad"]


def normalize(text: str) -> str:
    """normalize_answer of both scripts."""
    kept = "".join(c for c in text.lower() if c not in PUNCTUATION)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


def f1(said: str, answer: str) -> float:
    """f1_score of script 1.1, with 2.0's rule for texts without words."""
    prediction, truth = normalize(said).split(), normalize(answer).split()
    if not prediction or not truth:
        return float(prediction == truth)
    same = sum((Counter(prediction) & Counter(truth)).values())
    if same == 0:
        return 0.0
    precision, recall = 1.0 * same / len(prediction), 1.0 * same / len(truth)
    return (2 * precision * recall) / (precision + recall)


def put(out: BinaryIO, text: str) -> None:
    """A text's length and bytes."""
    data = text.encode()
    out.write(struct.pack("=I", len(data)) + data)


def write_characters(out: BinaryIO) -> None:
    """Words of one context are apart: a blank ends every rule's reach, so that one text serves many."""
    for context in CONTEXTS:
        codes = FULL + ALONE if context == "{}" else FULL
        for first in range(0, len(codes), 64):
            text = " ".join(context.format(chr(code)) for code in codes[first:first + 64])
            put(out, text)
            put(out, normalize(text))


def strings(value: Any) -> Iterable[str]:
    """All strings of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("context", "id", "question", "Question"):
                yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def read_answers(path: str) -> list[str]:
    """The answers of a file: one JSON document, JSON lines, or the last column of a table."""
    text = Path(path).read_text(encoding="utf-8")
    if path.endswith(".json"):
        return list(strings(json.loads(text)))
    if path.endswith(".jsonl"):
        return [answer for line in text.split("\n") if line.strip() for answer in strings(json.loads(line))]
    return [line.rsplit(",", 1)[-1] for line in text.split("\n")]


def perturb(text: str, draw: random.Random) -> str:
    """What is like the text: pieces put in, characters and words changed, swapped, left out."""
    for _ in range(draw.randrange(4)):
        at = draw.randrange(len(text) + 1)
        kind = draw.randrange(6)
        if kind == 0:
            text = text[:at] + draw.choice(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + 1:]
        elif kind == 2:
            text = draw.choice([str.upper, str.lower, str.title, str.swapcase])(text)
        elif kind == 3:
            words = text.split(" ")
            draw.shuffle(words)
            text = " ".join(words[:draw.randrange(len(words)) + 1])
        elif kind == 4:
            text = text.replace(" ", draw.choice(PIECES))
        else:
            text = text[:at] + chr(draw.choice(FULL)) + text[at:]
    return text


def write_answers(out: BinaryIO, paths: list[str]) -> None:
    """The same pairs from the same files."""
    answers = ANSWERS + [answer for path in paths for answer in read_answers(path)]
    draw = random.Random(0)
    for i in range(N_PAIRS):
        answer = answers[i % len(answers)]
        said = perturb(answer if draw.randrange(8) else draw.choice(answers), draw)
        put(out, said)
        put(out, answer)
        out.write(struct.pack("=dd", f1(said, answer), float(normalize(said) == normalize(answer))))


if __name__ == "__main__":
    if sys.argv[1] == "characters":
        write_characters(sys.stdout.buffer)
    else:
        write_answers(sys.stdout.buffer, sys.argv[2:])
