#!/bin/bash
# Runs every benchmark on one thread and on all, prints the tables and writes perf/results/. The
# machine should have nothing else to do.
set -eu
cd "$(dirname "$0")/.."
: "${BUILD:=build}"
mkdir -p perf/results
for threads in 1 "$(nproc)"; do
    echo "gemm, $threads threads"
    OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads "$BUILD/perf_gemm" --json \
        >"perf/results/gemm-$threads-threads.json"
    awk -F '[:,}]' '/"product"/ {
        for (i = 1; i < NF; i++) {
            if ($i ~ /mneme_gflops/) ours = $(i + 1)
            if ($i ~ /onednn_gflops/) onednn = $(i + 1)
            if ($i ~ /openblas_gflops/) openblas = $(i + 1)
        }
        n++; a += log(ours / onednn); b += log(ours / openblas)
        if (n == 1 || ours / onednn < least) least = ours / onednn
    } END {
        printf "  %d products: geometric mean %.3f of oneDNN, %.3f of OpenBLAS; least %.3f of oneDNN\n", \
            n, exp(a / n), exp(b / n), least
    }' "perf/results/gemm-$threads-threads.json"
done
perf/canonical_price.sh
