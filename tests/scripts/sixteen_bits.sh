#!/bin/bash
# Models of 16 bits as a user meets them: what is written and kept, and that such a model says,
# scores and learns what the same numbers in f32 do, on any instruction set and number of threads.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

export OMP_WAIT_POLICY=passive
run=$work/run model=$work/run/base
check "a model with a memory" mneme run data/recipes/nano.json --dir "$run" \
    --set model.dim=128 --set model.max_seq_len=128 --set pretrain.steps=30 \
    --set model.memory.n_keys=32

# Passes when the two differ, and says how.
differs() { ! mneme diff "$@"; }
whole_digest() { mneme digest "$1" | tail -n 1; }

# same NAME A B: two texts
same() {
    if [ -n "$2" ] && [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "'$2' is not '$3'"; fi
}

expect 0 "its own folder is imported" 'with tokenizer' mneme import "$model" "$work/copy"
same "and is the same" "$(whole_digest "$work/copy")" "$(whole_digest "$model")"
check "with its background" cmp "$work/copy/background.safetensors" "$model/background.safetensors"
expect 2 "a type that there is not" 'dtype fp8: must be f32, bf16 or f16' \
    mneme import "$model" "$work/x" --dtype fp8
check "nothing is written" test ! -e "$work/x"

seq 1 100 | awk '{ print "On day " $1 " the boat went to the harbour." }' >"$work/text.txt"
head -n 2 data/questions/invented.jsonl >"$work/facts.jsonl"

generate() { mneme generate "$1" "Where was" --max-tokens 12 "${@:2}"; }
score() { mneme eval "$1" --text "$work/text.txt" --questions "$work/facts.jsonl" --json 2>&1 | grep -v '"folder"\|seconds'; }
memory_of() { mneme info "$1" --json | grep -oE '"memory_bytes": [0-9]+' | grep -oE '[0-9]+$'; }
# teach MODEL PATCH: and the digest of its tensors
teach() {
    mneme teach "$1" "$work/facts.jsonl" --patch "$2" --text "$work/text.txt" \
        --background 8 --steps 4 --max-loss 1000 >"$work/output" 2>&1 || cat "$work/output"
    whole_digest "$2"
}

for type in bf16 f16; do
    narrow=$work/$type wide=$work/$type-wide
    expect 0 "rounded to $type, without its background" 'rounded' \
        mneme import "$model" "$narrow" --dtype "$type"
    check "which is half as large" test $(($(stat -c %s "$narrow/model.safetensors") * 9 / 5)) -lt \
        "$(stat -c %s "$model/model.safetensors")"
    expect 0 "every tensor is $type" "^[0-9a-f]{64}  norm.weight ${type^^} \[128\]" mneme digest "$narrow"
    check "info says that it takes less memory" \
        test $(($(memory_of "$narrow") * 4 / 3)) -lt "$(memory_of "$model")"
    check "it stays so" mneme import "$narrow" "$narrow-again"
    same "and is the same $type" "$(whole_digest "$narrow-again")" "$(whole_digest "$narrow")"
    expect 0 "$type in f32" 'with tokenizer' mneme import "$narrow" "$wide" --dtype f32
    check "and back" mneme import "$wide" "$wide-narrow" --dtype "$type"
    same "is the same again" "$(whole_digest "$wide-narrow")" "$(whole_digest "$narrow")"
    expect 0 "diff sees the same numbers as $type and f32" 'other type, same numbers' \
        differs "$narrow" "$wide"
    expect 0 "and how far $type is from what was rounded" 'attention_norm.weight +128 +128 ' \
        differs "$narrow" "$model"

    said=$(generate "$wide")
    for isa in scalar ""; do
        for threads in 1 2 5; do
            same "$type says what f32 does (${isa:-best}, $threads threads)" \
                "$(MNEME_ISA=$isa OMP_NUM_THREADS=$threads generate "$narrow")" "$said"
        done
    done
    same "$type scores what f32 does" "$(score "$narrow")" "$(score "$wide")"

    learned=$(teach "$wide" "$work/$type-wide.patch")
    same "$type learns what f32 does" "$(teach "$narrow" "$work/$type.patch")" "$learned"
    same "also on scalar, 5 threads" \
        "$(MNEME_ISA=scalar OMP_NUM_THREADS=5 teach "$narrow" "$work/$type-5.patch")" "$learned"
    expect 2 "a patch is of one type of model" 'is for the model with the digest' \
        mneme generate "$wide" "Where was" --patch "$work/$type.patch"
    check "what $type learned is merged" mneme patch apply "$narrow" "$work/$type.patch" --out "$work/$type-merged"
    expect 0 "its table is f32" "values.weight F32" mneme digest "$work/$type-merged"
    expect 0 "all else is $type" "norm.weight ${type^^}" mneme digest "$work/$type-merged"
    same "merged it says what it does with the patch" "$(generate "$work/$type-merged")" \
        "$(generate "$narrow" --patch "$work/$type.patch")"
done

# A run that begins with such a model widens it: what it trains, and what it writes, is f32.
check "a model without memory" mneme run data/recipes/nano.json --dir "$work/plain" \
    --set model.memory=null --set finetune.smf=null --set finetune.lora=null \
    --set model.dim=128 --set pretrain.steps=20
check "in bf16" mneme import "$work/plain/base" "$work/base-bf16" --dtype bf16
check "its numbers in f32" mneme import "$work/base-bf16" "$work/base-f32" --dtype f32
cp -r data "$work/data" # a recipe's "extends" is a path from its own folder
for type in bf16 f32; do
    cat >"$work/$type.json" <<END
{"extends": "data/recipes/nano.json", "name": "based", "base": "$work/base-$type", "tokenizer": null,
 "model": {"memory": {"layers": [1], "n_keys": 32, "heads": 2, "knn": 4, "k_dim": 16,
                      "placement": "beside", "init": "data"}, "dim": null, "n_layers": null,
           "n_heads": null, "n_kv_heads": null, "multiple_of": null, "max_seq_len": null},
 "pretrain": {"steps": 2}, "finetune": {"lora": null, "full": {"lr": [0.001]}, "smf": {"lr": [200]}}}
END
    check "a run begins with a $type model" mneme run "$work/$type.json" --dir "$work/run-$type"
done
for folder in base finetune/smf/lr-200 finetune/full/lr-0.001; do
    same "they end the same: $folder" "$(whole_digest "$work/run-bf16/$folder")" \
        "$(whole_digest "$work/run-f32/$folder")"
done
expect 0 "in f32" 'norm.weight F32' mneme digest "$work/run-bf16/base"

# Other programs' folders.
cp -r tests/interchange/hf_llama "$work/hf"
check "transformers' folder is imported" mneme import "$work/hf" "$work/m"
for type in bf16 f16; do
    expect 0 "exported as $type" '21 tensors' mneme export --to hf "$work/m" "$work/hf-$type" --dtype "$type"
    expect 0 "its config.json says $type" "\"torch_dtype\": \"b?float16\"" cat "$work/hf-$type/config.json"
    check "and imported" mneme import "$work/hf-$type" "$work/m-$type"
    expect 0 "it is $type" "norm.weight ${type^^}" mneme digest "$work/m-$type"
    check "exported as it is" mneme export --to hf "$work/m-$type" "$work/hf-$type-again"
    check "it is the same file" cmp "$work/hf-$type/model.safetensors" "$work/hf-$type-again/model.safetensors"
done
expect 2 "an adapter has no other type" 'an adapter is written in f32' \
    mneme export --to peft "$run/finetune/lora/lr-0.01" "$work/y" --dtype bf16
