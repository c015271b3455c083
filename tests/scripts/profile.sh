#!/bin/bash
# --profile and --pin: no file that has a digest changes, the table adds up, wrong use is refused;
# and the static probes are in the program.
# shellcheck source=tests/script_functions.sh
. tests/script_functions.sh

recipe=data/recipes/nano.json

# The kernels' seconds and those outside of them are the whole: of the table in file $1.
adds_up() {
    awk '/^kernel / { rows = 1; next } /^layer / { rows = 0 }
        rows && /^outside kernels/ { sum += $3 } rows && NF >= 8 { sum += $3; n++ }
        / seconds. Roof, as measured/ { all = $1 }
        END { print n " kernels, " sum " of " all " seconds"
              exit !(n > 20 && all > 0 && (sum - all) ^ 2 < (0.001 * (n + 1)) ^ 2) }' "$1"
}

# Threads to pin: as many as the tests run with, but no more than there are CPUs for.
cpus=$(env -u OMP_NUM_THREADS nproc)
pinned=${OMP_NUM_THREADS:-$cpus}
[ "$pinned" -le "$cpus" ] || pinned=$cpus

check "nano runs" mneme run "$recipe" --dir "$work/plain"
expect 0 "nano runs with --profile --pin" 'Threads: [0-9]+, pinned to the CPUs [0-9,]+\.' \
    env OMP_NUM_THREADS="$pinned" \
    mneme run "$recipe" --dir "$work/profiled" --profile --pin --expect data/expected/nano.json
cp "$work/err" "$work/table"
check "the table adds up" adds_up "$work/table"
for layer in embedding layers.0.attention layers.1.feed_forward output values optimizer; do
    check "the table has the layer $layer" grep -qE "^$layer +[1-9]" "$work/table"
done
check "the run folder gets profile.json" grep -q '"kernel": "product_key_forward"' \
    "$work/profiled/profile.json"
if command -v gnuplot >/dev/null; then
    check "the run folder gets profile.svg" grep -q product_key_forward "$work/profiled/profile.svg"
else
    skip "the run folder gets profile.svg" "gnuplot is not installed"
fi
for file in pretrain/trail.jsonl background.safetensors base/model.safetensors recipe.json \
    finetune/smf/lr-50/model.safetensors finetune/lora/lr-0.01/trail.jsonl tokenizer.json; do
    check "profiled or not, $file is the same" cmp "$work/plain/$file" "$work/profiled/$file"
done

find "$work/plain" -type f | sort | xargs sha256sum >"$work/before"
expect 0 "verify --profile shows a table" '^layers.2.attention ' \
    mneme verify "$work/plain" --stage pretrain --to 20 --profile
expect 0 "trace --profile=FILE" "profile: $work/trace.json" \
    mneme trace "$work/plain" --step 3 --out "$work/t.safetensors" "--profile=$work/trace.json"
check "trace --profile=FILE writes it" grep -q '"roof"' "$work/trace.json"
expect 0 "generate --profile keeps its standard output" '^choose_token ' \
    mneme generate "$work/plain/base" "Q: Where was Bo born? A:" --profile
check "generate's standard output is its text" test "$(wc -l <"$work/out")" -eq 1
expect 0 "diff --profile" '^outside kernels ' mneme diff "$work/plain" "$work/profiled" --profile
find "$work/plain" -type f | sort | xargs sha256sum >"$work/after"
check "reading commands leave the run folder alone" cmp "$work/before" "$work/after"

expect 0 "slots --profile --pin" '^outside kernels ' env OMP_NUM_THREADS="$pinned" \
    mneme slots "$work/plain" --overlap 0 --profile --pin
expect 2 "sweep --profile=FILE in no folder" "--profile=$work/none/p.json: No such file" \
    mneme sweep "$recipe" --dir "$work/n" "--profile=$work/none/p.json"

expect 2 "--profile= without a name" 'name is missing' mneme run "$recipe" --dir "$work/n" --profile=
expect 2 "--profile=FILE in no folder" "--profile=$work/none/p.json: No such file" \
    mneme run "$recipe" --dir "$work/n" "--profile=$work/none/p.json"
check "it was refused before the work" test ! -e "$work/n"
expect 2 "--pin takes no value" 'takes no value: --pin=1' mneme run "$recipe" --pin=1
expect 2 "--pin with more threads than CPUs" '--pin: 2 threads cannot be pinned to 1 CPUs' \
    env OMP_NUM_THREADS=2 taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')" \
    mneme run "$recipe" --dir "$work/n" --pin
expect 2 "diff --pin with another engine" 'not with another engine' \
    mneme diff "$work/plain" "$work/profiled" --pin --engine-a mneme

if echo '#include <sys/sdt.h>' | "$CC" -E -xc - >/dev/null 2>&1; then
    readelf -n "$BUILD/mneme" >"$work/notes" 2>/dev/null
    for probe in kernel_begin kernel_end layer; do
        check "the program has the static probe $probe" \
            sh -c "grep -A1 'Provider: mneme' '$work/notes' | grep -q 'Name: $probe\$'"
    done
else
    skip "the program has static probes" "it was built without systemtap-sdt-dev"
fi
