"""Reference cases: inputs as float32, outputs as PyTorch computes them in float64 and in float32, in
safetensors files with a manifest."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
import torch
from torch import Tensor

MEASURED_TRIALS = 16  # for PyTorch's own error

Tensors = dict[str, Tensor]
Compute = Callable[[Tensors], Tensors]
DTYPES = {torch.float64: "F64", torch.int64: "I64", torch.float32: "F32", torch.int32: "I32"}


class NearTie(Exception):
    """A selection that rounding could turn; the case is made again with another seed."""


def f32(value: float) -> float:
    """The setting as the engine has it."""
    return float(np.float32(value))


def cast(inputs: Tensors, dtype: torch.dtype) -> Tensors:
    """Float tensors of that type, as leaves; integers as they are."""
    return {name: t.to(dtype).detach().clone() if t.is_floating_point() else t
            for name, t in inputs.items()}


@dataclass
class Trial:
    """Inputs and outputs of one trial."""
    inputs: Tensors
    exact: Tensors  # float64
    found: Tensors  # float32
    other: Tensors  # float32 the other way: see Ways

    def named(self) -> Tensors:
        """Under the names of a file."""
        tensors = {f"in.{name}": t for name, t in self.inputs.items()}
        for label, outputs in (("f64", self.exact), ("f32", self.found)):
            for name, t in outputs.items():
                tensors[f"{label}.{name}"] = t.detach() if t.is_floating_point() else t.int()
        return tensors


class Ways:
    """PyTorch adds a bias's gradients up in a cascade when the bias is added, and in one chain, as a
    matrix product does, when it is a column of the weight. Both are PyTorch's float32."""
    bias_is_column = False


def both(compute: Compute, inputs: Tensors) -> Trial:
    """The outputs in each precision."""
    exact, found = (compute(cast(inputs, dtype)) for dtype in (torch.float64, torch.float32))
    Ways.bias_is_column = True
    try:
        other = compute(cast(inputs, torch.float32))
    finally:
        Ways.bias_is_column = False
    for name, t in exact.items():
        if not t.is_floating_point() and not torch.equal(t, found[name]):
            raise NearTie(name)
    return Trial(inputs, exact, found, other)


def errors(found: Tensor, exact: Tensor) -> tuple[float, float]:
    """Relative L2, and the worst element in ULP of the tensor's scale."""
    exact = exact.detach()
    difference = (found.detach().double() - exact).abs()
    if not bool(difference.any()):
        return 0.0, 0.0
    ulp = float(exact.abs().max()) * 2.0**-23
    return float(difference.norm() / exact.norm()), float(difference.max()) / ulp


class Errors:
    """PyTorch's largest errors, by tensor."""

    def __init__(self) -> None:
        self.largest: dict[str, list[float]] = {}

    def add(self, trial: Trial) -> None:
        """Those of a trial, computed either way."""
        for outputs in (trial.found, trial.other):
            for name, t in outputs.items():
                if not t.is_floating_point():
                    continue
                pair = self.largest.setdefault(name, [0.0, 0.0])
                self.largest[name] = [float(f"{max(a, b):.4g}")
                                      for a, b in zip(pair, errors(t, trial.exact[name]))]


class Store:
    """All files of a folder; all_trials keeps those that measure PyTorch's error too."""

    def __init__(self, folder: Path, all_trials: bool = False) -> None:
        self.folder = folder
        self.all_trials = all_trials
        self.files: dict[str, Tensors] = {}
        self.cases: list[dict] = []

    def add(self, file: str, name: str, kind: str, trials: int,
            make: Callable[[torch.Generator], Trial], **parameters: object) -> None:
        """A case of several trials, each from a seed of its own; a seed with a near tie is passed
        over. PyTorch's errors are those of more trials than are kept."""
        seeds: list[int] = []
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:3], "little")
        tensors = self.files.setdefault(file, {})
        found = Errors()
        measured = 1 if kind == "schedule" else MEASURED_TRIALS
        if self.all_trials:
            trials = measured
        while len(seeds) < measured:
            seed += 1
            if seed % 1000 == 999:
                raise RuntimeError(f"{name}: near ties everywhere")
            try:
                made = make(torch.Generator().manual_seed(seed))
            except NearTie:
                continue
            if len(seeds) < trials:
                tensors.update({f"{name}#{len(seeds)}:{key}": t for key, t in made.named().items()})
            found.add(made)
            seeds.append(seed)
        self.cases.append({"name": name, "kind": kind, "file": file, "seeds": seeds[:trials],
                           "measured_seeds": seeds, **parameters, "pytorch": found.largest})
        print(f"{name}: {trials} trials")

    def save(self, versions: dict, digests: dict[str, str]) -> None:
        """Writes files and manifest; digests are of files that are there already."""
        for file, tensors in self.files.items():
            data = safetensors_bytes(tensors)
            (self.folder / file).write_bytes(data)
            digests[file] = hashlib.sha256(data).hexdigest()
        manifest = {"versions": versions, "files": digests, "cases": self.cases}
        text = compact_json(manifest)
        (self.folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def compact_json(manifest: dict) -> str:
    """One line per case."""
    head = {key: value for key, value in manifest.items() if key != "cases"}
    lines = [json.dumps(case, ensure_ascii=False) for case in manifest["cases"]]
    text = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    return text + ',\n "cases": [\n  ' + ",\n  ".join(lines) + "\n ]\n}"


def safetensors_bytes(tensors: Tensors) -> bytes:
    """A safetensors file: wide types first, then by name."""
    width = {"F64": 0, "I64": 1, "F32": 2, "I32": 3}
    order = sorted(tensors, key=lambda name: (width[DTYPES[tensors[name].dtype]], name))
    header, parts, offset = {}, [], 0
    for name in order:
        data = tensors[name].detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": DTYPES[tensors[name].dtype], "shape": list(tensors[name].shape),
                        "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def normal(generator: torch.Generator, *shape: int, std: float = 1.0) -> Tensor:
    """Normal numbers, float32."""
    return torch.randn(*shape, generator=generator) * std


def linear_weight(generator: torch.Generator, out: int, inputs: int) -> Tensor:
    """A linear layer's weight."""
    return normal(generator, out, inputs, std=1 / math.sqrt(inputs))


def lengths_to_starts(lengths: list[int]) -> list[int]:
    """Where each sequence starts, and the end."""
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + length)
    return starts
