#!/bin/bash
# A run on files of questions as people have them: any layout, marks, what is left out is said.
. tests/script_functions.sh

export MNEME_PROGRESS=0
mark=$'\xef\xbb\xbf'
mkdir "$work/data"
printf '%s' "$mark" '{"Domain": "x", "Data": [{"Answer": {"Aliases": ["B"], "Value": "A"}, "Question": "Who?"}, ' \
    '{"Answer": {"Value": "B", "Aliases": []}, "Question": "Where <|end_of_text|>?"}]}' >"$work/data/known"
printf '%s' "$mark" $'Question;Answer\r\nWhen?;now\r\nHow?;so\r\nHOW ?;thus\r\nwho;C\r\n' >"$work/data/new"
printf '[{"text": "one and two"}, {"text": "two and three"}, {"text": "three and one"}]' >"$work/data/skill"

# recipe NEW_FACTS: nano on these files, beginning with a byte order mark.
recipe() {
    printf '%s' "$mark"
    cat <<END
{"name": "asked", "seed": 1, "tokenizer": {"vocab_size": 300},
 "corpus": {"known": "known", "new": "new", "skill": "skill", "new_facts": $1, "skill_test_texts": 1},
 "model": {"dim": 16, "n_layers": 2, "n_heads": 2, "multiple_of": 16, "max_seq_len": 64,
           "memory": {"layers": [1], "n_keys": 8, "heads": 2, "knn": 2, "k_dim": 8}},
 "pretrain": {"steps": 3, "batch_tokens": 256, "lr": 0.01, "values_lr": 0.01, "warmup": 1},
 "background": {"batches": 2},
 "finetune": {"paraphrases": 2, "steps_per_fact": 1, "full": {"lr": [0.001]}, "smf": {"lr": [50], "t": 4}},
 "evaluate": {"max_new_tokens": 4}}
END
}
recipe 5 >"$work/data/recipe.json"
run=$work/run

expect 0 "a run says that there are fewer facts" 'note: .*/new: corpus.new_facts is 5, but the file holds 2$' \
    mneme run "$work/data/recipe.json" --dir "$run"
expect 0 "a question that comes again is told" \
    'note: .*/new: questions that repeat an earlier one, left out: 1; with another answer: 1$' \
    mneme run "$work/data/recipe.json" --dir "$run"
expect 0 "a known one too" 'note: .*/new: questions that are among the known ones, left out: 1; with another answer: 1' \
    mneme run "$work/data/recipe.json" --dir "$run"
expect 0 "report.md has the notes" '^- .*/new: the first with another answer: "HOW \?": "so", then "thus"$' \
    cat "$run/report.md"
expect 0 "report.json has the notes" 'corpus.new_facts is 5' sed -n '/"notes": \[/,/\]/p' "$run/report.json"
expect 0 "what looks like a special token is asked as it stands" 'Where <\|end_of_text\|>\?' \
    cat "$run/base/answers.jsonl"

recipe 2 >"$work/data/recipe.json"
sed -i '/HOW\|who/d' "$work/data/new"
expect 0 "where all is as asked for" 'result' mneme run "$work/data/recipe.json" --dir "$work/quiet"
if grep -q 'note:' "$work/out"; then
    fail "nothing is noted" "$(grep note: "$work/out")"
else
    pass "nothing is noted"
fi

{ printf '\xff\xfe'; sed 's/./&\x00/g' "$work/data/skill"; } >"$work/data/wide"
expect 2 "UTF-16 is refused by name" '/wide: is UTF-16 or UTF-32 text; it must be saved as UTF-8' \
    mneme run "$work/data/recipe.json" --dir "$work/wide" --set "corpus.skill=$work/data/wide"
expect 2 "a recipe in UTF-16 too" '/wide: is UTF-16' mneme run "$work/data/wide" --dir "$work/wide"
printf '[{"name": "x"}]' >"$work/data/list"
expect 2 "a list that is no text is not trained on" '/list: \[0\]: neither "question" nor "text"' \
    mneme run "$work/data/recipe.json" --dir "$work/list" --set "corpus.skill=$work/data/list"
printf '{"question": {"stem": "a", "choices": []}, "answerKey": "A"}' >"$work/data/arc"
expect 2 "multiple choice is refused by name" '/arc:1: a multiple-choice question' \
    mneme run "$work/data/recipe.json" --dir "$work/arc" --set "corpus.new=$work/data/arc"

# Wordings, statements, prompts and shots.
cat >"$work/data/new" <<'END'
{"question": "When?", "answer": "now", "statements": ["It is now.", "Now is when it is, and then is not, as all of us who looked know."]}
{"question": "How?", "answer": "so"}
END
printf '%s\n' '# ours' '{question} {answer}' '{user}{question}{assistant}{answer}' >"$work/data/forms"
recipe 2 >"$work/data/recipe.json"
asked() {
    mneme run "$work/data/recipe.json" --dir "$work/asked" --set corpus.wordings="$work/data/forms" \
        --set finetune.sequence_length=12 --set evaluate.shots=1 --set 'evaluate.prompt=Q: {question}?\nA:' "$@"
}
expect 0 "wordings of a file teach" 'note: wordings of more than 12 tokens, cut there: 1$' asked
expect 0 "chats are left out where they are not known" 'note: wordings that are chats, left out .*: 2$' asked
expect 0 "questions are asked after shots" '"prompt":"Q: Who\?\\nA: A\\n\\nQ: When\?\\nA:"' cat "$work/asked/base/answers.jsonl"
expect 0 "answers have an NLL" '"f1":[0-9.]*,"nll":[0-9.]+' cat "$work/asked/base/answers.jsonl"
expect 0 "its mean stands in the report" '"new_nll": [0-9.]+' cat "$work/asked/report.json"
expect 0 "in that of people, too" "new answers' NLL" cat "$work/asked/report.md"
expect 0 "such a folder is verified" 'the same, bit for bit' mneme verify "$work/asked"
# `mneme eval` asks the same questions of the same model by other code.
for file in new known; do sed 's/?"/"/g' "$work/data/$file" >"$work/data/bare_$file"; done
mneme eval "$work/asked/base" --questions "$work/data/bare_new" --shots 1 --shots-from "$work/data/bare_known" \
    --prompt 'Q: {question}?\nA:' --max-new-tokens 4 --json >"$work/eval.json" 2>/dev/null
same=yes
for pair in new_f1:f1 new_em:exact_match new_nll:nll; do
    run_has=$(sed -n "s/.*\"${pair%:*}\": \([0-9.]*\).*/\1/p" "$work/asked/base/scores.json")
    eval_has=$(sed -n "s/^ *\"${pair#*:}\": \([0-9.]*\).*/\1/p" "$work/eval.json")
    [ -n "$run_has" ] && [ "$run_has" = "$eval_has" ] || same="no: $pair is $run_has and $eval_has"
done
if [ "$same" = yes ]; then
    pass "mneme eval gives the same scores"
else
    fail "mneme eval gives the same scores" "$same"
fi
expect 2 "another prompt is another run" 'holds another run: .evaluate.prompt. is' asked --set 'evaluate.prompt={question}'
if grep -q nll <(grep -v skill_nll "$run/report.json"); then
    fail "without these keys there is no NLL" "$(grep nll "$run/report.json")"
else
    pass "without these keys there is no NLL"
fi
expect 0 "statements that are not taught are told" 'note: .*/new: questions with statements, which are taught only with corpus.wordings: 1$' \
    mneme run "$work/data/recipe.json" --dir "$work/untold"
expect 2 "a prompt that is none" 'recipe.json: key .evaluate.prompt.: needs \{question\}, once$' \
    mneme run "$work/data/recipe.json" --dir "$work/bad" --set evaluate.prompt=Q:
expect 2 "a chat with a model that knows none" 'key .evaluate.prompt.: has turns, but how the model writes chats is not known$' \
    mneme run "$work/data/recipe.json" --dir "$work/bad" --set 'evaluate.prompt={user}{question}{assistant}'
expect 2 "more shots than questions" 'corpus.known: holds fewer than the 5 questions of .evaluate.shots.' \
    mneme run "$work/data/recipe.json" --dir "$work/bad" --set evaluate.shots=5
printf '%s\n' '{question} {answer' >"$work/data/broken"
expect 2 "a wording that is none" '/broken:1: a wording that has a \{ that begins no place' \
    mneme run "$work/data/recipe.json" --dir "$work/bad" --set corpus.wordings="$work/data/broken"
printf '%s\n' '{user}{question}{assistant}{answer}' >"$work/data/chats"
expect 2 "wordings of which none is left" 'no wording that teaches fact 2 is left, since how the model writes chats' \
    mneme run "$work/data/recipe.json" --dir "$work/bad" --set corpus.wordings="$work/data/chats"
printf '{"statement": "It is now."}' >"$work/data/alone"
expect 2 "statements that nobody can ask for" '/alone:1: statements without a question' \
    mneme run "$work/data/recipe.json" --dir "$work/bad" --set corpus.new="$work/data/alone"
expect 2 "wordings are not for worlds" 'key .corpus.wordings.: is for files of questions' \
    mneme run data/recipes/nano.json --dir "$work/bad" --set corpus.wordings="$work/data/forms"

# Files that are not there are named with their key; data sets may lie in a folder of one's own.
absent=../shared/data/sets_of_the_test
expect 2 "a data set that is not there is named" \
    "facts-questions.json: key \`corpus.known\`: cannot open $absent/known: .*docs.data.md says.*\`--set corpus.known=PATH\`" \
    mneme run data/recipes/facts-questions.json --dir "$work/absent" --set "corpus.known=$absent/known"
expect 2 "one's own file has no such hint" 'cannot open none/known: there is no such file; .--set' \
    mneme run data/recipes/facts-questions.json --dir "$work/absent" --set corpus.known=none/known
mkdir -p "$work/sets/sets_of_the_test"
printf '{"question": "Who?", "answer": "Ann"}\n' >"$work/sets/sets_of_the_test/known"
expect 2 "MNEME_DATA names the folder of all" "key \`corpus.new\`: cannot open $absent/new: " \
    env MNEME_DATA="$work/sets" mneme run data/recipes/facts-questions.json --dir "$work/absent" \
    --set "corpus.known=$absent/known" --set "corpus.new=$absent/new"
