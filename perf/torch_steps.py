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
from torch_smf import SparseUpdate

Run = Callable[..., dict[str, Tensor]]


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
    """Pretraining, full finetuning, LoRA or the memory alone, after what trains has been chosen."""
    rows = token_rows(parameters, model.config.vocab_size)
    tokens, targets = rows[:, :-1].contiguous(), rows[:, 1:].contiguous()
    optimizer = adamw(model, float(parameters["lr"]))
    trained = [p for group in optimizer.param_groups for p in group["params"]]

    def run(check: bool = False) -> dict[str, Tensor]:
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        return {"loss": loss.detach()}
    return run


def smf_step(model: torch_model.Transformer, parameters: dict) -> Run:
    """Sparse memory finetuning: all but the values frozen, their gradient masked."""
    rows = token_rows(parameters, model.config.vocab_size)
    tokens, targets = rows[:, :-1].contiguous(), rows[:, 1:].contiguous()
    (memory,) = model.memories()
    memory.sparse_gradient = True
    model.requires_grad_(False)
    values = memory.values.weight.requires_grad_(True)
    batches = parameters["background_batches"]
    reading = torch_inputs.below(len(values), parameters["seed"], parameters["background_stream"],
                                 batches + 1)
    update = SparseUpdate(values, batches, torch.from_numpy(reading), parameters["t"],
                          float(parameters["lr"]))

    def run(check: bool = False) -> dict[str, Tensor]:
        loss = model.loss(tokens, targets)
        (gradient,) = torch.autograd.grad(loss, values)
        return {"loss": loss.detach(), "gradients": update(gradient, memory.slots, check)}
    return run


def generation(model: torch_model.Transformer, parameters: dict) -> Run:
    """Greedy continuation of the made-up prompts."""
    prompts = token_rows(parameters, model.config.vocab_size)[:, :-1].contiguous()

    def run(check: bool = False) -> dict[str, Tensor]:
        return {"tokens": model.generate(prompts, parameters["new_tokens"])}
    return run


def make(folder: Path, parameters: dict, compiled: bool) -> Run:
    """The step of a case on its saved model."""
    model, kind = load(folder), parameters["kind"]
    if kind == "lora":
        torch_model.add_adapters(model, parameters["rank"], 16.0, parameters["seed"],
                                 parameters["adapter_stream"])
    else:
        model.requires_grad_(kind not in ("generate", "memory"))
    if kind == "memory":
        for memory in model.memories():
            memory.requires_grad_(True)
    if compiled:
        compile_blocks(model)
    if kind == "generate":
        return generation(model, parameters)
    return smf_step(model, parameters) if kind == "smf" else dense_step(model, parameters)
