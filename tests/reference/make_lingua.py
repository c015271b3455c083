#!/usr/bin/env python3
"""Makes the tensors of the folder lingua: 50 training steps under the reference's rules, computed by the
reference's own code in float64 and in float32. `mneme verify --reference tests/reference/lingua`
compares the engine with them. Needs PyTorch and a checkout of github.com/facebookresearch/memory."""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

import torch

import cases_lingua
import lingua_code
import case_store
from case_store import Store


def main() -> None:
    """Writes the file and its manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--dir", type=Path, default=Path(__file__).resolve().parent / "lingua")
    parser.add_argument("--large", action="store_true",
                        help="1,024 slots; the engine is compared with the reference's float32")
    arguments = parser.parse_args()
    arguments.dir.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    if arguments.large:
        case_store.MEASURED_TRIALS = 1
    store = Store(arguments.dir)
    cases = cases_lingua.add_large if arguments.large else cases_lingua.add
    cases(store, lingua_code.load(arguments.checkout))
    store.save({"python": platform.python_version(), "torch": torch.__version__,
                "cpu_capability": torch.backends.cpu.get_cpu_capability(), "threads": 1}, {})


if __name__ == "__main__":
    main()
