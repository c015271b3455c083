#!/usr/bin/env python3
"""PyTorch against itself: two folders that make_reference.py made on two machines (or with two values of
ATEN_CPU_CAPABILITY, avx2 and avx512, on one). For every tensor the float32 errors of both against
float64 are compared as `mneme verify --reference` compares mneme's with PyTorch's on the same inputs:
how often is one more than 1.5 times as far off as the other? Needs PyTorch and safetensors.

  python tests/reference/compare_machines.py DIR OTHER
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from case_store import errors

FACTOR = 1.5
Pairs = dict[str, tuple[float, float]]


def largest_errors(tensors: dict[str, torch.Tensor]) -> Pairs:
    """CASE:NAME -> the largest errors over the trials, in both measures."""
    found: Pairs = {}
    for name, exact in tensors.items():
        trial, is_exact, tensor = name.partition(":f64.")
        if is_exact:
            pair = errors(tensors[f"{trial}:f32.{tensor}"], exact)
            key = f"{trial.partition('#')[0]}:{tensor}"
            found[key] = tuple(map(max, found.get(key, (0.0, 0.0)), pair))
    return found


def cases_of_other_inputs(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> set[str]:
    """Inputs are drawn and computed by PyTorch too."""
    return {name.partition("#")[0] for name, t in a.items()
            if ":in." in name and not (name in b and torch.equal(t, b[name]))}


def without(tensors: dict[str, torch.Tensor], cases: set[str]) -> dict[str, torch.Tensor]:
    """The tensors of the other cases."""
    return {name: t for name, t in tensors.items() if name.partition("#")[0] not in cases}


def main() -> None:
    """Prints one line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=Path)
    parser.add_argument("other", type=Path)
    arguments = parser.parse_args()
    folders = (arguments.dir, arguments.other)
    names = [json.loads((folder / "manifest.json").read_text())["versions"]["cpu_capability"]
             for folder in folders]
    beyond, tensors, identical, outputs, left_out = [0, 0], 0, 0, 0, 0
    for file in sorted(arguments.dir.glob("*.safetensors")):
        both = [load_file(folder / file.name) for folder in folders]
        others = cases_of_other_inputs(*both)
        left_out += len(others)
        both = [without(t, others) for t in both]
        outputs += sum(":f32." in name for name in both[0])
        identical += sum(":f32." in name and torch.equal(t, both[1][name])
                         for name, t in both[0].items())
        a, b = map(largest_errors, both)
        tensors += len(a)
        for i, (ours, theirs) in enumerate(((a, b), (b, a))):
            beyond[i] += sum(any(x > FACTOR * y for x, y in zip(ours[key], theirs[key])) for key in a)
    print(f"{tensors} tensors ({left_out} cases have other inputs and are left out), "
          f"{identical} of {outputs} float32 results the same bits")
    print(f"more than {FACTOR} times as far off as the other: "
          f"{names[0]} {beyond[0]}, {names[1]} {beyond[1]}")


if __name__ == "__main__":
    main()
