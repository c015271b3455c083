"""A whole model on a dictionary of parameters, which have the names of the model files."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

import layers
from case_store import Tensors, f32, lengths_to_starts, linear_weight, normal
from layers import linear


def config(memory: dict | None = None, **other: object) -> dict:
    """A small model's config.json."""
    base = {"vocab_size": 37, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4,
            "num_key_value_heads": 2, "multiple_of": 4, "max_position_embeddings": 32,
            "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False}
    base.update(other)
    if memory is not None:
        base["memory"] = {"n_keys": 7, "heads": 2, "knn": 4, "k_dim": 12,
                          "v_dim": base["hidden_size"], "share_values": False, **memory}
    return base


def hidden_width(c: dict) -> int:
    """Of a feed-forward layer."""
    hidden = int(2 * 4 * c["hidden_size"] / 3)
    return -(-hidden // c["multiple_of"]) * c["multiple_of"]


def is_beside(c: dict) -> bool:
    """Whether a layer with a memory keeps its feed-forward network."""
    return c.get("memory", {}).get("placement") == "beside"


def memory_folder(c: dict) -> str:
    """Where a memory's parameters are, within its layer."""
    return "memory" if is_beside(c) else "feed_forward"


def memory_parameters(g: torch.Generator, c: dict, first: bool) -> Tensors:
    """Of a memory layer, under the names within it."""
    m, dim, v_dim = c["memory"], c["hidden_size"], c["memory"]["v_dim"]
    query = m["heads"] * m["k_dim"]
    peer, swilu = m.get("peer_variant", False), m.get("swilu_projection", True)
    p = {"query_proj.query_mlps.0.weight": linear_weight(g, query, dim)}
    if m.get("query_bias", True):
        p["query_proj.query_mlps.0.bias"] = normal(g, query, std=0.3)
    p["keys"] = normal(g, m["heads"] * 2 * m["n_keys"], m["k_dim"] // 2, std=m["k_dim"]**-0.5)
    if m.get("qk_norm", False):
        for name in ("q_norm", "k_norm"):
            p[name + ".weight"] = 1 + normal(g, m["k_dim"] // 2, std=0.1)
    if first or not m["share_values"]:
        for name in ("values_u", "values_v") if peer else ("values",):
            p[name + ".weight"] = normal(g, m["n_keys"]**2, v_dim, std=v_dim**-0.5)
    if swilu and not peer:
        p["swilu_projection.weight"] = linear_weight(g, v_dim, dim)
        p["swilu_projection.bias"] = normal(g, v_dim, std=0.3)
    if not peer and m.get("value_proj", swilu or v_dim != dim):
        p["value_proj.weight"] = linear_weight(g, dim, v_dim)
        p["value_proj.bias"] = normal(g, dim, std=0.3)
    if m.get("gated", False):
        p["gating.weight"] = linear_weight(g, 1, dim)
        p["gating.bias"] = normal(g, 1, std=0.3)
    return p


def parameters(g: torch.Generator, c: dict) -> Tensors:
    """All of a model's."""
    dim, hidden = c["hidden_size"], hidden_width(c)
    kv = dim // c["num_attention_heads"] * c["num_key_value_heads"]
    branch = 1 / math.sqrt(2 * c["num_hidden_layers"])
    memories = c.get("memory", {}).get("layers", [])
    p = {"tok_embeddings.weight": normal(g, c["vocab_size"], dim, std=1.0)}
    for l in range(c["num_hidden_layers"]):
        at = f"layers.{l}."
        p[at + "attention_norm.weight"] = 1 + normal(g, dim, std=0.1)
        for name, out in (("wq", dim), ("wk", kv), ("wv", kv), ("wo", dim)):
            p[f"{at}attention.{name}.weight"] = linear_weight(g, out, dim)
        p[at + "ffn_norm.weight"] = 1 + normal(g, dim, std=0.1)
        if l in memories:
            inner = memory_parameters(g, c, l == memories[0])
            p.update({f"{at}{memory_folder(c)}.{name}": t for name, t in inner.items()})
        if is_beside(c) and l in memories:
            p[at + "memory.scale"] = 0.5 + normal(g, 1, std=0.3)
        if is_beside(c) or l not in memories:
            inner = {"w1.weight": linear_weight(g, hidden, dim),
                     "w3.weight": linear_weight(g, hidden, dim),
                     "w2.weight": linear_weight(g, dim, hidden) * branch}
            p.update({f"{at}feed_forward.{name}": t for name, t in inner.items()})
    p["norm.weight"] = 1 + normal(g, dim, std=0.1)
    if not c["tie_word_embeddings"]:
        p["output.weight"] = linear_weight(g, c["vocab_size"], dim)
    return p


def memory_of(p: Tensors, c: dict, l: int) -> Tensors:
    """The parameters of memory layer l, values included wherever they are."""
    at = f"layers.{l}.{memory_folder(c)}."
    inner = {name[len(at):]: t for name, t in p.items() if name.startswith(at)}
    owner = c["memory"]["layers"][0] if c["memory"]["share_values"] else l
    for name in ("values", "values_u", "values_v"):
        full = f"layers.{owner}.{memory_folder(c)}.{name}.weight"
        if full in p:
            inner[name] = p[full]
    return inner


class Batch:
    """Sequences of different lengths, one after the other."""

    def __init__(self, tokens: Tensor, targets: Tensor, lengths: list[int]) -> None:
        self.tokens, self.targets = tokens, targets
        self.starts = lengths_to_starts(lengths)
        self.positions = torch.cat([torch.arange(n) for n in lengths])

    @staticmethod
    def random(g: torch.Generator, c: dict, lengths: list[int], ignored: int = 0) -> "Batch":
        """Random tokens; every `ignored`-th target does not count."""
        rows = [torch.randint(c["vocab_size"], (n + 1,), generator=g) for n in lengths]
        targets = torch.cat([row[1:] for row in rows])
        if ignored > 0:
            targets[::ignored] = -1
        return Batch(torch.cat([row[:-1] for row in rows]), targets, lengths)

    def inputs(self, prefix: str = "") -> Tensors:
        """As a case's inputs."""
        return {prefix + "tokens": self.tokens.int(), prefix + "targets": self.targets.int(),
                prefix + "starts": torch.tensor(self.starts, dtype=torch.int32)}


def forward(p: Tensors, c: dict, batch: Batch, ties: bool = False) -> tuple[Tensor, Tensors]:
    """Logits [n, vocab_size], and what the memory layers chose; scores may be tied only if told."""
    heads, kv_heads = c["num_attention_heads"], c["num_key_value_heads"]
    dim, eps = c["hidden_size"], f32(c["rms_norm_eps"])
    memories = c.get("memory", {}).get("layers", [])
    chosen: Tensors = {}
    x = F.embedding(batch.tokens, p["tok_embeddings.weight"])
    for l in range(c["num_hidden_layers"]):
        at = f"layers.{l}."
        normed = F.rms_norm(x, (dim,), p[at + "attention_norm.weight"], eps)
        q, k, v = (linear(normed, p, f"{at}attention.{name}") for name in ("wq", "wk", "wv"))
        q = layers.rope(q.unflatten(-1, (heads, -1)), batch.positions, c["rope_theta"])
        k = layers.rope(k.unflatten(-1, (kv_heads, -1)), batch.positions, c["rope_theta"])
        out = layers.attention(q, k, v.unflatten(-1, (kv_heads, -1)), batch.starts)
        x = x + linear(out.flatten(1), p, at + "attention.wo")
        normed = F.rms_norm(x, (dim,), p[at + "ffn_norm.weight"], eps)
        if l in memories:
            out, found = layers.memory_layer(normed, memory_of(p, c, l), c, ties)
            chosen.update({f"{name}.{l}": t for name, t in found.items()})
            x = x + (p[at + "memory.scale"] * out if is_beside(c) else out)
        if is_beside(c) or l not in memories:
            gate, up = (linear(normed, p, f"{at}feed_forward.{name}") for name in ("w1", "w3"))
            x = x + linear(F.silu(gate) * up, p, at + "feed_forward.w2")
    normed = F.rms_norm(x, (dim,), p["norm.weight"], eps)
    return F.linear(normed, p.get("output.weight", p["tok_embeddings.weight"])), chosen


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over the targets that count."""
    return F.cross_entropy(logits, targets, ignore_index=-1)
