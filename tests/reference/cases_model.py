"""Cases of whole models: forward pass, loss and every gradient."""

from __future__ import annotations

import torch
import torch.nn.functional as F

import transformer
from case_store import Store, Tensors, Trial, both

LENGTHS = [1, 9, 20, 6]
TRIALS = 1
MODELS = {
    "plain Llama": transformer.config(num_hidden_layers=2),
    "memory in the middle": transformer.config({"layers": [1]}, tie_word_embeddings=True),
    "three memories, shared values": transformer.config({"layers": [0, 1, 2], "share_values": True,
                                                         "v_dim": 20}),
    "gated PEER": transformer.config({"layers": [1], "peer_variant": True, "gated": True}),
}
BESIDE = {
    "memory beside": transformer.config({"layers": [1], "placement": "beside"}),
    "two beside, shared values": transformer.config({"layers": [0, 2], "placement": "beside",
                                                     "share_values": True}),
}

QK_NORM = {
    "memory with qk_norm": transformer.config({"layers": [1], "qk_norm": True}),
    "two beside with qk_norm": transformer.config({"layers": [0, 2], "placement": "beside",
                                                   "qk_norm": True, "query_bias": False}),
}


def case(c: dict, g: torch.Generator) -> Trial:
    """One batch."""
    p = transformer.parameters(g, c)
    batch = transformer.Batch.random(g, c, LENGTHS, ignored=5)

    def compute(i: Tensors) -> Tensors:
        leaves = {name: i[name].requires_grad_() for name in p}
        logits, chosen = transformer.forward(leaves, c, batch)
        losses = F.cross_entropy(logits, batch.targets, ignore_index=-1, reduction="none")
        gradients = torch.autograd.grad(transformer.loss(logits, batch.targets),
                                        list(leaves.values()))
        outputs = {"logits": logits, "losses": losses, "best": logits.argmax(-1), **chosen}
        return outputs | {f"d.{name}": t for name, t in zip(leaves, gradients)}
    return both(compute, {**p, **batch.inputs()})


def add(store: Store) -> None:
    """All of them."""
    for file, models in (("models", MODELS), ("beside", BESIDE), ("qk_norm", QK_NORM)):
        for name, c in models.items():
            store.add(f"{file}.safetensors", f"model/{name}", "model", TRIALS,
                      lambda g, c=c: case(c, g), config=c)
