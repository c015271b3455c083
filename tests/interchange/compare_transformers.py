"""Compares a model of Hugging Face with what mneme makes of it: logits of real text against
transformers in float64 and float32, and greedy texts.

  compare_transformers.py MNEME MODEL TEXT [--texts N] [--length N] [--continued N]
                          [--times X]

MODEL is a folder of transformers or a GGUF file, TEXT a text file. Needs torch and transformers
(and gguf). Prints the errors against float64 of mneme's logits and of transformers' float32, and
how many of the greedy continuations are the same, token by token. Exit status 1 if the error is
beyond `--times` transformers' own or a continuation differs.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mneme")
    parser.add_argument("model", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--texts", type=int, default=2, help="pieces of TEXT whose logits count")
    parser.add_argument("--length", type=int, default=128, help="tokens of a piece")
    parser.add_argument("--continued", type=int, default=20, help="greedy continuations")
    parser.add_argument("--times", type=float, default=3.0,
                        help="transformers' own error that mneme's may be")
    return parser.parse_args()


def load(path):
    """Tokenizer and model in float32."""
    if path.is_file():
        place = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    else:
        place = {"pretrained_model_name_or_path": str(path)}
    model = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32).eval()
    return AutoTokenizer.from_pretrained(**place), model


@torch.no_grad()
def logits_of(model, pieces):
    return [model(torch.tensor([piece])).logits[0] for piece in pieces]


def write_reference(folder, name, pieces, found, exact):
    """A folder for `mneme verify --reference` with a trial for each piece."""
    tensors = {}
    for i, piece in enumerate(pieces):
        tensors |= {f"{name}#{i}:in.tokens": torch.tensor(piece, dtype=torch.int32),
                    f"{name}#{i}:in.starts": torch.tensor([0, len(piece)], dtype=torch.int32),
                    f"{name}#{i}:f32.logits": found[i].contiguous(),
                    f"{name}#{i}:f64.logits": exact[i].contiguous()}
    save_file(tensors, str(folder / "logits.safetensors"))
    digest = hashlib.sha256((folder / "logits.safetensors").read_bytes()).hexdigest()
    case = {"name": name, "kind": "logits", "file": "logits.safetensors", "model": "model",
            "seeds": list(range(len(pieces)))}
    manifest = {"versions": {"torch": torch.__version__},
                "files": {"logits.safetensors": digest}, "cases": [case]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def compare_logits(mneme, folder, times):
    """Whether the errors are within so many times transformers' own; prints both."""
    made = subprocess.run([mneme, "verify", "--reference", str(folder), "--json"],
                          stdout=subprocess.PIPE, check=False)
    if made.returncode > 1:
        raise SystemExit(made.returncode)
    fine = True
    for row in json.loads(made.stdout)["rows"]:
        for measure in ("relative", "ulp"):
            ours, theirs = row["ours"][measure], row["pytorch_same_inputs"][measure]
            print(f"{row['tensor']}: {measure} error {ours:.3g}, transformers' {theirs:.3g}: "
                  f"{ours / theirs:.2f} times")
            fine &= ours <= times * theirs
    return fine


@torch.no_grad()
def greedy(model, prompt, count):
    """The likeliest ids one by one, whatever ends a text, and each one's lead over the second."""
    ids, leads, cache = [], [], None
    step = torch.tensor([prompt])
    for _ in range(count):
        made = model(step, past_key_values=cache, use_cache=True)
        cache = made.past_key_values
        best = made.logits[0, -1].topk(2)
        ids.append(int(best.indices[0]))
        leads.append(float(best.values[0] - best.values[1]))
        step = best.indices[None, :1]
    return ids, leads


def prompts_of(tokenizer, text, count):
    """Beginnings of the text's lines and, where there is a template, chats about them."""
    lines = [line.strip() for line in text.splitlines() if len(line.strip()) > 80]
    lines = lines[::max(1, len(lines) // count)][:count]
    prompts = []
    for i, line in enumerate(lines):
        start = " ".join(line.split()[:12])
        if i % 2 == 0 and tokenizer.chat_template:
            chat = [{"role": "user", "content": f"Tell me about this: {start}"}]
            start = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        prompts.append(tokenizer(start, add_special_tokens=False)["input_ids"])
    return prompts


def compare_texts(mneme, folder, model, prompts, count=64):
    """Whether all continuations are the same."""
    same = 0
    for prompt in prompts:
        theirs, leads = greedy(model, prompt, count)
        made = subprocess.run([mneme, "generate", str(folder), " ".join(map(str, prompt)), "--ids",
                               "--max-tokens", str(count)], stdout=subprocess.PIPE, check=True)
        ours = [int(word) for word in made.stdout.split()][-count:]
        if ours == theirs:
            same += 1
            continue
        at = next(i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1])
        print(f"differs at token {at} of {count}: {ours[at]}, not {theirs[at]}, whose logit leads "
              f"by {leads[at]:.2g}; prompt {prompt}")
    print(f"texts: {same} of {len(prompts)} the same, {count} tokens each")
    return same == len(prompts)


def main():
    given = arguments()
    tokenizer, model = load(given.model)
    text = given.text.read_text(encoding="utf-8")
    ids = tokenizer(text[:200000], add_special_tokens=False)["input_ids"]
    pieces = [ids[i * given.length:(i + 1) * given.length] for i in range(given.texts)]
    found = logits_of(model, pieces)
    prompts = prompts_of(tokenizer, text, given.continued)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        subprocess.run([given.mneme, "import", str(given.model), str(folder / "model")], check=True)
        fine = compare_texts(given.mneme, folder / "model", model, prompts)
        exact = logits_of(model.double(), pieces)
        del model
        write_reference(folder, "transformers", pieces, found, exact)
        fine &= compare_logits(given.mneme, folder, given.times)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
