#!/usr/bin/env python3
"""The same training in PyTorch float32 and here: the same initial weights and batches, pretraining and
sparse memory finetuning. Prints the largest relative gap of the loss and how many of the slots are
the same, explains the first step at which they part, and draws the loss curves.

    build/mneme run data/recipes/tiny.json --dir RUN --set pretrain.steps=300 --set finetune.full=null \\
        --set finetune.lora=null --set finetune.smf.lr=[300]
    make build/perf_training_steps && tests/reference/train_both.py RUN

Needs PyTorch; plots with gnuplot."""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import cases_smf
import cases_training
import transformer
from case_store import Tensors, f32

TOP = Path(__file__).resolve().parents[2]
TYPES = {"F32": np.float32, "I32": np.int32}


def load(path: Path) -> Tensors:
    """A safetensors file of perf/training_steps.c, without the names' numbers."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name.split(".", 1)[1]] = torch.from_numpy(array.copy())
    return tensors


def steps_of(build: Path, run: Path, stage: str, steps: int) -> Tensors:
    """What the engine did in the first steps of a stage."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "steps.safetensors"
        subprocess.run([build / "perf_training_steps", run, stage, str(steps), file], check=True)
        return load(file)


def parameters(made: Tensors, dtype: torch.dtype) -> Tensors:
    """The model before the first step; vectors come as one row."""
    found = {name[3:]: t for name, t in made.items() if name.startswith("in.")}
    return {name: (t.flatten() if name.endswith(("norm.weight", ".bias")) else t).to(dtype)
            for name, t in found.items()}


def batch_of(made: Tensors, step: int) -> transformer.Batch:
    """A step's batch."""
    starts = made[f"step.{step}.starts"].flatten().tolist()
    lengths = [b - a for a, b in zip(starts, starts[1:])]
    return transformer.Batch(made[f"step.{step}.tokens"].flatten().long(),
                             made[f"step.{step}.targets"].flatten().long(), lengths)


class Comparison:
    """Of one stage, step by step."""

    def __init__(self, name: str, made: Tensors, c: dict) -> None:
        self.name, self.made, self.c = name, made, c
        self.losses: list[float] = []
        self.read: list[float] = []  # share of slots read by both, per step
        self.chosen: list[float] = []
        self.parted = ""

    def same_reads(self, step: int, found: Tensors) -> float:
        """The share of a step's reads that both made."""
        memory, shares = self.c["memory"], []
        for l in memory["layers"]:
            theirs = found[f"slots.{l}"].flatten(0, 1)
            ours = self.made[f"step.{step}.slots.{l}"].view(len(theirs), memory["knn"]).long()
            same = (ours.unsqueeze(-1) == theirs.unsqueeze(-2)).any(-1)
            shares.append(same.double().mean().item())
            if not self.parted and not bool(same.all()):
                self.explain(step, l, ours, theirs, found)
        return min(shares)

    def explain(self, step: int, l: int, ours: Tensor, theirs: Tensor, found: Tensors) -> None:
        """The first read at which the two differ, by PyTorch's own scores."""
        memory = self.c["memory"]
        lookup = int((ours.sort().values != theirs.sort().values).any(-1).nonzero()[0])
        mine = set(ours[lookup].tolist()) - set(theirs[lookup].tolist())
        other = set(theirs[lookup].tolist()) - set(ours[lookup].tolist())
        half = memory["k_dim"] // 2
        query = found[f"query.{l}"].view(-1, 2, half)[lookup]
        tables = found["keys"].view(memory["heads"], 2, memory["n_keys"], half)
        tables = tables[lookup % memory["heads"]]

        def score(slot: int) -> float:
            row, column = divmod(slot, memory["n_keys"])
            return float(query[0] @ tables[0, row] + query[1] @ tables[1, column])
        a, b = max(map(score, mine)), max(map(score, other))
        self.parted = (f"step {step + 1}, layer {l}, token {lookup // memory['heads']}, head "
                       f"{lookup % memory['heads']}: mneme reads slot {min(mine)}, PyTorch slot "
                       f"{min(other)}; PyTorch's scores of the two are {a:.8g} and {b:.8g}, "
                       f"{abs(a - b) / 2.0**-23 / abs(b):.1f} ULP apart")

    def add(self, step: int, loss: float, found: Tensors, chosen: Tensor | None = None) -> None:
        """A step of PyTorch's."""
        self.losses.append(loss)
        self.read.append(self.same_reads(step, found))
        if chosen is not None:
            ours = set(self.made[f"step.{step}.chosen"].flatten().tolist())
            self.chosen.append(len(ours & set(chosen.tolist())) / len(ours))

    def gaps(self) -> np.ndarray:
        """Relative, per step."""
        ours = self.made["losses"].flatten().double().numpy()
        return np.abs(np.array(self.losses) - ours) / np.abs(ours)

    def report(self) -> None:
        """In words."""
        gaps, read = self.gaps(), np.array(self.read)
        agreed = int(np.argmax(read < 1)) if (read < 1).any() else len(read)
        print(f"{self.name}: {len(gaps)} steps")
        if agreed > 0:
            print(f"  loss gap while all reads are the same (steps 1 to {agreed}): at most "
                  f"{gaps[:agreed].max():.2e}")
        print(f"  loss gap in all: at most {gaps.max():.2e}, at step {int(gaps.argmax()) + 1}")
        print(f"  reads that both make: {read.min():.4%} of a step's at least, {read.mean():.4%} on "
              "average")
        if self.chosen:
            print(f"  chosen slots that both choose: {min(self.chosen):.2%} at least, "
                  f"{np.mean(self.chosen):.2%} on average")
        print(f"  first parting: {self.parted or 'none'}")

    def rows(self) -> str:
        """For gnuplot: step, losses of both, gap, shares."""
        ours = self.made["losses"].flatten().tolist()
        chosen = self.chosen or [math.nan] * len(ours)
        return "".join(f"{s + 1} {a:.9g} {b:.9g} {g:.3g} {r:.6f} {k:.6f}\n" for s, (a, b, g, r, k) in
                       enumerate(zip(ours, self.losses, self.gaps(), self.read, chosen)))


def pretrain(made: Tensors, c: dict, recipe: dict, dtype: torch.dtype) -> Comparison:
    """AdamW on everything."""
    r = recipe["pretrain"]
    settings = {key: f32(r[key]) for key in ("beta1", "beta2", "eps", "weight_decay", "clip",
                                             "values_weight_decay")}
    settings["clip_values"] = r.get("clip_values", "together")
    p = {name: t.requires_grad_() for name, t in parameters(made, dtype).items()}
    trainer = cases_training.Trainer(p, settings, settings["eps"])
    comparison = Comparison("pretraining", made, c)
    layer = c["memory"]["layers"][0]
    for step, lr in enumerate(made["lr"].flatten().tolist()):
        batch = batch_of(made, step)
        logits, found = transformer.forward(p, c, batch, ties=True)
        loss = transformer.loss(logits, batch.targets)
        for t in p.values():
            t.grad = None
        loss.backward()
        found = {name: t.detach() for name, t in found.items()}
        found["keys"] = p[f"layers.{layer}.feed_forward.keys"].detach()
        comparison.add(step, loss.item(), found)
        trainer.step(lr, lr * r["values_lr"] / r["lr"])
    return comparison


def finetune(made: Tensors, c: dict, recipe: dict, dtype: torch.dtype) -> Comparison:
    """SGD on the slots of the highest TF-IDF."""
    reading = made["background.reading"].flatten().long()
    run = cases_smf.Finetuning(parameters(made, dtype), c, t=recipe["finetune"]["smf"]["t"],
                               lr=float(made["lr"][0]), ties=True)
    comparison = Comparison("sparse memory finetuning", made, c)
    for step in range(made["losses"].numel()):
        result = run.step(batch_of(made, step), reading, int(made["background.batches"]))
        found = {name: t.detach() for name, t in result.found.items()}
        found["keys"] = run.p[f"layers.{c['memory']['layers'][0]}.feed_forward.keys"]
        comparison.add(step, result.loss.item(), found, result.slots)
    return comparison


PLOT = """set terminal svg size 1200,640 dynamic background '#ffffff' font 'sans,12'
set output 'training.svg'
set multiplot layout 2,3
set grid
set xlabel 'step'
do for [stage in 'pretrain smf'] {
  set ylabel 'loss'; unset logscale y; set key top right opaque; set format y '%g'
  set title stage.': loss'
  plot stage.'.dat' using 1:2 with lines lw 3 lc '#bbbbbb' title 'PyTorch float32', \\
       '' using 1:3 with lines lw 1 lc '#c02020' title 'mneme'
  set ylabel 'relative gap'; set logscale y; set format y '%.0e'
  set title stage.': gap of the loss'
  plot stage.'.dat' using 1:($4 > 0 ? $4 : 1e-9) with points pt 7 ps 0.4 lc '#2050a0' notitle
  unset logscale y; set ylabel '% the same in both'; set format y '%g'; set key bottom left
  set title stage.': slots'
  plot [] [0:105] stage.'.dat' using 1:(100 * $5) with lines lw 2 lc '#208040' title 'read', \\
       '' using 1:(100 * $6) with lines lw 2 dt 2 lc '#a06000' title 'chosen to change'
}
"""


def main() -> None:
    """Both stages of a run."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--build", type=Path, default=TOP / "build")
    parser.add_argument("--steps", type=int, default=300, help="of pretraining")
    parser.add_argument("--smf-steps", type=int, default=100)
    parser.add_argument("--stage", choices=("pretrain", "smf"), help="this one alone")
    parser.add_argument("--float64", action="store_true", help="PyTorch in float64, for comparison")
    parser.add_argument("--plot", type=Path, help="folder for the numbers and training.svg")
    a = parser.parse_args()
    c = json.loads((a.run / "base" / "config.json").read_text())
    recipe = json.loads((a.run / "recipe.json").read_text())
    smf = f"smf/lr-{recipe['finetune']['smf']['lr'][0]:g}"
    if a.plot is not None:
        a.plot.mkdir(parents=True, exist_ok=True)
    for name, stage, steps, train in (("pretrain", "pretrain", a.steps, pretrain),
                                      ("smf", smf, a.smf_steps, finetune)):
        if a.stage not in (None, name):
            continue
        comparison = train(steps_of(a.build, a.run, stage, steps), c, recipe,
                           torch.float64 if a.float64 else torch.float32)
        comparison.report()
        if a.plot is not None:
            (a.plot / f"{name}.dat").write_text(comparison.rows())
    if a.plot is not None:
        (a.plot / "training.gnuplot").write_text(PLOT)
        if all((a.plot / f"{name}.dat").exists() for name in ("pretrain", "smf")):
            subprocess.run(["gnuplot", "training.gnuplot"], cwd=a.plot, check=True)


if __name__ == "__main__":
    main()
