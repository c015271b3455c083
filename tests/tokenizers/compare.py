"""Compares `mneme tokenize` with the Python package `tokenizers`: the ids of random Unicode strings
and of whole files, for tokenizers trained here with the splitting of GPT-2, Llama 3 and SmolLM.

  compare.py MNEME [--strings N] [--seed N] [FILE...]   prints "ok NAME" or "not ok NAME: why"
  compare.py MNEME --real FILE...   the same for tokenizer.json files of others
  compare.py --write FOLDER    writes FOLDER/NAME.json, small tokenizers, and NAME.ids.json, texts
                               with their ids: what tests/tokenizer/test_tokenizer_others.c reads
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), behavior="isolated")


# name: pre-tokenizer, special tokens, added tokens that are not special, options of the model
KINDS = {
    "gpt2": (byte_level(True), ["<|endoftext|>"], [], {}),
    "llama3": (
        pre_tokenizers.Sequence([split(LLAMA3), byte_level(False)]),
        ["<|begin_of_text|>", "<|end_of_text|>", "<|eot|>", "<|eot_id|>"],
        [],
        {"ignore_merges": True},
    ),
    "smollm": (
        pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(True)]),
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        ["  ", "    ", "été"],
        {},
    ),
    "deepseek": (
        pre_tokenizers.Sequence(
            [split("[\r\n]"), split(r"\s?\p{L}+"), pre_tokenizers.Digits(), split(QWEN2),
             byte_level(False)]
        ),
        ["<|end_of_text|>"],
        [],
        {},
    ),
}

WORDS = "the low lower newest wide number éclair naïve Straße слово слова 数字 数学 かな café's it's"


def training_texts(files):
    texts = [WORDS] * 3 + [" ".join(f"{i} {i * 7919}" for i in range(400))]
    texts += [Path(file).read_text(encoding="utf-8") for file in files]
    return texts


def train(kind, texts, vocab_size):
    pre_tokenizer, special, added, options = KINDS[kind]
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(text, normalized=True) for text in added])
    return tokenizer


def random_characters(rng, n):
    """Characters that this Python's Unicode tables know: at most version 14 with Python 3.11."""
    found = []
    while len(found) < n:
        code = rng.choice([rng.randrange(1, 0x80), rng.randrange(0x80, 0x3000),
                           rng.randrange(0x3000, 0x20000), rng.randrange(0x110000)])
        character = chr(code)
        if unicodedata.category(character) not in ("Cn", "Cs"):
            found.append(character)
    return "".join(found)


def random_string(rng, special):
    pieces = ["'s", "'S", "'ſ", "'LL", "'Re", "'", " ", "  ", "\t", "\n", "\r\n", "\u00a0",
              "\u3000", "\u180e", "\u2028", "\u0085", "12", "1234567", "٣", "²", "Ⅷ", "½", "_",
              "!?", "...", "e\u0301", "été", "the", "The", " lower", "ß", "İ", "😀", "👩‍👩‍👧", "\ufeff"]
    text = ""
    for _ in range(rng.randrange(1, 24)):
        choice = rng.random()
        if choice < 0.55:
            text += rng.choice(pieces)
        elif choice < 0.6:
            token = rng.choice(special)
            text += token if rng.random() < 0.8 else token[:-1]
        else:
            text += random_characters(rng, rng.randrange(1, 6))
    return text


def ours(mneme, path, texts):
    given = b"\0".join(text.encode() for text in texts) + b"\0"
    printed = subprocess.run([mneme, "tokenize", path, "--null"], input=given, check=True,
                             stdout=subprocess.PIPE).stdout.decode()
    return [[int(id) for id in line.split()] for line in printed.split("\n")[:-1]]


def compare(name, mneme, path, tokenizer, texts):
    expected = [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
    got = ours(mneme, path, texts)
    wrong = [i for i in range(len(texts)) if i >= len(got) or got[i] != expected[i]]
    if not wrong and len(got) == len(texts):
        print(f"ok {name} ({len(texts)} texts, {sum(map(len, expected))} tokens)")
        return True
    first = wrong[0] if wrong else len(texts)
    print(f"not ok {name}: {len(wrong)} of {len(texts)} texts differ, the first {texts[first]!r}")
    return False


def special_texts(kind):
    return KINDS[kind][1] + KINDS[kind][2]


def check_all(arguments):
    fine = True
    texts = training_texts(arguments.files)
    for kind in KINDS:
        tokenizer = train(kind, texts, 3000)
        rng = random.Random(arguments.seed)
        strings = [random_string(rng, special_texts(kind)) for _ in range(arguments.strings)]
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "tokenizer.json")
            tokenizer.save(path)
            fine &= compare(f"{kind}_random_seed_{arguments.seed}", arguments.mneme, path,
                            tokenizer, strings)
            for file in arguments.files:
                text = Path(file).read_text(encoding="utf-8")
                fine &= compare(f"{kind}_{Path(file).name}", arguments.mneme, path, tokenizer,
                                [text])
    return fine


def check_real(arguments):
    """Of files that others made: random strings with their own special tokens."""
    fine = True
    for path in arguments.files:
        tokenizer = Tokenizer.from_file(path)
        special = [t.content for t in tokenizer.get_added_tokens_decoder().values()]
        rng = random.Random(arguments.seed)
        strings = [random_string(rng, special) for _ in range(arguments.strings)]
        strings += [WORDS, *training_texts([])]
        fine &= compare(f"{Path(path).name}_random_seed_{arguments.seed}", arguments.mneme, path,
                        tokenizer, strings)
    return fine


def write_all(folder):
    for kind in KINDS:
        tokenizer = train(kind, training_texts([]), 420)
        tokenizer.save(str(Path(folder) / f"{kind}.json"), pretty=False)
        rng = random.Random(14)
        texts = [random_string(rng, special_texts(kind)) for _ in range(60)]
        texts += ["", " ", WORDS, "\n\n  x", "don't DON'T 1234567"]
        made = {
            "tokenizers": tokenizers.__version__,
            "texts": [[t, tokenizer.encode(t, add_special_tokens=False).ids] for t in texts],
        }
        path = Path(folder) / f"{kind}.ids.json"
        path.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="ascii")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write")
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--strings", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("mneme", nargs="?")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    if arguments.write:
        write_all(arguments.write)
        return 0
    check = check_real if arguments.real else check_all
    return 0 if check(arguments) else 1


if __name__ == "__main__":
    sys.exit(main())
