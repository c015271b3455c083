"""Whole steps in PyTorch: the peers of perf/step.c."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Callable

import numpy as np
import torch
from torch import Tensor

import torch_inputs
import torch_model

Run = Callable[[], dict[str, Tensor]]


def save_model(program: Path, case: str, folder: Path) -> None:
    """Has the program write the model that the case starts from."""
    subprocess.run([str(program), "--save", str(folder), case], check=True)


def token_rows(parameters: dict, vocab_size: int) -> Tensor:
    """[sequences, length + 1] made-up tokens, those of perf/common/step_work.c."""
    rows = [torch_inputs.below(parameters["length"] + 1, parameters["seed"],
                               parameters["token_stream"] + s, vocab_size)
            for s in range(parameters["sequences"])]
    return torch.from_numpy(np.stack(rows))


def load(folder: Path) -> torch_model.Transformer:
    """The saved model."""
    return torch_model.load(folder, json.loads((folder / "config.json").read_text()))


def compile_blocks(model: torch_model.Transformer) -> None:
    """Compiles layer by layer: equal layers share their code."""
    for block in model.layers:
        block.compile()


def adamw(model: torch_model.Transformer, lr: float) -> torch.optim.Optimizer:
    """AdamW on what trains, the values in a group of their own."""
    values = [m.values.weight for m in model.memories() if m.values.weight.requires_grad]
    others = [p for p in model.parameters()
              if p.requires_grad and not any(p is v for v in values)]
    groups = [{"params": others}] + ([{"params": values}] if values else [])
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1,
                             fused=True)


def dense_step(model: torch_model.Transformer, parameters: dict) -> Run:
    """Pretraining, full finetuning or LoRA, after what trains has been chosen."""
    rows = token_rows(parameters, model.config.vocab_size)
    tokens, targets = rows[:, :-1].contiguous(), rows[:, 1:].contiguous()
    optimizer = adamw(model, float(parameters["lr"]))
    trained = [p for group in optimizer.param_groups for p in group["params"]]

    def run() -> dict[str, Tensor]:
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        return {"loss": loss.detach()}
    return run


def slot_idf(parameters: dict, n_slots: int) -> Tensor:
    """log((|B| + 1) / (1 + batches that read the slot)) of the made-up background."""
    batches = parameters["background_batches"]
    reading = torch_inputs.below(n_slots, parameters["seed"], parameters["background_stream"],
                                 batches + 1)
    return torch.log(torch.tensor(batches + 1.0) / (1 + torch.from_numpy(reading)))


def smf_step(model: torch_model.Transformer, parameters: dict, sparse: bool) -> Run:
    """Sparse memory finetuning: all but the values frozen, their gradient masked to the t slots of
    the highest TF-IDF. `sparse`: embedding_bag gives the gradient as rows, not as a table."""
    rows = token_rows(parameters, model.config.vocab_size)
    tokens, targets = rows[:, :-1].contiguous(), rows[:, 1:].contiguous()
    (memory,) = model.memories()
    memory.sparse_gradient = sparse
    model.requires_grad_(False)
    values = memory.values.weight.requires_grad_(True)
    idf, lr, t = slot_idf(parameters, len(values)), float(parameters["lr"]), parameters["t"]

    def choose(slots: Tensor) -> Tensor:
        counts = torch.bincount(slots, minlength=len(idf))
        mask = torch.zeros(len(idf), dtype=torch.bool)
        mask[torch.topk(counts * (idf / slots.numel()), t).indices] = True
        return mask

    @torch.no_grad()
    def update(gradient: Tensor, mask: Tensor) -> Tensor:
        if not sparse:
            gradient.mul_(mask.unsqueeze(1))
            values.sub_(gradient, alpha=lr)
            return gradient
        slots = gradient._indices()[0]
        kept = mask[slots].nonzero()[:, 0]
        slots, rows = slots[kept], gradient._values()[kept]
        values.index_add_(0, slots, rows, alpha=-lr)
        return torch.sparse_coo_tensor(slots.unsqueeze(0), rows, values.shape,
                                       check_invariants=False)

    def run() -> dict[str, Tensor]:
        loss = model.loss(tokens, targets)
        (gradient,) = torch.autograd.grad(loss, values)
        return {"loss": loss.detach(), "gradients": update(gradient,
                                                           choose(memory.slots.flatten()))}
    return run


def generation(model: torch_model.Transformer, parameters: dict) -> Run:
    """Greedy continuation of the made-up prompts."""
    prompts = token_rows(parameters, model.config.vocab_size)[:, :-1].contiguous()

    def run() -> dict[str, Tensor]:
        return {"tokens": model.generate(prompts, parameters["new_tokens"])}
    return run


def make(folder: Path, parameters: dict, compiled: bool, sparse: bool) -> Run:
    """The step of a case on its saved model."""
    model, kind = load(folder), parameters["kind"]
    if kind == "lora":
        torch_model.add_adapters(model, parameters["rank"], 16.0, parameters["seed"],
                                 parameters["adapter_stream"])
    else:
        model.requires_grad_(kind != "generate")
    if compiled:
        compile_blocks(model)
    if kind == "generate":
        return generation(model, parameters)
    if kind == "smf":
        return smf_step(model, parameters, sparse)
    return dense_step(model, parameters)
