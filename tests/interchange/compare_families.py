"""Exports the models of tests/interchange/families again and opens both with transformers: the same
logits, and the class of their family.

  compare_families.py MNEME FOLDER   prints "ok NAME" or "not ok NAME: why"; writes into FOLDER
"""

import json
import subprocess
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

CLASSES = {"llama": "LlamaForCausalLM", "mistr": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM",
           "qwen3": "Qwen3ForCausalLM"}


@torch.no_grad()
def logits_of(folder, tokens):
    model = transformers.AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32)
    found = torch.cat([model.eval()(row[None]).logits[0] for row in tokens])
    return type(model).__name__, found


def main(mneme, work):
    fine = True
    for source in sorted(Path(__file__).with_name("families").iterdir()):
        ours, exported = Path(work) / f"{source.name}.mneme", Path(work) / source.name
        for command in (["import", source, ours], ["export", "--to", "hf", ours, exported]):
            subprocess.run([mneme, *map(str, command)], check=True, stdout=subprocess.DEVNULL)
        given = load_file(str(source / "logits.safetensors"))
        name, found = logits_of(exported, given["tokens"].long().view(2, -1))
        # What one machine computed another may round otherwise.
        apart = (found - given["logits"]).abs().max().item()
        why = "" if apart < 1e-4 else f"logits are {apart} apart"
        named = json.loads((exported / "config.json").read_text(encoding="utf-8"))["architectures"]
        if name != CLASSES[source.name[:5]] or named != [name]:
            why = f"is a {name}"
        print(f"not ok {source.name}_exported: {why}" if why else f"ok {source.name}_exported")
        fine &= not why
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
