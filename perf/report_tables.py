"""The tables of perf/report.py, in Markdown. A cell has the figure of every number of threads, in
ascending order, divided by a stroke."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Iterable

from report_results import Results, geometric_mean
from report_targets import DASH, TARGETS, bounds, verdict

Show = Callable[[float], str]


def digits(value: float, n: int = 3) -> str:
    """That many significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return DASH if value != 0 else "0"
    places = n - 1 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(0, places)}f}"


def times(value: float) -> str:
    """A multiple of a speed."""
    return f"{value:.2f}×" if value < 100 else f"{value:,.0f}×"


def close(value: float) -> str:
    """A multiple near 1."""
    return f"{value:.3f}×"


def percent(value: float) -> str:
    """A share."""
    return f"{100 * value:.0f} %"


def milliseconds(value: float) -> str:
    """Of seconds."""
    return digits(1e3 * value)


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """The first column is text, the others are figures."""
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def stroke(values: list[float | None], show: Show) -> str:
    """A cell; one dash when nothing was measured."""
    if all(value is None for value in values):
        return DASH
    return " / ".join(DASH if value is None or math.isnan(value) else show(value)
                      for value in values)


# ---- one family's cases ----

@dataclass(frozen=True)
class Column:
    """A figure of each case: the program's own or that of the turns with PyTorch."""

    title: str
    key: str
    show: Show = times
    torch: bool = False


COLUMNS = (
    Column("ms", "mneme_seconds", milliseconds),
    Column("GFLOP/s", "mneme_gflops", digits),
    Column("GB/s", "mneme_gb_per_second", digits),
    Column("of arithmetic's limit", "to_fma_roof", percent),
    Column("of a loop that only reads", "to_read_loop", percent),
    Column("of a loop that only touches", "to_touch_loop", percent),
    Column("plain loop", "to_plain_loop"),
    Column("plain loop", "to_plain_topk"),
    Column("plain loop", "to_plain_combine"),
    Column("`qsort`", "to_qsort"),
    Column("PyTorch", "to_eager", torch=True),
    Column("PyTorch, dense gradient", "to_eager_dense", torch=True),
    Column("PyTorch, coalesced", "to_eager_coalesced", torch=True),
    Column("`torch.compile`", "to_compile", torch=True),
)


def figures(results: Results, program: str, case: str, column: Column) -> list[float | None]:
    """The figure on every number of threads."""
    def get(threads: int) -> float | None:
        row = (results.torch_row(case, threads) if column.torch
               else results.row(program, case, threads))
        return row.get(column.key) if row is not None else None
    return [get(threads) for threads in results.threads()]


def family(results: Results, program: str, *kinds: str) -> str:
    """The program's cases of those kinds (all without any), with the columns that have figures."""
    cases = [case for case in results.cases(program)
             if not kinds or case.split("/")[0] in kinds]
    if not cases:
        return "*Not measured.*"
    cells = {(case, column): figures(results, program, case, column)
             for case in cases for column in COLUMNS}
    columns = [column for column in COLUMNS
               if any(value is not None for case in cases for value in cells[case, column])]
    text = table(["case"] + [column.title for column in columns],
                 ([f"`{case}`"] + [stroke(cells[case, column], column.show) for column in columns]
                  for case in cases))
    return text + torch_note(results, program, columns)


def torch_note(results: Results, program: str, columns: list[Column]) -> str:
    """Says so when a family that has peers in PyTorch was not measured against them."""
    if program in ("optimizer", "attention") or any(column.torch for column in columns):
        return ""
    return "\n\n*PyTorch: not measured.*"


def standing(results: Results, program: str, peer: str, *kinds: str) -> str:
    """A clause: the geometric mean and the least of the shares of a limit."""
    parts = []
    for threads in results.threads():
        rows = [row for row in results.rows(program, threads) if "to_" + peer in row
                and (not kinds or row["case"].split("/")[0] in kinds)]
        if rows:
            least = min(rows, key=lambda row: row["to_" + peer])
            mean = geometric_mean([row["to_" + peer] for row in rows])
            parts.append(f"{percent(mean)} on {plural(threads, 'thread')} "
                         f"(least {percent(least['to_' + peer])}: `{least['case']}`)")
    if not parts:
        return "not measured"
    return "geometric mean " + ", ".join(parts)


def plural(n: int, noun: str) -> str:
    """1 thread, 2 threads."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


# ---- single tables ----

def roof_table(results: Results) -> str:
    """What the machine can do."""
    names = list(dict.fromkeys((row["case"].split("/")[0], row["what"])
                               for threads in results.threads()
                               for row in results.rows("roof", threads)))
    if not names:
        return "*Not measured.*"
    titles = {"fma": "multiply-adds in registers, {}: GFLOP/s", "read": "memory, read: GB/s",
              "write": "memory, written: GB/s", "update": "memory, changed in place: GB/s",
              "rows": "memory, random rows of 4 KiB: GB/s"}
    rows = []
    for kind, what in names:
        key = "mneme_gflops" if kind == "fma" else "mneme_gb_per_second"
        found = [results.roof(what, threads) for threads in results.threads()]
        rows.append([titles.get("fma" if kind == "fma" else what, what).format(what)]
                    + [digits(row[key]) if row is not None else DASH for row in found])
    return table(["limit"] + [plural(threads, "thread") for threads in results.threads()], rows)


DIMS = (128, 576, 1024, 2048)
PRODUCTS = {"forward": "forward", "input_gradient": "input's gradient",
            "weight_gradient": "weight's gradient"}


def model_dim(row: dict) -> str:
    """The model that a layer belongs to."""
    dim = min(row["in"], row["out"])
    return f"dim {dim:,}" if dim in DIMS else "odd sizes"


def gemm_table(results: Results, title: str, group_of: Callable[[dict], str]) -> str:
    """Matrix products by group: mean and least over each peer, and the share of arithmetic's
    limit."""
    threads = results.threads()
    rows = {t: results.rows("gemm", t) for t in threads}
    groups = list(dict.fromkeys(group_of(row) for t in threads for row in rows[t]))
    if not groups:
        return "*Not measured.*"

    def ratios(t: int, group: str, key: str) -> list[float]:
        return [row[key] for row in rows[t] if key in row and group in (group_of(row), "all")]

    def cells(group: str) -> list[str]:
        result = [f"{max(len(ratios(t, group, 'mneme_gflops')) for t in threads)}"]
        for peer in ("to_onednn", "to_openblas"):
            found = [ratios(t, group, peer) for t in threads]
            result.append(stroke([geometric_mean(r) for r in found], close))
            result.append(stroke([min(r, default=math.nan) for r in found], close))
        speeds = [geometric_mean(ratios(t, group, "mneme_gflops")) for t in threads]
        result.append(stroke(speeds, digits))
        result.append(stroke([speed / results.peak_gflops(t)
                              for speed, t in zip(speeds, threads)], percent))
        return result
    header = [title, "cases", "oneDNN, mean", "least", "OpenBLAS, mean", "least", "GFLOP/s",
              "of arithmetic's limit"]
    return table(header, ([group] + cells(group) for group in groups + ["all"]))


def gemm_product(row: dict) -> str:
    """The name of a product."""
    return PRODUCTS[row["product"]]


def gemm_slowest(results: Results, n: int = 6) -> str:
    """The cases that are furthest behind oneDNN."""
    rows = [(row["to_onednn"], threads, row) for threads in results.threads()
            for row in results.rows("gemm", threads) if "to_onednn" in row]
    rows.sort(key=lambda entry: entry[0])
    if not rows:
        return "*Not measured.*"
    return table(["slowest cases", "threads", "oneDNN", "GFLOP/s"],
                 ([f"`{row['case']}`", str(threads), close(ratio), digits(row["mneme_gflops"])]
                  for ratio, threads, row in rows[:n]))


def target_table(results: Results) -> str:
    """Every target with what was measured, and whether it was met."""
    threads = results.threads()
    rows = []
    for target in TARGETS:
        found = [target.measure(results, t) for t in threads]
        rows.append([target.what, target.goal()]
                    + [DASH if f is None else target.show(f.value) for f in found]
                    + [verdict(target, found)])
    header = ["what", "target"] + [plural(t, "thread") for t in threads] + ["verdict"]
    return table(header, rows).replace("|---|---:|", "|---|---|", 1)


def verdict_counts(results: Results) -> str:
    """How many targets got which verdict."""
    found = [verdict(target, [target.measure(results, t) for t in results.threads()])
             for target in TARGETS]
    counts = {name: found.count(name) for name in dict.fromkeys(found)}
    return f"Of {len(found)} targets " + ", ".join(
        f"{count} {'is' if count == 1 else 'are'} {name.strip('*')}"
        for name, count in counts.items())


def bound_table(results: Results) -> str:
    """What was missed, and what the machine's limits would allow."""
    rows = []
    for bound in bounds(results):
        row, target = bound.measured.row, bound.target
        limit = max(bound.by_flops, bound.by_bytes)
        by = "flops" if bound.by_flops == limit else "bytes"
        allowed = row[bound.measured.peer + "_seconds"] / limit
        rows.append([f"{target.what}, {target.of}", f"`{row['case']}`", str(bound.threads),
                     digits(1e-9 * row["flops"]), digits(1e-9 * row["bytes"]), by,
                     milliseconds(limit), milliseconds(row["mneme_seconds"]),
                     target.show(bound.measured.value), target.show(allowed)])
    if not rows and math.isnan(results.memory_gb(results.most_threads())):
        return "*The machine's limits were not measured.*"
    if not rows:
        return "No target of a single case was missed."
    return table(["missed", "case", "threads", "GFLOP", "GB", "bound by", "limit, ms", "taken, ms",
                  "reached", "at the limit"], rows)


def price_table(results: Results) -> str:
    """What the contract's order costs."""
    if results.price is None:
        return "*Not measured.*"
    return table(["pretraining step", "threads", "canonical order, ms", "free order, ms", "price"],
                 ([f"`{step['shape']}`", str(step["threads"]), digits(step["contract_ms"], 4),
                   digits(step["free_ms"], 4), f"{step['price_percent']:+.1f} %"]
                  for step in results.price["steps"]))


def problem_list(results: Results) -> str:
    """What was not measured, and why."""
    if not results.problems:
        return "Everything was measured."
    return "\n".join(f"- {problem}" for problem in results.problems)
