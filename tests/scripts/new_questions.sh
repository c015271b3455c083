#!/bin/bash
# corpus.new_unknown: a run teaches the new questions that its base does not answer, asks for them
# once, and says how many it asked.
# shellcheck disable=SC2016 # backquotes are those of messages
. tests/script_functions.sh

export MNEME_PROGRESS=0
nano=data/recipes/nano.json
sizes='"layers": [1], "n_keys": 16, "heads": 2, "knn": 4, "k_dim": 16'
cp -r data "$work/data" # a recipe's "extends" is a path from its own folder
check "a base that knows some people" mneme run "$nano" --dir "$work/plain" \
    --set model.memory=null --set finetune.smf=null --set finetune.lora=null
base=$work/plain/base

# All that the base was asked, known facts first, as new questions.
sed -nE 's/.*"prompt":"Q: (.*) A:","answers":(\[[^]]*\]).*/{"question": "\1", "answer": \2}/p' \
    "$base/answers.jsonl" | tac >"$work/questions"
printf '{"question": "Who wrote it?", "answer": "Ann"}\n{"question": "Who sang it?", "answer": "Bo"}\n' \
    >"$work/known"
seq 1 120 | sed 's/^/Skill text /' >"$work/skill"

# recipe_of NAME NEW_FACTS [KEYS]
recipe_of() {
    cat >"$work/$1.json" <<END
{"name": "$1", "base": "$base",
 "corpus": {"known": "$work/known", "new": "$work/questions", "skill": "$work/skill",
            "skill_test_texts": 5, "new_unknown": true, "new_facts": $2},
 "model": {"memory": {$sizes, "placement": "beside", "init": "data"}},
 "pretrain": {"steps": 0, "batch_tokens": 256}, "background": {"batches": 5},
 "finetune": {"paraphrases": 4, "steps_per_fact": 2, "full": {"lr": [0.001]}, "smf": {"lr": [50], "t": 20}},
 "evaluate": {"max_new_tokens": 8}${3:-}}
END
}

# asked PATTERN FILE: the questions of those lines of a file of answers.
asked() {
    grep -E "$1" "$2" | grep -oE '"Q: [^"]* A:"' | sort -u
}

# What `mneme eval` finds: the first four that have an F1 of 0, of all 15 the base does not know 5.
check "the base is asked by eval" mneme eval "$base" --questions "$work/questions" \
    --prompt 'Q: {question} A:' --max-new-tokens 8 --answers "$work/eval.jsonl"
grep -nE '"f1":0.0' "$work/eval.jsonl" | head -n 4 >"$work/unknown"
last=$(tail -n 1 "$work/unknown" | cut -d: -f1)

recipe_of four 4
expect 0 "a run that chooses its new facts" "asked $last new questions to find 4 that the base" \
    mneme run "$work/four.json" --dir "$work/four"
check "those that the base does not know, in the file's order" diff \
    <(grep -E '"set":"new"' "$work/four/base/answers.jsonl" | grep -oE '"Q: [^"]* A:"') \
    <(grep -oE '"Q: [^"]* A:"' "$work/unknown")
check "and no more questions than that were asked" test "$last" = "$(wc -l <"$work/four/new-questions.jsonl")"
expect 0 "report.md says it" "^- corpus.new_unknown: asked $last new" cat "$work/four/report.md"
expect 0 "report.json says it" "corpus.new_unknown: asked $last new" cat "$work/four/report.json"
expect 0 "the base has none of them" '"new_f1": 0.0' cat "$work/four/base/scores.json"
check "it is verified" mneme verify "$work/four"
check "its files agree" mneme diff "$work/four" "$work/four"

# Asked once: a second run and another cell take what the folder has.
touch -d 2000-01-01 "$work/four/new-questions.jsonl"
check "more cells in the folder" mneme run "$work/four.json" --dir "$work/four" --set "finetune.full.lr=[0.002]"
check "the base is not asked again" test "$work/four/new-questions.jsonl" -ot "$work/plain"
MNEME_ISA=scalar OMP_NUM_THREADS=1 mneme run "$work/four.json" --dir "$work/scalar" >/dev/null
check "the same choice on other instructions" cmp "$work/four/new-questions.jsonl" "$work/scalar/new-questions.jsonl"

expect 2 "with and without the choice are two runs" '`corpus.new_unknown` is true there, not given here' \
    mneme run "$work/four.json" --dir "$work/four" --set corpus.new_unknown=false
sed -i '1s/"f1":[0-9.]*/"f1":0.5/' "$work/scalar/new-questions.jsonl"
expect 2 "answers that were changed are refused" 'new-questions.jsonl: is damaged or was changed' \
    mneme run "$work/four.json" --dir "$work/scalar"

cp -r "$work/four" "$work/again"
rm "$work/again/new-questions.jsonl"
check "a choice that is gone is made again" mneme run "$work/four.json" --dir "$work/again"
check "and is the same" cmp "$work/four/new-questions.jsonl" "$work/again/new-questions.jsonl"

recipe_of all 50
expect 0 "fewer than were asked for" 'asked 15 new questions to find 5 .*; corpus.new_facts is 50' \
    mneme run "$work/all.json" --dir "$work/all"
expect 0 "the choice goes with how it is asked" 'asked [0-9]* new questions to find [0-9]* ' \
    mneme run "$work/all.json" --dir "$work/shots" --set evaluate.shots=1
check "that is another choice" test "$(wc -l <"$work/shots/new-questions.jsonl")" = 15

asked '"f1":1.0' "$base/answers.jsonl" >"$work/right"
grep -oE 'Q: .* A:' "$work/right" | sed -E 's/Q: (.*) A:/\1/' | while read -r question; do
    grep -F "$question" "$work/questions"
done >"$work/answered"
expect 2 "a base that knows it all has nothing to learn" 'key `corpus.new_unknown`: the base answers all 10 new' \
    mneme run "$work/four.json" --dir "$work/knows" --set corpus.new="$work/answered"
check "and nothing stays in the folder" test ! -e "$work/knows/new-questions.jsonl"
expect 2 "a model that is not there yet cannot be asked" 'key `corpus.new_unknown`: needs a `base` and `corpus.new`' \
    mneme run "$work/data/recipes/tiny.json" --dir "$work/none" --set corpus.new_unknown=true \
    --set corpus.world=null --set corpus.known="$work/known" --set corpus.new="$work/questions" \
    --set corpus.skill="$work/skill"
