"""Cases of training: schedules, AdamW alone, and 20 steps of whole models and of adapters."""

from __future__ import annotations

import math

import torch
from torch import Tensor

import layers
import transformer
from case_store import Store, Tensors, Trial, both, f32, linear_weight, normal

STEPS = 20
LENGTHS = [4, 8, 3]
ADAMW = {"beta1": f32(0.9), "beta2": f32(0.95), "eps": f32(1e-8), "weight_decay": f32(0.1),
         "values_weight_decay": f32(0.05), "clip": 1.0}
RATES = {"lr": f32(3e-3), "values_lr": f32(1e-2)}
SCHEDULES = ("linear", "cosine", "inverse_sqrt", "constant")
RANK = 3


def factor(kind: str, step: int, steps: int, warmup: int, floor: float, dtype: torch.dtype) -> Tensor:
    """Of the learning rates at a step, as in docs/recipes.md."""
    one = torch.ones((), dtype=dtype)
    if step < warmup:
        return one * (step + 1) / warmup
    progress = one * (step - warmup) / max(steps - warmup, 1)
    if kind == "linear":
        return 1 - (1 - floor) * progress
    if kind == "cosine":
        return floor + (1 - floor) * (0.5 * (1 + torch.cos(math.pi * progress)))
    if kind == "inverse_sqrt":
        return torch.sqrt(one * max(warmup, 1) / max(step + 1, warmup))
    return one


def schedule(kind: str, steps: int, warmup: int) -> Trial:
    """All factors."""
    def compute(i: Tensors) -> Tensors:
        return {"factors": torch.stack([factor(kind, s, steps, warmup, f32(0.1), i["x"].dtype)
                                        for s in range(steps)])}
    trial = both(compute, {"x": torch.zeros(1)})
    return Trial({}, trial.exact, trial.found, trial.other)


class Trainer:
    """AdamW on named parameters, the values a group of their own, after clipping by the norm of
    all gradients; or, with clip_values `separate`, by that of the values and that of all others."""

    def __init__(self, parameters: Tensors, settings: dict, eps: float) -> None:
        self.parameters = parameters
        self.clip = settings["clip"]
        self.separate = settings.get("clip_values", "together") == "separate"
        of_values = [t for name, t in parameters.items() if ".values" in name]
        others = [t for name, t in parameters.items() if ".values" not in name]
        groups = [{"params": others, "weight_decay": settings["weight_decay"]},
                  {"params": of_values, "weight_decay": settings["values_weight_decay"]}]
        self.optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=1.0, eps=eps,
                                           betas=(settings["beta1"], settings["beta2"]))

    def clip_together(self) -> Tensor:
        """One norm."""
        gradients = [p.grad for p in self.parameters.values()]
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g)
                                                     for g in gradients]))
        if self.clip > 0 and norm > self.clip:
            torch._foreach_mul_(gradients, self.clip / norm)
        return norm

    def clip_apart(self) -> Tensor:
        """Two norms; that of the others."""
        of_values = [t for name, t in self.parameters.items() if ".values" in name]
        others = [t for name, t in self.parameters.items() if ".values" not in name]
        limit = self.clip if self.clip > 0 else float("inf")
        torch.nn.utils.clip_grad_norm_(of_values, limit)
        return torch.nn.utils.clip_grad_norm_(others, limit)

    def step(self, lr: float, values_lr: float) -> Tensor:
        """One step on the gradients that the parameters have; their norm."""
        norm = self.clip_together() if not self.separate else self.clip_apart()
        for group in self.optimizer.param_groups:
            of_values = any(group["params"][0] is t for name, t in self.parameters.items()
                            if ".values" in name)
            group["lr"] = values_lr if of_values else lr
        self.optimizer.step()
        return norm


def adamw(g: torch.Generator) -> Trial:
    """Given gradients of very different sizes, large enough to be clipped now and then."""
    inputs = {"weight": normal(g, 300), "table.values": normal(g, 200),
              "g.weight": normal(g, STEPS, 300) * 10 ** normal(g, 300, std=0.3) * 0.1,
              "g.values": normal(g, STEPS, 200) * 10 ** normal(g, 200, std=0.3) * 0.1}

    def compute(i: Tensors) -> Tensors:
        p = {name: i[name].requires_grad_() for name in ("weight", "table.values")}
        trainer, norms = Trainer(p, ADAMW, ADAMW["eps"]), []
        for s in range(STEPS):
            p["weight"].grad = i["g.weight"][s].clone()
            p["table.values"].grad = i["g.values"][s].clone()
            norms.append(trainer.step(RATES["lr"], RATES["values_lr"]))
        state = trainer.optimizer.state
        outputs = {"norms": torch.stack(norms)}
        for name, key in (("weight", "weight"), ("values", "table.values")):
            outputs[name] = p[key].detach()
            outputs["moment1." + name] = state[p[key]]["exp_avg"]
            outputs["moment2." + name] = state[p[key]]["exp_avg_sq"]
        return outputs
    return both(compute, inputs)


def step_batches(g: torch.Generator, c: dict) -> list[transformer.Batch]:
    """One for each step."""
    return [transformer.Batch.random(g, c, LENGTHS, ignored=6) for _ in range(STEPS)]


def batch_inputs(batches: list[transformer.Batch]) -> Tensors:
    """[STEPS, tokens] and the common starts."""
    each = [b.inputs() for b in batches]
    return {"tokens": torch.stack([b["tokens"] for b in each]),
            "targets": torch.stack([b["targets"] for b in each]), "starts": each[0]["starts"]}


def train(frozen: Tensors, trained: Tensors, c: dict, batches: list[transformer.Batch],
          settings: dict, schedule_kind: str) -> Tensors:
    """Losses, norms and what the trained parameters become."""
    trainer = Trainer(trained, settings, settings["eps"])
    losses, norms = [], []
    dtype = next(iter(trained.values())).dtype
    for s, batch in enumerate(batches):
        for t in trained.values():
            t.grad = None
        loss = transformer.loss(transformer.forward({**frozen, **trained}, c, batch)[0],
                                batch.targets)
        loss.backward()
        scale = float(factor(schedule_kind, s, STEPS, 4, f32(0.1), dtype))
        losses.append(loss.detach())
        norms.append(trainer.step(RATES["lr"] * scale, RATES["values_lr"] * scale))
    return {"losses": torch.stack(losses), "norms": torch.stack(norms),
            **{f"after.{name}": t.detach() for name, t in trained.items()}}


def training(c: dict, settings: dict, kind: str, g: torch.Generator) -> Trial:
    """Pretraining."""
    p, batches = transformer.parameters(g, c), step_batches(g, c)

    def compute(i: Tensors) -> Tensors:
        trained = {name: i[name].requires_grad_() for name in p}
        return train({}, trained, c, batches, settings, kind)
    return both(compute, {**p, **batch_inputs(batches)})


def adapters(g: torch.Generator, p: Tensors) -> Tensors:
    """For every linear layer but the output; B is not zero, as if it had been trained."""
    found: Tensors = {}
    for name, weight in p.items():
        linear = name.startswith("layers.") and name.endswith(".weight") and weight.dim() == 2
        if not linear or ".values" in name:
            continue
        stem = name[:-len("weight")]
        found[stem + "lora_A"] = linear_weight(g, RANK, weight.shape[1])
        found[stem + "lora_B"] = normal(g, weight.shape[0], RANK, std=0.05)
    return found


def lora(c: dict, settings: dict, g: torch.Generator) -> Trial:
    """First gradients of the adapters, 20 steps, and the merged weights."""
    p, batches = transformer.parameters(g, c), step_batches(g, c)
    a = adapters(g, p)

    def compute(i: Tensors) -> Tensors:
        frozen = {name: i[name] for name in p}
        trained = {name: i[name].requires_grad_() for name in a}
        logits = transformer.forward({**frozen, **trained}, c, batches[0])[0]
        gradients = torch.autograd.grad(transformer.loss(logits, batches[0].targets),
                                        list(trained.values()))
        outputs = {"logits": logits.detach()}
        outputs.update({f"d.{name}": t for name, t in zip(trained, gradients)})
        outputs.update(train(frozen, trained, c, batches, settings, "constant"))
        for name in a:
            if name.endswith("lora_A"):
                stem = name[:-len("lora_A")]
                share = trained[stem + "lora_B"] @ trained[name] * layers.LORA_SCALE
                outputs[f"merged.{stem}weight"] = (frozen[stem + "weight"] + share).detach()
        return outputs
    return both(compute, {**p, **a, **batch_inputs(batches)})


def add(store: Store) -> None:
    """All of them."""
    file = "training.safetensors"
    for kind in SCHEDULES:
        store.add(file, f"schedule/{kind}", "schedule", 1,
                  lambda g, k=kind: schedule(k, 200, 20), schedule=kind, steps=200, warmup=20,
                  lr_min_ratio=f32(0.1))
    store.add(file, "adamw", "adamw", 2, adamw, steps=STEPS, **ADAMW, **RATES)
    c = transformer.config({"layers": [1], "n_keys": 7}, num_hidden_layers=2)
    for kind in ("cosine", "linear"):
        store.add(file, f"training/{kind}", "training", 1,
                  lambda g, k=kind: training(c, ADAMW, k, g), config=c, schedule=kind,
                  steps=STEPS, warmup=4, lr_min_ratio=f32(0.1), **ADAMW, **RATES)
    store.add(file, "lora", "lora", 1, lambda g: lora(c, ADAMW, g), config=c, rank=RANK,
              alpha=RANK * layers.LORA_SCALE, schedule="constant", steps=STEPS, warmup=4,
              lr_min_ratio=f32(0.1), **ADAMW, **RATES)
