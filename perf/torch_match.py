"""One case against PyTorch, in a process of its own: outputs are compared, then both sides take turns.
Called by against_torch.py; prints one line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

import torch
from torch import Tensor

import torch_kernels
import torch_steps
from served import Served

Run = Callable[..., dict[str, Tensor]]
TOLERANCE = 1e-4  # of the sum of absolute values
STATEFUL_CHECKS = 3  # steps whose losses are compared
PAUSE = 0.01  # seconds until the other side's threads have stopped spinning
TURN = 0.1  # seconds of a turn, when a run is shorter
ROUNDS = 7
LONG_TURN = 20.0  # seconds; above them fewer rounds are made
LONG_ROUNDS = 3


def sums(tensor: Tensor) -> tuple[float, float]:
    """Sum and sum of absolute values."""
    if tensor.is_sparse:
        tensor = tensor.coalesce()._values()
    total = absolute = 0.0
    for part in tensor.detach().reshape(-1).split(1 << 24):
        part = part.double()
        total += float(part.sum())
        absolute += float(part.abs().sum())
    return total, absolute


def compare(ours: dict, theirs: dict[str, Tensor]) -> str | None:
    """What differs, or None. PyTorch may have fewer outputs, but not none."""
    shared = [name for name in ours if name in theirs]
    if not shared:
        return f"no output in common: {sorted(ours)} and {sorted(theirs)}"
    for name in shared:
        total, absolute = sums(theirs[name])
        allowed = TOLERANCE * max(absolute, ours[name]["absolute_sum"])
        for what, mine, other in (("sum", ours[name]["sum"], total),
                                  ("absolute sum", ours[name]["absolute_sum"], absolute)):
            if not abs(mine - other) <= allowed:
                return f"{name}: {what} {mine:.9g}, PyTorch {other:.9g}"
    return None


def cannot_compile() -> str | None:
    """Why torch.compile has nothing to compile with, or None."""
    compiler = os.environ.get("CXX", "g++")
    return None if shutil.which(compiler) else f"no C++ compiler ({compiler})"


def no_room(served: Served) -> str | None:
    """Why PyTorch's side would not fit in memory, or None."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) * 1024
    needed = int(1.3 * served.resident_bytes())
    if needed <= available:
        return None
    return f"about {needed / 2**30:.1f} GiB needed, {available / 2**30:.1f} GiB available"


class Match:
    """One case: what PyTorch's variants are, which of them could be run, their times."""

    def __init__(self, program: Path, case: str, threads: int, folder: Path) -> None:
        self.family = program.name.removeprefix("perf_")
        self.served = Served(program, case, threads)
        self.parameters = self.served.case["parameters"]
        self.skipped: dict[str, str] = {}
        self.runs: dict[str, Run] = {}
        reason = no_room(self.served)
        if reason is not None:
            self.skipped["eager"] = reason
            return
        if self.family == "step":
            torch_steps.save_model(program, case, folder)
            self._add_steps(folder)
        else:
            self._add_kernels()

    def _checks(self) -> int:
        return STATEFUL_CHECKS if self.family == "step" else 1

    def _add(self, variant: str, make: Callable[[], Run], expected: list[dict]) -> None:
        """Takes the variant part if its outputs are ours; a difference is an error."""
        reason = cannot_compile() if variant == "compile" else None
        if reason is None:
            try:
                run = make()
                outputs = [compare(ours, run(check=True)) for ours in expected]
            except Exception as error:  # whatever the compiler or the memory refuses
                reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        if reason is not None:
            self.skipped[variant] = reason
            return
        for difference in outputs:
            if difference is not None:
                raise SystemExit(f"{self.served.case['case']}: {variant}: {difference}")
        self.runs[variant] = run

    def _expected(self) -> list[dict]:
        return [self.served.check() for _ in range(self._checks())]

    def _add_steps(self, folder: Path) -> None:
        expected = self._expected()
        self._add("eager", lambda: torch_steps.make(folder, self.parameters, False), expected)
        not_compiled = {"generate": "shapes change with every token",
                        "full": "the code of the pretraining step"}
        if self.parameters["kind"] in not_compiled:
            self.skipped["compile"] = not_compiled[self.parameters["kind"]]
            return
        self._add("compile", lambda: torch_steps.make(folder, self.parameters, True), expected)

    def _add_kernels(self) -> None:
        expected = self._expected()
        for variant, run in torch_kernels.FAMILIES[self.family](self.parameters).items():
            self._add(variant, lambda run=run: run, expected)

    def _turns(self) -> dict[str, Callable[[int], float]]:
        def timed(run: Run) -> Callable[[int], float]:
            def turn(n: int) -> float:
                start = time.perf_counter()
                for _ in range(n):
                    run()
                return (time.perf_counter() - start) / n
            return turn
        return {"mneme": self.served.run, **{name: timed(run) for name, run in self.runs.items()}}

    def measure(self, rounds: int) -> tuple[int, dict[str, float]]:
        """Rounds made (0: as many as their length allows), and the median seconds of each side."""
        turns = self._turns()
        names = list(turns)
        for turn in turns.values():
            turn(1)  # warms up
        once = {name: turns[name](1) for name in names}
        repeats = {name: max(1, round(TURN / seconds)) for name, seconds in once.items()}
        if rounds == 0:
            rounds = LONG_ROUNDS if sum(once.values()) > LONG_TURN else ROUNDS
        times: dict[str, list[float]] = {name: [] for name in names}
        for turn_round in range(rounds):
            first = turn_round % len(names)
            for name in names[first:] + names[:first]:
                time.sleep(PAUSE)
                times[name].append(turns[name](repeats[name]))
        return rounds, {name: statistics.median(t) for name, t in times.items()}

    def row(self, rounds: int, threads: int) -> dict:
        """The result as JSON has it."""
        case = self.served.case
        row = {"benchmark": self.family, "case": case["case"], "threads": threads,
               "flops": case["flops"], "bytes": case["bytes"], **self.parameters}
        if self.runs:
            row["rounds"], seconds = self.measure(rounds)
            row.update({f"{name}_seconds": t for name, t in seconds.items()})
            row.update({f"to_{name}": t / seconds["mneme"]
                        for name, t in seconds.items() if name != "mneme"})
        if self.skipped:
            row["skipped"] = self.skipped
        return row


def main() -> None:
    """against_torch.py says what to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path)
    parser.add_argument("case")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        match = Match(arguments.program, arguments.case, arguments.threads, Path(folder))
        row = match.row(arguments.rounds, arguments.threads)
        match.served.close()
    json.dump(row, sys.stdout)
    print()


if __name__ == "__main__":
    main()
