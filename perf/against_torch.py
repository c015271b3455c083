#!/usr/bin/env python3
"""The benchmarks against PyTorch: the same shapes, inputs and weights, outputs compared first, then
turns alternating between the two, eager and compiled, on 1 and more threads. Each case runs in a
process of its own; results are kept after every case, so that a run can be continued."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from served import case_names

PERF = Path(__file__).resolve().parent
PROGRAMS = ("lookup", "gather", "scatter", "memory_layer", "step")
NO_PEER = ("sort/", "rank/")  # parts that PyTorch has no function for


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=PERF.parent / "build")
    parser.add_argument("--case", default="",
                        help="only cases whose name contains this (or one of A|B)")
    parser.add_argument("--threads", default=f"1,{os.cpu_count()}", help="numbers of threads")
    parser.add_argument("--rounds", type=int, default=0, help="by default 7, or 3 long ones")
    parser.add_argument("--quick", action="store_true", help="fewer cases")
    parser.add_argument("--list", action="store_true", help="the names of the cases")
    parser.add_argument("--json", type=Path, help="where the results go")
    parser.add_argument("--again", action="store_true",
                        help="also cases whose result in that file is newer than the program")
    return parser.parse_args()


def list_cases(arguments: argparse.Namespace) -> list[tuple[Path, str]]:
    """Programs with their cases."""
    found, parts = [], arguments.case.split("|")
    for name in PROGRAMS:
        program = arguments.build / f"perf_{name}"
        if not program.exists():
            raise SystemExit(f"{program}: not built (make bench builds it)")
        found += [(program, case) for case in case_names(program, arguments.quick)
                  if any(part in case for part in parts) and not case.startswith(NO_PEER)]
    return found


def machine(build: Path) -> dict:
    """What the results depend on."""
    info = json.loads(subprocess.run([str(build / "mneme"), "info", "--json"], check=True,
                                     capture_output=True, text=True).stdout)
    script = "import torch; print(torch.__version__)"
    version = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True,
                             text=True).stdout.strip()
    return {"benchmark": "against_torch", "cpu": info["cpu"], "isa": info["isa"],
            "compiler": info["compiler"], "peers": {"PyTorch": version},
            "command": "perf/against_torch.py " + shlex.join(sys.argv[1:])}


def match(program: Path, case: str, threads: int, rounds: int) -> dict:
    """The row of a case, from a process of its own."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads),
                       THP_MEM_ALLOC_ENABLE="1")  # PyTorch's big tensors in huge pages, as ours
    command = [sys.executable, str(PERF / "torch_match.py"), str(program), case,
               "--threads", str(threads), "--rounds", str(rounds)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return json.loads(done.stdout)
    last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return {"case": case, "threads": threads, "error": last}


def show(row: dict) -> None:
    """One line of the table."""
    name = f"{row['case']:34} {row['threads']:2}"
    if "error" in row:
        print(f"{name}  ERROR: {row['error']}")
        return
    if "mneme_seconds" in row:
        print(f"{name} {1e3 * row['mneme_seconds']:10.3f} ms", end="")
        for variant in ("eager", "eager_dense", "eager_coalesced", "compile"):
            if f"to_{variant}" in row:
                print(f"  {variant} {row['to_' + variant]:.2f}x", end="")
        print(f"  ({row['rounds']} rounds)" if row["rounds"] < 7 else "")
    for variant, reason in row.get("skipped", {}).items():
        print(f"skip: {row['case']}, {row['threads']} threads, {variant}: {reason}")


def kept(arguments: argparse.Namespace) -> tuple[list[str], dict[tuple[str, int], dict]]:
    """Commands and rows of earlier runs that are newer than the programs."""
    path = arguments.json
    if path is None or not path.exists():
        return [], {}
    newest = max((arguments.build / f"perf_{name}").stat().st_mtime for name in PROGRAMS)
    if path.stat().st_mtime < newest:
        return [], {}
    found = json.loads(path.read_text())
    return found["command"].splitlines(), {(row["case"], row["threads"]): row
                                           for row in found["rows"] if "error" not in row}


def write(path: Path | None, head: dict, rows: list[dict]) -> None:
    """The whole file at once."""
    if path is None:
        return
    text = json.dumps({**head, "rows": "ROWS"}, indent=1)
    lines = ",\n  ".join(json.dumps(row) for row in rows)
    new = path.with_suffix(".new")
    new.write_text(text.replace('"ROWS"', f"[\n  {lines}]") + "\n")
    new.replace(path)


def main() -> int:
    """Runs every case; 1 if one of them gave other outputs than PyTorch."""
    arguments = parse()
    cases = list_cases(arguments)
    if arguments.list:
        print("\n".join(case for _, case in cases))
        return 0
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("numpy") is None:
        print(f"skip: against_torch: {sys.executable} cannot import torch and numpy")
        return 0
    head, failed = machine(arguments.build), False
    commands, rows = kept(arguments)
    head["command"] = "\n".join(dict.fromkeys([*commands, head["command"]]))
    for threads in map(int, arguments.threads.split(",")):
        for program, case in cases:
            row = None if arguments.again else rows.get((case, threads))
            row = rows[case, threads] = row or match(program, case, threads, arguments.rounds)
            failed = failed or "error" in row
            show(row)
            sys.stdout.flush()
            write(arguments.json, head, list(rows.values()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
