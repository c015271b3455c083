"""Compares `mneme tokenize` with the Python package `tokenizers` on tokenizers that nobody has: their
normalizers, pre-tokenizers, decoders, models and added tokens are drawn at random.

  invented.py MNEME FOLDER [--first SEED] [--count N] [--strings N]

Writes FOLDER/SEED.json and prints a line for each: "ok SEED", "refused SEED: why", or "not ok SEED: a
text". Ids of random strings, as prompts; what they and random ids decode to.
"""

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

from compare import WORDS, ours, random_string
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXTS = [WORDS, "It's a naïve éclair; she'll say: 'Straße', don't? слово 数字 12 345 6789 STRASSE ÉTÉ",
         "def f(x):\n    return x + 1\n\nif (a && b) { c += 1; }  tag tags word words ▁the ##ing </w>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
BEHAVIORS = ["isolated", "removed", "contiguous", "merged_with_previous", "merged_with_next"]
PATTERNS = [r"\w+|[.,]", r"\s+", r"[^\s]+", r"\p{L}+|\p{N}", r"[A-Z]?[a-z]+", r"\d{1,3}(?=(?:\d{3})*\b)", "e", r"'\w",
            r"[^\r\n\p{L}\p{N}]?+\p{Lu}*\p{Ll}+|\p{N}+", r"(?i:the|low)", r"\s+(?!\S)", r"[\p{Han}]+|\p{M}", "n|new|ne"]
ADDED = ["<|u|>", "tag", "wide", "  ", "é x", "\n", "É", "the", "low", "▁the", "ﬁ", "<|u|>x", "ß", "Ａ", "12", "##", " lower "]


def flag(draw):
    return draw.random() < 0.5


def some(draw, choices, least, most):
    return [draw.choice(choices)(draw) for _ in range(draw.randint(least, most))]


def normalizer(draw):
    replaced = [lambda: (" ", "▁"), lambda: ("e", "é"), lambda: ("ab", ""), lambda: (Regex(r"\s+"), " "), lambda: ("  ", " "),
                lambda: (Regex(r"\p{M}"), ""), lambda: (Regex(r"[0-9]"), "0"), lambda: (Regex("a|ab"), "x")]
    kinds = [lambda d: normalizers.NFC(), lambda d: normalizers.NFD(), lambda d: normalizers.NFKC(),
             lambda d: normalizers.NFKD(), lambda d: normalizers.Lowercase(), lambda d: normalizers.StripAccents(),
             lambda d: normalizers.Strip(flag(d), flag(d)), lambda d: normalizers.Prepend(d.choice(["▁", "ab ", "É"])),
             lambda d: normalizers.Replace(*d.choice(replaced)()), lambda d: normalizers.Replace(*d.choice(replaced)())]
    if draw.random() < 0.1:
        kinds += [lambda d: normalizers.Nmt(), lambda d: normalizers.BertNormalizer(flag(d), flag(d), flag(d), flag(d))]
    parts = some(draw, kinds, 0, 3)
    return normalizers.Sequence(parts) if len(parts) > 1 else parts[0] if parts else None


def pre_tokenizer(draw, byte_level):
    kinds = [lambda d: pre_tokenizers.Whitespace(), lambda d: pre_tokenizers.WhitespaceSplit(),
             lambda d: pre_tokenizers.Punctuation(d.choice(BEHAVIORS)), lambda d: pre_tokenizers.Digits(flag(d)),
             lambda d: pre_tokenizers.CharDelimiterSplit(d.choice("e ▁")), lambda d: pre_tokenizers.BertPreTokenizer(),
             lambda d: pre_tokenizers.Metaspace(d.choice("▁_"), d.choice(["always", "first", "never"]), flag(d)),
             lambda d: pre_tokenizers.Split(Regex(d.choice(PATTERNS)), d.choice(BEHAVIORS), flag(d)),
             lambda d: pre_tokenizers.Split(Regex(d.choice(PATTERNS)), d.choice(BEHAVIORS), flag(d)),
             lambda d: pre_tokenizers.Split(d.choice([" ", "e", "ab", "."]), d.choice(BEHAVIORS), flag(d))]
    if draw.random() < 0.1:
        kinds += [lambda d: pre_tokenizers.UnicodeScripts(), lambda d: pre_tokenizers.FixedLength(d.randint(1, 5))]
    parts = some(draw, kinds, 0, 3)
    if byte_level:
        parts.insert(draw.randint(0, len(parts)) if draw.random() < 0.2 else len(parts),
                     pre_tokenizers.ByteLevel(flag(draw), use_regex=flag(draw)))
    return pre_tokenizers.Sequence(parts) if len(parts) > 1 else parts[0] if parts else None


def decoder(draw, byte_level):
    kinds = [lambda d: decoders.Fuse(), lambda d: decoders.ByteFallback(), lambda d: decoders.Strip(d.choice(" ea"), d.randint(0, 2), d.randint(0, 2)),
             lambda d: decoders.Replace(d.choice(["▁", "e", "</w>", "  "]), d.choice([" ", "", "xy"])),
             lambda d: decoders.Metaspace("▁", d.choice(["always", "first", "never"])),
             lambda d: decoders.BPEDecoder(d.choice(["</w>", "e"])), lambda d: decoders.WordPiece(d.choice(["##", "l"]), flag(d))]
    if draw.random() < 0.05:
        kinds.append(lambda d: decoders.CTC("a", "|", flag(d)))
    parts = some(draw, kinds, 0, 3)
    if byte_level:
        parts.insert(draw.randint(0, len(parts)) if draw.random() < 0.3 else 0, decoders.ByteLevel())
    return decoders.Sequence(parts) if len(parts) > 1 else parts[0] if parts else None


def added(draw):
    return [AddedToken(text, lstrip=flag(draw), rstrip=flag(draw), single_word=draw.random() < 0.3, normalized=flag(draw),
                       special=flag(draw)) for text in draw.sample(ADDED, draw.randint(0, 6))]


def is_left(tokenizer, token):
    """Of an added token that is normalised to nothing the package cuts texts at every byte, or never ends."""
    return not token.normalized or not tokenizer.normalizer or tokenizer.normalizer.normalize_str(token.content) != ""


def invent(draw):
    byte_level, fallback = draw.random() < 0.4, draw.random() < 0.4
    unknown = draw.choice([None, "<unk>"])
    special = (["<unk>"] if unknown else []) + ["<s>", "</s>"]
    ends = {"continuing_subword_prefix": "##"} if draw.random() < 0.2 else {}
    if draw.random() < 0.25:
        ends["end_of_word_suffix"] = "</w>"
    options = dict(byte_fallback=fallback, fuse_unk=flag(draw), ignore_merges=flag(draw), dropout=None, **ends)
    tokenizer = Tokenizer(models.BPE(unk_token=unknown, **options))
    chosen = normalizer(draw), pre_tokenizer(draw, byte_level), decoder(draw, byte_level)
    if chosen[0]:
        tokenizer.normalizer = chosen[0]
    tokenizer.pre_tokenizer = chosen[1] or pre_tokenizers.Metaspace()
    n_bytes = draw.choice([256, 200, 100]) if fallback else 0
    alphabet = pre_tokenizers.ByteLevel.alphabet() if byte_level else []
    training = {"limit_alphabet": draw.choice([20, 40, 1000])} if flag(draw) else {"initial_alphabet": alphabet}
    tokenizer.train_from_iterator(TEXTS * 3, trainers.BpeTrainer(
        vocab_size=n_bytes + draw.choice([60, 150, 400]), special_tokens=special + BYTES[:n_bytes], show_progress=False, **ends, **training))
    tokenizer.add_tokens([token for token in added(draw) if is_left(tokenizer, token)])
    if flag(draw):
        tokenizer.post_processor = processors.ByteLevel() if flag(draw) else processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[(t, tokenizer.token_to_id(t)) for t in ("<s>", "</s>")])
    root = json.loads(tokenizer.to_str())
    root["pre_tokenizer"] = root["pre_tokenizer"] if chosen[1] else None
    root["decoder"] = json.loads(chosen[2].__getstate__()) if chosen[2] else None
    root["added_tokens"] = [t for t in root["added_tokens"] if not t["content"].startswith("<0x")]
    drop = draw.random() * 0.3 if flag(draw) else 0.0
    root["model"]["vocab"] = {f"hole {id}" if text in BYTES and draw.random() < drop else text: id
                              for text, id in root["model"]["vocab"].items()}
    return root


def decoded(mneme, path, lists, skip):
    given = "".join(" ".join(map(str, ids)) + "\n" for ids in lists).encode()
    printed = subprocess.run([mneme, "tokenize", path, "--decode", "--null", *(["--skip-special"] if skip else [])],
                             input=given, check=True, stdout=subprocess.PIPE).stdout.decode()
    return printed.split("\0")[:-1]


def unless_it_panics(call):
    """None where the package panics, as its Strip does on short tokens, and stripping at letters of two bytes."""
    try:
        return call()
    except BaseException as problem:  # pyo3's PanicException is no Exception
        if "index" not in str(problem) and "bad split" not in str(problem):
            raise
        return None


def theirs_decoded(tokenizer, ids, skip):
    text = unless_it_panics(lambda: tokenizer.decode(ids, skip_special_tokens=skip))
    return text if text is not None and "\0" not in text else None  # which would end it


def refusal(mneme, path):
    run = subprocess.run([mneme, "tokenize", path], input=b"x", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = run.stderr.decode()
    if run.returncode not in (0, 2) or said.count("\n") != (run.returncode == 2):
        return f"status {run.returncode}, {said!r}"
    return said.strip().split(": ", 2)[-1] if run.returncode == 2 else None


def check(mneme, path, root, draw, n_strings):
    tokenizer = Tokenizer.from_str(json.dumps(root))
    special = [t["content"] for t in root["added_tokens"]]
    texts = ["", " ", *TEXTS] + [random_string(draw, special + ["a", "  "]).replace("\0", "") for _ in range(n_strings)]
    expected = [unless_it_panics(lambda: tokenizer.encode(t, add_special_tokens=False).ids) for t in texts]
    found = ours(mneme, path, texts)
    for text, theirs, mine in zip(texts, expected, found):
        if theirs not in (mine, None):
            show = lambda ids: [tokenizer.id_to_token(id) for id in ids]
            return f"{text!r}\n  theirs {show(theirs)}\n  ours   {show(mine)}"
    known = sorted(tokenizer.get_vocab().values())
    lists = [l for l in expected if l] + [draw.choices(known, k=draw.randint(1, 12)) for _ in range(n_strings // 4)]
    for skip in (False, True):
        pairs = [(ids, text) for ids, text in ((l, theirs_decoded(tokenizer, l, skip)) for l in lists) if text is not None]
        found = decoded(mneme, path, [ids for ids, _ in pairs], skip)
        for (ids, theirs), mine in zip(pairs, found):
            if theirs != mine:
                return f"decoded, skip={skip}: {[tokenizer.id_to_token(id) for id in ids]}\n  theirs {theirs!r}\n  ours   {mine!r}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mneme")
    parser.add_argument("folder")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--strings", type=int, default=2000)
    a = parser.parse_args()
    fine = True
    for seed in range(a.first, a.first + a.count):
        draw = random.Random(seed)
        root, path = invent(draw), Path(a.folder) / f"{seed}.json"
        path.write_text(json.dumps(root, ensure_ascii=False), encoding="utf-8")
        refused = refusal(a.mneme, str(path))
        wrong = None if refused else check(a.mneme, str(path), root, draw, a.strings)
        fine &= wrong is None
        print(f"refused {seed}: {refused}" if refused else f"not ok {seed}: {wrong}" if wrong else f"ok {seed}", flush=True)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
