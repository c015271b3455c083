#!/bin/bash
# Builds that break the contract are caught: check_bits.sh goes red, and mneme diff names the step
# and the tensor where they first went another way.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

if is_sanitized; then
    skip cheating_builds "the builds are compared without sanitizers"
    exit
fi

# On the widest instruction set: the others may have no instruction to contract into.
unset MNEME_ISA

# build NAME [MAKE-ARGUMENT...]: the tree in $work/NAME becomes $work/NAME/build/mneme.
build() {
    local name=$1
    shift
    if ! ${MAKE:-make} -C "$work/$name" --no-print-directory -j"$(nproc)" CC="$CC" CFLAGS=-O1 LDFLAGS= \
        BUILD=build "$@" build/mneme >"$work/output" 2>&1; then
        fail "$name builds" "$(tail -n 3 "$work/output")"
    fi
}

copy_tree() {
    mkdir "$work/$1"
    cp -r Makefile simd src include data "$work/$1"
    mkdir "$work/$1/tests" && cp tests/find_libraries.sh "$work/$1/tests"
}

# caught NAME STAGE STEP TENSOR: $work/NAME's build is told from ours.
caught() {
    local name=$1 cheat=$work/$1/build/mneme bad=$work/$1/run
    if tests/check_bits.sh --program "$cheat" >"$work/out" || ! grep -q DIFFERENT "$work/out"; then
        fail "$name: check_bits.sh goes red" "$(cat "$work/out")"
    else
        pass "$name: check_bits.sh goes red"
    fi
    expect 1 "$name: its run is not the expected one" 'not the expected result' \
        "$cheat" run data/recipes/nano.json --dir "$bad" --expect data/expected/nano.json
    expect_difference "$name: diff names $2, step $3, $4" "$cheat" "$bad" \
        "first step with a tensor that differs is step $3 of $2\$" \
        "^first tensor that differs: [0-9]+\.$4 "
    if mneme verify "$bad" --stage "$2" >"$work/out" || ! grep -q "^$2 .*DIFFERENT" "$work/out"; then
        fail "$name: verify says that we do not repeat its run" "$(cat "$work/out")"
    else
        pass "$name: verify says that we do not repeat its run"
    fi
    if mneme diff "$work/good" "$bad" 2>&1 | grep -q 'does not repeat b (from step'; then
        pass "$name: diff without its engine says who made it"
    else
        fail "$name: diff without its engine says who made it" "it does not"
    fi
}

# expect_difference NAME ENGINE FOLDER PATTERN...: diff prints all of the patterns.
expect_difference() {
    local name=$1 engine=$2 folder=$3 pattern
    shift 3
    mneme diff "$work/good" "$folder" --engine-b "$engine" >"$work/out" 2>"$work/err"
    if [ $? -ne 1 ]; then
        fail "$name" "the exit status is not 1"
        return
    fi
    for pattern; do
        grep -qE "$pattern" "$work/out" && continue
        fail "$name" "nothing like '$pattern'"
        head -n 12 "$work/out" "$work/err" | sed 's/^/    /'
        return
    done
    pass "$name"
}

check "the honest build has the expected digests" \
    mneme run data/recipes/nano.json --dir "$work/good" --expect data/expected/nano.json

copy_tree contraction
build contraction CFLAGS=-O2 CONTRACT=-ffp-contract=fast
caught contraction pretrain 1 'forward\.layers\.0\.q'

# The dot product takes its vectors from the last to the first.
copy_tree reduction
sed -i '/reduce_dot/,/^}/ s|^    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {$|    size_t whole = n / SIMD_LANES * SIMD_LANES;\n    for (i = whole; i > 0;) {\n        i -= SIMD_LANES;|; /reduce_dot/,/^}/ s|^    if (i < n) {$|    i = whole;\n    if (i < n) {|' \
    "$work/reduction/simd/kernels/reduce.c"
build reduction
caught reduction pretrain 1 'forward\.layers\.0\.attention_norm'

# The sparse update rounds its product.
copy_tree sparse_update
sed -i 's|^    SIMD_FN(add_scaled)(n, -lr, gradient, p);|    for (size_t i = 0; i < n; i++) p[i] = p[i] - lr * gradient[i];|' \
    "$work/sparse_update/simd/kernels/optimizer.c"
build sparse_update
caught sparse_update smf/lr-200 1 'weight\.chosen_values'
