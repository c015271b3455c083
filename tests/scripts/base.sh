#!/bin/bash
# Runs that start from a pretrained model: with an empty memory and no step, trained in part, resumed
# after an interruption, verified; and what they refuse.
# shellcheck disable=SC2016 # backquotes are those of messages
. tests/script_functions.sh

recipe=data/recipes/nano.json
sizes='"n_keys": 16, "heads": 2, "knn": 4, "k_dim": 16'

# weights DIR: the digest of the run's base.
weights() {
    mneme digest "$1/base" | tail -n 1 | grep -oE '[0-9a-f]{64}'
}

# recipe_of NAME MEMORY PRETRAIN [KEYS]: a recipe that starts from the plain model.
recipe_of() {
    cat >"$work/$1.json" <<END
{"extends": "$recipe", "name": "$1", "base": "$work/plain/base", "tokenizer": null,
 "model": {"memory": $2, "dim": null, "n_layers": null, "n_heads": null, "n_kv_heads": null,
           "multiple_of": null, "max_seq_len": null}, "pretrain": $3,
 "finetune": {"lora": null, "full": {"lr": [0.001]}, "smf": {"lr": [200]}}${4:-}}
END
}
# A recipe's "extends" is a path from its own folder.
cp -r data "$work/data"

check "a model without memory is trained" mneme run "$recipe" --dir "$work/plain" \
    --set model.memory=null --set finetune.smf=null --set finetune.lora=null

recipe_of empty "{\"layers\": [1], $sizes, \"placement\": \"beside\", \"init\": \"data\"}" \
    '{"steps": 0}'
check "it gets an empty memory, without a step" mneme run "$work/empty.json" --dir "$work/empty"
check "its tokenizer is the base's" cmp "$work/plain/base/tokenizer.json" \
    "$work/empty/base/tokenizer.json"
# Runs with a base also have the answers' NLL.
sed 's/,"nll":[^}]*//' "$work/empty/base/answers.jsonl" >"$work/answers"
check "the empty memory changes no answer" cmp "$work/plain/base/answers.jsonl" "$work/answers"
check "that run is the same again" mneme verify "$work/empty"
for threads in 1 5; do
    check "it runs with $threads threads" env OMP_NUM_THREADS=$threads \
        mneme run "$work/empty.json" --dir "$work/empty$threads"
    check "with the same result with $threads threads" \
        test "$(weights "$work/empty$threads")" = "$(weights "$work/empty")"
done
check "it runs on scalar" env MNEME_ISA=scalar mneme run "$work/empty.json" --dir "$work/scalar"
check "with the same result on scalar" test "$(weights "$work/scalar")" = "$(weights "$work/empty")"

# Training parts: the rest stays as it was, and a checkpoint has no more than what is trained.
for part in memory memory-and-around; do
    recipe_of "$part" "{\"layers\": [0, 2], $sizes, \"placement\": \"beside\"}" \
        "{\"steps\": 12, \"checkpoint_every\": 5, \"keep_checkpoints\": true, \"train\": \"$part\"}"
    check "$part is trained" mneme run "$work/$part.json" --dir "$work/$part"
    check "$part: verified, with its checkpoints" mneme verify "$work/$part"
    frozen=tok_embeddings.weight
    if mneme digest "$work/plain/base" | grep -q "$(mneme digest "$work/$part/base" |
        grep -w "$frozen" | grep -oE '[0-9a-f]{64}')"; then
        pass "$part: what is frozen stays"
    else
        fail "$part: what is frozen stays" "$frozen is another"
    fi
    expect 0 "$part: a checkpoint has what is trained" 'moment1.layers.0.memory.scale' \
        mneme digest "$work/$part/pretrain/checkpoint-00000010.safetensors"
    if grep -E "$frozen|layers.1" "$work/out" >"$work/output"; then
        fail "$part: and nothing else" "more is there" show "$work/output"
    else
        pass "$part: and nothing else"
    fi
    # Without the end it goes on from the checkpoint of step 10.
    cp -r "$work/$part" "$work/cut-$part"
    rm -r "$work/cut-$part/base" "$work/cut-$part/finetune"
    check "$part: goes on from a checkpoint" mneme run "$work/$part.json" --dir "$work/cut-$part"
    check "$part: to the same end" test "$(weights "$work/cut-$part")" = "$(weights "$work/$part")"
    check "$part: with the same trail" cmp "$work/$part/pretrain/trail.jsonl" \
        "$work/cut-$part/pretrain/trail.jsonl"
    check "$part: every line tells what was read of the memory" test 12 -eq \
        "$(grep -c '"slots": .*"slot_perplexity_hex": .*"never_read_hex"' \
            "$work/$part/pretrain/trail.jsonl")"
    expect 0 "$part: the report tells it of the last step" 'The last step of pretraining read' \
        cat "$work/$part/report.md"
    check "$part: one large batch or two small ones" mneme run "$work/$part.json" \
        --dir "$work/halves-$part" --set pretrain.micro_batches=2
    check "$part: read the same" cmp "$work/$part/pretrain/trail.jsonl" \
        "$work/halves-$part/pretrain/trail.jsonl"
done

recipe_of replaced "{\"layers\": [2], $sizes, \"init\": \"data\"}" '{"steps": 6, "train": "memory"}'
check "a memory in place of a feed-forward network" \
    mneme run "$work/replaced.json" --dir "$work/replaced"

# All tokens are alike, and drawn keys send them to the same few slots: the user is told, once.
printf 'aaaa %.0s' $(seq 4000) >"$work/same.txt"
cat >"$work/same.json" <<END
{"name": "same", "base": "$work/plain/base", "corpus": {"text": "same.txt"},
 "model": {"memory": {"layers": [1], "n_keys": 128, "heads": 1, "knn": 1, "k_dim": 16, "placement": "beside"}},
 "pretrain": {"steps": 4, "train": "memory", "batch_tokens": 2000, "sequence_length": 32},
 "background": {"batches": 4}}
END
expect 0 "a routing that collapses is told of" 'step 2: the memory.s routing has collapsed: 1984 reads' \
    mneme run "$work/same.json" --dir "$work/same"
check "once" test 1 -eq "$(grep -c "has collapsed" "$work/err")"

recipe_of none null '{"steps": 0}'
sed -i 's/, "smf": {"lr": \[200\]}/, "smf": null/' "$work/none.json"
check "no memory at all" mneme run "$work/none.json" --dir "$work/none"
check "which is the base" test "$(weights "$work/none")" = "$(weights "$work/plain")"

# A base that has a memory of its own.
recipe_of again null '{"steps": 0}'
sed -i "s|$work/plain/base|$work/empty/base|" "$work/again.json"
check "a base with a memory" mneme run "$work/again.json" --dir "$work/again"
check "which stays as it is" test "$(weights "$work/again")" = "$(weights "$work/empty")"
expect 2 "gets no second one" '`model.memory`: the `base` has a memory already' \
    mneme run "$work/again.json" --dir "$work/refused" --set "model.memory={\"layers\": [1], $sizes}"

expect 2 "what the base decides is refused" '`model.dim`: is decided by the `base`' \
    mneme run "$work/empty.json" --dir "$work/refused" --set model.dim=64
expect 2 "so is a tokenizer" '`tokenizer.vocab_size`: is decided by the `base`' \
    mneme run "$work/empty.json" --dir "$work/refused" --set tokenizer.vocab_size=300
expect 2 "so are longer sequences" '`model.max_seq_len`: must be at most the base.s, 64' \
    mneme run "$work/empty.json" --dir "$work/refused" --set model.max_seq_len=65
expect 2 "no step needs a base" '`pretrain.steps`: must be at least 1 without a `base`' \
    mneme run "$recipe" --dir "$work/refused" --set pretrain.steps=0
expect 2 "to train a memory there must be one" '`pretrain.train`: needs a model with' \
    mneme run "$work/none.json" --dir "$work/refused" --set pretrain.train=memory
expect 2 "keys from data need a bias" '`model.memory.query_bias`: a memory with keys from data' \
    mneme run "$work/empty.json" --dir "$work/refused" --set model.memory.query_bias=false
expect 2 "a base that is not there" 'nowhere/config.json: cannot open' \
    mneme run "$work/empty.json" --dir "$work/refused" --set "base=$work/nowhere"

# With text, what is known is only asked; common questions are read, too.
for i in 1 2 3 4 5 6 7 8; do
    echo "{\"question\": \"Who has key $i?\", \"answer\": \"Ann$i\"}" >>"$work/common.jsonl"
    echo "{\"question\": \"Who lost key $i?\", \"answer\": \"Bo$i\"}" >>"$work/new.jsonl"
    echo "{\"question\": \"Where is key $i?\", \"answer\": \"Rome$i\"}" >>"$work/known1.jsonl"
    echo "{\"question\": \"When was key $i?\", \"answer\": \"in 1${i}00\"}" >>"$work/known2.jsonl"
    echo "A key opens a door, and key $i opens door $i. That is what keys are for." >>"$work/text.txt"
done
seq 1 30 | sed 's/^/Skill text /' >"$work/skill.txt"
reading() {
    cat >"$work/$1.json" <<END
{"name": "$1", "base": "$work/plain/base",
 "corpus": {"text": "$work/text.txt", "known": "$work/known$2.jsonl", "new": "$work/new.jsonl",
            "skill": "$work/skill.txt", "skill_test_texts": 5, "new_facts": 2$3},
 "model": {"memory": {"layers": [1], $sizes, "placement": "beside", "init": "data"}},
 "pretrain": {"steps": 0, "batch_tokens": 64, "sequence_length": 32}, "background": {"batches": 4},
 "finetune": {"paraphrases": 2, "smf": {"lr": [50], "t": 20}}, "evaluate": {"max_new_tokens": 4}}
END
    check "a run reads text$4" mneme run "$work/$1.json" --dir "$work/$1"
}
reading first 1 '' ''
reading second 2 '' ', with other known questions'
reading common 1 ", \"common\": \"$work/common.jsonl\"" ' and common questions'
check "known questions are not read" cmp "$work/first/base/model.safetensors" \
    "$work/second/base/model.safetensors"
check "nor counted" cmp "$work/first/background.safetensors" "$work/second/background.safetensors"
differs() {
    ! cmp -s "$1" "$2"
}
check "common questions make other keys" differs "$work/first/base/model.safetensors" \
    "$work/common/base/model.safetensors"
check "and another background" differs "$work/first/background.safetensors" \
    "$work/common/background.safetensors"
check "that run is the same again" mneme verify "$work/common"
expect 2 "other common questions are another run" 'this folder holds another run' \
    mneme run "$work/common.json" --dir "$work/common" --set "corpus.common=$work/known2.jsonl"

check "another base is trained" mneme run "$recipe" --dir "$work/other" --set model.memory=null \
    --set finetune.smf=null --set finetune.lora=null --set pretrain.steps=5
expect 2 "another base is another run" 'this folder holds another run: `input_sha256.base` is' \
    mneme run "$work/empty.json" --dir "$work/empty" --set "base=$work/other/base"

# A folder that was moved is found again by --set; one that was changed is refused.
mv "$work/plain" "$work/moved"
expect 2 "a base that was moved is missed" 'plain/base/config.json: cannot open' \
    mneme run "$work/empty.json" --dir "$work/empty"
check "and found by --set" mneme run "$work/empty.json" --dir "$work/empty" \
    --set "base=$work/moved/base"
printf '\1' | dd of="$work/moved/base/model.safetensors" bs=1 seek=5000 conv=notrunc 2>/dev/null
expect 2 "a base that is damaged is refused" 'model.safetensors: is damaged, or was changed' \
    mneme run "$work/empty.json" --dir "$work/empty" --set "base=$work/moved/base"
