"""What mneme is to reach, measured from the results: met, missed, or not measured; and for what was
missed the most that the machine's limits would allow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable

from report_results import EAGER, VARIANTS, Results, geometric_mean, slope

DASH = "–"


@dataclass(frozen=True)
class Measured:
    """A figure, and the case and the peer that it comes from where there is one."""

    value: float
    case: str = ""
    row: dict | None = None
    peer: str = ""


Measure = Callable[[Results, int], Measured | None]


@dataclass(frozen=True)
class Target:
    """One line of the table. wanted: the least value, or the most where the less is the better."""

    what: str
    of: str
    wanted: float
    measure: Measure
    unit: str = "×"
    at_most: bool = False

    def show(self, value: float) -> str:
        """The value in the target's unit."""
        if self.unit == "%":
            return f"{100 * value:.1f} %"
        return f"{value:.{3 if abs(value) < 2 else 2}f}{self.unit}"

    def goal(self) -> str:
        """The target in words."""
        wanted = f"{100 * self.wanted:g} %" if self.unit == "%" else f"{self.wanted:g}{self.unit}"
        return f"at {'most' if self.at_most else 'least'} {wanted} {self.of}".rstrip()

    def met(self, value: float) -> bool:
        """Whether the value is good enough."""
        return value <= self.wanted if self.at_most else value >= self.wanted


# ---- ways to measure ----

def mean_over(program: str, peer: str) -> Measure:
    """The geometric mean of the speed over that of the peer, over all cases."""
    def measure(results: Results, threads: int) -> Measured | None:
        ratios = [row["to_" + peer] for row in results.rows(program, threads)
                  if "to_" + peer in row]
        return Measured(geometric_mean(ratios)) if ratios else None
    return measure


def least_over(program: str, peer: str, case: str = "") -> Measure:
    """The least of the speeds over that of the peer, of all cases or of one."""
    def measure(results: Results, threads: int) -> Measured | None:
        rows = [row for row in results.rows(program, threads)
                if "to_" + peer in row and case in ("", row["case"])]
        if not rows:
            return None
        least = min(rows, key=lambda row: row["to_" + peer])
        return Measured(least["to_" + peer], least["case"], least, peer)
    return measure


def over_torch(*cases: str, variants: tuple[str, ...] = VARIANTS) -> Measure:
    """The speed over PyTorch's fastest variant of those, the least of the cases; all must be
    there."""
    def measure(results: Results, threads: int) -> Measured | None:
        found = []
        for case in cases:
            row = results.torch_row(case, threads) or {}
            peers = [name for name in variants if "to_" + name in row]
            if not peers:
                return None
            peer = min(peers, key=lambda name: row["to_" + name])
            found.append(Measured(row["to_" + peer], case, row, peer))
        return min(found, key=lambda measured: measured.value)
    return measure


LOOKUP = "lookup/4096x1024/k_dim512/knn32"
LOOKUP_PRODUCTS = "products/4096x1024/k_dim512/knn32"
LOOKUP_PARTS = ("topk/32768x1024/knn32", "combine/16384x1024/knn32")


def fastest(row: dict) -> float:
    """PyTorch's seconds by its fastest variant."""
    return min(row[name + "_seconds"] for name in VARIANTS if name + "_seconds" in row)


def lookup_without_products(results: Results, threads: int) -> Measured | None:
    """The less of two: the lookup minus its products, and top-k plus combination measured alone."""
    whole, products, *parts = (results.torch_row(case, threads)
                               for case in (LOOKUP, LOOKUP_PRODUCTS, *LOOKUP_PARTS))
    ratios = []
    if whole is not None and products is not None:
        ours = whole["mneme_seconds"] - products["mneme_seconds"]
        theirs = fastest(whole) - fastest(products)
        if ours > 0 and theirs > 0:  # else the turns were too noisy for a difference
            ratios.append(theirs / ours)
    if None not in parts:
        ratios.append(sum(map(fastest, parts)) / sum(part["mneme_seconds"] for part in parts))
    return Measured(min(ratios)) if ratios else None


def growth_over_reads(case: str) -> Measure:
    """How much longer the case takes with the most slots than with the fewest, over how many more
    different slots it then reads. Work that every slot costs would show as far more than 1."""
    def measure(results: Results, threads: int) -> Measured | None:
        few, many = (results.row("scatter", case + slots, threads) for slots in ("16K", "1M"))
        if few is None or many is None:
            return None
        times = many["mneme_seconds"] / few["mneme_seconds"]
        return Measured(times / (many["distinct_slots"] / few["distinct_slots"]))
    return measure


def lookup_points(results: Results, threads: int) -> list[tuple[float, float]]:
    """Slots and seconds a token of the lookup, where all but the number of slots is the same."""
    return [(row["slots"], row["mneme_seconds"] / row["tokens"])
            for row in results.rows("lookup", threads)
            if row["kind"] == "lookup" and (row["tokens"], row["k_dim"], row["knn"])
            == (4096, 512, 32)]


def lookup_growth(results: Results, threads: int) -> Measured | None:
    """The exponent with which the lookup's time grows with the slots, over all of their range."""
    points = lookup_points(results, threads)
    whole = {1 << 14, 1 << 16, 1 << 18, 1 << 20} <= {slots for slots, _ in points}
    return Measured(slope(points)) if whole else None


# The thresholds of oneDNN, read_loop and fma_roof are also in perf/gemm.c, gather.c and step.c,
# whose own tables judge by them.
TARGETS = (
    Target("matrix products, geometric mean", "oneDNN", 1.0, mean_over("gemm", "onednn")),
    Target("matrix products, slowest case", "oneDNN", 0.9, least_over("gemm", "onednn")),
    Target("top-32 of 1,024 scores", "`torch.topk`", 10,
           over_torch("topk/8192x1024/knn32", "topk/32768x1024/knn32")),
    Target("product-key lookup of 1M slots", "PyTorch", 3, over_torch(LOOKUP)),
    Target("the lookup of 1M slots without its products", "PyTorch", 10, lookup_without_products),
    Target("gather of 128 × 1,024 floats a token, 1M slots", "of a loop that only reads", 0.9,
           least_over("gather", "read_loop", "gather/4096x128x1024/1M"), "%"),
    Target("gather of 128 × 1,024 floats a token, 1M slots", "`F.embedding_bag`", 1.1,
           over_torch("gather/4096x128x1024/1M")),
    Target("slot gradients, width 128, 1M slots", "`embedding_bag`'s backward", 5,
           over_torch("scatter/4096x128x128/1M")),
    Target("slot gradients, width 1,024, 1M slots", "`embedding_bag`'s backward", 5,
           over_torch("scatter/4096x128x1024/1M")),
    Target("SMF update, t = 500, width 1,024, 1M slots", "`embedding_bag`'s backward and a mask", 5,
           over_torch("smf/4096x128x1024/1M")),
    Target("SMF update, time from 16K to 1M slots", "the growth of the slots it reads", 1.0,
           growth_over_reads("smf/4096x128x1024/"), "×", True),
    Target("memory layer, dim 1,024, 1M slots, 4,096 tokens", "PyTorch eager", 2,
           over_torch("memory/4096x1024/1M", variants=EAGER)),
    Target("pretraining step, dim 576", "PyTorch eager", 1.4,
           over_torch("pretrain/dim576", variants=EAGER)),
    Target("pretraining step, dim 576", "`torch.compile`", 1.2,
           over_torch("pretrain/dim576", variants=("compile",))),
    Target("pretraining step, dim 576: its matrix products", "of the measured FMA peak", 0.8,
           least_over("step", "fma_roof", "pretrain/dim576"), "%"),
    Target("pretraining step of `tiny`", "PyTorch eager", 4,
           over_torch("pretrain/tiny", variants=EAGER)),
    Target("SMF step of `tiny`", "PyTorch eager", 4, over_torch("smf/tiny", variants=EAGER)),
    Target("SMF step, dim 576, 1M slots", "PyTorch eager, frozen and masked", 1.5,
           over_torch("smf/dim576", variants=EAGER)),
    Target("lookup a token, 16K to 1M slots: exponent", "(0.5: square root)", 0.55, lookup_growth,
           "", True),
)


def verdict(target: Target, figures: list[Measured | None]) -> str:
    """Met only if met on every number of threads."""
    known = [figure for figure in figures if figure is not None]
    if not known:
        return "not measured"
    if not all(target.met(figure.value) for figure in known):
        return "**missed**"
    return "met" if len(known) == len(figures) else "met where measured"


@dataclass(frozen=True)
class Bound:
    """A target that one case missed: the most that the machine's limits allow."""

    target: Target
    threads: int
    measured: Measured
    by_flops: float  # seconds at the arithmetic's limit
    by_bytes: float  # seconds at the memory's limit


def bounds(results: Results) -> list[Bound]:
    """For every target missed in a case whose flops and bytes are known, where the machine's limits
    were measured."""
    found = []
    for target in TARGETS:
        for threads in results.threads():
            measured = target.measure(results, threads)
            peak, memory = results.peak_gflops(threads), results.memory_gb(threads)
            if (measured is None or target.met(measured.value) or measured.row is None
                    or math.isnan(peak + memory)):
                continue
            found.append(Bound(target, threads, measured, 1e-9 * measured.row["flops"] / peak,
                               1e-9 * measured.row["bytes"] / memory))
    return found
