"""Writes package_tables.h: in which characters the Python package `tokenizers` differs from what the
libraries of Debian 12 (Unicode 14) say, found by asking the package.

    python3 src/splitter/package_tables.py >src/splitter/package_tables.h

Run it with a Python whose unicodedata is of version 14 (3.11).
"""

import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

CHARACTERS = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Cf".split()


def matching(regex):
    """The characters that a regular expression matches, as the package has it."""
    split = pre_tokenizers.Split(Regex(regex), "removed", invert=True)
    return set("".join(piece for piece, _ in split.pre_tokenize_str("".join(CHARACTERS))))


def ranges(characters):
    """[(first, last)] of code points."""
    found = []
    for code in sorted(map(ord, characters)):
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def stand_in(category, is_han, length):
    """An old character of the category whose UTF-8 has as many bytes."""
    if is_han:
        return "\u4e00" if length == 3 else "\U00020000"
    alike = [c for c in CHARACTERS if unicodedata.category(c) == category and len(c.encode()) == length]
    return next((c for c in reversed(alike) if c.upper() == c.lower() and "CJK" not in unicodedata.name(c)),
                alike[-1])


def young():
    """[(first, last, stand-in)] of what was assigned after Unicode 14."""
    new = {c for c in CHARACTERS if unicodedata.category(c) == "Cn"}
    han, found = matching(r"\p{Han}") & new, []
    for category in CATEGORIES:
        members = matching(r"\p{%s}" % category) & new
        for is_han in (False, True):
            for length in (2, 3, 4):
                group = {c for c in members if (c in han) == is_han and len(c.encode()) == length}
                if group:
                    other = ord(stand_in(category, is_han, length))
                    found += [(first, last, other) for first, last in ranges(group)]
    return sorted(found)


def unknown_forms():
    """What the package's normal forms take for characters without decomposition or order."""
    nfkd, nfd = normalizers.NFKD(), normalizers.NFD()
    found = set()
    for c in CHARACTERS:
        if 0xAC00 <= ord(c) < 0xD7A4:
            continue
        order = unicodedata.combining(c)
        if unicodedata.decomposition(c) and nfkd.normalize_str(c) != unicodedata.normalize("NFKD", c):
            found.add(c)
        elif order:
            text = "a\u0301" + c if order == 1 else "a" + c + "\u0334"
            if nfd.normalize_str(text) != unicodedata.normalize("NFD", text):
                found.add(c)
    return found | later_characters(nfkd)


def later_characters(nfkd):
    """Those that Unicode 14 has not, which a library may know; the package does not."""
    found = {c for c in CHARACTERS if unicodedata.category(c) == "Cn"}
    assert all(nfkd.normalize_str("a\u0345" + c + "\u0334") == "a\u0345" + c + "\u0334" for c in found)
    return found


def inert():
    """What no normal form changes: it may stand among what is left as it is."""
    composing = set()
    for c in CHARACTERS:
        parts = unicodedata.decomposition(c).split()
        if parts and not parts[0].startswith("<"):
            composing |= {chr(int(part, 16)) for part in parts}
    return {c for c in CHARACTERS if not unicodedata.combining(c) and not unicodedata.decomposition(c)
            and c not in composing and not 0x1100 <= ord(c) < 0x1200 and not 0xAC00 <= ord(c) < 0xD7A4}


def with_inert(found):
    """The ranges of the characters, joined where only inert ones stand between."""
    harmless, joined = inert(), []
    for first, last in ranges(found):
        if joined and all(chr(c) in harmless for c in range(joined[-1][1] + 1, first)):
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def young_lowers():
    lower = normalizers.Lowercase()
    pairs = [(c, lower.normalize_str(c)) for c in CHARACTERS if unicodedata.category(c) == "Cn"]
    return [(ord(c), ord(c), ord(small)) for c, small in pairs if small != c]


def removed_by(normalizer_or_split):
    text = "".join(CHARACTERS)
    if hasattr(normalizer_or_split, "normalize_str"):
        kept = normalizer_or_split.normalize_str(text)
    else:
        kept = "".join(piece for piece, _ in normalizer_or_split.pre_tokenize_str(text))
    return set(CHARACTERS) - set(kept)


def print_table(kind, name, comment, rows):
    print(f"\n/* {comment} */\nstatic const struct {kind} {name}[] = {{")
    for row in rows:
        print("    {" + ", ".join(f"0x{value:x}" for value in row) + "},")
    print("};")


def main():
    assert unicodedata.unidata_version == "14.0.0"
    print("/* Made by package_tables.py from the Python package `tokenizers`. */\n")
    print("#ifndef SPLITTER_PACKAGE_TABLES_H\n#define SPLITTER_PACKAGE_TABLES_H\n\n#include <stdint.h>\n")
    print("struct character_range {\n    uint32_t first, last;\n};\n")
    print("struct character_stand_in {\n    uint32_t first, last, other;\n};\n")
    print("struct character_pair {\n    uint32_t first, last, to;\n};")
    print_table("character_stand_in", "young_characters",
                "Assigned after Unicode 14: an older one of the kind and length.", young())
    print_table("character_range", "unknown_to_forms",
                "What the normal forms of the package leave as it is.", with_inert(unknown_forms()))
    print_table("character_pair", "young_lowers", "Capitals after Unicode 14.", young_lowers())
    print_table("character_range", "package_punctuation", "What its Punctuation cuts.",
                ranges(removed_by(pre_tokenizers.Punctuation("removed"))))
    print_table("character_range", "package_marks", "What its StripAccents takes away.",
                ranges(removed_by(normalizers.StripAccents())))
    print("\n#endif")


main()
