"""The results folder of perf/run_all.sh, read for perf/report.py: rows by program, case and
threads, and what is missing from them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable

PROGRAMS = ("roof", "gemm", "lookup", "gather", "scatter", "optimizer", "attention",
            "memory_layer", "step")
TORCH_PROGRAMS = ("lookup", "gather", "scatter", "memory_layer", "step")
# PyTorch's variants: as one would write it, with other gradients of the values, and compiled.
EAGER = ("eager", "eager_dense", "eager_coalesced")
VARIANTS = EAGER + ("compile",)
ENOUGH_ROUNDS = 7


@dataclass
class Results:
    """All files of the folder. own: heads with their rows by program and threads."""

    own: dict[tuple[str, int], dict] = field(default_factory=dict)
    torch: dict | None = None
    price: dict | None = None
    problems: list[str] = field(default_factory=list)

    def threads(self) -> list[int]:
        """The numbers of threads that anything was measured with."""
        found = {threads for _, threads in self.own}
        if self.torch is not None:
            found |= {row["threads"] for row in self.torch["rows"]}
        return sorted(found)

    def most_threads(self) -> int:
        """Of those the highest; 1 without results."""
        return max(self.threads(), default=1)

    def rows(self, program: str, threads: int) -> list[dict]:
        """The program's own rows."""
        return self.own.get((program, threads), {"rows": []})["rows"]

    def row(self, program: str, case: str, threads: int) -> dict | None:
        """The row of a case."""
        return next((r for r in self.rows(program, threads) if r["case"] == case), None)

    def torch_row(self, case: str, threads: int) -> dict | None:
        """The row of a case against PyTorch, if times were taken."""
        rows = self.torch["rows"] if self.torch is not None else []
        return next((r for r in rows if r["case"] == case and r["threads"] == threads
                     and any("to_" + variant in r for variant in VARIANTS)), None)

    def cases(self, program: str) -> list[str]:
        """The names of the program's cases, in its order."""
        return list(dict.fromkeys(row["case"] for threads in self.threads()
                                  for row in self.rows(program, threads)))

    def heads(self) -> list[dict]:
        """What the files say of machine, versions and commands."""
        heads = list(self.own.values())
        if self.torch is not None:
            heads.append(self.torch)
        if self.price is not None:
            heads.append({**self.price["machine"], "command": self.price["command"]})
        return heads

    def roof(self, what: str, threads: int) -> dict | None:
        """The row of perf_roof for an instruction set or a pass over memory."""
        for (program, _), head in sorted(self.own.items()):
            for row in head["rows"] if program == "roof" else []:
                if row["what"] == what and row["used_threads"] == threads:
                    return row
        return None

    def peak_gflops(self, threads: int) -> float:
        """Arithmetic's limit of the instruction set that was used; NaN: not measured."""
        isa = next((head["isa"] for head in self.heads()), "")
        row = self.roof(isa, threads)
        return row["mneme_gflops"] if row is not None else math.nan

    def memory_gb(self, threads: int) -> float:
        """Memory's limit, the faster of reading and changing in place; NaN: not measured."""
        rows = [self.roof(what, threads) for what in ("read", "update")]
        return max((row["mneme_gb_per_second"] for row in rows if row is not None),
                   default=math.nan)


def read_json(path: Path, results: Results) -> dict | None:
    """A file of the folder, or None and a problem."""
    if not path.exists():
        results.problems.append(f"{path.name}: there is no such file")
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        results.problems.append(f"{path.name}: not JSON: {error}")
        return None


def read_own(folder: Path, results: Results) -> None:
    """The files of the programs, for every number of threads that one of them was run with."""
    found = {int(path.name.split("-")[-2]) for path in folder.glob("*-*-threads.json")
             if path.name.split("-")[-2].isdigit()}
    for program in PROGRAMS:
        for threads in sorted(found):
            head = read_json(folder / f"{program}-{threads}-threads.json", results)
            if head is not None:
                results.own[program, threads] = head


def torch_problems(torch: dict) -> Iterable[str]:
    """Cases that failed, variants that were skipped, rounds that were too few; those of one reason
    together."""
    found: dict[str, list[str]] = {}
    for row in torch["rows"]:
        where = f"`{row['case']}` on {row['threads']}"
        if "error" in row:
            found.setdefault(f"PyTorch: {row['error']}", []).append(where)
        elif row.get("rounds", ENOUGH_ROUNDS) < ENOUGH_ROUNDS:
            found.setdefault(f"PyTorch: medians of only {row['rounds']} turns", []).append(where)
        for variant, reason in row.get("skipped", {}).items():
            found.setdefault(f"PyTorch, {variant}: {reason}", []).append(where)
    for reason, cases in found.items():
        yield f"{reason}: {', '.join(cases)}"


def read_results(folder: Path) -> Results:
    """The whole folder; what is missing or unreadable is named among the problems."""
    results = Results()
    read_own(folder, results)
    results.torch = read_json(folder / "against_torch.json", results)
    results.price = read_json(folder / "canonical_price.json", results)
    if results.torch is not None:
        results.problems += torch_problems(results.torch)
    return results


def geometric_mean(values: list[float]) -> float:
    """NaN of no values."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def slope(points: list[tuple[float, float]]) -> float:
    """The exponent p of y ~ x^p that fits the points, at least two, best in logarithms."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    x_mean = sum(x for x, _ in logs) / len(logs)
    y_mean = sum(y for _, y in logs) / len(logs)
    return (sum((x - x_mean) * (y - y_mean) for x, y in logs)
            / sum((x - x_mean) ** 2 for x, _ in logs))
