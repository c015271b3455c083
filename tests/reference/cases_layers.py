"""Cases of single layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

import layers
from case_store import Store, Tensors, Trial, both, f32, lengths_to_starts, linear_weight, normal

EPS = f32(1e-5)
THETA = 10000.0
TRIALS = 2


def with_gradients(outputs: dict[str, Tensor], gradient: Tensor, leaves: Tensors) -> Tensors:
    """Outputs, and the gradients of the leaves as d.NAME, from the first output's."""
    found = torch.autograd.grad(next(iter(outputs.values())), list(leaves.values()), gradient)
    return {**outputs, **{f"d.{name}": g for name, g in zip(leaves, found)}}


def leaves_of(inputs: Tensors, *names: str) -> Tensors:
    """Those inputs, as what gradients are asked of."""
    return {name: inputs[name].requires_grad_() for name in names}


def rms_norm(g: torch.Generator) -> Trial:
    """Rows of very different sizes."""
    x = normal(g, 40, 72) * 10 ** normal(g, 40, 1)
    inputs = {"x": x, "gain": 1 + normal(g, 72, std=0.3), "dy": normal(g, 40, 72)}

    def compute(i: Tensors) -> Tensors:
        leaves = leaves_of(i, "x", "gain")
        return with_gradients({"y": F.rms_norm(i["x"], (72,), i["gain"], EPS)}, i["dy"], leaves)
    return both(compute, inputs)


def rope(g: torch.Generator) -> Trial:
    """Positions in any order."""
    inputs = {"x": normal(g, 50, 3, 20), "dy": normal(g, 50, 3, 20),
              "positions": torch.randint(0, 256, (50,), generator=g, dtype=torch.int32)}

    def compute(i: Tensors) -> Tensors:
        leaves = leaves_of(i, "x")
        return with_gradients({"y": layers.rope(i["x"], i["positions"], THETA)}, i["dy"], leaves)
    return both(compute, inputs)


def swiglu(g: torch.Generator) -> Trial:
    """A whole feed-forward layer."""
    inputs = {"x": normal(g, 30, 24), "w1": linear_weight(g, 68, 24), "w3": linear_weight(g, 68, 24),
              "w2": linear_weight(g, 24, 68), "dy": normal(g, 30, 24)}

    def compute(i: Tensors) -> Tensors:
        leaves = leaves_of(i, "x", "w1", "w3", "w2")
        return with_gradients({"y": layers.swiglu(*leaves.values())}, i["dy"], leaves)
    return both(compute, inputs)


def cross_entropy(g: torch.Generator) -> Trial:
    """Logits from flat to peaked, every third target ignored."""
    targets = torch.randint(0, 53, (60,), generator=g, dtype=torch.int32)
    targets[::3] = -1
    inputs = {"logits": normal(g, 60, 53) * 10 ** normal(g, 60, 1, std=0.5), "targets": targets}

    def compute(i: Tensors) -> Tensors:
        leaves = leaves_of(i, "logits")
        losses = F.cross_entropy(i["logits"], i["targets"].long(), ignore_index=-1,
                                 reduction="none")
        mean = F.cross_entropy(i["logits"], i["targets"].long(), ignore_index=-1)
        (d_logits,) = torch.autograd.grad(mean, list(leaves.values()))
        return {"losses": losses, "d.logits": d_logits}
    return both(compute, inputs)


def attention(heads: int, kv_heads: int, head_dim: int, g: torch.Generator) -> Trial:
    """Sequences of different lengths."""
    starts = lengths_to_starts([1, 7, 33, 12])
    n = starts[-1]
    inputs = {"q": normal(g, n, heads, head_dim), "k": normal(g, n, kv_heads, head_dim),
              "v": normal(g, n, kv_heads, head_dim), "d_out": normal(g, n, heads, head_dim),
              "starts": torch.tensor(starts, dtype=torch.int32)}

    def compute(i: Tensors) -> Tensors:
        leaves = leaves_of(i, "q", "k", "v")
        out = layers.attention(i["q"], i["k"], i["v"], starts)
        return with_gradients({"out": out}, i["d_out"], leaves)
    return both(compute, inputs)


def add(store: Store) -> None:
    """All of them."""
    file = "layers.safetensors"
    store.add(file, "rms_norm", "rms_norm", TRIALS, rms_norm, eps=EPS)
    store.add(file, "rope", "rope", TRIALS, rope, theta=THETA, heads=3)
    store.add(file, "swiglu", "swiglu", TRIALS, swiglu, dim=24)
    store.add(file, "cross_entropy", "cross_entropy", TRIALS, cross_entropy)
    for heads, kv_heads in ((4, 4), (4, 2), (4, 1)):
        store.add(file, f"attention/{heads} heads, {kv_heads} kv", "attention", 2,
                  lambda g, h=heads, k=kv_heads: attention(h, k, 10, g),
                  heads=heads, kv_heads=kv_heads, head_dim=10)
