"""The kernels of a memory layer in PyTorch, and the layer itself: the peers of perf/lookup.c,
perf/gather.c, perf/scatter.c and perf/memory_layer.c. Each function makes the variants of a case."""

from __future__ import annotations

from typing import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import torch_inputs
import torch_model
from torch_smf import SparseUpdate

Run = Callable[..., dict[str, Tensor]]
Variants = dict[str, Run]


def floats(seed: int, *shape: int) -> Tensor:
    """bench_floats."""
    return torch.from_numpy(torch_inputs.floats(int(np.prod(shape)), seed)).view(shape)


def table(seed: int, period: int, rows: int, columns: int) -> Tensor:
    """bench_table: the same stretch of floats again and again."""
    n = rows * columns
    stretch = torch_inputs.floats(min(n, period), seed)
    result = torch_inputs.aligned_empty(n, np.float32)
    for first in range(0, n, period):
        result[first:first + period] = stretch[:n - first]
    return torch.from_numpy(result).view(rows, columns)


def indices(n: int, seed: int, bound: int, skewed: bool) -> Tensor:
    """bench_indices."""
    draw = torch_inputs.draws(seed, 0, 0, n)[0].astype(np.float64) * 2.0**-32
    for _ in range(3 if skewed else 0):
        draw *= draw
    index = (bound * draw).astype(np.uint64)
    if skewed:
        index = index * np.uint64(2654435769) % np.uint64(bound)
    return torch.from_numpy(index.astype(np.int64))


def lookup(p: dict) -> Variants:
    """perf_lookup."""
    tokens, heads, n_keys, knn = p["tokens"], p["heads"], p["n_keys"], p["knn"]
    if p["kind"] in ("topk", "combine"):
        scores = floats(p["seed_scores"], p["rows"], n_keys)
        return topk(scores, knn) if p["kind"] == "topk" else combine(p, scores)
    query = floats(p["seed_query"], tokens, heads * p["k_dim"])
    keys = floats(p["seed_keys"], heads * 2 * n_keys, p["k_dim"] // 2)
    if p["kind"] == "products":
        return {"eager": lambda check=False: {
            "scores": torch_model.product_key_scores(query, keys, heads)}}

    def run_with(function: Callable) -> Run:
        def run(check: bool = False) -> dict[str, Tensor]:
            slots, weights = function(query, keys, heads, n_keys, knn)
            return {"slots": slots, "weights": weights}
        return run
    return {"eager": run_with(torch_model.product_key_lookup),
            "compile": run_with(torch.compile(torch_model.product_key_lookup, dynamic=False))}


def topk(scores: Tensor, knn: int) -> Variants:
    """Each row's best scores. Compiled code calls the same function."""
    def run(check: bool = False) -> dict[str, Tensor]:
        best, chosen = torch.topk(scores, knn, dim=-1)
        return {"top_scores": best, "top_keys": chosen}
    return {"eager": run}


def combine(p: dict, scores: Tensor) -> Variants:
    """The best pairs of two sorted lists, which lie as PyTorch's own lookup leaves them."""
    best, chosen = torch.topk(scores.view(p["tokens"], p["heads"] * 2, -1), p["knn"], dim=-1)
    best, chosen = best.transpose(0, 1).contiguous(), chosen.transpose(0, 1).contiguous()

    def run_with(function: Callable) -> Run:
        def run(check: bool = False) -> dict[str, Tensor]:
            slots, sums = function(best, chosen, p["n_keys"])
            return {"slots": slots, "sums": sums}
        return run
    return {"eager": run_with(torch_model.product_key_combine),
            "compile": run_with(torch.compile(torch_model.product_key_combine, dynamic=False))}


def reads(p: dict) -> tuple[Tensor, Tensor, Tensor]:
    """Slots and weights [tokens, reads], and the table [slots, v_dim]."""
    shape = (p["tokens"], p["reads"])
    slots = indices(shape[0] * shape[1], p["seed_slots"], p["slots"], bool(p["skewed"]))
    values = table(p["seed_table"], p["table_period"], p["slots"], p["v_dim"])
    return slots.view(shape), floats(p["seed_weights"], *shape), values


def embedding_bag(slots: Tensor, weights: Tensor, values: Tensor, sparse: bool = False) -> Tensor:
    """The sum of weighted rows."""
    return F.embedding_bag(slots, values, mode="sum", per_sample_weights=weights, sparse=sparse)


def gather(p: dict) -> Variants:
    """perf_gather: forward, or the gradient of the weights."""
    slots, weights, values = reads(p)
    if p["kind"] == "gather":
        return {"eager": lambda check=False: {"read": embedding_bag(slots, weights, values)}}
    read = embedding_bag(slots, weights.requires_grad_(), values)
    gradient = floats(p["seed_gradient"], p["tokens"], p["v_dim"])
    return {"eager": lambda check=False: {
        "dweights": torch.autograd.grad(read, weights, gradient, retain_graph=True)[0]}}


def scatter(p: dict) -> Variants:
    """perf_scatter: the gradient of the values by embedding_bag's backward, as a table of all slots
    (dense), one row a read (sparse), one row a slot (coalesced), or masked for SMF."""
    slots, weights, values = reads(p)
    values.requires_grad_()
    gradient = floats(p["seed_gradient"], p["tokens"], p["v_dim"])

    def backward(sparse: bool) -> Callable[[], Tensor]:
        read = embedding_bag(slots, weights, values, sparse)
        return lambda: torch.autograd.grad(read, values, gradient, retain_graph=True)[0]
    if p["kind"] == "scatter":
        dense = backward(False)
        return {"eager": lambda check=False: {"gradient": dense()}}
    rows = backward(True)
    if p["kind"] == "compact":
        return {"eager": lambda check=False: {"gradient": rows()},
                "eager_coalesced": lambda check=False: {"gradient": rows().coalesce()}}
    reading = indices(p["slots"], p["seed_background"], 64, False)
    update = SparseUpdate(values, p["background_batches"], reading, p["trainable"], 0.01)
    return {"eager": lambda check=False: {"gradient": update(rows(), slots, check)}}


def memory_module(p: dict) -> torch_model.Memory:
    """The layer of perf/memory_layer.c."""
    with torch.device("meta"):
        memory = torch_model.Memory(p["dim"], torch_model.MemoryConfig(
            p["n_keys"], p["heads"], p["knn"], p["k_dim"], p["v_dim"]))
    seed, scale = p["seed"], 2.0**-p["weight_shift"]
    state = {"values.weight": table(seed + 9, p["table_period"], p["slots"], p["v_dim"]),
             "keys": floats(seed + 8, *memory.keys.shape) * scale}
    names = ("query_proj.query_mlps.0", "swilu_projection", "value_proj")
    for i, name in enumerate(names):
        linear = memory.get_submodule(name)
        state[name + ".weight"] = floats(seed + 2 + 2 * i, *linear.weight.shape) * scale
        state[name + ".bias"] = floats(seed + 3 + 2 * i, *linear.bias.shape) * scale
    memory.load_state_dict(state, assign=True)
    return memory


def memory_layer(p: dict) -> Variants:
    """perf_memory_layer, the values' gradient one row a read (eager, as SMF would want it) or a
    table of all slots (eager_dense and compile)."""
    memory = memory_module(p).requires_grad_()
    x = floats(p["seed"], p["tokens"], p["dim"]).requires_grad_()
    d_out = floats(p["seed"] + 1, p["tokens"], p["dim"])
    compiled = torch.compile(memory.forward, dynamic=False)

    def run_with(forward: Callable, sparse: bool) -> Run:
        def run(check: bool = False) -> dict[str, Tensor]:
            memory.sparse_gradient = sparse
            memory.zero_grad(set_to_none=True)
            x.grad = None
            out = forward(x)
            out.backward(d_out)
            gradients = {name: q.grad for name, q in memory.named_parameters()} if check else {}
            return {"out": out.detach(), "x": x.grad, **gradients}
        return run
    return {"eager": run_with(memory.forward, True),
            "eager_dense": run_with(memory.forward, False),
            "compile": run_with(compiled, False)}


FAMILIES: dict[str, Callable[[dict], Variants]] = {
    "lookup": lookup, "gather": gather, "scatter": scatter, "memory_layer": memory_layer}
