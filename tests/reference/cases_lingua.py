"""Cases of 50 training steps by the reference's own code under its own rules, from its own initial
weights: two clips, schedules, parameter groups, AdamW."""

from __future__ import annotations

import torch

import lingua_code
import transformer
from case_store import NearTie, Store, Tensors, Trial, cast, f32

STEPS, WARMUP = 50, 10
SMALL, LARGE = (3, 5), (8, 32)  # sequences and tokens of each in a batch
OPTIM = {"lr": f32(3e-3), "weight_decay": f32(0.1), "epsilon": f32(1e-8), "beta1": f32(0.9),
         "beta2": f32(0.95), "clip": 0.25, "warmup": WARMUP, "lr_min_ratio": f32(0.1)}
VALUES_LR = f32(1e-3)  # HashingMemory's own default
NAMES = {"linear": "linear", "cosine": "cosine", "inverse_sqrt": "inv_sqrt", "constant": "constant"}


def train(code: lingua_code.Code, c: dict, i: Tensors, optim: dict, dtype: torch.dtype) -> Tensors:
    """Losses, norms, lookups and what the parameters become."""
    sequences = len(i["starts"]) - 1
    names = [name for name in i if name not in ("tokens", "targets", "starts")]
    with lingua_code.DoubleForFloat(dtype):
        model = lingua_code.build(code, c, dtype)
        lingua_code.set_parameters(model, {name: i[name] for name in names})
        trainer = lingua_code.Trainer(code, model, steps=STEPS, **optim)
        lookups = lingua_code.Lookups(model, c["memory"]["layers"])
        steps = [trainer.step(i["tokens"][s].view(sequences, -1).long(),
                              i["targets"][s].view(sequences, -1).long()) for s in range(STEPS)]
    return {"losses": torch.stack([loss for loss, _ in steps]),
            "norms": torch.stack([norm for _, norm in steps]),
            "slots": torch.stack([slots.flatten() for slots in lookups.slots]).view(STEPS, -1),
            **{f"after.{name}": t.detach() for name, t in model.named_parameters()}}


def start(code: lingua_code.Code, c: dict, batch: tuple[int, int], g: torch.Generator) -> Tensors:
    """Weights from the reference's initialisation, tokens at random."""
    torch.manual_seed(int(torch.randint(1 << 30, (1,), generator=g)))
    model = lingua_code.build(code, c, torch.float32)
    inputs = {name: p.detach().clone() for name, p in model.named_parameters()}
    sequences, length = batch
    tokens = torch.randint(c["vocab_size"], (STEPS, sequences, length + 1), generator=g)
    starts = torch.arange(sequences + 1) * length
    inputs.update(tokens=tokens[:, :, :-1].reshape(STEPS, -1).int(),
                  targets=tokens[:, :, 1:].reshape(STEPS, -1).int(), starts=starts.int())
    return inputs


def case(code: lingua_code.Code, c: dict, optim: dict, g: torch.Generator) -> Trial:
    """In both precisions, whose lookups are the same."""
    inputs = start(code, c, SMALL, g)
    exact, found = (train(code, c, cast(inputs, dtype), optim, dtype)
                    for dtype in (torch.float64, torch.float32))
    if not torch.equal(exact["slots"], found["slots"]):
        raise NearTie("slots")
    return Trial(inputs, exact, found, found)


def large_case(code: lingua_code.Code, c: dict, optim: dict, g: torch.Generator) -> Trial:
    """The reference's float32, against which the engine is held as if it were exact."""
    inputs = start(code, c, LARGE, g)
    found = train(code, c, cast(inputs, torch.float32), optim, torch.float32)
    exact = {name: t.double() if t.is_floating_point() else t for name, t in found.items()}
    return Trial(inputs, exact, found, found)


def settings(schedule: str, optim: dict, changes: dict) -> dict:
    """The rules of a case, as the engine has them."""
    return {"schedule": schedule, "schedule_rule": "lingua", "steps": STEPS, "warmup": WARMUP,
            "lr_min_ratio": optim["lr_min_ratio"], **changes, "clip_values": "separate",
            "beta1": optim["beta1"], "beta2": optim["beta2"], "eps": optim["epsilon"],
            "weight_decay": optim["weight_decay"], "values_weight_decay": optim["weight_decay"],
            "clip": optim["clip"], "lr": optim["lr"], "values_lr": VALUES_LR}


def add_large(store: Store, code: lingua_code.Code) -> None:
    """1,024 slots, 4 heads, 256 tokens a step."""
    c = transformer.config({"n_keys": 32, "heads": 4, "knn": 8, "k_dim": 32, "layers": [2],
                            "v_dim": 64}, num_hidden_layers=4, hidden_size=64, vocab_size=256,
                           multiple_of=16)
    for schedule, clip in (("cosine", 1.0), ("linear", f32(0.1))):
        optim = {**OPTIM, "scheduler": NAMES[schedule], "lr": f32(1e-3), "clip": clip}
        store.add("lingua.safetensors", f"large/{schedule}", "training", 1,
                  lambda g, o=optim: large_case(code, c, o, g), config=c,
                  **settings(schedule, optim, {}))


def add(store: Store, code: lingua_code.Code) -> None:
    """All of the folder lingua."""
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
                  lambda g, c=c, o=optim: case(code, c, o, g), config=c,
                  **settings(schedule, optim, changes))
