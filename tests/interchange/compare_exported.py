"""Opens what `mneme export` wrote with transformers and peft, and compares greedy texts with those of
`mneme generate`, and merged weights.

  compare_exported.py MNEME MODEL EXPORTED ADAPTER TAUGHT   prints "ok NAME" or "not ok NAME: why"

MODEL is mneme's folder, EXPORTED the same by --to hf, ADAPTER what --to peft made of a finetuning
of it, and TAUGHT that finetuning's merged model by --to hf.
"""

import json
import subprocess
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

MAX_NEW = 20


def report(name, why):
    print(f"ok {name}" if not why else f"not ok {name}: {why}")
    return not why


def prompts(model):
    """Some texts, one with the token that starts texts, and the run's own questions."""
    answers = (Path(model) / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    return ["What is", "1 + 2 =", "zé ☃ x\n\ny"] + [json.loads(a)["prompt"] for a in answers[:9]]


def theirs(tokenizer, model, prompt):
    """Prompt and continuation, without the token that ends it."""
    given = tokenizer(prompt, return_tensors="pt")
    made = model.generate(**given, max_new_tokens=MAX_NEW, do_sample=False)[0].tolist()
    made = made[given["input_ids"].shape[1]:]
    if made and made[-1] == model.generation_config.eos_token_id:
        made.pop()
    return prompt + tokenizer.decode(made)


def main(mneme, folder, exported, adapter, taught):
    tokenizer = AutoTokenizer.from_pretrained(exported)
    model = AutoModelForCausalLM.from_pretrained(exported, dtype=torch.float32)
    other = []
    for prompt in prompts(folder):
        ours = subprocess.run([mneme, "generate", folder, prompt, "--max-tokens", str(MAX_NEW)],
                              check=True, stdout=subprocess.PIPE).stdout.decode()[:-1]
        if ours != theirs(tokenizer, model, prompt):
            other.append(prompt)
    fine = report("transformers_continues_as_mneme", f"other texts for {other}" if other else "")
    merged = PeftModel.from_pretrained(model, adapter).merge_and_unload().state_dict()
    ours = AutoModelForCausalLM.from_pretrained(taught, dtype=torch.float32).state_dict()
    apart = max((merged[name] - ours[name]).abs().max().item() for name in ours)
    fine &= report("peft_merges_as_mneme", f"weights are {apart} apart" if apart > 1e-6 else "")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
