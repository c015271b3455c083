#!/bin/bash
# Sweeps and the view of the slots: the same result on every instruction set and number of threads,
# after kills and beside another sweep; what they leave; and what they refuse.
. tests/script_functions.sh

cat >"$work/sweep.json" <<END
{"extends": "$PWD/data/recipes/nano.json",
 "name": "grid",
 "pretrain": {"steps": 120},
 "finetune": {"evaluate_every": 2},
 "sweep": {"vary": {"seed": [1, 2]}, "levels": [0.1], "series": [
   {"name": "full", "method": "full", "grid": {"lr": [0.003]}},
   {"name": "memory", "method": "full", "set": {"memory_only": true}, "grid": {"lr": [0.003]}},
   {"name": "LoRA", "method": "lora", "grid": {"rank": [2, 4], "lr": [0.01]}},
   {"name": "SMF", "method": "smf", "grid": {"select": ["tf-idf", "tf", "kl", "random", "all"],
                                             "lr": [100]}},
   {"name": "SMF, known", "method": "smf", "set": {"background": "known"}, "grid": {"lr": [100]}},
   {"name": "AdamW", "method": "smf", "set": {"optimizer": "adamw"}, "grid": {"lr": [0.01]}},
   {"name": "keys", "method": "smf", "set": {"keys_lr": 1}, "grid": {"lr": [100]}}]}}
END

# The digest of all that a sweep found.
result_of() {
    sed -n 's/.*"result": "\([0-9a-f]*\)".*/\1/p' "$1/sweep.json"
}

# same NAME FOLDER: found what the first sweep found.
same() {
    if [ -n "$(result_of "$2")" ] && [ "$(result_of "$2")" = "$(result_of "$work/base")" ]; then
        pass "$1"
    else
        fail "$1" "another result: $(result_of "$2")"
    fi
}

expect 0 "a sweep runs" 'falls by .* to .*, of 7 series' mneme sweep "$work/sweep.json" --dir "$work/base"
for file in sweep.md sweep.json sweep.csv sweep.gnuplot stream.gnuplot seed-2/base/scores.json; do
    check "it leaves $file" test -s "$work/base/$file"
done
n=$(grep -c '^seed-[12],"' "$work/base/sweep.csv")
if [ "$n" -eq 24 ]; then
    pass "sweep.csv has every cell"
else
    fail "sweep.csv has every cell" "$n lines"
fi
n=$(find "$work/base" -path '*/cells/*' -name model.safetensors | wc -l)
check "cells keep no weights" test "$n" -eq 0

# What the stream says at its end is what the finished model scores; for LoRA the adapters were
# merged and taken out again in between.
for scores in "$work"/base/seed-1/cells/*/scores.json; do
    cell=$(dirname "$scores")
    agree=yes
    for key in new_f1 known_f1 skill_nll; do
        of_stream=$(tail -n 1 "$cell/stream.jsonl" | sed "s/.*\"$key\":\([^,}]*\).*/\1/")
        of_scores=$(sed -n "s/.*\"$key\": \([^,]*\),.*/\1/p" "$scores")
        printf '%.7g\n%.7g\n' "$of_stream" "$of_scores" | uniq | wc -l | grep -qx 1 || agree=$key
    done
    check "the stream ends with the scores: $(basename "${cell%-*}")" test "$agree" = yes
done
n=$(wc -l <"$cell/stream.jsonl")
check "the stream has an evaluation every 2 of 3 facts and at the end" test "$n" -eq 2

for isa in scalar avx2 avx512; do
    if MNEME_ISA=$isa mneme info >/dev/null 2>&1; then
        check "the sweep runs on $isa" env MNEME_ISA=$isa OMP_NUM_THREADS=3 \
            mneme sweep "$work/sweep.json" --dir "$work/$isa"
        same "on $isa with 3 threads it finds the same" "$work/$isa"
    else
        skip "the sweep on $isa" "this build or CPU does not have it"
    fi
done

check "the sweep runs without evaluations along the stream" \
    mneme sweep "$work/sweep.json" --dir "$work/quiet" --set finetune.evaluate_every=0
same "looking at it on the way changes nothing" "$work/quiet"

killed=0
for tenths in 3 6 9 12 15; do
    { timeout -s KILL "$((tenths / 10)).$((tenths % 10))" \
        mneme sweep "$work/sweep.json" --dir "$work/killed" >/dev/null; } 2>/dev/null && break
    killed=$((killed + 1))
done
check "a sweep that was killed $killed times ends" mneme sweep "$work/sweep.json" --dir "$work/killed"
same "a sweep that was killed finds the same" "$work/killed"

# A second sweep of the same base in the same folder does only what is new.
sed 's/"grid", *$/&/; s/"lr": \[0.003\]/"lr": [0.003, 0.01]/' "$work/sweep.json" >"$work/more.json"
before=$(find "$work/base" -path '*/cells/*' -name scores.json -printf '%p %T@\n' | sort)
check "another sweep of the same base" mneme sweep "$work/more.json" --dir "$work/base"
after=$(find "$work/base" -path '*/cells/*' -name scores.json -printf '%p %T@\n' | sort)
kept=$(comm -12 <(echo "$before") <(echo "$after") | wc -l)
n=$(wc -l <<<"$after")
check "it ran only what was new" test "$kept $n" = "24 28"

check "without evaluations along the stream none is drawn" \
    test ! -e "$work/quiet/stream.gnuplot"
cat >"$work/plain.json" <<END
{"extends": "sweep.json", "name": "plain",
 "sweep": {"vary": null, "series": [{"name": "SMF", "method": "smf", "grid": {"lr": [100]}}]}}
END
expect 0 "a sweep that varies nothing" 'falls by -?[0-9.]+ % \(SMF\)' \
    mneme sweep "$work/plain.json" --dir "$work/plain"
check "it is the run folder itself" test -s "$work/plain/base/scores.json"

expect 0 "sweep --json prints the report" '"common_level"' \
    mneme sweep "$work/sweep.json" --dir "$work/base" --json
# shellcheck disable=SC2016
expect 2 "a sweep of another base in the folder" 'holds another run: `pretrain.steps` is 120 there, 100 here' \
    mneme sweep "$work/sweep.json" --dir "$work/base" --set pretrain.steps=100
# shellcheck disable=SC2016
expect 2 "a recipe without a sweep" 'key `sweep`' mneme sweep data/recipes/nano.json
sed 's/"rank": \[2, 4\]/"rnak": [2, 4]/' "$work/sweep.json" >"$work/wrong.json"
expect 2 "an unknown key in a grid" 'finetune.lora.rnak' \
    mneme sweep "$work/wrong.json" --dir "$work/wrong"
cp -r "$work/scalar" "$work/cut"
for cell in "$work"/cut/seed-1/cells/*; do truncate -s 20 "$cell/stream.jsonl"; done
expect 2 "cut evaluations along the stream" 'stream.jsonl' \
    mneme sweep "$work/sweep.json" --dir "$work/cut"
check "verify takes a sweep's folder" mneme verify "$work/scalar"
cp -r "$work/scalar" "$work/forged"
cell=$(find "$work/forged/seed-1/cells" -name 'smf-*' | head -n 1)
sed -i 's/"new_f1": [0-9.]*/"new_f1": 0.987/' "$cell/scores.json"
found=$(mneme verify "$work/forged")
check "verify fails on a forged score in a sweep" test $? = 1
check "and names it" grep -q "DIFFERENT: .*${cell##*/}/scores.json" <<<"$found"
cell=$(find "$work/killed/seed-1/cells" -name 'smf-*' | head -n 1)
echo '{}' >"$cell/cell.json"
expect 2 "a cell of other settings" 'cell.json: is damaged or was changed' \
    mneme sweep "$work/sweep.json" --dir "$work/killed"

# The slots.
run=$work/base/seed-1
expect 0 "slots are shown" 'trainable sets of the first 3 new facts' \
    mneme slots "$run" --fact 1 --known 2 --set finetune.smf.t=20
for file in slots.md slots.json usage.csv overlap.csv fact-new-1.csv fact-known-2.gnuplot; do
    check "it leaves slots/$file" test -s "$run/slots/$file"
done
cp -r "$run/slots" "$work/slots"
check "slots are shown on plain C" env MNEME_ISA=scalar OMP_NUM_THREADS=1 \
    mneme slots "$run" --fact 1 --known 2 --set finetune.smf.t=20
check "the slots are the same on plain C" cmp "$run/slots/slots.json" "$work/slots/slots.json"
expect 0 "slots --json prints the figures" '"effective_slots"' mneme slots "$run" --json
expect 2 "a fact that is not there" 'no new fact 3' mneme slots "$run" --fact 3
expect 2 "a known fact that is not there" 'no known fact 99' mneme slots "$run" --known 99
expect 2 "a folder that is no run" 'recipe.json' mneme slots data
expect 2 "a fact that is no number" 'x' mneme slots "$run" --fact x
check "a run without a memory layer" mneme run data/recipes/nano.json --dir "$work/none" \
    --set model.memory=null --set finetune.smf=null --set pretrain.steps=5
expect 2 "slots of a model without any" 'no memory layer' mneme slots "$work/none"

# Documents.
check "documents are taught" mneme run data/recipes/nano.json --dir "$work/documents" \
    --set corpus.new_subjects=2 --set corpus.facts_per_chunk=4 --set corpus.rewrites=5
n=$(wc -l <"$work/documents/finetune/smf/lr-50/trail.jsonl")
check "every chunk gets its steps" test "$n" -eq 17
n=$(grep -c '"set":"new"' "$work/documents/base/answers.jsonl")
check "every fact of the documents is asked" test "$n" -eq 12
