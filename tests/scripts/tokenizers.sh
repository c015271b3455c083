#!/bin/bash
# `mneme tokenize`, and its ids against the Python package `tokenizers` where that is installed
# (PYTHON names the interpreter).
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

tokenizer=tests/tokenizers/smollm.json
ids() { printf '%b' "$1" | mneme tokenize "$tokenizer" "${@:2}"; }
check tokenize_special test "$(ids '<|im_end|>')" = 2
check tokenize_null test "$(ids '<|im_end|>\0<|im_start|>\0\0' --null)" = $'2\n1'
check tokenize_any_byte test "$(ids 'a\xffb')" = "67 190 68"
check tokenize_empty test -z "$(ids '' --null)"
back() { echo "$1" | mneme tokenize "$tokenizer" --decode "${@:2}" | tr '\0' '+'; }
check tokenize_decode test "$(back '67 2 68')" = 'a<|im_end|>b'
check tokenize_decode_skip test "$(back '67 2 68' --skip-special --null)" = 'ab+'
expect 2 tokenize_decode_no_ids 'must be lines of token ids' \
    sh -c "echo 1 x | '$BUILD/mneme' tokenize $tokenizer --decode"
expect 2 tokenize_decode_no_token 'id 9999999 is not in the vocabulary' \
    sh -c "echo 9999999 | '$BUILD/mneme' tokenize $tokenizer --decode"
expect 2 tokenize_missing 'none: cannot open' mneme tokenize "$work/none"
printf '[%.0s' {1..5000} >"$work/deep.json"
expect 2 tokenize_deep 'deep.json:1: maximum parsing depth' mneme tokenize "$work/deep.json"

python=${PYTHON:-python3}
if "$python" -c 'import tokenizers' 2>/dev/null; then
    data=${MNEME_DATA:-../shared/data}
    mapfile -t files < <(find "$data" -name '*.json*' -o -name '*.csv' 2>/dev/null | sort)
    "$python" tests/tokenizers/compare.py "$BUILD/mneme" "${files[@]}" || failures=1
    for real in "$data"/tokenizers/*.json; do
        [ -e "$real" ] || continue
        "$python" tests/tokenizers/compare.py --real "$BUILD/mneme" "$real" || failures=1
    done
else
    skip tokenizers_package "no Python package \`tokenizers\` for $python"
fi
