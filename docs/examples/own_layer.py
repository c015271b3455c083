"""Writes a folder with which mneme checks a memory layer of one's own:

    python docs/examples/own_layer.py FOLDER
    mneme verify --reference FOLDER

Put your layer in the place of `own_layer`. It is called with the same inputs in float64, which counts
as exact, and in float32, whose error is the measure (docs/reference-folders.md). Needs numpy and
safetensors.
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

N, DIM, HEADS, N_KEYS, KNN, K_DIM, V_DIM = 20, 24, 2, 7, 4, 12, 20
CONFIG = {  # of a model that has nothing but this layer is used; Hugging Face's names
    "vocab_size": 1, "hidden_size": DIM, "num_hidden_layers": 1, "num_attention_heads": 1,
    "max_position_embeddings": N,
    "memory": {"layers": [0], "n_keys": N_KEYS, "heads": HEADS, "knn": KNN, "k_dim": K_DIM, "v_dim": V_DIM},
}
LAYER = "layers.0.feed_forward."
TRIALS = 16  # that measure the error of float32; the first is written


def best(scores, k):
    """The k highest scores of the last axis, highest first, and where they are; of equals the first."""
    order = np.argsort(-scores, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(scores, order, -1), order


def own_layer(x, p):
    """The memory layer in the precision of its inputs: x [N, DIM] to out [N, DIM]."""
    query = x @ p["query_proj.query_mlps.0.weight"].T + p["query_proj.query_mlps.0.bias"]
    halves = query.reshape(N, HEADS, 2, K_DIM // 2)
    keys = p["keys"].reshape(HEADS, 2, N_KEYS, K_DIM // 2)
    rows, i = best(np.einsum("nhk,hik->nhi", halves[:, :, 0], keys[:, 0]), KNN)
    columns, j = best(np.einsum("nhk,hik->nhi", halves[:, :, 1], keys[:, 1]), KNN)
    sums = (rows[..., :, None] + columns[..., None, :]).reshape(N, HEADS, KNN * KNN)
    slots = (i[..., :, None] * N_KEYS + j[..., None, :]).reshape(N, HEADS, KNN * KNN)
    scores, chosen = best(sums, KNN)
    slots = np.take_along_axis(slots, chosen, -1)
    weights = np.exp(scores - scores[..., :1])
    weights /= weights.sum(-1, keepdims=True)
    read = np.einsum("nhr,nhrd->nd", weights, p["values.weight"][slots])
    gate = x @ p["swilu_projection.weight"].T + p["swilu_projection.bias"]
    read = read * (gate / (1 + np.exp(-gate)))
    out = read @ p["value_proj.weight"].T + p["value_proj.bias"]
    return {"out.0": out, "query.0": query, "scores.0": scores, "slots.0": slots}


def make_inputs(seed):
    """Inputs and parameters, float32."""
    random = np.random.default_rng(seed)
    shapes = {
        "query_proj.query_mlps.0.weight": (HEADS * K_DIM, DIM),
        "query_proj.query_mlps.0.bias": (HEADS * K_DIM,),
        "keys": (HEADS * 2 * N_KEYS, K_DIM // 2),
        "values.weight": (N_KEYS * N_KEYS, V_DIM),
        "swilu_projection.weight": (V_DIM, DIM),
        "swilu_projection.bias": (V_DIM,),
        "value_proj.weight": (DIM, V_DIM),
        "value_proj.bias": (DIM,),
    }
    parameters = {name: (random.standard_normal(shape) / shape[-1] ** 0.5).astype(np.float32)
                  for name, shape in shapes.items()}
    return random.standard_normal((N, DIM)).astype(np.float32), parameters


def run(seed):
    """Inputs, and the outputs in float64 and float32."""
    x, p = make_inputs(seed)
    exact = own_layer(x.astype(np.float64), {name: t.astype(np.float64) for name, t in p.items()})
    return x, p, exact, own_layer(x, p)


def errors(found, exact):
    """Relative L2, and the worst element in ULP of the tensor's greatest magnitude."""
    difference = np.abs(found.astype(np.float64) - exact)
    return (float(np.linalg.norm(difference) / np.linalg.norm(exact)),
            float(difference.max() / (np.abs(exact).max() * 2.0**-23)))


def main():
    """Writes FOLDER/manifest.json and FOLDER/own.safetensors."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    largest = {}
    for seed in range(TRIALS):
        _, _, exact, found = run(seed)
        for name in ("out.0", "query.0", "scores.0"):
            pair = zip(largest.get(name, (0.0, 0.0)), errors(found[name], exact[name]))
            largest[name] = [max(a, b) for a, b in pair]
    x, p, exact, found = run(0)
    tensors = {"own#0:in.x": x}
    tensors.update({f"own#0:in.{LAYER}{name}": t for name, t in p.items()})
    for label, outputs, float_type in (("f64", exact, np.float64), ("f32", found, np.float32)):
        for name, t in outputs.items():
            of_type = np.int32 if name == "slots.0" else float_type
            tensors[f"own#0:{label}.{name}"] = np.ascontiguousarray(t.astype(of_type))
    save_file(tensors, folder / "own.safetensors")
    case = {"name": "own", "kind": "memory_layer", "file": "own.safetensors", "config": CONFIG,
            "pytorch": largest}
    manifest = {"versions": {"torch": f"(NumPy {np.__version__})"}, "cases": [case]}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


main()
