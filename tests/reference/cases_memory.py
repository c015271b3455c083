"""Cases of the memory layer alone, forward and backward."""

from __future__ import annotations

import torch
from torch import Tensor

import layers
import transformer
from case_store import Store, Tensors, Trial, both, normal

N = 20  # tokens
DIM = 24
PLAIN = {"swilu_projection": False}
BARE = {"swilu_projection": False, "value_proj": False}
TRIALS = 1


def parameters(g: torch.Generator, c: dict) -> Tensors:
    """Of all memory layers of a model that has nothing else."""
    p: Tensors = {}
    for l in c["memory"]["layers"]:
        inner = transformer.memory_parameters(g, c, l == 0)
        p.update({f"layers.{l}.feed_forward.{name}": t for name, t in inner.items()})
    return p


def tie(p: Tensors, n_keys: int) -> None:
    """Makes half of every table's sub-keys copies of others."""
    for name, t in p.items():
        if name.endswith("keys"):
            tables = t.view(-1, n_keys, t.shape[1])
            tables[:, 1::2] = tables[:, :n_keys // 2 * 2:2]


def case(c: dict, ties: bool, g: torch.Generator) -> Trial:
    """Every layer reads inputs of its own."""
    memory, n_layers = c["memory"], len(c["memory"]["layers"])
    p = parameters(g, c)
    if ties:
        tie(p, memory["n_keys"])
    names = list(p)
    inputs = {**p, "x": normal(g, n_layers, N, DIM), "d_out": normal(g, n_layers, N, DIM)}

    def compute(i: Tensors) -> Tensors:
        leaves = {name: i[name].requires_grad_() for name in [*names, "x"]}
        outputs: Tensors = {}
        total: Tensor = torch.zeros((), dtype=i["x"].dtype)
        for l in range(n_layers):
            inner = transformer.memory_of(leaves, c, l)
            out, found = layers.memory_layer(leaves["x"][l], inner, c, ties)
            total = total + (out * i["d_out"][l]).sum()
            outputs[f"out.{l}"] = out
            outputs.update({f"{name}.{l}": t for name, t in found.items()})
        gradients = torch.autograd.grad(total, list(leaves.values()))
        outputs.update({f"d.{name}": t for name, t in zip(leaves, gradients)})
        return outputs
    return both(compute, inputs)


def add(store: Store) -> None:
    """The forms of the layer, then its sizes."""
    three = {"layers": [0, 1, 2], "share_values": True}
    peer = {"peer_variant": True}
    cases: list[tuple[str, dict, bool]] = [
        ("memory+", {}, False),
        ("no swilu", PLAIN, False),
        ("no swilu, v_dim 20", {**PLAIN, "v_dim": 20}, False),
        ("no projection", BARE, False),
        ("no query bias", {"query_bias": False}, False),
        ("v_dim 40", {"v_dim": 40}, False),
        ("gated", {"gated": True}, False),
        ("no projection, gated", {**BARE, "gated": True}, False),
        ("values of three layers", three, False),
        ("PEER", peer, False),
        ("PEER of three layers, gated", {**peer, **three, "gated": True}, False),
        ("1 slot", {"knn": 1}, False),
        ("8 slots", {"knn": 8, "n_keys": 10}, False),
        ("32 slots", {"knn": 32, "n_keys": 35, "v_dim": 8, "k_dim": 16}, False),
        ("4 heads", {"heads": 4}, False),
        ("16 keys", {"n_keys": 16}, False),
        ("19 keys", {"n_keys": 19}, False),
        ("tied scores", {"n_keys": 12}, True),
    ]
    norm = {"qk_norm": True}
    normed: list[tuple[str, dict, bool]] = [
        ("qk_norm", norm, False),
        ("qk_norm, 4 heads, no projection", {**BARE, **norm, "heads": 4}, False),
        ("qk_norm, PEER of three layers, gated", {**peer, **three, **norm, "gated": True}, False),
    ]
    for file, name, options, ties in ([("memory", *case) for case in cases] +
                                      [("qk_norm", *case) for case in normed]):
        memory = {"layers": [0], **options}
        c = transformer.config(memory, num_hidden_layers=len(memory["layers"]))
        store.add(f"{file}.safetensors", f"memory/{name}", "memory_layer", TRIALS,
                  lambda g, c=c, t=ties: case(c, t, g), config=c)
