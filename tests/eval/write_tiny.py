#!/usr/bin/env python3
"""Writes tests/eval/tiny/: a small random Llama with a tokenizer, files to evaluate it on, and what
lm-evaluation-harness, transformers and SQuAD's rules make of them (expected.json), for test_eval.c.

    python3 tests/eval/write_tiny.py

Needs what lm_eval_scores.py needs. Written by transformers 5.24, lm_eval 0.4.13, torch 2.13.
"""

import json
import random
import sys
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

sys.path.insert(0, str(Path(__file__).parent))
import lm_eval_scores as peer  # noqa: E402

FOLDER = Path(__file__).parent / "tiny"
TOKENIZER = Path(__file__).parents[1] / "tokenizers" / "llama3.json"

QUESTIONS = [
    ("who wrote the book", ["Ann", "Ann Lee"]),
    ("where is it?", ["in the north"]),
    ("when was that made", ["1999", "in 1999"]),
    ("what is the longest of all these questions, which has so many words that, with the examples "
     "before it, it does not fit the model and is cut at its beginning?", ["this one", "it"]),
    ("how many", ["12"]),
]
# ARC's own layout, and Hugging Face's; labels that are digits, endings of one token, a question that
# is longer than the model takes.
ARC = [
    {"id": "a", "question": {"stem": "Which one is a colour?", "choices": [
        {"text": "red", "label": "A"}, {"text": "a stone in the sea", "label": "B"},
        {"text": "two", "label": "C"}]}, "answerKey": "A"},
    {"id": "b", "question": {"stem": "What comes after 3?", "choices": [
        {"text": "4", "label": "1"}, {"text": "1", "label": "2"}, {"text": "2", "label": "3"},
        {"text": "0", "label": "4"}]}, "answerKey": "1"},
    {"id": "c", "question": "A very long question. " * 12 + "Is it?",
     "choices": {"text": ["yes", "no, it is not", "perhaps"], "label": ["A", "B", "C"]},
     "answerKey": "C"},
    {"id": "d", "question": "Où est l'été ? ", "choices": {"text": ["là-bas", "ici", "nulle part"],
     "label": ["A", "B", "C"]}, "answerKey": "B"},
    {"id": "e", "question": "Water is", "choices": {"text": ["wet", "dry"], "label": ["A", "B"]},
     "answerKey": "A"},
]
HELLASWAG = [
    {"ind": 1, "activity_label": "Baking", "ctx_a": "A man [substeps] mixes flour.",
     "ctx_b": "he", "ctx": "", "endings": ["puts it into the oven.", "flies  away. [title] Done.",
                                           "eats.", "[step] sings a song"], "label": 0},
    {"ind": 2, "activity_label": "Personal Care", "ctx_a": "[header] How to sleep [title] Lie down.",
     "ctx_b": "", "ctx": "", "endings": ["Close your eyes.", "Run.", "Jump [x", "Wait."],
     "label": "1"},
    {"ind": 3, "activity_label": "Skating", "ctx_a": "Two girls stand.", "ctx_b": "éLAN AND Mr. ΣΑΣ",
     "ctx": "", "endings": ["are on the ice.", "sit.", "laugh a lot.", "go home"], "label": "3"},
    {"ind": 4, "activity_label": "Rest", "ctx_a": "It is [x] ", "ctx_b": "[y]", "ctx": "",
     "endings": [" late.", "early", "so", "no"], "label": "2"},
]
WORDS = ["red", "two", "the sea", "a stone", "north", "Paris", "he went home", "1999", "no", "it is so",
         "naïve", "an old man", "x", "water", "because of it", "yes", "tomorrow", "of", "Ω", "7"]
TEXT = (" = Title = \n\n The first line, with @-@ marks and <unk> words .\n Über, naïve, 東京 — and\tmore "
        ": 1,000 and 2.5 .\n\n\n A last paragraph follows here ; it ends without a line's end ! ") * 3


def more_choices():
    """Questions of words, in the order of a draw."""
    draw = random.Random(5)
    for i in range(40):
        texts = draw.sample(WORDS, draw.randrange(2, 6))
        labels = "ABCDE"[: len(texts)]
        yield {"id": str(i), "question": " ".join(draw.sample(WORDS, 3)) + "?",
               "choices": {"text": texts, "label": list(labels)}, "answerKey": draw.choice(labels)}


def more_questions(model):
    """Questions of words, some of whose answers have words of what the model says."""
    draw = random.Random(6)
    for i in range(12):
        question = " ".join(draw.sample(WORDS, 4))
        said = peer.ask(model, f"Question: {question}\nAnswer:", 8).split()
        said = " ".join(said[: 1 + i % 3]) if i % 2 == 0 else ""
        yield question, [draw.choice(WORDS), said or draw.choice(WORDS)]


def write_lines(name, lines):
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (FOLDER / name).write_text(text, encoding="utf-8")


def write_model():
    tokenizer = json.loads(TOKENIZER.read_text(encoding="utf-8"))
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    size = max([*tokenizer["model"]["vocab"].values(), *added.values()]) + 1
    start, end = added["<|begin_of_text|>"], added["<|end_of_text|>"]
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=size, hidden_size=24, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=3, num_key_value_heads=1, max_position_embeddings=96,
        rms_norm_eps=1e-5, bos_token_id=start, eos_token_id=end, initializer_range=0.4)
    LlamaForCausalLM(config).save_pretrained(FOLDER)
    config = json.loads((FOLDER / "config.json").read_text())
    del config["attention_bias"]  # false unless it is there
    (FOLDER / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    name = "<|begin_of_text|>"
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": name, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"SpecialToken": {"id": name, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                 {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {name: {"id": name, "ids": [start], "tokens": [name]}}}
    (FOLDER / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, indent=1) + "\n")
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin_of_text|>",
                "eos_token": "<|end_of_text|>"}
    (FOLDER / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")


def main():
    FOLDER.mkdir(exist_ok=True)
    write_model()
    write_lines("arc.jsonl", ARC + list(more_choices()))
    write_lines("hellaswag.jsonl", HELLASWAG)
    (FOLDER / "text.txt").write_text(TEXT, encoding="utf-8")
    model = peer.open_model(FOLDER)
    questions = QUESTIONS + list(more_questions(model))
    write_lines("questions.jsonl", [{"question": q, "answer": a} for q, a in questions])
    reader = peer.open_model(FOLDER, add_bos_token=False)
    window = peer.open_model(FOLDER, add_bos_token=False, max_length=50)
    expected = {
        "questions": peer.score_questions(model, FOLDER / "questions.jsonl", 0, 0, 8, None),
        "questions with a shot": peer.score_questions(model, FOLDER / "questions.jsonl", 0, 1, 8, None),
        "arc": peer.score_choices(model, FOLDER / "arc.jsonl", 0),
        "hellaswag": peer.score_choices(model, FOLDER / "hellaswag.jsonl", 0),
        "text": peer.score_text(reader, FOLDER / "text.txt"),
        "text in windows of 50": peer.score_text(window, FOLDER / "text.txt"),
        "text with a stride of 20": peer.score_text_strided(reader, FOLDER / "text.txt", 50, 20),
        "text with a stride of 50": peer.score_text_strided(reader, FOLDER / "text.txt", 50, 50),
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
