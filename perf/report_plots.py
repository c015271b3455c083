"""The plots of perf/report.py, drawn by gnuplot as SVG."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

from report_results import Results
from report_targets import lookup_points

Points = list[tuple[float, float]]
# Blue, green, brown, red, violet: apart also for those who see few colours.
COLOURS = ("#1f77b4", "#2ca02c", "#8c564b", "#d62728", "#9467bd")
HEAD = """set terminal svg size {width},{height} font 'sans,13' background rgb 'white'
set output '{output}'
set title '{title}'
set grid lc rgb '#dddddd'
set key above
set rmargin 4
set border lc rgb '#444444'
"""


def has_gnuplot() -> bool:
    """Whether plots can be drawn."""
    return shutil.which("gnuplot") is not None


def draw(path: Path, title: str, script: str, width: int = 760, height: int = 480) -> None:
    """The plot appears whole: it is drawn beside its place and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    head = HEAD.format(width=width, height=height, output=new, title=title)
    subprocess.run(["gnuplot"], input=head + script, check=True, text=True)
    new.replace(path)


def block(name: str, lines: list[str]) -> str:
    """Data within a script."""
    return "\n".join([f"${name} << END", *lines, "END", ""])


def curves(series: dict[str, Points], style: str) -> tuple[str, list[str]]:
    """Data blocks, and the parts of a plot command that draw them."""
    data, parts = "", []
    for i, (title, points) in enumerate(series.items()):
        data += block(f"d{i}", [f"{x:.9g} {y:.9g}" for x, y in points])
        parts.append(f"$d{i} using 1:2 with {style} lc rgb '{COLOURS[i % len(COLOURS)]}' "
                     f"title '{title}'")
    return data, parts


def plot_gemm_speed(results: Results, path: Path) -> bool:
    """GFLOP/s against the size of a product, of mneme and the libraries."""
    threads = results.most_threads()
    rows = results.rows("gemm", threads)
    names = {"mneme": "mneme", "onednn": "oneDNN", "openblas": "OpenBLAS"}
    series = {title: [(1e-6 * row["flops"], row[name + "_gflops"]) for row in rows
                      if name + "_gflops" in row] for name, title in names.items()}
    if not series["mneme"]:
        return False
    data, parts = curves(series, "points pt 7 ps 0.45")
    peak = results.peak_gflops(threads)
    if not math.isnan(peak):
        parts.append(f"{peak:.9g} with lines dt 2 lc rgb '#444444' title 'arithmetic''s limit'")
    draw(path, f"Matrix products, threads: {threads}",
         "set logscale x\nset xlabel 'MFLOP of a product'\nset ylabel 'GFLOP/s'\n"
         f"set yrange [0:*]\n{data}plot {', '.join(parts)}\n")
    return True


def plot_gemm_ratio(results: Results, path: Path) -> bool:
    """The speed over oneDNN's against the size of a product, by kind of product."""
    threads = results.most_threads()
    series: dict[str, Points] = {}
    for row in results.rows("gemm", threads):
        if "to_onednn" in row:
            points = series.setdefault(row["product"].replace("_", " "), [])
            points.append((1e-6 * row["flops"], row["to_onednn"]))
    if not series:
        return False
    data, parts = curves(series, "points pt 7 ps 0.5")
    parts += ["1 with lines lc rgb '#444444' title 'equal'",
              "0.9 with lines dt 2 lc rgb '#444444' title 'least wanted'"]
    draw(path, f"Matrix products: speed over oneDNN, threads: {threads}",
         "set logscale x\nset xlabel 'MFLOP of a product'\nset ylabel 'times as fast as oneDNN'\n"
         f"{data}plot {', '.join(parts)}\n")
    return True


def by_slots(results: Results, program: str, threads: int, prefix: str) -> Points:
    """Slots and seconds a token of the cases whose names begin so, without skewed reads."""
    return [(row["slots"], row["mneme_seconds"] / row["tokens"])
            for row in results.rows(program, threads)
            if row["case"].startswith(prefix) and not row.get("skewed")]


def plot_slots(results: Results, path: Path) -> bool:
    """Cost a token as slots grow, each part in logarithms, beside the square root."""
    threads = results.most_threads()
    lookup = sorted(lookup_points(results, threads))
    series = {"lookup (k\\_dim 512, knn 32, 4 heads)": lookup,
              "gather (128 x 1,024 floats)": by_slots(results, "gather", threads,
                                                      "gather/4096x128x1024/"),
              "SMF update (width 1,024)": by_slots(results, "scatter", threads,
                                                   "smf/4096x128x1024/"),
              "memory layer, forward and backward (dim 1,024)":
                  by_slots(results, "memory_layer", threads, "memory/4096x1024/")}
    series = {title: [(x, 1e6 * y) for x, y in points] for title, points in series.items()
              if points}
    if not lookup:
        return False
    data, parts = curves(series, "linespoints pt 7 ps 0.7 lw 2")
    slots, seconds = lookup[-1]
    parts.append(f"{1e6 * seconds:.9g} * sqrt(x / {slots}) with lines dt 2 lc rgb '#444444' "
                 "title 'square root of the slots'")
    ticks = ", ".join(f"'{label}' {1 << power}" for label, power in
                      (("16K", 14), ("64K", 16), ("256K", 18), ("1M", 20)))
    draw(path, f"Cost of a token as slots grow, threads: {threads}",
         f"set logscale xy\nset xtics ({ticks})\nset xrange [{1 << 13}:{1 << 21}]\n"
         "set xlabel 'slots'\nset ylabel 'microseconds a token'\nset key maxcols 2\n"
         f"{data}plot {', '.join(parts)}\n", height=560)
    return True


SPEEDUPS = {
    "topk/32768x1024/knn32": "top-32 of 1,024", "combine/16384x1024/knn32": "combination",
    "lookup/4096x1024/k_dim512/knn32": "lookup, 1M slots",
    "gather/4096x128x1024/1M": "gather, 1M slots",
    "scatter/4096x128x128/1M": "slot gradients, width 128",
    "scatter/4096x128x1024/1M": "slot gradients, width 1,024",
    "smf/4096x128x1024/1M": "SMF update, t = 500",
    "memory/4096x1024/1M": "memory layer, 1M slots",
    "pretrain/tiny": "pretraining, tiny", "pretrain/dim576": "pretraining, dim 576",
    "full/tiny": "full finetuning, tiny", "full/dim576": "full finetuning, dim 576",
    "lora/tiny": "LoRA, tiny", "lora/dim576": "LoRA, dim 576", "smf/tiny": "SMF step, tiny",
    "smf/dim576": "SMF step, dim 576, 1M slots", "generate/tiny": "generation, tiny",
    "generate/dim576": "generation, dim 576", "generate/dim576x16": "generation, dim 576, 16 texts"}


def plot_speedups(results: Results, path: Path) -> bool:
    """Bars: the speed over PyTorch's, eager and compiled."""
    threads = results.most_threads()
    lines = []
    for case, title in SPEEDUPS.items():
        row = results.torch_row(case, threads)
        if row is not None:
            ratios = [row.get("to_" + name) for name in ("eager", "compile")]
            lines.append(f'"{title}" ' + " ".join("NaN" if r is None else f"{r:.9g}"
                                                  for r in ratios))
    if not lines:
        return False
    draw(path, f"Speed over PyTorch, threads: {threads}",
         "set style data histogram\nset style histogram clustered gap 1\n"
         "set style fill solid 0.9 noborder\nset xtics rotate by 40 right nomirror\n"
         "set logscale y\nset ytics (0.5, 1, 2, 5, 10, 20, 50, 100)\nset yrange [0.5:*]\n"
         "set ylabel 'times as fast'\n"
         f"set datafile missing 'NaN'\n{block('d', lines)}"
         f"plot $d using 2:xtic(1) lc rgb '{COLOURS[0]}' title 'eager', "
         f"$d using 3 lc rgb '{COLOURS[1]}' title 'torch.compile', "
         "1 with lines lc rgb '#444444' title 'equal'\n", width=900, height=560)
    return True


PLOTS = {"gemm-speed": (plot_gemm_speed, "GFLOP/s of matrix products by their size"),
         "gemm-ratio": (plot_gemm_ratio, "speed over oneDNN by the size of the product"),
         "slots": (plot_slots, "cost of a token as slots grow"),
         "speedups": (plot_speedups, "speed over PyTorch")}


def draw_plots(results: Results, folder: Path) -> dict[str, str]:
    """All plots by name, as Markdown; where one cannot be drawn the reason."""
    if not has_gnuplot():
        results.problems.append("the plots: gnuplot is not installed")
    images = {}
    for name, (plot, title) in PLOTS.items():
        path = folder / f"{name}.svg"
        drawn = has_gnuplot() and plot(results, path)
        images[name] = f"![{title}]({folder.name}/{name}.svg)" if drawn else f"*No plot: {title}.*"
    return images
