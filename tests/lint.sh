#!/bin/bash
# Layout, floors, forbidden arithmetic, cppcheck and clang-tidy over the whole tree. `make lint`
# calls it. What was clean is remembered in build/lint by a hash of the preprocessed text and not
# analyzed again.
# shellcheck disable=SC2317 # functions are called by lint
set -u
cd "$(dirname "$0")/.." || exit 1

BUILD=${BUILD:-build}
clean=$BUILD/lint
mkdir -p "$clean/cppcheck"
failed=0

flags=(-std=c11 -D_GNU_SOURCE -fopenmp -I. -Isrc -Iinclude -Itests -I"$clean"
    '-DMNEME_DATADIR="/usr/local/share/mneme"')
mapfile -t sources < <(find simd src tests include perf -name '*.[ch]' | sort)
mapfile -t units < <(printf '%s\n' "${sources[@]}" | grep '\.c$')

# lint NAME COMMAND...
lint() {
    local name=$1 start=$SECONDS
    shift
    if "$@"; then
        echo "lint: $name: clean ($((SECONDS - start)) s)"
    else
        echo "lint: $name: FAILED"
        failed=1
    fi
}

layout() {
    clang-format-14 --dry-run -Werror "${sources[@]}"
}

# Rules 2 to 4 of docs/arithmetic.md: no function of libm that rounds as it likes, no sum whose
# order the compiler or the number of threads decides.
arithmetic() {
    local file found=0 lines
    local functions='(sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|sincos|exp'
    functions+='|exp2|exp10|expm1|log|log2|log10|log1p|pow|cbrt|hypot|erf|erfc|lgamma|tgamma)[fl]?'
    local pragmas='#pragma (omp .*(reduction *\( *[-+*]|simd)|STDC FP_CONTRACT ON|GCC optimize)'
    for file in "${sources[@]}"; do
        case $file in simd/* | src/*) ;; *) continue ;; esac
        # Comments become empty lines, so that the numbers stay.
        lines=$(gcc -fpreprocessed -dD -E "$file" 2>/dev/null | awk -v file="$file" '
            /^# [0-9]+ "/ { line = $2 - 1; next } { line++; print file ":" line ": " $0 }' |
            grep -E "[^a-zA-Z0-9_.>]$functions *\(|$pragmas|\b(rand|srand|drand48) *\(")
        [ -z "$lines" ] && continue
        echo "$lines"
        found=1
    done
    return "$found"
}

scripts() {
    shellcheck -x -P . tests/*.sh tests/scripts/*.sh perf/*.sh docs/man/*.sh src/*/*.sh data/*/*.sh .ci/run
}

run_cppcheck() {
    cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr -j2 \
        --enable=warning,performance,portability --suppressions-list=tests/cppcheck_suppressions.txt \
        --cppcheck-build-dir="$clean/cppcheck" -D_GNU_SOURCE -DSIMD_ISA=scalar \
        '-DMNEME_DATADIR="/"' -I. -Isrc -Iinclude -I"$clean" simd src
}

# tidy FILE FLAGS...
tidy() {
    local hash output file=$1
    shift
    hash=$({ cat .clang-tidy tests/.clang-tidy; clang-14 "$@" "${flags[@]}" -E "$file"; } | sha256sum | cut -c1-32)
    [ -e "$clean/$hash" ] && return 0
    if output=$(clang-tidy-14 --quiet "$file" -- "$@" "${flags[@]}" 2>&1); then
        touch "$clean/$hash"
    else
        grep -v 'warnings generated\|^Suppressed\|^Use -header' <<<"$output"
        return 1
    fi
}

static_analysis() {
    local file
    for file in "${units[@]}"; do
        case $file in
            simd/kernels/*) # every path through the vector types
                echo "$file -DSIMD_ISA=scalar"
                [ "$(uname -m)" = x86_64 ] || continue
                echo "$file -DSIMD_ISA=avx2 -mavx2 -mfma -mf16c"
                echo "$file -DSIMD_ISA=avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c"
                ;;
            *) echo "$file" ;;
        esac
    done | xargs -P2 -d '\n' -n1 bash "$0" --tidy
}

if [ "${1:-}" = --tidy ]; then
    # shellcheck disable=SC2086
    tidy $2
    exit
fi

for file in tests/*/test_*.c tests/*/*/test_*.c; do
    [ -e "$file" ] && basename "$file" .c | sed 's/^test_\(.*\)/SUITE(\1)/'
done >"$clean/suites.inc"
sh src/text/as_c_string.sh data/wordings/questions.txt >"$clean/built_in_wordings.inc"
sh src/text/as_c_string.sh data/questions/common.tsv >"$clean/built_in_questions.inc"
sh src/text/as_c_string.sh data/text/everyday.jsonl >"$clean/built_in_text.inc"
lint floors tests/floors.sh
lint arithmetic arithmetic
lint layout layout
lint scripts scripts
lint cppcheck run_cppcheck
lint clang-tidy static_analysis
exit "$failed"
