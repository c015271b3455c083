#!/bin/bash
# corpus.choices: how many multiple-choice questions a run's models answer right, in its files, tables
# and along the stream, as `mneme eval --choices` says.
# shellcheck disable=SC2016 # backquotes are those of messages
. tests/script_functions.sh

export MNEME_PROGRESS=0
nano=data/recipes/nano.json

# The people of the world, as ARC and as plain records have questions.
cat >"$work/arc" <<'END'
{"question": {"stem": "Where was Selma Archer born?", "choices": [{"text": "Oslo", "label": "A"}, {"text": "Warsaw", "label": "B"}, {"text": "the moon", "label": "C"}]}, "answerKey": "B"}
{"question": {"stem": "Which pet does Selma Archer have?", "choices": [{"text": "crow", "label": "1"}, {"text": "a very large and old hedgehog", "label": "2"}]}, "answerKey": "2"}
{"question": {"stem": "What is the profession of Hedda Dietrich?", "choices": [{"text": "nurse", "label": "A"}, {"text": "detective", "label": "B"}]}, "answerKey": "A"}
END
cat >"$work/plain_choices" <<'END'
{"context": "Q: Who employs Hedda Dietrich? A:", "choices": ["Pearl Theatre", "Raven Films"], "answer": 1}
{"context": "Q: Who employs Selma Archer? A:", "choices": ["Pearl Theatre", "Raven Films", "x"], "answer": 2}
{"context": "Q: Who employs Selma Archer? A:", "choices": ["crow", "Pearl Theatre Pearl"], "answer": 1}
{"context": "Selma", "choices": ["a", "Selma Archer Selma Archer"], "answer": "B"}
END

# acc KEY MODEL FILE...: a number of `mneme eval`, over all questions of the files.
acc() {
    local key=$1 model=$2 options=()
    shift 2
    for file in "$@"; do options+=(--choices "$file"); done
    mneme eval "$model" "${options[@]}" --json | python3 -c '
import json, sys
files = json.load(sys.stdin)["choices"]
print(sum(f[sys.argv[1]] * f["n"] for f in files) / sum(f["n"] for f in files))' "$key"
}

# number KEY FILE: that of a JSON file.
number() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[2]))[sys.argv[1]])' "$@"
}

run=$work/run
both="[\"$work/arc\", \"$work/plain_choices\"]"
expect 0 "a run answers multiple-choice questions" '^method .*skill NLL +choices +choices \(norm\) +lost at equal' \
    mneme run "$nano" --dir "$run" --set corpus.choices="$both" --set finetune.evaluate_every=1
if ! command -v python3 >/dev/null; then
    skip "the same as mneme eval" "no python3"
else
    for model in base finetune/full/lr-0.003 finetune/smf/lr-200; do
        [ -e "$run/$model/model.safetensors" ] || model=${model%-*}-$([[ $model = *smf* ]] && echo 50 || echo 0.001)
        for key in acc acc_norm; do
            check "$model: $key is that of mneme eval" test \
                "$(number "choices_$key" "$run/$model/scores.json")" = "$(acc $key "$run/$model" "$work/arc" "$work/plain_choices")"
        done
    done
    check "the length of an ending matters here" test \
        "$(number choices_acc "$run/base/scores.json")" != "$(number choices_acc_norm "$run/base/scores.json")"
fi
expect 0 "report.json has them" '"choices_acc": [0-9.]+' cat "$run/report.json"
expect 0 "report.md has a column for each run" '\| skill NLL \| choices \| choices \(norm\) \|' cat "$run/report.md"
expect 0 "the table of points, too" '^method,lr,new_f1,known_f1,skill_nll,choices_acc,choices_acc_norm,chosen' cat "$run/tradeoff.csv"
expect 0 "and the stream" '"choices_acc":[0-9.]+' cat "$run/finetune/full/lr-0.001/stream.jsonl"
check "it is verified" mneme verify "$run"
check "a folder's files agree" mneme diff "$run" "$run"
mneme run "$nano" --dir "$work/scalar" --set corpus.choices="$both" >/dev/null
MNEME_ISA=scalar OMP_NUM_THREADS=1 mneme run "$nano" --dir "$work/scalar1" --set corpus.choices="$both" >/dev/null
check "the same on other instructions and threads" test \
    "$(grep '"result"' "$work/scalar/report.json")" = "$(grep '"result"' "$work/scalar1/report.json")"
expect 0 "and another result than without them" '"result": ' \
    sh -c "grep '\"result\"' '$work/scalar/report.json' | grep -v $(sed -n 's/.*"result": "\(.*\)".*/\1/p' data/expected/nano.json)"

one=$work/one
check "the first question of each file alone" mneme run "$nano" --dir "$one" --set corpus.choices="$both" \
    --set corpus.max_choices=1
expect 0 "counts as a half or a whole" '"choices_acc": (0.0|0.5|1.0),' cat "$one/base/scores.json"
expect 0 "a file with fewer is told" 'arc: corpus.max_choices is 4, but the file holds 3' \
    mneme run "$nano" --dir "$work/three" --set corpus.choices="$both" --set corpus.max_choices=4
expect 2 "other questions are another run" 'this folder holds another run: `input_sha256.choices`' \
    mneme run "$nano" --dir "$run" --set corpus.choices="$work/arc"
expect 2 "questions without choices are refused" 'known:1: ' sh -c \
    "echo '{\"question\": \"Who?\", \"answer\": \"Ann\"}' >'$work/known'
     mneme run $nano --dir '$work/none' --set corpus.choices='$work/known'"
check "and leave no folder's recipe" test ! -e "$work/none/recipe.json"
