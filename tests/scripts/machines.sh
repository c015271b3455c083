#!/usr/bin/env bash
# What the program does on machines that have less: positions, instructions, threads, a folder.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

# --- it stays in its process, whoever watches that

OMP_DISPLAY_ENV=verbose "$BUILD/mneme" --version >"$work/out" 2>"$work/err"
if [ "$(cat "$work/out" "$work/err" | grep -c 'DISPLAY ENVIRONMENT BEGIN')" -eq 1 ]; then
    pass 'the program is started once'
else
    fail 'the program is started once' 'OpenMP was loaded again' show "$work/err"
fi

if ! ldd "$BUILD/mneme" | grep -q libgomp; then
    skip 'libgomp is told to spin little' 'this build has another OpenMP'
else
    expect 0 'libgomp is told to spin little' "GOMP_SPINCOUNT = '1000'" \
        env -u GOMP_SPINCOUNT -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose "$BUILD/mneme" --version
    expect 0 'GOMP_SPINCOUNT of the caller stays' "GOMP_SPINCOUNT = '77'" \
        env GOMP_SPINCOUNT=77 OMP_DISPLAY_ENV=verbose "$BUILD/mneme" --version
    expect 0 'so it is with PATH alone' "GOMP_SPINCOUNT = '1000'" \
        env -i PATH=/bin OMP_DISPLAY_ENV=verbose "$BUILD/mneme" --version
fi
expect 0 'an empty environment' 'mneme' env -i "$BUILD/mneme" --version

# The plots' program sees the environment that mneme was given.
mkdir "$work/bin"
printf '#!/bin/sh\nenv >"%s/environment"\ncat >/dev/null\n' "$work" >"$work/bin/gnuplot"
chmod +x "$work/bin/gnuplot"
given=(PATH="$work/bin:$PATH" HOME=/nowhere _=/nothing)
env -i "${given[@]}" "$BUILD/mneme" run data/recipes/nano.json --dir "$work/nano" >"$work/out" 2>&1
if grep -q '^HOME=/nowhere$' "$work/environment" && grep -q "^PATH=$work/bin:" "$work/environment" &&
    ! grep -q GOMP_SPINCOUNT "$work/environment"; then
    pass 'the environment is whole again'
else
    fail 'the environment is whole again' 'another program sees another one' show "$work/environment"
fi

# --- positions that no text has

generate() {
    mneme generate "$work/model" '1 2 3' --ids --max-tokens 5
}
rm -rf "$work/model"
cp -r "$work/nano/base" "$work/model"
generate >"$work/few" 2>&1
for positions in 65536 10000000 2147483647; do
    sed -i "s/\"max_position_embeddings\": [0-9]*/\"max_position_embeddings\": $positions/" \
        "$work/model/config.json"
    if (ulimit -v 4000000 && generate) 2>&1 | cmp - "$work/few" >"$work/output" 2>&1; then
        pass "generate with $positions positions"
    else
        fail "generate with $positions positions" 'is not the text of 64 positions' show "$work/output"
    fi
done

# --- instructions

no_fma='lacks AVX2 or FMA'
if ! command -v qemu-x86_64 >/dev/null || [ "$(uname -m)" != x86_64 ] || is_sanitized; then
    skip 'a CPU without FMA' 'qemu-x86_64 does not run this build'
else
    for cpu in Nehalem qemu64 SandyBridge,-x2apic,-tsc-deadline max,-fma max,-avx2; do
        on=(qemu-x86_64 -cpu "$cpu" "$BUILD/mneme")
        expect 2 "info on $cpu" 'isa +none \(available: none\)' "${on[@]}" info
        expect 2 "generate on $cpu" "^mneme generate: .*$no_fma" "${on[@]}" generate "$work/model" '1 2 3' --ids
        expect 2 "run on $cpu" "^mneme run: .*$no_fma" "${on[@]}" run data/recipes/nano.json --dir "$work/other"
        expect 2 "sweep on $cpu" "$no_fma" "${on[@]}" sweep data/recipes/nano.json --dir "$work/other"
        expect 2 "verify on $cpu" "$no_fma" "${on[@]}" verify "$work/nano"
        expect 2 "slots on $cpu" "$no_fma" "${on[@]}" slots "$work/nano"
        expect 2 "verify --reference on $cpu" "$no_fma" "${on[@]}" verify --reference "$work/nano"
        expect 0 "digest on $cpu" '\(all\)' "${on[@]}" digest "$work/model/model.safetensors"
    done
    expect 2 'MNEME_ISA does not help' "$no_fma" \
        env MNEME_ISA=scalar qemu-x86_64 -cpu Nehalem "$BUILD/mneme" info
    expect 0 'info is about the emulated CPU' 'isa +avx2 \(available: scalar avx2\)' \
        qemu-x86_64 -cpu max "$BUILD/mneme" info
fi

# --- threads

for threads in 100000 1099511627776 1025; do
    expect 2 "OMP_NUM_THREADS=$threads" "^mneme info: OMP_NUM_THREADS=$threads: is no number" \
        env OMP_NUM_THREADS="$threads" mneme info
done
# libgomp has a line of its own for these.
for threads in 0 -3 abc '4,'; do
    OMP_NUM_THREADS=$threads mneme info >"$work/out" 2>"$work/err"
    if [ $? -eq 2 ] && grep -q "^mneme info: OMP_NUM_THREADS=$threads: is no number" "$work/err"; then
        pass "OMP_NUM_THREADS=$threads"
    else
        fail "OMP_NUM_THREADS=$threads" 'is not refused' show "$work/err"
    fi
done
expect 0 'a list of threads' 'threads +4 \(OMP_NUM_THREADS\)' env OMP_NUM_THREADS=4,2 mneme info
expect 0 'a limit of threads' 'threads +1 \(OMP_THREAD_LIMIT\)' \
    env OMP_NUM_THREADS=4 OMP_THREAD_LIMIT=1 mneme info
expect 0 'one CPU' 'threads +1 \(the CPUs' env -u OMP_NUM_THREADS taskset -c 0 mneme info
few_threads() (
    ulimit -v 700000
    OMP_NUM_THREADS=512 mneme info
)
if is_sanitized; then
    skip 'threads that cannot be started' 'a sanitizer needs more address space'
else
    expect 1 'threads that cannot be started' '512 threads: the system starts [0-9]+:' few_threads
fi

# --- two processes in a folder

mneme run data/recipes/tiny.json --dir "$work/tiny" >/dev/null 2>&1 &
first=$!
for _ in $(seq 200); do
    [ ! -s "$work/tiny/mneme.lock" ] || break
    sleep 0.05
done
at_work="$work/tiny: process $first is at work there"
expect 1 'a second run' "^mneme run: $at_work" mneme run data/recipes/tiny.json --dir "$work/tiny"
expect 1 'a sweep beside it' "$at_work" mneme sweep data/recipes/tiny.json --dir "$work/tiny"
expect 1 'slots beside it' "$at_work" mneme slots "$work/tiny"
expect 1 'verify beside it' "$at_work" mneme verify "$work/tiny"
kill -9 "$first"
wait "$first" 2>/dev/null
cp -r "$work/nano" "$work/killed"
cp "$work/tiny/mneme.lock" "$work/killed"
expect 0 'what kill -9 leaves locks nothing' 'tradeoff' \
    mneme run data/recipes/nano.json --dir "$work/killed"
if [ -e "$work/killed/mneme.lock" ]; then
    fail 'a lock goes with its process' 'mneme.lock is still there'
else
    pass 'a lock goes with its process'
fi
