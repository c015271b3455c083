"""Cases of 50 training steps by the reference's own code under its own rules, from its own initial
weights: two clips, schedules, parameter groups, AdamW."""

from __future__ import annotations

import torch

import lingua_code
import transformer
from case_store import NearTie, Store, Tensors, Trial, cast, f32

STEPS, WARMUP = 50, 10
SEQUENCES, LENGTH = 3, 5
OPTIM = {"lr": f32(3e-3), "weight_decay": f32(0.1), "epsilon": f32(1e-8), "beta1": f32(0.9),
         "beta2": f32(0.95), "clip": 0.25, "warmup": WARMUP, "lr_min_ratio": f32(0.1)}
VALUES_LR = f32(1e-3)  # HashingMemory's own default
NAMES = {"linear": "linear", "cosine": "cosine", "inverse_sqrt": "inv_sqrt", "constant": "constant"}


def train(code: lingua_code.Code, c: dict, i: Tensors, optim: dict, dtype: torch.dtype) -> Tensors:
    """Losses, norms, lookups and what the parameters become."""
    names = [name for name in i if name not in ("tokens", "targets", "starts")]
    with lingua_code.DoubleForFloat(dtype):
        model = lingua_code.build(code, c, dtype)
        lingua_code.set_parameters(model, {name: i[name] for name in names})
        trainer = lingua_code.Trainer(code, model, steps=STEPS, **optim)
        lookups = lingua_code.Lookups(model, c["memory"]["layers"])
        steps = [trainer.step(i["tokens"][s].view(SEQUENCES, LENGTH).long(),
                              i["targets"][s].view(SEQUENCES, LENGTH).long()) for s in range(STEPS)]
    return {"losses": torch.stack([loss for loss, _ in steps]),
            "norms": torch.stack([norm for _, norm in steps]),
            "slots": torch.stack([slots.flatten() for slots in lookups.slots]).view(STEPS, -1),
            **{f"after.{name}": t.detach() for name, t in model.named_parameters()}}


def case(code: lingua_code.Code, c: dict, optim: dict, g: torch.Generator) -> Trial:
    """Weights from the reference's initialisation, tokens at random."""
    torch.manual_seed(int(torch.randint(1 << 30, (1,), generator=g)))
    model = lingua_code.build(code, c, torch.float32)
    inputs = {name: p.detach().clone() for name, p in model.named_parameters()}
    tokens = torch.randint(c["vocab_size"], (STEPS, SEQUENCES, LENGTH + 1), generator=g)
    starts = torch.arange(SEQUENCES + 1) * LENGTH
    inputs.update(tokens=tokens[:, :, :-1].reshape(STEPS, -1).int(),
                  targets=tokens[:, :, 1:].reshape(STEPS, -1).int(), starts=starts.int())
    exact, found = (train(code, c, cast(inputs, dtype), optim, dtype)
                    for dtype in (torch.float64, torch.float32))
    if not torch.equal(exact["slots"], found["slots"]):
        raise NearTie("slots")
    return Trial(inputs, exact, found, found)


def add(store: Store, code: lingua_code.Code) -> None:
    """All of them."""
    small = {"n_keys": 7, "layers": [1]}
    both = {"n_keys": 7, "layers": [0, 1]}
    cases = [
        ("memory+", "linear", small, {}),
        ("two tables, gated", "cosine", {**both, "gated": True},
         {"cosine_theta": f32(1.5), "cycle_length": f32(0.75)}),
        ("shared values", "inverse_sqrt", {**both, "share_values": True}, {"exp_factor": f32(0.7)}),
        ("PEER", "constant", {**small, "peer_variant": True}, {}),
    ]
    for name, schedule, memory, changes in cases:
        c = transformer.config(memory, num_hidden_layers=2)
        optim = {**OPTIM, "scheduler": NAMES[schedule], **changes}
        store.add("lingua.safetensors", f"lingua/{name}, {schedule}", "training", 1,
                  lambda g, c=c, o=optim: case(code, c, o, g), config=c, schedule=schedule,
                  schedule_rule="lingua", steps=STEPS, warmup=WARMUP,
                  lr_min_ratio=OPTIM["lr_min_ratio"], **changes, clip_values="separate",
                  beta1=OPTIM["beta1"], beta2=OPTIM["beta2"], eps=OPTIM["epsilon"],
                  weight_decay=OPTIM["weight_decay"], values_weight_decay=OPTIM["weight_decay"],
                  clip=OPTIM["clip"], lr=OPTIM["lr"], values_lr=VALUES_LR)
