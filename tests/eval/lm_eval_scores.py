#!/usr/bin/env python3
"""What lm-evaluation-harness, transformers and SQuAD's functions say to the files that `mneme eval`
was given, beside what mneme says.

    mneme export --to hf MODEL HF
    mneme eval MODEL --questions Q.jsonl --text T.txt --choices C.jsonl --limit 200 --json >ours.json
    python3 tests/eval/lm_eval_scores.py HF ours.json --limit 200

Needs lm_eval (tried: 0.4.13), transformers and torch. Endings and windows are scored by lm_eval's
own HFLM, prompts are continued by transformers' generate, answers scored as SQuAD's evaluation scripts
do (squad_pairs.py). Files are read by what follows, not by mneme.
"""

import argparse
import json
import math
import re

import numpy
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks.hellaswag.utils import preprocess
from squad_pairs import f1, normalize


def open_model(folder, **settings):
    return HFLM(pretrained=str(folder), **{"device": "cpu", "dtype": "float32", "batch_size": 1} | settings)


def records(path, limit):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.strip()]
    return lines[: limit or None]


def request(kind, arguments):
    return Instance(request_type=kind, doc={}, arguments=arguments, idx=0)


# Multiple choice: doc_to_text and doc_to_choice of lm_eval's arc_easy.yaml and hellaswag/utils.py,
# acc and acc_norm of its ConfigurableTask.process_results.


def choice_of(record):
    """(context, endings, the right one)"""
    if "activity_label" in record:
        context = record["ctx_a"] + " " + record["ctx_b"].capitalize()
        return (
            preprocess(record["activity_label"] + ": " + context),
            [preprocess(ending) for ending in record["endings"]],
            int(record["label"]),
        )
    question, choices = record["question"], record.get("choices")
    if isinstance(question, dict):
        question, choices = question["stem"], question["choices"]
    if isinstance(choices, list):
        choices = {key: [choice[key] for choice in choices] for key in ("text", "label")}
    return (
        f"Question: {question}\nAnswer:",
        choices["text"],
        choices["label"].index(record["answerKey"]),
    )


def score_choices(model, path, limit):
    docs = [choice_of(record) for record in records(path, limit)]
    pairs = [(context, " " + ending) for context, endings, _ in docs for ending in endings]
    scores = iter(model.loglikelihood([request("loglikelihood", pair) for pair in pairs]))
    found = {"acc": 0, "acc_norm": 0, "acc_norm_bytes": 0, "acc_norm_tokens": 0}
    for context, endings, right in docs:
        sums = numpy.array([next(scores)[0] for _ in endings])
        tokens = [len(model._encode_pair(context, " " + ending)[1]) for ending in endings]
        lengths = {
            "acc": numpy.ones(len(endings)),
            "acc_norm": numpy.array([float(len(ending)) for ending in endings]),
            "acc_norm_bytes": numpy.array([float(len(ending.encode())) for ending in endings]),
            "acc_norm_tokens": numpy.array(tokens),
        }
        for key, length in lengths.items():
            found[key] += int(numpy.argmax(sums / length)) == right
    return {"n": len(docs)} | {key: value / len(docs) for key, value in found.items()}


# Text: lm_eval's loglikelihood_rolling, which puts one token before the text (of a tokenizer that
# puts one there itself, add_bos_token=False keeps it from coming twice), and process_results of its wikitext task.


def measures(nll, text):
    words, size = len(re.split(r"\s+", text)), len(text.encode())
    return {
        "words": words,
        "bytes": size,
        "word_perplexity": math.exp(nll / words),
        "byte_perplexity": math.exp(nll / size),
        "bits_per_byte": nll / size / math.log(2),
    }


def score_text(model, path):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    nll = -model.loglikelihood_rolling([request("loglikelihood_rolling", (text,))])[0]
    tokens = len(model.tok_encode(text))
    return {"tokens": tokens, "perplexity": math.exp(nll / tokens)} | measures(nll, text)


def score_text_strided(model, path, window, stride):
    """The loop of transformers' guide "Perplexity of fixed-length models"."""
    with open(path, encoding="utf-8", newline="") as file:
        ids = torch.tensor([model.tok_encode(file.read())], device=model.device)
    total, n_tokens, previous_end, length = 0.0, 0, 0, ids.size(1)
    for begin in range(0, length, stride):
        end = min(begin + window, length)
        input_ids = ids[:, begin:end]
        targets = input_ids.clone()
        targets[:, : -(end - previous_end)] = -100
        with torch.no_grad():
            loss = model.model(input_ids, labels=targets).loss
        n = int((targets != -100).sum()) - 1
        total += float(loss) * n
        n_tokens += n
        previous_end = end
        if end == length:
            break
    return {"perplexity": math.exp(total / n_tokens)}


# Questions: the prompt as the default of mneme eval.


def question_of(record):
    answers = record.get("answer", record.get("answers"))
    return record["question"], answers if isinstance(answers, list) else [answers]


def ask(model, prompt, max_new):
    """The greedy answer, and how far the closest second token was behind the first, in logits."""
    ids = torch.tensor([model.tok_encode(prompt)[max_new - model.max_length :]], device=model.device)
    with torch.no_grad():
        output = model.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=max_new, do_sample=False,
            return_dict_in_generate=True, output_logits=True,
        )
    said = model.tokenizer.decode(output.sequences[0, ids.size(1) :], skip_special_tokens=True)
    best = [logits[0].topk(2).values for logits in output.logits]
    return said.split("\n")[0].strip(), min(float(first - second) for first, second in best)


def score_questions(model, path, limit, shots, shots_from, max_new, answers_path):
    everything = [question_of(record) for record in records(path, None)]
    asked = everything[: limit or None]
    if shots_from:
        everything = [question_of(record) for record in records(shots_from, None)]
    theirs = []
    if answers_path:
        theirs = [json.loads(line)["said"] for line in open(answers_path, encoding="utf-8")]
    sums = {"f1": 0.0, "exact_match": 0.0, "nll": 0.0, "answer_nll": 0.0}
    same, pairs = 0, []
    for i, (question, answers) in enumerate(asked):
        examples = [pair for pair in everything if pair[0] != question][:shots]
        prompt = "".join(f"Question: {q}\nAnswer: {a[0]}\n\n" for q, a in examples)
        prompt += f"Question: {question}\nAnswer:"
        said, margin = ask(model, prompt, max_new)
        same += i < len(theirs) and said == theirs[i]
        if i < len(theirs) and said != theirs[i]:
            print(f"question {i + 1}: ours {theirs[i]!r}, reference {said!r}, its closest choice"
                  f" by {margin:.1e}", flush=True)
        sums["f1"] += max(f1(said, answer) for answer in answers)
        sums["exact_match"] += max(normalize(said) == normalize(answer) for answer in answers)
        pairs.append((prompt, " " + answers[0]))
    scores = model.loglikelihood([request("loglikelihood", pair) for pair in pairs])
    for pair, (score, _) in zip(pairs, scores):
        sums["answer_nll"] -= score
        sums["nll"] -= score / len(model._encode_pair(*pair)[1])
    found = {"n": len(asked)} | {key: value / len(asked) for key, value in sums.items()}
    return found | ({"same answers": same} if theirs else {})


def compare(kind, ours, reference):
    for key, value in reference.items():
        mine = ours.get(key)
        relative = "" if not mine else f"  relative {abs(mine - value) / abs(value or 1):.1e}"
        print(f"{kind:9} {key:16} ours {mine}  reference {value}{relative}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("ours")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--shots", type=int, default=0)
    parser.add_argument("--shots-from")
    parser.add_argument("--max-new-tokens", type=int, default=32)
    parser.add_argument("--window", type=int, default=2048)
    parser.add_argument("--stride", type=int, default=0)
    parser.add_argument("--answers", help="of mneme eval, to be compared with transformers'")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch-size", type=int, default=1)
    a = parser.parse_args()
    settings = {"dtype": a.dtype, "device": a.device, "batch_size": a.batch_size}
    model = open_model(a.folder, **settings)
    reader = open_model(a.folder, **settings, max_length=a.window, add_bos_token=False)
    ours = json.load(open(a.ours, encoding="utf-8"))
    for one in ours["questions"]:
        found = score_questions(
            model, one["file"], a.limit, a.shots, a.shots_from, a.max_new_tokens, a.answers
        )
        compare("questions", one, found)
    for one in ours["texts"]:
        if a.stride:
            found = score_text_strided(reader, one["file"], a.window, a.stride)
        else:
            found = score_text(reader, one["file"])
        compare("text", one, found)
    for one in ours["choices"]:
        compare("choices", one, score_choices(model, one["file"], a.limit))


if __name__ == "__main__":
    main()
