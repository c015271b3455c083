"""The layers of a memory-layer transformer, from the formulas of docs/memory-layer.md, as PyTorch
computes them; the precision is that of the tensors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from case_store import NearTie, Tensors, Ways, f32

NEAR = 4e-6  # scores closer than this, of scores about 1, could be swapped by rounding


LORA_SCALE = 2.0


def linear(x: Tensor, p: Tensors, name: str) -> Tensor:
    """A linear layer by name, with the bias and the low-rank adapter that it may have."""
    weight, bias = p[name + ".weight"], p.get(name + ".bias")
    if bias is not None and Ways.bias_is_column:
        ones = torch.ones(len(x), 1, dtype=x.dtype)
        y = F.linear(torch.cat([x, ones], 1), torch.cat([weight, bias.unsqueeze(1)], 1))
    else:
        y = F.linear(x, weight, bias)
    if name + ".lora_A" in p:
        y = y + F.linear(F.linear(x, p[name + ".lora_A"]), p[name + ".lora_B"]) * LORA_SCALE
    return y


def rope_table(positions: Tensor, head_dim: int, theta: float, dtype: torch.dtype) -> Tensor:
    """[2, n, head_dim / 2]: cosines and sines of position * theta^(-2i / head_dim)."""
    exponent = torch.arange(0, head_dim, 2).to(dtype) / head_dim
    angle = torch.outer(positions.to(dtype), theta**-exponent)
    return torch.stack([angle.cos(), angle.sin()])


def rope(x: Tensor, positions: Tensor, theta: float) -> Tensor:
    """x [n, heads, head_dim] with its interleaved pairs turned."""
    cosine, sine = rope_table(positions, x.shape[-1], theta, x.dtype).unsqueeze(2).unbind(0)
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([even * cosine - odd * sine, even * sine + odd * cosine], -1).flatten(-2)


def attention(q: Tensor, k: Tensor, v: Tensor, starts: list[int]) -> Tensor:
    """Causal attention with grouped heads: q [n, heads, head_dim], k and v [n, kv_heads, head_dim]
    of sequences one after the other."""
    parts = []
    for first, end in zip(starts, starts[1:]):
        one = [t[first:end].transpose(0, 1).unsqueeze(0) for t in (q, k, v)]
        out = F.scaled_dot_product_attention(*one, is_causal=True, enable_gqa=True)
        parts.append(out.squeeze(0).transpose(0, 1))
    return torch.cat(parts)


def swiglu(x: Tensor, w1: Tensor, w3: Tensor, w2: Tensor) -> Tensor:
    """w2(silu(w1 x) * w3 x)"""
    return F.linear(F.silu(F.linear(x, w1)) * F.linear(x, w3), w2)


def best(scores: Tensor, k: int, ties: bool) -> tuple[Tensor, Tensor]:
    """The k highest of the last dimension, equal ones by position."""
    ordered = torch.sort(scores, dim=-1, descending=True, stable=True)
    values, places = ordered.values[..., :k], ordered.indices[..., :k]
    if not ties:
        seen = ordered.values[..., :k + 1]
        if bool((seen[..., :-1] - seen[..., 1:] < NEAR).any()):
            raise NearTie("scores")
    return values, places


def product_keys(query: Tensor, keys: Tensor, memory: dict, ties: bool) -> tuple[Tensor, Tensor]:
    """Slots and their scores [n, heads, knn] of query [n, heads * k_dim]."""
    heads, n_keys, knn = memory["heads"], memory["n_keys"], memory["knn"]
    half = keys.shape[1]
    halves = query.view(-1, heads, 2, half).permute(1, 2, 0, 3)
    scores = halves @ keys.view(heads, 2, n_keys, half).transpose(-1, -2)
    top, chosen = best(scores, knn, ties)
    sums = (top[:, 0].unsqueeze(-1) + top[:, 1].unsqueeze(-2)).flatten(-2)
    found, place = best(sums, knn, ties)
    rows = chosen[:, 0].gather(-1, place // knn)
    columns = chosen[:, 1].gather(-1, place % knn)
    return (rows * n_keys + columns).transpose(0, 1), found.transpose(0, 1)


def scored(query: Tensor, p: Tensors, eps: float) -> tuple[Tensor, Tensor]:
    """Query and sub-keys as they meet, with the norms that the layer may have."""
    keys = p["keys"]
    if "q_norm.weight" not in p:
        return query, keys
    half = keys.shape[1]
    normed = F.rms_norm(query.unflatten(-1, (-1, half)), (half,), p["q_norm.weight"], eps)
    return normed.flatten(-2), F.rms_norm(keys, (half,), p["k_norm.weight"], eps) / half**0.5


def memory_layer(x: Tensor, p: Tensors, c: dict, ties: bool = False) -> tuple[Tensor, Tensors]:
    """The output for x [n, dim], and what it chose. p has the layer's parameters by name, the
    values under `values`, or `values_u` and `values_v`; c is the model's config."""
    query, keys = scored(linear(x, p, "query_proj.query_mlps.0"), p, f32(c["rms_norm_eps"]))
    slots, scores = product_keys(query, keys, c["memory"], ties)
    weights = F.softmax(scores, -1).flatten(1)
    flat = slots.flatten(1)
    if "values_u" in p:
        hidden = torch.einsum("nd,nrd->nr", x, F.embedding(flat, p["values_u"]))
        out = torch.einsum("nr,nrd->nd", F.gelu(hidden) * weights, F.embedding(flat, p["values_v"]))
    else:
        out = F.embedding_bag(flat, p["values"], mode="sum", per_sample_weights=weights)
    if "swilu_projection.weight" in p:
        out = out * F.silu(linear(x, p, "swilu_projection"))
    if "value_proj.weight" in p:
        out = linear(out, p, "value_proj")
    if "gating.weight" in p:
        out = torch.sigmoid(linear(x, p, "gating")) * out
    found = {"query": query, "slots": slots, "scores": scores}
    return out, found | ({"keys": keys} if "k_norm.weight" in p else {})
