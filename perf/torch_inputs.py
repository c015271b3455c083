"""The inputs of the benchmark programs, computed again: Philox4x32-10 (src/base/random.c), and
models from the safetensors files that the programs write. Needs numpy only."""

from __future__ import annotations

import json
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import numpy as np

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
MASK = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
CHUNK = 1 << 15  # numbers whose temporaries stay in a core's cache


def philox(counter: list[np.ndarray], key: tuple[int, int]) -> list[np.ndarray]:
    """The four 32-bit words (as uint64 arrays) of counters given as four uint64 arrays."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0 = c0 * np.uint64(MULTIPLIERS[0])
        p1 = c2 * np.uint64(MULTIPLIERS[1])
        c0 = (p1 >> HALF) ^ c1 ^ np.uint64(k0)
        c1 = p1 & MASK
        c2 = (p0 >> HALF) ^ c3 ^ np.uint64(k1)
        c3 = p0 & MASK
        k0 = (k0 + WEYL[0]) & 0xFFFFFFFF
        k1 = (k1 + WEYL[1]) & 0xFFFFFFFF
    return [c0, c1, c2, c3]


def draws(seed: int, stream: int, first: int, n: int) -> list[np.ndarray]:
    """random_draw4 of src/base/random.c for the indices first .. first + n - 1."""
    index = np.arange(first, first + n, dtype=np.uint64)
    words = [index & MASK, index >> HALF,
             np.full(n, stream & 0xFFFFFFFF, np.uint64), np.full(n, stream >> 32, np.uint64)]
    return philox(words, (seed & 0xFFFFFFFF, seed >> 32))


def aligned_empty(n: int, dtype: type) -> np.ndarray:
    """An array on a cache line (numpy itself asks for huge pages when it is big)."""
    itemsize = np.dtype(dtype).itemsize
    spacious = np.empty(n + 64 // itemsize, dtype)
    skip = -spacious.ctypes.data % 64 // itemsize
    return spacious[skip:skip + n]


def _filled(n: int, dtype: type, part: Callable[[int, int], np.ndarray]) -> np.ndarray:
    """An array whose stretches [first, first + count) are part(first, count), by two threads."""
    result = aligned_empty(n, dtype)

    def fill(first: int) -> None:
        count = min(CHUNK, n - first)
        result[first:first + count] = part(first, count)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, range(0, n, CHUNK)))
    return result


def uniform(n: int, seed: int, stream: int = 0) -> np.ndarray:
    """random_uniform: [0, 1), multiples of 2^-24."""
    def part(first: int, count: int) -> np.ndarray:
        return (draws(seed, stream, first, count)[0] >> np.uint64(8)).astype(np.float32) \
            * np.float32(2.0**-24)
    return _filled(n, np.float32, part)


def floats(n: int, seed: int) -> np.ndarray:
    """bench_floats of perf/common/bench.c: [-1, 1)."""
    def part(first: int, count: int) -> np.ndarray:
        draw = (draws(seed, 0, first, count)[0] >> np.uint64(8)).astype(np.float32)
        draw *= np.float32(2.0**-23)
        draw -= np.float32(1.0)
        return draw
    return _filled(n, np.float32, part)


def below(n: int, seed: int, stream: int, bound: int, first: int = 0) -> np.ndarray:
    """random_below for the indices first .. first + n - 1, as int64."""
    threshold = np.uint64((2**32 - bound) % bound)

    def part(start: int, count: int) -> np.ndarray:
        products = [word * np.uint64(bound)
                    for word in draws(seed, stream, first + start, count)]
        chosen = products[3]
        for product in reversed(products[:3]):
            chosen = np.where((product & MASK) >= threshold, product, chosen)
        return chosen >> HALF
    return _filled(n, np.int64, part)


def load_safetensors(path: Path) -> dict[str, np.ndarray]:
    """The f32 tensors of a file."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    (length,) = struct.unpack("<Q", bytes(data[:8]))
    header = json.loads(bytes(data[8:8 + length]))
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, not F32")
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensor = aligned_empty((end - begin) // 4, np.float32)
        tensor.view(np.uint8)[:] = data[begin:end]
        tensors[name] = tensor.reshape(entry["shape"])
    return tensors


def check_known_values() -> None:
    """Philox's published test vectors (Random123, kat_vectors)."""
    known = [
        ([0] * 4, (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, (0xFFFFFFFF, 0xFFFFFFFF),
         [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], (0xA4093822, 0x299F31D0),
         [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]),
    ]
    for counter, key, expected in known:
        words = philox([np.array([c], np.uint64) for c in counter], key)
        found = [int(word[0]) for word in words]
        if found != expected:
            raise AssertionError(f"Philox of {counter}: {found}, not {expected}")


if __name__ == "__main__":
    check_known_values()
    print("Philox gives the published values")
