#!/bin/bash
# What mneme says of a model and of what it will take: mneme info MODEL, --plan, and the refusal of
# what does not fit.
. tests/script_functions.sh

recipe=data/recipes/nano.json
python=$(command -v python3 || true)

# json NAME EXPRESSION: an expression of Python over the JSON of the command before, as `it`.
json() {
    if [ -z "$python" ]; then
        skip "$1" "no python3"
    elif "$python" -c "import json, sys; it = json.load(open('$work/out')); sys.exit(not ($2))" \
        2>"$work/output"; then
        pass "$1"
    else
        fail "$1" "not so: $2" show "$work/out" "$work/output"
    fi
}

# peak COMMAND...: the most bytes that it had in memory.
peak() {
    "$python" - "$@" <<'PYTHON'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
PYTHON
}

# close_to NAME COMMAND...: what --plan says of its memory is within 15 % of what it takes, or within
# the 10 MB by which the heap of a small process varies.
close_to() {
    local name=$1 planned found
    shift
    if [ -z "$python" ]; then
        skip "$name" "no python3"
        return
    fi
    planned=$("$@" --plan --json | "$python" -c "import json, sys; print(json.load(sys.stdin)['memory'])")
    found=$(peak "$@")
    local most=$((found * 15 / 100)) difference=$((planned - found))
    [ "$most" -gt 10000000 ] || most=10000000
    if [ "${found:-0}" -gt 0 ] && [ "${difference#-}" -le "$most" ]; then
        pass "$name"
    else
        fail "$name" "planned $planned bytes, took $found: $*"
    fi
}

expect 0 "a run is planned" 'memory +[0-9.]+ MB at the peak, of' \
    mneme run "$recipe" --dir "$work/planned" --plan
cp "$work/out" "$work/plan"
expect 0 "each of its stages" 'smf/lr-200 ' cat "$work/plan"
if [ -e "$work/planned" ]; then
    fail "planning leaves nothing" "$(ls "$work/planned")"
else
    pass "planning leaves nothing"
fi
expect 0 "a plan is JSON, too" '"fits": true' \
    mneme run "$recipe" --dir "$work/planned" --plan --json
json "a plan has its figures" \
    "len(it['stages']) == 9 and it['memory'] == max(s['memory'] for s in it['stages']) and it['available']['disk'] > 0"
json "a stage's parts are its memory" \
    "all(sum(s['parts'].values()) == s['memory'] for s in it['stages'])"
close_to "nano takes what is planned" mneme run "$recipe" --dir "$work/nano"
expect 0 "a sweep is planned" 'seed-2/SMF: t 20' \
    mneme sweep "$recipe" --dir "$work/sweep" --plan --set sweep.vary.seed='[1,2]' \
    --set sweep.series='[{"name": "SMF", "method": "smf", "grid": {"t": [10, 20], "lr": [5]}}]'
expect 2 "a plan of a recipe that is wrong" 'pretrain.steps' \
    mneme run "$recipe" --plan --set pretrain.steps=-1

# A model that no machine holds: 46,340^2 slots of 4,096 floats.
huge=(--set model.memory.n_keys=46340 --set model.memory.v_dim=4096)
expect 1 "what does not fit is refused" \
    'nano.json: needs more than [0-9.]+ TB of memory in stage .* \(.*\), but there are .*; see --plan; MNEME_OVERSIZE=1' \
    mneme run "$recipe" --dir "$work/huge" "${huge[@]}"
if [ -e "$work/huge/recipe.json" ]; then
    fail "what was refused leaves nothing" "$(ls "$work/huge")"
else
    pass "what was refused leaves nothing"
fi
expect 0 "what does not fit is planned all the same" 'This does not fit' \
    mneme run "$recipe" --dir "$work/huge" --plan "${huge[@]}"
limited() { (ulimit -v "$1" && shift && exec "$@"); }
expect 1 "a limit of address space counts" 'ulimit -v' \
    limited 400000 mneme run "$recipe" --dir "$work/limited" --set model.memory.n_keys=2000
expect 0 "MNEME_OVERSIZE=1 begins all the same" 'tradeoff' \
    env MNEME_OVERSIZE=1 bash -c "ulimit -v 4000000; exec mneme run $recipe --dir $work/oversize"

expect 0 "a model is described" 'memory +256 slots of width 32, 1 table, in place of the feed-forward network of layer 1' \
    mneme info "$work/nano/base"
cp "$work/out" "$work/described"
expect 0 "its background" 'background +of 20 batches' cat "$work/described"
expect 0 "its digest" "digest +$(mneme digest "$work/nano/base" | grep -oE '[0-9a-f]{64}' | tail -1)" cat "$work/described"
expect 0 "a model is described as JSON" '"read_token"' mneme info "$work/nano/base" --json
json "its parts are all its parameters" \
    "sum(it['parameters_by_part'].values()) == it['parameters'] and it['memory_bytes'] == 4 * it['parameters']"
json "its sizes" "it['memory']['slots'] == 256 and it['architecture']['n_layers'] == 3 and it['disk_bytes'] > it['memory_bytes']"
expect 2 "a folder without a model" 'config.json: cannot open' mneme info "$work"
cp -r "$work/nano/base" "$work/other" && sed -i 's/"num_key_value_heads": 1/"num_key_value_heads": 2/' "$work/other/config.json"
expect 2 "a model whose config is another's" 'model.safetensors' mneme info "$work/other"

model=$work/nano/base
printf '{"question": "Where does Ann live?", "answer": ["Rome"]}\n' >"$work/questions.jsonl"
expect 0 "an evaluation is planned" 'evaluate +[0-9.]+ MB' \
    mneme eval "$model" --questions "$work/questions.jsonl" --prompt '{question}' --max-new-tokens 4 --plan

# The real model, where it is.
real=models/smollm2
if [ ! -e $real/model.safetensors ]; then
    skip "plans of the real model" "no $real (data/models/smollm2.sh)"
    exit
fi
close_to "an evaluation of the real model takes what is planned" \
    mneme eval $real --questions data/questions/general.jsonl --limit 20
expect 0 "teaching is planned" 'teach, at most +[0-9.]+ GB' \
    mneme teach $real data/questions/invented.jsonl --limit 2 --patch "$work/patch" --plan
if [ -e "$work/patch" ]; then
    fail "planning to teach leaves nothing" "a patch is there"
else
    pass "planning to teach leaves nothing"
fi
cat >"$work/full.json" <<JSON
{"name": "full", "base": "$PWD/$real", "corpus": {"text": "$PWD/data/text",
  "known": "$PWD/data/questions/general.jsonl", "max_known": 4,
  "new": "$PWD/data/questions/invented.jsonl", "new_facts": 1},
 "pretrain": {"steps": 1, "batch_tokens": 4096, "sequence_length": 512},
 "finetune": {"paraphrases": 2, "full": {"lr": [0.00001]}}}
JSON
expect 0 "with activations made again a step of 4,096 tokens fits" '' \
    mneme run "$work/full.json" --dir "$work/full" --plan --json --set pretrain.checkpoint_activations=true
json "five times the weights and a gigabyte" "it['memory'] < 5 * 538060032 + 1e9"
