#!/bin/bash
# Imports and exports from the command line: what they never overwrite, what a kill and a full disk
# leave, and that transformers and peft read what is exported as mneme does, where those are
# installed (PYTHON names the interpreter).
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

llama=tests/interchange/hf_llama
cp -r "$llama" "$work/hf"
expect 2 import_onto_itself 'is the folder that is read' mneme import --from hf "$work/hf" "$work/hf"
expect 2 import_onto_itself_forced 'is the folder that is read' \
    mneme import --force --from hf "$work/hf" "$work/./hf/"
check source_is_whole diff -r "$llama" "$work/hf"
expect 0 import_new '21 tensors' mneme import --from hf "$work/hf" "$work/m"
expect 2 import_again 'already holds' mneme import --from hf "$work/hf" "$work/m"
expect 0 import_forced '21 tensors' mneme import --force --from hf "$work/hf" "$work/m"
expect 2 export_onto_itself 'is the folder that is read' mneme export --to hf "$work/m" "$work/m"
expect 0 export_new '21 tensors' mneme export --to hf "$work/m" "$work/x"
expect 2 export_no_adapter 'adapter.safetensors: missing' mneme export --to peft "$work/m" "$work/y"

# Files may have 20 blocks of 512 or 1,024 bytes; the weights need 25 KiB.
full_disk() { (trap '' XFSZ && ulimit -f 20 && exec "$@"); }
expect 1 import_full_disk 'model.safetensors: cannot write' \
    full_disk mneme import --from hf "$work/hf" "$work/full"
check nothing_after_a_full_disk test ! -e "$work/full" -a ! -e "$work/full.partial"
(ulimit -f 20 && exec mneme import --from hf "$work/hf" "$work/killed") >"$work/out" 2>&1
check nothing_after_a_kill test ! -e "$work/killed"
expect 0 import_after_a_kill '21 tensors' mneme import --from hf "$work/hf" "$work/killed"
check nothing_beside_it test ! -e "$work/killed.partial"

# A plain transformer of mneme's own, with a LoRA adapter kept.
sed -e '/"memory"/d; s/"max_seq_len": 64,/"max_seq_len": 64/; s/"steps": 240/"steps": 60/' \
    -e '/"full"/d; /"smf"/d; s/"lora".*/"lora": {"lr": [0.01], "rank": 3, "keep_adapter": true}/' \
    -e "s:\.\./worlds:$PWD/data/worlds:" data/recipes/nano.json >"$work/plain.json"
expect 0 run_keeps_adapter 'report:' mneme run "$work/plain.json" --dir "$work/run"
taught=$work/run/finetune/lora/lr-0.01
expect 0 export_own '30 tensors' mneme export --to hf "$work/run/base" "$work/own"
expect 0 export_taught '30 tensors' mneme export --to hf "$taught" "$work/taught"
expect 0 export_adapter '42 tensors' mneme export --to peft "$taught" "$work/adapter"
expect 0 import_adapter '30 tensors' \
    mneme import --from hf "$work/own" "$work/merged" --adapter "$work/adapter"
cp -r "$taught" "$work/flipped"
size=$(stat -c %s "$work/flipped/adapter.safetensors")
printf 'x' | dd of="$work/flipped/adapter.safetensors" bs=1 seek=$((size - 9)) conv=notrunc 2>/dev/null
expect 2 export_flipped 'adapter.safetensors: ' mneme export --to peft "$work/flipped" "$work/z"

python=${PYTHON:-python3}
if "$python" -c 'import torch, transformers, peft' 2>/dev/null; then
    "$python" tests/interchange/compare_exported.py "$BUILD/mneme" "$work/run/base" "$work/own" \
        "$work/adapter" "$work/taught" || failures=1
    mkdir "$work/families"
    "$python" tests/interchange/compare_families.py "$BUILD/mneme" "$work/families" || failures=1
else
    skip transformers_packages "no Python packages torch, transformers and peft for $python"
fi
