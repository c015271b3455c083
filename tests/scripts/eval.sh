#!/bin/bash
# mneme eval on the command line: every kind of file, and what is wrong with files and options.
. tests/script_functions.sh

export MNEME_PROGRESS=0
tiny=tests/eval/tiny
model=$work/model
check "the model comes in" mneme import --from hf "$tiny" "$model"

expect 0 "a table of all kinds" 'perplexity' mneme eval "$model" --questions "$tiny/questions.jsonl" \
    --text "$tiny/text.txt" --choices "$tiny/arc.jsonl" --choices "$tiny/hellaswag.jsonl" --max-new-tokens 8
cp "$work/out" "$work/table"
expect 0 "questions in it" '^tests/eval/tiny/questions.jsonl +17 +0\.3529 +0\.3529' cat "$work/table"
expect 0 "choices in it" '^tests/eval/tiny/hellaswag.jsonl +4 +0\.0000 +0\.0000 +0\.0000 +0\.2500' cat "$work/table"
expect 0 "what was cut is said" '^note: tests/eval/tiny/arc.jsonl: .* left out: 1$' cat "$work/table"

everything=(eval "$model" --questions "$tiny/questions.jsonl" --text "$tiny/text.txt"
    --choices "$tiny/arc.jsonl" --max-new-tokens 8 --json)
OMP_NUM_THREADS=1 mneme "${everything[@]}" --answers "$work/one" >"$work/one.json"
check "any number of threads" env OMP_NUM_THREADS=3 mneme "${everything[@]}" --answers "$work/three"
cp "$work/output" "$work/three.json"
check "gives the same numbers" cmp "$work/one.json" "$work/three.json"
check "and the same answers" cmp "$work/one" "$work/three"
check "scalar code too" env MNEME_ISA=scalar mneme "${everything[@]}" --answers "$work/scalar"
check "and its answers" cmp "$work/one" "$work/scalar"
expect 0 "a line for each question" '^17$' sed -n '$=' "$work/one"
expect 0 "with all that was measured" \
    '"question":"how many","answers":\["12"\],"prompt":"Question: how many.nAnswer:","said":.*"f1":0.0,"exact_match":0.0,"nll":' \
    cat "$work/one"

expect 0 "the first questions alone" 'arc.jsonl +2 ' mneme eval "$model" --choices "$tiny/arc.jsonl" --limit 2
expect 0 "examples of another file" 'questions.jsonl +17 ' mneme eval "$model" \
    --questions "$tiny/questions.jsonl" --shots 2 --shots-from "$tiny/questions.jsonl" --max-new-tokens 1
mkdir "$work/texts"
printf 'One.' >"$work/texts/a.txt"
printf '{"text": "Two."}\n{"text": "Three."}\n' >"$work/texts/b.jsonl"
expect 0 "a folder of texts" '"documents": 3,' mneme eval "$model" --text "$work/texts" --json

# refuse NAME PATTERN TEXT OPTION...: a file of that text is refused.
refuse() {
    local name=$1 pattern=$2
    printf '%b' "$3" >"$work/file"
    expect 2 "$name" "$pattern" mneme eval "$model" "${@:4}" "$work/file"
}
refuse "choices without records" '/file: holds no questions' '' --choices
refuse "choices that end early" '/file:2: ' '{"context": "a", "endings": ["b"], "label": 0}\n{"context": ' --choices
refuse "an ending that is none of them" '/file:1: does not say which ending is right' \
    '{"context": "a", "endings": ["b", "c"], "label": 2}' --choices
refuse "an answerKey without its choice" '/file: \[0\]: its answerKey is none of the labels' \
    '[{"question": "a", "choices": {"text": ["b"], "label": ["A"]}, "answerKey": "B"}]' --choices
refuse "an empty ending" '/file:1: an ending is empty' '{"context": "a", "endings": ["b", ""], "label": 0}' --choices
refuse "no endings" '/file:1: has no list of endings' '{"context": "a", "endings": [], "label": 0}' --choices
refuse "a number for a record" '/file: \[0\]: is not an object' '[7]' --choices
refuse "bytes that are no UTF-8" '/file:1: invalid UTF-8' '{"context": "\xff"}' --choices
refuse "a NUL byte" '/file:2: a NUL byte' '{"context": "a"}\n\0{"c' --choices
refuse "an ending that no model takes" '/file:1: ending 1: has [0-9]+ tokens, the model takes 96' \
    "{\"context\": \"a\", \"endings\": [\"$(seq 300 | tr '\n' ' ')\"], \"label\": 0}" --choices
refuse "a text of nothing" '/file: ' '' --text
refuse "texts for questions" '/file: holds texts, not questions' 'one\ntwo\n' --questions
refuse "more examples than there are" '/file: 2 examples were asked for, there are 1' \
    '{"question": "a", "answer": "b"}\n{"question": "c", "answer": "d"}' --shots 2 --questions
expect 0 "an empty context" '"acc": 1.0' mneme eval "$model" --json --choices <(
    printf '{"context": "", "endings": ["b"], "label": "0"}')
expect 0 "one question" 'n"?:? +1' mneme eval "$model" --json --questions <(
    printf '{"question": "a", "answer": "b"}')

expect 2 "nothing to evaluate" 'no questions, texts or choices' mneme eval "$model"
expect 2 "a file that is not there" '/none: ' mneme eval "$model" --text "$work/none"
expect 2 "a model that is not there" '/none' mneme eval "$work/none" --text "$tiny/text.txt"
expect 2 "a window that the model has not" 'window is 97: must be from 1 to 96' \
    mneme eval "$model" --text "$tiny/text.txt" --window 97
expect 2 "a stride beyond the window" 'stride is 51: must be from 1 to 50' \
    mneme eval "$model" --text "$tiny/text.txt" --window 50 --stride 51
expect 2 "an answer as long as the model" 'max-new-tokens is 96: must be from 1 to 95' \
    mneme eval "$model" --questions "$tiny/questions.jsonl" --max-new-tokens 96
expect 2 "a prompt without a question" 'prompt: needs \{question\}' \
    mneme eval "$model" --questions "$tiny/questions.jsonl" --prompt 'Q:'
expect 2 "two ways to ask" 'two ways to ask' mneme eval "$model" --questions "$tiny/questions.jsonl" --prompt x --chat
expect 2 "a chat for a model without chats" 'no style of chats' \
    mneme eval "$model" --questions "$tiny/questions.jsonl" --chat
expect 2 "answers where no file can be" '/none/answers' mneme eval "$model" --questions "$tiny/questions.jsonl" \
    --answers "$work/none/answers"
rm "$model/tokenizer.json"
expect 2 "a model without a tokenizer" 'has no tokenizer.json' mneme eval "$model" --text "$tiny/text.txt"
