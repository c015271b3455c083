#!/bin/bash
# Finetunings that diverge, of a run and of a sweep; and grids that grow and shrink on one base.
. tests/script_functions.sh

nano=data/recipes/nano.json
cat >"$work/diverging.json" <<END
{"extends": "$PWD/$nano",
 "finetune": {"full": {"lr": [0.001, 1e28]}, "lora": {"lr": [0.01, 1e20]}, "smf": {"lr": [50]}}}
END

# A report without a number that is none. (JSON has no NaN; tables and plots should not either.)
finite() {
    ! grep -riE '(^|[^a-z])-?(nan|inf)([^a-z]|$)' "$@"
}

result_of() {
    sed -n 's/^  "result": "\([0-9a-f]*\)".*/\1/p' "$1"
}

# When each finetuning of a folder was scored.
scored() {
    find "$1" -path '*/lr-*' -name scores.json -printf '%P %T@\n' | sort
}

expect 0 "rates that diverge are rows of the table" '^full +1e\+28 .* diverged ' \
    mneme run "$work/diverging.json" --dir "$work/run"
check "and it says where" grep -qE '^lora, lr 1e\+20, diverged at step 2: ' "$work/out"
for file in report.json report.md tradeoff.csv tradeoff.gnuplot finetune/full/lr-1e+28/scores.json; do
    check "no NaN in $file" finite "$work/run/$file"
done
check "the Markdown report says where" \
    grep -qE '^\| 1e\+28 \| – .*diverged at step 2: ' "$work/run/report.md"
check "the CSV says where" grep -qE '^full,9.99.*e\+27,,,,0,diverged at step 2: ' "$work/run/tradeoff.csv"
check "the plot's legend says how many" grep -q "full finetuning: 1 of 2 diverged" "$work/run/tradeoff.gnuplot"
check "the report says where" grep -qE '"step": 2,' "$work/run/report.json"
check "its scores are null" grep -qE '^ +"new_f1": null' "$work/run/report.json"
check "it leaves no model" test ! -e "$work/run/finetune/full/lr-1e+28/model.safetensors"
first=$(result_of "$work/run/report.json")
before=$(scored "$work/run")
check "a run with divergences is read again" mneme run "$work/diverging.json" --dir "$work/run"
check "no finetuning is repeated" test "$before" = "$(scored "$work/run")"
check "the result is the same" test "$first" = "$(result_of "$work/run/report.json")"
for isa in scalar avx2 avx512; do
    if MNEME_ISA=$isa mneme info >/dev/null 2>&1; then
        check "divergences on $isa with 3 threads" env MNEME_ISA=$isa OMP_NUM_THREADS=3 \
            mneme run "$work/diverging.json" --dir "$work/$isa"
        check "the result is the same on $isa" test "$first" = "$(result_of "$work/$isa/report.json")"
    else
        skip "divergences on $isa" "this build or CPU does not have it"
    fi
done
printf '{"base": "%s", "full": "%s", "lora": "%s", "smf": "%s", "result": "%s"}' \
    "$(sed -n 's/^    "base": "\([0-9a-f]*\)".*/\1/p' "$work/run/report.json" | head -n 1)" \
    "$(sed -n 's/^    "full": "\([0-9a-f]*\)".*/\1/p' "$work/run/report.json")" \
    "$(sed -n 's/^    "lora": "\([0-9a-f]*\)".*/\1/p' "$work/run/report.json")" \
    "$(sed -n 's/^    "smf": "\([0-9a-f]*\)".*/\1/p' "$work/run/report.json")" "$first" >"$work/expected.json"
expect 0 "divergences can be expected" 'the same as in' \
    mneme run "$work/diverging.json" --dir "$work/run" --expect "$work/expected.json"
sed -i 's/"lora": "[0-9a-f]*"/"lora": null/' "$work/expected.json"
expect 1 "and are compared" 'lora. diverged there alone' \
    mneme run "$work/diverging.json" --dir "$work/run" --expect "$work/expected.json"
expect 0 "a run with divergences is verified" 'every compared step is the same' mneme verify "$work/run"

# Without the rates that diverged, and with the others again.
expect 0 "a grid shrinks on its base" 'not in this report, though in the folder: 2 finetunings .*lr-1e\+28' \
    mneme run "$work/diverging.json" --dir "$work/run" --set 'finetune.full.lr=[0.001]' \
    --set 'finetune.lora.lr=[0.01]'
check "and repeats nothing" test "$before" = "$(scored "$work/run")"
expect 0 "a grid grows into nano's, with its digests" 'the same as in' \
    mneme run "$nano" --dir "$work/run" --expect data/expected/nano.json
check "and repeats nothing of what was there" test \
    "$(comm -12 <(echo "$before") <(scored "$work/run") | wc -l)" = "$(wc -l <<<"$before")"
expect 0 "other settings at the same rates" 'smf/lr-50-[0-9a-f]{12}' \
    mneme run "$nano" --dir "$work/run" --set finetune.smf.t=10
check "have folders of their own" grep -q '"t": 10' "$work/run/finetune/smf/lr-50/cell.json"
between=$(scored "$work/run" | grep -v 'smf/lr-.*-')
expect 0 "the old settings come back, with their digests" 'the same as in' \
    mneme run "$nano" --dir "$work/run" --expect data/expected/nano.json
check "from their folder" grep -q '"t": 20' "$work/run/finetune/smf/lr-50/cell.json"
check "with all else as it was" test "$(grep -v smf <<<"$between")" = "$(scored "$work/run" | grep -v smf)"
expect 0 "the folder that changed is verified" 'every compared step is the same' mneme verify "$work/run"
check "a chosen model is there" test -s "$work/run/finetune/smf/lr-50/model.safetensors"
# Alone, the rate that was not chosen is, and its model was not kept.
check "a model that was not kept is made again" \
    mneme run "$nano" --dir "$work/run" --set 'finetune.full.lr=[0.003]'
check "it is there" test -s "$work/run/finetune/full/lr-0.003/model.safetensors"
# shellcheck disable=SC2016
expect 2 "what the base rests on stays, both values said" '`corpus.new_facts` is 3 there, 4 here' \
    mneme run "$nano" --dir "$work/run" --set corpus.new_facts=4

# A folder from before finetunings had a cell.json.
mkdir "$work/old"
cp -r "$work/scalar" "$work/old/run" 2>/dev/null || cp -r "$work/run" "$work/old/run"
find "$work/old/run" -name cell.json -delete
expect 0 "a folder without cell.json takes another grid" 'smf/lr-50-[0-9a-f]{12}' \
    mneme run "$work/diverging.json" --dir "$work/old/run" --set finetune.smf.t=11

expect 0 "when every finetuning diverges the report says so" 'Every finetuning diverged' \
    mneme run "$work/diverging.json" --dir "$work/all" --set 'finetune.full.lr=[1e28]' \
    --set finetune.lora=null --set finetune.smf=null
check "no NaN in it" finite "$work/all/report.json" "$work/all/report.md" "$work/all/tradeoff.csv"
check "its digest is null" grep -qE '"full": null' "$work/all/report.json"

# Every optimizer and method, in a sweep, looked at along the stream.
cat >"$work/sweep.json" <<END
{"extends": "$PWD/$nano", "name": "diverging", "finetune": {"evaluate_every": 1},
 "sweep": {"series": [
   {"name": "full", "method": "full", "grid": {"lr": [0.001, 1e28]}},
   {"name": "memory", "method": "full", "set": {"memory_only": true}, "grid": {"lr": [1e30]}},
   {"name": "LoRA", "method": "lora", "grid": {"lr": [1e20]}},
   {"name": "SMF", "method": "smf", "grid": {"lr": [50]}},
   {"name": "keys", "method": "smf", "set": {"keys_lr": 1e30, "select": "all"}, "grid": {"lr": [1e30]}},
   {"name": "AdamW", "method": "smf", "set": {"optimizer": "adamw"}, "grid": {"lr": [0.01, 1e30]}}]}}
END
expect 0 "a sweep with divergences" 'full, lr 1e\+28, diverged at step 2' \
    mneme sweep "$work/sweep.json" --dir "$work/sweep"
check "LoRA's diverge too" grep -qE '^LoRA, lr 1e\+20, diverged at step 2' "$work/out"
check "its table counts them" grep -qE '^full .* 1 of 2$' "$work/out"
check "no NaN in its reports" finite "$work/sweep/sweep.json" "$work/sweep/sweep.md" "$work/sweep/sweep.csv" \
    "$work/sweep/sweep.gnuplot" "$work/sweep/cells"
check "a cell that diverged is on no front" grep -qE '^,"LoRA","lr 1e\+20",,,,,,,[0-9.]+,0,,diverged at step 2' \
    "$work/sweep/sweep.csv"
first=$(result_of "$work/sweep/sweep.json")
check "the sweep without looks" mneme sweep "$work/sweep.json" --dir "$work/quiet" \
    --set finetune.evaluate_every=0
check "finds the same" test "$first" = "$(result_of "$work/quiet/sweep.json")"

# shellcheck disable=SC2016
expect 1 "a pretraining that diverges names step and rate" \
    'diverging.json: pretraining diverged at step 2 of 240: .*`pretrain.lr` is 1e\+28' \
    mneme run "$work/diverging.json" --dir "$work/pretrain" --set pretrain.lr=1e28
expect 1 "at its last step, too" 'pretraining diverged at step 1 of 1: a weight is not finite' \
    mneme run "$work/diverging.json" --dir "$work/last" --set pretrain.steps=1 --set pretrain.warmup=0 \
    --set pretrain.lr=1e30 --set pretrain.weight_decay=1e30
