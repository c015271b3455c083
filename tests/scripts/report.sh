#!/bin/bash
# perf/report.py on made-up results: what reaches its target is called met, what does not missed,
# and what is not there is named.
# shellcheck disable=SC2016 # patterns with backquotes
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

if ! command -v python3 >"$work/out"; then
    skip "the performance report" "there is no python3"
    exit
fi
export PYTHONDONTWRITEBYTECODE=1
results=$work/results

# program NAME THREADS ROW...: the file of a benchmark program.
program() {
    local name=$1 threads=$2 IFS=,
    shift 2
    printf '{"command": "OMP_NUM_THREADS=%s perf_%s --json", "benchmark": "%s", "cpu": "A CPU", "isa": "avx2", "threads": %s, "compiler": "gcc 1", "rounds": 7, "peers": {}, "rows": [%s], "summary": {}}\n' \
        "$threads" "$name" "$name" "$threads" "$*" >"$results/$name-$threads-threads.json"
}

# gemm CASE RATIO: a row of perf_gemm, so much faster than oneDNN.
gemm() {
    printf '{"case": "forward/%s", "product": "forward", "tokens": 64, "in": 128, "out": 128, "flops": 2e6, "bytes": 1e5, "mneme_seconds": 1e-4, "mneme_gflops": 20, "onednn_seconds": 1e-4, "onednn_gflops": 20, "to_onednn": %s}' "$1" "$2"
}

# limit KIND WHAT THREADS KEY VALUE: a row of perf_roof.
limit() {
    printf '{"case": "%s/%s/%s", "what": "%s", "used_threads": %s, "%s": %s}' \
        "$1" "$2" "$3" "$2" "$3" "$4" "$5"
}

# torch CASE THREADS RATIO: a row against PyTorch.
torch() {
    printf '{"case": "%s", "threads": %s, "flops": 1e9, "bytes": 1e6, "rounds": 7, "mneme_seconds": 0.02, "eager_seconds": 0.05, "to_eager": %s}' "$@"
}

# against_torch ROW...
against_torch() {
    local IFS=,
    printf '{"command": "perf/against_torch.py", "cpu": "A CPU", "isa": "avx2", "compiler": "gcc 1", "peers": {"PyTorch": "1"}, "rows": [%s]}\n' \
        "$*" >"$results/against_torch.json"
}

# says NAME PATTERN: a line of the document holds the extended regular expression.
says() {
    if grep -qsE -- "$2" "$work/docs/report.md"; then
        pass "$1"
    else
        fail "$1" "no line like '$2'"
    fi
}

report() {
    python3 perf/report.py --results "$results" --output "$work/docs/report.md"
}

mkdir "$results"
expect 2 "without results there is no report" 'results: no results of the benchmark programs' report
check "and no document" test ! -e "$work/docs"

for threads in 1 2; do
    program roof $threads "$(limit fma avx2 1 mneme_gflops 100)" "$(limit fma avx2 2 mneme_gflops 200)" \
        "$(limit memory read 1 mneme_gb_per_second 10)" "$(limit memory read 2 mneme_gb_per_second 20)"
done
program gemm 1 "$(gemm a 1.2)" "$(gemm b 0.95)"
program gemm 2 "$(gemm a 1.3)" "$(gemm b 0.85)"
against_torch "$(torch pretrain/tiny 1 4.5)" "$(torch pretrain/tiny 2 4.25)" \
    "$(torch smf/tiny 1 2.5)" "$(torch smf/tiny 2 4.5)" "$(torch pretrain/dim576 1 3)" \
    '{"case": "smf/dim576", "threads": 1, "skipped": {"eager": "no room at all"}}' \
    '{"case": "lora/tiny", "threads": 2, "error": "other outputs"}'
expect 0 "a report of what there is" 'report.md: [0-9]+ lines' report
says "a mean that is reached is met" \
    '^\| matrix products, geometric mean \| at least 1× oneDNN \| 1\.068× \| 1\.051× \| met \|$'
says "missed on one number of threads is missed" \
    '^\| matrix products, slowest case .*\| 0\.950× \| 0\.850× \| \*\*missed\*\* \|$'
says "PyTorch's ratio is met" '^\| pretraining step of `tiny` .*\| 4\.50× \| 4\.25× \| met \|$'
says "PyTorch's ratio is missed" '^\| SMF step of `tiny` .*\| 2\.50× \| 4\.50× \| \*\*missed\*\* \|$'
says "half measured is not met" '^\| pretraining step, dim 576 .*eager \| 3\.00× \| – \| met where measured \|$'
says "nothing measured is not met" '^\| SMF step, dim 576, 1M slots .*\| – \| – \| not measured \|$'
# 1 GFLOP at 100 GFLOP/s takes 10 ms, a fifth of PyTorch's 50.
says "the limit of what was missed" \
    '^\| SMF step of `tiny`.*\| `smf/tiny` \| 1 \| 1\.00 \| 0\.00100 \| flops \| 10\.0 \| 20\.0 \| 2\.50× \| 5\.00× \|$'
says "the slowest product" '^\| `forward/b` \| 2 \| 0\.850× \|'
says "a missing file is named" '^- step-2-threads\.json: there is no such file$'
says "a skipped peer is named" '^- PyTorch, eager: no room at all: `smf/dim576` on 1$'
says "a failed case is named" '^- PyTorch: other outputs: `lora/tiny` on 2$'
check "no place is left unfilled" sh -c "! grep -n '\\$' '$work/docs/report.md'"
if command -v gnuplot >"$work/out"; then
    for plot in gemm-ratio gemm-speed speedups; do
        check "plot $plot" grep -q '</svg>' "$work/docs/report/$plot.svg"
    done
else
    skip "plots" "there is no gnuplot"
fi

rm "$results/against_torch.json"
echo '{"rows": [' >"$results/lookup-1-threads.json"
expect 0 "a report without PyTorch" 'report.md: [0-9]+ lines' report
says "PyTorch's targets are not measured" '^\| pretraining step of `tiny` .*\| – \| – \| not measured \|$'
says "PyTorch's file is named" '^- against_torch\.json: there is no such file$'
says "a damaged file is named" '^- lookup-1-threads\.json: not JSON: '
program gemm 2 "$(gemm a 1.3)" "$(gemm b 0.91)"
report >"$work/out" 2>&1
says "the same target met" '^\| matrix products, slowest case .*\| 0\.950× \| 0\.910× \| met \|$'
