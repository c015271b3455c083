#!/bin/bash
# Runs on text: beside questions, with new facts alone, alone; packed once, whatever the layout.
. tests/script_functions.sh

export MNEME_PROGRESS=0
mkdir -p "$work/data/texts/sub" "$work/data/lines"
cp data/text/everyday.jsonl "$work/data/lines/a.jsonl"
printf 'A plain text.\r\nIt has two lines.\r\n' >"$work/data/texts/b.txt"
printf '[{"text": "One of a list."}, {"text": " "}, {"text": "Another."}]' >"$work/data/texts/sub/c.json"
printf 'not text' | tee "$work/data/texts/.hidden.txt" >"$work/data/texts/picture.png"
printf '{"question": "Where does Ola live?", "answer": "Oslo"}\n' >"$work/data/new"
printf 'Held out, and read before and after.' >"$work/data/held"

# recipe CORPUS FINETUNE: a tiny model that reads the text in sequences of 32.
recipe() {
    cat <<END_OF_RECIPE
{"name": "text", "seed": 1, "tokenizer": {"vocab_size": 400}, "corpus": {$1},
 "model": {"dim": 16, "n_layers": 2, "n_heads": 2, "multiple_of": 16, "max_seq_len": 64,
           "memory": {"layers": [1], "n_keys": 8, "heads": 2, "knn": 2, "k_dim": 8}},
 "pretrain": {"steps": 6, "batch_tokens": 128, "sequence_length": 32, "lr": 0.01, "warmup": 1},
 "background": {"batches": 3}, $2
 "evaluate": {"max_new_tokens": 4}}
END_OF_RECIPE
}
teach='"finetune": {"paraphrases": 2, "full": {"lr": [0.001]}, "smf": {"lr": [50], "t": 4}},'
recipe '"text": ["texts", "lines/a.jsonl"], "held_out_text": "held"' '' >"$work/data/alone.json"
recipe '"text": ["texts", "lines/a.jsonl"], "held_out_text": "held", "new": "new"' "$teach" >"$work/data/new.json"
recipe '"text": "texts"' "$teach" >"$work/data/nothing.json"

result_of() {
    sed -n 's/.*"result": "\([0-9a-f]*\)".*/\1/p' "$1/report.json"
}

run=$work/alone
expect 0 "a run can have text alone" 'nothing to teach' mneme run "$work/data/alone.json" --dir "$run"
expect 0 "no question is no score" "\"known_f1\": null" cat "$run/base/scores.json"
expect 0 "empty documents are told" 'corpus.text: 1 of 102 documents are empty' cat "$run/report.md"
expect 0 "files that are no texts, too" 'corpus.text: files of its folders .*: 1$' cat "$run/report.md"
expect 0 "the NLL of held-out text is in report.json" '"text_nll": [0-9]' cat "$run/report.json"
expect 0 "its perplexity, too" '"text_perplexity": [0-9]' cat "$run/base/scores.json"
check "the base can be taught later" test -s "$run/base/background.safetensors"
check "a run on text is verified" mneme verify "$run"

run=$work/new
expect 0 "new facts can stand beside text" '^smf .*[0-9]$' mneme run "$work/data/new.json" --dir "$run"
expect 0 "reports have a column for the text" '^base,,.*,skill_nll,text_nll|^method,lr,.*,text_nll,' cat "$run/tradeoff.csv"
check "a model that SMF taught keeps the background" test -s "$run/finetune/smf/lr-50/background.safetensors"
check "one that was trained wholly has none" test ! -e "$run/finetune/full/lr-0.001/background.safetensors"
first=$(result_of "$run")

MNEME_ISA=scalar OMP_NUM_THREADS=1 mneme run "$work/data/new.json" --dir "$work/scalar" >/dev/null
check "other instructions and threads give the same result" test "$first" = "$(result_of "$work/scalar")"
cmp -s "$run/text.safetensors" "$work/scalar/text.safetensors"
check "and the same tokens" test $? = 0

# A sweep with no known questions: what was not asked is in no table as 0, and the new answers' NLL is.
sweep='"sweep": {"levels": [0], "series": [{"name": "f", "method": "full", "grid": {"lr": [0.001, 0.01]}}]},'
recipe '"text": ["texts", "lines/a.jsonl"], "held_out_text": "held", "new": "new"' "$teach $sweep" >"$work/data/sweep.json"
swept=$work/swept
expect 0 "a sweep's row has the NLLs, and no known F1 to lose" \
    "^f +[0-9.]+ +– +– +– +– +[0-9.]+ +[0-9.]+ +– +[0-9.]+\$" \
    mneme sweep "$work/data/sweep.json" --dir "$swept" --set 'evaluate.prompt=Q: {question} A:'
cp "$work/out" "$work/table"
expect 0 "its columns" "lost at 0.* +skill NLL +text NLL +new answers' NLL +known answers' NLL +ms a fact" cat "$work/table"
expect 0 "what it found" '^finding: no known questions were asked, there is nothing to compare' cat "$work/table"
expect 0 "its base's line" "^base: text NLL [0-9.]+, new answers' NLL [0-9.]+\$" cat "$work/table"
expect 0 "its CSV has nothing where nothing was asked" \
    '^,base,,[0-9.]+,[0-9.]+,,,,,[0-9.]+,[0-9.]+,,,,[0-9a-f]{64},$' cat "$swept/sweep.csv"
expect 0 "its CSV's columns" 'known_lost_percent,skill_nll,text_nll,new_nll,known_nll,seconds' cat "$swept/sweep.csv"
expect 0 "its JSON has null" '"known_lost_percent": null' cat "$swept/sweep.json"
expect 0 "and the measures of each row" '"measures_at_best": ' cat "$swept/sweep.json"
check "every row of its CSV has as many columns" test 1 = "$(awk -F, '{ print NF }' "$swept/sweep.csv" | sort -u | wc -l)"

cp -r "$run" "$work/cut"
truncate -s -4 "$work/cut/text.safetensors"
expect 2 "tokens that were cut are refused" 'text.safetensors: is damaged or was changed' \
    mneme run "$work/data/new.json" --dir "$work/cut"
rm "$work/cut/text.safetensors"
expect 0 "tokens that are missing are made again" '^smf ' mneme run "$work/data/new.json" --dir "$work/cut"
check "to the same" cmp "$run/text.safetensors" "$work/cut/text.safetensors"
printf 'more' >>"$work/data/texts/b.txt"
expect 2 "another text is another run" 'input_sha256.text' mneme run "$work/data/new.json" --dir "$run"

expect 2 "a sequence is no longer than the model takes" "sequence_length is 65, but model.max_seq_len 64" \
    mneme run "$work/data/alone.json" --dir "$work/n" --set pretrain.sequence_length=65
expect 2 "what is taught must be there" 'finetune.: needs .corpus.new' mneme run "$work/data/nothing.json" --dir "$work/n"
printf 'bad \xff' >"$work/data/texts/d.txt"
expect 2 "bytes that are no text are refused with their place" 'texts/d.txt:1: invalid UTF-8 \(byte 5' \
    mneme run "$work/data/alone.json" --dir "$work/bad"
check "and leave no folder's files" test ! -e "$work/bad/recipe.json"
gzip -c "$work/data/held" >"$work/data/texts/d.txt"
expect 2 "compressed text is refused by its name" 'compressed with gzip' mneme run "$work/data/alone.json" --dir "$work/bad"
rm "$work/data/texts/d.txt"
rm -r "$work/data/texts/sub" "$work/data/texts/b.txt"
expect 2 "a folder without text is refused" 'texts: the folder has no file of text' \
    mneme run "$work/data/alone.json" --dir "$work/bad"
