"""Compares imports with transformers on small models whose family, sizes and options are drawn at
random, as transformers writes them (in shards, f32, f16 or bf16) and as GGUF files of every type.

  invented_models.py MNEME FOLDER [--first SEED] [--count N]

Prints a line for each model and file: "ok", "refused: why" or "not ok", with the error of mneme's
logits and of transformers' float32 against float64. Needs torch, transformers, safetensors and gguf;
what version 4 and version 5 write differs, so run it with either.
"""

import argparse
import contextlib
import copy
import io
import random
import shutil
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from compare_transformers import compare_logits, write_reference
from gguf import GGMLQuantizationType as Type
from gguf import quants
from write_families import build, write_gguf

DTYPES = [torch.float32, torch.float16, torch.bfloat16]
SIMPLE = [Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1]
WIDE = [Type.Q2_K, Type.Q3_K, Type.Q4_K, Type.Q5_K, Type.Q6_K]
# Where a block has its half-precision scales; the other bytes can be anything.
SCALES = {Type.Q2_K: [80, 82], Type.Q3_K: [108], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208]}
CLOSE = 1e-6  # an error that needs no comparison


def draw_rope(draw):
    kind = draw.choice(["default", "default", "linear", "llama3"])
    if kind == "linear":
        return {"rope_type": kind, "factor": draw.choice([1.0, 1.5, 2.0, 4.0, 7.25])}
    if kind == "llama3":
        low = draw.choice([1.0, 1.0, 1.0, 0.5, 2.0])
        return {"rope_type": kind, "factor": draw.choice([2.0, 8.0, 32.0, 3.7]), "low_freq_factor": low,
                "high_freq_factor": low * draw.choice([2.0, 4.0, 4.5]), "original_max_position_embeddings": draw.choice([32, 64, 100, 8192])}
    return {"rope_type": kind}


def draw_options(draw, block):
    """The family and its options; rows of weights are multiples of `block` wide."""
    family = draw.choice(["Llama", "Llama", "Mistral", "Qwen2", "Qwen3"])
    heads = draw.choice([1, 2, 4, 8] if block > 1 else [1, 2, 3, 4, 6])
    width = block * draw.randint(1, 2) if block > 1 else heads * draw.choice([2, 4, 6, 10])
    options = {"vocab_size": draw.randint(20, 90), "hidden_size": width, "num_attention_heads": heads,
               "intermediate_size": block * draw.randint(1, 2) if block > 1 else draw.randint(3, 50),
               "num_key_value_heads": draw.choice([n for n in range(1, heads + 1) if heads % n == 0]),
               "num_hidden_layers": draw.randint(1, 3), "tie_word_embeddings": draw.random() < 0.5,
               "rms_norm_eps": draw.choice([1e-5, 1e-6, 1e-3]), "max_position_embeddings": draw.choice([24, 128, 4096])}
    if family != "Qwen2" and draw.random() < 0.5:
        options["head_dim"] = draw.choice([2, 4, 8, 16, 22]) if block == 1 else block // heads * draw.randint(1, 2)
    elif family == "Qwen3":
        options["head_dim"] = width // heads
    if family == "Llama":
        options |= {"attention_bias": draw.random() < 0.5, "mlp_bias": draw.random() < 0.5}
    if family == "Qwen3":
        options["attention_bias"] = draw.random() < 0.5
    if family == "Mistral":
        options["sliding_window"] = None
    rope, theta = draw_rope(draw), draw.choice([100.0, 10000.0, 1e6, 512.5])
    if transformers.__version__.startswith("4."):
        options |= {"rope_theta": theta} | ({} if rope["rope_type"] == "default" else {"rope_scaling": rope})
    else:
        options["rope_parameters"] = rope | {"rope_theta": theta}
    return family, options


def quantize(kind, values, draw):
    """Bytes of that type, a row each: of the values where the package can, else random ones."""
    if kind in SIMPLE:
        return quants.quantize(values, kind)
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    rows, blocks = values.shape[0], values.shape[1] // elements
    made = np.frombuffer(draw.randbytes(rows * blocks * size), np.uint8).reshape(rows, blocks, size).copy()
    for at in SCALES[kind]:
        scales = np.array([draw.uniform(-2e-4, 2e-4) for _ in range(rows * blocks)], np.float16)
        made[:, :, at:at + 2] = scales.reshape(rows, blocks, 1).view(np.uint8)
    return made.reshape(rows, blocks * size)


def pack(model, block, draw):
    """Quantizes every matrix, and gives the model the values that the package makes of that."""
    packed = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() != 2:
                continue
            kind = draw.choice(SIMPLE if block == 32 else SIMPLE + WIDE)
            packed[name] = quantize(kind, parameter.numpy(), draw), kind
            parameter.copy_(torch.from_numpy(quants.dequantize(*packed[name]).astype(np.float32).copy()))
    return packed


@torch.no_grad()
def compare(mneme, source, model, pieces, folder):
    found = [model(piece[None]).logits[0] for piece in pieces]
    exact = [model.double()(piece[None]).logits[0] for piece in pieces]
    model.float()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    run = subprocess.run([mneme, "import", str(source), str(folder / "model")], capture_output=True, text=True)
    if run.returncode:
        return (run.returncode == 2, f"refused: {run.stderr.strip()}")
    write_reference(folder, "invented", [piece.tolist() for piece in pieces], found, exact)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        fine = compare_logits(mneme, folder, 3.0)
    relative = said.getvalue().splitlines()[0].split()
    return fine or float(relative[3].rstrip(",")) < CLOSE, " ".join(relative[1:])


def invent(mneme, folder, seed):
    draw = random.Random(seed)
    block = draw.choice([1, 1, 32, 256])
    family, options = draw_options(draw, block)
    dtype = draw.choice(DTYPES)
    model = build(family, options, dtype, seed)
    pieces = [torch.randint(0, options["vocab_size"], (length,)) for length in (24, 9, 1)]
    theirs = folder / "theirs"
    shutil.rmtree(theirs, ignore_errors=True)
    results = {"gguf": (folder / "model.gguf", model, pack(model, block, draw) if block > 1 else {})}
    write_gguf(folder / "model.gguf", model, dtype, results["gguf"][2])
    narrow = copy.deepcopy(model).to(dtype if block == 1 else torch.float32)  # rounds its table of frequencies, too
    narrow.save_pretrained(theirs, max_shard_size=draw.choice(["5GB", "20KB", "2KB"]))
    fine = True
    for kind, source in (("folder", theirs), ("gguf", folder / "model.gguf")):
        is_fine, said = compare(mneme, source, model, pieces, folder / "ours")
        fine &= is_fine
        print(f"{'ok' if is_fine else 'not ok'} {seed} {kind} {family}: {said}", "" if is_fine else options, flush=True)
    return fine


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mneme")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=20)
    a = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    fine = [invent(a.mneme, a.folder, seed) for seed in range(a.first, a.first + a.count)]
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
