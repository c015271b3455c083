#!/usr/bin/env python3
"""docs/results/performance.md from the results in perf/results/: perf/performance.md.in with its places
filled by tables and sentences, and plots beside it. Every figure comes from the results. What was
not measured is named in the document."""

from __future__ import annotations

import argparse
import math
import string
import sys
from pathlib import Path

import report_tables as tables
from report_plots import draw_plots
from report_results import ENOUGH_ROUNDS, Results, read_results

PERF = Path(__file__).resolve().parent
ROOT = PERF.parent


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=PERF / "results",
                        help="folder that perf/run_all.sh wrote")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "results" / "performance.md",
                        help="document; its plots go into a folder of the same name beside it")
    return parser.parse_args()


def all_of(results: Results, key: str) -> str:
    """What the files say under a key; several if they do not agree."""
    found = dict.fromkeys(str(head[key]) for head in results.heads() if key in head)
    return " and ".join(found) or "unknown"


def check_machine(results: Results) -> None:
    """Figures of different machines or builds, and of quick runs, are named among the problems."""
    for key in ("cpu", "isa", "compiler"):
        found = sorted({str(head[key]) for head in results.heads() if key in head})
        if len(found) > 1:
            results.problems.append(f"the results are not of one machine and build: {key}: "
                                    + ", ".join(found))
    quick = [f"`{head['command']}`" for head in results.heads()
             if "--quick" in head.get("command", "")]
    if quick:
        results.problems.append("all but a few cases: " + ", ".join(quick))


def peers(results: Results) -> str:
    """The libraries that took part, with their versions."""
    found = {name: version.removeprefix(name + " ") for head in results.heads()
             for name, version in head.get("peers", {}).items()}
    return ", ".join(f"{name} {version}" for name, version in found.items()) or "none"


def commands(results: Results) -> str:
    """What the results were measured with, a line each."""
    found = dict.fromkeys(head["command"] for head in results.heads() if "command" in head)
    return "\n".join(found) or "# none"


def count_of(results: Results, program: str, case: str, key: str, scale: float) -> str:
    """Flops or bytes a token of a case."""
    for threads in results.threads():
        row = results.row(program, case, threads)
        if row is not None:
            return tables.digits(scale * row[key] / row["tokens"])
    return "(not measured)"


def balance(results: Results) -> str:
    """Flops a byte at which arithmetic and memory take equally long, on every number of threads."""
    found = [results.peak_gflops(threads) / results.memory_gb(threads)
             for threads in results.threads()]
    if not found or all(map(math.isnan, found)):
        return "(not measured)"
    return tables.stroke(found, tables.digits)


def places(results: Results) -> dict[str, str]:
    """What the template's places are filled with, but for plots and problems."""
    family, standing = tables.family, tables.standing
    most = results.most_threads()
    return {
        "cpu": all_of(results, "cpu"), "isa": all_of(results, "isa"),
        "compiler": all_of(results, "compiler"), "peers": peers(results),
        "threads": " and ".join(map(str, results.threads())) or "none",
        "rounds": str(min((head["rounds"] for head in results.own.values()),
                          default=ENOUGH_ROUNDS)),
        "commands": commands(results), "balance": balance(results),
        "lookup_mflop": count_of(results, "lookup", "lookup/4096x1024/k_dim512/knn32", "flops",
                                 1e-6),
        "gather_kb": count_of(results, "gather", "gather/4096x128x1024/1M", "bytes", 1e-3),
        "targets": tables.target_table(results), "verdicts": tables.verdict_counts(results),
        "bounds": tables.bound_table(results), "roof": tables.roof_table(results),
        "gemm_products": tables.gemm_table(results, "product", tables.gemm_product),
        "gemm_models": tables.gemm_table(results, "layers of", tables.model_dim),
        "gemm_slowest": tables.gemm_slowest(results), "most_threads": str(most),
        "products": family(results, "lookup", "lookup", "products"),
        "products_standing": standing(results, "lookup", "fma_roof", "products"),
        "lookup_standing": standing(results, "lookup", "fma_roof", "lookup"),
        "selection": family(results, "lookup", "topk", "combine"),
        "gather": family(results, "gather"),
        "gather_standing": standing(results, "gather", "read_loop", "gather"),
        "scatter": family(results, "scatter", "scatter", "compact"),
        "smf": family(results, "scatter", "sort", "rank", "smf"),
        "optimizer": family(results, "optimizer"),
        "optimizer_standing": standing(results, "optimizer", "touch_loop", "adamw"),
        "attention": family(results, "attention"),
        "attention_standing": standing(results, "attention", "fma_roof"),
        "memory_layer": family(results, "memory_layer"),
        "memory_layer_standing": standing(results, "memory_layer", "fma_roof"),
        "step": family(results, "step"),
        "step_standing": standing(results, "step", "fma_roof", "pretrain"),
        "price": tables.price_table(results),
    }


def document(results: Results, plots: Path) -> str:
    """The whole text; plots are drawn into that folder."""
    check_machine(results)
    template = string.Template((PERF / "performance.md.in").read_text(encoding="utf-8"))
    filled = places(results)
    filled |= {"plot_" + name.replace("-", "_"): text
               for name, text in draw_plots(results, plots).items()}
    filled["problems"] = tables.problem_list(results)
    return template.substitute(filled)


def main() -> int:
    """Writes the document at once, after its plots."""
    arguments = parse()
    if not arguments.results.is_dir():
        print(f"perf/report.py: {arguments.results}: no such folder", file=sys.stderr)
        return 2
    output: Path = arguments.output
    results = read_results(arguments.results)
    if not results.own:
        print(f"perf/report.py: {arguments.results}: no results of the benchmark programs "
              "(make bench measures them)", file=sys.stderr)
        return 2
    text = document(results, output.with_suffix(""))
    output.parent.mkdir(parents=True, exist_ok=True)
    new = output.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(output)
    print(f"{output}: {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
