#!/bin/bash
# mneme teach and mneme patch as a user meets them: a model is taught, a call that is killed goes on,
# patches are shown, merged and taken back; the bits do not depend on threads or instruction set.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

export OMP_WAIT_POLICY=passive
seq 1 300 | awk '{ print "On day " $1 " the boat went to the harbour, and the shed was " ($1 % 2 ? "open" : "shut") "." }' \
    >"$work/text.txt"
head -n 6 data/questions/invented.jsonl >"$work/facts.jsonl"
head -n 3 "$work/facts.jsonl" >"$work/three.jsonl"

model=$work/run/base
check "a model to teach" mneme run data/recipes/nano.json --dir "$work/run" \
    --set model.max_seq_len=128 --set pretrain.steps=20

# teach PATCH [FACTS [OPTION...]]
teach() {
    mneme teach "$model" "${2:-$work/facts.jsonl}" --patch "$work/$1" --text "$work/text.txt" \
        --background 8 --steps 6 --max-loss 1000 "${@:3}"
}

# same NAME PATCH PATCH
same() {
    if cmp -s "$work/$2" "$work/$3"; then pass "$1"; else fail "$1" "$2 and $3 differ"; fi
}

check "six facts are taught" teach six
check "three facts are taught" teach three "$work/three.jsonl"
check "three of six are undone" mneme patch undo "$work/six" --last 3 --out "$work/undone"
same "undone is what three facts gave" undone three
check "the three are taught again" teach undone
same "again is what six facts gave" undone six

MNEME_ISA=scalar OMP_NUM_THREADS=3 check "taught on another instruction set" teach scalar
same "instruction set and threads do not matter" scalar six

# A call that is killed as soon as it has written a patch, and one that is killed before.
(exec mneme teach "$model" "$work/facts.jsonl" --patch "$work/killed" --text "$work/text.txt" \
    --background 8 --steps 6 --max-loss 1000) >/dev/null 2>&1 &
sleep 0.4
kill -KILL $! 2>/dev/null
wait $! 2>/dev/null
check "a killed call goes on" teach killed
same "what goes on ends in the same bytes" killed six
(exec mneme teach "$model" "$work/facts.jsonl" --patch "$work/three" --text "$work/text.txt" \
    --background 8 --steps 6 --max-loss 1000) >/dev/null 2>&1 &
sleep 0.4
kill -KILL $! 2>/dev/null
wait $! 2>/dev/null
check "the patch of a killed call is whole" mneme patch info "$work/three"
check "and goes on" teach three
same "to the same bytes" three six

check "info tells the facts" mneme patch info "$work/six"
mneme patch info "$work/six" --json >"$work/info.json"
check "info --json is JSON with the facts" python3 -c "
import json
info = json.load(open('$work/info.json'))
assert len(info['facts']) == 6 and info['rows'] > 0 and info['bytes'] > 0, info
assert info['facts'][2]['question'] == json.loads(open('$work/facts.jsonl').readlines()[2])['question']
"
head -n 3 "$work/facts.jsonl" | tail -n 1 >"$work/third.jsonl"
check "diff of a patch with itself" mneme patch diff "$work/six" "$work/three"
cp "$work/six" "$work/other"
mneme patch undo "$work/other" --last 1 --out "$work/other" >/dev/null
check_refused() { # NAME STATUS WORDS COMMAND...
    local name=$1 wanted=$2 words=$3 status=0
    shift 3
    "$@" >"$work/out" 2>"$work/err" || status=$?
    if [ "$status" -eq "$wanted" ] && grep -q -- "$words" "$work/err" "$work/out" &&
        [ "$(wc -l <"$work/err")" -le 1 ]; then
        pass "$name"
    else
        fail "$name" "status $status, not $wanted with '$words'" show "$work/err"
    fi
}
check_refused "diff tells a fact less" 1 "facts that both begin with: 5" \
    mneme patch diff "$work/six" "$work/other"
check "the model is merged with its patch" mneme patch apply "$model" "$work/six" --out "$work/taught"
prompt=$(python3 -c "
import json
print('Question: ' + json.loads(open('$work/facts.jsonl').readline())['question'] + '\nAnswer:')")
mneme generate "$model" "$prompt" --patch "$work/six" --max-tokens 8 >"$work/patched"
mneme generate "$work/taught" "$prompt" --max-tokens 8 >"$work/merged"
same "merged and patched say the same" patched merged
check "eval takes the patch" mneme eval "$model" --patch "$work/six" --questions "$work/facts.jsonl" --max-new-tokens 8

check_refused "another model's patch" 2 "is for the model with the digest" \
    mneme generate "$work/taught" x --patch "$work/six"
head -c 5000 "$work/six" >"$work/cut"
check_refused "a cut patch" 2 "cut" mneme patch info "$work/cut"
check_refused "more facts than there are" 2 "has 6 facts" \
    mneme patch undo "$work/six" --last 7 --out "$work/none"
check_refused "apply over a folder" 2 "already holds" \
    mneme patch apply "$model" "$work/six" --out "$work/taught"
check_refused "facts that are not there" 2 "nowhere" teach none "$work/nowhere"
printf '{"question": "Who?"}\n' >"$work/unanswered.jsonl"
check_refused "a question without an answer" 2 "unanswered" teach none "$work/unanswered.jsonl"
check_refused "questions to keep that are not there" 2 "nowhere" \
    teach none "$work/facts.jsonl" --keep "$work/nowhere"
if [ -e "$work/none" ]; then
    fail "nothing half-written" "there is a patch"
else
    pass "nothing half-written"
fi
