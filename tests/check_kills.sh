#!/bin/bash
# Runs of nano that are killed at a random moment and started again: each must end in the result of
# a run that was left alone. Half of them write a checkpoint after every step, so that many kills
# fall into that; the other half has text, which is packed at the start, beside the facts. `make check-kills`; KILLS=N for another number than 200, MNEME_SEED=N for the same
# moments again.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${KILLS:=200}"
BUILD=$(realpath "$BUILD")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BUILD work OMP_WAIT_POLICY=passive
seed=${MNEME_SEED:-$RANDOM}
RANDOM=$seed

settings() { # CHECKPOINT_EVERY
    echo --set "pretrain.checkpoint_every=$1"
    [ "$1" -eq 1 ] && return
    echo --set corpus.text=data/text/everyday.jsonl --set corpus.held_out_text=data/text/everyday.jsonl
    echo --set evaluate.held_out_tokens=500
}

run() { # FOLDER CHECKPOINT_EVERY
    # shellcheck disable=SC2046 # words
    "$BUILD/mneme" run data/recipes/nano.json --dir "$1" $(settings "$2")
}

result_of() {
    sed -n 's/.*"result": "\([0-9a-f]*\)".*/\1/p' "$1/report.json" 2>/dev/null
}

# kill_once NUMBER CHECKPOINT_EVERY MILLISECONDS EXPECTED: a line with what the kill met and whether
# the run ended as it should.
kill_once() {
    local folder=$work/run$1 where=finetuning outcome=different
    # shellcheck disable=SC2046 # words
    { timeout -s KILL "$(($3 / 1000)).$(printf %03d $(($3 % 1000)))" \
        "$BUILD/mneme" run data/recipes/nano.json --dir "$folder" \
        $(settings "$2") >/dev/null 2>&1; } 2>/dev/null
    [ -e "$folder/base/model.safetensors" ] || where=pretraining
    [ -e "$folder/pretrain" ] || where=start
    [ -e "$folder/report.json" ] && where=end
    find "$folder" -name '*.partial' 2>/dev/null | grep -q . && where=writing
    run "$folder" "$2" >/dev/null 2>"$work/error$1"
    if [ "$(result_of "$folder")" = "$4" ] && ! find "$folder" -name '*.partial' | grep -q .; then
        outcome=same
    else
        echo "killed after $3 ms with checkpoint_every=$2: $(cat "$work/error$1")" >&2
    fi
    rm -rf "$folder"
    echo "$where $outcome"
}
export -f settings run kill_once result_of

for every in 1 20; do
    start=$(date +%s%3N)
    run "$work/alone$every" "$every" >/dev/null || exit 1
    took=$(($(date +%s%3N) - start))
    expected=$(result_of "$work/alone$every")
    for ((i = every; i <= KILLS * 10; i += 20)); do
        printf '%s %s %s %s\n' "$every-$i" "$every" "$((RANDOM % took + 1))" "$expected"
    done
done | xargs -L 1 -P "$(nproc)" bash -c 'kill_once "$@"' - >"$work/outcomes"

for where in start pretraining writing finetuning end; do
    printf '%-12s killed %4d times, %4d ended in the same result\n' "$where" \
        "$(grep -c "^$where " "$work/outcomes")" "$(grep -c "^$where same" "$work/outcomes")"
done
all=$(wc -l <"$work/outcomes")
same=$(grep -c ' same$' "$work/outcomes")
echo "check-kills: $same of $all the same (seed $seed, $SECONDS s)"
[ "$same" -eq "$all" ] && [ "$all" -ge "$KILLS" ]
