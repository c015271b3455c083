#!/bin/bash
# What the contract's order costs: the engine against the same engine built with free contraction
# and reassociation and with sums split between threads (perf/free_order/), pretraining steps in
# turns. Prints a table and writes perf/results/canonical_price.json. ROUNDS=N turns, 9 by default.
set -eu
cd "$(dirname "$0")/.."
: "${BUILD:=build}" "${ROUNDS:=9}" "${CFLAGS:=-O3 -g}"
BUILD=$(realpath "$BUILD")
tree=$BUILD/free_order
rm -rf "$tree"
mkdir -p "$tree"
cp -r Makefile simd src include perf data "$tree"
mkdir "$tree/tests" && cp tests/find_libraries.sh "$tree/tests"
cp perf/free_order/matmul_split.c "$tree/src/nn/"
sed -i 's/^void matmul(struct/void matmul_whole(struct/; s|^#include "nn/matmul.h"|&\nvoid matmul_whole(struct matmul_scratch *, size_t, size_t, size_t, struct matrix, struct matrix, float *, size_t, bool);|' \
    "$tree/src/nn/matmul.c"
# The gradient norm's blocks are added as the threads come.
sed -i 's/^#pragma omp parallel for schedule(static) if (n > 1)/#pragma omp parallel for schedule(static) reduction(+ : sum) if (n > 1)/; s/^            sums\[b\] = kernels/            sum += kernels/; /^        for (size_t b = 0; b < n; b++) sum += sums\[b\];/d; /^        float sums\[TOGETHER\];/d' \
    "$tree/src/train/optimizer.c"
make -s -j"$(nproc)" "$BUILD/perf_step" >/dev/null
make -s -j"$(nproc)" -C "$tree" BUILD="$tree/build" \
    CONTRACT='-ffp-contract=fast -fassociative-math -fno-signed-zeros -fno-trapping-math -fno-math-errno' \
    "$tree/build/perf_step" >/dev/null
"$BUILD/mneme" info --json >"$tree/info.json"

median() { sort -g | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'; }
# step PROGRAM SHAPE: milliseconds of a step, the median of 15.
step() {
    "$1" --json --rounds 15 --seconds 0 --case "pretrain/$2" |
        sed -n 's/.*"mneme_seconds": \([0-9.e-]*\).*/\1/p' | awk '{ printf "%.4f\n", 1e3 * $1 }'
}

results=perf/results/canonical_price.json
mkdir -p perf/results
{
    printf '{"command": "perf/canonical_price.sh", "rounds": %d, "machine": ' "$ROUNDS"
    cat "$tree/info.json"
    printf ', "steps": ['
} >"$results"
printf '%-9s %7s  %14s  %14s  %7s\n' shape threads 'contract, ms' 'free order, ms' price
separator=
for shape in tiny dim1024; do
    for threads in 1 "$(nproc)"; do
        : >"$tree/ours" && : >"$tree/free"
        for _ in $(seq "$ROUNDS"); do
            OMP_NUM_THREADS=$threads step "$BUILD/perf_step" "$shape" >>"$tree/ours"
            OMP_NUM_THREADS=$threads step "$tree/build/perf_step" "$shape" >>"$tree/free"
        done
        ours=$(median <"$tree/ours") free=$(median <"$tree/free")
        price=$(awk -v a="$ours" -v b="$free" 'BEGIN { printf "%+.1f", 100 * (a / b - 1) }')
        printf '%-9s %7d  %14.2f  %14.2f  %6s%%\n' "$shape" "$threads" "$ours" "$free" "$price"
        printf '%s\n  {"shape": "%s", "threads": %d, "contract_ms": %s, "free_ms": %s, "price_percent": %s}' \
            "$separator" "$shape" "$threads" "$ours" "$free" "${price#+}" >>"$results"
        separator=,
    done
done
printf ']}\n' >>"$results"
