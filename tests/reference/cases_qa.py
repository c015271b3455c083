"""Answers' scores on hard strings, from SQuAD's definition (Rajpurkar et al. 2016, arXiv 1606.05250)."""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from pathlib import Path

STRINGS = [
    ("Paris", ["paris"]), ("", [""]), ("", ["the"]), ("the", ["a", "an"]), ("...", ["!?"]),
    ("The Beatles", ["Beatles", "the beatles!"]), ("an apple a day", ["apple day", "Apple"]),
    ("A-ha", ["Aha", "a ha"]), ("theatre", ["the atre"]), ("a's", ["as"]), ("U.S.A.", ["usa"]),
    ("$1,000.50", ["100050", "1000.50"]), ("1 000", ["1,000"]), ("  tabs\tand\nlines ", ["tabs and lines"]),
    ("red red blue", ["red blue blue"]), ("red red red", ["red"]), ("a a a a", ["a"]),
    ("b a c", ["c b", "b c a"]), ("the the of the", ["of"]), ("x" * 300, ["x" * 300]),
    ("one two three four five", ["five four three two one"]), ("New York City", ["York, New"]),
    ("Élodie ÜBER Łódź", ["élodie über łódź"]), ("ΑΩ МОСКВА ЁЖ", ["αω москва ёж"]),
    ("naïve café", ["NAÏVE CAFÉ"]), ("東京", ["東京"]), ("東京 大阪", ["大阪"]), ("“Quoted”", ["quoted"]),
    ("rock ’n’ roll", ["rock n roll"]), ("50 %", ["50"]), ("C++", ["C"]), ("~tilde_under`", ["tildeunder"]),
    ("\\back/slash|", ["backslash"]), ("é", ["e\u0301"]), ("straße", ["STRASSE"]), ("ÿ Ÿ", ["Ÿ ÿ"]),
    ("mother-in-law", ["mother in law"]), ("answer: the answer is 42.", ["42"]), ("no", ["yes", "maybe"]),
    ("The The", ["the"]), ("Ann", ["an n"]), ("AN", [""]), ("🙂 smile", ["smile 🙂"]),
]


def normalize(text: str) -> str:
    """normalize_answer of SQuAD's evaluate-v1.1.py and evaluate-v2.0.py."""
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


def f1(said: str, answer: str) -> float:
    """2 P R / (P + R) over words as multisets, as the scripts compute it; two empty texts agree."""
    a, b = normalize(said).split(), normalize(answer).split()
    if not a or not b:
        return float(a == b)
    common = sum((Counter(a) & Counter(b)).values())
    if common == 0:
        return 0.0
    precision, recall = 1.0 * common / len(a), 1.0 * common / len(b)
    return (2 * precision * recall) / (precision + recall)


def write(folder: Path) -> bytes:
    """qa.json, with scores in binary64."""
    cases = [{"said": said, "answers": answers, "normalized": normalize(said),
              "f1": max(f1(said, answer) for answer in answers),
              "exact_match": any(normalize(said) == normalize(answer) for answer in answers)}
             for said, answers in STRINGS]
    data = (json.dumps({"cases": cases}, indent=1, ensure_ascii=False) + "\n").encode()
    (folder / "qa.json").write_bytes(data)
    return data
