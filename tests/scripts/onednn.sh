#!/bin/bash
# --matmul onednn: the run comes out near the canonical one, is marked wherever something of it is
# shown, and is never compared as if it were canonical.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

recipe=data/recipes/nano.json
if ! mneme info | grep -q '^onednn'; then
    expect 2 "onednn is refused" 'this build has no oneDNN' \
        mneme run "$recipe" --dir "$work/none" --matmul onednn
    skip "oneDNN as a backend" "this build has no oneDNN"
    exit
fi

expect 0 "nano runs with oneDNN" 'NOT CANONICAL: the matrix products are by onednn [0-9.]+' \
    mneme run "$recipe" --dir "$work/run" --matmul onednn
check "the report says so" grep -q 'NOT CANONICAL' "$work/run/report.md"
check "report.json says so" grep -qE '"canonical": false' "$work/run/report.json"
check "report.json names the library" grep -qE '"matmul": "onednn [0-9.]+"' "$work/run/report.json"
for trail in "$work"/run/pretrain/trail.jsonl "$work"/run/finetune/*/*/trail.jsonl; do
    head -n 1 "$trail" | grep -q '"canonical": false, "matmul": "onednn' || break
    marked=$trail
done
check "every trail says so" [ "${marked:-}" = "$trail" ]
expect 0 "mneme digest says so" 'not canonical: the numbers are by onednn' \
    mneme digest "$work/run/base"
expect 0 "mneme digest --json says so" '"canonical": false, "matmul": "onednn' \
    mneme digest --json "$work/run/base"

expect 2 "no expected digests" 'not canonical' mneme run "$recipe" --dir "$work/run" \
    --matmul onednn --expect data/expected/nano.json
# shellcheck disable=SC2016
expect 2 "a canonical run does not go on from it" 'another run: `matmul` is' \
    mneme run "$recipe" --dir "$work/run"
expect 2 "verify refuses it" 'is not canonical' mneme verify "$work/run"
expect 2 "another backend is refused" 'matmul' mneme run "$recipe" --dir "$work/new" --matmul mkl

# Near: the first loss to 1e-5.
mneme run "$recipe" --dir "$work/canonical" --set pretrain.steps=1 >/dev/null 2>&1
loss() { sed -n '2s/.*"loss": \([0-9.e+-]*\),.*/\1/p' "$1/pretrain/trail.jsonl"; }
check "the first loss is near the canonical one" awk -v a="$(loss "$work/run")" \
    -v b="$(loss "$work/canonical")" 'BEGIN { d = (a - b) / b; exit !(a > 0 && d * d < 1e-10) }'

expect 0 "generate says so" 'not canonical: the matrix products are by onednn' \
    mneme generate "$work/run/base" "Q:" --matmul onednn
expect 0 "trace replays it" '' mneme trace "$work/run" --step 1 --out "$work/trace.safetensors"
expect 0 "the trace is marked" 'not canonical' mneme digest "$work/trace.safetensors"
