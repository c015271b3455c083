#!/bin/bash
# One bit is flipped somewhere in a run folder, of a run that ended and of runs that were killed:
# verify, diff or the run that goes on notices it, or it provably changes nothing. FLIPS=N for
# another number of bits than 45, MNEME_SEED=N for the same bits again. Then what somebody may have
# forged: digests and all, so that only repeating the run can tell.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

recipe=data/recipes/nano.json
: "${FLIPS:=45}"
seed=${MNEME_SEED:-$RANDOM}
RANDOM=$seed

settings=(--set pretrain.steps=100 --set pretrain.keep_checkpoints=true
    --set pretrain.checkpoint_every=20 --set finetune.evaluate_every=1)

run() { # FOLDER
    mneme run "$recipe" --dir "$1" "${settings[@]}"
}

# kill_at NAME FILE: a run that is killed as soon as it has that file.
kill_at() {
    (exec mneme run "$recipe" --dir "$work/$1" "${settings[@]}") >/dev/null 2>&1 &
    local pid=$!
    until [ -e "$work/$1/$2" ] || ! kill -0 $pid 2>/dev/null; do :; done
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
}

check "a run to damage" run "$work/ended"
check "a run to compare with" run "$work/other"
for _ in {1..20}; do
    rm -rf "$work/training"
    kill_at training pretrain/checkpoint-00000060.safetensors
    [ -e "$work/training/base/model.safetensors" ] || break
done 2>/dev/null
for _ in {1..20}; do
    rm -rf "$work/teaching"
    kill_at teaching finetune/lora/lr-0.01/scores.json
    [ -e "$work/teaching/report.json" ] || break
done 2>/dev/null
check "a run is killed in pretraining" \
    test -e "$work/training/pretrain" -a ! -e "$work/training/base/model.safetensors"
check "a run is killed in finetuning" \
    test -e "$work/teaching/base/model.safetensors" -a ! -e "$work/teaching/report.json"

large_random() {
    echo $(((RANDOM << 15 | RANDOM) + (RANDOM << 30)))
}

# choose FOLDER NUMBER: "FILE OFFSET BIT". Every second bit is any bit of all files, the others lie
# in any file, however small.
choose() {
    local sizes total file size at
    sizes=$(cd "$1" && find . -type f -size +0 -printf '%s %P\n' | LC_ALL=C sort -k 2)
    if [ $(($2 % 2)) -eq 0 ]; then
        total=$(awk '{ sum += $1 } END { print sum }' <<<"$sizes")
        at=$(($(large_random) % total))
        while read -r size file; do
            [ "$at" -lt "$size" ] && break
            at=$((at - size))
        done <<<"$sizes"
    else
        read -r size file < <(sed -n "$((RANDOM % $(wc -l <<<"$sizes") + 1))p" <<<"$sizes")
        at=$(($(large_random) % size))
    fi
    echo "$file $at $((RANDOM % 8))"
}

# flip FILE OFFSET BIT
flip() {
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ (1 << $3))))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# quietly COMMAND...: it succeeds and warns of nothing.
quietly() {
    MNEME_PROGRESS=0 OMP_NUM_THREADS=1 "$@" >/dev/null 2>"$work/said" && [ ! -s "$work/said" ]
}

# What notices the flip in $work/flipped, a copy of the run NAME.
noticed_by() {
    local folder=$work/flipped
    if [ "$1" = ended ]; then
        quietly mneme verify "$folder" --stage files || { echo "verify's files" && return; }
        quietly mneme verify "$folder" || { echo "verify" && return; }
        quietly mneme diff "$folder" "$work/other" || { echo "diff" && return; }
    fi
    quietly run "$folder" || { echo "the run" && return; }
    quietly mneme verify "$folder" || { echo "verify after the run" && return; }
    if quietly mneme diff "$folder" "$work/other"; then
        echo "nothing, and the run ends in the same files"
    else
        echo "NOTHING"
    fi
}

for ((i = 0; i < FLIPS; i++)); do
    names=(ended training teaching)
    name=${names[i % 3]}
    rm -rf "$work/flipped"
    cp -r "$work/$name" "$work/flipped"
    read -r file offset bit < <(RANDOM=$((seed + 7 * i)) && choose "$work/flipped" $((i / 3)))
    flip "$work/flipped/$file" "$offset" "$bit"
    by=$(noticed_by "$name")
    echo "$name: $by" >>"$work/notices"
    if [[ $by == NOTHING || $by == nothing* ]]; then
        echo "$name, $file, bit $bit of byte $offset: $by" >>"$work/unnoticed"
    fi
done
if [ "$FLIPS" -gt 0 ]; then
    sort "$work/notices" | uniq -c | sed 's/^/    /'
    sed 's/^/    /' "$work/unnoticed" 2>/dev/null
    if ! grep -q ': NOTHING$' "$work/notices"; then
        pass "each of $FLIPS flipped bits is noticed or changes nothing (seed $seed)"
    else
        fail "each of $FLIPS flipped bits is noticed or changes nothing (seed $seed)" \
            "$(grep ': NOTHING$' "$work/unnoticed" | head -n 3)"
    fi
fi

# What was forged, with its digests made anew as only somebody who means to can.
forge() { # NAME: a copy of the run that ended
    rm -rf "${work:?}/$1"
    cp -r "$work/ended" "$work/$1"
}
# sign FOLDER: makes its SHA256SUMS those of the files that are there.
sign() {
    local name
    head -n 1 "$1/SHA256SUMS" >"$work/sums"
    sed '1d;$d' "$1/SHA256SUMS" | cut -c 67- | while read -r name; do
        (cd "$1" && sha256sum "$name") >>"$work/sums"
    done
    printf '# SHA-256 of the lines above: %s\n' "$(sha256sum <"$work/sums" | cut -d ' ' -f 1)" |
        cat "$work/sums" - >"$1/SHA256SUMS"
}

# differs NAME PATTERN COMMAND...: the command tells a difference like that, and exits with 1.
differs() {
    local name=$1 pattern=$2 status
    shift 2
    "$@" >"$work/out" 2>&1
    status=$?
    if [ "$status" -eq 1 ] && grep -qE -- "$pattern" "$work/out"; then
        pass "$name"
    else
        fail "$name" "exit status $status of: $*" show "$work/out"
    fi
}

forge scores
sed -i 's/"known_f1": [0-9.]*/"known_f1": 0.125/' "$work/scores/base/scores.json"
expect 2 "changed scores are refused" 'base/scores.json: is damaged or was changed' run "$work/scores"
differs "changed scores differ" 'files: base/scores.json: known_f1 differs' \
    mneme diff "$work/scores" "$work/other"
expect 2 "changed scores contradict SHA256SUMS" 'base/scores.json' mneme digest "$work/scores"
sign "$work/scores"
check "sha256sum agrees with forged digests" sh -c "cd $work/scores && sha256sum --strict -c SHA256SUMS"
expect 2 "forged scores contradict the answers" 'answers.jsonl: the lines. mean F1 is' run "$work/scores"
expect 2 "digest tells forged scores" 'answers.jsonl: the lines. mean F1 is' mneme digest "$work/scores"
differs "verify repeats the evaluation" 'DIFFERENT: base/scores.json: known_f1' \
    mneme verify "$work/scores" --stage pretrain
check "the forged digests agree" mneme verify "$work/scores" --stage files

forge answers
sed -i '1s/"said":"[^"]*"/"said":"what a fine day"/' "$work/answers/finetune/smf/lr-50/answers.jsonl"
sign "$work/answers"
differs "verify compares the answers" 'DIFFERENT: finetune/smf/lr-50/answers.jsonl:1' \
    mneme verify "$work/answers" --stage smf/lr-50

forge stream
sed -i '2s/"recent_f1":[0-9.]*/"recent_f1":0.75/' "$work/stream/finetune/full/lr-0.001/stream.jsonl"
sign "$work/stream"
differs "verify repeats the evaluations along the stream" \
    'DIFFERENT: finetune/full/lr-0.001/stream.jsonl:2' mneme verify "$work/stream" --stage full/lr-0.001

forge report
sed -i '0,/"known_drop_percent": [0-9.]*/s//"known_drop_percent": 0.5/' "$work/report/report.json"
sign "$work/report"
differs "verify makes the report again" 'DIFFERENT: report.json' \
    mneme verify "$work/report" --stage report
forge report
sed -i 's/^smf  /smfx /' "$work/report/report.md"
sign "$work/report"
differs "and its Markdown" 'DIFFERENT: report.md:[0-9]+' mneme verify "$work/report" --stage report

forge tokenizer
sed -i '0,/"Q"/s//"q"/' "$work/tokenizer/tokenizer.json"
expect 2 "a changed tokenizer is refused" 'tokenizer.json: is damaged or was changed' \
    mneme slots "$work/tokenizer"

# Another run's base, its digest and all: only the trail has another one.
check "another run" mneme run "$recipe" --dir "$work/another" "${settings[@]}" --set seed=2
forge base
cp "$work/another/base/model.safetensors" "$work/base/base/model.safetensors"
expect 2 "another base is refused" 'base/model.safetensors: is damaged or was changed' run "$work/base"
sign "$work/base"
expect 2 "another base is not the one that the trail ends with" \
    'base/model.safetensors: holds other weights than those that .*trail.jsonl ends with' run "$work/base"
expect 2 "digest tells that, too" 'trail.jsonl ends with' mneme digest "$work/base"
differs "and verify" 'DIFFERENT: base/model.safetensors' mneme verify "$work/base" --stage pretrain

# Kept checkpoints are compared on the way, wherever the replay begins.
forge checkpoint
cp "$work/another/pretrain/checkpoint-00000040.safetensors" "$work/checkpoint/pretrain/"
sign "$work/checkpoint"
differs "verify compares kept checkpoints" 'DIFFERENT: pretrain/checkpoint-00000040.safetensors' \
    mneme verify "$work/checkpoint" --stage pretrain
expect 2 "a window from another run's checkpoint" 'checkpoint-00000040.* is damaged|trail.jsonl: is damaged' \
    mneme verify "$work/checkpoint" --stage pretrain --from 41

# A damaged checkpoint is passed over for an older one, and said; the last one left is refused.
rm -rf "$work/flipped"
cp -r "$work/training" "$work/flipped"
last=$(find "$work/flipped/pretrain" -name 'checkpoint-*' | sort | tail -n 1)
flip "$last" 20000 3
expect 0 "a damaged checkpoint is passed over, and said" \
    "$(basename "$last"): is damaged.*; going on from step" run "$work/flipped"
expect 0 "the run ends in the same files" 'files: [0-9]+ of both: the same' \
    mneme diff "$work/flipped" "$work/other"
rm -rf "$work/flipped"
cp -r "$work/training" "$work/flipped"
for file in "$work"/flipped/pretrain/checkpoint-*; do flip "$file" 20000 3; done
expect 2 "without a good one the last is refused" "$(basename "$last"): is damaged" \
    run "$work/flipped"
rm -rf "$work/flipped"
cp -r "$work/training" "$work/flipped"
sed -i '3s/"tokens": [0-9]*/"tokens": 9/' "$work/flipped/pretrain/trail.jsonl"
expect 2 "a changed trail is not continued" 'trail.jsonl: is damaged or was changed since' \
    run "$work/flipped"

# Another contract is refused by everything that opens the folder.
forge contract
sed -i '1s/contract 1$/contract 2/' "$work/contract/SHA256SUMS"
for command in "run $recipe --dir $work/contract ${settings[*]}" "verify $work/contract" \
    "diff $work/contract $work/other" "digest $work/contract" "slots $work/contract" \
    "trace $work/contract --step 1 --out $work/x.safetensors"; do
    # shellcheck disable=SC2086
    expect 2 "${command%% *} refuses a folder of another contract" 'under contract 2' mneme $command
done
rm -rf "$work/contract"
cp -r "$work/training" "$work/contract"
sed -i '1s/"contract": 1/"contract": 2/' "$work/contract/pretrain/trail.jsonl"
for command in "run $recipe --dir $work/contract ${settings[*]}" "verify $work/contract" \
    "diff $work/contract $work/other" "slots $work/contract" "digest $work/contract" \
    "trace $work/contract --step 1 --out $work/x.safetensors"; do
    # shellcheck disable=SC2086
    expect 2 "${command%% *} refuses a trail of another contract" 'under contract 2' mneme $command
done

# A folder of an earlier version: what is in it is taken, and that is said.
forge old
rm "$work/old/SHA256SUMS"
expect 0 "verify says that there are no digests" 'not compared: the folder has no SHA256SUMS' \
    mneme verify "$work/old" --stage files
expect 0 "a folder without digests goes on, and that is said" 'has no SHA256SUMS: an earlier version' \
    run "$work/old"
check "it then has some" sh -c "cd $work/old && sha256sum -c SHA256SUMS"
printf 'x' >>"$work/old/SHA256SUMS"
expect 2 "damaged digests are refused" 'SHA256SUMS: is damaged' run "$work/old"

# Exit 0 and no difference: the same run, started again, still agrees with itself.
check "a run that is done, run again" run "$work/ended"
expect 0 "agrees with itself" 'every compared step is the same' mneme verify "$work/ended"
expect 0 "and with another" 'files: [0-9]+ of both: the same' mneme diff "$work/ended" "$work/other"
