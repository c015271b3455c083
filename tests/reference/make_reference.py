#!/usr/bin/env python3
"""Makes the reference tensors of this folder: everything that a memory-layer transformer computes,
written from the formulas, by PyTorch on the CPU in float64 and in float32. `mneme verify
--reference` compares the engine with them. Needs PyTorch and transformers, whose own models make
cases_families.py's; which versions made the files is in manifest.json."""

from __future__ import annotations

import argparse
import hashlib
import platform
from pathlib import Path

import torch
import transformers

import cases_families
import cases_layers
import cases_memory
import cases_model
import cases_qa
import cases_smf
import cases_training
from case_store import MEASURED_TRIALS, Store


def main() -> None:
    """Writes all files, or those of a copy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--all-trials", action="store_true",
                        help=f"keep all {MEASURED_TRIALS} trials of a case, not one or two: 70 MB")
    arguments = parser.parse_args()
    folder = arguments.dir
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    store = Store(folder, arguments.all_trials)
    for module in (cases_layers, cases_memory, cases_model, cases_families, cases_training,
                   cases_smf):
        module.add(store)
    qa = cases_qa.write(folder)
    store.cases.append({"name": "answers' scores", "kind": "qa", "file": "qa.json"})
    store.save({"python": platform.python_version(), "torch": torch.__version__,
                "transformers": transformers.__version__,
                "cpu_capability": torch.backends.cpu.get_cpu_capability(), "threads": 1},
               {"qa.json": hashlib.sha256(qa).hexdigest()})


if __name__ == "__main__":
    main()
