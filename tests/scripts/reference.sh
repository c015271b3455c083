#!/bin/bash
# What a model computes against PyTorch's float64 and float32 (docs/equivalence.md), and that the
# comparison can fail.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

folder=tests/reference
expect 0 "all cases are equivalent" ', 0 not equivalent to PyTorch' mneme verify --reference "$folder"
check "every instruction set gives the same bits" grep -q '^instruction sets: scalar.*, the same bits on each$' "$work/out"

# The bits are the same on every machine, and so are their errors.
grep -v '^instruction sets' "$work/out" >"$work/table"
sed -n '/^## The table$/,$p' docs/results/equivalence.md | sed -n '4,$p' | sed '$d' >"$work/documented"
if cmp -s "$work/table" "$work/documented"; then
    pass "docs/results/equivalence.md shows this table"
else
    fail "docs/results/equivalence.md shows this table" "$(diff "$work/table" "$work/documented" | head -n 3)"
fi

# 50 steps by the reference's own code under its own rules.
expect 0 "the reference's training is followed" '126 tensors, 0 not equivalent to PyTorch' \
    mneme verify --reference "$folder/lingua"
if awk '/after.*values/ {n++; if ($2 > 1e-5) exit 1} / slots / {m++; if ($2 != $4) exit 1}
        END {exit n != 6 || m != 4}' "$work/out"; then
    pass "its value tables are at most 1e-5 apart, its lookups the same"
else
    fail "its value tables are at most 1e-5 apart, its lookups the same" "$(grep -E 'values|slots' "$work/out")"
fi
for rule in clip_values schedule_rule; do
    mkdir "$work/$rule"
    cp "$folder/lingua"/* "$work/$rule"
    sed -i "s/\"$rule\": \"[a-z]*\", //" "$work/$rule/manifest.json"
    mneme verify --reference "$work/$rule" >"$work/out" 2>&1
    if [ $? -eq 1 ] && grep -q 'after.*values.* NOT EQUIVALENT' "$work/out"; then
        pass "another $rule is found"
    else
        fail "another $rule is found" "$(tail -n 3 "$work/out")"
    fi
done

expect 0 "one case as JSON" '"case": "rope", "tensor": "y",.*"equivalent": true' \
    mneme verify --reference "$folder" --case rope --json
expect 2 "no such case" 'manifest.json: has no such case' mneme verify --reference "$folder" --case nothing
expect 2 "no reference" 'no-such-folder/manifest.json' mneme verify --reference no-such-folder

# Another epsilon is another function.
mkdir "$work/reference"
cp "$folder"/*.safetensors "$folder"/*.json "$work/reference"
sed -i '/"name": "rms_norm"/s/"eps": [^,]*/"eps": 1.0001e-05/' "$work/reference/manifest.json"
mneme verify --reference "$work/reference" --case rms_norm >"$work/out" 2>&1
if [ $? -eq 1 ] && grep -q '^  d.x .*NOT EQUIVALENT' "$work/out"; then
    pass "a norm with a slightly other epsilon is found"
else
    fail "a norm with a slightly other epsilon is found" "$(tail -n 3 "$work/out")"
fi
sed -i 's/"v_dim": 40/"v_dim": 41/' "$work/reference/manifest.json"
expect 2 "a case whose tensors have another size" 'memory.safetensors: .* elements, not' \
    mneme verify --reference "$work/reference" --case "v_dim 40"
echo >>"$work/reference/models.safetensors"
expect 2 "a file with another digest" 'models.safetensors: SHA-256 is not what manifest.json says' \
    mneme verify --reference "$work/reference"

# A layer of one's own: the example of docs/reference-folders.md, and one that is wrong.
python=${PYTHON:-python3}
if "$python" -c 'import numpy, safetensors' 2>/dev/null; then
    check "the example writes a reference folder" "$python" docs/examples/own_layer.py "$work/own"
    expect 0 "which is equivalent" '1 cases, 4 tensors, 0 not equivalent' mneme verify --reference "$work/own"
    sed 's,(gate / (1,(1 / (1,' docs/examples/own_layer.py >"$work/wrong.py"
    check "a layer with another gate" "$python" "$work/wrong.py" "$work/other"
    mneme verify --reference "$work/other" >"$work/out" 2>&1
    check "is found" grep -q '^  out.0 .*NOT EQUIVALENT' "$work/out"
    cp docs/examples/own_layer.py "$work/less.py"
    sed -i '/{LAYER}{name}": t/s/p.items()}/p.items() if name != "keys"}/' "$work/less.py"
    check "a layer without its keys" "$python" "$work/less.py" "$work/less"
    # shellcheck disable=SC2016
    expect 2 "is refused" 'no tensor `own#0:in.layers.0.feed_forward.keys`' \
        mneme verify --reference "$work/less"
    sed '/"own#0:in.x"/s/"own#0:in.x": x/"own#0:in.x": x, "own#0:in.xs": x/' docs/examples/own_layer.py >"$work/more.py"
    check "a layer with an input that is none" "$python" "$work/more.py" "$work/more"
    # shellcheck disable=SC2016
    expect 2 "is refused, too" '`own#0:in.xs` is no input' mneme verify --reference "$work/more"
else
    skip "a layer of one's own" "$python has no numpy or no safetensors"
fi
