#!/bin/bash
# A whole run: the expected digests, the same on every instruction set and number of threads, after
# kills, and in a folder that is done already; and what a run refuses.
. tests/script_functions.sh

recipe=data/recipes/nano.json
expected=data/expected/nano.json

# The digests of a run folder, one per line.
digests_of() {
    sed -n '/"digests"/,/"result"/p' "$1/report.json" |
        grep -oE '"(base|full|lora|smf|result)": "[0-9a-f]*"'
}

# same NAME FOLDER: the folder's digests are the expected ones.
same() {
    local found
    found=$(digests_of "$2")
    if [ -n "$found" ] &&
        [ "$found" = "$(grep -oE '"(base|full|lora|smf|result)": "[0-9a-f]*"' "$expected")" ]; then
        pass "$1"
    else
        fail "$1" "other digests than $expected: $(tr '\n' ' ' <<<"$found")"
    fi
}

# All that a report holds but times and the machine.
without_times() {
    sed '/"machine"/,$d' "$1" | grep -v '"seconds"'
}

check "nano runs" mneme run "$recipe" --dir "$work/base"
same "nano has the expected digests" "$work/base"

for isa in scalar avx2 avx512; do
    if MNEME_ISA=$isa mneme info >/dev/null 2>&1; then
        check "nano runs on $isa" env MNEME_ISA=$isa mneme run "$recipe" --dir "$work/$isa"
        same "nano on $isa has the same digests" "$work/$isa"
    else
        skip "nano on $isa" "this build or CPU does not have it"
    fi
done
for threads in 1 3 5; do
    check "nano runs with $threads threads" \
        env OMP_NUM_THREADS=$threads mneme run "$recipe" --dir "$work/threads$threads"
    same "nano with $threads threads has the same digests" "$work/threads$threads"
done
# Where standard error is no terminal, progress is a line now and then.
expect 0 "progress is told in lines" '^pretrain +\[#*\.*\] [0-9]+/2000 steps .* left .* loss ' \
    env MNEME_PROGRESS=1 mneme run "$recipe" --dir "$work/lines" --set pretrain.steps=2000
expect 0 "MNEME_PROGRESS=0 is silent" . \
    env MNEME_PROGRESS=0 mneme run "$recipe" --dir "$work/silent"
if [ -s "$work/err" ]; then
    fail "nothing is told with MNEME_PROGRESS=0" "$(head -n 1 "$work/err")"
else
    pass "nothing is told with MNEME_PROGRESS=0"
fi
check "nano runs with micro-batches" \
    mneme run "$recipe" --dir "$work/micro" --set pretrain.micro_batches=4
same "nano with micro-batches has the same digests" "$work/micro"

# Activations that are made again change no bit, of any method, and no run.
for how in "MNEME_ISA=scalar" "OMP_NUM_THREADS=1" "OMP_NUM_THREADS=2" "OMP_NUM_THREADS=5"; do
    again=$work/again-$how
    check "nano runs with activations made again: $how" \
        env "$how" mneme run "$recipe" --dir "$again" --set pretrain.checkpoint_activations=true
    same "nano with activations made again has the same digests: $how" "$again"
done
for stage in pretrain full/lr-0.001 lora/lr-0.01 smf/lr-50; do
    for folder in base "again-OMP_NUM_THREADS=2"; do
        check "a step of $stage is traced in $folder" \
            mneme trace "$work/$folder" --stage "$stage" --step 3 --out "$work/$folder.safetensors"
    done
    check "a trace with activations made again is the same: $stage" \
        cmp "$work/base.safetensors" "$work/again-OMP_NUM_THREADS=2.safetensors"
    rm -f "$work/base.safetensors" "$work/again-OMP_NUM_THREADS=2.safetensors"
done
check "a run goes on with activations made again" \
    mneme run "$recipe" --dir "$work/base" --set pretrain.checkpoint_activations=true
expect 2 "but not with another rate" 'pretrain.lr' \
    mneme run "$recipe" --dir "$work/base" --set pretrain.lr=0.5

# The layer's other forms are trained and finetuned by every method, the same everywhere too.
variants=("gated PEER:--set model.memory.peer_variant=true --set model.memory.gated=true"
    "no swilu, no query bias:--set model.memory.swilu_projection=false --set model.memory.query_bias=false"
    "normed lookups, keys that learn:--set model.memory.qk_norm=true --set finetune.smf.keys_lr=0.1")
for i in "${!variants[@]}"; do
    name=${variants[i]%%:*}
    read -ra settings <<<"${variants[i]#*:}"
    check "nano runs: $name" mneme run "$recipe" --dir "$work/variant$i" "${settings[@]}"
    check "nano runs on scalar with 3 threads: $name" env MNEME_ISA=scalar OMP_NUM_THREADS=3 \
        mneme run "$recipe" --dir "$work/variant$i-scalar" "${settings[@]}"
    if [ -n "$(digests_of "$work/variant$i")" ] &&
        [ "$(digests_of "$work/variant$i")" = "$(digests_of "$work/variant$i-scalar")" ]; then
        pass "the same digests on scalar: $name"
    else
        fail "the same digests on scalar: $name" "they differ"
    fi
done

# The reference's rules of training.
expect 0 "nano-lingua runs, with the expected digests" 'this is the result that everyone gets' \
    mneme run data/recipes/nano-lingua.json --dir "$work/lingua" --expect data/expected/nano-lingua.json

# What SMF can be asked for besides.
for setting in background.batches=0 finetune.smf.t_per=table finetune.smf.optimizer=adamw-dense; do
    check "nano runs with two tables and $setting" mneme run "$recipe" --dir "$work/$setting" \
        --set 'model.memory.layers=[0, 2]' --set finetune.full=null --set finetune.lora=null --set "$setting"
    expect 0 "and verifies: $setting" 'every compared step is the same' mneme verify "$work/$setting"
done

# SMF's steps on a fact share the pass below the memory layer when their batches have more texts than
# the fact; with keys that learn, by next to nothing, they do not. The steps are the same.
shared=(--set finetune.paraphrases=30 --set finetune.full=null --set finetune.lora=null)
check "nano runs with steps that share a pass" \
    mneme run "$recipe" --dir "$work/shared" "${shared[@]}"
check "nano runs with whole passes" \
    mneme run "$recipe" --dir "$work/whole" "${shared[@]}" --set finetune.smf.keys_lr=1e-30
for lr in 50 200; do
    check "the steps are the same, lr $lr" \
        cmp "$work/shared/finetune/smf/lr-$lr/trail.jsonl" "$work/whole/finetune/smf/lr-$lr/trail.jsonl"
done

# Killed again and again, a little later each time, until it gets through.
killed=0
for tenths in 2 3 4 5 6 7 8 9 10 12 14 16 18 20; do
    { timeout -s KILL "$((tenths / 10)).$((tenths % 10))" \
        mneme run "$recipe" --dir "$work/killed" >/dev/null; } 2>/dev/null && break
    killed=$((killed + 1))
done
check "a run that was killed $killed times ends" mneme run "$recipe" --dir "$work/killed"
same "a run that was killed has the same digests" "$work/killed"
if cmp -s "$work/base/pretrain/trail.jsonl" "$work/killed/pretrain/trail.jsonl"; then
    pass "a run that was killed has the same trail"
else
    fail "a run that was killed has the same trail" "they differ"
fi

# Killed between two finetunings: their models are there, the report is not.
cp -r "$work/base" "$work/half"
rm -rf "$work"/half/report.* "$work/half/finetune/smf" "$work/half/finetune/lora/lr-0.03" \
    "$work/half/background.safetensors"
check "a run continues after its first finetunings" mneme run "$recipe" --dir "$work/half"
same "continued after finetunings it has the same digests" "$work/half"
if [ "$(without_times "$work/base/report.json")" = "$(without_times "$work/half/report.json")" ]; then
    pass "both reports are the same but for times"
else
    fail "both reports are the same but for times" \
        "$(diff <(without_times "$work/base/report.json") <(without_times "$work/half/report.json"))"
fi

expect 0 "a run that is done is read again" 'base +fca7|SHA-256' mneme run "$recipe" --dir "$work/base"
expect 0 "run --json prints the report" '"digests"' mneme run "$recipe" --dir "$work/base" --json
expect 0 "the base model's digest is printed by mneme digest" \
    "$(digests_of "$work/base" | sed -n 's/.*base": "\([0-9a-f]*\).*/\1/p')" \
    mneme digest "$work/base/base" --short
expect 0 "the base model answers" 'A: ' mneme generate "$work/base/base" "Q: Where was Bo born? A:"

expect 2 "a recipe that its texts do not fit" 'model.max_seq_len is 8, but a question has [0-9]+ tokens' \
    mneme run "$recipe" --dir "$work/unfit" --set model.max_seq_len=8 --set tokenizer.vocab_size=300
check "does not hold the folder against one that they fit" mneme run "$recipe" --dir "$work/unfit"
same "which then has the expected digests" "$work/unfit"

# shellcheck disable=SC2016
expect 2 "another recipe in the folder" 'holds another run: `pretrain.steps` is 240 there, 241 here' \
    mneme run "$recipe" --dir "$work/base" --set pretrain.steps=241
expect 2 "a recipe that does not fit its model" 'memory' \
    mneme run "$recipe" --dir "$work/new" --set 'model.memory.layers=[3]'
expect 2 "a recipe without its world" 'no-such.json' \
    mneme run "$recipe" --dir "$work/new" --set corpus.world=no-such.json
expect 2 "an unknown instruction set" 'MNEME_ISA=avx3' \
    env MNEME_ISA=avx3 mneme run "$recipe" --dir "$work/new"
expect 2 "an unknown key" 'stepz' mneme run "$recipe" --dir "$work/new" --set pretrain.stepz=3
expect 1 "a run folder where none can be made" '/proc/mneme: cannot make the directory' \
    mneme run "$recipe" --dir /proc/mneme
expect 2 "a run folder that is a file" 'README.md' mneme run "$recipe" --dir README.md

# What is in the folder is not trusted.
cp -r "$work/half" "$work/cut"
truncate -s 1000 "$work/cut/base/model.safetensors"
expect 2 "a cut base model" 'base/model.safetensors' mneme run "$recipe" --dir "$work/cut"
cp -r "$work/half" "$work/cut2"
rm -r "$work/cut2/finetune/smf"
truncate -s 100 "$work/cut2/background.safetensors"
expect 2 "a cut background" 'background.safetensors' mneme run "$recipe" --dir "$work/cut2"
echo '{' >"$work/cut2/base/scores.json"
expect 2 "broken scores" 'base/scores.json: is damaged or was changed' mneme run "$recipe" --dir "$work/cut2"

# A full disk: files may not grow beyond 50 kB. Nothing that is half a file stays behind.
case $CFLAGS in
    *-fsanitize=thread*)
        skip "a full disk" "the thread sanitizer needs large files itself"
        exit
        ;;
esac
full_disk() { (ulimit -f 50 && exec mneme run "$recipe" --dir "$work/full"); }
expect 1 "a full disk" 'full/.*: ' full_disk
if find "$work/full" -name '*.partial' | grep -q .; then
    fail "a full disk leaves nothing half-written" "$(find "$work/full" -name '*.partial')"
else
    pass "a full disk leaves nothing half-written"
fi
check "the run goes on when there is room again" mneme run "$recipe" --dir "$work/full"
same "after a full disk it has the same digests" "$work/full"
