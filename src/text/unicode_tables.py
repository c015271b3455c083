#!/usr/bin/env python3
"""Writes unicode_tables.h: what Python's own str says of every character.

    python3 src/text/unicode_tables.py > src/text/unicode_tables.h

tests/eval/test_squad.c compares the file with what this prints, where the Python at hand has the same
version of Unicode. Tables are ranges, so that scores do not hang on the version of an installed library.
"""

from __future__ import annotations

import sys
import unicodedata
from typing import Callable, Iterable

CHARACTERS = [*range(0xD800), *range(0xE000, 0x110000)]
SIGMA, FINAL_SIGMA = "\u03a3", "\u03c2"
HEAD = """/* Made by unicode_tables.py from Python's str and unicodedata, Unicode %s. Do not edit. */

#ifndef TEXT_UNICODE_TABLES_H
#define TEXT_UNICODE_TABLES_H

#include <stdint.h>

#define UNICODE_VERSION "%s"

/* First and last character; ascending, apart. */
struct unicode_range {
    uint32_t first, last;
};

/* Every `step`th character from first to last becomes itself + shift. */
struct unicode_lower_range {
    uint32_t first, last;
    int32_t step, shift;
};

/* clang-format off */
"""


def is_cased(c: str) -> bool:
    """Whether a sigma after it is final: cased, and not passed over."""
    return (c + SIGMA).lower().endswith(FINAL_SIGMA)


def is_ignorable(c: str) -> bool:
    """Whether the rule of the final sigma passes over it."""
    return ("A" + c + SIGMA).lower().endswith(FINAL_SIGMA) and not is_cased(c)


def ranges(belongs: Callable[[str], bool]) -> Iterable[tuple[int, int]]:
    """The runs of characters that belong."""
    found: list[list[int]] = []
    for code in CHARACTERS:
        if not belongs(chr(code)):
            continue
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return [(first, last) for first, last in found]


def lower_ranges() -> Iterable[tuple[int, int, int, int]]:
    """Runs of capital letters, next to each other or every other one, with one shift."""
    found: list[list[int]] = []
    for code in CHARACTERS:
        lower = chr(code).lower()
        if lower == chr(code) or len(lower) > 1:
            continue
        shift = ord(lower) - code
        if found and found[-1][3] == shift:
            first, last, step, _ = found[-1]
            if code - last == step or (first == last and code - last <= 2):
                found[-1][1:3] = [code, code - last]
                continue
        found.append([code, code, 1, shift])
    return [tuple(run) for run in found]


def print_table(kind: str, name: str, comment: str, rows: Iterable[tuple[int, ...]]) -> None:
    """One array, as many rows a line as fit."""
    print(f"\n/* {comment} */\nstatic const struct {kind} {name}[] = {{")
    line = "   "
    for row in rows:
        text = " {%s}," % ", ".join([f"0x{value:x}" for value in row[:2]] + [str(value) for value in row[2:]])
        if len(line) + len(text) > 100:
            print(line)
            line = "   "
        line += text
    print(line + "\n};")


def main() -> None:
    """All tables."""
    assert [c for c in CHARACTERS if len(chr(c).lower()) > 1] == [0x130] and "\u0130".lower() == "i\u0307"
    print(HEAD % (unicodedata.unidata_version, unicodedata.unidata_version), end="")
    print_table("unicode_range", "unicode_spaces", "str.isspace", ranges(str.isspace))
    print_table("unicode_range", "unicode_letters", "str.isalnum", ranges(str.isalnum))
    print_table("unicode_range", "unicode_cased", "Cased, and not passed over by the final sigma's rule",
                ranges(is_cased))
    print_table("unicode_range", "unicode_ignorable", "Case_Ignorable", ranges(is_ignorable))
    print_table("unicode_lower_range", "unicode_lowers", "str.lower, where it is one character",
                lower_ranges())
    print("\n/* clang-format on */\n\n#endif")


if __name__ == "__main__":
    sys.exit(main())
