#!/bin/bash
# mneme diff, verify and trace on runs and files, whole and damaged.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

recipe=data/recipes/nano.json
check "a run that keeps its checkpoints" \
    mneme run "$recipe" --dir "$work/a" --set pretrain.keep_checkpoints=true
check "a run with another weight decay" \
    mneme run "$recipe" --dir "$work/b" --set pretrain.weight_decay=0.2

expect 0 "a run is verified" 'every compared step is the same' mneme verify "$work/a"
expect 0 "a window starts at a checkpoint" '"start": 200, "first": 201, "last": 203, "equal": true' \
    mneme verify "$work/a" --stage pretrain --from 201 --to 203 --json
expect 0 "the background is counted again" '^background .* the same' \
    mneme verify "$work/a" --stage background
expect 0 "verified on other threads" 'every compared step is the same' \
    env OMP_NUM_THREADS=3 mneme verify "$work/a" --stage smf/lr-50
if [ -z "$(find "$work/a" -newer "$work/a/report.json" -name '*.json*')" ]; then
    pass "verify leaves the folder alone"
else
    fail "verify leaves the folder alone" "$(find "$work/a" -newer "$work/a/report.json")"
fi

expect 0 "a run and itself" 'the same' mneme diff "$work/a" "$work/a"
expect 0 "the same as JSON" '"differ": false' mneme diff "$work/a" "$work/a" --json

# Weight decay changes nothing of step 1 but the weights.
mneme diff "$work/a" "$work/b" >"$work/out"
if [ $? -eq 1 ] && grep -q 'first step with a tensor that differs is step 1 of pretrain' "$work/out" &&
    grep -qE '^first tensor that differs: [0-9]+\.weight\.' "$work/out" &&
    grep -qE 'first element \[[0-9]+, [0-9]+\]: a .*0x.* b .*0x.* ULP' "$work/out"; then
    pass "two recipes differ first in a weight of step 1"
else
    fail "two recipes differ first in a weight of step 1" "$(head -n 8 "$work/out")"
fi
mneme diff "$work/a" "$work/b" --json >"$work/out"
if grep -q '"replay": {"stage": "pretrain", "step": 1, "a_repeated": true, "b_repeated": true}' "$work/out" &&
    grep -q '^  {"name": "[0-9]*.weight[^"]*", "type": "F32", "shape": \[[0-9,]*\], "first": \[' "$work/out"; then
    pass "the difference as JSON"
else
    fail "the difference as JSON" "$(head -n 3 "$work/out")"
fi

# One bit of one weight.
cp -r "$work/a/base" "$work/base"
model=$work/base/model.safetensors
size=$(stat -c %s "$model")
byte=$(od -An -tu1 -j $((size - 4)) -N 1 "$model")
# shellcheck disable=SC2059
printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$model" bs=1 seek=$((size - 4)) conv=notrunc status=none
mneme diff "$work/a/base" "$work/base" >"$work/out"
if [ $? -eq 1 ] && grep -q '1 of [0-9]* tensors differ' "$work/out" && grep -q ' 1 ULP$' "$work/out"; then
    pass "one bit of one weight is found"
else
    fail "one bit of one weight is found" "$(head -n 4 "$work/out")"
fi

# A replay from a kept checkpoint that was changed says another thing than the trail.
cp -r "$work/a" "$work/changed"
cp "$work/changed/pretrain/checkpoint-00000150.safetensors" \
    "$work/changed/pretrain/checkpoint-00000200.safetensors"
expect 2 "a checkpoint of another step" 'checkpoint-00000200.safetensors: holds step 150' \
    mneme verify "$work/changed" --stage pretrain --from 201
sed -i '5s/"loss": [0-9.]*/"loss": 1.0/' "$work/changed/pretrain/trail.jsonl"
mneme verify "$work/changed" --stage pretrain --to 10 >"$work/out"
if [ $? -eq 1 ] && grep -q 'DIFFERENT from step 4' "$work/out"; then
    pass "a changed trail is told"
else
    fail "a changed trail is told" "$(cat "$work/out")"
fi

expect 0 "a trace" '[0-9]+ tensors of step 3 of smf/lr-50' \
    mneme trace "$work/a" --stage smf/lr-50 --step 3 --out "$work/trace.safetensors"
expect 0 "a trace and itself" 'the same, bit for bit' \
    mneme diff "$work/trace.safetensors" "$work/trace.safetensors"

expect 2 "no run folder" 'is not a run folder' mneme verify "$work"
expect 2 "diff of a run and a model" 'is not a run folder' mneme diff "$work/a" "$work/base"
# shellcheck disable=SC2016
expect 2 "an unknown stage" 'no stage `smf/lr-7`; it has pretrain, full' \
    mneme verify "$work/a" --stage smf/lr-7
expect 2 "a step that is not there" 'has steps 1 to 240, not 241' \
    mneme trace "$work/a" --step 241 --out "$work/x.safetensors"
expect 2 "a window that ends first" 'ends before it begins' mneme verify "$work/a" --from 5 --to 4
expect 2 "a trace into a folder that is not there" 'no-such' \
    mneme trace "$work/a" --step 1 --out "$work/no-such/x.safetensors"
expect 1 "an engine that is not there" 'no-such-mneme' \
    mneme diff "$work/a" "$work/b" --engine-b no-such-mneme --json
cp -r "$work/a" "$work/hostile"
echo '{' >>"$work/hostile/pretrain/trail.jsonl"
sed -i '3s/.*/nonsense/' "$work/hostile/pretrain/trail.jsonl"
expect 2 "a damaged trail" 'pretrain/trail.jsonl:3: is not a line of a trail' \
    mneme diff "$work/a" "$work/hostile"
sed -i '1s/"contract": 1/"contract": 9/' "$work/hostile/pretrain/trail.jsonl"
expect 2 "a trail of another contract" 'made under contract 9' mneme verify "$work/hostile"
rm "$work/hostile/pretrain/trail.jsonl"
expect 2 "a trail that is gone" 'pretrain/trail.jsonl' mneme verify "$work/hostile"
echo '{"world": "/no/such/world.json"}' >"$work/changed/inputs.json"
expect 2 "an input that has moved" '/no/such/world.json' mneme verify "$work/changed"
expect 0 "an input that is told anew" 'the same' mneme verify "$work/changed" --stage smf/lr-50 \
    --set corpus.world=data/worlds/people.json
