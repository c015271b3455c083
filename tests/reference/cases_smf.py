"""Cases of sparse memory finetuning: background, ranking, and 20 steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

import layers
import transformer
from case_store import NearTie, Store, Tensors, Trial, both

STEPS = 20
BACKGROUND = 10  # batches; 11 is prime, so that no two different scores are equal
T = 12  # trainable slots
LR = 2.0
LENGTHS = [4, 8, 3]


def reads(chosen: Tensors, c: dict) -> Tensor:
    """Slots read by a batch, numbered table * n_slots + slot."""
    memory = c["memory"]
    found = []
    for index, l in enumerate(memory["layers"]):
        table = 0 if memory["share_values"] else index
        found.append(chosen[f"slots.{l}"].flatten() + table * memory["n_keys"]**2)
    return torch.cat(found)


def tf_idf(counts: Tensor, reading: Tensor, n_batches: int, dtype: torch.dtype) -> Tensor:
    """c(i) / sum c * log((|B| + 1) / (1 + batches that read i)) of every slot."""
    frequency = counts.to(dtype) / counts.sum()
    return frequency * torch.log((n_batches + 1) / (1 + reading).to(dtype))


def choose(scores: Tensor, counts: Tensor, t: int, ties: bool) -> Tensor:
    """The t best of the slots that were read, equal scores by slot."""
    read = counts.nonzero()[:, 0]
    ordered = torch.sort(scores[read], descending=True, stable=True)
    seen = ordered.values[:t + 1]
    gaps = seen[:-1] - seen[1:]
    if not ties and bool(((gaps != 0) & (gaps < layers.NEAR * seen[0])).any()):
        raise NearTie("TF-IDF")
    return read[ordered.indices[:t]]


@dataclass
class Step:
    """What a step found."""
    loss: Tensor
    scores: Tensor  # of all slots
    slots: Tensor  # changed
    found: Tensors  # by the memory layers


class Finetuning:
    """The whole of it in one precision."""

    def __init__(self, p: Tensors, c: dict, t: int = T, lr: float = LR, ties: bool = False) -> None:
        self.p, self.c, self.t, self.lr, self.ties = p, c, t, lr, ties
        self.dtype = p["norm.weight"].dtype
        self.tables = [name for name in p if ".values" in name]
        owners = 1 if c["memory"]["share_values"] else len(c["memory"]["layers"])
        self.n_slots = owners * c["memory"]["n_keys"]**2

    def count_background(self, batches: list[transformer.Batch]) -> Tensor:
        """Batches that read each slot."""
        reading = torch.zeros(self.n_slots, dtype=torch.int64)
        for batch in batches:
            reading[reads(transformer.forward(self.p, self.c, batch)[1], self.c).unique()] += 1
        return reading

    def step(self, batch: transformer.Batch, reading: Tensor, n_batches: int = BACKGROUND) -> Step:
        """One step."""
        tables = [self.p[name].requires_grad_() for name in self.tables]
        logits, chosen = transformer.forward(self.p, self.c, batch, self.ties)
        loss = transformer.loss(logits, batch.targets)
        gradients = torch.autograd.grad(loss, tables)
        counts = torch.bincount(reads(chosen, self.c), minlength=self.n_slots)
        scores = tf_idf(counts, reading, n_batches, self.dtype)
        slots = choose(scores, counts, self.t, self.ties)
        size = self.c["memory"]["n_keys"]**2
        parts = 2 if self.c["memory"].get("peer_variant", False) else 1
        for index, (name, gradient) in enumerate(zip(self.tables, gradients)):
            table = index // parts
            rows = slots[slots // size == table] % size
            value = self.p[name].detach().clone()
            value[rows] -= self.lr * gradient[rows]
            self.p[name] = value
        return Step(loss.detach(), scores, slots, chosen)


def case(c: dict, g: torch.Generator) -> Trial:
    """Background, then steps."""
    p = transformer.parameters(g, c)
    background = [transformer.Batch.random(g, c, LENGTHS) for _ in range(BACKGROUND)]
    batches = [transformer.Batch.random(g, c, LENGTHS, ignored=4) for _ in range(STEPS)]

    def stacked(name: str, of: list[transformer.Batch]) -> Tensor:
        return torch.stack([b.inputs()[name] for b in of])

    def compute(i: Tensors) -> Tensors:
        run = Finetuning({name: i[name] for name in p}, c)
        reading = run.count_background(background)
        steps = [run.step(batch, reading) for batch in batches]
        return {"reading": reading, "losses": torch.stack([s.loss for s in steps]),
                "scores": torch.stack([s.scores for s in steps]),
                "chosen": torch.stack([s.slots for s in steps]),
                **{f"after.{name}": run.p[name] for name in run.tables}}
    return both(compute, {**p, "background.tokens": stacked("tokens", background),
                          "tokens": stacked("tokens", batches),
                          "targets": stacked("targets", batches),
                          "starts": batches[0].inputs()["starts"]})


def add(store: Store) -> None:
    """All of them."""
    small = {"n_keys": 9, "layers": [0, 1]}
    models = {
        "memory+": {**small, "layers": [1]},
        "two tables, no swilu": {**small, "swilu_projection": False, "v_dim": 16},
        "shared values, gated": {**small, "share_values": True, "gated": True},
        "PEER": {**small, "peer_variant": True},
    }
    for name, memory in models.items():
        c = transformer.config(memory, num_hidden_layers=2)
        store.add("smf.safetensors", f"smf/{name}", "smf", 1, lambda g, c=c: case(c, g), config=c,
                  steps=STEPS, background_batches=BACKGROUND, t=T, lr=LR)
