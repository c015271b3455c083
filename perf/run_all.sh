#!/bin/bash
# Runs every benchmark on one thread and on all and writes perf/results/, then docs/results/performance.md's
# tables and plots from it. The machine should have nothing else to do. Goes on where it was: what
# has a result newer than its program is left out, unless with --again. With --quick a few cases
# only, into BUILD/bench-quick, and no document. RESULTS=DIR puts them elsewhere; PYTHON=python is
# one that has torch, without which PyTorch is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${BUILD:=build}" "${PYTHON:=python3}"
again=0 quick=()
for option; do
    case $option in
        --again) again=1 ;;
        --quick) quick=(--quick) ;;
        *)
            echo "usage: perf/run_all.sh [--again] [--quick]" >&2
            exit 2
            ;;
    esac
done
: "${RESULTS:=$([ ${#quick[@]} -eq 0 ] && echo perf/results || echo "$BUILD/bench-quick")}"
mkdir -p "$RESULTS"

programs=(roof gemm decode lookup gather scatter optimizer attention memory_layer step)
n_parts=$((2 * ${#programs[@]} + 3)) part=0 failed=0
[ "$(nproc)" -eq 1 ] && n_parts=$((${#programs[@]} + 3))

# begin NAME RESULT PROGRAM: false when the result is newer.
begin() {
    part=$((part + 1)) started=$SECONDS
    if [ "$again" -eq 0 ] && [ -e "$2" ] && [ "$2" -nt "$3" ]; then
        echo "[$part/$n_parts] $1: is there already"
        return 1
    fi
    echo "[$part/$n_parts] $1"
}

# end STATUS
end() {
    if [ "$1" -eq 0 ]; then
        echo "    $((SECONDS - started)) s"
    else
        echo "    FAILED after $((SECONDS - started)) s" >&2
        failed=1
    fi
}

# measure PROGRAM THREADS
measure() {
    local result=$RESULTS/$1-$2-threads.json command="perf_$1 --json ${quick[*]}" status=0
    begin "$1, $2 threads" "$result" "$BUILD/perf_$1" || return 0
    if OMP_NUM_THREADS=$2 OPENBLAS_NUM_THREADS=$2 "$BUILD/perf_$1" --json "${quick[@]}" |
        sed "1s|^{|{\"command\": \"OMP_NUM_THREADS=$2 ${command% }\", |" >"$result.new"; then
        mv "$result.new" "$result"
    else
        status=1
    fi
    end $status
}

for program in "${programs[@]}"; do
    for threads in 1 "$(nproc)"; do
        measure "$program" "$threads"
        [ "$(nproc)" -eq 1 ] && break
    done
done

options=(--build "$BUILD" --json "$RESULTS/against_torch.json" "${quick[@]}")
[ "$again" -eq 1 ] && options+=(--again)
part=$((part + 1)) started=$SECONDS
echo "[$part/$n_parts] against PyTorch"
status=0
if command -v "$PYTHON" >/dev/null; then
    "$PYTHON" perf/against_torch.py "${options[@]}" || status=$?
else
    echo "skip: against_torch: there is no $PYTHON"
fi
end $status

if [ ${#quick[@]} -eq 0 ] && [ "$RESULTS" = perf/results ] &&
    begin "the price of canonical order" "$RESULTS/canonical_price.json" "$BUILD/perf_step"; then
    status=0
    perf/canonical_price.sh || status=$?
    end $status
fi

if [ ${#quick[@]} -eq 0 ] && [ "$RESULTS" = perf/results ]; then
    part=$((part + 1))
    echo "[$part/$n_parts] docs/results/performance.md"
    if command -v "$PYTHON" >/dev/null; then
        "$PYTHON" perf/report.py || failed=1
    else
        echo "skip: docs/results/performance.md: there is no $PYTHON"
    fi
fi
exit "$failed"
