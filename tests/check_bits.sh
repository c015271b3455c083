#!/bin/bash
# The matrix of equality: runs of one recipe on every instruction set, number of threads, compiler,
# batch size, after kills and moves, each of which must end in the digest of data/expected/. A
# table with a row per configuration is printed, and left in BUILD/bits/table.tsv.
#
#   tests/check_bits.sh                    everything (make check-bits)
#   tests/check_bits.sh --program PROGRAM  one row: nano on that build of mneme
#
# MNEME_SEED=N repeats the kills of an earlier call.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${MAKE:=make}" "${CFLAGS:=-O3 -g}"
BUILD=$(realpath "$BUILD")
bits=$BUILD/bits
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
# Threads that wait must not take the CPU from those that work: there are more threads than cores.
export OMP_WAIT_POLICY=passive
seed=${MNEME_SEED:-$RANDOM}
RANDOM=$seed
mkdir -p "$bits"

result_of() {
    sed -n 's/.*"result": "\([0-9a-f]*\)".*/\1/p' "$1" 2>/dev/null
}

# row NAME OUTCOME DIGEST: into the table; OUTCOME is equal, DIFFERENT, or a reason for skipping.
row() {
    printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$bits/table.tsv"
    printf '%-58s  %-16s  %s\n' "$1" "${3:0:16}" "$2"
}

judge() {
    local name=$1 folder=$2 expected found
    expected=$(result_of "data/expected/$3.json")
    found=$(result_of "$folder/report.json")
    if [ -n "$found" ] && [ "$found" = "$expected" ]; then
        row "$name" equal "$found"
    else
        row "$name" DIFFERENT "${found:-no report}"
    fi
}

# The jobs of the matrix: lines of NAME <tab> COMMAND. They run two at a time.
jobs=$runs/jobs
: >"$jobs"

# job NAME PROGRAM ISA THREADS HOW [OPTION...]: a run of nano. HOW: whole, killed, moved.
job() {
    local name="nano  $1"
    shift
    printf '%s\t%s\n' "$name" "$(printf '%q ' "$@")" >>"$jobs"
}

# nano NAME FOLDER PROGRAM ISA THREADS HOW MOMENTS [OPTION...]: MOMENTS are seconds after which the
# run is killed, separated by commas.
nano() {
    local name=$1 folder=$2 program=$3 isa=$4 threads=$5 how=$6 moments=$7 moment
    shift 7
    local command=("$program" run data/recipes/nano.json "$@" --dir)
    if [ "$isa" = neon ]; then
        command=(qemu-aarch64 "${command[@]}")
    elif [ -n "$isa" ]; then
        export MNEME_ISA=$isa
    fi
    [ -n "$threads" ] && export OMP_NUM_THREADS=$threads
    for moment in ${moments//,/ }; do
        { timeout -s KILL "$moment" "${command[@]}" "$folder" >/dev/null 2>&1; } 2>/dev/null
    done
    if [ "$how" = moved ]; then
        # Elsewhere, where decimals have a comma and it is tomorrow already.
        mkdir -p "$folder moved"
        [ -d "$folder" ] && mv "$folder" "$folder moved/run"
        folder="$folder moved/run"
        export LC_ALL=de_DE.UTF-8 TZ=Pacific/Kiritimati
    fi
    "${command[@]}" "$folder" >/dev/null 2>"$runs/error.$BASHPID" ||
        echo "$name: $(tail -n 1 "$runs/error.$BASHPID")" >&2
    judge "$name" "$folder" nano
    rm -rf "$folder"
}
export -f nano judge row result_of
export runs bits

if [ "${1:-}" = --program ]; then
    bits=$runs
    nano "nano  ${2:?a program}" "$runs/run" "$2" "" "" whole "" | tee "$runs/out"
    ! grep -q DIFFERENT "$runs/out"
    exit
fi

rm -f "$bits/table.tsv"

# build NAME MAKE-ARGUMENT...: a variant in BUILD/bits/NAME.
declare -A programs=([gcc-O3]=$BUILD/mneme)
build() {
    local name=$1
    shift
    if "$MAKE" --no-print-directory -j"$(nproc)" BUILD="$bits/$name" "$@" >"$runs/log" 2>&1; then
        programs[$name]=$bits/$name/mneme
    else
        row "build $name" DIFFERENT "failed"
        tail -n 5 "$runs/log" >&2
    fi
}

omp19=$BUILD/libomp19
build gcc-O0 CFLAGS=-O0 all
build gcc-O2 CFLAGS=-O2 all
build gcc-native 'CFLAGS=-O3 -march=native' all
if command -v clang-14 >/dev/null; then
    build clang-14 CC=clang-14 LDFLAGS= all
else
    row "clang-14" "skipped" "clang-14 is not installed"
fi
if command -v clang-19 >/dev/null && [ -e "$omp19/lib/libomp.so" ]; then
    build clang-19 CC=clang-19 CPPFLAGS="-idirafter $omp19/include" \
        LDFLAGS="-L$omp19/lib -Wl,-rpath,$omp19/lib" all
else
    row "clang-19" "skipped" "clang-19 is not installed"
fi
neon=
if command -v qemu-aarch64 >/dev/null && command -v aarch64-linux-gnu-gcc >/dev/null &&
    [ -e /usr/lib/aarch64-linux-gnu/libsleef.so ]; then
    build neon CROSS=aarch64-linux-gnu CC=aarch64-linux-gnu-gcc CFLAGS=-O3 LDFLAGS= "$bits/neon/mneme"
    neon=${programs[neon]:-}
    unset 'programs[neon]'
else
    row "neon" "skipped" "make deps-cross installs what it needs"
fi

moments() { # MOST: three random moments up to so many tenths of a second
    local all=
    for _ in 1 2 3; do
        local tenths=$((RANDOM % $1 + 1))
        all+="${all:+,}$((tenths / 10)).$((tenths % 10))"
    done
    echo "$all"
}

has_isa() { MNEME_ISA=$1 "$BUILD/mneme" info >/dev/null 2>&1; }

# NEON first: under qemu these take longest.
if [ -n "$neon" ]; then
    for threads in 1 2 3 5 16; do
        job "neon, qemu, $threads threads" "$neon" neon "$threads" whole ""
    done
    job "neon, qemu, 2 threads, micro-batches" "$neon" neon 2 whole "" --set pretrain.micro_batches=4
    job "neon, qemu, 2 threads, killed" "$neon" neon 2 killed "$(moments 400)"
fi
for compiler in gcc-O3 gcc-O2 gcc-native clang-14 clang-19; do
    program=${programs[$compiler]:-}
    [ -n "$program" ] || continue
    job "scalar, $compiler, 1 thread" "$program" scalar 1 whole ""
    for isa in avx2 avx512; do
        has_isa "$isa" || continue
        for threads in 1 2 3 5 16; do
            job "$isa, $compiler, $threads threads" "$program" "$isa" "$threads" whole ""
            job "$isa, $compiler, $threads threads, micro-batches" "$program" "$isa" "$threads" whole "" \
                --set pretrain.micro_batches=4
        done
        for how in killed moved; do
            job "$isa, $compiler, 2 threads, $how" "$program" "$isa" 2 "$how" "$(moments 12)"
            job "$isa, $compiler, 3 threads, micro-batches, $how" "$program" "$isa" 3 "$how" \
                "$(moments 12)" --set pretrain.micro_batches=4
        done
    done
done
for threads in 2 3 5 16; do
    job "scalar, gcc-O3, $threads threads" "$BUILD/mneme" scalar "$threads" whole ""
done
job "scalar, gcc-O3, 2 threads, micro-batches" "$BUILD/mneme" scalar 2 whole "" --set pretrain.micro_batches=4
job "scalar, gcc-O3, 2 threads, moved" "$BUILD/mneme" scalar 2 moved "$(moments 100)"
if [ -n "${programs[gcc-O0]:-}" ]; then
    for isa in avx2 avx512; do
        has_isa "$isa" && job "$isa, gcc-O0, 3 threads" "${programs[gcc-O0]}" "$isa" 3 whole ""
    done
    job "scalar, gcc-O0, 1 thread" "${programs[gcc-O0]}" scalar 1 whole ""
fi

number=0
# shellcheck disable=SC2016
while IFS=$'\t' read -r name arguments; do
    number=$((number + 1))
    printf 'nano %q %q %s\0' "$name" "$runs/run$number" "$arguments"
done <"$jobs" | xargs -0 -n 1 -P "$(nproc)" bash -c 'set -u; eval "$1"' -

# tiny: whole runs on the wide instruction sets; windows of steps of every stage, from a kept
# checkpoint, for scalar and the numbers of threads.
tiny=$runs/tiny
window() { # NAME ISA THREADS STEPS
    local name="tiny  $1" stage outcome=equal from
    for stage in pretrain full/lr-0.0001 lora/lr-0.001 smf/lr-300; do
        from=1
        [ "$stage" = pretrain ] && from=801
        MNEME_ISA=$2 OMP_NUM_THREADS=$3 "$BUILD/mneme" verify "$tiny" --stage "$stage" \
            --from "$from" --to $((from + $4 - 1)) >/dev/null || outcome=DIFFERENT
    done
    row "$name, $4 steps of each stage" "$outcome" "trail"
}
tiny_run() { # NAME ISA THREADS FOLDER
    MNEME_ISA=$2 OMP_NUM_THREADS=$3 "$BUILD/mneme" run data/recipes/tiny.json --dir "$4" \
        --set pretrain.keep_checkpoints=true >/dev/null
    judge "tiny  $1" "$4" tiny
}
widest=$("$BUILD/mneme" info --json | sed -n 's/.*"isa": "\([a-z0-9]*\)".*/\1/p')
tiny_run "$widest, $(nproc) threads, whole run" "$widest" "$(nproc)" "$tiny"
if [ "$widest" = avx512 ]; then
    tiny_run "avx2, 3 threads, whole run" avx2 3 "$runs/tiny-avx2"
fi
for isa in avx2 avx512; do
    has_isa "$isa" || continue
    for threads in 1 2 3 5 16; do window "$isa, $threads threads" "$isa" "$threads" 20; done
done
for threads in 1 3; do window "scalar, $threads threads" scalar "$threads" 2; done

rows=$(wc -l <"$bits/table.tsv")
different=$(cut -f2 "$bits/table.tsv" | grep -c DIFFERENT)
skipped=$(cut -f2 "$bits/table.tsv" | grep -c skipped)
echo "check-bits: $((rows - different - skipped)) configurations equal, $different different, $skipped skipped (seed $seed, $SECONDS s)"
[ "$different" -eq 0 ] && [ "$rows" -gt "$skipped" ]
