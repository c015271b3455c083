"""Writes what tests/tokenizer/test_tokenizer_kinds.c reads, made by the Python package `tokenizers`:

    kinds.py kinds >tests/tokenizers/kinds.json       small tokenizers of many kinds, texts, their ids and what those decode to
    kinds.py digests DATA >tests/tokenizers/digests.json    SHA-256 of the ids of whole files, by real tokenizers
"""

import hashlib
import json
import random
import struct
import sys
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

TEXTS = [
    "the low lower lowest newer newest wide wider widest number numbers numbered",
    "It's a naïve éclair; she'll say: 'Straße', don't? слово слова 数字 数学 かな 12 345 6789",
    "def f(x):\n    return x + 1\n\nif (a && b) { c += 1; }  tag tags word words",
]
PIECES = ["'s", " ", "  ", "\n", "\r\n", "\u00a0", "\u3000", "12", "1234567", "½", "²", "Ⅷ", "_", "!?", "...", "$", "e\u0301", "été",
          "the", "The", " lower", "ß", "İ", "😀", "👩‍👩‍👧", "▁", "▁the", "Ġ", "<0x0A>", "<unk>", "<s>", "</s>", "слово", "数字",
          "한국", "\x01\x7f", "\u0334\u0301", "\U0001fae8", "\u0cf3", "\U00031350", "\u200d", "ﬁ", "tag", "<|u|>", "<|v|>", "wide", "é x"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
FALLBACK = {"byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"}
LLAMA = ["<unk>", "<s>", "</s>"]
LLAMA_DECODER = decoders.Sequence(
    [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
ALPHABET = {"initial_alphabet": pre_tokenizers.ByteLevel.alphabet()}
ADDED = [AddedToken("<|u|>", lstrip=True, rstrip=True, normalized=False, special=True),
         AddedToken("<|v|>", rstrip=True, normalized=True, special=True),
         AddedToken("tag", single_word=True, normalized=False), AddedToken("wide", single_word=True, lstrip=True),
         AddedToken("  ", normalized=False), AddedToken("é x")]


def byte_level(prefix=False, use_regex=True):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=use_regex)


def metaspace(scheme, split=True):
    return pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)


def split(regex, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(regex), behavior, invert=invert)


def sequence(*parts):
    return pre_tokenizers.Sequence(list(parts))


def kinds():
    """name: pre-tokenizer, normalizer, decoder, tokens of the trainer, model's options, trainer's options"""
    legacy = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    byte_decoder = decoders.ByteLevel()
    made = {
        "llama2": (None, legacy, LLAMA_DECODER, LLAMA + BYTES, FALLBACK, {}),
        "mistral": (metaspace("first", False), None, LLAMA_DECODER, LLAMA + BYTES, FALLBACK, {}),
        # its merges cross words
        "crossing": (metaspace("always", False), None, decoders.Metaspace(), ["<unk>"],
                     {"unk_token": "<unk>", "fuse_unk": True}, {}),
        "gemma": (pre_tokenizers.Split(" ", "merged_with_previous"), normalizers.Replace(" ", "▁"),
                  decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]),
                  LLAMA + BYTES, FALLBACK, {}),
        "half_fallback": (metaspace("always"), None, LLAMA_DECODER, ["<unk>"] + BYTES[:200],
                          dict(FALLBACK, fuse_unk=False), {"limit_alphabet": 30}),
        "falcon": (sequence(pre_tokenizers.Punctuation("contiguous"), byte_level(), pre_tokenizers.Digits(False),
                            split("[0-9][0-9][0-9]")), None, byte_decoder, [], {}, ALPHABET),
        "prefix": (byte_level(True), None, byte_decoder, ["<s>"], {}, ALPHABET),
        "regexes": (sequence(split(r"^\s|\b\p{Lu}\w\B|\h\H$|[\w-]+\d|\s+$"), byte_level()), normalizers.NFD(),
                    byte_decoder, [], {}, ALPHABET),
        "clip": (split(r"'s|'t|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", "removed", True),
                 normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]),
                 decoders.BPEDecoder("</w>"), ["<unk>"], {"unk_token": "<unk>", "end_of_word_suffix": "</w>"},
                 {"end_of_word_suffix": "</w>", "limit_alphabet": 40}),
        "subword": (pre_tokenizers.BertPreTokenizer(), normalizers.Lowercase(), decoders.WordPiece(), ["<unk>"],
                    {"unk_token": "<unk>", "continuing_subword_prefix": "##"},
                    {"continuing_subword_prefix": "##", "limit_alphabet": 40}),
        "no_unknown": (sequence(pre_tokenizers.Whitespace(), pre_tokenizers.CharDelimiterSplit("e")), None, None, [], {},
                       {"limit_alphabet": 30}),
        "byte_normalizer": (None, normalizers.ByteLevel(), byte_decoder, ["<unk>"], {"unk_token": "<unk>"}, ALPHABET),
        "folded": (pre_tokenizers.Punctuation("removed"),
                   normalizers.Sequence([normalizers.NFKC(), normalizers.StripAccents(), normalizers.Strip(),
                                         normalizers.Lowercase()]), None, ["<unk>"], {"unk_token": "<unk>"}, {}),
    }
    for scheme in ("always", "never"):
        made[f"metaspace_{scheme}"] = (metaspace(scheme), None, decoders.Metaspace(prepend_scheme=scheme), ["<unk>"],
                                       {"unk_token": "<unk>", "fuse_unk": scheme == "always"}, {"limit_alphabet": 40})
    for behavior in ("isolated", "removed", "contiguous", "merged_with_previous", "merged_with_next"):
        made[f"split_{behavior}"] = (
            sequence(split(r"\w+|[.,]", behavior), pre_tokenizers.Split(" ", behavior, invert=behavior == "contiguous"),
                     pre_tokenizers.Punctuation(behavior), pre_tokenizers.WhitespaceSplit()),
            None, None, ["<unk>"], {"unk_token": "<unk>"}, {"limit_alphabet": 60})
    return made


def train(name, kind):
    pre_tokenizer, normalizer, decoder, tokens, options, training = kind
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = metaspace("always") if name in ("llama2", "mistral", "gemma") else pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    if decoder:
        tokenizer.decoder = decoder
    size = (500 if len(tokens) > 100 else 420) if name not in ("no_unknown", "subword") else 120
    tokenizer.train_from_iterator(TEXTS * 3, trainers.BpeTrainer(vocab_size=size, special_tokens=tokens,
                                                                 show_progress=False, **training))
    tokenizer.add_tokens(ADDED)
    root = json.loads(tokenizer.to_str())
    root["pre_tokenizer"] = json.loads(pre_tokenizer.__getstate__()) if pre_tokenizer else None
    root["added_tokens"] = [t for t in root["added_tokens"] if not t["content"].startswith("<0x")]
    return root


def text(draw):
    return "".join(draw.choice(PIECES) for _ in range(draw.randrange(0, 9)))


def write_kinds():
    draw, made = random.Random(20), []
    texts = ["", " ", *TEXTS, " tag a  <|u|> \n<s> wide", "stage tag<|v|>  tags été x", "a<|u|>  <|u|>"]
    texts += [text(draw) for _ in range(60)]
    for name, kind in kinds().items():
        root = train(name, kind)
        tokenizer = Tokenizer.from_str(json.dumps(root))
        lists = [tokenizer.encode(t, add_special_tokens=False).ids for t in texts]
        tokenizer.encode_special_tokens = True
        as_data = [tokenizer.encode(t, add_special_tokens=False).ids for t in texts]
        made.append({"name": name, "tokenizer": root, "ids": lists, "as_data": as_data,
                     "decoded": [tokenizer.decode(l, skip_special_tokens=False) if l else "" for l in lists],
                     "skipped": [tokenizer.decode(l) if l else "" for l in lists]})
    print(json.dumps({"tokenizers": tokenizers.__version__, "texts": texts, "kinds": made}, separators=(",", ":")))


def write_digests(data):
    made = []
    for name in ("qwen3.json", "deepseek_v4.json"):
        tokenizer = Tokenizer.from_file(str(data / "tokenizers" / name))
        for file in ("text/wikipedia_valid.jsonl", "text/wikitext2_valid.txt", "text/books/astronomy.txt",
                     "documents/squad_new_wiki_400.json"):
            ids = tokenizer.encode((data / file).read_bytes().decode(), add_special_tokens=False).ids
            digest = hashlib.sha256(struct.pack(f"<{len(ids)}i", *ids)).hexdigest()
            made.append({"tokenizer": "tokenizers/" + name, "text": file, "ids": len(ids), "sha256": digest})
    print(json.dumps(made, indent=0))


if sys.argv[1] == "kinds":
    write_kinds()
else:
    write_digests(Path(sys.argv[2]))
